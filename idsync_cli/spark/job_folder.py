"""Where a job writes: a folder of this machine, or one that Spark alone can reach."""

import fcntl
import json
import os
import shutil
from errno import ENOTEMPTY
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from idsync_cli.errors import FaultCode, Hint, StoreFault, UsageFault, quoted
from idsync_cli.spark.keeping import DRAFT
from idsync_cli.spark.loading import DECISIONS, REPORT, RULES, SUCCESS
from idsync_cli.spark.locations import is_elsewhere, location_of
from idsync_cli.spark.part_files import PARTS, PartFiles, part_files_in

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ANSWERS: Final = "answers"
PROFILES: Final = "profiles"
HISTORY: Final = "history"
SEEN: Final = "seen"
WORK: Final = "_work"
BEGUN: Final = "_idsync-job"
"""Says that a job of ours has begun to write a folder."""

TABLES: Final = ANSWERS, PROFILES, HISTORY, SEEN, DECISIONS
"""What has part files."""

_OURS: Final = {*TABLES, WORK, REPORT, RULES, BEGUN}
_NEEDED: Final = 64 * 2**20
"""Less free space than this is a full disk."""

_TRIES: Final = 20
_PAUSE: Final = 0.1


class JobFolder:
    """The output folder of a job. What is small is written by this process, where it can."""

    def __init__(self, spark: "SparkSession", name: str) -> None:
        self._spark = spark
        self._name = name.rstrip("/") or name
        self._is_elsewhere = is_elsewhere(name)
        self._held: int | None = None

    @property
    def is_here(self) -> bool:
        """Whether it is a folder of this machine."""
        return not self._is_elsewhere

    def within(self, part: str) -> str:
        """A part of it, as Spark takes it."""
        if self._is_elsewhere:
            return f"{self._name}/{part}"
        return str(Path(self._name).absolute() / part)

    def to_read(self, part: str) -> str:
        """A part of it, as Spark takes it to read from: not as a pattern."""
        return location_of(self.within(part))

    def begin(self) -> None:
        """Take the folder; what an unfinished job left there is cleared.

        On this machine, no other job can have it until `close`.

        Raises:
            UsageFault: a job finished there, or works there; or something else is in it.
            StoreFault: it cannot be written.
        """
        if not self._is_elsewhere and Path(self._name).is_dir():
            self._hold()
        if self._has(SUCCESS):
            raise UsageFault(
                f"a job finished in {quoted(self._name)} before", hint=Hint.NAME_ANOTHER_OUTPUT
            )
        if not self._has(BEGUN) and self._has_anything():
            raise UsageFault(
                f"the folder {quoted(self._name)} holds something that no job wrote",
                FaultCode.FILE_EXISTS,
                hint=Hint.NAME_ANOTHER_OUTPUT,
            )
        if not self._is_elsewhere:
            self._clear()
        self.write(BEGUN, {"version": 1})

    def _hold(self) -> None:
        """Keep other jobs of this machine out of the folder."""
        if self._held is not None:
            return
        try:
            held = os.open(self._name, os.O_RDONLY)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            raise UsageFault(
                f"another job is writing {quoted(self._name)}",
                FaultCode.FILE_IN_USE,
                hint=Hint.NAME_ANOTHER_OUTPUT,
            ) from None
        except OSError:
            pass  # a file system without locks
        self._held = held

    def _unwritable(self, error: OSError) -> StoreFault:
        return StoreFault(f"{quoted(self._name)} cannot be written: {error.strerror}")

    def close(self) -> None:
        """Let others have the folder."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _clear(self) -> None:
        folder = Path(self._name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._hold()
            foreign = [each.name for each in folder.iterdir() if each.name not in _OURS]
            if foreign:
                raise UsageFault(
                    f"the folder {quoted(self._name)} holds {quoted(min(foreign))}, which no job "
                    "wrote",
                    FaultCode.FILE_EXISTS,
                    hint=Hint.NAME_ANOTHER_OUTPUT,
                )
            for each in sorted(folder.iterdir(), key=lambda each: each.name == BEGUN):
                _remove(each)  # the mark goes last: this job, too, may be killed
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise self._unwritable(error) from None
        if free < _NEEDED:
            raise StoreFault(
                f"there is hardly any room left for {quoted(self._name)}: {free:,} bytes",
                FaultCode.DISK_FULL,
                hint=Hint.MAKE_ROOM,
            )

    def write(self, part: str, value: dict[str, Any]) -> None:
        """Write a small JSON file.

        Raises:
            StoreFault: it cannot be written.
        """
        text = json.dumps(value, indent=1)
        if self._is_elsewhere:
            table = self._spark.createDataFrame([(text,)], "value string").coalesce(1)
            table.write.mode("overwrite").text(self.within(part))
            return
        try:
            Path(self.within(part)).write_text(text + "\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def read(self, part: str) -> dict[str, Any]:
        """Read a small JSON file that a job wrote.

        Raises:
            UsageFault: it is not there, or no JSON.
        """
        try:
            if self._is_elsewhere:
                rows = self._spark.read.text(self.to_read(part), wholetext=True).collect()
                text = "".join(row[0] for row in rows)
            else:
                text = Path(self.within(part)).read_text()
            found: dict[str, Any] = json.loads(text)
        except Exception as error:
            if not isinstance(error, (OSError, ValueError)) and not _is_of_spark(error):
                raise
            raise UsageFault(
                f"{quoted(self._name)} is no output of spark-replay: its {part} cannot be read"
            ) from None
        return found

    def part_files(self, part: str) -> PartFiles:
        """The part files in a part of it."""
        if not self._is_elsewhere:
            return part_files_in(Path(self.within(part)))
        from pyspark.sql import functions as f

        files = self._spark.read.format("binaryFile").option("pathGlobFilter", PARTS)
        told = files.load(self.to_read(part)).agg(f.count("*"), f.sum("length"))
        count, size = told.collect()[0]
        return PartFiles(count, size or 0)

    def finish(self) -> None:
        """Remove what was needed on the way, and say that the job is done."""
        if not self._is_elsewhere:
            shutil.rmtree(self.within(WORK), ignore_errors=True)
            for draft in Path(self._name).glob(f"*/{DRAFT}*"):  # of a task that was killed
                draft.unlink(missing_ok=True)
            Path(self.within(SUCCESS)).touch()
            Path(self.within(BEGUN)).unlink(missing_ok=True)
            return
        self.write(SUCCESS, {})

    def is_finished(self) -> bool:
        """Whether a job finished there."""
        return self._has(SUCCESS)

    def _has(self, part: str) -> bool:
        if not self._is_elsewhere:
            return Path(self.within(part)).exists()
        return self._leads_to_something(self.to_read(part))

    def _has_anything(self) -> bool:
        if self._is_elsewhere:
            return self._leads_to_something(f"{location_of(self._name)}/*")
        folder = Path(self._name)
        return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))

    def _leads_to_something(self, pattern: str) -> bool:
        try:
            self._spark.read.format("binaryFile").load(pattern).select("path").limit(1).collect()
        except Exception as error:
            if not _is_of_spark(error):
                raise
            if "PATH_NOT_FOUND" in str(error):
                return False
            raise StoreFault(f"{quoted(self._name)} cannot be looked into") from error
        return True


def _remove(path: Path) -> None:
    """Remove a file or a folder, into which Java may still write though its job was killed."""
    for _ in range(_TRIES):
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            if not path.exists():
                return
        except OSError as error:
            if error.errno != ENOTEMPTY:
                raise
            sleep(_PAUSE)
        else:
            return
    shutil.rmtree(path)


def _is_of_spark(error: Exception) -> bool:
    from pyspark.errors import PySparkException

    return isinstance(error, PySparkException)
