"""Which files hold scenarios."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from idsync_cli.file_faults import Fault, FileFault
from idsync_cli.files.packed import without_suffix
from idsync_cli.files.yaml_parser import parse_documents
from idsync_cli.files.yaml_tree import Faults, read_bytes, text_of

_SUFFIXES = (".yaml", ".yml")


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """The scenario files that are named, or lie in a folder that is named, sorted in each.

    A configuration among the files of a folder is passed over, and so is what is hidden there.

    Raises:
        FileFault: a path that is not there.
    """
    for path in paths:
        try:
            is_folder, is_there = path.is_dir(), path.exists()
        except OSError as error:  # a name that is too long, a folder that may not be entered
            raise FileFault([Fault(path.as_posix(), error.strerror or str(error))]) from None
        if is_folder:
            files = sorted(
                each for each in path.rglob("*") if without_suffix(each.name).endswith(_SUFFIXES)
            )
            yield from (
                each
                for each in files
                if not _is_hidden(each.relative_to(path)) and not _is_configuration(each)
            )
        elif is_there:
            yield path
        else:
            raise FileFault([Fault(path.as_posix(), "no such file or folder")])


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_configuration(path: Path) -> bool:
    try:
        data = read_bytes(path)
        if b"scopes" not in data:  # spares nearly every scenario from being parsed twice
            return False
        documents = parse_documents(text_of(path, data), Faults(path))
    except FileFault:
        return False  # is reported when the file is read as a scenario
    return bool(documents) and "scopes" in (documents[0].mapping or {})
