"""How a store is, as tables and for Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from idsync_cli.errors import printable
from idsync_cli.inspect.statistics import Statistics
from idsync_cli.messages import PLACEHOLDERS_HELD
from idsync_cli.render.breaking import broken
from idsync_cli.render.identifiers import value_of
from idsync_cli.render.shares import shares
from idsync_cli.render.tables import laid_out
from idsync_cli.render.theme import Line, Look, text, warned
from idsync_cli.visible import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

PLACEHOLDERS_SHOWN = 20
"""How many values that look like placeholders are named."""


def stats_pieces(counted: Statistics, width: int) -> "list[RenderableType]":
    """What a store holds, its totals first, and what decided the requests that changed it."""
    columns = ("Profiles", "Known", "Anonymous", "Orphaned", "Ids", "Mean", "Most")
    rows = [
        (
            visible(scope),
            f"{numbers.profiles:,}",
            text((f"{numbers.known:,}", Look.KNOWN)),
            text((f"{numbers.anonymous:,}", Look.ANONYMOUS)),
            text((f"{numbers.orphaned:,}", Look.ORPHANED if numbers.orphaned else Look.PLAIN)),
            f"{numbers.identifiers:,}",
            f"{numbers.mean_identifiers:,.2f}",
            f"{numbers.most_identifiers:,}",
        )
        for scope, numbers in counted.scopes.items()
    ]
    decided: list[tuple[Line, int]] = [
        (
            [(each.identity_type, Look.TYPE) if each.identity_type else str(each.rule)],
            each.requests,
        )
        for each in counted.deciders
    ]
    total = (
        f"{counted.requests:,} requests changed the store, {counted.requests_per_profile:,.2f} per "
        f"profile, {counted.ties:,} of them ties (decided by newest); the last number is "
        f"{counted.last_seq:,}"
    )
    pieces: list[RenderableType] = [
        broken(text((total, Look.HEADLINE)), width),
        text(""),
        laid_out(("Scope", *columns), rows, width),
    ]
    if decided:
        pieces += [
            text(""),
            text("requests that changed the store:"),
            shares("Decided by", decided, counted.requests, width),
        ]
    pieces += _deep_pieces(counted, width)
    return pieces + (_placeholder_pieces(counted, width) if counted.placeholders else [])


def _deep_pieces(counted: Statistics, width: int) -> "list[RenderableType]":
    """Profiles with several login IDs, and the largest, if they were asked for."""
    if counted.largest is None:
        return []
    several = [
        (visible(scope), text((kind.value, Look.TYPE)), f"{number:,}")
        for scope, each in counted.scopes.items()
        for kind, number in (each.several_logins or {}).items()
        if number
    ]
    pieces: list[RenderableType] = [text("")]
    if several:
        pieces += [
            text(("profiles with several values", Look.WARNING), " of a login type:"),
            laid_out(("Scope", "Type", "Profiles"), several, width),
        ]
    else:
        pieces.append(text("no profile has several values of a login type"))
    largest = [
        (text((str(each.mpid), Look.MPID)), visible(each.scope), f"{each.identifiers:,}")
        for each in counted.largest
    ]
    if largest:
        table = laid_out(("MPID", "Scope", "Identifiers"), largest, width)
        pieces += [text(""), text("the largest profiles:"), table]
    return pieces


def _placeholder_pieces(counted: Statistics, width: int) -> "list[RenderableType]":
    """The values that look like placeholders and decided most, and the way out."""
    found = counted.placeholders
    rows = [
        (
            visible(each.scope),
            text((each.identifier.type.value, Look.TYPE)),
            value_of(each.identifier),
            f"{each.profiles:,}",
            f"{each.requests:,}",
        )
        for each in found[:PLACEHOLDERS_SHOWN]
    ]
    left = len(found) - len(rows)
    return [
        text(""),
        broken(text(*warned(PLACEHOLDERS_HELD)), width, indent=2),
        laid_out(("Scope", "Type", "Value", "Profiles", "Requests"), rows, width),
        *([text(f"and {left:,} more")] if left else []),
    ]


_HELP = {
    "idsync_profiles": ("gauge", "Profiles; orphaned ones are also known or anonymous."),
    "idsync_identifiers": ("gauge", "Identifiers that profiles hold."),
    "idsync_decided_total": ("counter", "Requests that changed the store, by what decided them."),
    "idsync_requests_total": ("counter", "Requests and imported profiles that changed the store."),
}


def prometheus_lines(counted: Statistics) -> Iterator[str]:
    """The statistics in the text format of Prometheus."""
    states = ("known", "anonymous", "orphaned")
    yield from _family(
        "idsync_profiles",
        (
            ({"scope": scope, "state": state}, getattr(each, state))
            for scope, each in counted.scopes.items()
            for state in states
        ),
    )
    yield from _family(
        "idsync_identifiers",
        (
            ({"scope": scope, "type": kind.value}, number)
            for scope, each in counted.scopes.items()
            for kind, number in each.types.items()
        ),
    )
    yield from _family(
        "idsync_decided_total",
        (
            (
                {"scope": each.scope, "rule": str(each.rule), "type": each.identity_type or ""},
                each.requests,
            )
            for each in counted.by_scope
        ),
    )
    yield from _family("idsync_requests_total", [({}, counted.requests)])


def _family(name: str, samples: Iterable[tuple[Mapping[str, str], int]]) -> Iterator[str]:
    kind, told = _HELP[name]
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"
    for labels, number in samples:
        shown = ",".join(f'{label}="{_label(value)}"' for label, value in labels.items())
        yield f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"


def _label(value: str) -> str:
    """A value of a label; what could act on a terminal stands as its escape."""
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')
