// Lets the parts of a graph be pointed at, and its history be run through. What is told of a part
// stands in its data-about, a line each; it is only ever put into the page as text.
"use strict";
// What is higher than a sheet of paper is printed over several: a box may be broken, a picture may not.
const toBePrinted = (picture) => {
  const { width, height } = picture.querySelector("svg").viewBox.baseVal;
  picture.style.setProperty("--width", `${width}px`);
  picture.style.setProperty("--ratio", `${width} / ${height}`);
};
window.idsyncGraph = (graph) => {
  const told = graph.querySelector(".told");
  const parts = [...graph.querySelectorAll(".node, .link")];
  const nodes = parts.filter((part) => part.classList.contains("node"));
  const links = parts.filter((part) => part.classList.contains("link"));
  let kept = null;
  told.hidden = false;

  const ends = (link) => {
    const [profile, identifier] = link.dataset.ends.split(" ");
    return nodes.filter((node) => node.dataset.id === profile || node.dataset.id === identifier);
  };
  const near = (part) => {
    if (part.classList.contains("link")) return [part, ...ends(part)];
    const its = links.filter((link) => link.dataset.ends.split(" ").includes(part.dataset.id));
    return [part, ...its, ...its.flatMap(ends)];
  };
  const show = (part) => {
    const shown = part && new Set(near(part));
    for (const each of parts) {
      each.classList.toggle("chosen", each === part);
      each.classList.toggle("faint", Boolean(shown) && !shown.has(each));
    }
    if (!part) return;
    told.replaceChildren(...part.dataset.about.split("\n").map((line) => {
      const told = document.createElement("p");
      told.textContent = line;
      return told;
    }));
  };

  for (const part of parts) {
    part.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") show(part); });
    part.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") show(kept); });
    part.addEventListener("focus", () => { kept = part; show(part); });
    part.addEventListener("click", () => { kept = part; show(part); });
    part.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      kept = part;
      show(part);
    });
  }
  graph.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    kept = null;
    show(null);
  });

  for (const picture of graph.querySelectorAll(".part")) {
    window.idsyncLayout(picture);
    if (!picture.classList.contains("sheet")) toBePrinted(picture);
    const asked = picture.querySelector(".asked");
    if (!asked) continue;
    const its = asked.getBoundingClientRect(), all = picture.getBoundingClientRect();
    picture.scrollTop = its.top - all.top - (picture.clientHeight - its.height) / 2;
    picture.scrollLeft = its.left - all.left - (picture.clientWidth - its.width) / 2;
  }

  const history = graph.querySelector(".history");
  if (!history) return;
  history.hidden = false;
  const slider = history.querySelector("input");
  const steps = [...history.querySelectorAll("li")];
  const output = history.querySelector("output");
  const run = () => {
    const place = Number(slider.value);
    const isNow = place === steps.length - 1;
    const seq = isNow ? Infinity : Number(steps[place].dataset.seq);
    for (const each of parts) {
      each.classList.toggle("later", Number(each.dataset.from) > seq);
      if (each.dataset.to) each.classList.toggle("past", Number(each.dataset.to) <= seq);
    }
    output.textContent = isNow ? "as of now" : steps[place].textContent;
    slider.setAttribute("aria-valuetext", output.textContent);
  };
  slider.addEventListener("input", run);
};
for (const graph of document.querySelectorAll(".graph")) window.idsyncGraph(graph);
