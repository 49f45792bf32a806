"""The members of an event batch that mean something (section 9)."""

from typing import Any, Final

from idsync_cli.wire.decoding import Json
from idsync_cli.wire.members import invalid_request, is_text, wrong

_NAMES: Final = (
    "scope", "workspace", "label", "source_request_id", "user_identities", "device_info",
    "user_attributes", "consent_state", "attribution_info", "response", "deleted_user_attributes",
    "events", "mpid", "mp_deviceid", "timestamp_unixtime_ms", "request_timestamp_ms", "request_id",
    "ip", "application_info", "environment", "known_identities",
)  # fmt: skip
"""First texts, then objects, then lists, then what is looked at more closely elsewhere."""

_INDEX_OF: Final = {name: index for index, name in enumerate(_NAMES)}
_FIRST_OBJECT: Final = _INDEX_OF["user_identities"]
_FIRST_LIST: Final = _INDEX_OF["deleted_user_attributes"]
_FIRST_OTHER: Final = _INDEX_OF["mpid"]


class BatchMembers:
    """What the members of a batch hold; None for what is absent or null.

    An empty `source_request_id` is none. `known_identities` are looked at only to say where a batch
    has its identifiers.
    """

    __slots__ = (
        "application_info", "attribution_info", "consent_state", "deleted_user_attributes",
        "device_info", "environment", "events", "ip", "known_identities", "label", "mp_deviceid",
        "mpid", "request_id", "request_timestamp_ms", "response", "scope", "source_request_id",
        "timestamp_unixtime_ms", "user_attributes", "user_identities", "workspace",
    )  # fmt: skip

    def __init__(self, batch: Json) -> None:
        """Take the members of a batch.

        Raises:
            Refusal: INVALID_REQUEST, for one that holds something else than it must.
        """
        found: list[Any] = [None] * len(_NAMES)
        for name, value in batch.items():
            index = _INDEX_OF.get(name)
            if index is not None and value is not None:
                if index < _FIRST_OTHER:
                    _check(index, name, value)
                found[index] = value
        self.scope: str | None = found[0]
        self.workspace: str | None = found[1]
        self.label: str | None = found[2]
        self.source_request_id: str | None = found[3] or None
        self.user_identities: dict[str, Any] | None = found[4]
        self.device_info: dict[str, Any] | None = found[5]
        self.user_attributes: dict[str, Any] | None = found[6]
        self.consent_state: dict[str, Any] | None = found[7]
        self.attribution_info: dict[str, Any] | None = found[8]
        self.response: dict[str, Any] | None = found[9]
        self.deleted_user_attributes: list[Any] | None = found[10]
        self.events: list[Any] | None = found[11]
        self.mpid: Any = found[12]
        self.mp_deviceid: Any = found[13]
        self.timestamp_unixtime_ms: Any = found[14]
        self.request_timestamp_ms: Any = found[15]
        self.request_id: Any = found[16]
        self.ip: Any = found[17]
        self.application_info: Any = found[18]
        self.environment: Any = found[19]
        self.known_identities: Any = found[20]


def _check(index: int, name: str, value: object) -> None:
    if index >= _FIRST_LIST:
        if not isinstance(value, list):
            raise invalid_request(wrong(name, value, "a list"), (name,))
    elif index >= _FIRST_OBJECT:
        if not isinstance(value, dict):
            raise invalid_request(wrong(name, value, "an object"), (name,))
    elif not is_text(value):
        raise invalid_request(wrong(name, value, "text"), (name,))
