// The views and their addresses. An address only reads: no request is ever carried out by one.

import { element } from "./dom.js";

export const VIEWS = [
  ["ask", "Ask"],
  ["profiles", "Profiles"],
  ["live", "Live"],
  ["compare", "Compare"],
  ["configuration", "Configuration"],
  ["audiences", "Audiences"],
];

export function profileLink(mpid) {
  return element("a", { class: "look-mpid", href: `#/profiles/${encodeURIComponent(mpid)}` }, mpid);
}

export function audienceRoute(scope, name) {
  return `#/audiences/${encodeURIComponent(scope)}/${encodeURIComponent(name)}`;
}

// The view that an address names, and what it names in it.
export function route() {
  const [view, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const known = VIEWS.some(([name]) => name === view);
  return { view: known ? view : "ask", rest: rest.map(decoded) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
