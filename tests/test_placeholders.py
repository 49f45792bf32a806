"""What looks like a placeholder and decided something is named, whatever is configured."""

import json
import random

import pytest

from idsync_cli.core.codes import RequestKind, Rule, Status
from idsync_cli.core.config.placeholders import WORDS, is_placeholder
from idsync_cli.core.decision import Answer, DecidedBy, Decision
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import ProfileView
from idsync_cli.replay.summary import PLACEHOLDERS_COUNTED, PLACEHOLDERS_SHOWN, Tally
from tests.guarded import PLAIN, ZEROS, identify, program_with_guard_rails, told
from tests.program import Program, program_in_a_fresh_folder
from tests.reference_model import CANONICAL
from tests.reference_rails import is_placeholder as by_the_model

__all__ = ["program_in_a_fresh_folder", "program_with_guard_rails"]


def test_the_summary_and_stats_name_placeholders_whatever_is_configured(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    idsync.make_store()
    requests = [identify(ios_idfa=ZEROS, ios_idfv=f"phone-{number}") for number in range(5)]
    requests += [identify(email="Guest", ios_idfv="a"), identify(email="Guest", ios_idfv="b")]
    requests += [identify(email="Guest"), identify(ios_idfv="b"), identify(push_token="null")]
    idsync.write("r.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    summary = idsync("replay", "r.jsonl", "--json").json()
    assert summary["placeholders"] == {
        "requests": 6,
        "values": [
            {"identity_type": "ios_idfa", "value": ZEROS, "requests": 4},
            {"identity_type": "email", "value": "Guest", "requests": 2},
        ],
    }
    text = told(idsync("replay", "r.jsonl", "--again").stdout)
    assert "requests were resolved by a value that looks like a placeholder" in text
    assert f"ios_idfa {ZEROS}" in text
    counted = idsync("stats", "--json").json()["placeholders"]
    assert counted == [
        {
            "scope": "shop",
            "identity_type": "ios_idfa",
            "value": ZEROS,
            "profiles": 1,
            "requests": 4,
        },
        {
            "scope": "shop",
            "identity_type": "email",
            "value": "Guest",
            "profiles": 1,
            "requests": 1,
        },
    ]
    shown = told(idsync("stats").stdout)
    assert "values that look like placeholders" in shown
    assert f"shop ios_idfa {ZEROS} 1 4" in shown


def test_where_nothing_was_resolved_by_a_placeholder_nothing_is_said(guarded: Program) -> None:
    requests = [identify(ios_idfa=ZEROS, ios_idfv="d"), identify(ios_idfv="d"), identify(email="x")]
    guarded.write("r.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    outcome = guarded("replay", "r.jsonl")
    assert "placeholder" not in outcome.stdout
    assert guarded("replay", "r.jsonl", "--again", "--json").json()["placeholders"] == {
        "requests": 0,
        "values": [],
    }
    assert "placeholder" not in guarded("stats").stdout
    assert guarded("stats", "--json").json()["placeholders"] == []


def test_a_tie_among_those_whom_a_placeholder_found_counts(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    out = {"type": "logout", "known_identities": {"ios_idfa": ZEROS}}
    requests = [out, out, identify(ios_idfa=ZEROS)]
    idsync.write("r.jsonl", "".join(json.dumps(each) + "\n" for each in requests))
    summary = idsync("replay", "r.jsonl", "--json").json()
    assert summary["notes"] == {"tie": 1}
    assert summary["placeholders"]["requests"] == 1


def answer(value: str) -> Answer:
    matched = (Identifier(IdentityType.EMAIL, value),)
    by = DecidedBy(Rule.IDENTIFIER, 1, IdentityType.EMAIL)
    decision = Decision(Status.MATCHED, by, ProfileView(1, 1, None, False, 0), False, matched)
    return Answer(1, 1, RequestKind.IDENTIFY, "s", decision)


def test_a_tally_counts_as_many_placeholders_as_come_and_remembers_so_many() -> None:
    """A hostile file can have any number of them: eight of a digit in a new grouping each time."""
    whole, part = Tally(), Tally()
    values = [f"{'1' * 8}{'-' * number}" for number in range(PLACEHOLDERS_COUNTED + 50)]
    part.count_all([answer("null"), *map(answer, values), answer("null")], "f")
    for _ in range(2):
        whole.add(part)
    assert len(whole.placeholders) == PLACEHOLDERS_COUNTED
    summary = whole.summary(stopped=False, dry_run=False)
    assert summary.by_placeholders == 2 * (len(values) + 2)
    assert len(summary.placeholders) == PLACEHOLDERS_SHOWN
    assert summary.placeholders[0] == (Identifier(IdentityType.EMAIL, "null"), 4)


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_stats_find_whatever_the_core_takes_for_a_placeholder(idsync: Program, quote: str) -> None:
    """SQLite leaves out what cannot be one; what it lets through the core judges."""
    idsync.write("idsync.yaml", "scopes: {s: {strategy: best_match, priority: [other, email]}}\n")
    listed = [*WORDS, *(word.title() for word in WORDS), "0", "-", ZEROS]
    listed += ["1" * 8, "(999) 999-9999", "+5.55 5/5_5:55", "{33333333}", "7\t7777777"]
    others = ["anna", "12345678", "1111111", "0.0", "nullnull", "1111111é", "x" * 40, "é"]
    values = [f"{quote}{each}{quote}" for each in (*listed, *others)]
    requests = [
        identify(other=value, email=f"{number}@x")
        for number, value in enumerate(values)
        for _ in "12"
    ]
    changing = [
        each | {"known_identities": each["known_identities"] | {"email": f"{number}@y"}}
        for number, each in enumerate(requests)
    ]
    assert idsync.replay(*requests, *changing).status == 0
    found = {each["value"] for each in idsync("stats", "--json").json()["placeholders"]}
    assert found == {value for value in values if is_placeholder(value)}
    assert len(found) >= len(listed) - 3


def test_the_list_is_the_reference_models_on_any_value() -> None:
    """The core lets most values go by a glance; the model reads each of them to its end."""
    rng = random.Random(11)
    alphabet = "00011129-.+( '\"nulNULoeid_/[]é@"
    values = ["".join(rng.choices(alphabet, k=rng.randint(1, 12))) for _ in range(20_000)]
    for word in [*sorted(WORDS), "[object Object]", "anonymousId", ZEROS, "1" * 8, "22-22 22.22"]:
        for _ in range(40):
            written = "".join(rng.choice([each.lower(), each.upper()]) for each in word)
            place = rng.randrange(len(word) + 1)
            values += [written, written[:place] + rng.choice(alphabet) + written[place:]]
            values += [f"'{written}'", written[:place] + written[place + 1 :]]
    assert [v for v in values if v and is_placeholder(v) != by_the_model(v, CANONICAL)] == []
    assert sum(map(is_placeholder, values)) > 2000
