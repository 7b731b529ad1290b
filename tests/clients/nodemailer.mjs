// Sends mail from an application's mailbox with nodemailer and reads what arrived; then tries as somebody it may not
// be, and with a bad token.
//   NODE_EXTRA_CA_CERTS=…/ca.pem node nodemailer.mjs
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const user = "support@tarnbrook.test";
const registered = sandbox.applications.find(({ flow }) => flow === "app_only");
const { accessToken } = await new ConfidentialClientApplication({
  auth: {
    clientId: registered.client_id,
    clientSecret: registered.client_secret,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`,
    knownAuthorities: [new URL(sandbox.authority_tls).host],
  },
}).acquireTokenByClientCredential({ scopes: ["https://outlook.office365.com/.default"] });

const { host, port } = sandbox.smtp;
const transport = (accessToken) => nodemailer.createTransport({
  host, port, requireTLS: true, auth: { type: "OAuth2", user, accessToken },
});
const message = {
  from: { name: "Tarnbrook Support", address: user },
  to: ["ada.finch@tarnbrook.test", "customer@elsewhere.example"],
  subject: "Ihre Bestellung: größer als ein ü",
  text: "Dear customer,\n\n.a line that begins with a dot\n",
  attachments: [{ filename: "order.csv", content: "article,count\nwidget,3\n" }],
};

const sent = await transport(accessToken).sendMail(message);
console.log(`sent to ${sent.accepted.join(" and ")}: ${sent.response}`);
for (const [mailbox, folder] of [["ada.finch@tarnbrook.test", "INBOX"], [user, "Sent Items"]]) {
  const auth = { user: mailbox, accessToken };
  const imap = new ImapFlow({ host, port: sandbox.imap.port, secure: true, auth, logger: false });
  await imap.connect();
  await imap.mailboxOpen(folder);
  const { envelope } = await imap.fetchOne("*", { envelope: true });
  let text = "";
  for await (const chunk of (await imap.download("*", "1")).content) text += chunk;
  console.log(`${folder} of ${mailbox}: ${envelope.subject} ${JSON.stringify(text)}`);
  await imap.logout();
}

const attempts = {
  "as another": () => transport(accessToken).sendMail({ ...message, from: "ada.finch@tarnbrook.test" }),
  "with a bad token": () => transport("not-a-token").sendMail(message),
};
for (const [how, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    console.log(`${how}: sent`);
  } catch (error) {
    console.log(`${how}: ${error.code} ${error.responseCode} ${error.response}`);
  }
}
