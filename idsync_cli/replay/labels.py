"""The labels of a replay, which can be restored to their state before a batch."""

from collections.abc import Mapping

from idsync_cli.engine.labels import Labels


class ReplayLabels(Labels):
    """The labels of the current file; `touched` has what the batch changed, as it was before."""

    def __init__(self, labels: Mapping[str, int] | None = None) -> None:
        super().__init__(labels)
        self.touched: dict[str, int | None] = {}

    def name(self, label: str, mpid: int | None) -> None:
        """Set the MPID that a label stands for; None for nothing."""
        self.touched.setdefault(label, self.get(label))
        super().name(label, mpid)

    def by_now(self) -> dict[str, int | None]:
        """What the labels that this batch changed stand for now."""
        return {label: self.get(label) for label in self.touched}

    def begin(self) -> None:
        """Another batch begins."""
        self.touched = {}

    def undo(self, touched: Mapping[str, int | None] | None = None) -> None:
        """Restore the labels that this batch, or another, has `touched`."""
        for label, mpid in (self.touched if touched is None else touched).items():
            super().name(label, mpid)
        self.touched = {}
