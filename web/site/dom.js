// Small tools for building the page. Text is always text: nothing is ever parsed as markup.

/** `h("p", {class: "x", onclick: f}, "text", node)` */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

export function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(space, "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** "Ada Lovelace", or the address where there is no name. */
export function nameOf(address) {
  return address?.name || address?.email || "(no sender)";
}

/** Two letters and a hue that stay the same for the same person. */
export function avatar(address) {
  const name = nameOf(address);
  const words = name.replace(/@.*|\(.*/, "").split(/[\s._-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("");
  let hue = 0;
  for (const letter of address?.email ?? name) hue = (hue * 31 + letter.codePointAt(0)) % 8;
  return h("span", { class: "avatar", "data-hue": String(hue), "aria-hidden": "true" }, letters.toUpperCase() || "?");
}

/** The time today, the weekday this week, the date before. */
export function shortDate(text) {
  const date = new Date(text ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const days = (Date.now() - date.getTime()) / 86_400_000;
  if (date.toDateString() === new Date().toDateString()) return format(date, { hour: "2-digit", minute: "2-digit" });
  if (days >= 0 && days < 6) return format(date, { weekday: "short" });
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return format(date, sameYear ? { day: "numeric", month: "short" } : { day: "numeric", month: "short", year: "numeric" });
}

export function longDate(text) {
  const date = new Date(text ?? "");
  return Number.isNaN(date.getTime()) ? "" : format(date, { dateStyle: "full", timeStyle: "short" });
}

function format(date, options) {
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(date);
}

export function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const step = [["megabyte", 1_000_000], ["kilobyte", 1_000], ["byte", 1]].find(([, unit]) => bytes >= unit) ?? ["byte", 1];
  const options = { style: "unit", unit: step[0], unitDisplay: "short", maximumFractionDigits: bytes / step[1] < 10 ? 1 : 0 };
  return new Intl.NumberFormat(document.documentElement.lang, options).format(bytes / step[1]);
}

/** A problem as the person should see it: what happened, what it means, what to do. */
export function problemBox(problem, retry) {
  const { diagnosis } = problem;
  const advice = [diagnosis?.remedy, diagnosis?.commands].flat().filter((line) => typeof line === "string");
  return h("div", { class: "problem", role: "alert" },
    h("p", { class: "problem-title" }, diagnosis?.title ?? problem.title),
    h("p", {}, diagnosis?.detail ?? diagnosis?.cause ?? problem.detail),
    advice.length > 0 && h("ul", {}, advice.map((line) => h("li", {}, line))),
    h("p", { class: "problem-code" }, h("code", {}, diagnosis?.code ?? problem.code)),
    retry && h("button", { type: "button", class: "quiet", onclick: retry }, "Try again"));
}
