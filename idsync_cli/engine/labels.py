"""What stands for profiles in requests: labels, and MPIDs that another system recorded."""

from collections.abc import Mapping

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class RecordedMpids:
    """MPIDs that another system gave out, and what they stand for here (section 12)."""

    def here(self, mpid: int) -> int:
        """The MPID that a recorded one stands for by now; itself where it stands for none."""
        return mpid

    def meets(self, recorded: int, mpid: int, line: int | None) -> None:
        """Note that a recorded MPID stands for that of the answer to a line."""

    def unset(self, mpid: int) -> None:
        """Forget what stands for this MPID: its profile was erased."""


class Labels(dict[str, int]):
    """The MPID that each label stands for at the moment.

    `recorded` has what recorded MPIDs stand for, where they do.
    """

    def __init__(self, labels: Mapping[str, int] | None = None) -> None:
        if labels is not None:
            self.update(labels)
        self.recorded: RecordedMpids | None = None

    def name(self, label: str, mpid: int | None) -> None:
        """Set the MPID that a label stands for; None for nothing."""
        if mpid is None:
            self.pop(label, None)
        else:
            self[label] = mpid

    def unset(self, mpid: int) -> None:
        """Unset every label that stands for an MPID: its profile was erased (section 9)."""
        for label in [label for label, its in self.items() if its == mpid]:
            self.name(label, None)
