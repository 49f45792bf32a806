"""What the events of one profile come to, one event after another.

However many there are, one more costs the same. `fold.py` asks the same of all events at once, and
both come to the same. What is asked of the latest days only is kept by time; as its moment goes on,
what comes into the window is added, and what leaves it is taken out again.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from idsync_cli.core.audiences.calculation import Moving, Occurred, accumulator, moving
from idsync_cli.core.audiences.comparison import ABSENT
from idsync_cli.core.audiences.fold import EventsAsked, EventsSeen, Fold, event_attribute
from idsync_cli.core.audiences.scalars import number_of, values_of
from idsync_cli.core.codes import Calculation
from idsync_cli.core.config.definitions import (
    CalculatedAttribute,
    Definitions,
    EventCondition,
    EventFilter,
    within,
)
from idsync_cli.core.data.values import Event

_Entry = tuple[Occurred, Any]
"""When an event happened, and its value that is asked for."""

_LISTS: Final = frozenset(
    (Calculation.UNIQUE_LIST, Calculation.UNIQUE_VALUES_COUNT, Calculation.MOST_FREQUENT)
)
"""Those that keep every value."""

_EXTREMES: Final = frozenset((Calculation.MIN, Calculation.MAX))


class Gathered(EventsAsked):
    """The events of a profile, as far as the definitions of its scope ask of them.

    Each event is given to `add` once, in any order. `now_ms` is the moment of the answers. `kept`
    is how much is in memory: of definitions, and of events that are kept one by one, some 300 bytes
    each.
    """

    def __init__(self, fold: Fold) -> None:
        self.now_ms = 0
        self._fold: Final = fold
        definitions = fold.definitions
        self._calculated: Final[dict[str, _Asked]] = {
            name: _asked(each) for name, each in definitions.calculated_attributes.items()
        }
        self._seen: Final[dict[EventFilter, _Window | _Seen]] = {
            each: _Seen() if each.within_ms is None else _Window(each.within_ms)
            for each in _filters(definitions)
        }
        self.kept = 1 + len(self._calculated) + len(self._seen)

    def add(self, event: Event) -> None:
        """Take in an event."""
        data, when = event.data, Occurred(event.time_ms, event.seq, event.place)
        for name, definition in self._fold.definitions.calculated_attributes.items():
            if not self._fold.means(definition.events, event):
                continue
            of = definition.attribute
            value = None if of is None else event_attribute(data, of)
            if value is not ABSENT:
                keeps = definition.events.within_ms is not None or definition.calculation in _LISTS
                self.kept += keeps
                self._calculated[name].add((when, value))
        for events, seen in self._seen.items():
            if self._fold.means(events, event):
                self.kept += events.within_ms is not None
                seen.add((when, None))

    def seen(self, events: EventFilter) -> EventsSeen:
        """How many such events the profile has, and when the last of them was."""
        return self._seen[events].seen(self.now_ms)

    def calculated(self, name: str, _definition: CalculatedAttribute, /) -> Any:
        """What a calculated attribute comes to, or `ABSENT`."""
        return self._calculated[name].result(self.now_ms)


class _Seen:
    """Events that count whenever they were."""

    def __init__(self) -> None:
        self._number = 0
        self._last_ms: int | None = None

    def add(self, entry: _Entry) -> None:
        self._number += 1
        time_ms, last_ms = entry[0].time_ms, self._last_ms
        self._last_ms = time_ms if last_ms is None else max(last_ms, time_ms)

    def seen(self, now_ms: int) -> EventsSeen:  # noqa: ARG002 - they always count
        return EventsSeen(self._number, self._last_ms)


class _Asked(ABC):
    """A calculation over the events that are meant."""

    @abstractmethod
    def add(self, entry: _Entry) -> None:
        """Take in an event."""

    @abstractmethod
    def result(self, now_ms: int) -> Any:
        """What it comes to at a moment, or `ABSENT`."""


class _OfAll(_Asked):
    """A calculation over events whenever they were."""

    def __init__(self, calculation: Calculation) -> None:
        self._found = accumulator(calculation)

    def add(self, entry: _Entry) -> None:
        self._found.add(entry[1], entry[0])

    def result(self, now_ms: int) -> Any:  # noqa: ARG002 - they always count
        return self._found.result()


class _Window:
    """Events of so many milliseconds up to a moment; those from `_begin` to `_end` are in it."""

    def __init__(self, within_ms: int) -> None:
        self._within_ms = within_ms
        self._entries: list[_Entry] = []
        self._begin = self._end = 0

    def add(self, entry: _Entry) -> None:
        """Take in an event; whether one at an edge is in the window is seen when it is asked."""
        at = bisect_left(self._entries, entry[0], key=_when)
        self._entries.insert(at, entry)
        if at < self._end:
            self._end += 1
            if at <= self._begin:
                self._begin += 1
            else:
                self.comes(entry)

    def move_to(self, now_ms: int) -> None:
        """Let the window end at a moment."""
        begin = bisect_left(self._entries, Occurred(now_ms - self._within_ms, 0, 0), key=_when)
        end = max(begin, bisect_left(self._entries, Occurred(now_ms + 1, 0, 0), key=_when))
        while self._begin > begin:
            self._begin -= 1
            self.comes(self._entries[self._begin])
        while self._end < end:
            self.comes(self._entries[self._end])
            self._end += 1
        while self._begin < begin:
            self.goes(self._entries[self._begin])
            self._begin += 1
        while self._end > end:
            self._end -= 1
            self.goes(self._entries[self._end])

    def comes(self, entry: _Entry) -> None:
        """An event has come into the window."""

    def goes(self, entry: _Entry) -> None:
        """An event is no longer in it."""

    def ends(self, now_ms: int) -> tuple[_Entry, _Entry] | None:
        """The first and the last event of the window that ends at a moment; None without any."""
        self.move_to(now_ms)
        if self._begin == self._end:
            return None
        return self._entries[self._begin], self._entries[self._end - 1]

    def seen(self, now_ms: int) -> EventsSeen:
        """How many events are in the window, and when the last of them was."""
        ends = self.ends(now_ms)
        return EventsSeen(self._end - self._begin, ends and ends[1][0].time_ms)


def _when(entry: _Entry) -> Occurred:
    return entry[0]


class _EndsOfWindow(_Window, _Asked):
    """What the first event of a window tells alone, or the last."""

    def __init__(self, within_ms: int, calculation: Calculation) -> None:
        super().__init__(within_ms)
        self._calculation = calculation

    def result(self, now_ms: int) -> Any:
        found = accumulator(self._calculation)
        for when, value in self.ends(now_ms) or ():
            found.add(value, when)
        return found.result()


class _ExtremeOfWindow(_Window, _Asked):
    """The smallest number of a window, or the largest: its numbers are kept by their size."""

    def __init__(self, within_ms: int, calculation: Calculation) -> None:
        super().__init__(within_ms)
        self._calculation = calculation
        self._end_index = 0 if calculation is Calculation.MIN else -1
        self._numbers: list[Decimal] = []

    def comes(self, entry: _Entry) -> None:
        for each in values_of(entry[1]):
            number = number_of(each)
            if number is not None:
                insort(self._numbers, number)

    def goes(self, entry: _Entry) -> None:
        for each in values_of(entry[1]):
            number = number_of(each)
            if number is not None:
                del self._numbers[bisect_left(self._numbers, number)]

    def result(self, now_ms: int) -> Any:
        self.move_to(now_ms)
        found = accumulator(self._calculation)
        if self._numbers:
            found.add(self._numbers[self._end_index], _WHENEVER)
        return found.result()


class _MovingWindow(_Window, _Asked):
    """A calculation over a window from which values can be taken out again."""

    def __init__(self, within_ms: int, found: Moving) -> None:
        super().__init__(within_ms)
        self._found = found

    def comes(self, entry: _Entry) -> None:
        self._found.add(entry[1], _WHENEVER)

    def goes(self, entry: _Entry) -> None:
        self._found.remove(entry[1])

    def result(self, now_ms: int) -> Any:
        self.move_to(now_ms)
        return self._found.result()


_WHENEVER: Final = Occurred(0, 0, 0)


def _filters(definitions: Definitions) -> Iterator[EventFilter]:
    """The events that conditions ask for."""
    for audience in definitions.audiences.values():
        for each in within(audience.condition):
            if isinstance(each, EventCondition):
                yield each.events


def _asked(definition: CalculatedAttribute) -> _Asked:
    calculation, within_ms = definition.calculation, definition.events.within_ms
    if within_ms is None:
        return _OfAll(calculation)
    if calculation in _EXTREMES:
        return _ExtremeOfWindow(within_ms, calculation)
    found = moving(calculation)
    if found is None:
        return _EndsOfWindow(within_ms, calculation)
    return _MovingWindow(within_ms, found)
