// The whole demonstration as a person meets it: demo.mjs READY_FILE [SCREENSHOTS]. Exit code 1 when something is not as it should be.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./chromium.mjs";

const [readyFile, shots] = process.argv.slice(2);
const demo = JSON.parse(readFileSync(readyFile, "utf8"));
const person = demo.users[0];
const SCREENS = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
/** What the page's policy keeps out of emails is meant to be kept out. */
const BLOCKED = /Content Security Policy|sandboxed/;
if (shots) mkdirSync(shots, { recursive: true });

const browser = await launch();
try {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
      await visit(context, `${screen}-${colorScheme}`, screen === "phone");
      await context.close();
      console.log(`ok   ${screen}, ${colorScheme}`);
    }
  }
  const context = await browser.newContext({ viewport: SCREENS.desktop, reducedMotion: "reduce" });
  await shared(context);
  await context.close();
  console.log("ok   a customer's shared mailbox");
} finally {
  await browser.close();
}

/** Somebody of the other organization opens a mailbox that is nobody's own. */
async function shared(context) {
  const [customer] = demo.organizations;
  const [mailbox] = customer.shared_mailboxes;
  const delegate = customer.users.find((user) => mailbox.people.includes(user.address));
  const page = await context.newPage();
  await page.goto(demo.site);
  const item = page.locator("#people-list li", { hasText: mailbox.address });
  await item.getByText(`sign in as ${delegate.display_name}`).waitFor();
  const [popup] = await Promise.all([context.waitForEvent("page"), item.getByRole("button", { name: "Connect this one" }).click()]);
  await signIn(popup, () => {}, delegate);
  await page.locator("#list .email").first().waitFor({ timeout: 20_000 });
  assert.equal(await page.locator("#who-name").textContent(), mailbox.address);
  assert.match(await page.locator("#who-state").textContent(), new RegExp(`by ${delegate.display_name}$`));
  if (shots) await page.screenshot({ path: join(shots, "desktop-light-6-shared.png") });
}

async function visit(context, name, narrow) {
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  const shot = (step) => shots && page.screenshot({ path: join(shots, `${name}-${step}.png`) });

  await page.goto(demo.site);
  await page.getByRole("button", { name: "Connect mailbox" }).waitFor();
  await fits(page);
  await shot("1-landing");

  const [popup] = await Promise.all([
    context.waitForEvent("page"),
    page.getByRole("button", { name: "Connect mailbox" }).click(),
  ]);
  await signIn(popup, (step) => shots && popup.screenshot({ path: join(shots, `${name}-2-${step}.png`) }));

  const emails = page.locator("#list .email");
  await emails.first().waitFor({ timeout: 20_000 });
  await fits(page);
  await shot("3-mailbox");
  const times = await emails.locator("time").evaluateAll((all) => all.map((time) => Date.parse(time.dateTime)));
  assert.ok(times.every((time, at) => at === 0 || time <= times[at - 1]), "newest first");

  const subject = (await emails.first().locator(".email-subject span").first().textContent()).trim();
  await emails.first().click();
  await page.getByRole("heading", { level: 2, name: subject }).waitFor();
  await page.locator(".reader-frame, .reader-text").waitFor();
  await shot("4-email");
  const back = () => narrow && page.getByRole("button", { name: "Back" }).click();
  await back();

  const frame = await firstWith(page, emails, ".reader-frame", back);
  const inside = page.frameLocator(".reader-frame");
  assert.ok((await inside.locator("body").innerText()).trim().length > 0);
  assert.equal(await inside.locator("script, form, iframe").count(), 0);
  assert.equal(await frame.getAttribute("sandbox"), "allow-popups allow-popups-to-escape-sandbox");
  await shot("4-html");
  await back();

  const attachment = await firstWith(page, emails, ".attachments a", back);
  const download = await page.request.get(await attachment.evaluate((link) => link.href));
  assert.equal(download.status(), 200);
  assert.ok((await download.body()).length > 0);
  await back();

  const word = subject.split(/\W+/).sort((a, b) => b.length - a.length)[0];
  await page.getByRole("searchbox").fill(word);
  await page.getByRole("searchbox").press("Enter");
  await page.getByText(`Results for “${word}”`).waitFor();
  assert.ok((await emails.count()) > 0);
  await page.getByRole("button", { name: /Under the hood/ }).click();
  await page.locator("#hood-calls li").first().waitFor();
  await shot("5-under-the-hood");
  assert.deepEqual(complaints.filter((text) => !BLOCKED.test(text)), [], "the console stays clean");

  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect mailbox" }).waitFor();
}

/** Opens one email after the other until one shows `selector`. */
async function firstWith(page, emails, selector, back) {
  for (let at = 0; at < (await emails.count()); at += 1) {
    const answer = page.waitForResponse((response) => /\/api\/emails\/[^/?]+$/.test(response.url()));
    await emails.nth(at).click();
    await answer;
    await page.locator(".reader-head").waitFor();
    const found = page.locator(selector).first();
    if ((await found.count()) > 0) return found;
    await back();
  }
  throw new Error(`no email has ${selector}`);
}

/** Signs in and agrees, where asked; the gateway's result page closes the window. */
async function signIn(popup, shot, user = person) {
  const closed = popup.waitForEvent("close", { timeout: 30_000 });
  await popup.locator("#login").fill(user.address);
  await popup.locator("#password").fill(user.password);
  await shot("sign-in");
  await popup.locator("form button.primary").click();
  const accept = popup.locator("button[name=decision][value=accept]");
  const asked = await Promise.race([accept.waitFor({ timeout: 30_000 }).then(() => true, () => false), closed.then(() => false)]);
  if (asked) {
    await shot("consent");
    await accept.click();
  }
  await closed;
}

/** Nothing sticks out sideways. */
async function fits(page) {
  const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= width, `the page is ${content} px wide on a screen of ${width}`);
}
