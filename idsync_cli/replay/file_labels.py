"""The labels of several files whose lines come mixed: each file has its own (section 8)."""

from collections.abc import Mapping

from idsync_cli.engine.labels import Labels
from idsync_cli.replay.labels import ReplayLabels


class LabelsByFile:
    """The labels of files by index, kept and undone together as those of one file are.

    In the store the name of each begins with the index of its file.
    """

    def __init__(self, labels: Mapping[str, int] | None = None) -> None:
        self._by_file: dict[int, ReplayLabels] = {}
        for name, mpid in (labels or {}).items():
            file_index, label = _file_and_label(name)
            self.of(file_index)[label] = mpid

    def of(self, file_index: int) -> ReplayLabels:
        """The labels of one file."""
        if file_index not in self._by_file:
            self._by_file[file_index] = _LabelsOfFile(self._by_file)
        return self._by_file[file_index]

    @property
    def touched(self) -> dict[str, int | None]:
        """The labels that the batch changed, as they were before."""
        return {
            f"{file_index} {label}": mpid
            for file_index, labels in self._by_file.items()
            for label, mpid in labels.touched.items()
        }

    def by_now(self) -> dict[str, int | None]:
        """What the labels that this batch changed stand for now."""
        return {
            f"{file_index} {label}": mpid
            for file_index, labels in self._by_file.items()
            for label, mpid in labels.by_now().items()
        }

    def begin(self) -> None:
        """Another batch begins."""
        for labels in self._by_file.values():
            labels.begin()

    def undo(self, touched: Mapping[str, int | None] | None = None) -> None:
        """Go back to how it was before the batch, or before another that touched so much."""
        by_file: dict[int, dict[str, int | None]] = {}
        for name, mpid in (self.touched if touched is None else touched).items():
            file_index, label = _file_and_label(name)
            by_file.setdefault(file_index, {})[label] = mpid
        for file_index, its_touched in by_file.items():
            self.of(file_index).undo(its_touched)


class _LabelsOfFile(ReplayLabels):
    """The labels of one file among `all_files`."""

    def __init__(self, all_files: Mapping[int, Labels]) -> None:
        super().__init__()
        self._all_files = all_files

    def unset(self, mpid: int) -> None:
        """Unset every label of any file that stands for an MPID."""
        for labels in self._all_files.values():
            for label in [label for label, its in labels.items() if its == mpid]:
                labels.name(label, None)


def _file_and_label(name: str) -> tuple[int, str]:
    file_index, _, label = name.partition(" ")
    return int(file_index), label
