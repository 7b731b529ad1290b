// Chromium as people run it: Playwright's own flags allow every popup and switch storage partitioning off, which hides
// exactly the failures that a sign-in widget has to survive.
import { readFileSync } from "node:fs";
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
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** A browser with popups blocked and third-party storage partitioned, as by default. */
export async function launch() {
  const features = await defaultFeatures();
  return chromium.launch({
    executablePath: EXECUTABLE,
    ignoreDefaultArgs: ["--disable-popup-blocking", ...features],
    args: [...QUIET, ...features.map((flag) => flag.replace(/,?ThirdPartyStoragePartitioning/, ""))],
  });
}

/** The `--disable-features=…` that Playwright would pass; only its exact text can be left out. */
async function defaultFeatures() {
  const server = await chromium.launchServer({ executablePath: EXECUTABLE, args: QUIET });
  try {
    const line = readFileSync(`/proc/${server.process().pid}/cmdline`, "utf8");
    return line.split("\0").filter((flag) => flag.startsWith("--disable-features="));
  } finally {
    await server.close();
  }
}
