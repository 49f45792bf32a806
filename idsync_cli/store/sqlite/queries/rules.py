"""The remembered configuration: the rules that a store was last used with."""

from collections.abc import Mapping

from idsync_cli.store.sqlite.rows.checksums import checksum
from idsync_cli.store.sqlite.session import Session


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
