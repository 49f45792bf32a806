// Draws what the server shows as pieces: lines and tables of words with the names of their styles.

import { element } from "./dom.js";
import { profileLink } from "./routes.js";

// Tables that do not fit can be scrolled with the keyboard; those that fit are no stop for it.
const wide = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

export function pieces(shown, label) {
  const drawn = element("div", { class: "pieces" });
  let lines = null;
  for (const piece of shown) {
    if (piece.table) {
      lines = null;
      drawn.append(table(piece.table, label));
    } else {
      if (lines === null) {
        lines = element("div", { class: "lines" });
        drawn.append(lines);
      }
      lines.append(element("div", { class: "line" }, parts(piece.text)));
    }
  }
  return drawn;
}

export function table({ headings, rows }, label, decorate = null) {
  const numbers = headings.map((each) => (each.numbers ? "number" : null));
  const head = headings.map((each, n) => element("th", { scope: "col", class: numbers[n] }, each.text));
  const body = rows.map((row, place) =>
    element("tr", {}, row.map((cell, n) => {
      const drawn = parts(cell);
      const decorated = decorate === null ? null : decorate(place, n, drawn);
      return element("td", { class: numbers[n] }, decorated ?? drawn);
    })));
  const region = element(
    "div", { class: "scroll", role: "group", "aria-label": label },
    element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, body)),
  );
  wide.observe(region);
  return region;
}

export function parts(line) {
  return line.map(([words, look]) => {
    if (!look) return document.createTextNode(words);
    if (look === "mpid" && /^-?[0-9]+$/.test(words)) return profileLink(words);
    return element("span", { class: `look-${look.replaceAll("_", "-")}` }, words);
  });
}
