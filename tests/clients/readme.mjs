import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const { client_id, client_secret } = sandbox.applications.find(({ flow }) => flow === "app_only");
const user = "support@tarnbrook.test";

const application = new ConfidentialClientApplication({
  auth: {
    clientId: client_id,
    clientSecret: client_secret,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`, // in earnest: https://login.microsoftonline.com/TENANT
    knownAuthorities: [new URL(sandbox.authority_tls).host], // in earnest: left out
  },
});
const { accessToken } = await application.acquireTokenByClientCredential({
  scopes: ["https://outlook.office365.com/.default"],
});

const imap = new ImapFlow({ host: "localhost", port: sandbox.imap.port, secure: true, auth: { user, accessToken }, logger: false });
await imap.connect();
await imap.mailboxOpen("INBOX");
for await (const { envelope } of imap.fetch("1:3", { envelope: true })) console.log(envelope.subject);
await imap.logout();

const smtp = nodemailer.createTransport({
  host: "localhost", port: sandbox.smtp.port, requireTLS: true, auth: { type: "OAuth2", user, accessToken },
});
const { response } = await smtp.sendMail({ from: user, to: "ada.finch@tarnbrook.test", subject: "Hello", text: "Hello." });
console.log(response);
