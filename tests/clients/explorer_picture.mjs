// Asks a request in the explorer as somebody would, saves a picture of what it then shows, and prints the text.
//
//   node explorer_picture.mjs NODE_MODULES CHROMIUM ADDRESS PICTURE

import { launched, watched } from "./browser.mjs";

const [modules, chromium, address, picture] = process.argv.slice(2);
const IDENTIFIERS = [["customer_id", "XYZ789"], ["email", "a@example.com"], ["ios_idfv", "9876"]];

const browser = await launched(modules, chromium, ["--force-device-scale-factor=1"]);
const context = await browser.newContext({ viewport: { width: 1000, height: 600 }, colorScheme: "light" });
const { page } = await watched(context);
await page.goto(address);
await page.waitForSelector("form.request");
await page.check("text=login");
for (const [place, [type, value]] of IDENTIFIERS.entries()) {
  if (place) await page.click("button.quiet:has-text('Add')");
  await page.selectOption(`form.request .rows .row >> nth=${place} >> select`, type);
  await page.fill(`form.request .rows .row >> nth=${place} >> input`, value);
}
await page.click("button.main");
await page.waitForSelector(".result table");
await page.evaluate(() => document.activeElement.blur());
await page.screenshot({ path: picture, fullPage: true });
console.log(await page.evaluate(() => document.body.innerText));
await browser.close();
