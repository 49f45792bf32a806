"""Labels: names that requests give to the profiles that they were answered with (section 8)."""


class Labels(dict[str, int]):
    """The MPID that each label stands for at the moment."""

    def name(self, label: str, mpid: int | None) -> None:
        """Let a label stand for an MPID, or with None for nothing."""
        if mpid is None:
            self.pop(label, None)
        else:
            self[label] = mpid

    def unset(self, mpid: int) -> None:
        """Let no label stand for an MPID any more: its profile was erased (section 9)."""
        for label in [label for label, its in self.items() if its == mpid]:
            self.name(label, None)
