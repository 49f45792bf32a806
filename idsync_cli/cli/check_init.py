"""Create a first folder of scenarios, and the workflow that checks them."""

import os
import re
import shlex
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from idsync_cli.cli.environment import say
from idsync_cli.cli.opening import load_configuration
from idsync_cli.cli.options import present_store
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.identity import DEVICE_TYPES, IdentityType
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.files.outputs import Outputs
from idsync_cli.files.whole_file import whole_file
from idsync_cli.files.yaml_edit import flow

FOLDER = "scenarios"
SCENARIO, CONFIG = "first.yaml", "idsync.yaml"
WORKFLOW = Path(".github/workflows/idsync-check.yml")

_SCENARIO = """\
# A scenario is a story with expected results. The format: idsync help scenarios
name: a visitor is recognized
config: {config}
steps:
  # Nobody holds the identifier yet, so a profile is created.
  - identify: {visit}
    as: visitor
    expect: {{status: created}}
  # The visitor comes back, and nothing changes.
  - identify: {visit}
    expect: {{status: matched, mpid: "@visitor", decided_by: {type}, changes: []}}
  # A search changes nothing, and this one finds nobody.
  - search: {other}
    expect: {{status: not_found}}
# The profiles at the end: exactly these identifiers.
profiles:
  "@visitor": {held}
"""

_WORKFLOW = """\
# Runs every scenario when the rules or the scenarios change, and marks the lines that fail.
name: idsync
on:
  push:
    paths: {paths}
  pull_request:
    paths: {paths}
  workflow_dispatch:
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - name: Install idsync
        # Set the repository variable IDSYNC_SOURCE to what pip should install,
        # such as git+https://github.com/OWNER/idsync.
        env:
          IDSYNC_SOURCE: ${{{{ vars.IDSYNC_SOURCE }}}}
        run: pip install "${{IDSYNC_SOURCE:?set this variable to what pip should install}}"
      - name: Check the scenarios
        run: |
          idsync check --format github --junit idsync-report.xml {folder}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: idsync-report
          path: idsync-report.xml
          if-no-files-found: ignore
"""


def write_starter(paths: Sequence[str], present: str) -> int:
    """Create what is missing, and leave the rest; `present` is the configuration to use.

    Raises:
        UsageFault: the folder cannot be made there.
        FileFault: the present configuration cannot be used.
    """
    if len(paths) > 1:
        raise UsageFault("--init creates one folder; name one, or none for scenarios")
    name = paths[0] if paths else FOLDER
    folder = Path(name)
    if not name or not name.isprintable():
        raise UsageFault(f"{quoted(name)} cannot be the name of the folder; choose another")
    outputs = Outputs(store=present_store(), configuration=present)
    outputs.check("the folder", name)
    checked = _checked(folder)
    scenario, workflow = folder / SCENARIO, _root(folder) / WORKFLOW
    for made in (scenario, workflow):
        outputs.check("the file", made.as_posix())
    config = _configuration(folder, Path(present), outputs)
    organization = load_configuration(str(config)).organization
    beside = os.path.relpath(config.resolve(), folder.resolve())
    _make(scenario, _scenario(organization, Path(beside).as_posix()))
    watched = flow(_watched(_root(folder), folder, config))
    _make(workflow, _WORKFLOW.format(folder=shlex.quote(checked), paths=watched))
    say(f"next: idsync check {shlex.quote(name)}")
    return 0


def _configuration(folder: Path, present: Path, outputs: Outputs) -> Path:
    """The present configuration, or else the folder's own, created if it is missing."""
    try:
        if present.exists():
            return present
    except OSError:  # is reported where it is read
        return present
    own = folder / CONFIG
    outputs.check("the file", own.as_posix())
    starter = files("idsync_cli").joinpath("starter.yaml").read_text(encoding="utf-8")
    _make(own, starter)
    return own


def _root(folder: Path) -> Path:
    """Where GitHub looks for workflows: the repository that the folder is in, or will be."""
    here, whole = Path.cwd(), folder.resolve()
    for parent in (whole, *whole.parents):
        if (parent / ".git").exists():
            return Path(os.path.relpath(parent, here)) if whole.is_relative_to(here) else parent
    return Path() if whole.is_relative_to(here) else folder


def _checked(folder: Path) -> str:
    """What the workflow names the folder: its path from where GitHub starts the steps.

    Raises:
        UsageFault: the path would be more than a name there.
    """
    try:
        path = os.path.relpath(folder.resolve(), _root(folder).resolve())
    except OSError as error:
        cause = error.strerror
        raise UsageFault(f"{quoted(folder.as_posix())} cannot be created: {cause}") from None
    if not path.isprintable() or "${{" in path:
        raise UsageFault(
            f"{quoted(path)} cannot be the name of a folder in a workflow; choose another"
        )
    return f"./{path}" if path.startswith("-") else Path(path).as_posix()


def _watched(root: Path, folder: Path, config: Path) -> list[str]:
    """What GitHub starts the workflow for: its patterns of the files that change an outcome.

    A configuration outside of the repository cannot be among them.
    """
    below = [_below(path, root) for path in (folder, config)]
    scenarios = "**" if below[0] == "." else f"{_as_pattern(below[0])}/**"
    rules = [] if below[1].startswith("../") else [_as_pattern(below[1])]
    return [scenarios, *rules, WORKFLOW.as_posix()]


def _below(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path.resolve(), root.resolve())).as_posix()


def _as_pattern(path: str) -> str:
    r"""A path for GitHub's filters, in which `\` takes the meaning from the next character."""
    return re.sub(r"[*?+\[\]!\\]", r"\\\g<0>", path)


def _make(path: Path, content: str) -> None:
    """Write a file unless there is one, and say which."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(str(path), must_be_new=True) as file:
            file.write(content.encode())
    except FileExistsError as error:
        if not path.exists():  # one of the folders on its way is a file
            raise UsageFault(f"{quoted(path.parent.as_posix())} is not a folder") from error
        say(f"kept {path.as_posix()}")
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageFault(f"{quoted(path.as_posix())} cannot be created: {cause}") from None
    else:
        say(f"created {path.as_posix()}")


def _scenario(organization: Organization, config: str) -> str:
    """A first scenario, which is true under any rules."""
    scope, rules = next(iter(organization.scopes.items()))
    kind = _visitors_type(rules)
    named = {"scope": scope} if len(organization.scopes) > 1 else {}
    return _SCENARIO.format(
        config=flow(config),
        visit=flow({**named, kind.value: "visitor-1"}),
        other=flow({**named, kind.value: "visitor-2"}),
        type=kind.value,
        held=flow({kind.value: "visitor-1"}),
    )


def _visitors_type(rules: ScopeRules) -> IdentityType:
    """What a visitor can be recognized by: a device that is nobody's login, if there is one."""
    plain = [kind for kind in rules.priority if not rules.settings_of(kind).names()]
    devices = [kind for kind in plain if kind in DEVICE_TYPES]
    return (devices or plain or rules.priority)[0]
