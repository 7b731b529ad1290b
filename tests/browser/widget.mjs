// The widget as it is shipped, in Chromium: widget.mjs FOLDER [NAME…]. One line for each case; exit code 1 when one fails.
import assert from "node:assert/strict";
import { launch } from "./chromium.mjs";
import { become, stage } from "./stage.mjs";

const [folder, ...wanted] = process.argv.slice(2);
const TERMINAL = ["success", "exit", "error"];
const CONNECTED = (token) => [["success", { connectSession: `cs_${token}`, accountId: "acc_1" }]];
const cases = [];
const test = (name, play) => cases.push({ name, play });

for (const host of ["", "same-origin", "same-origin-allow-popups", "noopener-allow-popups"]) {
  for (const coop of ["", "same-origin", "same-origin-allow-popups"]) {
    test(`coop: site ${host || "none"}, authority ${coop || "none"}: success, nothing else`, async (the) => {
      await the.open({ coop: host }, { coop });
      const popup = await the.click();
      await popup.waitForSelector("#finish");
      await the.page.waitForTimeout(4500);
      assert.deepEqual(await the.ends(), []);
      await popup.click("#finish");
      await the.ended();
      assert.deepEqual(await the.ends(), CONNECTED(the.token));
    });
  }
}

test("cut off late, while the person types in the other window", async (the) => {
  await the.open({}, { late: "same-origin" });
  await the.page.evaluate(() => (document.hasFocus = () => window.focused ?? false));
  const popup = await the.click();
  await the.page.waitForTimeout(2500);
  await popup.click("#next");
  await the.shows("apart");
  await the.page.evaluate(() => (window.focused = true));
  await the.page.waitForTimeout(2500);
  assert.deepEqual(await the.ends(), []);
  await popup.click("#finish");
  await the.ended();
  assert.deepEqual(await the.ends(), CONNECTED(the.token));
});

test("the person closes the window", async (the) => {
  await the.open();
  const popup = await the.click();
  await popup.waitForSelector("#finish");
  await the.page.waitForTimeout(2500);
  await popup.close();
  await the.ended();
  assert.deepEqual(await the.ends(), [["exit", { reason: "popup_closed" }]]);
  assert.ok(the.session.asked.includes("DELETE"));
  assert.ok(await the.page.locator("mailgrant-connect").getByRole("button").first().isDisabled(), "a used token serves no more");
});

test("the window is closed while the gateway finishes", async (the) => {
  await the.open();
  const popup = await the.click();
  await the.page.waitForTimeout(2500);
  the.session.finishing = true;
  await popup.close();
  await the.ended();
  assert.deepEqual(await the.ends(), CONNECTED(the.token));
});

test("cancel and reopen are at hand when the window was cut off", async (the) => {
  await the.open({ coop: "same-origin" });
  await the.click();
  await the.shows("apart");
  await Promise.all([the.context.waitForEvent("page"), the.page.getByRole("button", { name: "Open again" }).click()]);
  await the.shows("apart");
  await the.page.getByRole("button", { name: "Cancel" }).click();
  await the.ended();
  assert.deepEqual(await the.ends(), [["exit", { reason: "cancelled" }]]);
});

test("a blocked window: on by navigation, and back", async (the) => {
  the.session.back = `${the.stage.site}/?token=${the.token}`;
  await the.open({ start: "" });
  await the.untouched();
  await the.page.waitForSelector("#finish");
  await the.page.click("#finish");
  await the.page.waitForURL(`${the.stage.site}/**`);
  await the.ended();
  assert.deepEqual(await the.ends(), CONNECTED(the.token));
});

test("a blocked window with flow=popup", async (the) => {
  await the.open({ start: "", flow: "popup" });
  await the.untouched();
  await the.ended();
  const [[name, detail]] = await the.ends();
  assert.deepEqual([name, detail.code, detail.retry], ["error", "popup_blocked", true]);
});

test("back from the authority with nothing done", async (the) => {
  await the.open({ flow: "redirect" });
  await the.button().click();
  await the.page.waitForSelector("#finish");
  await the.page.goto(`${the.stage.site}/?token=${the.token}`);
  await the.ended();
  assert.deepEqual(await the.ends(), [["exit", { reason: "returned" }]]);
});

test("the session is fetched when the person clicks", async (the) => {
  await the.open({ "session-url": "" });
  const popup = await the.click();
  await popup.waitForSelector("#finish");
  await popup.click("#finish");
  await the.ended();
  assert.deepEqual(await the.ends(), CONNECTED(the.token));
});

test("WebAssembly forbidden by the policy: the link takes over", async (the) => {
  await the.open({ "no-wasm": "" });
  const link = the.page.getByRole("link", { name: "Plain link" });
  await link.waitFor();
  await link.click();
  await the.page.waitForSelector("#finish");
});

test("JavaScript off: the link", async (the) => {
  await the.open({}, {}, { javaScriptEnabled: false });
  await the.page.getByRole("link", { name: "Plain link" }).click();
  await the.page.waitForURL(/state=/);
});

test("mailgrant-start can be refused", async (the) => {
  await the.open();
  await the.page.evaluate(() => document.addEventListener("mailgrant-start", (event) => event.preventDefault()));
  await the.button().click();
  await the.page.waitForTimeout(500);
  assert.equal(the.context.pages().length, 1);
});

test("a form carries the session's id", async (the) => {
  await the.open();
  const popup = await the.click();
  await popup.click("#finish");
  await the.ended();
  assert.equal(await the.page.evaluate(() => new FormData(document.forms[0]).get("mailbox")), `cs_${the.token}`);
});

test("an administrator has to agree", async (the) => {
  await the.open();
  const popup = await the.click();
  await popup.waitForSelector("#finish");
  become(the.session, { status: "awaiting_admin_consent", admin_consent_url: "https://authority.example/adminconsent" });
  const link = the.page.getByRole("link", { name: "Link for your administrator" });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), "https://authority.example/adminconsent");
  become(the.session, { status: "connected" });
  await the.ended();
  assert.equal((await the.ends())[0][0], "success");
});

test("an administrator has agreed: the person goes on where they were", async (the) => {
  await the.open();
  const popup = await the.click();
  await popup.waitForSelector("#finish");
  become(the.session, { status: "awaiting_admin_consent", admin_consent_url: "https://authority.example/adminconsent" });
  await the.shows("awaiting-admin");
  await popup.close();
  become(the.session, { status: "pending", phase: "created" });
  await the.shows("agreed");
  await the.page.waitForTimeout(2500);
  assert.deepEqual(await the.ends(), [], "the closed window ends nothing");
  assert.ok(!the.session.asked.includes("DELETE"));
  const [again] = await Promise.all([the.context.waitForEvent("page"), the.page.getByRole("button", { name: "Open again" }).click()]);
  await again.waitForSelector("#finish");
  await again.click("#finish");
  await the.ended();
  assert.deepEqual(await the.ends(), CONNECTED(the.token));
});

test("passing faults of the gateway are ridden out", async (the) => {
  await the.open({}, { faults: 3 });
  const popup = await the.click();
  await the.shows("reconnecting");
  await popup.click("#finish");
  await the.ended();
  assert.deepEqual(await the.ends(), CONNECTED(the.token));
});

test("what a screen reader meets, in three languages", async (the) => {
  await the.open({ lang: "de" });
  assert.equal(await the.button().textContent(), "Postfach verbinden");
  await the.click();
  await the.page.getByRole("status").filter({ hasText: "Weiter im Anmeldefenster." }).waitFor();
  await the.page.goto(`${the.stage.site}/?token=${the.token}&lang=ar`);
  assert.equal(await the.page.locator("mailgrant-connect").locator("div").getAttribute("dir"), "rtl");
  await the.page.goto(`${the.stage.site}/?token=${the.token}&lang=ja`);
  assert.equal(await the.button().textContent(), "メールボックスを接続");
});

const browser = await launch();
const servers = await stage(folder);
const queue = cases.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
let failed = 0;
// Few at a time: the widget tells a closed window from one that was cut off by the moment at which it sees it.
await Promise.all(Array.from({ length: 3 }, async () => {
  for (let next = queue.shift(); next; next = queue.shift()) await run(next, cases.indexOf(next));
}));
await browser.close();
servers.close();
console.log(failed ? `${failed} failed` : "all passed");
process.exitCode = failed ? 1 : 0;

async function run({ name, play }, index) {
  const token = `t${index}`;
  const the = {
    token,
    stage: servers,
    session: servers.session(token),
    async open(query = {}, session = {}, context = {}) {
      Object.assign(the.session, session);
      the.context = await browser.newContext(context);
      the.context.setDefaultTimeout(60_000); // on a machine that does much else
      the.page = await the.context.newPage();
      await the.page.goto(`${servers.site}/?${new URLSearchParams({ token, ...query })}`);
    },
    button: () => the.page.locator("mailgrant-connect").getByRole("button").first(),
    async click() {
      const [popup] = await Promise.all([the.context.waitForEvent("page"), the.button().click()]);
      return popup;
    },
    /** Lets the page act by itself: to the popup blocker, whatever Playwright evaluates is a gesture of the person. */
    untouched: () => the.page.waitForTimeout(1500),
    shows: (view) => the.page.locator(`mailgrant-connect[data-view="${view}"]`).waitFor(),
    ended: () => the.page.waitForFunction((names) => window.seen.some(([name]) => names.includes(name)), TERMINAL),
    /** The terminal events, after a while in which a second one might have come. */
    async ends() {
      await the.page.waitForTimeout(300);
      return (await the.page.evaluate(() => window.seen)).filter(([event]) => TERMINAL.includes(event));
    },
  };
  try {
    await play(the);
    const violations = (await the.page.evaluate(() => window.seen ?? []).catch(() => [])).filter(([event]) => event === "violation");
    assert.deepEqual(violations, []);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n     ${String(error.message).split("\n").slice(0, 12).join("\n     ")}`);
    console.log("     seen:", JSON.stringify(await the.page?.evaluate(() => window.seen).catch(() => null)));
  } finally {
    await the.context?.close();
  }
}
