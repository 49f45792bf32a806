"""The rules that a store was last used with, and what new ones would meet in it."""

from collections.abc import Iterator, Mapping

from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.session import Session

_SHARED = """
    SELECT value, count(*) FROM identifiers JOIN scopes USING (scope_id)
    WHERE name = ? AND identity_type = ?
    GROUP BY value HAVING count(*) > 1 ORDER BY count(*) DESC, value
"""


def remembered_rules(session: Session) -> dict[str, str]:
    """The rules of each scope as JSON, as the last request that changed the store had them."""
    return dict(session.connection.execute("SELECT scope, rules FROM rules"))


def remember_rules(session: Session, rules: Mapping[str, str]) -> None:
    """Remember the rules of each scope, if they are others than before."""
    session.remembers_rules = True
    if remembered_rules(session) != rules:
        session.connection.execute("DELETE FROM rules")
        session.connection.executemany("INSERT INTO rules VALUES (?, ?)", rules.items())


def shared_identifiers(
    session: Session, scope: str, kind: IdentityType
) -> Iterator[tuple[Identifier, int]]:
    """The identifiers of a type that several profiles of a scope hold, and how many do."""
    for value, holders in session.connection.execute(_SHARED, (scope, kind.value)):
        yield Identifier(kind, value), holders
