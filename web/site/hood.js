// "Under the hood": what this page asked, and what the backend asks the gateway for it, to try with curl.
import { calls } from "./api.js";
import { byId, h } from "./dom.js";

const KEPT = 40;
const UNKNOWN = "$ACCOUNT";
let gateway = "$GATEWAY";
let account = UNKNOWN;

export function begin(gatewayUrl) {
  gateway = gatewayUrl;
  const toggle = byId("hood-toggle");
  toggle.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    byId("hood-body").hidden = !open;
  });
  calls.addEventListener("call", ({ detail }) => show(detail));
}

export function setAccount(id) {
  account = id ?? UNKNOWN;
}

function show({ method, path, status, milliseconds }) {
  const upstream = behind(method, path);
  if (!upstream) return;
  byId("hood-last").textContent = `${upstream.method} ${upstream.path} · ${status || "no answer"} · ${milliseconds} ms`;
  const curl = command(upstream);
  const copy = h("button", { type: "button", class: "quiet" }, "Copy");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(curl);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Select it by hand";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1600);
  });
  const line = h("li", {},
    h("p", { class: "call" },
      h("span", { class: "status", "data-class": String(status)[0] }, String(status || "–")),
      h("code", {}, `${method} ${path}`),
      h("span", { class: "time" }, `${milliseconds} ms`)),
    h("div", { class: "curl" }, h("pre", { tabindex: "0" }, h("code", {}, curl)), copy));
  const list = byId("hood-calls");
  list.prepend(line);
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

/** The gateway request that stands behind a request of this page. */
function behind(method, path) {
  const [route, query] = path.split("?");
  const full = (suffix) => ({ method, path: suffix + (query ? `?${query}` : "") });
  if (route.startsWith("/api/connect-session/")) return full(route.replace("/api/connect-session/", "/v1/connect-sessions/"));
  if (route === "/api/account" && account !== UNKNOWN) return full(`/v1/accounts/${account}`);
  if (route === "/api/disconnect") return { method: "DELETE", path: `/v1/accounts/${account}` };
  if (route === "/api/mailboxes" || route.startsWith("/api/emails")) return full(route.replace("/api", `/v1/accounts/${account}`));
  return null;
}

function command({ method, path }) {
  const verb = method === "GET" ? "" : ` -X ${method}`;
  return `curl${verb} -H "Authorization: Bearer $MAILGRANT_KEY" \\\n  '${gateway}${path}'`;
}
