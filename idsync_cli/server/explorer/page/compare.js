// Compare: one request under the present configuration and under another one.

import { read, send } from "./api.js";
import { element, field, replace } from "./dom.js";
import { answerPieces } from "./draw.js";
import { failure } from "./failures.js";
import { requestForm } from "./request.js";

let typed = null;

export async function compare({ context, signal }) {
  typed ??= (await read("configuration", signal)).text;
  const text = element("textarea", {
    rows: "14", spellcheck: "false", autocapitalize: "off", value: typed,
    oninput: () => { typed = text.value; },
  });
  const file = element("input", {
    type: "file", accept: ".yaml,.yml,text/yaml",
    onchange: async () => { if (file.files[0]) { typed = await file.files[0].text(); text.value = typed; } },
  });
  const result = element("div", { class: "result", "aria-live": "polite" });

  async function onask(request) {
    replace(result, element("p", {}, "…"));
    try {
      replace(result, both(await send("compare", { ...request, configuration: text.value }, signal)));
    } catch (error) {
      replace(result, failure(error, () => onask(request)));
    }
  }

  const more = element(
    "div", {},
    field(
      "Configuration B", text,
      "A is the current configuration. B starts as a copy of it, with x in place of secrets: change it, or choose a file.",
    ),
    field("Or take B from a file", file),
  );
  return [requestForm(context, { button: "Compare", withDry: false, onask, more: [more] }), result];
}

function both({ sides, differ }) {
  const told = differ ? "≠ marks the first tier that differs." : "Every tier is the same on both sides.";
  const drawn = sides.map((each, index) => {
    const name = `${"AB"[index]}, ${index ? "the other configuration" : "the current configuration"}`;
    return element("section", {}, element("h2", {}, name), answerPieces(each, name, true));
  });
  return [element("p", { class: "hint" }, told), element("div", { class: "sides" }, drawn)];
}
