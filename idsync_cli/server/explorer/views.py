"""What the explorer looks at, a function for each view: JSON of what the commands show.

Each is called with a transaction of one state of the store. `shown` has what is drawn: the pieces
that a command draws, as elements that `render.html` makes of them.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element

from idsync_cli import wire
from idsync_cli.core.codes import Status
from idsync_cli.core.config.definitions import NO_DEFINITIONS
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer
from idsync_cli.core.identity import IdentityType
from idsync_cli.engine.answering import Answering
from idsync_cli.engine.labels import Labels
from idsync_cli.file_faults import Fault
from idsync_cli.graph.drawn import around
from idsync_cli.inspect import audiences as audience_questions
from idsync_cli.inspect import profiles as inspection
from idsync_cli.inspect.near import meant_by, meant_by_request
from idsync_cli.inspect.query import Field, by_mpid
from idsync_cli.inspect.story import story as tell
from idsync_cli.render import audiences as render_audiences
from idsync_cli.render import config as render_config
from idsync_cli.render import profile_data, profile_query
from idsync_cli.render import store as render_store
from idsync_cli.render.audiences_json import counts_json
from idsync_cli.render.compare import differing_tier, side
from idsync_cli.render.graph.as_json import graph_json
from idsync_cli.render.graph.section import graph_section
from idsync_cli.render.html.elements import as_json
from idsync_cli.render.html.pieces import line, shown, typed
from idsync_cli.render.near import meant_sentences, nobody_has
from idsync_cli.render.reports import EXCERPT
from idsync_cli.render.story import story_lines
from idsync_cli.render.tables import WIDE
from idsync_cli.render.theme import text
from idsync_cli.server.explorer.shown_rules import ShownRules
from idsync_cli.store.api import Transaction

if TYPE_CHECKING:
    from rich.console import RenderableType

Json = dict[str, Any]

NEWEST: Final = 10
"""How many of the newest profiles the first view has."""

MOST: Final = 50
"""How many identifiers, attributes, chapters or members are shown, as in a table of a command."""

NEIGHBOURS: Final = 30
"""How many other profiles a graph has."""

EVENTS: Final = 100
"""How many of the latest events are shown."""


def drawn(pieces: "Iterable[RenderableType | str]") -> list[Any]:
    """Pieces for a terminal as the elements of a page, for the page to make."""
    return [as_json(each) for each in shown(pieces)]


def faults(found: Iterable[Fault | str]) -> list[Any]:
    """What is wrong with a configuration, as elements of a page: each with the line where it is."""
    made: list[Element] = []
    for each in found:
        lines = [[each]] if isinstance(each, str) else render_config.warning_lines([each], EXCERPT)
        told, *excerpt = map(line, lines)
        made += [told, typed(excerpt)] if excerpt else [told]
    return [as_json(each) for each in made]


def state_of(transaction: Transaction) -> Json:
    """Which store it is and how far it has come: a page tells by it that it was replaced."""
    name = blake2b(f"store {transaction.seed}".encode(), digest_size=8).hexdigest()
    return {"id": name, "last_seq": transaction.last_seq}


def overview(transaction: Transaction, rules: ShownRules) -> Json:
    """What the form needs to know, and the newest profiles."""
    organization = rules.organization
    found = inspection.newest(transaction, organization, NEWEST, render_store.IDENTIFIERS_SHOWN)
    return {
        "organization": organization.name,
        "scopes": {
            name: [kind.value for kind in each.priority]
            for name, each in organization.scopes.items()
        },
        "types": [kind.value for kind in IdentityType],
        "shown": drawn([render_store.newest_table(found, WIDE)] if found else []),
    }


def answer_shown(answer: Answer) -> Json:
    """An answer as `--explain --json` has it, and as `--explain` shows it."""
    return {
        "answer": wire.answer_json(answer, explain=True),
        "shown": drawn(side(answer, WIDE)),
    }


def decided(
    transaction: Transaction, organization: Organization, request: Json, now_ms: int
) -> Answer:
    """What a request comes to under a configuration, as the store stands; nothing is written."""
    answering = Answering(organization, transaction.seed, now=lambda: now_ms, explain=True)
    return answering.answer(
        answering.read(request), transaction.last_seq + 1, transaction, Labels(), decide_only=True
    )


def meant(
    transaction: Transaction, organization: Organization, request: Json, answer: Answer
) -> list[str]:
    """Where a search found nobody: what may have been meant."""
    if answer.status is not Status.NOT_FOUND or answer.scope not in transaction.scopes():
        return []
    return list(meant_sentences(meant_by_request(request, answer, organization, transaction)))


def compared(
    transaction: Transaction,
    organizations: tuple[Organization, Organization],
    request: Json,
    now_ms: int,
) -> Json:
    """What a request comes to under two configurations, each side explained."""
    answers = [decided(transaction, each, request, now_ms) for each in organizations]
    marked = differing_tier(*answers)
    sides = [
        {
            "answer": wire.answer_json(answer, explain=True),
            "shown": drawn(side(answer, WIDE, mark)),
        }
        for answer, mark in zip(answers, marked, strict=True)
    ]
    return {"sides": sides, "differ": marked != (None, None)}


def profile(transaction: Transaction, organization: Organization, mpid: int, now_ms: int) -> Json:
    """A profile: what it holds and how that came, and what else it has."""
    found = inspection.profile(transaction, organization, mpid, MOST, whole=False)
    if found.seen is None:
        return _nobody(transaction, organization, mpid, found)
    data = transaction.data_of(mpid, EVENTS)
    assert data is not None
    return {
        "mpid": str(mpid),
        "scope": found.seen.scope,
        "held": found.held,
        "shown": drawn(
            [
                *render_store.profile_table(found, WIDE),
                *_left_out(len(found.arrivals), found.held, "identifiers"),
            ]
        ),
        "data": drawn(profile_data.pieces(data, WIDE, MOST)),
        "comes_to": drawn(_comes_to(transaction, organization, found.seen.scope, mpid, now_ms)),
    }


def _comes_to(
    transaction: Transaction, organization: Organization, scope: str, mpid: int, now_ms: int
) -> "list[RenderableType]":
    """The tables of what the definitions of the scope make of it, if there are any."""
    rules = organization.scopes.get(scope)
    if rules is None or rules.definitions == NO_DEFINITIONS:
        return []
    from rich.table import Table

    fields = [Field.AUDIENCE_MEMBERSHIPS]
    if rules.definitions.calculated_attributes:
        fields.append(Field.USER_ATTRIBUTES)
    answer = by_mpid(transaction, organization, mpid, fields, now_ms)
    assert answer.found is not None
    pieces = profile_query.query_pieces(answer.found, fields, WIDE, MOST)
    return [each for each in pieces if isinstance(each, Table)]


def _left_out(shown: int, of: int, what: str) -> list[str]:
    return [render_store.first_of(shown, of, what)] if of > shown else []


def _nobody(
    transaction: Transaction,
    organization: Organization,
    mpid: int,
    found: inspection.ProfileDetails,
) -> Json:
    """That no profile has an MPID, or none any more, and which may have been meant."""
    if found.erasure is not None:
        lines = [text(*render_store.erased_line(found.erasure))]
        return {"mpid": str(mpid), "not_there": drawn(lines)}
    sentences = meant_sentences(meant_by(transaction, organization, mpid=mpid))
    return {"mpid": str(mpid), "not_there": drawn([nobody_has(mpid), *sentences])}


def story(transaction: Transaction, organization: Organization, mpid: int) -> Json:
    """The life of a profile, request by request."""
    told = tell(transaction, organization, mpid, MOST, whole=False)
    if told.seen is None:
        return {"mpid": str(mpid), "shown": []}
    lines = [text(*line) for line in story_lines(told, MOST)]
    more = _left_out(len(told.chapters), told.requests, "requests")
    return {"mpid": str(mpid), "shown": drawn([*lines, *more])}


def graph(transaction: Transaction, organization: Organization, mpid: int) -> Json:
    """A profile with its neighbours, as a picture and as tables; of many, the telling part."""
    found = around(transaction, organization, mpid, NEIGHBOURS)
    if found is None:
        return {"mpid": str(mpid), "shown": []}
    return {
        "mpid": str(mpid),
        "graph": graph_json(found),
        "shown": [as_json(each) for each in graph_section(found)],
    }


def configuration(rules: ShownRules) -> Json:
    """The configuration in sentences, and what lint says of it."""
    organization = rules.organization
    return {
        "configuration": render_config.organization_json(organization),
        "shown": drawn(render_config.organization_tables(organization, WIDE)),
        "warnings": faults(rules.warnings),
        "text": rules.text,
    }


def audiences(transaction: Transaction, organization: Organization, now_ms: int) -> Json:
    """Every audience with how many members it has."""
    found = audience_questions.counts(transaction, organization, None, now_ms)
    return {
        "audiences": counts_json(found),
        "shown": drawn(render_audiences.counts_table(found, WIDE)),
    }


def members(
    transaction: Transaction,
    organization: Organization,
    audience: Mapping[str, str],
    now_ms: int,
) -> Json:
    """The first members of an audience.

    Raises:
        UsageFault: there is no such audience.
    """
    named = audience_questions.audience_called(organization, audience["name"], audience["scope"])
    found = audience_questions.first_members(transaction, organization, named, now_ms, MOST)
    more = _left_out(len(found.members), found.count.members, "members")
    return {"shown": drawn([*render_audiences.members_pieces(found, WIDE), *more])}
