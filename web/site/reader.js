// The reading pane. HTML is shown in a sandboxed frame: no scripts, no forms, no remote images, no way back to this page.
import * as api from "./api.js";
import { avatar, byId, h, icon, longDate, nameOf, problemBox, size } from "./dom.js";

export class Reader {
  #pane = byId("reader");
  #back;
  #request = null;

  constructor(back) {
    this.#back = back;
    this.clear();
  }

  clear() {
    this.#request?.abort();
    delete byId("mail").dataset.reading;
    for (const line of byId("list").querySelectorAll("[aria-current]")) line.removeAttribute("aria-current");
    this.#pane.replaceChildren(h("div", { class: "reader-empty" }, icon(LETTER), h("p", {}, "Choose an email to read it here.")));
  }

  async show(id) {
    this.#request?.abort();
    const { signal } = (this.#request = new AbortController());
    this.#pane.replaceChildren(this.#bar(id), h("div", { class: "skeleton reader-skeleton", "aria-hidden": "true" }, h("i"), h("span")));
    try {
      const email = await api.email(id, signal);
      const heading = h("h2", { tabindex: "-1" }, email.subject || "(no subject)");
      this.#pane.replaceChildren(this.#bar(id), head(email, heading), await body(email, signal), attachments(email) ?? "");
      heading.focus({ preventScroll: true });
    } catch (problem) {
      if (problem.name !== "AbortError") this.#pane.replaceChildren(this.#bar(id), problemBox(problem, () => this.show(id)));
    }
  }

  #bar(id) {
    return h("div", { class: "reader-bar" },
      h("button", { type: "button", class: "quiet back", onclick: () => this.#back() }, icon("M14.500 5.500 8 12l6.500 6.500"), "Back"),
      h("span", { class: "spring" }),
      h("a", { class: "quiet", href: `${api.emailPath(id)}/raw`, target: "_blank", rel: "noopener" }, "Raw message"));
  }
}

function head(email, heading) {
  const person = email.from?.[0];
  const line = (label, people) => people?.length > 0 &&
    h("div", {}, h("dt", {}, label), h("dd", {}, people.map((one) => (one.name ? `${one.name} <${one.email}>` : one.email)).join(", ")));
  return h("header", { class: "reader-head" }, heading,
    h("div", { class: "from" }, avatar(person),
      h("div", {}, h("p", {}, h("b", {}, nameOf(person)), person?.name && h("span", { class: "address" }, person.email)),
        h("time", { datetime: email.receivedAt }, longDate(email.receivedAt ?? email.sentAt)))),
    h("dl", {}, line("To", email.to), line("Cc", email.cc), line("Reply to", email.replyTo)));
}

async function body(email, signal) {
  if (email.htmlBody) {
    const frame = h("iframe", {
      class: "reader-frame",
      title: "Text of the email",
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
      referrerpolicy: "no-referrer",
    });
    frame.srcdoc = policy.createHTML(page(await withImages(email, signal)));
    return frame;
  }
  return h("pre", { class: "reader-text" }, email.textBody || "(This email has no text.)");
}

function page(html) {
  const stylesheet = new URL("/reader.css", location.href).href;
  return `<!doctype html><meta charset="utf-8"><base target="_blank"><link rel="stylesheet" href="${stylesheet}"><body>${html}`;
}

/** Pictures that came inside the email: the frame may not fetch anything, so they are put into the text. */
async function withImages(email, signal) {
  let html = email.htmlBody;
  for (const part of email.attachments ?? []) {
    const wanted = part.cid && part.size < LARGEST_IMAGE && /^image\/(png|jpeg|gif|webp)$/i.test(part.type);
    if (!wanted || !html.includes(`cid:${part.cid}`)) continue;
    try {
      const response = await fetch(api.attachmentPath(email.id, part.partId), { signal });
      if (response.ok) html = html.replaceAll(`cid:${part.cid}`, await dataUrl(await response.blob(), part.type));
    } catch (error) {
      if (error.name === "AbortError") throw error; // otherwise the email is shown without the picture
    }
  }
  return html;
}

function dataUrl(blob, type) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([blob], { type: type.toLowerCase() }));
  });
}

function attachments(email) {
  const parts = (email.attachments ?? []).filter((part) => part.disposition !== "inline" || !part.cid);
  if (parts.length === 0) return null;
  return h("ul", { class: "attachments", "aria-label": "Attachments" }, parts.map((part) =>
    h("li", {}, h("a", { href: api.attachmentPath(email.id, part.partId), download: part.name ?? "" },
      icon("M12 4v11m-4.500-4L12 15.500l4.500-4.500M5 19.500h14"),
      h("span", {}, h("b", {}, part.name || "(no name)"), h("small", {}, `${part.type} · ${size(part.size)}`))))));
}

/** The one place where this site turns a string into markup: the gateway has sanitised it, and the frame has no powers. */
const policy = globalThis.trustedTypes?.createPolicy("mailgrant-reader", { createHTML: (html) => html }) ?? { createHTML: (html) => html };
const LARGEST_IMAGE = 3_000_000;
const LETTER = "M3.500 6.500h17v11h-17zl8.500 6.500 8.500-6.500";
