// Begins the page, and shows the view that its address names.

import { forgetStore, read, takeToken, whenReplaced } from "./api.js";
import { ask } from "./ask.js";
import { audiences } from "./audiences.js";
import { compare } from "./compare.js";
import { configuration } from "./configuration.js";
import { element, replace } from "./dom.js";
import { failure } from "./failures.js";
import { live } from "./live.js";
import { profiles } from "./profiles.js";
import { route, VIEWS } from "./routes.js";

const LOOK_AGAIN_MS = 10000;
const SHOWN = { ask, audiences, compare, configuration, live, profiles };

const views = document.getElementById("views");
const view = document.getElementById("view");
const banner = document.getElementById("banner");
let context = null;
let leaving = new AbortController();

function drawNavigation(current) {
  const links = VIEWS.map(([name, title]) => element(
    "li", {},
    element("a", { href: `#/${name}`, "aria-current": name === current ? "page" : null }, title),
  ));
  replace(views, element("ul", {}, links));
}

async function show({ takeFocus }) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { view: name, rest } = route();
  const title = VIEWS.find(([each]) => each === name)[1];
  drawNavigation(name);
  document.title = `${title} · idsync explorer`;
  const heading = element("h1", { tabindex: "-1" }, title);
  const body = element("div", { class: "body" }, element("p", { role: "status" }, "…"));
  replace(view, heading, body);
  if (takeFocus) heading.focus();
  try {
    context ??= await read("overview", signal);
    const drawn = await SHOWN[name]({ context, rest, signal, again: showAgain });
    if (!signal.aborted) replace(body, drawn);
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    replace(body, failure(error, showAgain));
    if (error.code === undefined) throw error;
  }
}

function showAgain() {
  context = null;
  forgetStore();
  replace(banner);
  show({ takeFocus: true });
}

whenReplaced(() => {
  const told = "The store was replaced while this page was open: what you see may come from the old one. ";
  replace(banner, element("p", {}, told, element("button", { type: "button", onclick: showAgain }, "Show the new one")));
});

// A page that is left open looks now and then whether it is still the same store. What goes wrong is told
// to whoever asks for something.
function lookAgain() {
  if (context !== null && !document.hidden && !banner.hasChildNodes()) read("store").catch(() => {});
}

setInterval(lookAgain, LOOK_AGAIN_MS);
document.addEventListener("visibilitychange", lookAgain);

takeToken();
window.addEventListener("hashchange", () => {
  const hadToken = location.hash.startsWith("#token=");
  takeToken();
  if (hadToken) showAgain();
  else if (location.hash !== "#view") show({ takeFocus: true });
});
show({ takeFocus: false });
