// The sandbox as a person meets it: sandbox.mjs READY_FILE [SCREENSHOTS [NAME…]]. Exit code 1 when something is not as it should be.
// Every page is judged by axe-core, on two screens, light and dark; then the way to the mailbox is gone by keyboard alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { connect } from "node:tls";
import { launch } from "./chromium.mjs";

const [readyFile, shots, ...wanted] = process.argv.slice(2);
const sandbox = JSON.parse(readFileSync(readyFile, "utf8"));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const delegated = sandbox.applications.find(({ flow }) => flow === "delegated");
const CALLBACK = delegated.redirect_uri;
const appOnly = sandbox.applications.find(({ flow }) => flow === "app_only");
const person = sandbox.users[0];
const administrator = sandbox.users.find(({ address }) => address.startsWith("admin@"));
if (shots) mkdirSync(shots, { recursive: true });

const application = createServer((request, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>application</title>"));
await new Promise((listening) => application.listen(new URL(CALLBACK).port, "127.0.0.1", listening));
const browser = await launch();
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
try {
  await control("POST", "/faults", {});
  for (const [name, play] of Object.entries({ everyPage, byKeyboard, live, switches, tenant, shell, withoutScript, otherPages })) {
    if (!isWanted(name)) continue;
    await play();
    console.log(`ok   ${name}`);
  }
} finally {
  await browser.close();
  application.close();
  application.closeAllConnections();
}

/** Shows each page there is and has it judged, as every kind of screen shows it. */
async function everyPage() {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await tab(context);
  const judge = async (step) => {
    await page.evaluate(AXE);
    for (const [screen, viewport] of Object.entries(SCREENS)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await judgeAs(`${screen}-${colorScheme}-${step}`);
      }
    }
  };
  const judgeAs = async (name) => {
    await fits(page, name);
    if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join("\n")}`);
    assert.deepEqual(told, [], name);
    assert.match(await page.title(), / – |Going back/, `${name} has a title that says where one is`);
  };

  await control("POST", "/consent", { withdraw: delegated.client_id, require_admin: false });
  await refusedMailLogin("not a token");
  await page.goto(`${sandbox.authority}/`);
  await page.locator("#live[data-on=true]").waitFor();
  await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
  await judge("1-sandbox");

  await page.goto(authorize());
  await judge("2-sign-in");
  await signIn(page, person.address, "wrong");
  await page.getByRole("alert").waitFor();
  await judge("3-sign-in-refused");
  await signIn(page, person.address, person.password);
  await page.getByRole("heading", { name: "Permissions requested" }).waitFor();
  await judge("4-consent");

  await control("POST", "/consent", { require_admin: true });
  await page.goto(authorize());
  await page.getByRole("heading", { name: "An administrator must approve" }).waitFor();
  await judge("5-need-approval");
  await control("POST", "/consent", { require_admin: false });

  await page.goto(authorize({ prompt: "select_account" }));
  await page.getByRole("heading", { name: "Choose an account" }).waitFor();
  await judge("6-choose-an-account");
  await page.goto(`${sandbox.authority}/${sandbox.tenant}/adminconsent?client_id=${delegated.client_id}`);
  await signIn(page, administrator.address, administrator.password);
  await page.getByRole("heading", { name: /^Approve for everybody/ }).waitFor();
  await judge("7-administrator");
  await page.goto(authorize({ redirect_uri: `${CALLBACK}/other` }));
  await page.getByRole("heading", { name: "This did not work" }).waitFor();
  await judge("8-error");
  await page.goto(`${sandbox.authority}/error?code=50011`);
  await judge("9-meaning");
  await page.goto(`${sandbox.authority}/device`);
  await judge("10-device-code");
  await page.getByLabel("Code").fill("NOSUCHONE");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await judge("11-device-code-refused");
  await page.goto(`${sandbox.authority}/${sandbox.tenant}/oauth2/v2.0/logout`);
  await judge("12-signed-out");
  await control("PATCH", "/directory/tenant", { stay_signed_in: true });
  await page.goto(`${sandbox.authority}/device`);
  await page.getByLabel("Code").fill(await deviceCode());
  await page.keyboard.press("Enter");
  await signIn(page, person.address, person.password);
  await page.getByRole("heading", { name: "Stay signed in?" }).waitFor();
  await judge("13-stay-signed-in");
  await control("PATCH", "/directory/tenant", { stay_signed_in: false });
  await page.getByRole("button", { name: "No", exact: true }).click();
  await page.getByRole("heading", { name: /^Are you trying to sign in to/ }).waitFor();
  await judge("14-confirm-the-device");
  await context.close();
}

/** From the sign-in to the application, with nothing but keys; what has the focus can be seen. */
async function byKeyboard() {
  await control("POST", "/consent", { withdraw: delegated.client_id });
  const context = await browser.newContext();
  const page = await tab(context);
  await page.goto(authorize());
  await focused(page, "Email address");
  await page.keyboard.type(person.address);
  await page.keyboard.press("Tab");
  await focused(page, "Password");
  await page.keyboard.type("not the password");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  // The error is read with the field that has the focus.
  await focused(page, "Password");
  const described = await page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-describedby")).textContent);
  assert.match(described, /AADSTS50126/);
  await page.keyboard.type(person.password);
  await page.keyboard.press("Tab");
  await focused(page, "Sign in");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Permissions requested" }).waitFor();
  await tabTo(page, "Accept");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${CALLBACK}?**`);
  assert.ok(new URL(page.url()).searchParams.get("code"));
  await context.close();
}

/** What programs do appears by itself, and the filter works. */
async function live() {
  await control("DELETE", "/requests");
  const context = await browser.newContext();
  const page = await tab(context);
  await page.goto(`${sandbox.authority}/`);
  await page.getByText("Nothing yet.").waitFor();
  await page.locator("#live[data-on=true]").waitFor();
  await refusedMailLogin("not a token");
  const login = page.locator(".entry", { hasText: `${person.address} was to be opened by IMAP.` });
  await login.getByText("The token is not a JWT that this authority issues.").waitFor();
  await login.getByText(/^Send the access token as the token endpoint gave it/).waitFor();
  await token({ client_secret: "wrong" });
  await token();
  const entries = page.locator(".entry:visible");
  await page.locator(".entry", { hasText: "AADSTS7000215" }).waitFor();
  await page.locator(".entry", { hasText: "It got one." }).waitFor();
  assert.match(await entries.first().textContent(), /It got one/, "newest first");
  assert.equal(await entries.count(), 3);
  await page.getByLabel("Show").selectOption("what was refused");
  assert.equal(await entries.count(), 2);
  await page.getByLabel("of kind").selectOption("token");
  assert.equal(await entries.count(), 1);
  await page.getByRole("searchbox").fill("no such client");
  assert.equal(await entries.count(), 0);
  await page.getByText("No request here is like that.").waitFor();
  await page.getByRole("searchbox").fill(appOnly.client_id.slice(0, 9));
  assert.equal(await entries.count(), 1);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.locator(".entry").first().waitFor({ state: "detached" });
  await context.close();
}

/** The switches change the sandbox, say so, and keep the focus. */
async function switches() {
  const context = await browser.newContext();
  const page = await tab(context);
  await page.goto(`${sandbox.authority}/`);
  await page.getByText("All well", { exact: true }).waitFor();
  const imap = page.locator("#faults-imap summary");
  await imap.focus();
  await page.keyboard.press("Enter");
  const fault = page.getByRole("switch", { name: "Not connected" });
  await fault.focus();
  await page.keyboard.press("Space");
  await page.getByRole("switch", { name: "Not connected", checked: true }).waitFor();
  await focused(page, "Not connected");
  assert.equal((await control("GET", "/faults")).imap.not_connected, true);
  await page.getByText("1 service faulty").waitFor();
  assert.match(await page.locator("#same-text").textContent(), /curl -X POST .*\n.*not_connected/);
  // What a program changes is seen too.
  await control("POST", "/faults", {});
  await page.getByRole("switch", { name: "Not connected", checked: false }).waitFor();
  await page.getByRole("button", { name: "+ 90 days" }).click();
  await page.locator("#state").getByText("Clock 90 days ahead").waitFor();
  assert.equal((await control("GET", "/clock")).offset_seconds, 90 * 86_400);
  await page.getByRole("button", { name: "Put right" }).click();
  await page.locator("#state").getByText("Clock").waitFor({ state: "detached" });
  assert.deepEqual(page.complaints, []);
  await context.close();
}

/** The directory is changed from the page: mailboxes, service principals, secrets, mail. */
async function tenant() {
  const context = await browser.newContext();
  const page = await tab(context);
  await page.goto(`${sandbox.authority}/`);
  const directory = (path) => control("GET", `/directory/${path}`);
  const mailbox = page.locator("#people .card", { hasText: person.address });
  const turn = async (within, name, to) => {
    await within.getByRole("switch", { name, exact: true }).click();
    await within.getByRole("switch", { name, exact: true, checked: to }).waitFor();
  };
  for (const [name, key] of [["IMAP", "imap"], ["POP", "pop"], ["SMTP", "smtp_auth"], ["Licence", "licensed"]]) {
    await turn(mailbox, name, false);
    assert.equal((await directory(`users/${person.address}`)).mailbox[key], false, name);
    await turn(mailbox, name, true);
    assert.equal((await directory(`users/${person.address}`)).mailbox[key], true, name);
  }
  await turn(mailbox, "May sign in", false);
  await mailbox.getByText("blocked").waitFor();
  await turn(mailbox, "May sign in", true);
  const rights = async () => (await directory("mailbox_permissions")).filter(({ mailbox, trustee }) => mailbox === person.address && trustee === appOnly.client_id).length;
  const unattended = mailbox.getByRole("switch", { name: "Mailgrant demo, unattended" });
  assert.equal(await unattended.getAttribute("aria-checked"), "true");
  await turn(mailbox, "Mailgrant demo, unattended", false);
  assert.equal(await rights(), 0);
  await turn(mailbox, "Mailgrant demo, unattended", true);
  assert.equal(await rights(), 1);

  const application = page.locator("#applications .card", { hasText: appOnly.client_id });
  await application.getByRole("button", { name: "Wrong" }).click();
  await application.getByText("registered with another object’s id").waitFor();
  await application.getByRole("button", { name: "Missing" }).click();
  await application.getByText("not registered: every login is refused").waitFor();
  assert.deepEqual(await directory("service_principals"), []);
  await application.getByRole("button", { name: "Right" }).click();
  await application.getByText("registered, with the right object id").waitFor();
  await application.getByRole("button", { name: /^Let it end/ }).click();
  await application.getByText(/^ended /).waitFor();
  assert.deepEqual((await token()).error_codes, [7000222]);
  await application.getByRole("button", { name: /^Valid again/ }).click();
  await application.getByText(/^ends /).waitFor();
  assert.ok((await token()).access_token);

  await page.getByLabel("In the mailbox").selectOption(person.address);
  await page.getByLabel("Subject").fill("It's here");
  await page.getByLabel("Text", { exact: true }).fill("Hello.");
  await page.getByRole("button", { name: "Deliver" }).click();
  await page.locator(".entry", { hasText: "POST /control/deliver" }).first().waitFor();
  // As a shell takes it: the page's line does the same once more.
  const printed = execFileSync("bash", ["-c", await page.locator("#same-text").textContent()], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 30_000 });
  assert.equal(JSON.parse(printed).delivered[0].mailbox, person.address);
  assert.deepEqual(page.complaints, []);
  await context.close();
}

/** The lines of the page do what the page says. */
async function shell() {
  const context = await browser.newContext();
  const page = await tab(context);
  await page.goto(`${sandbox.authority}/`);
  const lines = await page.locator(".trial code").textContent();
  await context.close();
  const printed = execFileSync("bash", ["-c", lines], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 30_000 });
  assert.match(printed, /STATUS INBOX \(MESSAGES \d+\)/i);
}

async function withoutScript() {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${sandbox.authority}/`);
  await page.getByText("Without script this page can be read").waitFor();
  await page.locator(".entry", { hasText: "The mailbox is open." }).first().waitFor();
  assert.equal(await page.getByRole("button").count(), 0, "no button that does nothing");
  await context.close();
}

/** A page of somebody else cannot use the control API, nor read this page, nor frame it. */
async function otherPages() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await context.route("http://other.example/", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>other</title>" }));
  await page.goto("http://other.example/");
  const before = await control("GET", "/clock");
  const tried = await page.evaluate(async (base) => {
    const clock = (options) => fetch(`${base}/control/clock`, { method: "POST", body: '{"advance_seconds": 60}', ...options });
    const outcome = (call) => call.then((answer) => answer.type, () => "refused");
    return [
      await outcome(clock({ headers: { "X-Sandbox-Control": "1", "Content-Type": "application/json" } })),
      await outcome(clock({ mode: "no-cors" })),
      await outcome(fetch(`${base}/`).then((answer) => answer.text())),
      await outcome(fetch(`${base}/`, { mode: "no-cors" })),
    ];
  }, sandbox.authority);
  assert.deepEqual(tried.filter((outcome) => outcome !== "refused" && outcome !== "opaque"), []);
  assert.equal(tried[0], "refused");
  assert.equal(tried[2], "refused");
  assert.equal((await control("GET", "/clock")).offset_seconds, before.offset_seconds);
  await page.setContent(`<iframe src="${sandbox.authority}/"></iframe>`);
  const frame = page.frames().at(-1);
  await frame.waitForLoadState().catch(() => {});
  assert.equal(await frame.locator("#requests").count(), 0, "not to be framed");
  await context.close();
}

async function tab(context) {
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  return page;
}

function authorize(changes = {}) {
  const query = { client_id: delegated.client_id, response_type: "code", redirect_uri: CALLBACK, scope: "openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All", state: "s", ...changes };
  return `${sandbox.authority}/${sandbox.tenant}/oauth2/v2.0/authorize?${new URLSearchParams(query)}`;
}

async function signIn(page, name, password) {
  await page.getByLabel("Email address").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** The element with the focus has that name, and one sees that it has it. */
async function focused(page, name) {
  const [label, outline] = await page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return [element.labels?.[0]?.textContent ?? element.textContent, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
  });
  assert.equal(label.trim(), name);
  assert.ok(outline, `the focus on ${name} cannot be seen`);
}

async function tabTo(page, name) {
  for (let at = 0; at < 20; at += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.textContent.trim())) === name) return focused(page, name);
  }
  assert.fail(`${name} is not reached by Tab`);
}

async function control(method, path, body) {
  const answer = await fetch(`${sandbox.control}${path}`, {
    method,
    headers: { "X-Sandbox-Control": "1", ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

async function token(changes = {}) {
  const form = { grant_type: "client_credentials", client_id: appOnly.client_id, client_secret: appOnly.client_secret, scope: "https://outlook.office365.com/.default", ...changes };
  const answer = await fetch(`${sandbox.authority}/${sandbox.tenant}/oauth2/v2.0/token`, { method: "POST", body: new URLSearchParams(form) });
  return answer.json();
}

async function deviceCode() {
  const device = sandbox.applications.find(({ flow }) => flow === "device");
  const form = { client_id: device.client_id, scope: "openid https://outlook.office.com/IMAP.AccessAsUser.All" };
  const answer = await fetch(`${sandbox.authority}/${sandbox.tenant}/oauth2/v2.0/devicecode`, { method: "POST", body: new URLSearchParams(form) });
  return (await answer.json()).user_code;
}

/** An IMAP login that fails; resolves when the server has said so. */
function refusedMailLogin(bearer) {
  const login = Buffer.from(`user=${person.address}\x01auth=Bearer ${bearer}\x01\x01`).toString("base64");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "localhost", port: sandbox.imap.port, ca: readFileSync(sandbox.ca_file) });
    socket.setTimeout(10_000, () => socket.destroy(new Error("IMAP does not answer")));
    socket.on("error", reject);
    let seen = "";
    socket.on("data", (data) => {
      seen += data;
      if (/^\* OK/.test(seen)) {
        seen = "";
        socket.write(`a AUTHENTICATE XOAUTH2 ${login}\r\n`);
      } else if (/^\+ /m.test(seen)) {
        seen = "";
        socket.write("\r\n");
      } else if (/^a NO/m.test(seen)) {
        socket.end();
        resolve();
      }
    });
  });
}

/** Nothing sticks out sideways. */
async function fits(page, step) {
  const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= width, `${step} is ${content} px wide on a screen of ${width}`);
}
