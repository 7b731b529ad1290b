// The browser of the tests, with its flags put right by chromium.sh.
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser with popups blocked and third-party storage partitioned, as by default. */
export async function launch() {
  return chromium.launch({ executablePath: fileURLToPath(new URL("chromium.sh", import.meta.url)), args: QUIET });
}
