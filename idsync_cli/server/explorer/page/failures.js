// What went wrong, and the way on.

import { keepToken } from "./api.js";
import { element, field } from "./dom.js";
import { pieces } from "./draw.js";

export function failure(error, again) {
  if (error.name === "AbortError") return null;
  const told = element("div", { class: "failure", role: "alert" }, element("p", {}, error.message ?? String(error)));
  if (error.shown?.length) told.append(pieces(error.shown, "What is wrong"));
  if (error.code === "TOKEN_NEEDED") told.append(tokenForm(again));
  else if (error.code === "NO_ANSWER") {
    told.append(element("p", {}, "Start it again with idsync serve or idsync explore, and open the address it prints."));
  }
  if (error.status === 0 || error.status >= 500) {
    told.append(element("button", { type: "button", onclick: again }, "Try again"));
  }
  return told;
}

function tokenForm(again) {
  const input = element("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  const submit = (event) => {
    event.preventDefault();
    keepToken(input.value.trim().replace(/^.*token=/, ""));
    again();
  };
  return element(
    "form", { onsubmit: submit },
    field("Or paste the address or the token here", input),
    element("button", { type: "submit" }, "Open"),
  );
}
