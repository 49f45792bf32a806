"""A client that a published generator makes of what mParticle publishes of OpenDSR (section 10)."""

import os
import subprocess
import sys
from pathlib import Path

from tests.clients.clients import python_path
from tests.clients.test_server_libraries import told_by
from tests.http_api import serving
from tests.program import Program
from tests.test_http_opendsr import DESCRIPTION
from tests.test_http_subject_requests import with_users

CLIENT = Path(__file__).with_name("opendsr_client.py")


def test_the_generated_client(tmp_path: Path) -> None:
    path = python_path("openapi_python_client")
    settings = tmp_path / "settings.yaml"
    settings.write_text("post_hooks: []\n")
    made = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", DESCRIPTION,
            "--output-path", tmp_path / "opendsr", "--meta", "none", "--config", settings,
        ],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "warning" not in made.stdout.lower()
    folder = tmp_path / "store"
    folder.mkdir()
    program = with_users(Program(folder), 2)
    with serving(program) as running:
        base = f"http://{running.host}:{running.port}/v3"
        told = told_by(
            [sys.executable, CLIENT, base, "adm", "word", "c1"],
            {"PYTHONPATH": os.pathsep.join([str(tmp_path), path])},
        )
    types = told.pop("types")
    assert types > 20
    assert told == {
        "accepted": [201, "web"], "status": ["completed", "generated", "PK"], "erased": 201,
        "group": [True, False], "late": 400, "unknown": 404,
    }  # fmt: skip
    assert program("search", "--customer-id", "c1").status == 1
