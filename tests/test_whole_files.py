"""What a command writes takes its place when it is whole: until then what was there stays."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from idsync_cli.files.whole_file import whole_file
from tests.faults import day, limited, names, text, unprivileged
from tests.program import (  # noqa: F401 - the fixture
    Program,
    program_in_a_fresh_folder,
)
from tests.test_faults_room import small_disk

OLD = b"<three days of work/>\n"

SCENARIO = """\
config: idsync.yaml
steps:
  - identify: {email: a@example.com}
    expect: {status: matched}
"""

WRITING = {
    "export": ("export", "--force", "--output", "there", "--store", "full.db"),
    "export as csv": ("export", "--format=csv", "--force", "--output", "there", "--store=full.db"),
    "picture": ("identify", "--idfv", "1", "--dry-run", "--force", "--svg", "there"),
    "report": ("check", "s.yaml", "--junit", "there"),
}


@pytest.fixture(name="filled")
def program_with_something_there(idsync: Program) -> Program:
    idsync.write("there", OLD)
    idsync.write("s.yaml", SCENARIO)
    idsync.write("day.jsonl", text(day(1500)))
    assert idsync("replay", "day.jsonl", "--store", "full.db", "--quiet").status == 0
    return idsync


# ---- Where it cannot be written to its end


@pytest.mark.parametrize("name", WRITING)
def test_where_there_is_no_room_what_was_there_stays(filled: Program, name: str) -> None:
    # A store that is read has its shared memory in a file, of 32 KiB.
    limit = 500 if "full.db" not in " ".join(WRITING[name]) else 33_000
    before = filled.files()
    outcome = limited(filled, limit, *WRITING[name])
    assert outcome.status in (2, 3), outcome
    assert "there" in outcome.stderr
    assert "File too large" in outcome.stderr
    stores = {"full.db", "full.db-shm", "full.db-wal"}  # the path of an output is kept there
    found = filled.files()
    assert {each: found[each] for each in found.keys() - stores} == {
        each: before[each] for each in before.keys() - stores
    }


def test_on_a_full_disk_what_was_there_stays(filled: Program) -> None:
    with small_disk(filled.folder / "disk", "64k") as resize:
        filled.write("disk/there", OLD)
        for force in ((), ("--force",)):
            name = "there" if force else "new"
            outcome = filled("export", "--store=full.db", "--output", f"disk/{name}", *force)
            assert outcome.status == 3
            assert "No space left on device" in outcome.stderr
            assert names(filled.folder / "disk") == {"there"}
            assert (filled.folder / "disk" / "there").read_bytes() == OLD
        resize("2m")
        outcome = filled("export", "--store=full.db", "--output", "disk/there", "--force")
        assert outcome.status == 0
        exported = filled("export", "--store", "full.db").stdout
        assert (filled.folder / "disk" / "there").read_text() == exported


@pytest.mark.parametrize("command", [("init", "--config"), ("check", "--init")])
def test_a_configuration_of_which_there_is_only_half_is_not_left(
    idsync: Program, command: tuple[str, ...]
) -> None:
    (idsync.folder / "idsync.yaml").unlink()
    outcome = limited(idsync, 300, *command, "new")
    assert outcome.status == 2
    assert "File too large" in outcome.stderr
    assert [name for name, content in idsync.files().items() if content is not None] == []


@contextmanager
def failing(path: Path, *, must_be_new: bool = False) -> Iterator[None]:
    """The block sees the moment before a write that does not come to its end."""
    with suppress(KeyboardInterrupt), whole_file(str(path), must_be_new=must_be_new) as file:
        file.write(b"half of ")
        file.flush()
        yield
        raise KeyboardInterrupt


def test_a_file_has_its_content_at_once_or_never(tmp_path: Path) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_bytes(OLD)
    for place, was_there in ((there, True), (new, False)):
        with failing(place, must_be_new=not was_there):
            assert place.exists() == was_there
        assert place.exists() == was_there
    assert there.read_bytes() == OLD
    assert names(tmp_path) == {"there"}
    for place in (there, new):
        with whole_file(str(place)) as file:
            file.write(b"all of it")
        assert place.read_bytes() == b"all of it"
    assert names(tmp_path) == {"there", "new"}


def test_what_a_killed_process_began_is_cleared_away(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    begun = tmp_path / f".out.{gone.pid}.new"
    begun.write_bytes(b"half of ")
    with whole_file(str(tmp_path / "out")) as file:
        file.write(b"all")
    assert names(tmp_path) == {"out"}


def test_what_somebody_makes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "new"
    write = whole_file(str(path), must_be_new=True)
    write.__enter__().write(b"mine")
    path.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        write.__exit__(None, None, None)
    assert path.read_bytes() == b"somebody's"
    assert names(tmp_path) == {"new"}


def test_where_there_are_no_second_names_a_new_file_is_made_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", cannot)
    path = tmp_path / "new"
    with whole_file(str(path), must_be_new=True) as file:
        file.write(b"mine")
    assert path.read_bytes() == b"mine"
    with pytest.raises(FileExistsError), whole_file(str(path), must_be_new=True) as file:
        file.write(b"mine again")
    assert path.read_bytes() == b"mine"
    assert names(tmp_path) == {"new"}


# ---- Links, permissions, and what is no file


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    target, link = tmp_path / "a" / "target", tmp_path / "link"
    link.symlink_to("a/target")
    for content in (b"first", b"second"):  # the link leads nowhere at first
        with whole_file(str(link)) as file:
            file.write(content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert names(tmp_path) == {"a", "link"}
    assert names(tmp_path / "a") == {"target"}


def test_a_link_that_leads_to_itself_is_no_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("link")
    with pytest.raises(OSError, match="symbolic links"), whole_file(str(link)):
        pass
    assert link.is_symlink()


def test_a_second_name_keeps_what_was_there(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(OLD)
    second.hardlink_to(first)
    with whole_file(str(first)) as file:
        file.write(b"new")
    assert (first.read_bytes(), second.read_bytes()) == (b"new", OLD)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_permissions_and_a_new_one_has_those_of_the_umask(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "there"
    path.write_bytes(OLD)
    path.chmod(mode)
    umask = os.umask(0o027)
    try:
        with whole_file(str(path)) as file:
            [draft] = names(tmp_path) - {"there"}
            assert (tmp_path / draft).stat().st_mode & 0o077 == 0  # nobody sees what they may not
            file.write(b"new")
        with whole_file(str(tmp_path / "new")) as file:
            file.write(b"new")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_bytes(OLD)
    path.chmod(0o640)
    os.chown(path, 12345, 23456)
    with whole_file(str(path)) as file:
        file.write(b"new")
    there = path.stat()
    assert (there.st_uid, there.st_gid, stat.S_IMODE(there.st_mode)) == (12345, 23456, 0o640)


def test_what_may_not_be_written_is_not_replaced_either(filled: Program) -> None:
    (filled.folder / "there").chmod(0o444)
    outcome = unprivileged(filled, *WRITING["export"])
    assert outcome.status in (2, 3)
    assert "permission denied" in outcome.stderr
    assert (filled.folder / "there").read_bytes() == OLD
    assert not [name for name in names(filled.folder) if name.endswith(".new")]


def test_where_nothing_can_be_put_beside_it_a_file_is_written_in_place(filled: Program) -> None:
    folder = filled.folder / "closed"
    folder.mkdir()
    (folder / "there").write_bytes(OLD)
    folder.chmod(0o555)
    try:
        outcome = unprivileged(filled, *WRITING["export"][:3], "closed/there", "--store=full.db")
        assert outcome.status == 0, outcome
    finally:
        folder.chmod(0o755)
    assert (folder / "there").read_text() == filled("export", "--store", "full.db").stdout
    assert names(folder) == {"there"}


def test_a_file_that_can_only_be_written_in_place_is_written_when_all_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is mounted into a container by itself."""
    path = tmp_path / "there"
    path.write_bytes(OLD * 10)
    number = path.stat().st_ino

    def busy(*_: object, **__: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    with failing(path):
        assert path.read_bytes() == OLD * 10
    with whole_file(str(path)) as file:
        file.write(b"new")
        assert path.read_bytes() == OLD * 10
    assert (path.read_bytes(), path.stat().st_ino) == (b"new", number)
    assert names(tmp_path) == {"there"}


def test_a_name_as_long_as_may_be_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127)
    for content in (b"first", b"second"):
        with whole_file(str(path)) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert names(tmp_path) == {path.name}


def test_pipes_devices_and_streams_are_written_at_once(filled: Program) -> None:
    os.mkfifo(filled.folder / "pipe")
    exported = filled("export", "--store", "full.db").stdout.encode()
    with filled.start(*WRITING["export"][:3], "pipe", "--store=full.db") as process:
        assert (filled.folder / "pipe").read_bytes() == exported
        process.communicate(timeout=60)
        assert process.returncode == 0
    for name in ("/dev/stdout", "/dev/fd/1", "link"):
        if name == "link":
            (filled.folder / "link").symlink_to("/dev/stdout")
        with (filled.folder / "log").open("wb") as log:
            number = os.fstat(log.fileno()).st_ino
            process = filled.start(*WRITING["export"][:3], name, "--store=full.db", stdout=log)
            process.communicate(timeout=60)
            assert process.returncode == 0
        assert (filled.folder / "log").stat().st_ino == number
        assert (filled.folder / "log").read_bytes() == exported
    with closing((filled.folder / "log").open("rb")) as file:
        assert file.read(1) == b"{"


def test_a_report_goes_to_a_pipe_as_well(filled: Program) -> None:
    os.mkfifo(filled.folder / "pipe")
    pipe = os.open(filled.folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with closing(os.fdopen(pipe, "rb")) as report:
        with filled.start("check", "s.yaml", "--junit", "pipe") as process:
            process.communicate(timeout=60)
        assert process.returncode == 1
        assert report.read().startswith(b"<?xml")
