// Three servers for the widget's tests: a site, a gateway that keeps only connect sessions, and an authority.
// 127.0.0.1 and localhost are different sites to a browser, so this is a cross-site embedding on one machine.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, join } from "node:path";

const TYPES = { js: "text/javascript", wasm: "application/wasm", json: "application/json" };

/** Serves the widget from `folder`; `close()` ends all three. */
export async function stage(folder) {
  const sessions = new Map();
  const authority = await listen("localhost", signIn);
  const gateway = await listen("localhost", (request, response) => gatewayAnswers(request, response, { folder, sessions, authority }));
  const site = await listen("127.0.0.1", (request, response) => sitePage(request, response, gateway, sessions));
  return {
    sessions,
    site: site.url,
    gateway: gateway.url,
    session(token, options = {}) {
      const session = { token, status: { status: "pending", connect_session: `cs_${token}` }, waiting: new Set(), asked: [], ...options };
      sessions.set(token, session);
      return session;
    },
    close() {
      for (const server of [site, gateway, authority]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** Changes a session's status and answers whoever is polling. */
export function become(session, status) {
  session.status = { connect_session: `cs_${session.token}`, ...status };
  for (const answer of session.waiting) answer();
  session.waiting.clear();
}

async function listen(host, handler) {
  const server = createServer((request, response) => {
    Promise.resolve(handler(request, response)).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.url = `http://${host}:${server.address().port}`;
  return server;
}

/** The embedding page. Its query says which headers it sends and which attributes the widget has. */
function sitePage(request, response, gateway, sessions) {
  const url = new URL(request.url, "http://site");
  const options = url.searchParams;
  if (url.pathname === "/page.js") return send(response, "text/javascript", PAGE_SCRIPT);
  if (url.pathname === "/api/connect-session") {
    const session = sessions.get(options.get("token"));
    return setTimeout(() => send(response, "application/json", JSON.stringify({ connect_url: `${gateway.url}/connect/${session.token}` })), 700);
  }
  const wasm = options.has("no-wasm") ? "" : "'wasm-unsafe-eval'";
  response.setHeader("content-security-policy",
    `default-src 'none'; script-src 'self' ${gateway.url} ${wasm}; connect-src 'self' ${gateway.url}; base-uri 'none'; require-trusted-types-for 'script'`);
  if (options.get("coop")) response.setHeader("cross-origin-opener-policy", options.get("coop"));
  const token = options.get("token");
  const attributes = options.has("session-url") ? `session-url="/api/connect-session?token=${token}"` : `client-token="${token}"`;
  send(response, "text/html", `<!doctype html><html lang="${options.get("lang") ?? "en"}"><title>site</title>
    <script src="/page.js"></script><script type="module" src="${gateway.url}/widget/v1/mailgrant.js"></script>
    <form><mailgrant-connect name="mailbox" ${attributes} flow="${options.get("flow") ?? "auto"}" ${options.has("start") ? "data-start" : ""}>
    <a href="${gateway.url}/connect/${token}">Plain link</a></mailgrant-connect></form>`);
}

const PAGE_SCRIPT = `
  window.seen = [];
  for (const name of ["start", "success", "exit", "error", "event"]) {
    document.addEventListener("mailgrant-" + name, (event) => seen.push([name, event.detail]));
  }
  document.addEventListener("securitypolicyviolation", (event) => seen.push(["violation", event.violatedDirective]));
  addEventListener("load", () => setTimeout(() => document.querySelector("[data-start]")?.start(), 300));
`;

async function gatewayAnswers(request, response, { folder, sessions, authority }) {
  const url = new URL(request.url, "http://gateway");
  const [, first, token, last] = url.pathname.split("/");
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-allow-methods", "GET, DELETE");
  if (request.method === "OPTIONS") return response.writeHead(204).end();
  if (first === "widget") {
    const name = basename(url.pathname);
    const file = await readFile(join(folder, name)).catch(() => null);
    return file ? send(response, TYPES[name.split(".").at(-1)], file) : response.writeHead(404).end();
  }
  const session = sessions.get(token ?? url.searchParams.get("state"));
  if (!session) return response.writeHead(404).end();
  if (first === "callback") return callback(response, session);
  session.asked.push(`${request.method} ${last ?? ""}`.trim());
  if (request.method === "DELETE") return giveUp(response, session);
  if (last === "status") return status(response, session, Number(url.searchParams.get("wait")));
  const query = new URLSearchParams({ state: token, back: `http://${request.headers.host}/callback`, coop: session.coop ?? "", late: session.late ?? "" });
  response.writeHead(302, { location: `${authority.url}/?${query}` }).end();
}

function status(response, session, wait) {
  if (session.faults > 0) {
    session.faults -= 1;
    return response.writeHead(503).end();
  }
  const answer = () => {
    clearTimeout(timer);
    session.waiting.delete(answer);
    send(response, "application/json", JSON.stringify(session.status));
  };
  const timer = setTimeout(answer, session.status.status === "pending" ? wait * 1000 : 0);
  session.waiting.add(answer);
}

function giveUp(response, session) {
  if (session.finishing) {
    setTimeout(() => become(session, { status: "connected", account_id: "acc_1" }), 400);
    return send(response, "application/json", JSON.stringify({ status: "finishing" }));
  }
  session.status = { status: "failed", diagnosis: { code: "cancelled" } };
  send(response, "application/json", JSON.stringify({ status: "given_up" }));
}

function callback(response, session) {
  become(session, { status: "connected", account_id: "acc_1" });
  const back = session.back ? `location.replace(${JSON.stringify(session.back)})` : "opener?.postMessage({source: 'mailgrant'}, '*'); close()";
  send(response, "text/html", `<!doctype html><title>connected</title><script>${back}</script>`);
}

/** The authority: a page with a link that finishes, and one to a second page that cuts the opener off. */
function signIn(request, response) {
  const url = new URL(request.url, "http://authority");
  const options = url.searchParams;
  if (options.get("coop")) response.setHeader("cross-origin-opener-policy", options.get("coop"));
  const late = options.get("late");
  const next = new URLSearchParams({ state: options.get("state"), back: options.get("back"), coop: late ?? "" });
  send(response, "text/html", `<!doctype html><title>authority</title>
    <a id="finish" href="${options.get("back")}?state=${options.get("state")}">Finish</a> <a id="next" href="/?${next}">Next</a>`);
}

function send(response, type, body) {
  // With any parameter, WebAssembly is not compiled as it streams in.
  response.setHeader("content-type", type === "application/wasm" ? type : `${type}; charset=utf-8`);
  response.end(body);
}
