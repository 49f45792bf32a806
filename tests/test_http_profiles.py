"""The Profile API, and the audiences of a device's user, over HTTP (section 10)."""

import signal
import time
from collections.abc import Iterator

import pytest

from idsync_cli.server.tokens import LIFE_SECONDS, MOST_OF_A_PAIR, Tokens
from tests.http_api import Json, Reply, Server, basic, serving, signed
from tests.program import Program, mpid_of
from tests.test_http_credentials import written_now

CONFIG = """\
scopes:
  consumers:
    strategy: profile_link
    priority: [customer_id, email, device_application_stamp]
    identities: {customer_id: {login: true, unique: true, immutable: true}}
    calculated_attributes:
      spent: {calculation: sum, event_type: commerce_event, attribute: total_amount}
    audiences:
      buyers: {id: 13775, all: [{attribute: spent, operator: greater_than, value: 5}]}
      everybody: {id: 7, any: [{identity: email, operator: exists}, {known: true}]}
  others:
    strategy: profile_isolation
    priority: [customer_id, email]
    identities: {customer_id: {login: true, unique: true, immutable: true}}
accounts:
  main:
    workspaces:
      web: {scope: consumers, api_key: web-key, api_secret: sesame, key_only: true,
            admin_key: adm, admin_secret: word, audiences: true}
      ios: {scope: consumers, api_key: ios-key, api_secret: apple, key_only: true}
      courier: {scope: others, api_key: courier-key, api_secret: box, key_only: true,
                admin_key: boss, admin_secret: whip, audiences: true}
"""
FIELDS = "user_identities,device_identities,user_attributes,audience_memberships,attribution"
USER = mpid_of(1, 1)
OF_USER = f"/userprofile/v1/org/account/web/{USER}"
RESOLVE = f"/userprofile/v1/resolve/org/account/web?fields={FIELDS}"
CUSTOMER = {"environment_type": "production", "identity": {"type": "customer_id", "value": "c1"}}


def with_a_user(program: Program) -> Program:
    """A buyer with everything, the MPID being USER, and one whom the other scope has."""
    program.write("idsync.yaml", CONFIG)
    program.make_store()
    bought = {"event_type": "commerce_event", "data": {"product_action": {"total_amount": 9.5}}}
    program.replay(
        {
            "type": "batch", "workspace": "web",
            "user_identities": {"customer_id": "c1", "email": "a@example.com"},
            "mp_deviceid": "phone", "user_attributes": {"city": "Bern"}, "events": [bought],
        },
        {"type": "login", "workspace": "courier", "known_identities": {"customer_id": "c1"}},
        {"type": "identify", "workspace": "web", "known_identities": {"email": "b@example.com"}},
        {"type": "identify", "workspace": "web", "known_identities": {"email": "b@example.com"}},
    )  # fmt: skip
    return program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_a_user(Program(tmp_path_factory.mktemp("profiles")))) as running:
        yield running


def asked_for_token(server: Server, key: str = "adm", secret: str = "word", **more: str) -> Reply:
    body: Json = {
        "client_id": key, "client_secret": secret, "audience": "https://api.mparticle.com",
        "grant_type": "client_credentials",
    }  # fmt: skip
    return server("POST", "/oauth/token", {**body, **more}, {"content-type": "application/json"})


def bearer(server: Server, key: str = "adm", secret: str = "word") -> dict[str, str]:
    return {
        "authorization": f"Bearer {asked_for_token(server, key, secret).json()['access_token']}"
    }


# ---- Audiences


def audiences(server: Server, key: str, mpid: object, headers: Json | None = None) -> Reply:
    return server("GET", f"/v1/{key}/audience?mpid={mpid}", b"", headers or {})


def ids(reply: Reply) -> list[int]:
    assert reply.status == 200
    body = reply.json()
    assert (set(body), body["dt"]) == ({"dt", "id", "ct", "audience_memberships"}, "ar")
    return [each["audience_id"] for each in body["audience_memberships"]]


def test_a_device_is_told_the_audiences_of_its_user(server: Server) -> None:
    assert ids(audiences(server, "web-key", USER)) == [7, 13775]
    assert ids(server("GET", f"/nativeevents/v1/web-key/audience?mpid={USER}")) == [7, 13775]
    assert ids(audiences(server, "web-key", 12345)) == []
    assert ids(audiences(server, "courier-key", USER)) == []  # another scope's profile
    for wrong in ("", "x", "0", "1.5"):
        assert audiences(server, "web-key", wrong).status == 400
    assert server("GET", "/v1/web-key/audience").status == 400


def test_the_bare_key_does_only_where_the_workspace_says_so(server: Server) -> None:
    assert audiences(server, "ios-key", USER).status == 403
    assert audiences(server, "nobody", USER).status == 401
    date, path = written_now(), f"/v1/ios-key/audience?mpid={USER}"
    headers = signed("ios-key", "apple", date, path, method="GET")
    assert ids(server("GET", path, b"", headers)) == [7, 13775]
    assert ids(server("GET", f"/nativeevents{path}", b"", headers)) == [7, 13775]
    assert server("GET", path.replace(USER, "77"), b"", headers).status == 401
    assert audiences(server, "web-key", USER, {"x-mp-key": "ios-key"}).status == 401


# ---- Tokens


def test_a_pair_of_administration_gets_a_token(server: Server) -> None:
    reply = asked_for_token(server)
    assert reply.status == 200
    assert set(reply.json()) == {"access_token", "expires_in", "token_type"}
    assert (reply.json()["expires_in"], reply.json()["token_type"]) == (28800, "Bearer")
    assert reply.headers["cache-control"] == "no-store"
    assert asked_for_token(server).json()["access_token"] != reply.json()["access_token"]


@pytest.mark.parametrize(
    ("key", "secret"),
    [("adm", "wrong"), ("adm", "whip"), ("web-key", "sesame"), ("nobody", "word"), ("", "")],
)
def test_a_wrong_pair_gets_none(server: Server, key: str, secret: str) -> None:
    reply = asked_for_token(server, key, secret)
    assert (reply.status, reply.body) == (401, b"")


def test_what_is_no_request_for_a_token(server: Server) -> None:
    assert asked_for_token(server, grant_type="password").status == 400
    bodies: list[object] = [{}, {"client_id": 5, "client_secret": "word"}, [], b"{"]
    for body in bodies:
        assert server("POST", "/oauth/token", body).status == 400


@pytest.mark.parametrize("path", [f"{OF_USER}?fields={FIELDS}", RESOLVE])
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer nonsense", "Basic YWRtOndvcmQ=", "nonsense"]
)
def test_without_a_token_nothing_is_told(server: Server, path: str, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    reply = server("POST", path, CUSTOMER, headers)
    assert (reply.status, reply.body) == (401, b"")


def test_a_token_opens_its_own_workspace_alone(server: Server) -> None:
    boss = bearer(server, "boss", "whip")
    for path in (f"{OF_USER}?fields={FIELDS}", RESOLVE):
        assert server("POST", path, CUSTOMER, boss).status == 403
    its_own = OF_USER.replace("/web/", "/courier/")
    assert server("GET", f"{its_own}?fields={FIELDS}", b"", boss).status == 400  # another scope's
    found = server("POST", RESOLVE.replace("/web", "/courier"), CUSTOMER, boss)
    assert (found.status, found.json()["mpid"]) == (200, int(mpid_of(1, 2)))


def test_a_token_ends_with_its_pair(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = with_a_user(Program(tmp_path_factory.mktemp("rotation")))
    with serving(program) as running:
        token, path = bearer(running), f"{OF_USER}?fields={FIELDS}"
        assert running("GET", path, b"", token).status == 200
        program.write("idsync.yaml", CONFIG.replace("admin_secret: word", "admin_secret: new"))
        running.process.send_signal(signal.SIGHUP)
        statuses: list[int] = []
        while 401 not in statuses:
            assert len(statuses) < 100
            time.sleep(0.05)
            statuses.append(running("GET", path, b"", token).status)
        assert running("GET", path, b"", bearer(running, "adm", "new")).status == 200


def test_without_a_pair_there_are_no_such_routes(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = Program(tmp_path_factory.mktemp("no-admin"))
    plain = CONFIG.replace("admin_key: adm, admin_secret: word, ", "").replace(
        "admin_key: boss, admin_secret: whip, ", ""
    )
    program.write("idsync.yaml", plain)
    with serving(program) as running:
        assert asked_for_token(running).status == 404
        for method, path in (("GET", OF_USER), ("POST", OF_USER), ("POST", RESOLVE)):
            reply = running(method, path, CUSTOMER, {"authorization": "Bearer x"})
            assert (reply.status, reply.code) == (404, "NOT_FOUND_ERROR")


def test_a_token_lives_eight_hours_and_one_too_many_ends_the_oldest() -> None:
    from idsync_cli.core.config.access import Access, Secrets
    from idsync_cli.core.config.rules import Organization
    from idsync_cli.server.credentials import Credentials, Refused

    access = Access(admin_key="adm", admin_secrets=Secrets(("word",)))
    credentials = Credentials(Organization(None, {}, {"web": "s"}, access={"web": access}), {})
    now = [0.0]
    tokens = Tokens(lambda: now[0])
    _, token = tokens.issue(credentials, "adm", "word")
    now[0] = LIFE_SECONDS - 1
    assert tokens.judge(credentials, f"Bearer {token}").workspace == "web"
    now[0] = LIFE_SECONDS
    with pytest.raises(Refused, match="401"):
        tokens.judge(credentials, f"Bearer {token}")
    first, *others = [
        tokens.issue(credentials, "adm", "word")[1] for _ in range(MOST_OF_A_PAIR + 1)
    ]
    with pytest.raises(Refused, match="401"):
        tokens.judge(credentials, f"bearer {first}")
    assert all(tokens.judge(credentials, f"bearer {each}") for each in others)


# ---- Profiles


def test_the_profile_is_told_as_the_command_tells_it(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token = bearer(server)
    reply = server("GET", f"{OF_USER}?fields={FIELDS}", b"", token)
    assert reply.status == 200
    body = reply.json()
    assert body["mpid"] == int(USER)
    assert body["user_identities"] == [
        {"type": "customer_id", "encoding": "none", "value": "c1"},
        {"type": "email", "encoding": "none", "value": "a@example.com"},
    ]
    assert body["user_attributes"] == {"city": "Bern", "spent": 9.5}
    assert body["audience_memberships"] == [
        {"audience_id": 7, "audience_name": "everybody"},
        {"audience_id": 13775, "audience_name": "buyers"},
    ]
    program = with_a_user(Program(tmp_path_factory.mktemp("command")))
    told = program("profile", "query", "--mpid", USER, "--fields", FIELDS, "--json").json()
    times = {"created_timestamp_ms": 0, "last_stored_timestamp_ms": 0}
    assert {**body, **times} == {**told, **times, "mpid": int(USER)}
    assert server("POST", f"{OF_USER}?fields={FIELDS}", b"", token).json() == body
    assert server("POST", RESOLVE, CUSTOMER, token).json() == body


def test_only_the_fields_that_are_asked_for_are_told(server: Server) -> None:
    token = bearer(server)
    body = server("GET", f"{OF_USER}?fields=user_attributes,%20events", b"", token).json()
    assert {"user_attributes", "events"} < set(body)
    assert not {"user_identities", "audience_memberships"} & set(body)
    for fields in ("", "?fields=", "?fields=nonsense", "?fields=events,nonsense"):
        refused = server("GET", OF_USER + fields, b"", token)
        assert (refused.status, refused.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("mpid", ["12345", "x", "0", mpid_of(1, 2)])
def test_an_unknown_profile_is_a_bad_request(server: Server, mpid: str) -> None:
    path = OF_USER.replace(USER, mpid)
    reply = server("GET", f"{path}?fields={FIELDS}", b"", bearer(server))
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"identity": {"type": "email", "value": "a@example.com"}}, "NOT_IMMUTABLE"),
        ({"identity": {"type": "customer_id", "value": "nobody"}}, "no such profile"),
        ({"identity": {"type": "nonsense", "value": "c1"}}, "UNKNOWN_IDENTITY_TYPE"),
        ({"identity": {"type": "customer_id", "value": 5}}, "identity must be"),
        ({"identity": {"type": "customer_id", "value": "\0"}}, "NUL"),
        ({"identity": []}, "identity must be"),
        ({}, "identity must be"),
        ([], "JSON object"),
        (b"{", "JSON"),
    ],
)
def test_an_identity_that_leads_nowhere(server: Server, body: object, words: str) -> None:
    reply = server("POST", RESOLVE, body, bearer(server))
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert words in reply.json()["errors"][0]["message"]


def test_apps_and_servers_open_nothing_of_it(server: Server) -> None:
    for headers in ({"x-mp-key": "web-key"}, basic("web-key", "sesame"), basic("adm", "word")):
        assert server("GET", f"{OF_USER}?fields={FIELDS}", b"", headers).status == 401
