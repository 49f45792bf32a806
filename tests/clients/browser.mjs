// Headless Chromium for the tests of the explorer.

import { createRequire } from "node:module";
import { join } from "node:path";

export function requireFrom(modules) {
  return createRequire(join(modules, "/"));
}

export async function launched(modules, chromium, more = []) {
  return requireFrom(modules)("playwright-core").chromium.launch({
    executablePath: chromium,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
      "--disable-background-networking", "--disable-component-update", ...more,
    ],
  });
}

export function tell(found) {
  console.log(JSON.stringify(found));
}

// A page whose errors, dialogs and requests are written down.
export async function watched(context) {
  const page = await context.newPage();
  const seen = { failed: [], dialogs: [], asked: new Set() };
  page.on("pageerror", (error) => seen.failed.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") seen.failed.push(message.text()); });
  page.on("dialog", (dialog) => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => seen.asked.add(new URL(request.url()).origin));
  return { page, seen };
}

export async function settled(page) {
  await page.waitForSelector("main .body > :not([role=status])");
}
