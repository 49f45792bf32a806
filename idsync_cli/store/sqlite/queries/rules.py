"""What new rules would meet in a store."""

from collections.abc import Iterator

from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.store.sqlite.session import Session

_SHARED = """
    SELECT value, count(*)
    FROM holders JOIN identifiers USING (identifier_id) JOIN scopes USING (scope_id)
    WHERE name = ? AND identifiers.identity_type_id = ?
    GROUP BY identifier_id HAVING count(*) > 1 ORDER BY count(*) DESC, value
"""


def shared_identifiers(
    session: Session, scope: str, kind: IdentityType
) -> Iterator[tuple[Identifier, int]]:
    """The identifiers of a type that several profiles of a scope hold, and how many do."""
    for value, holders in session.connection.execute(_SHARED, (scope, TYPE_ORDER[kind])):
        yield Identifier(kind, value), holders
