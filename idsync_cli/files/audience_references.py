"""Audiences that name one another: each has to be there, and none may lead back to itself."""

from collections.abc import Collection, Iterator, Mapping

from idsync_cli.errors import nearest, quoted
from idsync_cli.files.yaml_tree import Faults, SourcePosition


class AudienceReferences:
    """Which audiences of one scope name which others, and where."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._named: list[tuple[str, str, SourcePosition]] = []

    def add(self, owner: str, named: str, position: SourcePosition) -> None:
        """Take note that one audience names another."""
        self._named.append((owner, named, position))

    def are_right(self, audiences: Collection[str]) -> bool:
        """Check that audiences name others that are there, and never go in a circle."""
        names: dict[str, list[tuple[str, SourcePosition]]] = {}
        for owner, named, position in self._named:
            if named in audiences:
                names.setdefault(owner, []).append((named, position))
            else:
                hint = nearest(named, audiences) or "; name an audience of the same scope"
                self._faults.add(position, f"unknown audience {quoted(named)}{hint}")
        circles = list(_circles(names))
        for way, position in circles:
            itself = f"the audience {quoted(way[0])} names itself"
            told = " → ".join(map(quoted, way))
            circle = f" in a circle: {told}" if len(way) > 2 else ""
            self._faults.add(position, f"{itself}{circle}; remove one of the references")
        return not circles and all(named in audiences for _, named, _ in self._named)


def _circles(
    names: Mapping[str, list[tuple[str, SourcePosition]]],
) -> Iterator[tuple[list[str], SourcePosition]]:
    """Every circle that audiences go in by what each names, and where the last reference stands.

    The way of a circle begins and ends with the same name.
    """
    seen: set[str] = set()
    for start in names:
        if start in seen:
            continue
        seen.add(start)
        way = {start: iter(names[start])}  # the names on the way, and where each leads to
        while way:
            owner = next(reversed(way))
            found = next(way[owner], None)
            if found is None:
                del way[owner]
                continue
            named, position = found
            if named in way:
                passed = list(way)
                yield [owner, *passed[passed.index(named) :]], position
            elif named not in seen:
                seen.add(named)
                way[named] = iter(names.get(named, ()))
