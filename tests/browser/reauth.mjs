// The way back for a person whose grant has died, in Chromium: reauth.mjs LINK OTHER ADDRESS PASSWORD [SCREENSHOTS]. First
// somebody else tries, then the person themselves. Exit code 1 when something is not as it should be.
import assert from "node:assert/strict";
import { join } from "node:path";
import { launch } from "./chromium.mjs";

const [link, other, address, password, shots] = process.argv.slice(2);
const SCREENS = {
  light: { viewport: { width: 900, height: 760 }, colorScheme: "light" },
  dark: { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  narrow: { viewport: { width: 320, height: 640 }, colorScheme: "light" },
};

const browser = await launch();
try {
  for (const [name, screen] of Object.entries(SCREENS)) {
    const context = await browser.newContext(screen);
    const page = await context.newPage();
    await page.goto(link);
    await page.getByRole("heading", { level: 1, name: /Sign in again for/ }).waitFor();
    await accessible(page);
    await shot(page, `1-question-${name}`);
    await context.close();
  }
  console.log("ok   the question, on three screens");

  const elsewhere = await browser.newContext(SCREENS.light);
  const wrong = await elsewhere.newPage();
  await signIn(wrong, other);
  await wrong.getByRole("heading", { level: 1, name: "Somebody else signed in" }).waitFor();
  await wrong.getByText(`Sign in as ${address}`).waitFor();
  await accessible(wrong);
  await shot(wrong, "2-somebody-else");
  await elsewhere.close();
  console.log("ok   somebody else is sent away");

  const context = await browser.newContext(SCREENS.light);
  const page = await context.newPage();
  // By the keyboard alone, as far as the gateway's own pages go.
  await page.goto(link);
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Continue to/);
  await page.keyboard.press("Enter");
  await page.locator("#login").waitFor();
  assert.equal(await page.locator("#login").inputValue(), address, "the person is offered");
  await finish(page, address);
  await page.getByRole("heading", { level: 1, name: "The mailbox works again" }).waitFor();
  await accessible(page);
  await shot(page, "3-works-again");
  console.log("ok   the person mends it");

  const answer = await page.goto(link);
  assert.equal(answer.status(), 404);
  await page.getByRole("heading", { level: 1, name: "This link is not good, or no longer" }).waitFor();
  assert.ok(!(await page.content()).includes(address), "it says nothing of the account");
  await accessible(page);
  await shot(page, "4-void");
  await context.close();
  console.log("ok   the link has served");
} finally {
  await browser.close();
}

async function signIn(page, user) {
  await page.goto(link);
  await page.getByRole("button", { name: /Continue to/ }).click();
  await page.locator("#login").waitFor();
  await finish(page, user);
}

async function finish(page, user) {
  await page.locator("#login").fill(user);
  await page.locator("#password").fill(password);
  await page.locator("form button.primary").click();
  const next = page.locator("button[name=decision][value=accept], main.card h1");
  await next.first().waitFor();
  const consent = page.locator("button[name=decision][value=accept]");
  if (await consent.count()) await consent.click();
}

/** What a screen reader and a small screen need of every page. */
async function accessible(page) {
  const found = await page.evaluate(() => ({
    language: document.documentElement.lang,
    title: document.title.trim(),
    mains: document.querySelectorAll("main").length,
    headings: document.querySelectorAll("h1").length,
    unnamed: [...document.querySelectorAll("button, a, input:not([type=hidden])")].filter((each) => !(each.textContent.trim() || each.labels?.length)).length,
    overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    pairs: document.querySelectorAll("dt").length === document.querySelectorAll("dd").length,
  }));
  assert.ok(found.title.length > 0);
  assert.deepEqual({ ...found, title: "" }, { language: "en", title: "", mains: 1, headings: 1, unnamed: 0, overflow: false, pairs: true });
}

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `reauth-${name}.png`), fullPage: true });
}
