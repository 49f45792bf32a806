"""Reports that can be sent: a page of what a check, a replay or a comparison came to.

They show what the terminal shows, by the same pieces, with the explained tables.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from idsync_cli.check.results import CheckOutcome, Result, Totals, Unreadable
from idsync_cli.errors import number_of, printable
from idsync_cli.file_faults import Fault
from idsync_cli.foresight.comparing.comparison import Comparison
from idsync_cli.graph.values import Graph
from idsync_cli.render import answers, ci
from idsync_cli.render.compare import comparison
from idsync_cli.render.compare import sentence as compared
from idsync_cli.render.excerpts import excerpt_lines
from idsync_cli.render.graph.labels import types_in
from idsync_cli.render.graph.section import graph_script, graph_section, graph_style
from idsync_cli.render.html.elements import element
from idsync_cli.render.html.page import Page
from idsync_cli.render.html.pieces import line, shown, typed
from idsync_cli.render.summary import refused_pieces, summary_text
from idsync_cli.render.tables import WIDE, laid_out
from idsync_cli.render.theme import Look, text
from idsync_cli.replay.summary import Summary

EXCERPT = 110
"""How many columns of a line are shown with what is wrong in it."""


def check_page(outcomes: Sequence[CheckOutcome], totals: Totals) -> Page:
    """What became of scenarios: those that did not pass with their tables, then all of them."""
    failed = [each for each in outcomes if not isinstance(each, Result) or not each.passed]
    content = [line(ci.totals_line(totals))]
    content += [_failed(each) if isinstance(each, Result) else _unreadable(each) for each in failed]
    rows = [
        [text(("passed", Look.OK)) if each.passed else text(("FAILED", Look.FAILED)), name, where]
        if isinstance(each, Result)
        else [text(("unreadable", Look.FAILED)), name, where]
        for each in outcomes
        for name, where in [_named(each)]
    ]
    content.append(element("h2", "All scenarios"))
    content += shown([laid_out(("Outcome", "Name", "File"), rows, WIDE)])
    title = "All scenarios passed"
    if failed:
        title = f"{number_of(len(failed), 'scenario')} did not pass"
    return Page(title, content, made_by="check")


def _named(outcome: CheckOutcome) -> tuple[str, str]:
    path = printable(outcome.path.as_posix())
    if isinstance(outcome, Unreadable):
        return "", path
    return printable(outcome.scenario.name), f"{path}:{outcome.scenario.line}"


def _failed(result: Result) -> Element:
    name, where = _named(result)
    return element(
        "section",
        element("h2", name),
        line([(where, Look.ASIDE)]),
        shown(answers.mismatches(result, WIDE)),
        class_="card",
    )


def _unreadable(outcome: Unreadable) -> Element:
    name = printable(outcome.path.as_posix())
    pieces: list[Element] = []
    for fault in outcome.fault.found:
        pieces.append(line([printable(str(fault))]))
        if isinstance(fault, Fault) and fault.excerpt is not None:
            pieces.append(typed(map(line, excerpt_lines(fault.excerpt, EXCERPT))))
    return element("section", element("h2", name), pieces, class_="card")


def replay_page(summary: Summary, when_stopped: str) -> Page:
    """What a replay came to, and the first lines that were rejected."""
    content = shown(summary_text(summary, when_stopped, WIDE, refused=False))
    if summary.first_refused:
        content.append(element("h2", "Rejected lines"))
        for each in summary.first_refused:
            told, *excerpt = shown(refused_pieces(each, EXCERPT, is_broken=False))
            content += [told, typed(excerpt)] if excerpt else [told]
        more = summary.refused - len(summary.first_refused)
        content += [line([f"and {number_of(more, 'more rejected line')}"])] if more else []
    return Page(
        f"{number_of(summary.requests, 'request')} replayed",
        content,
        made_by="replay",
    )


def compare_page(found: Comparison, graph: Graph | None) -> Page:
    """What two configurations make of the same requests, with a graph of what was split and merged.

    There is none of what production answered.
    """
    headline, *pieces = comparison(found, WIDE)
    del headline  # which is the heading of the page
    content = shown(pieces)
    if graph is None or not graph.profiles:
        return Page(compared(found), content, made_by="compare")
    content += [element("h2", "What is split and merged"), *graph_section(graph)]
    return Page(
        compared(found),
        content,
        styles=[graph_style(types_in(graph))],
        scripts=[graph_script()],
        made_by="compare",
    )
