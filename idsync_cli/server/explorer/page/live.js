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
  const page = crypto.getRandomValues(new Uint32Array(2)).join("-"); // what it was sent last is kept under this name
  let isPaused = false;
  let latest = null; // the number of the latest request that is shown
  let before = null; // that of the last before the first one
  let turning = new AbortController();
  const pause = element("button", {
    type: "button", "aria-pressed": "false",
    onclick: () => {
      isPaused = !isPaused;
      pause.setAttribute("aria-pressed", String(isPaused));
      tell(0);
      turning.abort();
    },
  }, "Pause");

  function tell(came = 0) {
    const shown = Math.min(list.childElementCount, KEPT);
    const all = latest === null ? 0 : latest - before;
    if (isPaused) state.textContent = `Paused: ${came.toLocaleString("en")} new.`;
    else if (all > shown) state.textContent = `Listening: the last ${shown} of ${all.toLocaleString("en")}, newest first.`;
    else if (shown) state.textContent = `Listening: the last ${shown}, newest first.`;
    else state.textContent = "Listening: no requests yet.";
  }

  const TAKE = {
    requests(number, requests) {
      before ??= requests[0].number - 1;
      latest = number;
      list.prepend(...requests.map((each) => line(each, page, signal)).reverse());
      const beyond = [...list.children].slice(KEPT); // an explanation that is being read stays
      for (const each of beyond) if (!each.querySelector("details[open]")) each.remove();
      tell();
    },
    came: (number, came) => tell(came),
    forgotten(number) {
      latest = before = number;
      replace(list);
      tell();
    },
  };

  async function follow() {
    while (!signal.aborted) {
      turning = new AbortController();
      const path = `live?page=${page}${isPaused ? "&paused=true" : ""}`;
      try {
        await listen(path, latest, (id, name, data) => TAKE[name]?.(Number(id), data), turning.signal);
      } catch (error) {
        if (signal.aborted) return;
        if (turning.signal.aborted) continue;
        if (error.status === 401 || error.status === 404) {
          replace(state, failure(error, again));
          return;
        }
        state.textContent = `${error.message}; trying again.`;
      }
      await new Promise((done) => { setTimeout(done, AGAIN_MS); });
    }
  }

  signal.addEventListener("abort", () => turning.abort());
  follow();
  return [element("div", { class: "status" }, pause, state), list];
}

function line(request, page, signal) {
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
      const found = await read(`live/${request.number}?page=${page}`, signal);
      replace(body, pieces(found.shown, `Request ${request.number}`));
    } catch (error) {
      replace(body, failure(error, open));
    }
  }

  const details = element("details", { ontoggle: open }, summary, body);
  const whose = request.mpid ? element("p", { class: "whose" }, "profile ", profileLink(request.mpid)) : null;
  return element("li", {}, details, whose);
}
