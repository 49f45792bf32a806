"""What stands for profiles in requests: labels, and MPIDs that another system recorded."""

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class RecordedMpids:
    """MPIDs that another system gave out, and what they stand for here (section 12)."""

    def here(self, mpid: int) -> int:
        """The MPID that a recorded one stands for by now; itself where it stands for none."""
        return mpid

    def meets(self, recorded: int, mpid: int, line: int | None) -> None:
        """Let a recorded MPID stand for that of the answer to a line."""


class Labels(dict[str, int]):
    """The MPIDs that labels stand for by now; whoever keeps them says for how long.

    `recorded` has what recorded MPIDs stand for, where they do.
    """

    recorded: RecordedMpids | None = None

    def name(self, label: str, mpid: int | None) -> None:
        """Let a label stand for the MPID of an answer, or for none."""
        if mpid is None:
            self.pop(label, None)
        else:
            self[label] = mpid
