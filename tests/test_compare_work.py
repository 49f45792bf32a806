"""A side of a comparison: what it says it has done is there to be read (section 12)."""

from pathlib import Path

import pytest

from idsync_cli import wire
from idsync_cli.files import config_file
from idsync_cli.foresight.comparing.sides import Following, LineResult
from idsync_cli.foresight.comparing.work import File, SideJob, SideWork

LINES = (12_000, 1, 3_000)  # several batches, a file that is shorter than one, and another

RULES = "scopes: {main: {strategy: best_match, priority: [email]}}\n"


@pytest.fixture
def job(tmp_path: Path) -> SideJob:
    configuration = tmp_path / "idsync.yaml"
    configuration.write_text(RULES)
    files = []
    for number, lines in enumerate(LINES):
        path = tmp_path / f"{number}.jsonl"
        emails = (f"{number}-{line}@x.org" for line in range(lines))
        path.write_text(
            "".join(
                f'{{"type": "identify", "known_identities": {{"email": "{email}"}}}}\n'
                for email in emails
            )
        )
        files.append(File(path.name, str(path)))
    folder = tmp_path / "side"
    folder.mkdir()
    return SideJob(
        config_file.load(configuration).organization, wire.Target(), tuple(files), ("main",),
        seed=1, store=None, now_ms=0, folder=str(folder),
    )  # fmt: skip


def test_answers_are_recorded_before_they_are_counted(job: SideJob) -> None:
    following, told = Following(Path(job.folder)), []

    def advance(read: int, answered: int) -> None:
        told.append((read, answered, len(following.next_answers(answered))))

    work = SideWork(job, advance)
    try:
        replay = work.replay()
    finally:
        work.close()
    size = sum(Path(file.path).stat().st_size for file in job.files)
    assert len(told) > len(LINES)  # else nothing would be seen of what lies between two batches
    assert [recorded for *_, recorded in told] == [answered for _, answered, _ in told]
    assert sum(answered for _, answered, _ in told) == sum(LINES)
    assert sum(read for read, *_ in told) == size
    assert replay.lines == LINES
    assert [way.kind for way in replay.ways] == [LineResult.PROFILE]
    assert replay.held == (sum(LINES), 0, 0)
