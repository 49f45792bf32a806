"""How a store is: what it holds, what decided changes, and whether that is as it should be."""

from enum import StrEnum
from typing import Annotated

import typer

from idsync_cli.cli.assertions import Assertion, assertion_in
from idsync_cli.cli.environment import draw, say, terminal_width, write, write_json
from idsync_cli.cli.opening import existing_store, load_configuration
from idsync_cli.cli.options import DEFAULT_CONFIG, DEFAULT_STORE, AsJson, Config, StorePath
from idsync_cli.errors import UsageFault, quoted
from idsync_cli.inspect.statistics import Statistics
from idsync_cli.inspect.statistics import stats as count


class StatsFormat(StrEnum):
    """Who the statistics are for."""

    TEXT = "text"
    PROMETHEUS = "prometheus"


def stats(
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Also show profiles with several login IDs, and the largest; reads the "
            "whole store.",
        ),
    ] = False,
    asserted: Annotated[
        list[str] | None,
        typer.Option(
            "--assert", metavar="'NAME OP N'", help="Fail unless this is true; repeatable."
        ),
    ] = None,
    form: Annotated[
        StatsFormat, typer.Option("--format", help="Tables for people, or text for Prometheus.")
    ] = StatsFormat.TEXT,
    config: Config = DEFAULT_CONFIG,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> int:
    """Count profiles, identifiers, and what decided changes.

    Only requests that changed the store are counted; others leave no trace in it. Orphaned
    profiles are also counted as known or anonymous.

    --assert names a number of --json by its path, such as scopes.consumers.orphaned, or of all
    scopes together, such as orphaned; the exit status is 1 if it is false.

    Example: idsync stats --assert 'orphaned == 0'
    """
    if as_json and form is not StatsFormat.TEXT:
        raise UsageFault("--json and --format prometheus cannot be combined; choose one")
    assertions = [assertion_in(each) for each in asserted or ()]
    organization = load_configuration(config).organization
    with existing_store(store, organization) as opened, opened.reading() as transaction:
        counted = count(transaction, organization, deep=deep)
    failed = _failed(assertions, counted)
    if as_json:
        from idsync_cli.render import store_json

        write_json(store_json.statistics_json(counted))
    elif form is StatsFormat.PROMETHEUS:
        from idsync_cli.render.statistics import prometheus_lines

        write("\n".join(prometheus_lines(counted)))
    else:
        from idsync_cli.render.statistics import stats_pieces

        draw(*stats_pieces(counted, terminal_width()))
    for each, number in failed:
        say(f"idsync: assertion failed: {quoted(each.text)}, but it is {number:g}")
    return 1 if failed else counted.exit_status


def _failed(assertions: list[Assertion], counted: Statistics) -> list[tuple[Assertion, float]]:
    """The assertions that do not hold, with what the number is.

    Raises:
        UsageFault: a name leads to no number.
    """
    if not assertions:
        return []
    from idsync_cli.render.store_json import statistics_json

    document = statistics_json(counted)
    found = [(each, each.found_in(document)) for each in assertions]
    return [(each, number) for each, number in found if not each.holds(number)]
