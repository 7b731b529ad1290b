// A certified OpenID Provider (npm oidc-provider) as the authority, with what a test has to see and to stage.
//
// Standard input: one JSON object {redirectUris, accessTokenSeconds, format: "jwt"|"opaque", keys: DIR,
// authentication: {method, certificate: FILE}, serviceAccount: {email, certificate: FILE, domain}}.
// Standard output: one line {issuer, secret} when it answers. Whoever login_hint names signs in and consents at once.
// Control (loopback only): GET /_counts, GET /_secrets, POST /_down {down, status}, POST /_nonce {forged},
// POST /_revoke {account}.
import fs from "node:fs";
import http from "node:http";
import { X509Certificate, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import Provider, { interactionPolicy } from "oidc-provider";

const options = JSON.parse(fs.readFileSync(0, "utf8"));
const RESOURCE = "https://outlook.office365.com";
const MAIL = "mail.imap";
const CONTROL = new Map();
let handler = (request, response) => response.end();
const server = http.createServer((request, response) => handler(request, response));
await new Promise((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
const issuer = `http://localhost:${server.address().port}`;

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
if (options.keys) {
  fs.writeFileSync(`${options.keys}/k1`, publicKey.export({ type: "spki", format: "pem" }));
}
const key = { ...privateKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" };
const secret = randomBytes(24).toString("base64url");
const { method = "client_secret_post", certificate } = options.authentication ?? {};
const authentication = { token_endpoint_auth_method: method };
if (certificate) {
  const { publicKey: known } = new X509Certificate(fs.readFileSync(certificate));
  authentication.jwks = { keys: [{ ...known.export({ format: "jwk" }), use: "sig" }] };
} else {
  authentication.client_secret = secret;
}
const grants = new Map();
const counts = {};
let down = 0;
let forgedNonce;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "gateway",
      ...authentication,
      application_type: "native",
      redirect_uris: options.redirectUris,
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      scope: `openid offline_access email profile ${MAIL}`,
    },
    {
      client_id: "daemon",
      ...authentication,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      scope: MAIL,
    },
    {
      client_id: "dovecot",
      client_secret: "dovecot-secret",
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: [],
      redirect_uris: [],
      response_types: [],
    },
  ],
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  pkce: { required: () => true },
  scopes: ["openid", "offline_access", "email", "profile", MAIL],
  claims: { openid: ["sub"], email: ["email"], profile: ["preferred_username", "name"] },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, preferred_username: id, name: id.split("@")[0] }),
  }),
  extraTokenClaims: (context, token) => ({
    email: token.accountId ?? "shared@corp.test",
    upn: token.accountId,
    ...(token.accountId ? {} : { sub: token.clientId }),
  }),
  // Dovecot 2.3 reads only tokens of this type.
  formats: {
    customizers: {
      jwt: (context, token, parts) => {
        parts.header = { ...parts.header, typ: "JWT" };
        return parts;
      },
    },
  },
  rotateRefreshToken: true,
  issueRefreshToken: (context, client) => client.grantTypeAllowed("refresh_token"),
  ttl: {
    AccessToken: options.accessTokenSeconds,
    AuthorizationCode: 60,
    ClientCredentials: options.accessTokenSeconds,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 86400,
    Session: 86400,
  },
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (context, client, oneOf) => oneOf?.[0] ?? RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: (context, resource) => ({
        scope: MAIL,
        audience: resource,
        accessTokenFormat: options.format,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  interactions: { policy: interactionPolicy.base(), url: (context, interaction) => `/auto/${interaction.uid}` },
  renderError: (context, out) => {
    context.type = "json";
    context.body = out;
  },
});

provider.on("refresh_token.saved", (token) => grants.set(token.accountId, token.grantId));
provider.on("grant.success", (context) => count(context, "success"));
provider.on("grant.error", (context) => count(context, "error"));
function count(context, outcome) {
  const name = `${context.oidc.params?.grant_type ?? "?"}:${outcome}`;
  counts[name] = (counts[name] ?? 0) + 1;
}

provider.use(async (context, next) => {
  if (!context.path.startsWith("/auto/")) return next();
  const { prompt, params, session, grantId } = await provider.interactionDetails(context.req, context.res);
  const finish = (result, merge) =>
    provider.interactionFinished(context.req, context.res, result, { mergeWithLastSubmission: merge });
  if (params.login_hint === "deny@corp.test") return finish({ error: "access_denied" }, false);
  if (prompt.name === "login") return finish({ login: { accountId: params.login_hint || "alice@corp.test" } }, false);
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(" "));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  return finish({ consent: { grantId: await grant.save() } }, true);
});

CONTROL.set("GET /_counts", () => counts);
// Everything issued or shown to the token endpoint that must never turn up anywhere else.
const secrets = new Set([secret]);
CONTROL.set("GET /_secrets", () => [...secrets]);
provider.use(async (context, next) => {
  await next();
  const { code, code_verifier: verifier } = context.oidc?.params ?? {};
  const { access_token: access, refresh_token: refresh, id_token: identity } = context.body ?? {};
  const issued = new URL(context.response.get("location") || "/", issuer).searchParams.get("code");
  for (const value of [code, verifier, access, refresh, identity, issued]) if (value) secrets.add(value);
});
CONTROL.set("POST /_down", (body) => {
  down = body.down ? (body.status ?? 503) : 0;
  return {};
});
CONTROL.set("POST /_nonce", (body) => {
  forgedNonce = body.forged;
  return {};
});
CONTROL.set("POST /_revoke", async (body) => {
  const grantId = grants.get(body.account);
  await provider.RefreshToken.adapter.revokeByGrantId(grantId);
  return { revoked: grantId !== undefined };
});

// What oidc-provider has not: Google's service accounts (RFC 7523 section 2.1). The assertion is believed or refused here,
// in Google's words; the token is like the others.
CONTROL.set("POST /service-account/token", (body, response) => {
  const form = new URLSearchParams(body);
  const [head, claims, signature] = (form.get("assertion") ?? "").split(".");
  const read = (part) => JSON.parse(Buffer.from(part ?? "", "base64url"));
  const refuse = (error, error_description) => {
    count({ oidc: { params: { grant_type: "service_account" } } }, error);
    response.statusCode = error === "unauthorized_client" ? 401 : 400;
    return { error, error_description };
  };
  if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return refuse("unsupported_grant_type");
  const { email, certificate, domain } = options.serviceAccount;
  const { publicKey: known } = new X509Certificate(fs.readFileSync(certificate));
  const bytes = Buffer.from(signature ?? "", "base64url");
  if (read(head).alg !== "RS256" || !verify("sha256", Buffer.from(`${head}.${claims}`), known, bytes)) {
    return refuse("invalid_grant", "Invalid JWT Signature.");
  }
  const { iss, sub, aud, scope, iat, exp } = read(claims);
  const now = Math.floor(Date.now() / 1000);
  if (iss !== email || aud !== `${issuer}/service-account/token`) return refuse("invalid_grant", "Invalid JWT: iss or aud");
  if (!(iat <= now && now < exp && exp - iat <= 3600)) return refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token");
  if (!sub?.endsWith(`@${domain}`) || scope !== "https://mail.google.com/") {
    return refuse("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.");
  }
  count({ oidc: { params: { grant_type: "service_account" } } }, "success");
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = { iss: issuer, aud: RESOURCE, sub, email: sub, upn: sub, scope: MAIL, iat: now, exp: now + options.accessTokenSeconds };
  const message = `${encode({ alg: "RS256", typ: "JWT", kid: "k1" })}.${encode(token)}`;
  const access_token = `${message}.${sign("sha256", Buffer.from(message), privateKey).toString("base64url")}`;
  secrets.add(access_token);
  return { access_token, expires_in: options.accessTokenSeconds, token_type: "Bearer" };
});

const callback = provider.callback();
handler = async (request, response) => {
  const control = CONTROL.get(`${request.method} ${request.url}`);
  if (control) {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.setHeader("content-type", "application/json");
    const sent = body.startsWith("{") ? JSON.parse(body) : body;
    return response.end(JSON.stringify(await control(sent, response)));
  }
  if (down) {
    counts.refused_while_down = (counts.refused_while_down ?? 0) + 1;
    response.statusCode = down;
    response.setHeader("content-type", "text/html");
    return response.end("<html>Service Unavailable</html>");
  }
  if (forgedNonce) request.url = request.url.replace(/([?&]nonce=)[^&]*/, `$1${forgedNonce}`);
  return callback(request, response);
};
console.log(JSON.stringify({ issuer, secret }));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
