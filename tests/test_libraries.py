"""What published libraries of mParticle write is taken: as it was recorded, and as they write it.

The libraries are installed into folders of their own, where a registry can be reached.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.program import CONFIG, Program

Json = dict[str, Any]

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "libraries"
PACKAGES = {
    "python": ["mparticle==0.16.1"],
    "node": ["mparticle@1.0.8"],
    "event-models": ["@mparticle/event-models@1.2.0"],
}
PATIENCE = 120


def recorded(name: str) -> list[Json]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def taken(program: Program, batches: list[Json]) -> list[Json]:
    """The answers to batches, none of which is refused."""
    program.write("idsync.yaml", CONFIG)
    answers: list[Json] = program.answers(*({"type": "batch", **each} for each in batches))
    assert [each for each in answers if each["status"] == "error"] == []
    assert program("doctor").status == 0
    return answers


def shown(program: Program, answer: Json) -> Json:
    found: Json = program("profile", "show", "--mpid", answer["mpid"], "--json").json()
    return found


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_library_was_seen_to_write_is_taken(tmp_path: Path, name: str) -> None:
    program, batches = Program(tmp_path), recorded(name)
    answers = taken(program, batches)
    for batch, answer in zip(batches, answers, strict=True):
        if answer["status"] != "duplicate":
            assert answer["events"] == len(batch.get("events") or ())
            assert answer["attributes_set"] == [*batch.get("user_attributes", ())]
    assert "duplicate" in [each["status"] for each in answers] or name == "event-models"


def test_the_python_library_tells_who_bought_what(tmp_path: Path) -> None:
    program = Program(tmp_path)
    shop, device, profile, *_ = taken(program, recorded("python"))
    assert profile["mpid"] == shop["mpid"] != device["mpid"]
    found = shown(program, shop)
    assert found["identities"] == {
        "customer_id": ["123456"],
        "email": ["user@example.com"],
        "ios_idfa": ["07d2ebaa-e956-407e-a1e6-f05f871bf4e2"],
        "ios_idfv": ["0A1B2C3D-0000-1111-2222-333344445555"],
        "other_id_2": ["loyalty-7"],
    }
    assert found["attributes"] == {
        "$Age": 34, "Account type": "trial", "city": "Zürich", "score": 4.5, "sizes": ["S", "M"],
        "tags": [], "vip": True,
    }  # fmt: skip
    names = [each["name"] for each in found["events"]]
    assert sorted(names, key=str) == [None, None, "Thanks", "cart", "purchase"]
    assert found["consent_state"]["gdpr"]["document_agreement"]["consented"] is True
    phone, nobody = found["devices"]
    assert (phone["identity_type"], phone["info"]["device_info"]["platform"]) == ("ios_idfa", "iOS")
    assert "ios_idfv" not in phone["info"]["device_info"]
    assert (nobody["identity_type"], nobody["info"]) == (None, {"environment": "production"})
    other = shown(program, device)
    assert other["is_opted_out"]
    assert other["identities"]["push_token"] == ["token-1"]


def test_the_web_library_names_profiles_and_deletes_by_events(tmp_path: Path) -> None:
    program = Program(tmp_path)
    first, second, third = taken(program, recorded("event-models"))
    assert first["mpid"] == second["mpid"] == third["mpid"]
    assert second["attributes_deleted"] == ["old"]
    found = shown(program, first)
    assert found["attributes"] == {"list": ["a", "b"], "nothing": None, "plan": "gold"}
    assert {each["name"] for each in found["events"]} == {None, "add_to_cart", "hello"}
    stamps = [each["value"] for each in found["devices"]]
    assert stamps == ["59780f39-d7a0-4ebe-9950-280f937c29e2"]


# ---- The libraries themselves


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command says; a test that cannot have what it needs is skipped."""
    try:
        done = subprocess.run(
            [*map(str, command)],
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"{command[0]} cannot do it here: {str(told).strip()[-200:]}")
    return done.stdout


@contextmanager
def receiving() -> Iterator[tuple[str, list[Json]]]:
    """A server that keeps the bodies it gets: its address, and the batches."""
    batches: list[Json] = []

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            batches.extend(body if isinstance(body, list) else [body])
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeper) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v2", batches
        finally:
            server.shutdown()
            thread.join()


def by_python(folder: Path) -> list[Json]:
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    install = ("-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(python, *install, *PACKAGES["python"], cwd=folder, PYTHONPATH="")
    with receiving() as (address, batches):
        run(python, FOLDER / "send.py", address, cwd=folder, PYTHONPATH="")
    return batches


def node_with(folder: Path, name: str) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not here")
    run("npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES[name], cwd=folder)


def by_node(folder: Path) -> list[Json]:
    node_with(folder, "node")
    modules = str(folder / "node_modules")
    with receiving() as (address, batches):
        run("node", FOLDER / "send.js", address, cwd=folder, NODE_PATH=modules)
    return batches


def by_event_models(folder: Path) -> list[Json]:
    node_with(folder, "event-models")
    modules = str(folder / "node_modules")
    lines = run("node", FOLDER / "models.js", cwd=folder, NODE_PATH=modules).splitlines()
    return [json.loads(line) for line in lines]


WRITERS: dict[str, Callable[[Path], list[Json]]] = {
    "python": by_python,
    "node": by_node,
    "event-models": by_event_models,
}


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_library_writes_is_taken_and_is_as_it_was_recorded(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "library").mkdir()
    batches = WRITERS[name](tmp_path / "library")
    taken(Program(tmp_path), batches)
    assert batches == recorded(name)
