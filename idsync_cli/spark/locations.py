"""Names of files and folders, as Spark takes them."""

from pathlib import Path


def is_elsewhere(name: str) -> bool:
    """Whether a name leads to another file system than this machine's."""
    return "://" in name or name.startswith("file:")


def location_of(name: str) -> str:
    """A name as Spark takes it: not as a pattern, and on this machine from its root."""
    found = name if is_elsewhere(name) else str(Path(name).absolute())
    return "".join(f"\\{each}" if each in "{}[]*?\\" else each for each in found)
