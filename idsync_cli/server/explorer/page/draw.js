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
  let lines = [];
  const flush = () => {
    const isEmpty = (line) => line.textContent.trim() === "";
    while (lines.length && isEmpty(lines[0])) lines.shift();
    while (lines.length && isEmpty(lines.at(-1))) lines.pop();
    if (lines.length) drawn.append(element("div", { class: "lines" }, lines));
    lines = [];
  };
  for (const piece of shown) {
    if (piece.table) {
      flush();
      drawn.append(table(piece.table, label));
    } else lines.push(line(piece.text));
  }
  flush();
  return drawn;
}

// What does not fit goes on below, a bit further in.
function line(said) {
  const drawn = element("div", { class: "line" }, parts(said));
  const indent = drawn.textContent.search(/\S|$/) + 2;
  drawn.style.paddingLeft = `${indent}ch`;
  drawn.style.textIndent = `-${indent}ch`;
  return drawn;
}

// Where there is little room each row is a card. Roles are named, because a browser forgets those of
// a table that is not laid out as one.
export function table({ headings, rows }, label, decorate = null) {
  const looks = headings.map((each) => [each.numbers && "number", !each.gives_way && "rigid"].filter(Boolean).join(" ") || null);
  const head = headings.map((each, n) => element("th", { scope: "col", role: "columnheader", class: looks[n] }, each.text));
  const body = rows.map((row, place) =>
    element("tr", { role: "row" }, row.map((cell, n) => {
      const drawn = parts(cell);
      const decorated = decorate === null ? null : decorate(place, n, drawn);
      return element(
        "td", { role: "cell", class: looks[n] },
        element("span", { class: "label", "aria-hidden": "true" }, headings[n].text),
        element("span", { class: "cell" }, decorated ?? drawn),
      );
    })));
  const region = element(
    "div", { class: "scroll", role: "group", "aria-label": label },
    element(
      "table", { role: "table", "aria-label": label },
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, head)),
      element("tbody", { role: "rowgroup" }, body),
    ),
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
