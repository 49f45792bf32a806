// Ask: what a request comes to, tier by tier; and the newest profiles.

import { send } from "./api.js";
import { element, replace, section } from "./dom.js";
import { answerPieces, pieces } from "./draw.js";
import { failure } from "./failures.js";
import { requestForm } from "./request.js";

export function ask({ context, signal }) {
  const result = element("div", { class: "result", "aria-live": "polite" });

  async function onask(request) {
    replace(result, element("p", {}, "…"));
    try {
      replace(result, answer(await send("ask", request, signal)));
    } catch (error) {
      replace(result, failure(error, () => onask(request)));
    }
  }

  const newest = context.shown.length
    ? pieces(context.shown, "The newest profiles")
    : element("p", {}, "The store has no profiles yet. Make a request that is not a dry run, or run: idsync replay FILE");
  return [
    requestForm(context, { button: "Ask", withDry: true, onask }),
    result,
    section("The newest profiles", newest),
  ];
}

function answer(found) {
  const told = [];
  if (found.dry_run) told.push(element("p", { class: "hint" }, "Dry run: nothing was written to the store."));
  told.push(answerPieces(found, "What each tier found", found.dry_run));
  if (found.meant?.length) {
    told.push(element("ul", { class: "meant" }, found.meant.map((each) => element("li", {}, each))));
  }
  return told;
}
