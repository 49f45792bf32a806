"""What was measured, as a table for people and as JSON."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich import box
from rich.table import Table

from benchmarks.measure import Bench, Row, Spread
from idsync_cli.core.resolve import matcher as match


def as_json(rows: Sequence[Row], bench: Bench) -> dict[str, object]:
    """Everything that was measured, and on what."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {name: version(name) for name in ("idsync", "sqlite-utils", "typer")},
        "revision": _revision(),
        "compiled": _compiled(),
        "rounds": bench.rounds,
        "sizes": asdict(bench.sizes),
        "rows": [asdict(row) | {"figure": row.figure, "met": row.met} for row in rows],
    }


def machine() -> dict[str, object]:
    """The machine, and what of its software the measures depend on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "os": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _revision() -> str | None:
    """Which commit was measured, with a plus where files differ from it."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _compiled() -> bool:
    """Whether the modules that can be compiled are, in this process as in those of the program."""
    return not str(match.__file__).endswith(".py")


def table(rows: Sequence[Row]) -> Table:
    """The rows as a table; medians, with least and most in brackets."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("#", "Measure"):
        drawn.add_column(name, overflow="fold")
    for name in ("Ours", "Yardstick", "Figure", "Goal"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("Met", no_wrap=True)
    drawn.add_column("Note", overflow="fold")
    for row in rows:
        unit = "" if row.yardstick else f" {row.unit}"
        drawn.add_row(
            str(row.goal),
            row.what,
            _shown(row.ours, row.unit),
            _shown(row.yardstick, row.unit) if row.yardstick else "-",
            _number(row.figure) + unit,
            f"{row.most:g}{unit}",
            ("yes" if row.met else "no") + ("" if row.as_stated else " *"),
            row.note,
        )
    return drawn


FOOTNOTE = "* not at the size that the goal names"


def heading(bench: Bench) -> str:
    """On what, with what and how often it was measured."""
    here = machine()
    tools = ", ".join(f"{name} {version(name)}" for name in ("sqlite-utils", "typer"))
    return (
        f"{here['cpu']}, {here['cores']} cores, {here['memory_gb']} GB, {here['os']}\n"
        f"Python {here['python']}, SQLite {here['sqlite']}, {tools}\n"
        f"idsync {_revision()}, {'' if _compiled() else 'not '}compiled\n"
        f"median (least-most) of {bench.rounds} rounds, the two sides in turns"
    )


def _shown(spread: Spread, unit: str) -> str:
    median, low, high = map(_number, (spread.median, spread.low, spread.high))
    return f"{median} ({low}-{high}) {unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
