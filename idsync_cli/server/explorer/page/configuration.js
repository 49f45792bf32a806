// The configuration in sentences, with what lint says of it.

import { read } from "./api.js";
import { element, section } from "./dom.js";
import { pieces } from "./draw.js";

export async function configuration({ signal }) {
  const found = await read("configuration", signal);
  const warnings = found.warnings.length
    ? pieces(found.warnings, "Warnings")
    : element("p", {}, "No warnings.");
  return [
    section("Warnings", warnings),
    section("What it means", pieces(found.shown, "The configuration")),
  ];
}
