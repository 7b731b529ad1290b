// A delegate connects a shared mailbox with the widget, in Chromium: shared.mjs SITE GATEWAY CLIENT_TOKEN ADDRESS PASSWORD [SCREENSHOTS].
// Serves the site's page itself and prints the widget's events as JSON. Exit code 1 when something is not as it should be.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { launch } from "./chromium.mjs";

const [site, gateway, token, address, password, shots] = process.argv.slice(2);
const page = `<!doctype html><html lang="en"><title>Help desk</title>
<script type="module" src="${gateway}/widget/v1/mailgrant.js"></script>
<h1>Help desk</h1><mailgrant-connect client-token="${token}"><a href="${gateway}/connect/${token}">Connect</a></mailgrant-connect>`;
const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(page));
await new Promise((resolve) => server.listen(Number(new URL(site).port), "127.0.0.1", resolve));

const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: 900, height: 760 }, reducedMotion: "reduce" });
  const host = await context.newPage();
  await host.addInitScript(() => {
    window.seen = [];
    for (const name of ["success", "exit", "error", "event"]) {
      addEventListener(`mailgrant-${name}`, (event) => window.seen.push([name, event.detail]));
    }
  });
  // Every question of the widget after the first answer says what it has heard.
  const asked = [];
  host.on("request", (request) => /\/status\?/.test(request.url()) && asked.push(new URL(request.url()).search));
  await host.goto(site);
  const button = host.getByRole("button", { name: "Connect mailbox" });
  await button.waitFor();
  const [popup] = await Promise.all([context.waitForEvent("page"), button.click()]);
  // Its script would close the window; without it the page stays to be read, and the widget hears from the gateway alone.
  await context.route("**/connect/assets/result.js", (route) => route.abort());
  await popup.locator("#login").waitFor();
  assert.equal(await popup.locator("#login").inputValue(), address, "the person to sign in is offered");
  await popup.locator("#password").fill(password);
  await popup.locator("form button.primary").click();
  await popup.locator("button[name=decision][value=accept]").click();
  await popup.getByRole("heading", { name: "The mailbox is connected" }).waitFor();
  assert.match(await popup.locator("dl").innerText(), /Mailbox\s+support@[^]*Signed in as\s+bruno@/);
  if (shots) await popup.screenshot({ path: join(shots, "shared-1-result.png") });
  await host.waitForFunction(() => window.seen.some(([name]) => name === "success"));
  const seen = await host.evaluate(() => window.seen);
  if (shots) await host.screenshot({ path: join(shots, "shared-2-site.png") });
  assert.ok(asked.slice(1).every((query) => query.includes("since=")), `every later question says what was heard: ${asked}`);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
