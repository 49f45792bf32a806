// Audiences with how many members each has, and the first members of one.

import { read } from "./api.js";
import { element, section } from "./dom.js";
import { pieces } from "./draw.js";
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
  const drawn = pieces(found.shown, "Audiences");
  [...drawn.querySelectorAll("tbody tr")].forEach((row, index) => {
    const { scope: its, audience_name: named } = found.audiences[index];
    const cell = row.querySelector(".cell");
    cell.replaceChildren(element("a", { href: audienceRoute(its, named) }, [...cell.childNodes]));
  });
  return drawn;
}
