"""What a profile of the store in memory has beside its identifiers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from idsync_cli.core.data.values import Alias, BatchData, Device, ProfileData, status_message
from idsync_cli.core.identity import Identifier
from idsync_cli.store.kept_json import event_of, value_of


class KeptEvent(NamedTuple):
    """An event as it is kept."""

    seq: int
    place: int
    time_ms: int
    event_type: str
    name: str | None
    text: str


class KeptData:
    """All but the events; it never changes.

    Attributes are JSON by their names. Of each device there is what was said of it last, as JSON,
    and by which request, in the order in which devices came. `times` are when the profile was first
    seen and last stored.
    """

    __slots__ = ("attributes", "attribution", "consent_state", "devices", "is_opted_out", "times")

    def __init__(
        self,
        attributes: Mapping[str, str],
        devices: Mapping[Identifier | None, tuple[str, int]],
        consent_state: str | None,
        is_opted_out: bool,
        attribution: str | None,
        times: tuple[int, int] | None,
    ) -> None:
        self.attributes: Final = attributes
        self.devices: Final = devices
        self.consent_state: Final = consent_state
        self.is_opted_out: Final = is_opted_out
        self.attribution: Final = attribution
        self.times: Final = times

    def after(self, data: BatchData | None, seq: int, time_ms: int) -> "KeptData":
        """The same after a request that was answered with the profile."""
        first, last = self.times or (time_ms, time_ms)
        times = min(first, time_ms), max(last, time_ms)
        if data is None:
            data = BatchData()
        attributes = {**self.attributes, **(data.attributes or {})}
        for name in data.deleted:
            attributes.pop(name, None)
        return KeptData(
            attributes,
            self._devices_after(data, seq),
            data.consent_state or self.consent_state,
            self.is_opted_out if data.is_opted_out is None else data.is_opted_out,
            data.attribution or self.attribution,
            times,
        )

    def with_alias_of(self, source: "KeptData") -> "KeptData":
        """The same once what the source was and did is this one's, too."""
        times = self.times
        if times is not None and source.times is not None:
            times = min(times[0], source.times[0]), times[1]
        return KeptData(
            self.attributes,
            self.devices,
            self.consent_state,
            self.is_opted_out,
            source.attribution or self.attribution,
            times,
        )

    def _devices_after(
        self, data: BatchData, seq: int
    ) -> Mapping[Identifier | None, tuple[str, int]]:
        named = data.device
        if named is None:
            return self.devices
        before = self.devices.get(named.identifier)
        if before is not None and named.info == before[0]:
            return self.devices
        return {**self.devices, named.identifier: (named.info, seq)}

    def whole(
        self,
        events: Sequence[KeptEvent],
        event_count: int,
        aliases: Iterable[Alias],
        mpid: int,
    ) -> ProfileData:
        """What the profile has, with some of its events; aliases tell of themselves."""
        first, last = self.times or (None, None)
        return ProfileData(
            {name: value_of(self.attributes[name]) for name in sorted(self.attributes)},
            tuple([event_of(*each) for each in events]),
            event_count,
            tuple(
                [Device(each, value_of(said), seq) for each, (said, seq) in self.devices.items()]
            ),
            _value_or_none(self.consent_state),
            self.is_opted_out,
            _value_or_none(self.attribution),
            first,
            last,
            tuple([status_message(each, mpid) for each in aliases]),
        )


def _value_or_none(text: str | None) -> Any:
    return None if text is None else value_of(text)


NO_DATA: Final = KeptData({}, {}, None, False, None, None)
"""What a profile has that nothing is known of."""
