// Opens a page with a graph and prints the pictures as they then are, and how far what was painted
// has moved: a line of JSON.
//
//   node graph_layout.mjs NODE_MODULES CHROMIUM PAGE

import { launched, tell, watched } from "./browser.mjs";

const [modules, chromium, address] = process.argv.slice(2);
const browser = await launched(modules, chromium);
const { page, seen } = await watched(await browser.newContext({ viewport: { width: 900, height: 900 } }));
await page.goto(address);
const pictures = await page.$$eval(".graph .part svg", (all) => all.map((each) => each.outerHTML));
const moved = await page.evaluate(() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
}));
const library = await page.evaluate(() => (typeof dagre === "undefined" ? null : dagre.version));
await browser.close();
tell({ pictures, moved, library, failed: seen.failed });
