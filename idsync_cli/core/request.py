"""What is asked: requests whose form has been checked (sections 4, 5 and 9)."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from mypy_extensions import mypyc_attr

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.data.values import BatchData
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.value import Value


@mypyc_attr(free_list_len=1)
class IdentityRequest(Value):
    """An identify, login, logout or search: at most one value for each type (section 4)."""

    __match_args__ = ("kind", "identifiers", "previous_mpid")
    __slots__ = __match_args__

    def __init__(
        self,
        kind: RequestKind,
        identifiers: Sequence[Identifier],
        previous_mpid: int | None = None,
    ) -> None:
        self.kind: Final = kind
        self.identifiers: Final = identifiers
        self.previous_mpid: Final = previous_mpid


class IdentityChange(NamedTuple):
    """One entry of `identity_changes`; without an old value it adds, without a new one removes."""

    identity_type: IdentityType
    old_value: str | None
    new_value: str | None


class ModifyRequest(NamedTuple):
    """A modify of one profile, in one of its two forms (section 5).

    Set form: `known_identities` maps each type to its one value, or to None to remove the type.
    Otherwise `identity_changes` are made one after another. With `spares_known` nothing is taken
    from another profile that is known: an application may not (section 10).
    """

    mpid: int
    known_identities: Mapping[IdentityType, str | None] | None = None
    identity_changes: tuple[IdentityChange, ...] = ()
    spares_known: bool = False


class EraseRequest(NamedTuple):
    """An erase of one profile: by its MPID or, where that is None, by identifiers (section 9)."""

    mpid: int | None = None
    identifiers: Sequence[Identifier] = ()


class BatchRequest(Value):
    """An event batch (section 9): data for the profile that it names, or that it resolves to.

    Without an `mpid` it is resolved by `identity`, an identify. `fault` is what is wrong with its
    identifiers, to be raised unless the batch was carried out before. `digest` stands for its
    `source_request_id`, and so do `other_digests`, under the keys of stores that were imported;
    `passed_over` are the types of identifiers whose value was none.
    """

    __match_args__ = (
        "data", "identity", "mpid", "digest", "passed_over", "fault", "other_digests",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        data: BatchData,
        identity: IdentityRequest | None = None,
        mpid: int | None = None,
        digest: bytes | None = None,
        passed_over: tuple[IdentityType, ...] = (),
        fault: Exception | None = None,
        other_digests: tuple[bytes, ...] = (),
    ) -> None:
        self.data: Final = data
        self.identity: Final = identity
        self.mpid: Final = mpid
        self.digest: Final = digest
        self.passed_over: Final = passed_over
        self.fault: Final = fault
        self.other_digests: Final = other_digests

    def looked_up_as(self, other_digests: tuple[bytes, ...]) -> "BatchRequest":
        """The same with other digests that its id may have been kept by."""
        return BatchRequest(
            self.data, self.identity, self.mpid, self.digest, self.passed_over, self.fault,
            other_digests,
        )  # fmt: skip


class AliasRequest(NamedTuple):
    """An alias (section 9): what the source did within a window is the destination's, too.

    Times are milliseconds since 1970, UTC; the window has both of its ends. `time_ms` is the
    request's own time, else the clock's, where the window ends unless it says otherwise.
    """

    source_mpid: int
    destination_mpid: int
    start_ms: int | None
    end_ms: int | None
    time_ms: int


Request = IdentityRequest | ModifyRequest | BatchRequest | AliasRequest | EraseRequest
