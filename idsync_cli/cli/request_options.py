"""Options of a request command, as the object that a line of JSON would hold."""

from collections.abc import Sequence

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.identity import TYPES_BY_NAME
from idsync_cli.errors import UsageFault, quoted


def request_of(
    kind: RequestKind,
    scope: str | None,
    workspace: str | None,
    identities: Sequence[tuple[str, str | None]],
) -> wire.Json:
    """The request as a line of JSON would hold it, so that it is read as one.

    Raises:
        UsageFault: an identifier type is given twice, which JSON could not hold.
    """
    return {
        "type": kind.value,
        "scope": scope,
        "workspace": workspace,
        "known_identities": once_each(identities),
    }


def once_each(identities: Sequence[tuple[str, str | None]]) -> dict[str, str | None]:
    """The identities that were given, by their names.

    Raises:
        UsageFault: an identifier type is given twice, which JSON could not hold.
    """
    kinds = [TYPES_BY_NAME.get(name, name) for name, _ in identities]
    for name in kinds:
        if kinds.count(name) > 1:
            raise UsageFault(
                f"{quoted(name)} is given twice, possibly under two names; give it once"
            )
    return dict(identities)


def split_change(text: str) -> wire.Json:
    r"""Read TYPE:OLD:NEW, in which `\:` is a colon and `\\` a backslash.

    Raises:
        UsageFault: it is not of that form; a backslash before anything else could mean two things.
    """
    parts = [""]
    rest = text
    while rest:
        if rest.startswith(("\\:", "\\\\")):
            parts[-1] += rest[1]
            rest = rest[2:]
        elif rest[0] == "\\":
            parts.append("")  # no escape that is known
            break
        elif rest[0] == ":":
            parts.append("")
            rest = rest[1:]
        else:
            parts[-1] += rest[0]
            rest = rest[1:]
    if len(parts) != 3 or rest or not (parts[1] or parts[2]):
        raise UsageFault(
            f"--change {quoted(text)} is not TYPE:OLD:NEW with an old value, a new one or both; "
            "write \\: for a colon in a value, \\\\ for a backslash"
        )
    kind, old, new = parts
    return {"identity_type": kind, "old_value": old or None, "new_value": new or None}
