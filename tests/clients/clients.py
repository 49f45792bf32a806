"""Where the published clients are; scripts/clients.sh installs them."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.console_blocks import ROOT

FOLDER = Path(os.environ.get("IDSYNC_CLIENTS", ROOT / "tests" / "clients"))
"""The folder with `node_modules` and `python`."""

SHOP = ROOT / "examples" / "shop"


def node_modules(*packages: str) -> Path:
    """The folder of the npm packages; the test is skipped where one is missing."""
    found = FOLDER / "node_modules"
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    for each in packages:
        if not (found / each).is_dir():
            pytest.skip(f"the npm package {each} is not installed: see scripts/clients.sh")
    return found


def chromium() -> str:
    """The browser; the test is skipped where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


def python_path(package: str) -> str:
    """What PYTHONPATH has to be for a package; the test is skipped where it is missing."""
    found = FOLDER / "python"
    if not (found / package).is_dir():
        pytest.skip(f"the Python package {package} is not installed: see scripts/clients.sh")
    return os.pathsep.join([str(found), *sys.path])


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


@contextmanager
def files_served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, as the address that is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
