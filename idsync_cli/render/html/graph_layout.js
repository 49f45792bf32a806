// Lays out a picture of a graph with dagre, where the page has it: the columns stay, and what stands
// in them is ordered and placed so that links are short and few of them cross.
"use strict";
window.idsyncLayout = (() => {
  const OFTEN = 4, MANY = 800, MOST = 4000; // how often to look for an order; links to do it once; links to do nothing
  const upwards = (one, other) => one.x - other.x || one.y - other.y;

  // Dagre ends with a good order near the one in which it is told of things. So it is given the one
  // that was written, then asked from the other end, from either side, and again from what it found;
  // the best is taken.
  const heights = (nodes, pairs, gap) => {
    const [order, links] = [[...nodes].reverse(), [...pairs].reverse()];
    const starts = ["LR", "RL"].map((rankdir) => ({ rankdir, order, links }));
    const runs = pairs.length > MANY ? 0 : Math.min(OFTEN, Math.ceil(MANY / pairs.length));
    const found = placed(starts[0], gap, { customOrder: (graph) => keep(graph, nodes) });
    let best = { found, crossed: runs ? crossings(pairs, found) : 0 };
    for (let run = 0; run < runs && best.crossed; run += 1) {
      const start = starts[run % starts.length];
      const found = placed(start, gap);
      const crossed = crossings(pairs, found);
      if (crossed < best.crossed) best = { found, crossed };
      const down = (one, other) => one.x - other.x || found.get(one) - found.get(other);
      start.order = [...nodes].sort(down);
      start.links = [...pairs].sort(([a, b], [c, d]) => down(a, c) || down(b, d));
    }
    return inOrder(nodes, pairs, asWritten(best.found));
  };

  // As many links cross where all stands upside down: what was written first stays above.
  const asWritten = (found) => {
    const lowest = Math.max(...found.values());
    const agreed = [...found].reduce((sum, [node, y]) => sum + node.y * (2 * y - lowest), 0);
    return agreed < 0 ? new Map([...found].map(([node, y]) => [node, lowest - y])) : found;
  };

  // Each layer in the order that was written; dagre has a place of its own between two ends.
  const keep = (graph, nodes) => {
    const written = new Map(nodes.map((node) => [node.id, node.y]));
    const height = ({ v, w }) => (written.get(v) + written.get(w)) / 2;
    const ranks = new Map();
    for (const id of graph.nodes()) {
      const its = graph.node(id);
      ranks.set(its.rank, [...(ranks.get(its.rank) ?? []), [its, written.get(id) ?? height(its.edgeObj)]]);
    }
    for (const rank of ranks.values()) {
      rank.sort(([, one], [, other]) => one - other).forEach(([its], place) => { its.order = place; });
    }
  };

  const placed = ({ rankdir, order, links }, gap, more) => {
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir, ranker: "tight-tree", nodesep: gap, edgesep: 1 });
    for (const { id, width, height } of order) graph.setNode(id, { width, height });
    for (const ends of links) {
      const [begin, end] = rankdir === "LR" ? ends : [...ends].reverse();
      graph.setEdge(begin.id, end.id, {});
    }
    dagre.layout(graph, more);
    return new Map(order.map((node) => [node, graph.node(node.id).y - node.height / 2]));
  };

  const crossings = (pairs, found) => {
    let crossed = 0;
    for (const [place, [a, b]] of pairs.entries()) {
      for (const [c, d] of pairs.slice(place + 1)) {
        if (a.x === c.x && (found.get(a) - found.get(c)) * (found.get(b) - found.get(d)) < 0) crossed += 1;
      }
    }
    return crossed;
  };

  // Those with the same neighbours could stand in each other's places: there they keep their order.
  const inOrder = (nodes, pairs, found) => {
    const neighbours = new Map(nodes.map((node) => [node, [String(node.x)]]));
    for (const [begin, end] of pairs) {
      neighbours.get(begin).push(end.id);
      neighbours.get(end).push(begin.id);
    }
    const alike = new Map();
    for (const [node, its] of neighbours) {
      const key = its.sort().join(" ");
      alike.set(key, [...(alike.get(key) ?? []), node]);
    }
    for (const some of alike.values()) {
      const places = some.map((node) => found.get(node)).sort((one, other) => one - other);
      some.forEach((node, place) => found.set(node, places[place]));
    }
    return found;
  };

  // In the path of a link each height stands behind a comma: two where it begins, two where it ends.
  const draw = ({ link, begin, end }) => {
    const first = begin.y + begin.height / 2, last = end.y + end.height / 2;
    for (const path of link.querySelectorAll("path")) {
      let place = 0;
      const drawn = path.getAttribute("d").replace(/,[^C ]+/g, () => `,${place++ < 2 ? first : last}`);
      path.setAttribute("d", drawn);
    }
    const label = link.querySelector("text");
    const where = { begin: first, middle: (first + last) / 2, end: last };
    label?.setAttribute("y", where[label.getAttribute("class")]);
  };

  return (picture) => {
    if (typeof dagre === "undefined") return;
    const svg = picture.querySelector("svg");
    const nodes = [...svg.querySelectorAll(".node")].map((part) => {
      const { e: x, f: y } = part.transform.baseVal.getItem(0).matrix;
      const { width, height } = part.querySelector("rect");
      return { id: part.dataset.id, part, x, y, width: width.baseVal.value, height: height.baseVal.value };
    });
    const named = new Map(nodes.map((node) => [node.id, node]));
    const links = [...svg.querySelectorAll(".link")].map((link) => {
      const [begin, end] = link.dataset.ends.split(" ").map((id) => named.get(id)).sort(upwards);
      return { link, begin, end };
    });
    const pairs = [...new Map(links.map(({ link, begin, end }) => [link.dataset.ends, [begin, end]])).values()];
    if (pairs.length > MOST) return;

    const found = heights(nodes, pairs, Number(picture.dataset.gap));
    for (const node of nodes) {
      node.y = found.get(node);
      node.part.transform.baseVal.getItem(0).setTranslate(node.x, node.y);
    }
    svg.append(...[...nodes].sort(upwards).map((node) => node.part)); // which the Tab key follows
    links.forEach(draw);
    const height = Math.max(...nodes.map((node) => node.y + node.height)) - 2 * svg.viewBox.baseVal.y;
    svg.viewBox.baseVal.height = height;
    svg.setAttribute("height", height);
  };
})();
