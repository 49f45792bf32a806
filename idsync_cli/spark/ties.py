"""What ties lines, and profiles of the state, together: the names that they have in common.

Whoever is tied, directly or through others, is answered by one task. The names of a line come from
`names_of`, by which the engine prefetches, so that nothing can be looked up that does not tie.
"""

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from idsync_cli import wire
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.data.batch_ids import Digests, key_of
from idsync_cli.core.identity import Identifier, IdentityType, mpid_of
from idsync_cli.engine.names import names_of
from idsync_cli.spark.rows import Section, TaskRow
from idsync_cli.spark.state import identifiers_in

_BYTES: Final = 8
_MAKES_PROFILES: Final = (
    RequestKind.IDENTIFY,
    RequestKind.LOGIN,
    RequestKind.LOGOUT,
    RequestKind.BATCH,
)


class LineTies(NamedTuple):
    """What a line names.

    `names` tie it to whatever else has one of them. `uses` are the labels that it needs, and
    `sets` is the one that it sets or unsets. `may_make` says whether it may make a profile, so that
    it names a new MPID, too (`attempt_name`). `is_refused` says that its shape is refused, and
    `erases` that it is an erasure.
    """

    names: Sequence[int] = ()
    uses: Sequence[str] = ()
    sets: str | None = None
    may_make: bool = False
    is_refused: bool = False
    erases: bool = False


class TieReader:
    """Reads the names of lines, for an organization and a seed.

    `other_keys` are those of other stores under which the state has digests of batches' ids.
    """

    def __init__(
        self, organization: Organization, seed: int, other_keys: Sequence[bytes] = ()
    ) -> None:
        self._lines = wire.LineReader()
        self._reader = wire.Reader(organization, None, key_of(seed))
        self._digests = [Digests(key) for key in other_keys]
        self._heads: dict[tuple[str, RequestKind | None, IdentityType], str | None] = {}

    def of_line(self, line: bytes) -> LineTies:
        """What a line names."""
        reading = self._reader.read(self._lines.request(line))
        label, kind, rules = reading.label, reading.kind, reading.rules
        if kind is RequestKind.ERASE:
            return LineTies(sets=label, erases=True)
        if reading.refusal is not None or reading.scope is None or rules is None:
            return LineTies(sets=label, is_refused=True)
        asked = names_of(reading)
        names = [mpid_name(mpid) for mpid in asked.mpids]
        names += [_digest_name(digest) for digest in asked.digests]
        if reading.batch_id is not None:
            names += [_digest_name(each.of(*reading.batch_id)) for each in self._digests]
        for each in asked.identifiers:
            key = reading.scope, kind, each.type
            if key not in self._heads:
                its_head = (
                    _head(reading.scope, each.type) if _ties(each.type, rules, kind) else None
                )
                self._heads[key] = its_head
            head = self._heads[key]
            if head is not None:
                names.append(_hashed(head + each.value))
        is_whole = reading.late_refusal is None
        may_make = is_whole and kind in _MAKES_PROFILES and reading.mpid is None
        return LineTies(names, asked.labels, label, may_make, not is_whole)


def shown_names(line: bytes, organization: Organization, seed: int) -> dict[int, tuple[str, str]]:
    """Which type and value the names of a line stand for, as far as they are identifiers."""
    reading = wire.Reader(organization, None, key_of(seed)).read(wire.LineReader().request(line))
    scope = reading.scope
    if scope is None:
        return {}
    return {
        _identifier_name(scope, each): (each.type.value, each.value)
        for each in names_of(reading).identifiers
    }


def _ties(kind: IdentityType, rules: ScopeRules, of: RequestKind | None) -> bool:
    """Whether anybody can be looked up by a type, for a request of a kind."""
    if of is RequestKind.LOGOUT and kind in rules.login_types:
        return False  # set aside (section 4, step 1)
    return rules.is_lookup(kind) or kind in rules.guard_rails.normalize


def names_of_row(row: TaskRow, organization: Organization) -> Iterator[int]:
    """The names of a row of the state.

    Of a known profile those that it is reached by: nobody is answered with it, or takes anything
    from it, who names neither a login or unique identifier of it nor its MPID. What is normalized
    is looked up to see how a value is meant, whoever holds it.
    """
    if row.section == Section.PROFILE:
        assert row.mpid is not None
        yield mpid_name(row.mpid)
        yield from _names_of_profile(row, organization)
    elif row.section == Section.RECORD:
        if row.mpid is not None:
            yield mpid_name(row.mpid)
        if row.other is not None:
            yield mpid_name(row.other)
        if row.key is not None:
            yield _digest_name(bytes.fromhex(json.loads(row.data)["digest"]))


def _names_of_profile(row: TaskRow, organization: Organization) -> Iterator[int]:
    profile = json.loads(row.data)
    scope = profile["scope"]
    rules = organization.scopes.get(scope)
    if rules is None:
        return  # no request can name its scope
    identifiers = identifiers_in(profile)
    is_known = row.was_known or any(each.type in rules.login_types for each in identifiers)
    for each in identifiers:
        settings = rules.settings_of(each.type)
        leads_to_it = rules.is_lookup(each.type) and (
            not is_known or settings.login or settings.unique
        )
        if leads_to_it or each.type in rules.guard_rails.normalize:
            yield _identifier_name(scope, each)


def attempt_mpid(seed: int, seq: int, attempt: int) -> int:
    """The MPID that a line would give out at an attempt, from 0 (section 7)."""
    return mpid_of(seed, seq, attempt)


def mpid_name(mpid: int) -> int:
    """The name of an MPID, which is that itself; a profile of any scope may have it."""
    return mpid


def _identifier_name(scope: str, identifier: Identifier) -> int:
    return _hashed(_head(scope, identifier.type) + identifier.value)


def _head(scope: str, kind: IdentityType) -> str:
    return f"held {len(scope)} {scope} {kind} "


def _digest_name(digest: bytes) -> int:
    return _hashed(f"batch {digest.hex()}")


def _hashed(text: str) -> int:
    """A name as a number; should two ever be alike, their lines meet in one task, no more."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
    return int.from_bytes(digest, "little", signed=True)
