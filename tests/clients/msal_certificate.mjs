// Client credentials with a certificate instead of a secret: named by its SHA-256 thumbprint, then by its SHA-1.
//   NODE_EXTRA_CA_CERTS=…/ca.pem node msal_certificate.mjs
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";

const sandbox = JSON.parse(readFileSync("sandbox.json"));
const registered = sandbox.applications.find(({ flow }) => flow === "app_only");

// At Entra: App registrations → Certificates & secrets → Upload certificate.
const make = (name) => {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", `/CN=${name}`, "-days", "30", ...files], { stdio: "ignore" });
  const pem = readFileSync(`${name}.pem`, "utf8");
  const { fingerprint, fingerprint256 } = new X509Certificate(pem);
  const hex = (text) => text.replaceAll(":", "");
  return { pem, privateKey: readFileSync(`${name}.key`, "utf8"), sha1: hex(fingerprint), sha256: hex(fingerprint256) };
};
const certificate = make("reader");
const uploaded = await fetch(`${sandbox.control}/directory/applications/${registered.client_id}`, {
  method: "PATCH",
  headers: { "X-Sandbox-Control": "1", "Content-Type": "application/json" },
  body: JSON.stringify({ certificates: [{ pem: certificate.pem }] }),
});
console.log(`uploaded: ${uploaded.status}`);

const token = (clientCertificate) => new ConfidentialClientApplication({
  auth: {
    clientId: registered.client_id,
    clientCertificate,
    authority: `${sandbox.authority_tls}/${sandbox.tenant}`,
    knownAuthorities: [new URL(sandbox.authority_tls).host],
  },
}).acquireTokenByClientCredential({ scopes: ["https://outlook.office365.com/.default"] });
const show = (how, { accessToken }) => {
  const { appid, appidacr, roles } = JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url"));
  console.log(`${how}: ${appid} appidacr=${appidacr} roles ${roles.join(" ")}`);
};

const { privateKey } = certificate;
show("SHA-256", await token({ thumbprintSha256: certificate.sha256, privateKey }));
show("SHA-1", await token({ thumbprint: certificate.sha1, privateKey }));
try {
  const other = make("stranger");
  await token({ thumbprintSha256: other.sha256, privateKey: other.privateKey });
} catch (error) {
  console.log(`${error.name} ${error.errorCode} ${error.errorNo}: ${error.errorMessage.split("\r\n")[0]}`);
}
