// Lets Mermaid itself read a diagram in headless Chromium, and prints what it drew: a line of JSON.
//
//   node mermaid.mjs NODE_MODULES CHROMIUM FILE PICTURE

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [modules, chromium, file, picture] = process.argv.slice(2);
const require = createRequire(join(modules, "/"));
const playwright = require("playwright-core");
const library = readFileSync(join(modules, "mermaid/dist/mermaid.min.js"), "utf8");
const browser = await playwright.chromium.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 1600, height: 1200 } });
let dialogs = 0;
const asked = [];
page.on("dialog", async (dialog) => { dialogs += 1; await dialog.dismiss(); });
page.on("request", (request) => asked.push(request.url()));
await page.setContent("<!DOCTYPE html><meta charset='utf-8'><div id='place'></div>");
await page.addScriptTag({ content: library });
const drawn = await page.evaluate(async (text) => {
  const { mermaid } = window;
  mermaid.initialize({ startOnLoad: false, securityLevel: "loose", maxEdges: 5000, maxTextSize: 1e6 });
  const type = await mermaid.parse(text);
  const { svg } = await mermaid.render("drawn", text);
  document.getElementById("place").innerHTML = svg;
  const texts = (selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent);
  return {
    type: type.diagramType,
    nodes: texts("#place .node .nodeLabel"),
    edges: document.querySelectorAll("#place .edgePaths path, #place path.flowchart-link").length,
    dotted: document.querySelectorAll("#place .edge-pattern-dotted").length,
    active: document.querySelectorAll("#place script, #place img, #place iframe, #place a").length,
    owned: "owned" in window,
  };
}, readFileSync(file, "utf8"));
await page.screenshot({ path: picture, fullPage: true });
await browser.close();
console.log(JSON.stringify({ ...drawn, dialogs, asked }));
