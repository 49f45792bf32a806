// Looks at hostile values everywhere in the explorer, and tells whether any of them acted.
//
//   node explorer_hostile.mjs NODE_MODULES CHROMIUM ADDRESS FACTS_FILE

import { readFileSync } from "node:fs";
import { launched, settled, tell, watched } from "./browser.mjs";

const [modules, chromium, address, file] = process.argv.slice(2);
const { mpids, values } = JSON.parse(readFileSync(file, "utf8"));
const { origin } = new URL(address);
const browser = await launched(modules, chromium);
const context = await browser.newContext({ viewport: { width: 900, height: 900 } });
const { page, seen } = await watched(context);
await page.goto(address);

// What the page never makes of itself; `window.acted` is what every value tries to set.
const FOREIGN = "img, script, iframe, object, embed, base, style, link, meta, audio, video, marquee, b, math, foreignObject";

async function look(where) {
  const found = await page.evaluate((foreign) => ({
    acted: window.acted ?? null,
    foreign: [...document.body.querySelectorAll(foreign)].map((each) => each.outerHTML),
    handlers: [...document.querySelectorAll("*")].flatMap((each) => [...each.attributes].map(({ name }) => name)).filter((name) => /^on|^style$|^srcdoc$/.test(name)).filter((name) => name !== "style"),
    links: [...document.querySelectorAll("a")].map((each) => each.getAttribute("href")).filter((href) => !/^#[/v]/.test(href)),
    text: document.body.textContent,
  }), FOREIGN);
  tell({ where, ...found, failed: seen.failed.splice(0), dialogs: seen.dialogs.splice(0), asked: [...seen.asked] });
}

for (const view of ["profiles", "audiences", "configuration", "compare", ...mpids.map((each) => `profiles/${each}`)]) {
  await page.goto(`${origin}/#/${view}`);
  await settled(page);
  if (view.includes("/")) await page.waitForSelector(".graph");
  await look(view);
}

await page.goto(`${origin}/#/audiences`);
await page.waitForSelector("tbody a");
await page.click("tbody a");
await page.waitForSelector("h2");
await look("members");

await page.goto(`${origin}/#/ask`);
for (const value of values) {
  await page.waitForSelector("form.request");
  await page.fill("form.request .row input >> nth=0", value);
  await page.click("button.main");
  await page.waitForFunction(() => document.querySelector(".result")?.textContent.length > 3);
  await look(`ask ${value}`);
  await page.evaluate(() => document.querySelector(".result").replaceChildren());
}

await page.goto(`${origin}/#/live`);
await page.waitForSelector("ol.live li");
for (const each of await page.$$("ol.live summary")) await each.click();
await page.waitForFunction(() => [...document.querySelectorAll("ol.live details")].every((each) => each.querySelector(".result").childElementCount));
await look("live");
for (const value of values) {
  await page.goto(`${origin}/#/profiles/${encodeURIComponent(value)}`);
  await page.waitForSelector(".failure");
  await look(`address ${value}`);
}
await browser.close();
