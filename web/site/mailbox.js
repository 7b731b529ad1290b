// Folders and the list of emails, newest first.
import * as api from "./api.js";
import { avatar, byId, h, icon, nameOf, problemBox, shortDate } from "./dom.js";
import { Reader } from "./reader.js";

const PAGE = 30;

export class Mailbox {
  #reader = new Reader(() => this.#backToList());
  #mailbox = null;
  #text = "";
  #next = null;
  #request = null;
  #opened = false;
  #read = new Set(); // on this page; the gateway opens folders read-only

  constructor() {
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
    });
    byId("search-text").addEventListener("input", (event) => {
      if (event.target.value === "" && this.#text) this.#search();
    });
    byId("list").addEventListener("keydown", (event) => this.#walk(event));
    addEventListener("popstate", (event) => this.#restore(event.state));
    // The next page is fetched when its place comes near.
    new IntersectionObserver(([entry]) => entry.isIntersecting && this.#more(), { root: byId("list-scroll"), rootMargin: "300px" })
      .observe(byId("list-end"));
  }

  async open() {
    this.#opened = true;
    byId("folders").replaceChildren(...skeleton(5, "folder-skeleton"));
    try {
      const answer = await api.mailboxes();
      if (!this.#opened) return;
      const folders = arrange(answer.items ?? answer);
      this.#showFolders(folders);
      await this.#choose((folders.find((folder) => folder.role === "inbox") ?? folders[0])?.name ?? "INBOX");
    } catch (problem) {
      byId("folders").replaceChildren();
      this.say(problem, () => this.open());
    }
  }

  close() {
    this.#opened = false;
    this.#request?.abort();
    this.#reader.clear();
    byId("list").replaceChildren();
    byId("folders").replaceChildren();
  }

  say(problem, retry) {
    if (problem.name === "AbortError") return;
    byId("list").replaceChildren(h("li", { class: "list-message" }, problemBox(problem, retry)));
    byId("list-end").replaceChildren();
    byId("list-note").textContent = "";
  }

  #showFolders(folders) {
    byId("folders").replaceChildren(...folders.map((folder) => {
      const choose = () => this.#choose(folder.name);
      const count = folder.unreadEmails > 0 && h("span", { class: "count", "aria-label": `${folder.unreadEmails} unread` }, String(folder.unreadEmails));
      return h("li", {}, h("button", { type: "button", "data-name": folder.name, onclick: choose, disabled: folder.selectable === false },
        icon(ICONS[folder.role] ?? ICONS.folder), h("span", { title: folder.name }, TITLES[folder.role] ?? folder.label ?? folder.name), count));
    }));
  }

  async #choose(name) {
    this.#mailbox = name;
    this.#text = "";
    byId("search-text").value = "";
    for (const button of byId("folders").querySelectorAll("button")) {
      if (button.dataset.name === name) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    byId("list-title").textContent =
      byId("folders").querySelector("[aria-current] span")?.textContent ?? name;
    this.#reader.clear();
    await this.#load();
  }

  async #search() {
    this.#text = byId("search-text").value.trim();
    await this.#load();
  }

  async #load() {
    this.#request?.abort();
    this.#request = new AbortController();
    this.#next = null;
    byId("list-scroll").scrollTop = 0;
    byId("list-note").textContent = this.#text ? "Searching…" : "";
    byId("list").replaceChildren(...skeleton(8, "email-skeleton"));
    byId("list-end").replaceChildren();
    const { signal } = this.#request;
    try {
      const page = await this.#fetch(null, signal);
      byId("list").replaceChildren();
      this.#append(page);
      if (page.items.length === 0) byId("list").append(this.#nothing());
      byId("list-note").textContent = this.#text && page.items.length > 0 ? `Results for “${this.#text}”` : "";
    } catch (problem) {
      this.say(problem, () => this.#load());
    }
  }

  async #more() {
    const cursor = this.#next;
    if (!cursor) return;
    this.#next = null; // until the answer is there, so that it is asked only once
    const { signal } = this.#request;
    const end = byId("list-end");
    end.replaceChildren(h("p", { class: "loading" }, "Loading…"));
    try {
      this.#append(await this.#fetch(cursor, signal));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      const retry = () => {
        this.#next = cursor;
        this.#more();
      };
      end.replaceChildren(problemBox(problem, retry));
    }
  }

  #fetch(cursor, signal) {
    return api.emails({ mailbox: this.#mailbox, text: this.#text, cursor, limit: PAGE }, signal);
  }

  #append({ items, next_cursor: next }) {
    byId("list").append(...items.map((email) => this.#line(email)));
    this.#next = next ?? null;
    const more = next && h("button", { type: "button", class: "quiet", onclick: () => this.#more() }, "Load more");
    byId("list-end").replaceChildren(...(more ? [more] : []));
  }

  #line(email) {
    const unread = !has(email, "$seen") && !this.#read.has(email.id);
    const person = email.from?.[0];
    const link = h("a", { href: `#${encodeURIComponent(email.id)}`, class: unread ? "email unread" : "email", "data-id": email.id },
      avatar(person),
      h("span", { class: "email-text" },
        h("span", { class: "email-top" },
          unread && h("span", { class: "hidden" }, "Unread. "),
          h("span", { class: "email-from" }, nameOf(person)),
          h("time", { datetime: email.receivedAt }, shortDate(email.receivedAt ?? email.sentAt))),
        h("span", { class: "email-subject" }, h("span", {}, email.subject || "(no subject)"),
          has(email, "$flagged") && icon(ICONS.flag), email.hasAttachment && icon(ICONS.clip)),
        h("span", { class: "email-preview" }, email.preview ?? "")));
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.pushState({ email: email.id }, "", link.href);
      this.#show(email.id);
    });
    return h("li", {}, link);
  }

  #show(id) {
    this.#read.add(id);
    for (const line of byId("list").querySelectorAll("a")) {
      if (line.dataset.id === id) {
        line.setAttribute("aria-current", "true");
        line.classList.remove("unread");
      } else line.removeAttribute("aria-current");
    }
    byId("mail").dataset.reading = "";
    this.#reader.show(id);
  }

  #restore(state) {
    if (!this.#opened) return;
    if (state?.email) this.#show(state.email);
    else this.#reader.clear();
  }

  /** From the reading pane of a narrow screen back to the email in the list. */
  #backToList() {
    const line = byId("list").querySelector("[aria-current]");
    if (history.state?.email) history.back();
    else this.#reader.clear();
    (line ?? byId("list-title")).focus();
  }

  #walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const lines = [...byId("list").querySelectorAll("a")];
    const next = lines[lines.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  #nothing() {
    const text = this.#text ? `No email here matches “${this.#text}”.` : "Nothing in this folder.";
    return h("li", { class: "list-message" }, icon(ICONS.empty), h("p", {}, text));
  }
}

function has(email, keyword) {
  return Boolean(email.keywords?.[keyword]);
}

/** The folders everybody knows first, in their usual order, the rest by name. */
function arrange(folders) {
  const rank = (folder) => {
    const place = ORDER.indexOf(folder.role);
    return place < 0 ? ORDER.length : place;
  };
  return folders.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

function skeleton(count, name) {
  return Array.from({ length: count }, () => h("li", { class: `skeleton ${name}`, "aria-hidden": "true" }, h("i"), h("span")));
}

const ORDER = ["inbox", "drafts", "sent", "archive", "junk", "trash"];
const TITLES = { inbox: "Inbox", drafts: "Drafts", sent: "Sent", archive: "Archive", junk: "Junk", trash: "Trash" };
const ICONS = {
  inbox: "M4 13.500 6.500 5h11L20 13.500V19H4zM4 13.500h5a3 3 0 0 0 6 0h5",
  drafts: "M5 19l1-4L16.500 4.500l3 3L9 18z",
  sent: "M4 12 20 4.500 15 20l-3.500-6.500z",
  archive: "M4 5h16v4H4zM5.500 9v10h13V9M10 12.500h4",
  junk: "M12 4l8 5v6l-8 5-8-5V9zM12 8.500v4.500M12 15.500v.1",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l1 12.500h8L17 7",
  folder: "M4 6h6l2 2.500h8V18.500H4z",
  flag: "M6 20V4.500h11l-2.500 4 2.500 4H6",
  clip: "M17.500 11 11.500 17a3.600 3.600 0 0 1-5-5l7-7a2.400 2.400 0 0 1 3.400 3.400l-6.800 6.800a1.200 1.200 0 0 1-1.700-1.700l6-6",
  empty: "M4 7h16v11H4zl8 6 8-6",
};
