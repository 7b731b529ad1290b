// Signs a person in by authorization code with PKCE, renews the token without them, opens their mailbox, and
// shows what a program sees when their sign-ins are revoked.
//   NODE_EXTRA_CA_CERTS=…/ca.pem node msal_code.mjs
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { ConfidentialClientApplication, CryptoProvider, InteractionRequiredAuthError } from "@azure/msal-node";
import { ImapFlow } from "imapflow";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const registered = sandbox.applications.find(({ flow }) => flow === "delegated");
const application = new ConfidentialClientApplication({
  auth: {
    clientId: registered.client_id,
    clientSecret: registered.client_secret,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`,
    knownAuthorities: [new URL(sandbox.authority_tls).host],
  },
});
const scopes = ["https://outlook.office.com/IMAP.AccessAsUser.All"];

// The browser comes back to this port with the code.
const server = createServer().listen(0, "localhost");
await once(server, "listening");
const redirectUri = `http://localhost:${server.address().port}`;
const crypto = new CryptoProvider();
const { verifier, challenge } = await crypto.generatePkceCodes();
const state = crypto.createNewGuid();
const url = await application.getAuthCodeUrl({
  scopes, redirectUri, state, codeChallenge: challenge, codeChallengeMethod: "S256",
});
console.log(`sign in at ${url}`);
const [request, response] = await once(server, "request");
response.end("Signed in; this window may be closed.");
server.close();
const answer = Object.fromEntries(new URL(request.url, redirectUri).searchParams);
if (answer.error) throw new Error(`${answer.error}: ${answer.error_description}`);

// Refuses an answer with another state.
const wanted = { code: answer.code, state, scopes, redirectUri, codeVerifier: verifier };
const first = await application.acquireTokenByCode(wanted, answer);
show("by code", first);
const { account } = first;
show("from the cache", await application.acquireTokenSilent({ account, scopes }));
const renewed = await application.acquireTokenSilent({ account, scopes, forceRefresh: true });
show("by refresh token", renewed);
console.log(`renewed: ${renewed.accessToken !== first.accessToken}`);
for (const { username, homeAccountId, tenantId } of await application.getTokenCache().getAllAccounts()) {
  console.log(`account ${username} ${homeAccountId} of tenant ${tenantId}`);
}

const auth = { user: account.username, accessToken: renewed.accessToken };
const imap = new ImapFlow({ host: "localhost", port: sandbox.imap.port, secure: true, auth, logger: false });
await imap.connect();
console.log(`mailbox: ${(await imap.status("INBOX", { messages: true })).messages} messages`);
await imap.logout();

await fetch(`${sandbox.control}/revoke`, {
  method: "POST",
  headers: { "X-Sandbox-Control": "1", "Content-Type": "application/json" },
  body: JSON.stringify({ user: account.username }),
});
try {
  await application.acquireTokenSilent({ account, scopes, forceRefresh: true });
} catch (error) {
  console.log(`after the revocation: ${error.name} ${error.errorCode} ${error.errorNo}`);
  if (!(error instanceof InteractionRequiredAuthError)) throw error;
}

function show(how, { accessToken, fromCache, scopes, account }) {
  const { aud, scp, upn } = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
  console.log(`${how}: ${account.username} fromCache=${fromCache} aud=${aud} scp="${scp}" upn=${upn} scopes=${scopes.join(" ")}`);
}
