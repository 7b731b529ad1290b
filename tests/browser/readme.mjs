// The README's page, as it stands but for the host and the token: readme.mjs READY_FILE README. Exit code 1 when it fails.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { launch } from "./chromium.mjs";

const [readyFile, readme] = process.argv.slice(2);
const demo = JSON.parse(readFileSync(readyFile, "utf8"));
const answer = await fetch(`${demo.gateway}/v1/connect-sessions`, {
  method: "POST",
  headers: { authorization: `Bearer ${demo.api_key}`, "content-type": "application/json" },
  body: JSON.stringify({ application: "delegated", origin: demo.site, user_label: "README" }),
});
assert.equal(answer.status, 201);
const session = await answer.json();
const snippet = readFileSync(readme, "utf8").split("```html\n")[1].split("```")[0];
const page = snippet.replaceAll("https://mail.example.com", demo.gateway).replaceAll("mgc_…", session.client_token);

const browser = await launch();
try {
  // Put into a page of the demo's site, whose own policy allows no inline script.
  const context = await browser.newContext({ bypassCSP: true });
  const tab = await context.newPage();
  const succeeded = new Promise((resolve) => tab.exposeFunction("succeeded", resolve));
  await tab.goto(demo.site);
  await tab.setContent(`<!doctype html><title>README</title>${page}`);
  await tab.evaluate(() => addEventListener("mailgrant-success", (event) => window.succeeded(event.detail)));
  const [popup] = await Promise.all([context.waitForEvent("page"), tab.getByRole("button").first().click()]);
  await popup.locator("#login").fill(demo.users[1].address);
  await popup.locator("#password").fill(demo.users[1].password);
  await popup.locator("form button.primary").click();
  await popup.locator("button[name=decision][value=accept]").click();
  const detail = await succeeded;
  assert.equal(detail.connectSession, session.id);
  assert.match(detail.accountId, /^acc_/);
  console.log("ok   the README's page");
} finally {
  await browser.close();
}
