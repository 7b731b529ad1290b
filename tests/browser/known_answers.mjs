// Runs the core's known-answer table in Chromium's wasm: known_answers.mjs FOLDER; prints the table as JSON.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { launch } from "./chromium.mjs";

const folder = process.argv[2];
const TYPES = { js: "text/javascript", wasm: "application/wasm" };
const server = createServer(async (request, response) => {
  const name = basename(request.url);
  if (name === "") return response.setHeader("content-type", "text/html").end("<!doctype html><title>core</title>");
  try {
    const file = await readFile(join(folder, name));
    response.setHeader("content-type", TYPES[name.split(".").at(-1)] ?? "application/octet-stream").end(file);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const answers = await page.evaluate(async () => {
    const module = await import("/mailgrant_wasm_tests.js");
    await module.default();
    return module.known_answers();
  });
  console.log(answers);
} finally {
  await browser.close();
  server.close();
}
