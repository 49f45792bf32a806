"""How many requests a second a workspace gets (section 10, `rate`)."""

from collections.abc import Callable
from math import ceil
from typing import Final


class RateLimits:
    """A bucket for each workspace: as many at once as its rate, and refilled at that rate.

    `clock` gives seconds, which only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._left: dict[str, tuple[float, float]] = {}  # how many, and when that was so

    def seconds_to_wait(self, workspace: str, rate: int | None) -> int:
        """Take one from the bucket, and give 0; or how many whole seconds to wait for one."""
        if rate is None:
            return 0
        now = self._clock()
        left, at = self._left.get(workspace, (float(rate), now))
        left = min(float(rate), left + (now - at) * rate)
        if left < 1:
            self._left[workspace] = left, now
            return max(1, ceil((1 - left) / rate))
        self._left[workspace] = left - 1, now
        return 0
