// Signs a person in on a device that has no browser: it shows a code, which they type elsewhere. Then they decline.
//   NODE_EXTRA_CA_CERTS=…/ca.pem node msal_device.mjs
import { readFileSync } from "node:fs";
import { PublicClientApplication } from "@azure/msal-node";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const { client_id } = sandbox.applications.find(({ flow }) => flow === "device");
const application = new PublicClientApplication({
  auth: {
    clientId: client_id,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`,
    knownAuthorities: [new URL(sandbox.authority_tls).host],
  },
});
const scopes = ["https://outlook.office.com/IMAP.AccessAsUser.All"];
const byDeviceCode = (attempt) => application.acquireTokenByDeviceCode({
  scopes,
  deviceCodeCallback: ({ message, verificationUri, userCode, expiresIn, interval }) => {
    console.log(message);
    console.log(`attempt ${attempt}: ${verificationUri} ${userCode} (${expiresIn} s, asked every ${interval} s)`);
  },
});

const { account, accessToken } = await byDeviceCode(1);
const { scp, appid, upn } = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
console.log(`signed in: ${account.username}, token for ${upn} through ${appid}, scp="${scp}"`);
const { fromCache } = await application.acquireTokenSilent({ account, scopes, forceRefresh: true });
console.log(`refreshed: fromCache=${fromCache}`);

try {
  await byDeviceCode(2);
} catch (error) {
  console.log(`declined: ${error.name} ${error.errorCode} ${error.errorMessage}`);
}
