"""What the core asks about one scope, answered by what is known of the store."""

from collections.abc import Sequence

from idsync_cli.core.config.rules import Rules
from idsync_cli.core.identity import Identifier
from idsync_cli.core.resolve.matcher import Knowledge
from idsync_cli.store.sqlite.cache.in_memory import Record, Scope
from idsync_cli.store.sqlite.cache.records import Records


class ScopeKnowledge(Knowledge):
    """What the store knows about one scope, None if it has never seen it."""

    __slots__ = ("_in_step", "_records", "_scope")

    def __init__(self, records: Records, scope: Scope | None) -> None:
        self._records = records
        self._scope = scope
        self._in_step: Rules | None = None  # rules that are known to have these bits

    def was_given_out(self, mpid: int) -> bool:
        """Whether any profile of the whole store has, or ever had, the MPID."""
        return self._records.was_given_out(mpid)

    def known(
        self, identifier: Identifier, rules: Rules, limit: int | None = None
    ) -> Sequence[Record]:
        """Known profiles of the scope that hold exactly this identifier, at most `limit`."""
        scope = self._scope
        if scope is None:
            return ()
        if rules is self._in_step or self._is_in_step(rules):
            return self._records.known(scope, identifier, limit)
        return self._judged(identifier, rules, known=True)[:limit]

    def anonymous(
        self,
        identifiers: Sequence[Identifier],
        rules: Rules,
        limit: int | None = None,
        *,
        lacking: Identifier | None = None,
    ) -> Sequence[Record]:
        """Anonymous profiles that hold all the identifiers: newest first, at most `limit`."""
        scope = self._scope
        if scope is None:
            return ()
        if rules is self._in_step or self._is_in_step(rules):
            if len(identifiers) > 1 or lacking is not None:
                return self._records.anonymous_with_all(scope, identifiers, limit, lacking)
            found = self._records.anonymous(scope, identifiers[0], limit)
            return found if len(found) <= 1 else found[::-1]
        first, *others = identifiers
        judged = [
            each
            for each in self._judged(first, rules, known=False)
            if all(each.holds(other) for other in others) and not (lacking and each.holds(lacking))
        ]
        return judged[:limit]

    def profile(self, mpid: int) -> Record | None:
        """The profile of the scope that has the MPID."""
        record = self._records.profile(mpid)
        return record if record is not None and record.scope is self._scope else None

    def holders(self, identifier: Identifier) -> list[Record]:
        """Everybody in the scope who holds exactly this identifier, by whatever rules."""
        scope, records = self._scope, self._records
        if scope is None:
            return []
        known = records.known(scope, identifier, None)
        return known + records.anonymous(scope, identifier, None)

    def _is_in_step(self, rules: Rules) -> bool:
        """Whether the tables tell known from anonymous as the rules do."""
        if self._scope is None or self._scope.login_bits != rules.login_bits:
            return False
        self._in_step = rules
        return True

    def _judged(self, identifier: Identifier, rules: Rules, *, known: bool) -> list[Record]:
        """Holders by rules that the store was not written by, newest first."""
        found = [each for each in self.holders(identifier) if rules.is_known(each) is known]
        return sorted(found, key=_newest_first)


def _newest_first(record: Record) -> int:
    return -record.created_seq
