// A profile: what it holds, what else it has, its story.

import "./graph.js";
import { read } from "./api.js";
import { element, field, section } from "./dom.js";
import { pieces } from "./draw.js";

export async function profiles({ context, rest, signal }) {
  const [mpid] = rest;
  const form = whichOne(mpid ?? "");
  const newest = () => section(
    "The newest profiles",
    context.shown.length ? pieces(context.shown, "The newest profiles") : element("p", {}, "There are none yet."),
  );
  if (!mpid) return [form, newest()];
  const named = `profile/${encodeURIComponent(mpid)}`;
  const found = await read(named, signal);
  if (found.not_there) {
    return [form, element("div", { class: "failure", role: "alert" }, pieces(found.not_there, "Not there")), newest()];
  }
  const [told, graph] = await Promise.all([read(`${named}/story`, signal), read(`${named}/graph`, signal)]);
  return [
    form,
    section("What it holds", pieces(found.shown, "Identifiers")),
    section("Attributes and events", found.data.length ? pieces(found.data, "Attributes and events") : element("p", {}, "It has none.")),
    found.comes_to.length ? section("Calculated attributes and audiences", pieces(found.comes_to, "Calculated attributes and audiences")) : null,
    section("Story", pieces(told.shown, "Story")),
    section("Graph", graphOf(graph)),
  ];
}

// The script of graphs wants a graph that is on the page, to see how large it is.
function graphOf(found) {
  const drawn = pieces(found.shown, "The graph as a table");
  const graph = drawn.querySelector(".graph");
  if (graph !== null) requestAnimationFrame(() => window.idsyncGraph(graph));
  return drawn;
}

function whichOne(mpid) {
  const input = element("input", {
    type: "text", value: mpid, autocomplete: "off", spellcheck: "false", inputmode: "numeric",
  });
  const submit = (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    if (wanted) location.hash = `#/profiles/${encodeURIComponent(wanted)}`;
  };
  return element(
    "form", { class: "inline", onsubmit: submit },
    field("MPID", input), element("button", { type: "submit", class: "main" }, "Show"),
  );
}
