"""What an explanation counts: what each tier of a priority did, and near misses (section 8)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from idsync_cli.core.codes import Reason, TierOutcome
from idsync_cli.core.config.strategy import Settings
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.value import Value

NONE_INELIGIBLE: Final[Mapping[Reason, int]] = {}  # a MappingProxyType would not be pickled

COUNTED_TO = 1000
"""Where the counts of a tier stop (section 8): an identifier may have millions of holders."""


class Tier(Value):
    """What the tier of one type did. Counts are None if nothing was looked up.

    Counts stop at COUNTED_TO, so a count as high as that may stand for more.
    """

    __match_args__ = (
        "rank", "identity_type", "settings", "outcome", "value",
        "held_by", "eligible", "ineligible", "candidates", "stopped_counting",
    )  # fmt: skip
    __slots__ = __match_args__

    def __init__(
        self,
        rank: int,
        identity_type: IdentityType,
        settings: Settings,
        outcome: TierOutcome,
        value: str | None = None,
        held_by: int | None = None,
        eligible: int | None = None,
        ineligible: Mapping[Reason, int] = NONE_INELIGIBLE,
        candidates: int | None = None,
        stopped_counting: bool = False,
    ) -> None:
        self.rank: Final = rank
        self.identity_type: Final = identity_type
        self.settings: Final = settings
        self.outcome: Final = outcome
        self.value: Final = value
        self.held_by: Final = held_by
        self.eligible: Final = eligible
        self.ineligible: Final = ineligible
        self.candidates: Final = candidates
        self.stopped_counting: Final = stopped_counting


NEAR_COUNTED_TO = 10
"""Where the counts of a near miss stop (section 8)."""


class NearMiss(NamedTuple):
    """An identifier of the request whose holders may not be the answer, and why they may not.

    Counts stop at NEAR_COUNTED_TO, so a count as high as that may stand for more.
    """

    identifier: Identifier
    held_by: int
    ineligible: Mapping[Reason, int]
