"""The rules that a store was last used with, and what new ones would meet in it."""

from collections.abc import Iterator, Mapping

from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.session import Session

_SHARED = """
    SELECT value, count(*)
    FROM holders JOIN identifiers USING (identifier_id) JOIN scopes USING (scope_id)
    WHERE name = ? AND identifiers.identity_type_id = ?
    GROUP BY identifier_id HAVING count(*) > 1 ORDER BY count(*) DESC, value
"""


def remembered_rules(session: Session) -> dict[str, str]:
    """The rules of each scope as JSON, as the last request that changed the store had them."""
    return dict(session.connection.execute("SELECT scope, rules FROM rules"))


def remember_rules(session: Session, rules: Mapping[str, str]) -> None:
    """Remember the rules of each scope, if they are others than before."""
    session.remembers_rules = True
    if remembered_rules(session) != rules:
        session.connection.execute("DELETE FROM rules")
        session.connection.executemany(
            "INSERT INTO rules VALUES (?, ?, ?)",
            [(scope, text, checksum(scope, text)) for scope, text in rules.items()],
        )


def shared_identifiers(
    session: Session, scope: str, kind: IdentityType
) -> Iterator[tuple[Identifier, int]]:
    """The identifiers of a type that several profiles of a scope hold, and how many do."""
    for value, holders in session.connection.execute(_SHARED, (scope, TYPE_ORDER[kind])):
        yield Identifier(kind, value), holders
