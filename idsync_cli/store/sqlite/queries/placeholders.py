"""Values of a store that look like placeholders, and what they may have decided (section 11)."""

from heapq import nlargest

from idsync_cli.core.codes import Rule
from idsync_cli.core.config.placeholders import LONGEST, WORDS, is_placeholder
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.store.counts import MOST_PLACEHOLDERS, HeldPlaceholder
from idsync_cli.store.sqlite.connected import Connected

_QUOTES = "'\""
_GROUPING = "".join(map(chr, range(1, 33))) + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x7f"

# What cannot be one is left out by SQLite, which reads every row; the core says what is one.
_LIKELY = f"""
    SELECT identifier_id, scopes.name, identity_types.name, value,
        (SELECT count(*) FROM holders WHERE holders.identifier_id = identifiers.identifier_id)
    FROM identifiers JOIN scopes USING (scope_id) JOIN identity_types USING (identity_type_id)
    WHERE CASE WHEN value GLOB '*[A-Za-z]*'
        THEN length(value) <= {LONGEST + 2}
            AND lower(trim(value, ?)) IN ({", ".join("?" * len(WORDS))})
        ELSE {" OR ".join(f"ltrim(value, ? || '{digit}') = ''" for digit in range(10))}
        END
"""
_DECIDED = """
    SELECT identifier_id, count(*)
    FROM requests JOIN outcomes USING (outcome_id)
    JOIN identity_types ON identity_types.name = outcomes.identity_type
    JOIN holders ON holders.created_seq = requests.created_seq
        AND holders.identity_type_id = identity_types.identity_type_id
    WHERE rule = ? AND added_seq < seq AND identifier_id IN (%s)
    GROUP BY identifier_id
"""


def held_placeholders(transaction: Connected) -> list[HeldPlaceholder]:
    """Those that may have decided a request, the most requests first; all values are read."""
    execute = transaction.connection.execute
    likely = execute(_LIKELY, (_QUOTES, *sorted(WORDS), *[_GROUPING] * 10))
    are_held = (row for row in likely if row[4] and is_placeholder(row[3]))
    found = nlargest(MOST_PLACEHOLDERS, are_held, _holders)
    if not found:
        return []
    numbers = [row[0] for row in found]
    marks = ", ".join("?" * len(numbers))
    decided = dict(execute(_DECIDED % marks, (Rule.IDENTIFIER.value, *numbers)).fetchall())
    held = [
        HeldPlaceholder(scope, Identifier(IdentityType(kind), value), holders, decided[number])
        for number, scope, kind, value, holders in found
        if number in decided
    ]
    return sorted(held, key=_order)


def _holders(row: tuple[int, str, str, str, int]) -> int:
    return row[4]


def _order(held: HeldPlaceholder) -> tuple[int, str, int, str]:
    return -held.requests, held.scope, held.identifier.order, held.identifier.value
