"""Letting `holders` tell known from anonymous profiles by other login types than before."""

from sqlite3 import Connection

from idsync_cli.store.sqlite.cache.cached_profiles import Scope
from idsync_cli.store.sqlite.rows.checksums import checksum


def align_holders(connection: Connection, scope: Scope, name: str, login_bits: int) -> None:
    """Write the holders of a scope again where the other login types make a difference."""
    connection.execute(
        "UPDATE holders SET known = 1 - known WHERE created_seq IN ("
        " SELECT created_seq FROM profiles WHERE scope_id = ?1 AND known_seq = 0"
        " AND (types & ?2 != 0) != (types & ?3 != 0))",
        (scope.number, scope.login_bits, login_bits),
    )
    connection.execute(
        "UPDATE scopes SET login_types = ?, checksum = ? WHERE scope_id = ?",
        (login_bits, checksum(scope.number, name, login_bits), scope.number),
    )
    scope.login_bits = login_bits
