"""The folder of a job on Spark: whose it is, and what is left of one that was killed."""

from pathlib import Path
from typing import Any

import pytest

from idsync_cli.errors import FaultCode, UsageFault
from idsync_cli.spark import job_folder
from idsync_cli.spark.job_folder import BEGUN, WORK, JobFolder

NO_SPARK: Any = None  # a folder of this machine is reached without it


def test_two_jobs_cannot_write_one_folder(tmp_path: Path) -> None:
    one, other = [JobFolder(NO_SPARK, str(tmp_path / "out")) for _ in range(2)]
    one.begin()
    one.write("report.json", {})
    with pytest.raises(UsageFault, match="another job is writing") as refused:
        other.begin()
    assert refused.value.code is FaultCode.FILE_IN_USE
    assert (tmp_path / "out" / "report.json").exists()
    one.close()
    other.begin()
    assert not (tmp_path / "out" / "report.json").exists()
    other.finish()
    other.close()
    with pytest.raises(UsageFault, match="finished in"):
        one.begin()


@pytest.mark.parametrize("when", ["clearing", "finishing"])
def test_a_job_may_be_killed_at_any_time(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command takes its folder again."""
    folder = JobFolder(NO_SPARK, str(tmp_path))
    folder.begin()
    for name in ("answers", WORK):
        (tmp_path / name).mkdir()

    removed: list[Path] = []
    remove = job_folder._remove

    def remove_one(path: Path) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        remove(path)

    def touch(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job_folder, "_remove", remove_one)
    monkeypatch.setattr(Path, "touch", touch)
    with pytest.raises(KeyboardInterrupt):
        folder.begin() if when == "clearing" else folder.finish()
    monkeypatch.undo()
    assert not folder.is_finished()
    folder.begin()
    assert [each.name for each in tmp_path.iterdir()] == [BEGUN]
    folder.close()
