// A program that nobody signs in to: client credentials with a secret, and with a wrong one.
//   NODE_EXTRA_CA_CERTS=…/ca.pem node msal_secret.mjs
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const registered = sandbox.applications.find(({ flow }) => flow === "app_only");
const application = (clientSecret) => new ConfidentialClientApplication({
  auth: {
    clientId: registered.client_id,
    clientSecret,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`,
    knownAuthorities: [new URL(sandbox.authority_tls).host],
  },
});
const scopes = ["https://outlook.office365.com/.default"];

const { accessToken, tokenType, expiresOn } = await application(registered.client_secret).acquireTokenByClientCredential({ scopes });
const { aud, appid, roles } = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
console.log(`${tokenType} for ${aud} to ${appid}, roles ${roles.join(" ")}, until ${expiresOn.toISOString()}`);

try {
  await application("not-the-secret").acquireTokenByClientCredential({ scopes });
} catch (error) {
  console.log(`${error.name} ${error.errorCode} ${error.errorNo}: ${error.errorMessage.split(" Trace ID")[0]}`);
}
