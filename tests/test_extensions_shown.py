"""Guard rails as a configuration shows them, lints them, and plans them (section 11)."""

import pytest

from tests.guarded import GUARDED, PLAIN, ZEROS, identify, program_with_guard_rails, told
from tests.program import Program, program_in_a_fresh_folder

__all__ = ["program_in_a_fresh_folder", "program_with_guard_rails"]


# ---- The configuration, shown


def test_config_show_has_a_sentence_for_every_guard_rail(guarded: Program) -> None:
    outcome = guarded("config", "show", environment={"COLUMNS": "200"})
    lines = [told(line) for line in outcome.stdout.split("\n")]
    aside = "are set aside: neither looked up nor stored"
    for line in (
        "normalize email trim, lowercase white space at both ends is removed, then A to Z become",
        f"blocked * placeholders values that stand for nobody (zeros, null, guest …) {aside}",
        f"blocked email *@spam.example, test@example.com these values {aside}",
        "max_values email 2 a profile holds at most 2 values: no more are added",
        "max_values ios_idfv 1, replace_oldest a profile holds at most 1 value: one more replaces",
        "moving push_token yes taken from any profile that holds it, protected or not",
    ):
        assert any(each.startswith(line) for each in lines), line
    assert max(map(len, guarded("config", "show").stdout.split("\n"))) <= 80
    shown = guarded("config", "show", "--json").json()["scopes"]["shop"]
    assert shown["extensions"] == {
        "normalize": {"email": ["trim", "lowercase"]},
        "blocked": {"*": ["placeholders"], "email": ["*@spam.example", "test@example.com"]},
        "max_values": {"email": {"limit": 2}, "ios_idfv": {"limit": 1, "beyond": "replace_oldest"}},
        "moving": ["push_token"],
    }
    guarded.write("idsync.yaml", PLAIN)
    assert "Extension" not in guarded("config", "show").stdout
    assert guarded("config", "show", "--json").json()["scopes"]["shop"]["extensions"] == {}


def test_a_long_list_of_blocked_values_is_cut_short_for_people(idsync: Program) -> None:
    values = ", ".join(f"value-{number}" for number in range(3000))
    idsync.write("idsync.yaml", PLAIN + f"    extensions: {{blocked: {{email: [{values}]}}}}\n")
    assert "and 2,990 more" in told(idsync("config", "show").stdout)
    shown = idsync("config", "show", "--json").json()["scopes"]["shop"]["extensions"]
    assert len(shown["blocked"]["email"]) == 3000


@pytest.mark.parametrize(
    ("identities", "warned"),
    [
        ("{customer_id: {login: true, unique: true}}", {}),
        (
            (
                "{customer_id: {login: true, unique: true}, email: {login: true}, "
                "mobile_number: {login: true}}"
            ),
            {"email": False, "mobile_number": False},
        ),
        (
            "{customer_id: {login: true, unique: true, immutable: true}, email: {login: true}}",
            {"email": True},
        ),
        ("{email: {login: true, unique: true, immutable: true}}", {"email": False}),
    ],
)
def test_config_show_says_of_a_login_type_that_others_may_know_what_that_means(
    idsync: Program, identities: str, warned: dict[str, bool]
) -> None:
    priority = "[customer_id, email, mobile_number, ios_idfv]"
    if "customer_id" not in identities:
        priority = "[email, mobile_number, ios_idfv]"
    idsync.write(
        "idsync.yaml",
        f"scopes:\n  s:\n    strategy: profile_conversion\n    priority: {priority}\n"
        f"    identities: {identities}\n",
    )
    text = told(idsync("config", "show").stdout)
    for kind in ("customer_id", "email", "mobile_number", "ios_idfv"):
        said = (
            f"note: {kind} is a login type that others may know: whoever sends it is answered as "
            "that user, logged in"
        )
        assert (said in text) is (kind in warned)
        if kind in warned:
            unless = said + ", unless that profile holds an immutable ID"
            assert (unless in text) is warned[kind]
    shown = idsync("config", "show", "--json").json()["scopes"]["s"]
    assert shown["others_may_know"] == list(warned)


def test_lint_warns_of_an_advertising_identifier_that_is_unguarded(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    outcome = idsync("config", "lint")
    assert outcome.status == 0
    [line] = [each for each in outcome.stdout.split("\n") if "[unguarded]" in each]
    assert line.startswith("idsync.yaml:4:48: scope shop: ")
    assert '"*": [placeholders]' in line
    idsync.write("idsync.yaml", GUARDED)
    assert "unguarded" not in idsync("config", "lint").stdout
    idsync.write("idsync.yaml", "scopes: {s: {strategy: default}}\n")
    assert idsync("config", "lint").stdout.count("[unguarded]") == 2


def test_what_init_writes_is_guarded(idsync: Program) -> None:
    (idsync.folder / "idsync.yaml").unlink()
    assert idsync("init", "--seed", "1").status == 0
    assert idsync("config", "lint").stdout == "no warnings\n"
    answer = idsync("identify", "--gaid", ZEROS, "--email", "anna@example.com", "--json").json()
    assert [note["code"] for note in answer["notes"]] == ["blocked"]
    assert idsync("check", "--init").status == 0
    assert idsync("check", "scenarios").status == 0


# ---- Plan


def test_a_plan_shows_what_new_guard_rails_would_have_kept_out(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    idsync.make_store()
    requests = [
        identify(ios_idfa=ZEROS, ios_idfv="1"),
        identify(ios_idfa=ZEROS, ios_idfv="2"),
        {"type": "login", "known_identities": {"customer_id": "guest", "ios_idfa": ZEROS}},
        {
            "type": "login",
            "known_identities": {"customer_id": "C", "email": "Anna@X", "ios_idfv": "3"},
        },
        {
            "type": "login",
            "known_identities": {"customer_id": "C", "email": "b@x", "ios_idfv": "3"},
        },
        {"type": "login", "known_identities": {"customer_id": "C", "email": "c@SPAM.example"}},
        {"type": "logout", "known_identities": {"ios_idfa": ZEROS}},
    ]
    mpids = [answer["mpid"] for answer in idsync.answers(*requests)]
    idsync.write("after.yaml", GUARDED)
    before = idsync.files()
    outcome = idsync("config", "plan", "--config", "after.yaml", "--json")
    assert (outcome.status, idsync.files()) == (1, before)
    [scope] = outcome.json()["scopes"]
    assert scope["kept_out"] == {
        "blocked": {
            "identifiers": 3,
            "most_held": [
                {"identity_type": "ios_idfa", "value": ZEROS, "holders": 2},
                {"identity_type": "customer_id", "value": "guest", "holders": 1},
                {"identity_type": "email", "value": "c@SPAM.example", "holders": 1},
            ],
        },
        "reshaped": {
            "identifiers": 1,
            "most_held": [
                {"identity_type": "email", "value": "Anna@X", "holders": 1, "would_be": "anna@x"}
            ],
        },
        "crowded": {
            "profiles": 2,
            "largest": [
                {"mpid": mpids[3], "identity_type": "email", "values": 3},
                {"mpid": mpids[0], "identity_type": "ios_idfv", "values": 2},
            ],
        },
    }
    assert {(each["extension"], each["identity_type"]) for each in scope["extensions"]} == {
        *(("normalize", "email"), ("blocked", None), ("blocked", "email")),
        *(("max_values", "email"), ("max_values", "ios_idfv"), ("moving", "push_token")),
    }
    assert scope["extensions"][1] == {
        "extension": "blocked",
        "identity_type": None,
        "before": None,
        "after": ["placeholders"],
    }
    text = told(idsync("config", "plan", "--config", "after.yaml").stdout)
    for words in (
        "normalize email not set becomes trim, lowercase",
        "blocked * not set becomes placeholders",
        "moving push_token not set becomes yes",
        "3 identifiers blocked: kept, not looked up:",
        f"ios_idfa {ZEROS} 2",
        "1 identifier in another form: kept, and found:",
        "email Anna@X anna@x 1",
        "2 profiles that hold more values than the limit: kept as they are:",
        f"{mpids[3]} email 3",
    ):
        assert words in text
    assert all(len(line) <= 80 for line in idsync("config", "plan").stdout.split("\n"))
    same = idsync("config", "plan", "--config", "after.yaml", "--no-extensions")
    assert same.status == 0


def test_a_plan_tells_only_of_what_is_new(guarded: Program) -> None:
    guarded("identify", "--idfa", ZEROS, "--email", "A@X", "--no-extensions")
    guarded("identify", "--email", "other@x")  # under guard rails, which the store remembers
    assert guarded("config", "plan").status == 0
    guarded.write("after.yaml", GUARDED.replace("lowercase", "lowercase, digits"))
    [scope] = guarded("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert [each["extension"] for each in scope["extensions"]] == ["normalize"]
    assert scope["kept_out"]["blocked"]["identifiers"] == 0
    assert scope["kept_out"]["reshaped"]["identifiers"] == 0  # A@X was none before
    guarded.write("after.yaml", GUARDED.replace("test@example.com", "other@x, a@x"))
    [scope] = guarded("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert [each["value"] for each in scope["kept_out"]["blocked"]["most_held"]] == [
        "A@X",
        "other@x",
    ]


def test_a_plan_lists_so_many_and_counts_all(idsync: Program) -> None:
    idsync.write("idsync.yaml", PLAIN)
    requests = [identify(email=f"E{number}", ios_idfv=f"d{number}") for number in range(25)]
    assert idsync.replay(*requests).status == 0
    idsync.write("after.yaml", PLAIN + "    extensions: {normalize: {email: [lowercase]}}\n")
    told_ = idsync("config", "plan", "--config", "after.yaml").stdout
    assert "25 identifiers in another form" in told_
    assert "  and 5 more" in told_
    [scope] = idsync("config", "plan", "--config", "after.yaml", "--json").json()["scopes"]
    assert len(scope["kept_out"]["reshaped"]["most_held"]) == 25
