"""Results of uses are values: each can be kept, and knows its exit status (section 8)."""

import pickle
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from idsync_cli.check.results import Totals, totals
from idsync_cli.check.run import check_file
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.request import IdentityRequest
from idsync_cli.engine.engine import Engine
from idsync_cli.erasure.access import AccessOutcome, access
from idsync_cli.erasure.erase import ErasureOutcome, erase
from idsync_cli.files.config_file import load
from idsync_cli.files.subject_request import SubjectRequest, SubjectRequestType
from idsync_cli.foresight.linting.lint import lint_store
from idsync_cli.foresight.why_not import Asked, WhyNot, why_not
from idsync_cli.graph.drawn import around
from idsync_cli.graph.drawn import holders as graph_of_holders
from idsync_cli.graph.ties import ties
from idsync_cli.inspect import audiences, doctor, plan, profiles, query
from idsync_cli.inspect.near import meant_by
from idsync_cli.inspect.statistics import stats
from idsync_cli.inspect.story import story
from idsync_cli.inspect.translation import LineOutcome
from idsync_cli.inspect.translation import TranslationTotals as Translated
from idsync_cli.inspect.whois import whois as who_holds
from idsync_cli.maintenance import copies
from idsync_cli.one_shot import Reply, reply_to
from idsync_cli.replay.summary import Tally
from idsync_cli.store.sqlite import SqliteStore, SqliteTransaction, open_store
from idsync_cli.store.values import EVERY_PROFILE
from idsync_cli.transfer.profile_export import export_profiles
from idsync_cli.transfer.profile_import import Imported
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder"]

AUDIENCE = """\
    audiences:
      reachable: {id: 1, any: [{identity: email, operator: exists}]}
"""
HELD = Identifier(IdentityType.EMAIL, "a@example.com")
HELD_BY_NOBODY = Identifier(IdentityType.EMAIL, "b@example.com")


class World:
    """A store with one profile, its rules, and a transaction that reads it."""

    def __init__(self, program: Program, transaction: SqliteTransaction) -> None:
        self.path = str(program.folder / "idsync.db")
        self.organization: Organization = load(program.folder / "idsync.yaml").organization
        self.transaction = transaction
        [self.profile] = [each for _, each in transaction.profiles(self.organization.scopes)]


@pytest.fixture(name="world")
def a_store_with_one_profile(idsync: Program) -> Iterator[World]:
    rules = (idsync.folder / "idsync.yaml").read_text()
    idsync.write("idsync.yaml", rules.replace("accounts:\n", f"{AUDIENCE}accounts:\n"))
    assert idsync("identify", "--email", HELD.value).status == 0
    opened = open_store(str(idsync.folder / "idsync.db"), write=False)
    assert opened is not None
    with opened, opened.reading() as transaction:
        yield World(idsync, transaction)


def results(world: World) -> Iterator[tuple[Any, int]]:
    """Every kind of result, with the exit status that section 8 has for it."""
    transaction, rules = world.transaction, world.organization
    yield profiles.first_profiles(transaction, rules, EVERY_PROFILE, 1), 0
    yield profiles.profile(transaction, rules, world.profile.mpid), 0
    yield profiles.profile(transaction, rules, world.profile.mpid + 1), 1
    yield who_holds(transaction, rules, HELD, seed=1), 0
    yield who_holds(transaction, rules, HELD_BY_NOBODY, seed=1), 1
    yield stats(transaction, rules), 0
    yield stats(transaction, rules, deep=True), 0
    yield doctor.examine(world.path, rules), 0
    yield plan.plan(rules, transaction, now_ms=0), 0
    mpid = world.profile.mpid
    yield story(transaction, rules, mpid), 0
    yield story(transaction, rules, mpid + 1), 1
    yield asked_why_not(world, HELD), 0
    yield asked_why_not(world, HELD_BY_NOBODY), 0
    yield around(transaction, rules, mpid, 9), 0
    yield graph_of_holders(transaction, rules, HELD, 9), 0
    yield graph_of_holders(transaction, rules, HELD_BY_NOBODY, 9), 1
    yield ties(transaction, rules, (HELD, HELD_BY_NOBODY), 9), 1
    yield query.by_mpid(transaction, rules, mpid, query.DEFAULT_FIELDS, 0), 0
    yield query.by_mpid(transaction, rules, mpid + 1, query.DEFAULT_FIELDS, 0), 1
    yield audiences.counts(transaction, rules, None, 0), 0
    of_audience = audiences.audience_called(rules, "reachable", None)
    yield audiences.first_members(transaction, rules, of_audience, 0, 9), 0
    for whom, exit_status in ((mpid, 0), (mpid + 1, 1)):
        its = audiences.membership(transaction, rules, "reachable", None, whom, 0)
        yield its, exit_status
    yield Translated({**dict.fromkeys(LineOutcome, 0), LineOutcome.TRANSLATED: 1}, 0), 0
    yield Translated(dict.fromkeys(LineOutcome, 0), 0), 1
    yield Tally().summary(stopped=False, dry_run=False), 0
    yield Imported(1, dry_run=False), 0
    exported = export_profiles(
        transaction, rules, None, lambda _: None, header=[], line_of=lambda each: each.scope
    )
    assert exported.profiles == 1
    yield exported, 0
    file = f"{world.path} of monday"
    made = copies.back_up(world.path, file, replace=True)
    assert made == copies.Backup(world.path, file, Path(file).stat().st_size)
    yield made, 0
    done = copies.restore(f"{world.path} of today", file, keep=False)
    assert done == copies.Restoration(f"{world.path} of today", file, None, 0, knew_erasures=True)
    yield done, 0
    yield reply(rules, "identify"), 0
    yield reply(rules, "search"), 1
    yield reply(rules, "erase"), 1
    for named, exit_status in (({"email": HELD.value}, 0), ({"email": HELD_BY_NOBODY.value}, 1)):
        yield erased(world, known_identities=named), exit_status
        yield accessed(world, known_identities=named), exit_status


def asked_why_not(world: World, *identifiers: Identifier) -> WhyNot:
    """Why the profile is not the answer to an identify."""
    [(scope, rules)] = world.organization.scopes.items()
    request = IdentityRequest(RequestKind.IDENTIFY, identifiers, None)
    asked = Asked(request, scope, rules, seq=world.transaction.last_seq + 1, seed=1)
    return why_not(asked, world.profile, world.transaction)


def reply(rules: Organization, kind: str, **members: object) -> Reply:
    """The answer to a request by itself, where there is no store."""
    return reply_to(
        {"type": kind, "known_identities": {"email": "a@example.com"}} | members,
        None,
        "no.db",
        engine_over=lambda store: Engine(rules, store, now=lambda: 0),
        new_seed=lambda: 1,
        dry_run=True,
    )


def erased(world: World, **named: object) -> ErasureOutcome:
    """What an erasure from the store would come to."""
    with opened(world) as storage:
        engine = Engine(world.organization, storage, now=lambda: 0)
        return erase(engine, storage, {"type": "erase"} | named, dry_run=True, now=lambda: 0)


def accessed(world: World, **named: object) -> AccessOutcome:
    """All that is known of a profile of the store."""
    request = {"type": "erase"} | named
    subject = SubjectRequest("", SubjectRequestType.ACCESS, None, {})
    with opened(world) as storage:
        engine = Engine(world.organization, storage, now=lambda: 0)
        return access(engine, world.organization, request, subject, "", dry_run=True, now=lambda: 0)


def opened(world: World) -> SqliteStore:
    """The store of the world once more."""
    found = open_store(world.path, write=False)
    assert found is not None
    return found


def test_a_refusal_has_the_status_2_unless_it_is_a_negative_answer(world: World) -> None:
    rules = world.organization
    assert reply(rules, "identify", known_identities={}).exit_status == 2
    assert reply(rules, "modify", mpid="5").exit_status == 1
    assert (erased(world).exit_status, erased(world, mpid="5").exit_status) == (2, 1)
    assert (accessed(world).exit_status, accessed(world, mpid="5").exit_status) == (2, 1)
    for refused in (reply(rules, "modify"), reply(rules, "modify", mpid="5"), erased(world)):
        kept = pickle.loads(pickle.dumps(refused))  # noqa: S301 - our own
        assert (repr(kept), kept.exit_status) == (repr(refused), refused.exit_status)


def test_a_result_knows_its_exit_status(world: World) -> None:
    for result, exit_status in results(world):
        assert result.exit_status == exit_status, result


def test_a_history_has_the_status_1_where_there_is_none(world: World) -> None:
    for held, exit_status in ((HELD, 0), (HELD_BY_NOBODY, 1)):
        found = profiles.history(world.transaction, mpid=None, identifier=held, limit=None)
        assert (found.exit_status, len(list(found.entries))) == (exit_status, found.total)


def test_a_scenario_that_failed_has_the_status_1_and_what_is_none_2(idsync: Program) -> None:
    step = "steps:\n  - identify: {email: e}\n    expect: {status: "
    for content, exit_status in (
        (f"config: idsync.yaml\n{step}created}}\n", 0),
        (f"config: idsync.yaml\n{step}matched}}\n", 1),
        ("what is this", 2),
    ):
        idsync.write("scenario.yaml", content)
        [outcome] = check_file(Path(idsync.folder, "scenario.yaml"))
        assert outcome.exit_status == exit_status
        assert totals([outcome]).exit_status == exit_status


@pytest.mark.parametrize(
    ("found", "exit_status"),
    [(Totals(), 0), (Totals(9), 0), (Totals(9, 1), 1), (Totals(9, 1, 1), 2), (Totals(9, 0, 1), 2)],
)
def test_the_worst_scenario_gives_a_check_its_exit_status(found: Totals, exit_status: int) -> None:
    assert found.exit_status == exit_status


def test_a_result_can_be_kept_and_sent(world: World) -> None:
    for result, _ in results(world):
        assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own


def test_what_has_no_exit_status_of_its_own_can_be_kept_and_sent_too(world: World) -> None:
    rules, of_nobody = world.organization, [HELD_BY_NOBODY]
    for found in (
        meant_by(world.transaction, rules, of_nobody, rules.scopes, mpid=1),
        lint_store(world.transaction, rules),
        profiles.newest(world.transaction, rules, 9, 9),
    ):
        assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


def test_a_result_does_not_change(world: World) -> None:
    for result, _ in results(world):
        name = next(iter(type(result).__annotations__))
        refused = FrozenInstanceError if is_dataclass(result) else AttributeError
        with pytest.raises(refused):
            setattr(result, name, None)
