"""What a comparison comes to: counts, the first difference, and examples (section 12)."""

from typing import NamedTuple

from idsync_cli.core.decision import Answer
from idsync_cli.foresight.comparing.groups import PairCounts, Parting, Two
from idsync_cli.foresight.comparing.recorded import Response
from idsync_cli.foresight.comparing.sides import Way
from idsync_cli.foresight.comparing.work import Held


class GroupCounts(NamedTuple):
    """How many groups parted, of how many lines, and how many of them of a known profile.

    Of profiles of another system nobody knows which are known.
    """

    groups: int
    requests: int
    known: int | None


class Difference(NamedTuple):
    """A line that the two sides answer differently, with both answers.

    What was recorded is the response as it stands in the line.
    """

    file: str
    line: int
    a: Answer
    b: Answer | Response


class Example(NamedTuple):
    """A group that parted, shown at the line where it did."""

    part: Parting
    requests: int
    is_known: bool
    at: Difference


class DifferingLine(NamedTuple):
    """A line that differs, with how each side answers it and with which profile."""

    file: str
    line: int
    a: Way
    b: Way
    mpid_a: int | None
    mpid_b: int | None


class Limits(NamedTuple):
    """How much may differ; None where it does not matter."""

    splits: int | None = None
    merges: int | None = None
    refused: int | None = None


class Comparison(NamedTuple):
    """What two sides come to (section 12).

    `requests` are all lines that are not blank, and `elsewhere` those of scopes that only one side
    has, which are not compared; nor are `unrecorded` ones. Of recorded answers there is no store.
    """

    requests: int
    compared: int
    elsewhere: int
    unrecorded: int
    held: tuple[Held, Held | None]
    refused: Two
    found: Two
    split: GroupCounts
    merged: GroupCounts
    pairs: PairCounts
    first_difference: Difference | None
    examples: tuple[Example, ...]
    several_files: bool

    def exit_status(self, limits: Limits) -> int:
        """1 if anything differs; with limits, if more differs than one of them allows."""
        limited = (
            (limits.splits, self.split.groups),
            (limits.merges, self.merged.groups),
            (limits.refused, sum(self.refused)),
        )
        if any(most is not None for most, _ in limited):
            return int(any(most is not None and number > most for most, number in limited))
        return int(self.first_difference is not None)
