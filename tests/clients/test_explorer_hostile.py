"""Hostile values, put in through the API and looked at in a real browser: none acts."""

import json
from typing import Any

import pytest

from tests.clients.clients import node_modules
from tests.clients.test_explorer_page import PACKAGES, ran
from tests.explored import CONFIG, KEY, exploring
from tests.http_api import basic
from tests.program import Program
from tests.test_hostile_values import HOSTILE

MARKUP = (
    "<img src=x onerror=window.acted=1>",
    "<script>window.acted=2</script>",
    "\"><svg onload=window.acted=3><b>x</b>",
    "'><a href='javascript:window.acted=4'>x</a>",
    "javascript:window.acted=5//",
    "</textarea></title></style></script><script>window.acted=6</script>",
    "<iframe srcdoc='<script>parent.acted=7</script>'></iframe>",
    "<base href=//evil.example/><link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'; * {display: none}</style>",
    "<math><mi xlink:href='javascript:window.acted=8'>x</mi></math>",
    "{{constructor.constructor('window.acted=9')()}}",
    "${window.acted=10}",
    "data:text/html,<script>window.acted=11</script>",
    "<!--<img src='--><img src=x onerror=window.acted=12>'>",
    "&lt;img src=x onerror=window.acted=13&gt;",
    "#/configuration",
    "__proto__",
    "constructor",
)  # fmt: skip
NAME = "<img src=x onerror=window.acted=20>"
HOSTILE_CONFIG = CONFIG.replace("buyers:", f'"{NAME}":').replace("example-org", f'"{NAME}"')


@pytest.fixture(scope="module", name="looked")
def a_look_at_all(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    node_modules(*PACKAGES)
    program = Program(tmp_path_factory.mktemp("hostile"))
    program.write("idsync.yaml", HOSTILE_CONFIG)
    server = basic("web-key", "not-a-secret")
    mpids: list[str] = []
    with exploring(program, "--seed", "1") as ask:
        for value in (*HOSTILE, *MARKUP):
            person = {"known_identities": {"customerid": value, "email": value}}
            reply = ask.server("POST", "/v1/login", person, KEY)
            if reply.status != 200:
                continue
            mpid = reply.json()["mpid"]
            batch = {
                "mpid": mpid,
                "user_attributes": {value: value},
                "device_info": {"x": value},
                "events": [{"event_type": "custom_event", "data": {"event_name": value}},
                           {"event_type": "custom_event", "data": {"event_name": "purchase"}}],
            }  # fmt: skip
            ask.server("POST", "/v2/events", batch, server)
            if value in MARKUP or len(mpids) % 6 == 0:
                mpids.append(mpid)
        assert len(mpids) > len(MARKUP)
        facts = program.write("facts.json", json.dumps({"mpids": mpids, "values": MARKUP}))
        found = ran("explorer_hostile.mjs", ask.address, facts)
        found[0]["origin"] = f"http://{ask.server.host}:{ask.server.port}"
    assert len(found) == 4 + len(mpids) + 1 + 2 * len(MARKUP) + 1
    return found


def test_no_value_acts(looked: list[dict[str, Any]]) -> None:
    for each in looked:
        where = each["where"]
        assert each["acted"] is None, where
        assert each["foreign"] == [], where
        assert each["handlers"] == [], where
        assert each["links"] == [], where
        assert each["dialogs"] == [], where
        assert each["asked"] == [looked[0]["origin"]], where


def test_nothing_breaks_of_it(looked: list[dict[str, Any]]) -> None:
    for each in looked:
        refused = [told for told in each["failed"] if "status of 40" not in told]
        assert refused == [], each["where"]


@pytest.mark.parametrize("value", MARKUP)
def test_every_value_is_told_as_it_is(looked: list[dict[str, Any]], value: str) -> None:
    of_asking = next(each for each in looked if each["where"] == f"ask {value}")
    assert value in of_asking["text"]
    assert any(value in each["text"] for each in looked if each["where"].startswith("profiles/"))


def test_hostile_names_of_the_configuration_are_told(looked: list[dict[str, Any]]) -> None:
    for view in ("audiences", "configuration", "members"):
        [found] = [each for each in looked if each["where"] == view]
        assert NAME in found["text"], view
