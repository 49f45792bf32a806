// Uses the explorer in headless Chromium as its user does, and as those do who want to get in.
//
//   node explorer_acts.mjs NODE_MODULES CHROMIUM ADDRESS FACTS
//
// FACTS is JSON: `restore`, a command that replaces the store, and `attacker`, the address of a page of another site.

import { spawnSync } from "node:child_process";
import { launched, settled, tell, watched } from "./browser.mjs";

const [modules, chromium, address, given] = process.argv.slice(2);
const facts = JSON.parse(given);
const { origin, port, hash } = new URL(address);
const token = hash.slice("#token=".length);
const browser = await launched(modules, chromium, [`--host-resolver-rules=MAP rebound.example 127.0.0.1`]);

async function visit(open = address) {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
  const { page, seen } = await watched(context);
  await page.goto(open);
  return { context, page, seen };
}

const STEPS = {
  async token() {
    const { context, page } = await visit(origin);
    await page.waitForSelector(".failure");
    const without = await page.textContent(".failure");
    await page.fill(".failure input", address);
    await page.click(".failure button");
    await page.waitForSelector("form.request");
    await page.reload();
    await page.waitForSelector("form.request");
    const isHidden = !page.url().includes(token);
    const other = await context.newPage();
    await other.goto(`${origin}/#/audiences`);
    await settled(other);
    return { without, isHidden, other: await other.textContent("h1") };
  },

  async keyboard() {
    const { page } = await visit();
    await page.waitForSelector("form.request");
    const stops = [];
    const stop = async () => {
      await page.keyboard.press("Tab");
      const found = await page.evaluate(() => {
        const each = document.activeElement;
        const label = each.labels?.[0]?.textContent ?? each.textContent;
        return [each.tagName, label.trim(), getComputedStyle(each).outlineStyle !== "none"];
      });
      stops.push(found);
      return found;
    };
    while ((await stop())[1] !== "Value") if (stops.length > 30) break;
    await page.keyboard.type("ABC123");
    while ((await stop())[1] !== "Ask" || stops.at(-1)[0] !== "BUTTON") if (stops.length > 40) break;
    await page.keyboard.press("Enter");
    await page.waitForSelector(".result table");
    const spoken = await page.getAttribute(".result", "aria-live");
    await page.goto(`${origin}/#/configuration`);
    await settled(page);
    const focused = await page.evaluate(() => document.activeElement.textContent);
    return { stops, spoken, focused, title: await page.title(), answer: await page.textContent(".result, main") };
  },

  async write() {
    const { page } = await visit();
    await page.check("text=login");
    await page.fill("form.request .row input >> nth=0", "NEW-ONE");
    await page.uncheck("text=Dry run");
    await page.click("button.main");
    await page.waitForSelector(".result table, .result .line");
    const made = await page.textContent(".result");
    await page.goto(`${origin}/#/live`);
    await page.waitForSelector("ol.live li");
    const line = await page.textContent("ol.live summary");
    await page.click("ol.live summary >> nth=0");
    await page.waitForSelector("ol.live table");
    const explained = await page.textContent("ol.live .result");
    await page.click("ol.live .whose a");
    await page.waitForSelector(".graph .node");
    const nodes = await page.$$eval(".graph .node text", (all) => all.map((each) => each.textContent));
    await page.focus(".graph .node >> nth=0");
    const told = await page.textContent(".graph .told");
    return { made, line, explained, nodes, told };
  },

  // More requests come than a page shows, while it pauses.
  async flood() {
    const { page } = await visit();
    await page.waitForSelector("form.request");
    await page.goto(`${origin}/#/live`);
    const come = async (count) => {
      const headers = { "x-mp-key": "web-key", "content-type": "application/json" };
      for (let number = 0; number < count; number += 1) {
        const body = JSON.stringify({ known_identities: { device_application_stamp: `flood-${number}` } });
        await fetch(`${origin}/v1/identify`, { method: "POST", headers, body });
      }
    };
    const says = (words) => page.waitForFunction((wanted) => document.querySelector(".status p").textContent.includes(wanted), words);
    await come(3);
    await page.waitForSelector("ol.live li");
    await page.waitForFunction(() => document.querySelectorAll("ol.live li").length >= 3);
    await page.waitForTimeout(700); // all three are there
    await page.click("button:has-text('Pause')");
    await come(130);
    await says("130 new");
    const paused = await page.textContent(".status p");
    await page.click("ol.live summary >> nth=0");
    await page.waitForSelector("ol.live .pieces, ol.live .failure");
    const explained = await page.textContent("ol.live .result");
    await page.click("button:has-text('Pause')");
    await says("the last 100 of");
    const open = await page.locator("ol.live details[open]").count();
    await page.click("ol.live details[open] summary"); // and out of sight with the next that comes
    await come(1);
    await page.waitForFunction(() => document.querySelectorAll("ol.live li").length === 100);
    return { paused, explained, open, told: await page.textContent(".status p") };
  },

  async dryRun() {
    const { page } = await visit();
    await page.fill("form.request .row input >> nth=0", "NOT-MADE");
    await page.click("button.main");
    await page.waitForSelector(".result .pieces");
    return { told: await page.textContent(".result"), links: await page.locator(".result a").count() };
  },

  // On a phone: a fault far to the right in its line.
  async fault() {
    const context = await browser.newContext({ viewport: { width: 400, height: 800 } });
    const { page } = await watched(context);
    await page.goto(address);
    await page.waitForSelector("form.request");
    await page.goto(`${origin}/#/compare`);
    await page.fill("form.request .row input >> nth=0", "x");
    await page.fill("textarea", `scopes: {s: {strategy: best_match, priority: [email, customer_id, other, ios_idfv, nonsense]}}`);
    await page.click("button.main");
    await page.waitForSelector(".failure .look-caret");
    await page.waitForTimeout(300);
    const [caret, line] = await page.evaluate(() => {
      const caret = document.querySelector(".failure .look-caret"), line = caret.closest(".typed");
      return [caret, line].map((each) => each.getBoundingClientRect()).map(({ left, right }) => [left, right]);
    });
    return { caret, line };
  },

  async notThere() {
    const { page } = await visit();
    await page.goto(`${origin}/#/profiles/5`);
    await page.waitForSelector(".failure");
    const nobody = await page.textContent(".failure");
    await page.goto(`${origin}/#/profiles/x`);
    await page.waitForFunction(() => document.querySelector(".failure")?.textContent.includes("x"));
    return { nobody, none: await page.textContent(".failure") };
  },

  async replaced() {
    const { page } = await visit();
    await page.waitForSelector("form.request");
    const ended = spawnSync(facts.restore[0], facts.restore.slice(1), { cwd: facts.folder, encoding: "utf8" });
    await page.waitForSelector("#banner button"); // nobody touches the page
    const told = await page.textContent("#banner");
    await page.click("#banner button");
    await page.waitForFunction(() => document.getElementById("banner").textContent === "");
    await settled(page);
    return { told, restored: ended.status, error: ended.stderr };
  },

  async otherSite() {
    const { context, page } = await visit();
    await page.waitForSelector("form.request");
    const attack = await context.newPage();
    const opened = `${facts.attacker}/attack.html?${new URLSearchParams({ origin, token })}`;
    await attack.goto(opened);
    await attack.waitForFunction(() => window.outcomes !== undefined, null, { timeout: 90000 });
    return attack.evaluate(() => window.outcomes);
  },

  async rebound() {
    const context = await browser.newContext();
    const { page } = await watched(context);
    const reply = await page.goto(`http://rebound.example:${port}/#token=${token}`);
    const asked = await page.evaluate(async (its) => {
      const headers = { "x-idsync-token": its, "content-type": "application/json" };
      const read = await fetch("/explorer/api/overview", { headers });
      const body = JSON.stringify({ type: "login", known_identities: { customer_id: "REBOUND" }, dry_run: false });
      const write = await fetch("/explorer/api/ask", { method: "POST", headers, body });
      return [[read.status, await read.text()], [write.status, await write.text()]];
    }, token);
    return { status: reply.status(), asked };
  },

  async withoutScripts() {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const { page } = await watched(context);
    await page.goto(address);
    return { told: await page.textContent("main") };
  },
};

for (const [step, act] of Object.entries(STEPS)) {
  try {
    tell({ step, ...(await act()) });
  } catch (error) {
    tell({ step, error: String(error) });
  }
}
await browser.close();
