"""Labels: names that requests give to the profiles that they were answered with (section 8)."""

from collections.abc import Mapping


class Labels(dict[str, int]):
    """The MPIDs that labels stand for; `touched` has what this batch found in their place."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        super().__init__(known or {})
        self.touched: dict[str, int | None] = {}

    def name(self, label: str, mpid: int | None) -> None:
        """Let the label stand for an MPID, or for none."""
        self.touched.setdefault(label, self.get(label))
        self._put(label, mpid)

    def by_now(self) -> dict[str, int | None]:
        """What the labels stand for that this batch has touched."""
        return {label: self.get(label) for label in self.touched}

    def undo(self, touched: Mapping[str, int | None] | None = None) -> None:
        """Go back to how it was before the batch, or another that touched so much."""
        for label, mpid in (self.touched if touched is None else touched).items():
            self._put(label, mpid)
        self.touched = {}

    def _put(self, label: str, mpid: int | None) -> None:
        if mpid is None:
            self.pop(label, None)
        else:
            self[label] = mpid
