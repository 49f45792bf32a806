"""`idsync erase --dsr`: requests of data subjects as OpenDSR has them (section 9, Erase)."""

import json
import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.program import (  # noqa: F401 - the fixture
    Program,
    assert_refused,
    mpid_of,
    program_in_a_fresh_folder,
)

FIRST = mpid_of(1, 1)
ID = "a7551968-d5d6-44b2-9831-815ac9017798"
Json = dict[str, Any]

BODY: Json = {
    "regulation": "gdpr",
    "subject_request_id": ID,
    "subject_request_type": "erasure",
    "submitted_time": "2026-10-02T15:00:00Z",
    "subject_identities": {
        "controller_customer_id": {"value": "c1", "encoding": "raw"},
        "ios_vendor_id": {"value": "phone", "encoding": "raw"},
    },
    "api_version": "3.0",
    "status_callback_urls": ["https://example.com/callback"],
    "group_id": "a group",
    "extensions": {"opendsr.mparticle.com": {"skip_waiting_period": True}},
}


@pytest.fixture(name="shop")
def store_with_a_user(idsync: Program) -> Program:
    """A user with data, and one without anything."""
    idsync.make_store()
    event = {"event_type": "custom_event", "data": {"event_name": "hello"}}
    batch = {
        "type": "batch",
        "user_identities": {"customer_id": "c1", "email": "a@example.com"},
        "device_info": {"ios_idfv": "phone", "platform": "iOS"},
        "user_attributes": {"city": "Bern", "tag": None},
        "timestamp_unixtime_ms": 1_700_000_000_000,
    }
    answers = idsync.answers(
        batch | {"events": [event, event]},
        batch | {"events": [{"event_type": "screen_view", "data": {"screen_name": "home"}}]},
        {"type": "login", "known_identities": {"customer_id": "c2"}, "label": "orphan"},
        {"type": "modify", "mpid": "@orphan", "known_identities": {"customer_id": None}},
    )
    assert [each["status"] for each in answers[::3]] == ["created", "modified"]
    return idsync


def body(**changed: Any) -> Json:
    return {name: each for name, each in (BODY | changed).items() if each is not ...}


def of_mpid(mpid: object, **changed: Any) -> Json:
    extension = {"subject_identities": {"mpid": {"value": mpid, "encoding": "raw"}}}
    extensions = {"opendsr.mparticle.com": extension}
    return body(subject_identities=..., extensions=extensions, **changed)


def run(program: Program, content: object, *arguments: str) -> Any:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    program.write("request.json", text)
    return program("erase", "--dsr", "request.json", *arguments)


def test_an_erasure_is_carried_out_and_its_id_is_used(shop: Program) -> None:
    outcome = run(shop, BODY, "--json", "--certificate", "certificate.json")
    assert (outcome.status, outcome.stderr) == (0, "")
    answer = outcome.json()
    assert (answer["status"], answer["mpid"], answer["request_id"]) == ("erased", FIRST, ID)
    assert answer["counts"]["events"] == 3
    assert json.loads((shop.folder / "certificate.json").read_text())["request_id"] == ID
    shop("login", "--customer-id", "c1", "--idfv", "phone")
    before = shop.files()
    for again in (body(), body(subject_request_id=ID.upper())):
        assert_refused(run(shop, again), 2, ID, "was already used", "erasure")
    again = run(shop, body(subject_request_type="access"), "--output", "folder")
    assert_refused(again, 2, ID, "was already used")
    assert {**shop.files(), "request.json": None} == {**before, "request.json": None}
    assert run(shop, body(subject_request_id=ID.replace("a", "b"))).status == 0
    assert shop("doctor").status == 0


@pytest.mark.parametrize("mpid", [FIRST, int(FIRST)])
def test_an_mpid_stands_alone_in_the_extension(shop: Program, mpid: object) -> None:
    answer = run(shop, of_mpid(mpid), "--json").json()
    assert (answer["status"], answer["mpid"]) == ("erased", FIRST)


def test_identities_may_stand_in_both_places(shop: Program) -> None:
    more = {"other2": {"value": "x", "encoding": "raw"}}
    extensions = {"opendsr.mparticle.com": {"subject_identities": more}}
    assert run(shop, body(extensions=extensions)).status == 0


def test_one_that_fits_nobody_leaves_its_id_free(shop: Program) -> None:
    nobody = {"email": {"value": "nobody@example.com", "encoding": "raw"}}
    outcome = run(shop, body(subject_identities=nobody))
    assert (outcome.status, outcome.stdout.splitlines()[0]) == (1, "not found")
    assert run(shop, of_mpid("5")).status == 1
    assert run(shop, body()).status == 0


def test_one_that_fits_two_is_refused_and_its_id_is_free(shop: Program) -> None:
    for _ in range(2):
        shop("logout", "--idfv", "shared")
    device = {"ios_vendor_id": {"value": "shared", "encoding": "raw"}}
    assert_refused(run(shop, body(subject_identities=device)), 2, "AMBIGUOUS")
    access = body(subject_identities=device, subject_request_type="access")
    assert_refused(run(shop, access, "--output", "folder"), 2, "AMBIGUOUS")
    assert not (shop.folder / "folder").exists()
    assert run(shop, body()).status == 0


def test_a_dry_run_leaves_the_id_free(shop: Program) -> None:
    assert run(shop, body(), "--dry-run").status == 0
    access = body(subject_request_type="portability")
    assert run(shop, access, "--output", "folder", "--dry-run").status == 0
    assert not (shop.folder / "folder").exists()
    assert run(shop, body()).status == 0


# ---- Access and portability


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_access_gives_a_folder_with_the_profile_and_its_batches(shop: Program, kind: str) -> None:
    outcome = run(shop, body(subject_request_type=kind), "--output", "folder", "--json")
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.json() == {
        "subject_request_id": ID,
        "subject_request_type": kind,
        "mpid": FIRST,
        "scope": "consumers",
        "folder": "folder",
        "files": ["profile.jsonl", "batches.jsonl"],
    }
    folder = shop.folder / "folder"
    assert sorted(path.name for path in folder.iterdir()) == ["batches.jsonl", "profile.jsonl"]
    [profile] = map(json.loads, (folder / "profile.jsonl").read_text().splitlines())
    assert profile["mpid"] == FIRST
    assert profile["identities"] == {
        "customer_id": ["c1"], "email": ["a@example.com"], "ios_idfv": ["phone"],
    }  # fmt: skip
    assert profile["user_attributes"] == {"city": "Bern", "tag": None}
    [device] = profile["devices"]
    assert (device["value"], device["device_info"]) == ("phone", {"platform": "iOS"})
    batches = [json.loads(line) for line in (folder / "batches.jsonl").read_text().splitlines()]
    assert [(each["seq"], len(each["events"])) for each in batches] == [(1, 2), (2, 1)]
    assert batches[1]["events"][0]["data"] == {"screen_name": "home"}
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0
    assert shop("search", "--customer-id", "c1").status == 0  # nothing is erased
    assert_refused(run(shop, body(subject_request_type=kind), "--output", "new"), 2, "already used")


def test_an_erasure_names_the_folder_and_lets_go_of_whose_the_request_was(shop: Program) -> None:
    access = body(subject_request_type="access")
    assert run(shop, access, "--output", "folder").status == 0
    other = body(subject_request_id="b" + ID[1:])
    answer = run(shop, other, "--json").json()
    assert [(each["kind"], Path(each["path"]).name) for each in answer["files"]] == [
        ("results", "folder")
    ]
    assert_refused(run(shop, access, "--output", "new"), 2, "already used")
    assert shop("doctor").status == 0


def test_of_a_profile_without_anything_there_is_an_empty_file(shop: Program) -> None:
    access = of_mpid(mpid_of(1, 3), subject_request_type="access")
    outcome = run(shop, access, "--output", "folder")
    assert (outcome.status, outcome.stdout) == (
        0, f"profile {mpid_of(1, 3)}: empty.txt in folder\n",
    )  # fmt: skip
    assert [path.name for path in (shop.folder / "folder").iterdir()] == ["empty.txt"]


def test_of_nobody_there_is_no_folder(shop: Program) -> None:
    access = of_mpid("5", subject_request_type="access")
    assert_refused(run(shop, access, "--output", "folder"), 1, "MPID_NOT_FOUND")
    nobody = {"email": {"value": "nobody@example.com", "encoding": "raw"}}
    access = body(subject_request_type="access", subject_identities=nobody)
    outcome = run(shop, access, "--output", "folder")
    assert (outcome.status, outcome.stdout.split("\n")[0]) == (1, "not found")
    assert not (shop.folder / "folder").exists()


def test_the_folder_must_be_new_or_empty(shop: Program) -> None:
    access = body(subject_request_type="access")
    (shop.folder / "full").mkdir()
    shop.write("full/a", "")
    before = shop.files()
    for folder, words in {
        "full": "not empty",
        "full/a": "it is a file",
        "nowhere/folder": "its folder does not exist",
        "idsync.db": "is the store",
    }.items():
        assert_refused(run(shop, access, "--output", folder), 2, words)
    assert_refused(run(shop, access), 2, "--output DIR")
    assert {**shop.files(), "request.json": None} == {**before, "request.json": None}
    (shop.folder / "empty").mkdir()
    assert run(shop, access, "--output", "empty").status == 0


# ---- What is wrong with a request

RAW = {"value": "c1", "encoding": "raw"}
MANY = {f"type_{number}": RAW for number in range(51)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (body(regulation=...), ["no regulation", "gdpr, ccpa"]),
        (body(regulation="gdrp"), ["regulation is 'gdrp'", "did you mean 'gdpr'"]),
        (body(subject_request_id=...), ["no subject_request_id"]),
        (body(subject_request_id="5"), ["subject_request_id is '5'", "must be a UUID"]),
        (body(subject_request_id=5), ["must be a UUID"]),
        (body(subject_request_id=ID + "0"), ["must be a UUID"]),
        (body(subject_request_type="delete"), ["subject_request_type is 'delete'"]),
        (body(subject_request_type=["erasure"]), ["subject_request_type is '[\"erasure\"]'"]),
        (body(submitted_time=...), ["no submitted_time"]),
        (body(submitted_time="yesterday"), ["submitted_time is 'yesterday'"]),
        (body(api_version="2.0"), ["api_version is '2.0'", "3.0"]),
        (body(extensions=[]), ["is not an object"]),
        (body(extensions="x"), ["is not an object"]),
        (body(extensions={"opendsr.mparticle.com": "x"}), ["is not an object"]),
        (body(subject_identities=...), ["no subject_identities"]),
        (body(subject_identities={}), ["no subject_identities"]),
        (body(subject_identities=[{"identity_type": "email"}]), ["is a list", "version 3"]),
        (body(subject_identities="email"), ["must be an object"]),
        (body(subject_identities={"emial": RAW}), ["unknown identity type 'emial'", "'email'"]),
        (body(subject_identities={"email": "c1"}), ["email must be an object"]),
        (body(subject_identities={"email": {"encoding": "raw"}}), ["email must be an object"]),
        (
            body(subject_identities={"email": {"value": "x", "encoding": "sha256"}}),
            ["encoding 'sha256'", "only raw"],
        ),
        (body(subject_identities={"email": {"value": 5, "encoding": "raw"}}), ["is not text"]),
        (body(subject_identities={"email": {"value": "", "encoding": "raw"}}), ["or empty"]),
        (
            body(subject_identities={"customer_id": RAW, "controller_customer_id": RAW}),
            ["customer_id and controller_customer_id are one type"],
        ),
        (body(subject_identities={"mpid": RAW, "email": RAW}), ["mpid is given with other"]),
        (of_mpid("5") | {"subject_identities": {"email": RAW}}, ["mpid is given with other"]),
        (of_mpid("05"), ["mpid is '05'"]),
        (body(subject_identities=MANY), ["51 identities; at most 50"]),
        ([], ["not a JSON object"]),
        (b"{", ["not JSON"]),
        (b'{"regulation": "gdpr", "regulation": "ccpa"}', ["appears twice"]),
        (b"\xff", ["not UTF-8"]),
        (b" " * (2**20 + 1), ["larger than 1 MiB"]),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    shop: Program, content: object, words: list[str]
) -> None:
    outcome = run(shop, content)
    assert_refused(outcome, 2, "request.json", *words)
    assert shop("search", "--customer-id", "c1").status == 0


def test_all_that_is_wrong_is_said_at_once(shop: Program) -> None:
    wrong = deepcopy(BODY)
    del wrong["regulation"]
    wrong["subject_request_id"] = "x"
    wrong["subject_identities"]["shoe_size"] = RAW
    outcome = run(shop, wrong)
    assert len(outcome.stderr.splitlines()) == 3


def test_a_file_that_is_not_there_is_said(shop: Program) -> None:
    assert_refused(shop("erase", "--dsr", "nowhere.json"), 2, "nowhere.json", "No such file")
    assert_refused(shop("erase", "--dsr", os.curdir), 2, "cannot be read")


def test_a_request_names_the_profile_itself(shop: Program) -> None:
    for more in (["--mpid", "5"], ["--email", "e"], ["--request-id", "r"]):
        assert_refused(run(shop, BODY, *more), 2, "--dsr names the profile itself")


def test_a_value_that_is_none_is_refused_like_in_any_request(shop: Program) -> None:
    identities = {"email": {"value": "a\0b", "encoding": "raw"}}
    assert_refused(run(shop, body(subject_identities=identities)), 2, "INVALID_IDENTITY_VALUE")
