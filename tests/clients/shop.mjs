// Uses the shop as a visitor does, in headless Chromium, and prints what the page shows: a line of JSON a step.
//
//   node shop.mjs NODE_MODULES CHROMIUM PAGE PICTURES

import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, chromium, address, pictures] = process.argv.slice(2);
const require = createRequire(join(modules, "/"));
const playwright = require("playwright-core");

const browser = await playwright.chromium.launch({
  executablePath: chromium,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--ignore-certificate-errors",
  ],
});
const page = await browser.newPage({ ignoreHTTPSErrors: true });
const failed = [];
page.on("pageerror", (error) => failed.push(String(error)));

const shown = (id) => page.textContent(`#${id}`);
const answer = async (act) => {
  await page.evaluate(() => { document.getElementById("answer").textContent = ""; });
  await act();
  // The answer to an alias may still come between: what is waited for begins with a status.
  await page.waitForFunction(() => /^\d/.test(document.getElementById("answer").textContent), null, { timeout: 60000 });
};

async function tell(step) {
  const user = await page.evaluate(() => {
    const current = window.mParticle.Identity.getCurrentUser();
    return current && {
      mpid: current.getMPID(), loggedIn: current.isLoggedIn(),
      identities: current.getUserIdentities().userIdentities,
    };
  });
  const page_ = { mpid: await shown("mpid"), loggedIn: await shown("logged-in"), answer: await shown("answer") };
  await page.screenshot({ path: join(pictures, `${step}.png`) });
  console.log(JSON.stringify({ step, user, page: page_, failed }));
}

async function open() {
  await page.goto(address);
  await page.waitForFunction(() => document.getElementById("mpid").textContent !== "-", null, { timeout: 60000 });
}

async function logIn(customer, email) {
  await page.fill("#login [name=customer]", customer);
  await page.fill("#login [name=email]", email);
  await answer(() => page.click("#login button"));
}

const change = async (email) => {
  await page.fill("#change [name=email]", email);
  await answer(() => page.click("#change button"));
};

await open();
await page.click("[data-product='Tea pot']");
await tell("visitor");

await logIn("c-1001", "ann@example.com");
await page.waitForFunction(() => document.getElementById("answer").textContent.includes("alias"), null, { timeout: 60000 });
await tell("login");

await change("ann@example.org");
await tell("change");

await answer(() => page.click("#logout"));
await tell("logout");

await logIn("c-2002", "bob@example.com");
await tell("second");

await change("ann@example.org"); // which is another customer's
await tell("refused");

await page.evaluate(() => window.mParticle.endSession());
await open(); // comes back
await tell("return");

const found = await page.evaluate(
  (key) => new Promise((done) => {
    window.mParticle.Identity.search(key, { customerid: "c-1001" }, (result) => done(result));
  }),
  new URL(address).searchParams.get("key"),
);
console.log(JSON.stringify({ step: "search", found, failed }));

await page.click("[data-product='Tea']"); // the session ends with a beacon
await page.goto("about:blank");
await page.waitForTimeout(1000);
await browser.close();
