"""Every scenario over HTTP: the same answers as the engine gives, in the form of the SDKs."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from idsync_cli import wire
from idsync_cli.check.run import SEED
from idsync_cli.core.codes import AliasFault, ErrorCode, Status
from idsync_cli.core.config.access import Access, Secrets
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.decision import Answer, Refusal
from idsync_cli.core.identity import TYPES_BY_NAME, WIRE_NAMES
from idsync_cli.engine.engine import Engine
from idsync_cli.engine.labels import Labels
from idsync_cli.engine.service import Service
from idsync_cli.files.scenario import Scenario
from idsync_cli.server.api import Api, ServerSettings
from idsync_cli.server.app import make_app
from idsync_cli.server.credentials import Credentials
from idsync_cli.server.log import Log
from idsync_cli.store import sqlite as store
from tests.comparison import data_in, exported
from tests.http_api import Application, Reply, basic
from tests.test_scenarios import SCENARIOS, name_of, prepared

Json = dict[str, Any]
SECRET = "a secret"
KINDS = {"identify", "login", "logout", "search", "modify"}
OF_DATA = {"batch", "alias"}
TYPES_OF = {each.name: {step.request["type"] for step in each.steps} for each in SCENARIOS}
OF_IDENTITY = [each for each in SCENARIOS if TYPES_OF[each.name] <= KINDS]
WITH_DATA = [
    each
    for each in SCENARIOS
    if TYPES_OF[each.name] <= KINDS | OF_DATA and TYPES_OF[each.name] & OF_DATA
]
"""An erase comes by OpenDSR (tests/test_http_subject_requests.py)."""
ONLY_ELSEWHERE = {
    ErrorCode.INVALID_REQUEST, ErrorCode.UNKNOWN_SCOPE, ErrorCode.UNKNOWN_WORKSPACE,
    ErrorCode.UNKNOWN_LABEL,
}  # fmt: skip
"""What is wrong with members that are passed over here: the key says which scope is meant."""


def raise_bug(error: Exception) -> None:
    raise error


def with_keys(organization: Organization) -> Organization:
    """The organization with a workspace for each scope, whose key is the name of the scope."""
    keys = {name: f"key-{place}" for place, name in enumerate(organization.scopes)}
    return organization._replace(
        workspaces={key: scope for scope, key in keys.items()},
        access={
            key: Access(api_key=key, api_secrets=Secrets((SECRET,)), key_only=True)
            for key in keys.values()
        },
    )


@contextmanager
def application(
    organization: Organization, path: Path, now: Callable[[], int] = lambda: 0
) -> Iterator[Application]:
    def opened(*, write: bool) -> store.SqliteStore:
        found = store.open_store(str(path), write=write)
        assert found is not None
        return found

    credentials = Credentials(organization, {})
    with Service(
        organization, lambda: opened(write=True), lambda: opened(write=False), now=now
    ) as service:
        api = Api(service, organization, credentials, ServerSettings(), Log(None, values=False))
        with closing(Application(make_app(api, raise_bug))) as ask:
            yield ask


MPIDS = ("mpid", "previous_mpid", "source_mpid", "destination_mpid")


def without_labels(request: Json, labels: Labels) -> Json:
    """A request with MPIDs in the place of labels, which mean nothing over HTTP."""
    found = dict(request)
    for member in MPIDS:
        value = found.get(member)
        if isinstance(value, str) and value.startswith("@"):
            found[member] = str(labels.get(value[1:]))
    return found


def path_of(request: Json) -> str:
    if request["type"] == "modify":
        return f"/v1/{request['mpid']}/modify?explain=true"
    return f"/v1/{request['type']}?explain=true"


@pytest.mark.parametrize("scenario", OF_IDENTITY, ids=name_of)
def test_a_scenario_over_http_is_answered_as_by_the_engine(
    scenario: Scenario, tmp_path: Path
) -> None:
    organization = with_keys(scenario.organization)
    key_of = {scope: key for key, scope in organization.workspaces.items()}
    path = tmp_path / "idsync.db"
    with store.temporary(SEED) as storage:
        prepared(scenario, storage)
        engine = Engine(organization, storage, now=lambda: 0, explain=True)
        prepared(scenario, store.create(str(path), SEED)).close()
        labels = Labels()
        with application(organization, path) as ask:
            for step in scenario.steps:
                request = without_labels(step.request, labels)
                expected = engine.one_shot(request, labels)
                outcome = expected.outcome
                if isinstance(outcome, Refusal) and outcome.code in ONLY_ELSEWHERE:
                    continue
                if any("" in each.values() for each in request.get("identity_changes") or ()):
                    continue  # which SDKs send, and means nothing over HTTP (section 10)
                assert expected.scope is not None
                reply = ask(
                    "POST", path_of(request), request, basic(key_of[expected.scope], SECRET)
                )
                assert_same(reply, expected)


def assert_same(reply: Reply, expected: Answer) -> None:
    outcome = expected.outcome
    if isinstance(outcome, Refusal):
        assert reply.status == 400
        assert reply.json()["errors"][0]["message"].startswith(f"{outcome.code}: ")
        return
    if expected.status is Status.NOT_FOUND:
        assert (reply.status, reply.code) == (404, "NOT_FOUND_ERROR")
        return
    assert reply.status == 200
    told, body = wire.answer_json(expected, explain=True), reply.json()
    assert body["context"] is None
    assert body["is_ephemeral"] is False
    for member in ("mpid", "is_logged_in", "tiers"):
        assert body[member] == told[member], member
    matched = {TYPES_BY_NAME[name].value: each for name, each in body["matched_identities"].items()}
    assert matched == told["matched_identities"]
    assert not {kind.value for kind in WIRE_NAMES} & set(body["matched_identities"])
    if told["type"] == "modify":
        changed = {
            each["identity_type"] for each in told["changes"] if each["mpid"] == told["mpid"]
        }
        results = {TYPES_BY_NAME[each["identity_type"]].value for each in body["change_results"]}
        assert results == changed
        assert {each["modified_mpid"] for each in body["change_results"]} <= {told["mpid"]}


@pytest.mark.parametrize("scenario", WITH_DATA, ids=name_of)
def test_a_scenario_with_data_leaves_the_same_profiles(scenario: Scenario, tmp_path: Path) -> None:
    """What is answered with 202 says nothing: so what is known afterwards is compared."""
    organization = with_keys(scenario.organization)
    key_of = {scope: key for key, scope in organization.workspaces.items()}
    path = tmp_path / "idsync.db"
    now = lambda: scenario.now_ms  # noqa: E731 - said twice, and short
    with store.temporary(SEED) as storage:
        prepared(scenario, storage)
        engine = Engine(organization, storage, now=now, explain=True)
        prepared(scenario, store.create(str(path), SEED)).close()
        labels = Labels()
        with application(organization, path, now) as ask:
            for step in scenario.steps:
                request = without_labels(step.request, labels)
                expected = engine.one_shot(request, labels)
                outcome = expected.outcome
                if isinstance(outcome, Refusal) and outcome.code in ONLY_ELSEWHERE:
                    continue
                assert expected.scope is not None
                key = key_of[expected.scope]
                if request["type"] == "batch":
                    reply = ask("POST", "/v2/events", request, basic(key, SECRET))
                    assert reply.status == (400 if isinstance(outcome, Refusal) else 202)
                elif request["type"] == "alias":
                    reply = ask("POST", f"/v1/identity/{key}/alias", {"data": request}, {})
                    assert reply.status == status_of_alias(outcome)
                else:
                    reply = ask("POST", path_of(request), request, basic(key, SECRET))
                    assert_same(reply, expected)
        found = store.open_store(str(path), write=False)
        assert found is not None
        with found:
            assert exported(found, organization) == exported(storage, organization)
            assert data_in(found) == data_in(storage)


def status_of_alias(outcome: object) -> int:
    if not isinstance(outcome, Refusal) or outcome.fault is AliasFault.ALIASED_BEFORE:
        return 202
    return 403 if outcome.fault is AliasFault.NO_ALIASING else 400


def test_most_scenarios_with_data_are_asked() -> None:
    assert len(WITH_DATA) > 10
