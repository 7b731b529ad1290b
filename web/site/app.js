// The page: which of its two faces is shown, and who is connected.
import * as api from "./api.js";
import { avatar, byId, h, problemBox } from "./dom.js";
import * as hood from "./hood.js";
import { Mailbox } from "./mailbox.js";

const connect = byId("connect");
const mailbox = new Mailbox();

hood.begin(connect.getAttribute("gateway"));
themes();
// Of the large button and of those beside shared mailboxes.
document.addEventListener("mailgrant-start", () => sayProblem(null));
document.addEventListener("mailgrant-success", ({ detail }) => arrive(detail.connectSession));
document.addEventListener("mailgrant-error", ({ detail }) => {
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
  const { identity, imap_user: address } = account;
  const own = !identity || [identity.preferred_username, identity.email].includes(address);
  const shown = { name: own ? identity?.name : undefined, email: address };
  byId("who-avatar").replaceWith(Object.assign(avatar(shown), { id: "who-avatar" }));
  byId("who-name").textContent = shown.name || shown.email;
  byId("who-name").title = address ?? "";
  const by = own ? "" : `, by ${identity.name ?? identity.preferred_username}`;
  byId("who-state").textContent = `${STATES[account.state] ?? account.state ?? ""}${by}`;
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

/** Whom one can sign in as, and what is shared, where the demonstration says so. */
async function people() {
  const { organizations = [], docs, control } = await api.demo().catch(() => ({}));
  link("docs", docs);
  link("console", control?.replace(/control$/, ""));
  byId("people").hidden = organizations.length === 0;
  byId("people-list").replaceChildren(...organizations.map((organization) => h("section", {},
    h("h3", {}, organization.display_name),
    h("ul", {}, organization.users.map(personItem), organization.shared_mailboxes.map((mailbox) => sharedItem(mailbox, organization.users))))));
  showTheme();
}

function personItem(user) {
  return h("li", {}, avatar({ name: user.display_name, email: user.address }),
    h("span", {}, h("b", {}, user.display_name ?? user.address), h("code", {}, user.address), h("code", {}, user.password ?? "")));
}

/** A mailbox that is nobody's own: its address goes into the connect session, whoever signs in. */
function sharedItem(mailbox, users) {
  const names = mailbox.people.map((address) => users.find((user) => user.address === address)?.display_name ?? address);
  const path = `/api/connect-session?mailbox=${encodeURIComponent(mailbox.address)}`;
  return h("li", { class: "shared" }, avatar({ name: mailbox.display_name, email: mailbox.address }),
    h("span", {}, h("b", {}, mailbox.display_name), h("code", {}, mailbox.address),
      h("small", {}, names.length ? `shared: sign in as ${names.join(" or ")}` : "shared: nobody may open it"),
      h("mailgrant-connect", { "session-url": path, gateway: connect.getAttribute("gateway"), label: "Connect this one" },
        h("a", { href: `/connect?mailbox=${encodeURIComponent(mailbox.address)}` }, "Connect this one"))));
}

function link(id, href) {
  if (!href) return;
  byId(id).href = href;
  byId(id).hidden = false;
}

function themes() {
  const button = byId("theme");
  const root = document.documentElement;
  const order = [undefined, "light", "dark"];
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
    showTheme();
  });
  showTheme();
}

function showTheme() {
  const { theme } = document.documentElement.dataset;
  byId("theme").setAttribute("aria-label", `Colours: ${theme ?? "as the system prefers"}`);
  for (const widget of document.querySelectorAll("mailgrant-connect")) {
    if (theme) widget.setAttribute("theme", theme);
    else widget.removeAttribute("theme");
  }
}

const STATES = {
  connected: "connected",
  degraded: "having trouble, trying again",
  reauth_required: "needs a new sign-in",
  pending_consent: "waiting for consent",
  disabled: "disabled",
};
