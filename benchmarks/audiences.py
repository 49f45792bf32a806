"""Goal 12: members of an audience are counted, against SQL that was written for the question."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks import workload
from benchmarks.measure import Bench, Row, calls_in_turns
from benchmarks.stores import fresh, replayed
from idsync_cli.cli.opening import load_configuration, open_store

MILLION: Final = 1_000_000
DAY_MS: Final = 86_400_000
NOW_MS: Final = 1_717_200_000_000  # 2024-06-01
IN_A_BATCH: Final = 10

CONFIG: Final = (
    workload.CONFIG
    + """\
    calculated_attributes:
      lifetime_value: {calculation: sum, event: purchase, attribute: total_amount}
      in_euros:
        calculation: count
        event: purchase
        within: 180 days
        where: [{attribute: currency_code, operator: equals, value: EUR}]
    audiences:
      lately: {id: 1, event: purchase, within: 30 days}
      euros: {id: 2, attribute: in_euros, operator: greater_or_equal, value: 2}
      valuable: {id: 3, attribute: lifetime_value, operator: greater_than, value: 300}
      lapsed:
        id: 4
        all:
          - {attribute: lifetime_value, operator: greater_than, value: 300}
          - not: {event: purchase, within: 90 days}
          - any: [{identity: email, operator: exists}, {identity: push_token, operator: exists}]
"""
)

YARDSTICKS: Final[Mapping[str, str]] = {
    "lately": """
        SELECT count(DISTINCT created_seq) FROM events
        WHERE name = 'purchase' AND time_ms BETWEEN :now - 30 * 86400000 AND :now
    """,
    "euros": """
        SELECT count(*) FROM (
            SELECT created_seq FROM events
            WHERE name = 'purchase' AND time_ms BETWEEN :now - 180 * 86400000 AND :now
                AND lower(json_extract(event, '$.data.currency_code')) = 'eur'
            GROUP BY created_seq HAVING count(*) >= 2
        )
    """,
    "valuable": """
        SELECT count(*) FROM (
            SELECT created_seq FROM events WHERE name = 'purchase'
            GROUP BY created_seq
            HAVING sum(json_extract(event, '$.data.product_action.total_amount')) > 300
        )
    """,
    "lapsed": """
        SELECT count(*) FROM profiles
        WHERE created_seq IN (
            SELECT created_seq FROM events WHERE name = 'purchase'
            GROUP BY created_seq
            HAVING sum(json_extract(event, '$.data.product_action.total_amount')) > 300
        ) AND created_seq NOT IN (
            SELECT created_seq FROM events
            WHERE name = 'purchase' AND time_ms BETWEEN :now - 90 * 86400000 AND :now
        ) AND created_seq IN (
            SELECT created_seq FROM holders JOIN identity_types USING (identity_type_id)
            WHERE name IN ('email', 'push_token')
        )
    """,
}
"""The same questions, as somebody asks them who knows the tables and what the events hold."""

WHAT: Final = {
    "lately": "an event within 30 days",
    "euros": "two events with a value, within 180 days",
    "valuable": "a sum over events",
    "lapsed": "a sum, no event within 90 days, an identifier",
}


def audiences(bench: Bench) -> Iterator[Row]:
    """Goal 12: each audience counted in a store of so many events, against its yardstick."""
    events = bench.sizes.events
    bench.say(f"goal 12: a store of {events:,} events")
    config = bench.folder / "audiences.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    store = _store_of(bench, config, events)
    organization = load_configuration(str(config)).organization
    [(scope, rules)] = organization.scopes.items()
    opened = open_store(str(store), organization, write=False)
    assert opened is not None
    with opened, opened.reading() as transaction, closing(sqlite3.connect(store)) as plain:
        for name, yardstick in YARDSTICKS.items():
            counts: dict[str, int] = {}

            def ours(name: str = name, counts: dict[str, int] = counts) -> None:
                counts["ours"] = transaction.count_members(scope, rules, name, NOW_MS).members

            def theirs(asked: str = yardstick, counts: dict[str, int] = counts) -> None:
                [counts["theirs"]] = plain.execute(asked, {"now": NOW_MS}).fetchone()

            mine, yours = calls_in_turns(bench, ours, theirs, calls=1)
            if counts["ours"] != counts["theirs"]:
                raise RuntimeError(f"{name}: {counts['ours']} members are not {counts['theirs']}")
            what = f"audience of {events:,} events: {WHAT[name]}"
            note = f"{counts['ours']:,} members"
            yield Row(12, what, "s", mine, yours, 3, events >= MILLION, note)


def _store_of(bench: Bench, config: Path, events: int) -> Path:
    """A new store that has so many events, which came by replay."""
    folder = fresh(bench)
    file, store = folder / "batches.jsonl", folder / "store.db"
    with file.open("w", encoding="utf-8") as lines:
        for batch in workload.batches(events, IN_A_BATCH, until_ms=NOW_MS):
            lines.write(json.dumps(batch) + "\n")
    replayed(bench, file, store, config=config)
    file.unlink()
    return store
