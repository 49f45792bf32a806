"""Closed streams, early signals and backslashes: what a careless caller does to the program."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import Program

IDSYNC = f"{shlex.quote(sys.executable)} -m idsync_cli"
ROOT = Path(__file__).resolve().parent.parent


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["sh", "-c", f"{IDSYNC} {command}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("--version >&-", 141),
        ("config show >&-", 141),
        ("identify --das 1 >&-", 141),
        ("search --das 1 --scop x 2>&-", 2),
        ("export --store none.db 2>&-", 3),
        ("search --das nobody <&-", 1),
    ],
)
def test_a_closed_stream_changes_no_other_status_and_is_no_fault_of_ours(
    tmp_path: Path, command: str, status: int
) -> None:
    shell(tmp_path, "init --seed 1")
    done = shell(tmp_path, command)
    assert done.returncode == status
    assert "fault of idsync itself" not in done.stderr
    assert "Traceback" not in done.stderr


# Where an interrupt comes while Python drops the lock of an imported module, it loses exceptions.
_WHERE_PYTHON_LOSES_IT = """
import signal, sys

def _interrupt_there(frame, event, _argument):
    if event == "call" and frame.f_code.co_name == "cb" and {module!r} in sys.modules:
        sys.setprofile(None)
        signal.raise_signal(signal.SIGINT)

from idsync_cli.__main__ import main
sys.setprofile(_interrupt_there)
main()
"""


@pytest.mark.parametrize("module", ["idsync_cli.cli.app", "idsync_cli.cli.replay"])
def test_an_interrupt_while_the_program_is_loaded_ends_it_without_a_traceback(
    tmp_path: Path, module: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WHERE_PYTHON_LOSES_IT.format(module=module), "replay", "-"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert done.stdout + done.stderr == b""


@pytest.mark.parametrize("change", ["email::CORP\\jim", "email:a:b\\n", "email:a\\"])
def test_a_backslash_that_could_mean_two_things_is_refused(tmp_path: Path, change: str) -> None:
    idsync = Program(tmp_path)
    idsync("init", "--seed", "1")
    done = idsync("modify", "--mpid", "1", "--change", change)
    assert done.status == 2
    assert "for a backslash" in done.stderr
