// This site's own backend. It holds the API key and passes the gateway's answers on unchanged.

/** An RFC 9457 problem, or what comes nearest to one. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? body?.title ?? "The request failed.");
    this.status = status;
    this.title = body?.title ?? (status ? `HTTP ${status}` : "No connection");
    this.detail = body?.detail ?? (status ? "The server gave no reason." : "The server could not be reached.");
    this.code = body?.code ?? (status ? String(status) : "unreachable");
    this.diagnosis = body?.diagnosis ?? null;
  }
}

/** Tells of every call as it ends: an event `call` with {method, path, status, milliseconds}. */
export const calls = new EventTarget();

export const connectSession = (id) => call("GET", `/api/connect-session/${encodeURIComponent(id)}`);
export const account = () => call("GET", "/api/account");
export const demo = () => call("GET", "/api/demo");
export const disconnect = () => call("POST", "/api/disconnect");
export const mailboxes = (signal) => call("GET", "/api/mailboxes?counts=true", signal);
export const email = (id, signal) => call("GET", emailPath(id), signal);
export const emails = (query, signal) => {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return call("GET", `/api/emails?${parameters}`, signal);
};
export const emailPath = (id) => `/api/emails/${encodeURIComponent(id)}`;
export const attachmentPath = (id, part) => `${emailPath(id)}/attachments/${encodeURIComponent(part)}`;

async function call(method, path, signal) {
  const began = performance.now();
  const tell = (status) => {
    const milliseconds = Math.round(performance.now() - began);
    calls.dispatchEvent(new CustomEvent("call", { detail: { method, path, status, milliseconds } }));
  };
  let response;
  try {
    response = await fetch(path, { method, signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell(0);
    throw new Problem(0);
  }
  tell(response.status);
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}
