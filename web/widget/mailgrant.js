/*
 * <mailgrant-connect>: the button that connects a mailbox.
 *
 * This module draws the button and opens the sign-in window in the click's own task; everything after that is done in
 * WebAssembly (crates/widget), which is fetched when it is about to be needed. Nothing here needs more than
 *   Content-Security-Policy: script-src GATEWAY 'wasm-unsafe-eval'; connect-src GATEWAY
 * and Trusted Types may be required: no markup is ever parsed from a string.
 */

export class MailgrantConnect extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ["client-token", "connect-url", "gateway", "session-url", "label", "lang", "disabled"];

  #internals = this.attachInternals();
  #parts;
  /** The running attempt: {popup, connectUrl, attempt} */
  #run = null;
  /** {connect_url, expires} fetched from session-url */
  #given = null;
  /** The fetch that will give it */
  #giving = null;
  /** The connect URL whose session has ended */
  #used = null;
  #value = "";

  constructor() {
    super();
    this.#parts = draw(this.attachShadow({ mode: "open", delegatesFocus: true }));
    const { button, cancel, reopen } = this.#parts;
    button.addEventListener("click", (event) => (this.#run ? this.#reopen() : this.#start(event)));
    cancel.addEventListener("click", () => this.cancel());
    reopen.addEventListener("click", () => this.#reopen());
    for (const intent of ["pointerenter", "focusin", "pointerdown"]) {
      this.addEventListener(intent, () => this.#prepare().catch(() => {}));
    }
  }

  connectedCallback() {
    this.#label();
    this.#enable();
    const returned = this.#takeReturned();
    if (returned) this.#attempt(null, returned);
    else if (!navigator.connection?.saveData) whenIdle(() => this.isConnected && load().catch((error) => this.#fallBack(error)));
  }

  disconnectedCallback() {
    // A framework that merely moves the element puts it back in the same task.
    queueMicrotask(() => {
      if (this.isConnected || !this.#run) return;
      this.#run.attempt?.stop();
      this.#run = null;
    });
  }

  attributeChangedCallback(name) {
    if (name === "client-token" || name === "connect-url") this.#given = null;
    this.#label();
    this.#enable();
  }

  formDisabledCallback() {
    this.#enable();
  }

  formResetCallback() {
    this.#setValue("");
  }

  /** The id of the connected session, also submitted with a form under this element's name. */
  get value() {
    return this.#value;
  }

  /** Where the sign-in begins, as far as it is known already. */
  get connectUrl() {
    const token = this.getAttribute("client-token");
    const gateway = (this.getAttribute("gateway") ?? HOME).replace(/\/+$/, "");
    const url = this.getAttribute("connect-url") ?? (token ? `${gateway}/connect/${encodeURIComponent(token)}` : null);
    if (!url) return this.#given && this.#given.expires > Date.now() ? this.#given.connect_url : null;
    return webAddress(url);
  }

  /** Begins, as the click does. Call it from a click of your own: browsers block windows opened at other times. */
  start() {
    if (this.#run) this.#reopen();
    else this.#start();
  }

  /** Gives up. The gateway decides whether it is still in time; the terminal event says how it ended. */
  cancel() {
    this.#run?.attempt?.cancel();
  }

  #start() {
    if (this.#off() || !this.#emit("start", { flow: this.#flow }, true)) return;
    // Read only now: the site may have set a fresh token while handling the event.
    const url = this.#fresh;
    if (!url && !this.hasAttribute("session-url")) return;
    if (this.#flow === "redirect") {
      Promise.resolve(url ?? this.#prepare()).then((ready) => this.#go(ready), (error) => this.#failed(error));
      return;
    }
    // In the click's own task: a window opened any later is blocked.
    const popup = window.open(url ?? "about:blank", "mailgrant", placement());
    if (!popup) {
      this.#blocked(url);
      return;
    }
    this.#attempt(popup, url ?? this.#prepare().then((ready) => (popup.location.replace(ready), ready)));
  }

  /** `popup` is the sign-in window; without one the person has come back by navigation. */
  async #attempt(popup, connectUrl) {
    const run = { popup, connectUrl: null, attempt: null };
    this.#run = run;
    this.#render("opening", "");
    this.#parts.button.setAttribute("aria-busy", "true");
    try {
      run.connectUrl = await connectUrl;
    } catch (error) {
      popup?.close();
      if (this.#run === run) this.#failed(error);
      return;
    }
    try {
      const { Attempt } = await load();
      if (this.#run !== run) return;
      const page = {
        show: (view, text, cancel, reopen) => this.#render(view, text, cancel, reopen),
        link: (url, text) => this.#link(url, text),
        tell: (name, value) => this.#emit("event", value == null ? { name } : { name, value }),
        success: (text, connectSession, accountId) => this.#end("success", text, { connectSession, accountId }),
        exit: (text, reason) => this.#end("exit", text, { reason }),
        error: (text, code, title, detail, retry) => this.#end("error", text, { code, title, detail, retry }),
      };
      run.attempt = new Attempt(window, page, run.popup, run.connectUrl, this.#lang);
    } catch (error) {
      if (this.#run === run) this.#withoutEngine(run, error);
    }
  }

  #end(type, text, detail) {
    if (!this.#run) return;
    const url = this.#run.connectUrl;
    this.#run = null;
    // A session that may be tried again keeps its URL.
    if (!detail.retry && url) {
      this.#used = url;
      this.#given = null;
    }
    this.#parts.button.removeAttribute("aria-busy");
    this.#render(type, type === "error" && detail.title ? `${text} ${detail.title}` : text);
    this.#enable();
    if (type === "success") this.#setValue(detail.connectSession ?? "");
    this.#emit(type, detail);
  }

  #failed(error) {
    this.#run ??= {};
    const detail = { code: error.code ?? "no_session", title: "", detail: String(error.message ?? error), retry: true };
    this.#end("error", "", detail);
  }

  #reopen() {
    const run = this.#run;
    if (run?.attempt) run.attempt.reopen(placement());
    // WebAssembly is still on its way.
    else if (run?.popup && !run.popup.closed) run.popup.focus();
    else if (run?.connectUrl) run.popup = window.open(run.connectUrl, "mailgrant", placement());
  }

  #blocked(url) {
    if (this.#flow === "auto") {
      Promise.resolve(url ?? this.#prepare()).then((ready) => this.#go(ready), (error) => this.#failed(error));
    } else {
      this.#run = {};
      this.#end("error", "", { code: "popup_blocked", title: "", detail: "The browser blocked the sign-in window.", retry: true });
    }
  }

  /** On by navigation. The page that comes back picks the thread up again. */
  #go(url) {
    if (!url) return;
    try {
      sessionStorage.setItem(RETURNED, url);
    } catch {
      // Storage may be off; the site's backend still learns the result.
    }
    this.#emit("event", { name: "redirect" });
    location.assign(url);
  }

  #takeReturned() {
    if (this.#run) return null;
    try {
      const url = webAddress(sessionStorage.getItem(RETURNED));
      sessionStorage.removeItem(RETURNED);
      return url;
    } catch {
      return null;
    }
  }

  #withoutEngine(run, error) {
    this.#fallBack(error);
    if (this.#flow === "auto" && run.connectUrl) {
      this.#run = null;
      run.popup?.close();
      location.assign(run.connectUrl);
    } else {
      run.popup?.close();
      this.#end("error", "", { code: "engine_unavailable", title: "", detail: "WebAssembly is not available here.", retry: false });
    }
  }

  /** No WebAssembly here: the plain link does the same by navigation. */
  #fallBack(error) {
    console.warn("mailgrant: the engine did not start; a plain link stands in for the button.", error);
    const { root, button, slot } = this.#parts;
    const link = this.querySelector("a[href]");
    if (link) button.replaceWith(slot);
    else if (this.connectUrl) {
      const plain = make("a", { part: "button", href: this.connectUrl });
      plain.append(...button.childNodes);
      button.replaceWith(plain);
    }
    root.host.toggleAttribute("data-link", true);
  }

  /** Fetches a connect session from the site's own backend, ahead of the click where it can. */
  #prepare() {
    load().catch(() => {});
    const source = this.getAttribute("session-url");
    if (this.#fresh) return Promise.resolve(this.#fresh);
    if (!source) return Promise.reject(Object.assign(new Error("No client-token."), { code: "no_session" }));
    this.#giving ??= fetch(source, { method: "POST", headers: { accept: "application/json" } })
      .then(async (response) => {
        const body = await response.json().catch(() => ({}));
        const url = response.ok && webAddress(body.connect_url);
        if (!url) throw Object.assign(new Error(body.detail ?? `HTTP ${response.status}`), { code: body.code ?? "no_session" });
        this.#given = { connect_url: url, expires: Date.now() + FRESH };
        return url;
      })
      .finally(() => (this.#giving = null));
    this.#giving.catch(() => {}); // told to whoever asked for it, at the click
    return this.#giving;
  }

  /** The connect URL, unless its session has ended. */
  get #fresh() {
    const url = this.connectUrl;
    return url === this.#used ? null : url;
  }

  get #flow() {
    const flow = this.getAttribute("flow");
    return flow === "popup" || flow === "redirect" ? flow : "auto";
  }

  get #lang() {
    return this.closest("[lang]")?.lang || navigator.language || "en";
  }

  #off() {
    return this.hasAttribute("disabled") || this.matches(":disabled");
  }

  #enable() {
    const nothing = !this.#run && !this.#fresh && !this.hasAttribute("session-url");
    this.#parts.button.disabled = this.#off() || nothing;
  }

  #label() {
    const lang = this.#lang.toLowerCase().split(/[-_]/)[0];
    this.#parts.label.textContent = this.getAttribute("label") ?? LABELS[lang] ?? LABELS.en;
    this.#parts.frame.dir = RTL.has(lang) ? "rtl" : "ltr";
  }

  #render(view, text, cancel, reopen) {
    const parts = this.#parts;
    this.dataset.view = view;
    parts.status.textContent = text;
    parts.cancel.textContent = cancel ?? "";
    parts.reopen.textContent = reopen ?? "";
    parts.actions.hidden = !cancel;
    parts.cancel.hidden = view === "stopping" || view === "finishing";
    parts.reopen.hidden = view === "stopping" || view === "finishing" || view === "awaiting-admin";
    if (view !== "awaiting-admin") parts.link.hidden = true;
  }

  #link(url, text) {
    const { link } = this.#parts;
    link.href = url;
    link.textContent = text;
    // Shown with the view it belongs to, which follows.
    queueMicrotask(() => (link.hidden = this.dataset.view !== "awaiting-admin"));
  }

  #setValue(value) {
    this.#value = value;
    this.#internals.setFormValue(value || null);
  }

  #emit(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(`mailgrant-${name}`, { detail, bubbles: true, composed: true, cancelable }));
  }
}

function draw(root) {
  root.adoptedStyleSheets = [sheet()];
  const label = make("span", { part: "label" });
  const button = make("button", { part: "button", type: "button", disabled: "" }, envelope(), label);
  const status = make("span", { part: "status", role: "status" });
  const link = make("a", { part: "link", target: "_blank", rel: "noopener", hidden: "" });
  const cancel = make("button", { part: "action cancel", type: "button" });
  const reopen = make("button", { part: "action reopen", type: "button" });
  const actions = make("span", { part: "actions", hidden: "" }, reopen, cancel);
  const frame = make("div", { part: "frame" }, button, status, link, actions);
  root.append(frame);
  return { root, frame, button, label, status, link, actions, cancel, reopen, slot: make("slot") };
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function envelope() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["part", "icon"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
  path.setAttribute("d", "M3.5 6.5h17v11h-17zl8.5 6.5 8.5-6.5");
  svg.append(path);
  return svg;
}

let loading;
/** The engine: fetched once, and once more after a failure when it is wanted again. */
function load() {
  loading ??= import("./mailgrant_widget.js").then((module) => module.default().then(() => module));
  loading.catch(() => (loading = undefined));
  return loading;
}

function whenIdle(task) {
  if (window.requestIdleCallback) requestIdleCallback(task, { timeout: 4000 });
  else setTimeout(task, 800);
}

/** The address when it is one of the web, whole; never `javascript:` and its like. */
function webAddress(text) {
  try {
    const url = new URL(text || "about:", location.href);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function placement() {
  const [width, height] = [Math.min(520, screen.availWidth), Math.min(720, screen.availHeight)];
  const left = Math.max(0, Math.round(screenX + (outerWidth - width) / 2));
  const top = Math.max(0, Math.round(screenY + (outerHeight - height) / 2));
  return `popup,width=${width},height=${height},left=${left},top=${top}`;
}

/** The gateway that serves this module. */
const HOME = new URL("../..", import.meta.url).href;
const RETURNED = "mailgrant:connect";
const FRESH = 5 * 60_000;
const RTL = new Set(["ar", "he", "fa", "ur"]);
const LABELS = {
  en: "Connect mailbox",
  de: "Postfach verbinden",
  fr: "Connecter la boîte aux lettres",
  es: "Conectar buzón",
  it: "Collega la casella",
  pt: "Ligar caixa de correio",
  nl: "Postvak verbinden",
  pl: "Połącz skrzynkę",
  ja: "メールボックスを接続",
  zh: "连接邮箱",
  ar: "ربط صندوق البريد",
  he: "חיבור תיבת דואר",
};

let style;
function sheet() {
  if (style) return style;
  style = new CSSStyleSheet();
  style.replaceSync(`
:host{display:inline-block;font:var(--mailgrant-font,500 1rem/1.25 system-ui,sans-serif);
--a:var(--mailgrant-accent,#1f5fd6);--b:var(--mailgrant-background,var(--a));--c:var(--mailgrant-color,#fff);--m:var(--mailgrant-muted,#5a6172);--r:var(--mailgrant-radius,.625rem)}
:host([hidden]),[hidden]{display:none!important}
:host([theme=dark]){--a:var(--mailgrant-accent,#8fb5ff);--c:var(--mailgrant-color,#0a1630);--m:var(--mailgrant-muted,#a6adbd)}
@media(prefers-color-scheme:dark){:host(:not([theme=light])){--a:var(--mailgrant-accent,#8fb5ff);--c:var(--mailgrant-color,#0a1630);--m:var(--mailgrant-muted,#a6adbd)}}
[part=frame]{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem .75rem}
[part=button]{display:inline-flex;align-items:center;justify-content:center;gap:.625em;min-height:2.75rem;padding:.5rem 1.125rem;box-sizing:border-box;border:var(--mailgrant-border,1px solid transparent);border-radius:var(--r);background:var(--b);color:var(--c);font:inherit;text-decoration:none;cursor:pointer;transition:filter .15s,transform .15s}
[part=button]:hover{filter:brightness(1.08)}
[part=button]:active{transform:translateY(1px)}
[part=button]:disabled{opacity:.55;cursor:not-allowed;filter:none;transform:none}
:focus-visible{outline:2px solid var(--a);outline-offset:2px}
[part=icon]{width:1.25em;height:1.25em;flex:none;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
[part=button][aria-busy] [part=icon]{animation:p 1.4s ease-in-out infinite}
@keyframes p{50%{opacity:.35}}
[part=status]{color:var(--m);font-size:.875em;font-weight:400}
[part=status]:empty{display:none}
[part=link]{color:var(--a);font-size:.875em}
[part=actions]{display:inline-flex;gap:.5rem}
[part~=action]{min-height:2rem;padding:.125rem .75rem;border:1px solid color-mix(in srgb,var(--m) 45%,transparent);border-radius:var(--r);background:none;color:inherit;font:inherit;font-size:.875em;cursor:pointer}
@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media(forced-colors:active){[part=button]{border:1px solid ButtonText}}`);
  return style;
}

if (!customElements.get("mailgrant-connect")) customElements.define("mailgrant-connect", MailgrantConnect);
