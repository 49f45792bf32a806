"""Which rows of `identifiers` an identifier has: one in each scope at most."""

from collections.abc import Iterable

from idsync_cli.core.identity import TYPE_ORDER, Identifier, IdentityType
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.rows.checksums import identifier_hash

_HELD = """
    SELECT 1 FROM identifier_hashes JOIN identifiers USING (identifier_id)
    WHERE hash = ? AND scope_id = ? AND identity_type_id = ? AND value = ?
        AND EXISTS (SELECT * FROM holders WHERE holders.identifier_id = identifiers.identifier_id)
"""


def held_among(
    transaction: Connected, scope: str, kind: IdentityType, values: Iterable[str]
) -> list[str]:
    """Those of some values of a type that a profile of the scope holds: a look-up each."""
    execute, type_id = transaction.connection.execute, TYPE_ORDER[kind]
    row = execute("SELECT scope_id FROM scopes WHERE name = ?", (scope,)).fetchone()
    if row is None:
        return []
    [scope_id] = row
    return [
        value
        for value in values
        if execute(
            _HELD, (identifier_hash(scope_id, type_id, value), scope_id, type_id, value)
        ).fetchone()
    ]


def identifier_ids(
    transaction: Connected, identifier: Identifier, scope: str | None = None
) -> list[int]:
    """The `identifier_id` in every scope, or in one, that ever had it; found by its hash."""
    execute = transaction.connection.execute
    scopes = execute("SELECT scope_id FROM scopes WHERE ?1 IS NULL OR name = ?1", (scope,))
    asked = TYPE_ORDER[identifier.type], identifier.value
    return [
        identifier_id
        for (scope_id,) in scopes.fetchall()
        for (identifier_id,) in execute(
            "SELECT identifier_id FROM identifier_hashes JOIN identifiers USING (identifier_id)"
            " WHERE hash = ? AND scope_id = ? AND identity_type_id = ? AND value = ?",
            (identifier_hash(scope_id, *asked), scope_id, *asked),
        )
    ]
