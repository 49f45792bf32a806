// Elements are made here alone. Text goes in as text: nothing that a value says is ever markup.

export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svgElement(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== undefined));
  return made;
}

let ids = 0;

export function newId(what) {
  ids += 1;
  return `${what}-${ids}`;
}

// A field with its label above it.
export function field(label, input, hint = null) {
  input.id ||= newId("field");
  const parts = [element("label", { for: input.id }, label), input];
  if (hint !== null) {
    const told = element("p", { class: "hint", id: newId("hint") }, hint);
    input.setAttribute("aria-describedby", told.id);
    parts.push(told);
  }
  return element("div", { class: "field" }, parts);
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children.flat().filter((each) => each !== null && each !== undefined));
}

export function section(heading, ...children) {
  return element("section", {}, element("h2", {}, heading), children);
}
