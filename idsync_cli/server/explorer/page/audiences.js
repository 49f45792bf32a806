// Audiences with how many members each has, and the first members of one.

import { read } from "./api.js";
import { element, section } from "./dom.js";
import { pieces, table } from "./draw.js";
import { audienceRoute } from "./routes.js";

export async function audiences({ rest, signal }) {
  const [scope, name] = rest;
  if (scope && name) {
    const query = new URLSearchParams({ scope, name });
    const found = await read(`members?${query}`, signal);
    return [
      element("p", {}, element("a", { href: "#/audiences" }, "All audiences")),
      section("Members", pieces(found.shown, "Members")),
    ];
  }
  const found = await read("audiences", signal);
  const [first] = found.shown;
  if (!first.table) return pieces(found.shown, "Audiences");
  const linked = (place, column, drawn) => {
    if (column !== 0) return null;
    const audience = found.audiences[place];
    return element("a", { href: audienceRoute(audience.scope, audience.audience_name) }, drawn);
  };
  return element("div", { class: "tables" }, table(first.table, "Audiences", linked));
}
