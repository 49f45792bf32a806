// Opens a page as a person would, in headless Chromium, and prints what happened: a line of JSON.
//
//   node pages.mjs NODE_MODULES CHROMIUM PAGE PICTURE WIDTH SCHEME
//
// Every part of a graph is pointed at and gone to with the keyboard, and its history is run through.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [modules, chromium, address, picture, width, scheme] = process.argv.slice(2);
const require = createRequire(join(modules, "/"));
const playwright = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await playwright.chromium.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const context = await browser.newContext({
  viewport: { width: Number(width), height: 900 }, colorScheme: scheme,
});
const page = await context.newPage();
const seen = { asked: [], said: [], dialogs: 0, errors: [] };
page.on("request", (request) => seen.asked.push(request.url()));
page.on("console", (message) => seen.said.push(message.text()));
page.on("dialog", async (dialog) => { seen.dialogs += 1; await dialog.dismiss(); });
page.on("pageerror", (error) => seen.errors.push(String(error)));
await page.goto(address);
seen.hidden = await page.locator(".graph .history[hidden], .graph .told[hidden]").count();
await page.screenshot({ path: picture });

seen.owned = await page.evaluate(() => "owned" in window);
seen.wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
seen.links = await page.locator(".graph .link").count();
seen.told = [];
for (const part of (await page.locator(".graph .node").all()).slice(0, 300)) {
  await part.focus();
  seen.told.push(await page.locator(".graph .told").innerText());
}
const link = page.locator(".graph .link").first();
if (seen.links) {
  await link.evaluate((each) => each.dispatchEvent(new PointerEvent("pointerenter", { pointerType: "mouse" })));
  seen.link = await page.locator(".graph .told").innerText();
  await page.keyboard.press("Escape");
}
seen.history = [];
const slider = page.locator(".graph .history input");
if (await slider.count()) {
  const last = Number(await slider.getAttribute("max"));
  for (let place = 0; place <= last; place += 1) {
    await slider.fill(String(place));
    seen.history.push({
      said: await page.locator(".graph .history output").innerText(),
      links: await page.locator(".graph .link:not(.later)").count(),
      past: await page.locator(".graph .link.past:not(.later)").count(),
      nodes: await page.locator(".graph .node:not(.later)").count(),
    });
  }
}
await page.emulateMedia({ media: "print" });
seen.printed = await page.evaluate(() => document.querySelector(".graph .part")?.getBoundingClientRect().bottom ?? 0);
await page.emulateMedia({ media: "screen" });
// Whoever develops a page may put scripts into it; axe is one, and the page's own policy refuses it.
const client = await context.newCDPSession(page);
await client.send("Page.setBypassCSP", { enabled: true });
await page.reload();
await page.evaluate(axe);
const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
seen.violations = found.violations.map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => node.target).join(", ")}`);
// On how many sheets the first picture is, with all that stands before it.
await page.reload();
await page.evaluate(() => {
  const pictures = document.querySelector(".graph .pictures");
  for (let each = pictures; each && each !== document.body; each = each.parentElement) {
    while (each.nextElementSibling) each.nextElementSibling.remove();
  }
});
const print = (await page.pdf({ format: "A4" })).toString("latin1");
seen.sheets = print.match(/\/Type \/Page\b/g).length;
await browser.close();
console.log(JSON.stringify(seen));
