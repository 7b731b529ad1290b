// An application's mailbox in imapflow: list, search, read; append, flag, move; a message
// arrives meanwhile, and the token ends.
//   NODE_EXTRA_CA_CERTS=…/ca.pem node imapflow.mjs [starttls]
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { ImapFlow } from "imapflow";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const starttls = process.argv[2] === "starttls";
const mailbox = sandbox.users[0].address;
const registered = sandbox.applications.find(({ flow }) => flow === "app_only");
const { accessToken } = await new ConfidentialClientApplication({
  auth: {
    clientId: registered.client_id,
    clientSecret: registered.client_secret,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`,
    knownAuthorities: [new URL(sandbox.authority_tls).host],
  },
}).acquireTokenByClientCredential({ scopes: ["https://outlook.office365.com/.default"] });

const connect = async (accessToken) => {
  const { host, port, starttls_port } = sandbox.imap;
  const where = starttls ? { port: starttls_port, secure: false, doSTARTTLS: true } : { port, secure: true };
  const client = new ImapFlow({ host, ...where, auth: { user: mailbox, accessToken }, logger: false });
  await client.connect();
  return client;
};

const control = (path, body) => fetch(`${sandbox.control}/${path}`, {
  method: "POST",
  headers: { "X-Sandbox-Control": "1", "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

const client = await connect(accessToken);
console.log(`signed in, TLS ${client.secureConnection}, ${[...client.capabilities.keys()].join(" ")}`);
for (const { path, specialUse } of await client.list()) console.log(`folder ${path} ${specialUse ?? ""}`);

let lock = await client.getMailboxLock("INBOX");
const { exists, uidValidity } = client.mailbox;
console.log(`INBOX: ${exists} messages, uidvalidity ${uidValidity}`);
for await (const { uid, envelope, flags, bodyStructure } of client.fetch("1:3", { uid: true, envelope: true, flags: true, bodyStructure: true })) {
  console.log(`${uid} ${envelope.from[0].address}: ${envelope.subject} (${bodyStructure.type}) ${[...flags].join(" ")}`);
}
const unseen = await client.search({ seen: false }, { uid: true });
console.log(`${unseen.length} unseen`);
const { meta, content } = await client.download("1");
let bytes = 0;
for await (const chunk of content) bytes += chunk.length;
console.log(`downloaded ${bytes} of ${meta.expectedSize} bytes`);

// A message arrives while the connection idles.
const arrived = new Promise((resolve) => client.once("exists", resolve));
const idling = client.idle();
await control("deliver", { mailbox, from: "shop@example.test", subject: "While you were waiting", text: "Hello." });
const { count, prevCount } = await arrived;
console.log(`heard while idle: ${prevCount} -> ${count}`);
await client.noop();
await idling;

const message = `From: shop@example.test\r\nTo: ${mailbox}\r\nSubject: Kept by hand\r\n\r\nHello.\r\n`;
const appended = await client.append("INBOX", message, ["\\Flagged"]);
const [found] = await client.search({ subject: "Kept by hand" }, { uid: true });
console.log(`found uid ${found}, appended uid ${appended.uid}`);
await client.messageFlagsAdd(found, ["\\Seen"], { uid: true });
const { flags } = await client.fetchOne(found, { flags: true }, { uid: true });
console.log(`flags ${[...flags].sort().join(" ")}`);
await client.mailboxCreate("Orders/2026");
const moved = await client.messageMove(found, "Orders/2026", { uid: true });
console.log(`moved to ${moved.destination} uid ${[...moved.uidMap.values()].join()}`);
lock.release();
lock = await client.getMailboxLock("Orders/2026");
console.log(`Orders/2026: ${client.mailbox.exists} message`);
await client.messageDelete("1:*");
lock.release();
await client.mailboxDelete("Orders/2026");

// An hour later the token has ended, and the server ends the connection.
const closed = new Promise((resolve) => client.once("close", resolve));
client.idle().catch(() => {});
await control("clock", { advance_seconds: 3600 });
await closed;
console.log(`closed with the token: usable=${client.usable}`);

try {
  await connect("not-a-token");
} catch (error) {
  console.log(`refused: authenticationFailed=${error.authenticationFailed} ${error.response}`);
}
process.exit(0); // the refused connection would keep the program alive
