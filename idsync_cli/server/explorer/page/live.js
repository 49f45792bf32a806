// The latest requests as they come, and the explanation of each when it is opened.

import { listen, read } from "./api.js";
import { element, replace } from "./dom.js";
import { pieces } from "./draw.js";
import { failure } from "./failures.js";
import { profileLink } from "./routes.js";

const KEPT = 100;
const AGAIN_MS = 2000;

export function live({ context, signal, again }) {
  if (!context.is_served) {
    return element("p", {}, "There are no live requests: this page was started without the API. To watch requests as they arrive, run idsync serve.");
  }
  const list = element("ol", { class: "live" });
  const state = element("p", { role: "status" }, "Listening: no requests yet.");
  let isPaused = false;
  let waiting = [];
  const pause = element("button", {
    type: "button", "aria-pressed": "false",
    onclick: () => {
      isPaused = !isPaused;
      pause.setAttribute("aria-pressed", String(isPaused));
      if (!isPaused) take([]);
      tell();
    },
  }, "Pause");

  function tell() {
    if (isPaused) state.textContent = `Paused: ${waiting.length} new.`;
    else if (list.childElementCount) state.textContent = `Listening: the last ${list.childElementCount}, newest first.`;
  }

  function take(requests) {
    waiting.push(...requests);
    waiting = waiting.slice(-KEPT);
    if (!isPaused) {
      list.prepend(...waiting.map((each) => line(each, signal)).reverse());
      waiting = [];
      while (list.childElementCount > KEPT) list.lastChild.remove();
    }
    tell();
  }

  async function follow() {
    let after = null;
    while (!signal.aborted) {
      try {
        await listen("live", after, (id, requests) => { after = id; take(requests); }, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 401 || error.status === 404) {
          replace(state, failure(error, again));
          return;
        }
        state.textContent = `${error.message}; trying again.`;
      }
      await new Promise((done) => { setTimeout(done, AGAIN_MS); });
    }
  }

  follow();
  return [element("div", { class: "status" }, pause, state), list];
}

function line(request, signal) {
  const body = element("div", { class: "result" });
  const looks = { rejected: "failed", error: "failed", matched: "decided", created: "added" };
  const summary = element(
    "summary", {},
    element("span", { class: "look-aside" }, request.time.slice(11, 23)), " ",
    element("span", { class: "look-heading" }, request.type), " ",
    element("span", { class: `look-${looks[request.status] ?? "plain"}` }, request.status), " ",
    element("span", {}, request.decided ?? `${request.code}, HTTP ${request.http_status}`),
  );
  let wasAsked = false;

  async function open() {
    if (!details.open || wasAsked) return;
    wasAsked = true;
    try {
      const found = await read(`live/${request.number}`, signal);
      replace(body, pieces(found.shown, `Request ${request.number}`));
    } catch (error) {
      replace(body, failure(error, open));
    }
  }

  const details = element("details", { ontoggle: open }, summary, body);
  const whose = request.mpid ? element("p", { class: "whose" }, "profile ", profileLink(request.mpid)) : null;
  return element("li", {}, details, whose);
}
