// The form of a request: its kind, its identifiers, and whether it is carried out.

import { element, field, newId, replace } from "./dom.js";

// What was typed stays while the page is open, in every view that has the form.
const kept = { type: "identify", rows: [["", ""]], scope: "", previous: "", dry: true };

export function requestForm(context, { button, withDry, onask, more = [] }) {
  const rows = element("div", { class: "rows" });
  const kinds = element(
    "fieldset", { class: "kinds" }, element("legend", {}, "Request"),
    context.kinds.map((kind) => choice(kind)),
  );
  const scopes = Object.keys(context.scopes);
  if (!scopes.includes(kept.scope)) kept.scope = scopes[0] ?? "";
  const scope = element(
    "select", { onchange: () => { kept.scope = scope.value; drawRows(); } },
    scopes.map((name) => element("option", { value: name, selected: name === kept.scope }, name)),
  );
  const previous = element("input", {
    type: "text", value: kept.previous, autocomplete: "off", spellcheck: "false",
    inputmode: "numeric", oninput: () => { kept.previous = previous.value; },
  });
  const add = element("button", {
    type: "button", class: "quiet",
    onclick: () => { kept.rows.push(["", ""]); drawRows(); rows.lastChild.querySelector("select").focus(); },
  }, "Add an identifier");

  function drawRows() {
    const first = context.scopes[kept.scope] ?? [];
    const others = context.types.filter((name) => !first.includes(name));
    replace(rows, kept.rows.map((row, index) => identifierRow(row, index, first, others)));
  }

  function identifierRow(row, index, first, others) {
    const option = (name) => element("option", { value: name, selected: name === row[0] }, name);
    row[0] ||= first[index] ?? first[0] ?? others[0];
    const number = kept.rows.length > 1 ? ` ${index + 1}` : "";
    const type = element(
      "select", { id: newId("type"), onchange: () => { row[0] = type.value; } },
      first.length ? element("optgroup", { label: "In the priority" }, first.map(option)) : null,
      others.length ? element("optgroup", { label: "Not in the priority" }, others.map(option)) : null,
    );
    const value = element("input", {
      type: "text", id: newId("value"), value: row[1], autocomplete: "off", spellcheck: "false",
      autocapitalize: "off", oninput: () => { row[1] = value.value; },
    });
    const remove = element("button", {
      type: "button", class: "quiet", "aria-label": `Remove identifier${number}`,
      onclick: () => { kept.rows.splice(index, 1); drawRows(); add.focus(); },
    }, "Remove");
    return element(
      "div", { class: "row" },
      field(`Type${number}`, type), field(`Value${number}`, value),
      kept.rows.length > 1 ? remove : null,
    );
  }

  function choice(kind) {
    const input = element("input", {
      type: "radio", name: "kind", value: kind, id: newId("kind"), checked: kind === kept.type,
      onchange: () => { kept.type = kind; },
    });
    return element("span", { class: "choice" }, input, element("label", { for: input.id }, kind));
  }

  function submit(event) {
    event.preventDefault();
    onask(requestTyped());
  }

  drawRows();
  return element(
    "form", { class: "request", onsubmit: submit },
    kinds, rows, element("div", {}, add),
    element(
      "div", { class: "row" },
      scopes.length > 1 ? field("Scope", scope) : null,
      field("Previous MPID (optional)", previous),
    ),
    more, withDry ? dryRun(context) : null,
    element("div", {}, element("button", { type: "submit", class: "main" }, button)),
  );
}

function dryRun(context) {
  const input = element("input", {
    type: "checkbox", id: newId("dry"), checked: kept.dry || !context.may_write,
    disabled: !context.may_write, onchange: () => { kept.dry = input.checked; },
  });
  const told = context.may_write
    ? "Dry run: decide, but write nothing"
    : "Dry run: this page writes nothing unless idsync is started with --allow-writes";
  return element("span", { class: "choice" }, input, element("label", { for: input.id }, told));
}

function requestTyped() {
  const identities = {};
  for (const [type, value] of kept.rows) {
    if (value === "") continue;
    if (type in identities) identities[type] = [identities[type], value].flat();
    else identities[type] = value;
  }
  return {
    type: kept.type, known_identities: identities, scope: kept.scope || null,
    previous_mpid: kept.previous.trim() || null, dry_run: kept.dry,
  };
}
