// Looks at every view of the explorer in headless Chromium, and prints what it found: a line of JSON each.
//
//   node explorer.mjs NODE_MODULES CHROMIUM ADDRESS PICTURES MPID

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launched, requireFrom, settled, tell, watched } from "./browser.mjs";

const [modules, chromium, address, pictures, mpid] = process.argv.slice(2);
const axe = readFileSync(requireFrom(modules).resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [400, 900, 1600];
const SCHEMES = ["light", "dark"];

const browser = await launched(modules, chromium);

// Asks as somebody would, and opens the first of the live requests.
const VIEWS = {
  ask: async (page) => {
    await page.fill("form.request .row input >> nth=0", "XYZ789");
    await page.click("button.quiet:has-text('Add')");
    await page.selectOption("form.request .rows .row >> nth=1 >> select", "ios_idfv");
    await page.fill("form.request .rows .row >> nth=1 >> input", "9876");
    await page.click("button.main");
    await page.waitForSelector(".result table");
  },
  profiles: async () => {},
  [`profiles/${mpid}`]: async (page) => { await page.waitForSelector(".graph .node"); },
  live: async (page) => {
    await page.waitForSelector("ol.live li");
    await page.click("ol.live summary >> nth=0");
    await page.waitForSelector("ol.live .pieces");
  },
  compare: async (page) => {
    const text = page.locator("textarea");
    const now = await text.inputValue();
    await text.fill(now.replace("[customer_id, email, ios_idfv", "[ios_idfv, customer_id, email"));
    await page.click("button.main");
    await page.waitForSelector(".sides table");
  },
  configuration: async () => {},
  audiences: async () => {},
  "audiences/shop/buyers": async () => {},
};

for (const scheme of SCHEMES) {
  for (const width of WIDTHS) {
    const context = await browser.newContext({
      viewport: { width, height: width === 400 ? 800 : 1000 }, colorScheme: scheme,
    });
    const { page, seen } = await watched(context);
    await page.goto(address);
    for (const [view, act] of Object.entries(VIEWS)) {
      await page.goto(`${new URL(address).origin}/#/${view}`);
      await settled(page);
      await act(page);
      const name = `${view.replaceAll("/", "_").replace(mpid, "one")}-${width}-${scheme}`;
      const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      // Tables fit, or are lists of records, whose labels may be broken.
      const misfits = await page.evaluate(() => [
        ...[...document.querySelectorAll(".table")].filter((each) => each.scrollWidth > each.clientWidth),
        ...[...document.querySelectorAll(".records td")].filter((each) => {
          const { display, whiteSpace } = getComputedStyle(each);
          return display === "grid" && whiteSpace !== "normal";
        }),
      ].map((each) => each.textContent.slice(0, 200)));
      // axe is put in by the browser's own tools, which no policy of a page binds.
      const client = await context.newCDPSession(page);
      await client.send("Runtime.evaluate", { expression: axe });
      const { result } = await client.send("Runtime.evaluate", {
        expression: "axe.run().then((found) => JSON.stringify(found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 200) + ' ' + node.failureSummary)])))",
        awaitPromise: true,
      });
      await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
      tell({ view, width, scheme, isTooWide, misfits, violations: JSON.parse(result.value), failed: seen.failed.splice(0) });
    }
    await context.close();
  }
}
await browser.close();
