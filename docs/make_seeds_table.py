"""Make docs/seeds.md from docs/seeds.yaml: where each sentence of the sources is kept.

    python docs/make_seeds_table.py [--check]

With --check nothing is written, and the exit status is 1 if the file is out of date. In either case
a rule without its heading in rules.md, and a scenario that does not exist, are faults.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parent
SCENARIOS = DOCS.parent / "fixtures" / "scenarios"
HEAD = """\
# Where the sources are kept

Generated from [seeds.yaml](seeds.yaml) by `python docs/make_seeds_table.py`; do not edit.

Every example (marked so) and every demand in mParticle's public documents on IDSync, in a few
words, with the rules that answer for it and the scenarios that show it.
"""


def scenario_files() -> dict[str, str]:
    """Say for the name of each scenario in which file it stands."""
    files: dict[str, str] = {}
    for path in sorted(SCENARIOS.glob("*.yaml")):
        for scenario in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            files[scenario["name"]] = path.name
    return files


def rule_codes() -> set[str]:
    """Collect the codes that have an entry in the rule book."""
    book = (DOCS / "rules.md").read_text(encoding="utf-8")
    return set(re.findall(r"^### `(.+)`$", book, re.MULTILINE))


def row(entry: dict[str, Any], codes: set[str], files: dict[str, str]) -> str:
    """Make one row, or complain of what it names and nobody knows."""
    unknown = [code for code in entry["rules"] if code not in codes]
    unknown += [name for name in entry["scenarios"] if name not in files]
    if unknown:
        raise SystemExit(f"seeds.yaml, {entry['says']!r}: unknown {', '.join(unknown)}")
    says = f"*example:* {entry['says']}" if entry.get("example") else entry["says"]
    if "remark" in entry:
        says += f" ({entry['remark'].rstrip('.')})"
    rules = ", ".join(f"[`{code}`](rules.md#{code.lower()})" for code in entry["rules"])
    scenarios = "; ".join(
        f"[{name}](../fixtures/scenarios/{files[name]})" for name in entry["scenarios"]
    )
    return f"| {says} | {rules} | {scenarios} |"


def table() -> str:
    """Make the whole file."""
    codes, files = rule_codes(), scenario_files()
    (documents,) = yaml.safe_load_all((DOCS / "seeds.yaml").read_text(encoding="utf-8"))
    lines = [HEAD]
    for document in documents:
        lines += [f"## {document['document']}", ""]
        for section in document["sections"]:
            lines += [f"### {section['heading']}", ""]
            lines += ["| what it says | rules | scenarios |", "| --- | --- | --- |"]
            lines += [row(entry, codes, files) for entry in section["entries"]]
            lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description="Make docs/seeds.md from docs/seeds.yaml.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    check: bool = parser.parse_args().check
    made, target = table(), DOCS / "seeds.md"
    if not check:
        target.write_text(made, encoding="utf-8")
    elif not target.exists() or target.read_text(encoding="utf-8") != made:
        sys.stderr.write("docs/seeds.md is out of date; run: python docs/make_seeds_table.py\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
