"""Each kind of name that ties lines and profiles together is needed (section 13, spark/ties.py).

Each story is told in windows, and each component of it has a task of its own.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.guard_rails import NO_GUARD_RAILS
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import mpid_of
from idsync_cli.engine.names import Names, names_of
from idsync_cli.spark import ties
from idsync_cli.spark.beginning import import_into, imported
from idsync_cli.spark.rows import Section, TaskRow
from idsync_cli.spark.ties import LineTies, TieReader
from idsync_cli.store import sqlite
from idsync_cli.store.api import MpidTaken
from idsync_cli.wire import Reading
from tests import in_tasks
from tests.comparison import lines_of, organization
from tests.in_tasks import InTasks, Job, Result, exported, serially
from tests.spark_workers import USERS_OF_MPIDS, short_mpid

Json = dict[str, Any]
SEED = 5

PLAIN: Json = {
    "strategy": {
        "on_new_known_user": "create",
        "on_logout": "create",
        "logins": True,
        "login_needs_login_id": False,
        "links": True,
        "aliasing": True,
    },
    "priority": ["customer_id", "email", "ios_idfv", "android_aaid"],
    "identities": {
        "customer_id": {"login": True, "unique": True, "immutable": True},
        "email": {},
        "android_aaid": {"unique": True},
    },
}
NORMALIZING = PLAIN | {"extensions": {"normalize": {"email": ["trim"], "yahoo": ["trim"]}}}


def identify(**identities: str) -> Json:
    return {"type": "identify", "known_identities": identities}


def login(**identities: str) -> Json:
    return {"type": "login", "known_identities": identities}


def modify(mpid: str, **identities: str) -> Json:
    return {"type": "modify", "mpid": mpid, "known_identities": identities}


def batch(**identities: str) -> Json:
    return {"type": "batch", "user_identities": identities}


def first(seq: int) -> str:
    return str(mpid_of(SEED, seq, 0))


EVENT = {"event_type": "screen_view", "data": {"timestamp_unixtime_ms": 1_700_000_000_000}}
ALIAS = {
    "type": "alias",
    "source_mpid": first(1),
    "destination_mpid": first(2),
    "start_unixtime_ms": 1_699_999_000_000,
    "end_unixtime_ms": 1_700_000_001_000,
}


@dataclass
class Story:
    """Windows of requests; `later` holds from the second window on, which is then a job."""

    windows: list[list[Json]]
    later: Json | None = None

    def jobs(self) -> list[Job]:
        rules = [PLAIN, PLAIN if self.later is None else self.later]
        scopes = [organization({"people": each}, {}) for each in rules]
        if self.later is None:
            return [Job(scopes[0], [_lines([each for window in self.windows for each in window])])]
        return [
            Job(its_scopes, [_lines(window)])
            for its_scopes, window in zip(scopes, self.windows, strict=True)
        ]

    def in_tasks(self) -> Result:
        sizes = iter([len(window) for window in self.windows])
        its = InTasks(SEED, lambda: next(sizes), 2**40, random.Random(1))
        return its.run(self.jobs())

    def serially(self) -> Result:
        with sqlite.temporary(SEED) as store:
            return serially(store, self.jobs())


def _lines(requests: Sequence[object]) -> list[bytes]:
    return lines_of(list(requests)).split(b"\n")


MARY = identify(email="m@example.com")
REFUSED: Json = {"type": "nothing", "label": "m"}
STORIES: dict[str, Story] = {
    "identifiers": Story([[MARY, MARY]]),
    "values of modify": Story(
        [[MARY | {"label": "m"}, modify("@m", ios_idfv="1"), identify(ios_idfv="1")]]
    ),
    "named MPIDs": Story([[MARY, modify(first(1), ios_idfv="1")]]),
    "new MPIDs": Story([[MARY, modify(first(1), ios_idfv="1")]]),
    "previous MPIDs": Story([[MARY, login(customer_id="1") | {"previous_mpid": first(1)}]]),
    "ids of batches": Story(
        [[batch(email=name) | {"source_request_id": "1"} for name in ("a", "b")]]
    ),
    "forms as sent": Story([[identify(email=" a")], [identify(email=" a")]], NORMALIZING),
    "forms as sent, of what is not looked up": Story(
        [[identify(email="a", yahoo=" x")], [identify(email="b", yahoo=" x")]], NORMALIZING
    ),
    "labels": Story([[MARY | {"label": "m"}, modify("@m", ios_idfv="1")]]),
    "state": Story([[MARY], [MARY]]),
    "state: further values": Story([[identify(email="a", ios_idfv="1")], [identify(ios_idfv="1")]]),
    "state: login and unique identifiers": Story(
        [
            [login(customer_id="1", android_aaid="1")],
            [login(customer_id="1")],
            [identify(email="a", android_aaid="1")],
        ]
    ),
    "state: destinations of aliases": Story(
        [
            [MARY, identify(email="n@example.com"), ALIAS],
            [batch(email="m@example.com") | {"events": [EVENT]}],
        ]
    ),
    "state: ids of batches": Story(
        [[batch(email=name) | {"source_request_id": "1"}] for name in ("a", "b")]
    ),
    "state: MPIDs": Story([[MARY], [modify(first(1), ios_idfv="1")]]),
    "labels of refused lines": Story([[MARY | {"label": "m"}, REFUSED, modify("@m", email="o")]]),
    "labels across windows": Story(
        [[MARY | {"label": "m"}], [MARY | {"label": "n"}], [modify("@m", email="o")]]
    ),
}


# ---- What ties


Patch = Callable[[pytest.MonkeyPatch], None]


def _names(change: Callable[[Reading, Names], Names]) -> Patch:
    """Leave some names of lines out."""
    return lambda patch: patch.setattr(
        ties, "names_of", lambda reading: change(reading, names_of(reading))
    )


def _rows(change: Callable[[TaskRow], TaskRow | None]) -> Patch:
    """Leave some names of rows of the state out."""

    def changed(row: TaskRow, rules: Organization) -> Iterator[int]:
        left = change(row)
        return iter(()) if left is None else ties.names_of_row(left, rules)

    return lambda patch: patch.setattr(in_tasks, "names_of_row", changed)


def _without_identifiers(reading: Reading, names: Names) -> Names:
    if reading.kind is RequestKind.MODIFY:
        return names
    return Names((), names.mpids, names.labels, names.digests)


def _without_values_of_modify(reading: Reading, names: Names) -> Names:
    if reading.kind is not RequestKind.MODIFY:
        return names
    return Names((), names.mpids, names.labels, names.digests)


def _without_named_mpids(reading: Reading, names: Names) -> Names:
    mpids = [each for each in names.mpids if each == reading.previous_mpid]
    return Names(names.identifiers, mpids, names.labels, names.digests)


def _without_previous_mpids(reading: Reading, names: Names) -> Names:
    mpids = [each for each in names.mpids if each != reading.previous_mpid]
    return Names(names.identifiers, mpids, names.labels, names.digests)


def _without_batches(_: Reading, names: Names) -> Names:
    return Names(names.identifiers, names.mpids, names.labels)


def _without_forms_as_sent(reading: Reading, names: Names) -> Names:
    rails = reading.rules.guard_rails if reading.rules else NO_GUARD_RAILS
    sent = [each for each in names.identifiers if rails.normal_form(each) == each.value]
    return Names(sent, names.mpids, names.labels, names.digests)


def _of_one_value(row: TaskRow) -> TaskRow:
    """A profile of the state with the first value that it holds."""
    if row.section != Section.PROFILE:
        return row
    profile = json.loads(row.data)
    for kind, values in profile["identities"].items():
        profile["identities"] = {kind: values[:1]}
        break
    return row._replace(data=json.dumps(profile).encode())


def _of_no_value(row: TaskRow) -> TaskRow:
    if row.section != Section.PROFILE:
        return row
    return row._replace(data=json.dumps(json.loads(row.data) | {"identities": {}}).encode())


def _without_mpids_of_profiles(patch: pytest.MonkeyPatch) -> None:
    def left(row: TaskRow, rules: Organization) -> Iterator[int]:
        found = [*ties.names_of_row(row, rules)]
        return iter(found[row.section == Section.PROFILE :])

    patch.setattr(in_tasks, "names_of_row", left)


def _without_what_is_not_looked_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ties, "_ties", lambda kind, rules, _of: rules.is_lookup(kind))


def _without_labels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(in_tasks, "tie_label", lambda *_: None)


def _without_new_mpids(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(InTasks, "_tie_new_mpids", lambda *_: None)


def _without_labels_of_refused(patch: pytest.MonkeyPatch) -> None:
    """A line that is refused unsets its label, and whoever uses that has to see it."""
    of_line = TieReader.of_line

    def without(reader: TieReader, line: bytes) -> LineTies:
        its = of_line(reader, line)
        return its._replace(sets=None) if its.is_refused else its

    patch.setattr(TieReader, "of_line", without)


LEFT_OUT: dict[str, Patch] = {
    "identifiers": _names(_without_identifiers),
    "values of modify": _names(_without_values_of_modify),
    "named MPIDs": _names(_without_named_mpids),
    "previous MPIDs": _names(_without_previous_mpids),
    "ids of batches": _names(_without_batches),
    "forms as sent": _names(_without_forms_as_sent),
    "labels": _without_labels,
    "labels of refused lines": _without_labels_of_refused,
    "new MPIDs": _without_new_mpids,
    "state": _rows(lambda row: None),
    "state: further values": _rows(_of_one_value),
    "state: destinations of aliases": _rows(lambda row: row._replace(other=None)),
    "state: ids of batches": _rows(lambda row: row._replace(key=None)),
    "state: login and unique identifiers": _rows(_of_no_value),
    "state: MPIDs": _without_mpids_of_profiles,
}


LEFT_OUT["forms as sent, of what is not looked up"] = _without_what_is_not_looked_up
LEFT_OUT["labels across windows"] = LEFT_OUT["state: MPIDs"]


@pytest.mark.parametrize("name", STORIES)
def test_leaving_out_a_kind_of_name_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story = STORIES[name]
    expected = story.serially()
    assert story.in_tasks() == expected
    LEFT_OUT[name](monkeypatch)
    try:
        found = story.in_tasks()
    except AssertionError:
        return  # an alias whose destination is not there
    assert found != expected


def test_every_kind_of_name_has_its_story() -> None:
    assert STORIES.keys() == LEFT_OUT.keys()


def test_ids_of_batches_of_another_store_tie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export has their digests under the key of the store that it comes from."""
    rules = organization({"people": PLAIN}, {})
    before, after = (
        [Job(rules, [_lines([batch(email=name) | {"source_request_id": "1"}])])] for name in "ab"
    )
    path = tmp_path / "export.jsonl"
    with sqlite.temporary(SEED + 1) as other:
        serially(other, before)
        path.write_text("".join(f"{line}\n" for line in exported(other, rules)))
    with sqlite.temporary(SEED) as store:
        import_into(store, str(path), rules, in_tasks.NOW_MS)
        expected = serially(store, after)

    def spread() -> Result:
        its = InTasks(SEED, lambda: 1, 2**40, random.Random(1))
        with imported(str(path), rules, SEED, in_tasks.NOW_MS) as export:
            its.rows, its.last_seq = [*export.rows], export.last_seq
        return its.run(after)

    assert spread() == expected
    monkeypatch.setattr(in_tasks, "TieReader", lambda rules, seed, _: TieReader(rules, seed))
    assert spread() != expected


# ---- MPIDs that are taken


def with_short_mpids(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in USERS_OF_MPIDS:
        monkeypatch.setattr(module, "mpid_of", short_mpid)


@pytest.mark.parametrize("number", range(3))
def test_new_mpids_that_are_taken_are_passed_over(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_short_mpids(monkeypatch)
    jobs = [Job(organization({"people": PLAIN}, {}), [_lines(strangers(number))])]

    def in_tasks() -> Result:
        return InTasks(number, lambda: 170, 20, random.Random(number)).run(jobs)

    with sqlite.temporary(number) as store:
        expected = serially(store, jobs)
    assert in_tasks() == expected
    monkeypatch.setattr(InTasks, "_tie_new_mpids", lambda *_: None)
    with suppress(MpidTaken):  # two profiles of the state, made by different tasks, have one MPID
        assert in_tasks().answers != expected.answers


def strangers(number: int) -> list[object]:
    """People who have nothing in common, but that an MPID might be given to two of them."""
    rng = random.Random(number)
    return [identify(email=f"{rng.randrange(300)}@example.com") for _ in range(500)]
