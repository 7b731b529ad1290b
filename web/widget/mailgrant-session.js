/*
 * The page's hands for one attempt: fetches, timers and looks at the sign-in window, on behalf of the engine.
 * What they mean is decided in WebAssembly (crates/widget).
 */
import init, { Engine } from "./mailgrant_widget.js";

let started;
/** Resolves when the engine can run; may be tried again after a failure. */
export function ready() {
  started ??= init();
  started.catch(() => (started = undefined));
  return started;
}

export class Driver {
  #run;
  #page;
  #engine;
  #effects = [];
  #timer;
  #request;
  #looks;
  #listen;

  /** `run` holds the connect URL and the window, `page` draws and tells. */
  constructor(run, language, returned, page) {
    this.#run = run;
    this.#page = page;
    // The engine must not be entered again while it runs, so what it wants done is put by until it is out.
    const later = (task) => (...args) => void this.#effects.push(() => task(...args));
    const host = {
      ask: later((...args) => this.#ask(...args)),
      show: later(page.show),
      link: later(page.link),
      tell: later(page.tell),
      close: later(() => run.popup?.close()),
      success: later((text, connectSession, accountId) => this.#end("success", text, { connectSession, accountId })),
      exit: later((text, reason) => this.#end("exit", text, { reason })),
      error: later((text, code, title, detail, retry) => this.#end("error", text, { code, title, detail, retry })),
    };
    this.#listen = new AbortController();
    const { signal } = this.#listen;
    const gateway = new URL(run.connectUrl).origin;
    addEventListener("message", (event) => event.origin === gateway && this.#tell("hinted"), { signal });
    if (!returned) this.#looks = setInterval(() => this.#look(), 250);
    this.#engine = new Engine(host, run.connectUrl, language, returned, performance.now());
    this.#flush();
  }

  cancel() {
    this.#tell("cancelled");
  }

  reopened() {
    this.#looks ??= setInterval(() => this.#look(), 250);
    this.#tell("reopened");
  }

  /** Lets go of everything and reports nothing more. */
  stop() {
    clearTimeout(this.#timer);
    clearInterval(this.#looks);
    this.#request?.abort();
    this.#listen.abort();
    this.#engine = null;
    this.#effects.length = 0;
  }

  #tell(what, ...args) {
    this.#engine?.[what](...args, performance.now());
    this.#flush();
  }

  #flush() {
    while (this.#effects.length) this.#effects.shift()();
  }

  #look() {
    let closed = true;
    try {
      closed = this.#run.popup.closed;
    } catch {
      // Cut off altogether: the same as closed, which the engine does not take at its word.
    }
    this.#tell("watched", closed, document.hasFocus());
  }

  #end(type, text, detail) {
    this.stop();
    this.#page.end(type, text, detail);
  }

  #ask(ticket, method, url, after, patience) {
    clearTimeout(this.#timer);
    this.#request?.abort();
    if (after) this.#timer = setTimeout(() => this.#send(ticket, method, url, patience), after);
    else this.#send(ticket, method, url, patience);
  }

  async #send(ticket, method, url, patience) {
    const request = (this.#request = new AbortController());
    const limit = setTimeout(() => request.abort(), patience);
    try {
      const response = await fetch(url, {
        method,
        mode: "cors",
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        headers: { accept: "application/json" },
        signal: request.signal,
      });
      const body = strings(await response.json().catch(() => null));
      const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
      this.#tell("answered", ticket, response.status, body, seconds >= 0 ? seconds : undefined);
    } catch {
      this.#tell("unreachable", ticket);
    } finally {
      clearTimeout(limit);
    }
  }
}

/** The strings that the engine reads; anything else in the answer is not its concern. */
function strings(body) {
  const why = body?.diagnosis ?? body;
  const all = { ...body, code: why?.code, title: why?.title, detail: why?.detail };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => typeof value === "string"));
}
