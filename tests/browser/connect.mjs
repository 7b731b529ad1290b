// Two ends of connecting that people meet often, in Chromium: connect.mjs READY_FILE [SCREENSHOTS]. Somebody says no; and an
// administrator has to agree, does, and the person goes on where they were. Exit code 1 when something is not as it should be.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./chromium.mjs";

const [readyFile, shots] = process.argv.slice(2);
const demo = JSON.parse(readFileSync(readyFile, "utf8"));
const [person] = demo.users;
const administrator = demo.users.find((user) => /admin/.test(user.address));
const VIEWPORT = { width: 1100, height: 760 };
if (shots) mkdirSync(shots, { recursive: true });

const browser = await launch();
try {
  const context = await browser.newContext({ viewport: VIEWPORT, reducedMotion: "reduce" });
  await refused(context);
  console.log("ok   a person says no");
  await blocked(context);
  console.log("ok   an administrator has to agree, and does");
  await context.close();
} finally {
  await browser.close();
}

async function refused(context) {
  const { page, popup } = await click(context);
  await signIn(popup, person);
  await popup.locator("button[name=decision][value=decline]").click();
  await popup.locator("h1", { hasText: "Access was not granted" }).waitFor();
  await popup.getByText("Code for support: access_denied").waitFor();
  await shot(popup, "refused-1-result");
  await widget(page).getByText("could not be connected").waitFor();
  await shot(page, "refused-2-site");
  await popup.close();
  await page.close();
}

async function blocked(context) {
  await control("consent", { require_admin: true });
  const { page, popup } = await click(context);
  await popup.getByRole("heading", { name: "An administrator must approve" }).waitFor();
  await shot(popup, "blocked-1-authority");
  await popup.getByRole("button", { name: "Go back without approval" }).click();
  await popup.locator("h1", { hasText: "An administrator must agree first" }).waitFor();
  await shot(popup, "blocked-2-gateway");
  const link = widget(page).getByRole("link", { name: "Link for your administrator" });
  await link.waitFor();
  await shot(page, "blocked-3-site");
  const url = await link.getAttribute("href");
  assert.equal(url, await popup.getByLabel("Administrator consent link").inputValue(), "the same link in both windows");
  await copied(context, popup, url);
  await popup.close();

  const office = await browser.newContext({ viewport: VIEWPORT });
  const desk = await office.newPage();
  await desk.goto(url);
  await signIn(desk, administrator);
  await desk.getByRole("heading", { name: /Approve for everybody/ }).waitFor();
  await shot(desk, "blocked-4-administrator");
  await desk.locator("button[name=decision][value=accept]").click();
  await desk.locator("h1", { hasText: "Thank you, the permission is given" }).waitFor();
  await shot(desk, "blocked-5-thanks");
  await office.close();

  await page.locator('mailgrant-connect[data-view="agreed"]').waitFor();
  await shot(page, "blocked-6-agreed");
  // Signed in already, and nothing left to agree to: the window opens and closes.
  await widget(page).getByRole("button", { name: "Open again" }).click();
  await page.locator("#list .email").first().waitFor({ timeout: 30_000 });
  await shot(page, "blocked-7-mailbox");
  await control("consent", { require_admin: false });
  await page.close();
}

/** By the keyboard alone: the link goes to the clipboard, or is marked where the browser gives no leave. */
async function copied(context, popup, url) {
  const button = popup.getByRole("button", { name: "Copy the link" });
  const field = popup.getByLabel("Administrator consent link");
  const told = popup.getByRole("status").last();
  await popup.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error("no leave")); });
  await field.focus();
  await popup.keyboard.press("Tab");
  await popup.keyboard.press("Enter");
  await told.getByText("The link is marked").waitFor();
  const marked = await field.evaluate((it) => document.activeElement === it && it.value.slice(it.selectionStart, it.selectionEnd));
  assert.equal(marked, url, "marked from end to end");
  await popup.evaluate(() => delete navigator.clipboard.writeText);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: demo.gateway });
  await button.focus();
  await popup.keyboard.press("Space");
  await told.getByText("Copied").waitFor();
  assert.equal(await popup.evaluate(() => navigator.clipboard.readText()), url);
  await shot(popup, "blocked-2-copied");
}

/** Opens the site and presses its button. */
async function click(context) {
  const page = await context.newPage();
  await page.goto(demo.site);
  const button = page.getByRole("button", { name: "Connect mailbox" });
  await button.waitFor();
  const [popup] = await Promise.all([context.waitForEvent("page"), button.click()]);
  return { page, popup };
}

async function signIn(page, user) {
  await page.locator("#login").fill(user.address);
  await page.locator("#password").fill(user.password);
  await page.locator("form button.primary").click();
  // Where the authority asks whether to stay signed in.
  const next = page.getByRole("heading", { name: /Stay signed in|Permissions requested|Approve for everybody|An administrator/ });
  await next.first().waitFor();
  if (/Stay signed in/.test(await next.first().innerText())) await page.locator("form button.primary").click();
}

function widget(page) {
  return page.locator("mailgrant-connect");
}

async function control(path, body) {
  const answer = await fetch(`${demo.control}/${path}`, {
    method: "POST",
    headers: { "X-Sandbox-Control": "1", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
}

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `connect-${name}.png`) });
}
