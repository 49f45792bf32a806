"""What schemathesis makes of `/openapi.json` finds no fault in the server (section 10).

It is no dependency: where somebody has installed it, it is asked.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.http_api import Json, Server, basic, serving
from tests.program import Program
from tests.test_http_profiles import USER, bearer, with_a_user

EXAMPLES = int(os.environ.get("IDSYNC_SCHEMATHESIS", "5"))
NOT_ASKED = "positive_data_acceptance"
"""The rules of identity refuse much that has the right form."""

if find_spec("schemathesis") is None:
    pytest.skip("schemathesis is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(with_a_user(Program(tmp_path_factory.mktemp("schemathesis")))) as running:
        yield running


def narrowed(described: Json) -> Json:
    """The same with keys and workspaces that there are, so that not all is answered with 401."""
    right = {"key": ["web-key"], "workspace": ["web"], "mpid": [USER, "5"]}
    for path, item in described["paths"].items():
        if path.endswith(("/config", "/Forwarding")):  # where any key does
            continue
        for operation in item.values():
            for each in operation["parameters"]:
                if each["in"] == "path" and each["name"] in right:
                    each["schema"] = {"enum": right[each["name"]]}
    return described


@pytest.mark.parametrize("sender", ["app", "server", "admin", "bearer", "nobody"])
def test_nothing_is_found(server: Server, tmp_path: Path, sender: str) -> None:
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(narrowed(server("GET", "/openapi.json").json())))
    headers = {
        "app": {"x-mp-key": "web-key"},
        "server": basic("web-key", "sesame"),
        "admin": basic("adm", "word"),
        "bearer": bearer(server),
        "nobody": {},
    }[sender]
    # It leaves credentials out to see whether that is noticed, and finds them by the names that
    # they have in the description; that of Basic and of bearers is the usual one.
    if "authorization" in headers:
        headers = {"Authorization": headers["authorization"]}
    ended = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", str(description),
            "--url", f"http://{server.host}:{server.port}", "--max-examples", str(EXAMPLES),
            "--seed", "1", "--no-color", "--generation-database", "none",
            "--exclude-checks", NOT_ASKED,
            *(part for name, value in headers.items() for part in ("-H", f"{name}: {value}")),
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr
    assert server("GET", "/healthz").status == 200
