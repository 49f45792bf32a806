"""Identifiers: whether each has its hash, and is stored once."""

import sqlite3
from collections.abc import Iterator

from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.core.identity import is_plain_value, value_fault
from idsync_cli.store.file_values import FindingCode, Sign
from idsync_cli.store.sqlite.health.rows import side_by_side
from idsync_cli.store.sqlite.rows.checksums import identifier_hash


def of_identifiers(connection: sqlite3.Connection) -> Iterator[Sign]:
    """Identifiers that do not match their hash, that no request could have, or that are twice."""
    identifiers = connection.execute(
        "SELECT identifier_id, scope_id, identity_type_id, value FROM identifiers"
        " ORDER BY identifier_id"
    )
    hashes = connection.execute(
        "SELECT identifier_id, hash FROM identifier_hashes ORDER BY identifier_id"
    )
    [some_were_erased] = connection.execute("SELECT EXISTS (SELECT * FROM erasures)").fetchone()
    for number, identifier, (its_hashes,) in side_by_side(identifiers, hashes):
        if identifier is None:
            yield Sign(FindingCode.HASH, f"a hash of identifier {number}, which does not exist")
            continue
        _, scope_id, type_id, value = identifier
        try:
            its_hash = identifier_hash(scope_id, type_id, value)
        except (ValueError, AttributeError):
            its_hash = None
        if [each[1] for each in its_hashes] != [its_hash]:
            yield Sign(FindingCode.HASH, f"identifier {number}")
        elif value == ERASED_VALUE and some_were_erased:
            continue
        elif not is_plain_value(value) and (value == "" or value_fault(value)):
            yield Sign(FindingCode.VALUE, f"identifier {number}")
    for (number,) in connection.execute(_ERASED_AND_HELD, (ERASED_VALUE,)):
        yield Sign(FindingCode.VALUE, f"identifier {number}, which was erased, is held")
    for (number,) in connection.execute(_TWICE):
        yield Sign(FindingCode.TWICE, f"identifier {number}")


_ERASED_AND_HELD = """
    SELECT identifier_id FROM identifiers
    WHERE value = ? AND identifier_id IN (SELECT identifier_id FROM holders)
"""
_TWICE = """
    SELECT a.identifier_id
    FROM (SELECT hash FROM identifier_hashes GROUP BY hash HAVING count(*) > 1) AS many
    JOIN identifier_hashes AS one ON one.hash = many.hash
    JOIN identifiers AS a ON a.identifier_id = one.identifier_id
    JOIN identifier_hashes AS other ON other.hash = many.hash
    JOIN identifiers AS b ON b.identifier_id = other.identifier_id
        AND b.identifier_id < a.identifier_id
    WHERE a.scope_id = b.scope_id AND a.identity_type_id = b.identity_type_id
        AND a.value = b.value AND a.value != ''
"""
