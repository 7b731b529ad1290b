// The page: which of its two faces is shown, and who is connected.
import * as api from "./api.js";
import { avatar, byId, h, problemBox } from "./dom.js";
import * as hood from "./hood.js";
import { Mailbox } from "./mailbox.js";

const connect = byId("connect");
const mailbox = new Mailbox();

hood.begin(connect.getAttribute("gateway"));
themes();
connect.addEventListener("mailgrant-start", () => sayProblem(null));
connect.addEventListener("mailgrant-success", ({ detail }) => arrive(detail.connectSession));
connect.addEventListener("mailgrant-error", ({ detail }) => {
  sayProblem({ title: detail.title || "The mailbox could not be connected.", detail: detail.detail || "", code: detail.code });
});
byId("disconnect").addEventListener("click", leave);
addEventListener("mailbox-lost", () => showLanding());

people();
arrive(null);

/** Shows the mailbox if one is connected. `session` is what the widget says; the backend looks for itself. */
async function arrive(session) {
  try {
    if (session) await api.connectSession(session);
    const account = await api.account();
    if (account) return showMailbox(account);
    showLanding();
    if (session) sayProblem({ title: "Nothing is connected", detail: "The gateway knows of no account for this sign-in.", code: "not_connected" });
  } catch (problem) {
    showLanding();
    sayProblem(problem, () => arrive(session));
  }
}

function showMailbox(account) {
  const person = { name: account.identity?.name, email: account.imap_user ?? account.from_address ?? account.identity?.email };
  byId("who-avatar").replaceWith(Object.assign(avatar(person), { id: "who-avatar" }));
  byId("who-name").textContent = person.name ? `${person.name}` : person.email;
  byId("who-name").title = person.email ?? "";
  byId("who-state").textContent = STATES[account.state] ?? account.state ?? "";
  byId("who-state").dataset.state = account.state ?? "";
  hood.setAccount(account.id);
  face("mail");
  mailbox.open();
}

function showLanding() {
  mailbox.close();
  hood.setAccount(null);
  face("landing");
}

function face(name) {
  document.body.dataset.view = name;
  byId("landing").hidden = name !== "landing";
  byId("mail").hidden = name !== "mail";
  byId("who").hidden = name !== "mail";
}

async function leave(event) {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    await api.disconnect();
    showLanding();
    byId("main").focus();
  } catch (problem) {
    mailbox.say(problem);
  } finally {
    button.disabled = false;
  }
}

function sayProblem(problem, retry) {
  const place = byId("connect-problem");
  place.hidden = !problem;
  place.replaceChildren(...(problem ? problemBox(problem, retry).childNodes : []));
}

/** Whom one can sign in as, where the demonstration says so. */
async function people() {
  const { users = [], docs } = await api.demo().catch(() => ({}));
  if (docs) {
    byId("docs").href = docs;
    byId("docs").hidden = false;
  }
  byId("people").hidden = users.length === 0;
  byId("people-list").replaceChildren(...users.map((user) => {
    const person = { name: user.display_name, email: user.address };
    return h("li", {}, avatar(person),
      h("span", {}, h("b", {}, user.display_name ?? user.address), h("code", {}, user.address), h("code", {}, user.password ?? "")));
  }));
}

function themes() {
  const button = byId("theme");
  const root = document.documentElement;
  const order = [undefined, "light", "dark"];
  const apply = () => {
    const theme = root.dataset.theme;
    button.setAttribute("aria-label", `Colours: ${theme ?? "as the system prefers"}`);
    if (theme) connect.setAttribute("theme", theme);
    else connect.removeAttribute("theme");
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      if (next) localStorage.setItem("theme", next);
      else localStorage.removeItem("theme");
    } catch {
      // Storage may be off: the choice lasts for this page.
    }
    apply();
  });
  apply();
}

const STATES = {
  connected: "connected",
  degraded: "having trouble, trying again",
  reauth_required: "needs a new sign-in",
  pending_consent: "waiting for consent",
  disabled: "disabled",
};
