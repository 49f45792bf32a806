"""The labels of a replay, which may have to go back to what they were before a batch."""

from collections.abc import Mapping

from idsync_cli.engine.labels import Labels


class ReplayLabels(Labels):
    """Labels of the file at hand; `touched` has what the batch found before it set its own."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        super().__init__(known or {})
        self.touched: dict[str, int | None] = {}

    def name(self, label: str, mpid: int | None) -> None:
        """Let a label stand for the MPID of an answer, or for none."""
        self.touched.setdefault(label, self.get(label))
        super().name(label, mpid)

    def by_now(self) -> dict[str, int | None]:
        """What the labels stand for that this batch has touched."""
        return {label: self.get(label) for label in self.touched}

    def begin(self) -> None:
        """Another batch begins."""
        self.touched = {}

    def undo(self, touched: Mapping[str, int | None] | None = None) -> None:
        """Go back to how it was before the batch, or before another that touched so much."""
        for label, mpid in (self.touched if touched is None else touched).items():
            super().name(label, mpid)
        self.touched = {}
