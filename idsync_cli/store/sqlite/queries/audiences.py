"""Who is in an audience, and how many are; see `audience_sql.py`."""

from collections.abc import Iterator

from idsync_cli.core.config.rules import ScopeRules
from idsync_cli.store.counts import AudienceMoves
from idsync_cli.store.sqlite.connected import Connected
from idsync_cli.store.sqlite.queries.audience_sql import AudienceQuery
from idsync_cli.store.sqlite.queries.functions import answering, functions_of
from idsync_cli.store.sqlite.queries.profiles import read_profiles, select_profiles
from idsync_cli.store.values import AudienceMember, MemberCount

_OPTED_OUT = (
    "coalesce((SELECT is_opted_out FROM profile_states AS s WHERE s.created_seq = {}.created_seq"
    " ORDER BY seq DESC LIMIT 1), 0)"
)


def members(
    transaction: Connected,
    scope: str,
    rules: ScopeRules,
    audience: str,
    now_ms: int,
) -> Iterator[AudienceMember]:
    """The members of an audience, oldest first, read as they are taken."""
    query = _query(transaction, scope, rules, now_ms)
    if query is None:
        return
    condition = f"p.created_seq IN (SELECT created_seq FROM {query.members(audience)})"
    has_opted_out = _OPTED_OUT.format("p")
    asked = query.asking(select_profiles(condition, has_opted_out))
    with answering(transaction.connection):
        found = transaction.connection.execute(*asked)
        for _, profile, is_opted_out in read_profiles(found):
            yield AudienceMember(profile, bool(is_opted_out))


def count_members(
    transaction: Connected, scope: str, rules: ScopeRules, audience: str, now_ms: int
) -> MemberCount:
    """How many members an audience has, opted out or not."""
    query = _query(transaction, scope, rules, now_ms)
    if query is None:
        return MemberCount(0, 0)
    asked = query.asking(
        f"SELECT count(*), coalesce(sum({_OPTED_OUT.format('m')}), 0)"
        f" FROM {query.members(audience)} AS m"
    )
    with answering(transaction.connection):
        return MemberCount(*transaction.connection.execute(*asked).fetchone())


def count_moves(
    transaction: Connected,
    scope: str,
    before: ScopeRules,
    after: ScopeRules,
    audience: str,
    now_ms: int,
) -> AudienceMoves:
    """How the members of an audience change with the rules, which both define one of the name."""
    was = _query(transaction, scope, before, now_ms, "was_")
    will = _query(transaction, scope, after, now_ms, "will_")
    if was is None or will is None:
        return AudienceMoves(0, 0, 0, 0)
    old, new = f"FROM {was.members(audience)}", f"FROM {will.members(audience)}"
    asked = was.asking(
        f"SELECT (SELECT count(*) {old}), (SELECT count(*) {new}),"
        f" (SELECT count(*) FROM (SELECT * {new} EXCEPT SELECT * {old})),"
        f" (SELECT count(*) FROM (SELECT * {old} EXCEPT SELECT * {new}))",
        will,
    )
    with answering(transaction.connection):
        return AudienceMoves(*transaction.connection.execute(*asked).fetchone())


def _query(
    transaction: Connected, scope: str, rules: ScopeRules, now_ms: int, prefix: str = ""
) -> AudienceQuery | None:
    """What asks for the audiences of a scope; None where it has no profiles."""
    found = transaction.connection.execute("SELECT scope_id FROM scopes WHERE name = ?", (scope,))
    row = found.fetchone()
    if row is None:
        return None
    functions = functions_of(transaction.connection)
    return AudienceQuery(row[0], rules, now_ms, functions, prefix)
