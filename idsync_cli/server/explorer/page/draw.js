// Makes what the server shows: elements as [name, attributes, content…], none that could act.

import { element, svgElement } from "./dom.js";
import { profileLink } from "./routes.js";

const SVG = new Set(["svg", "g", "rect", "text", "path"]);
const NAMES = new Set([
  ...SVG, "div", "p", "span", "table", "thead", "tbody", "tr", "th", "td",
  "section", "h2", "h3", "ul", "ol", "li", "label", "input", "output",
]);
const ATTRIBUTES = /^(class|scope|id|for|type|min|max|value|step|hidden|role|tabindex|viewBox|width|height|rx|x|y|dy|d|transform|aria-[a-z]+|data-[a-z]+)$/;
const RIGID = 26; // a cell without a longer line is not broken

// The browser forgets these where a table is laid out as records.
const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", th: "columnheader", td: "cell" };

// Tables that do not fit can be scrolled with the keyboard; those that fit are no stop for it.
const wide = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

export function pieces(shown, label) {
  const drawn = element("div", { class: "pieces" }, shown.map(made));
  for (const each of drawn.querySelectorAll(".part")) each.setAttribute("role", "group");
  for (const each of drawn.querySelectorAll(".table")) {
    each.setAttribute("role", "group");
    each.setAttribute("aria-label", label);
    keepShortLines(each);
    wide.observe(each);
  }
  for (const each of drawn.querySelectorAll("p.line:not(.typed > *)")) indent(each);
  requestAnimationFrame(() => drawn.querySelectorAll(".typed .look-caret").forEach(showCaret));
  return drawn;
}

// What a dry run would make is not there: nothing leads to it.
export function answerPieces({ answer, shown }, label, isDry) {
  const drawn = pieces(shown, label);
  if (isDry && answer.status === "created") {
    for (const each of drawn.querySelectorAll("a.look-mpid")) {
      if (each.textContent === answer.mpid) each.replaceWith(element("span", { class: "look-mpid" }, answer.mpid));
    }
  }
  return drawn;
}

function made(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [name, attributes, ...content] = tree;
  if (!NAMES.has(name)) throw new Error(`an element that is not drawn: ${name}`);
  const kept = Object.entries(attributes).filter(([each]) => ATTRIBUTES.test(each));
  const make = SVG.has(name) ? svgElement : element;
  const drawn = make(name, { role: ROLES[name], ...Object.fromEntries(kept) }, content.map(made));
  const isMpid = drawn.classList.contains("look-mpid") && /^-?[0-9]+$/.test(drawn.textContent);
  return isMpid ? profileLink(drawn.textContent) : drawn;
}

// What does not fit goes on below, a bit further in.
function indent(line) {
  const depth = line.textContent.search(/\S|$/) + 2;
  line.style.paddingLeft = `${depth}ch`;
  line.style.textIndent = `-${depth}ch`;
}

// Short lines stay whole, where a row is not a record.
function keepShortLines(table) {
  for (const cell of table.querySelectorAll("td")) {
    if (cell.textContent.split("\n").every((line) => line.length <= RIGID)) cell.classList.add("rigid");
  }
}

// On a phone the line of a fault is wider than the page: it is shown where the fault is.
function showCaret(caret) {
  const line = caret.closest(".typed");
  const its = caret.getBoundingClientRect(), all = line.getBoundingClientRect();
  if (its.right > all.right) line.scrollLeft += Math.min(its.left - all.left, its.right - all.right) + line.clientWidth / 4;
}
