"""The part files of an output: whether they are all there, as the job left them (section 13)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from idsync_cli.errors import UsageFault, number_of, quoted

PARTS = "part-*"


class PartFiles(NamedTuple):
    """How many part files a folder has, and how many bytes in all."""

    files: int
    bytes: int

    def told(self) -> str:
        """For messages."""
        return f"{number_of(self.files, 'file')} with {self.bytes:,} bytes"


def part_files_in(folder: Path) -> PartFiles:
    """Those of a folder of this machine."""
    sizes = [each.stat().st_size for each in folder.glob(PARTS)]
    return PartFiles(len(sizes), sum(sizes))


def check_part_files(output: str, part: str, found: PartFiles, report: Mapping[str, Any]) -> None:
    """See whether a folder has the part files that the report of its job tells of.

    Raises:
        UsageFault: no.
        KeyError, TypeError: the report does not say.
    """
    expected = PartFiles(**report["parts"][part])
    if found != expected:
        raise UsageFault(
            f"{quoted(output)} is not as its job left it: {part}/ has {found.told()} in parts, and "
            f"not {expected.told()}; copy it again as a whole, or run the job again"
        )
