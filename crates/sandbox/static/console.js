// The live half of the sandbox's page. Everything is there without it; this keeps it fresh and works the switches.
const token = document.querySelector("meta[name=sandbox-page]").content;
const $ = (id) => document.getElementById(id);
/** Rows kept in the page. */
const MOST = 300;
/** What changes more than the list of requests. */
const CHANGES = new Set(["control", "consent", "admin_consent", "device_approval", "smtp_send"]);

document.documentElement.dataset.script = "on";
$("filter").hidden = false;
document.addEventListener("click", clicked);
document.addEventListener("submit", submitted);
$("filter").addEventListener("input", filter);
setInterval(tick, 1000);
watch();

/** Keeps asking for what came after the last request seen. The first question is answered at once: that tells whether it is live. */
async function watch() {
  let last = Number($("entries").dataset.last);
  for (let [failures, wait] = [0, 0]; ; ) {
    const answer = await call("GET", `/control/requests?after=${last}&wait=${wait}`).catch(() => null);
    if (answer?.status === 403) return live(false, "Reload this page: the sandbox was started anew");
    if (!answer?.ok) {
      live(false, "No connection to the sandbox");
      wait = 0;
      await new Promise((go) => setTimeout(go, Math.min(1000 * 2 ** failures++, 15_000)));
      continue;
    }
    failures = 0;
    wait = 25;
    live(true, "Live");
    const { requests, last: newest, oldest } = await answer.json();
    last = newest;
    show(requests, oldest);
    if (requests.some(({ kind }) => CHANGES.has(kind))) await refresh();
  }
}

/** Puts new requests on top and drops those that the sandbox has forgotten. */
function show(requests, oldest) {
  const list = $("entries");
  for (const request of requests) list.prepend(row(request));
  for (const old of [...list.children].filter((entry, at) => at >= MOST || Number(entry.dataset.id) < oldest)) old.remove();
  filter();
  if (requests.length === 0) return;
  const refused = requests.filter(({ outcome }) => outcome !== "ok").length;
  $("news").textContent = `${requests.length} new ${requests.length === 1 ? "request" : "requests"}${refused ? `, ${refused} refused` : ""}`;
}

function row({ id, at, kind, outcome, code, user = "", client_id = "", explanation }) {
  const entry = $("entry").content.firstElementChild.cloneNode(true);
  const set = (selector, text) => {
    const part = entry.querySelector(selector);
    part.textContent = text ?? "";
    return part;
  };
  Object.assign(entry.dataset, { id, kind, class: { ok: "ok", fault: "fault" }[outcome] ?? "refused", text: `${user} ${client_id}` });
  if (/^(imap|smtp|pop3)/.test(kind)) entry.dataset.mail = "";
  entry.dataset.new = "";
  const today = moment($("now").dataset.now).split(" ")[0];
  set("time", moment(at).replace(`${today} `, ""));
  set(".kind", kind);
  set(".asked", explanation.asked);
  set(".decided", explanation.decided);
  const number = set(".number", `AADSTS${code}`);
  number.hidden = !code;
  number.href = `/error?code=${code}`;
  set(".why span", explanation.why).parentElement.hidden = !explanation.why;
  set(".next span", explanation.next).parentElement.hidden = !explanation.next;
  entry.querySelector(".reason").hidden = !explanation.why && !explanation.next;
  return entry;
}

/** Hides what the filter does not ask for. */
function filter() {
  const wanted = new FormData($("filter"));
  const text = wanted.get("text").trim().toLowerCase();
  let shown = 0;
  for (const entry of $("entries").children) {
    const fits = (name) => !wanted.get(name) || entry.dataset[name] === wanted.get(name);
    entry.hidden = !fits("class") || !fits("kind") || !entry.dataset.text.toLowerCase().includes(text);
    if (!entry.hidden) shown += 1;
  }
  $("empty").hidden = shown > 0;
  $("empty").textContent = $("entries").children.length ? "No request here is like that." : $("empty").dataset.text;
}
$("empty").dataset.text = $("empty").textContent;

async function clicked(event) {
  const button = event.target.closest("button");
  if (button?.dataset.copy !== undefined) return copy(button);
  if (button?.dataset.path && button.type !== "submit") await change(button, button.dataset.body);
}

/** A form with `data-path` is a call too: its fields are the body. */
async function submitted(event) {
  const form = event.target;
  event.preventDefault();
  if (!form.dataset.path) return;
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (await change(form, JSON.stringify(fields))) {
    $("news").textContent = "Delivered";
    form.reset();
  }
}

/** Makes the call of a switch, tells what went wrong, and shows how a program does the same. */
async function change(source, body) {
  const { method = "POST", path } = source.dataset;
  source.setAttribute("aria-busy", "true");
  const answer = await call(method, path, body).catch(() => null);
  source.removeAttribute("aria-busy");
  const problem = $("problem");
  problem.hidden = Boolean(answer?.ok);
  if (!answer?.ok) {
    const told = await answer?.json().catch(() => null);
    problem.textContent = told?.error ?? "The sandbox did not answer.";
    problem.focus();
    return false;
  }
  same(method, path, body);
  if (path !== "/control/requests") await refresh();
  return true;
}

function call(method, path, body) {
  const headers = { "X-Sandbox-Control": "1", "X-Sandbox-Page": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(path, { method, headers, body, cache: "no-store" });
}

function same(method, path, body) {
  const quoted = body === undefined ? "" : ` \\\n  -H 'Content-Type: application/json' -d '${body.replaceAll("'", "'\\''")}'`;
  const text = `curl -X ${method} -H 'X-Sandbox-Control: 1'${quoted} \\\n  ${location.origin}${path}`;
  $("same-text").textContent = text;
  $("same-copy").dataset.copy = text;
  $("same").hidden = false;
}

/** Fetches the page anew and puts its parts in place of the old ones; what is open stays open, and the focus stays. */
async function refresh() {
  const answer = await fetch("/", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.dataset.seen) continue;
    const seen = next.innerHTML;
    const opened = new Set([...part.querySelectorAll("details[open]")].map(({ id }) => id));
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceChildren(...document.importNode(next, true).childNodes);
    part.dataset.seen = seen;
    for (const details of part.querySelectorAll("details")) if (opened.has(details.id)) details.open = true;
    if (focused) focus($(focused), part);
  }
}

/** Back to where the person was, or near it when that button can no longer be pressed. */
function focus(element, part) {
  if (element && !element.disabled) return element.focus();
  part.querySelector("button:not([disabled]), a[href]")?.focus();
}

async function copy(button) {
  const done = await navigator.clipboard.writeText(button.dataset.copy).then(() => true, () => false);
  button.textContent = done ? "Copied" : "Select it";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

function live(on, text) {
  $("live").hidden = false;
  $("live").dataset.on = on;
  if ($("live").textContent !== text) $("live").textContent = text;
}

function tick() {
  const clock = $("now");
  clock.dataset.now = Number(clock.dataset.now) + 1;
  clock.textContent = moment(clock.dataset.now);
}

/** 2026-11-22 07:10:23 */
function moment(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}
