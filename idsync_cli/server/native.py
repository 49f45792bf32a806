"""What the native SDKs send for events, read as a batch of section 9 (section 10)."""

from collections.abc import Mapping
from typing import Any, Final

from idsync_cli.core.identity import IdentityType
from idsync_cli.wire.members import invalid_request

Json = dict[str, Any]

_OTHERS: Final = [f"other_id_{number}" for number in range(2, 11)]
_IDENTITY_TYPES: Final = dict(
    enumerate(
        [
            "other", "customer_id", "facebook", "twitter", "google", "microsoft", "yahoo", "email",
            "alias", "facebook_custom_audience_id", *_OTHERS, "mobile_number", "phone_number_2",
            "phone_number_3",
        ]
    )
)  # fmt: skip
"""The number that the native SDKs give to each type of user identity."""

NUMBER_OF_TYPES: Final = len(_IDENTITY_TYPES)

MEMBERS: Final = {
    "id": "source_request_id", "ct": "timestamp_unixtime_ms", "mpid": "mpid", "das": "mp_deviceid",
    "ui": "user_identities", "ua": "user_attributes", "uad": "deleted_user_attributes",
    "di": "device_info", "ai": "application_info", "con": "consent_state", "msgs": "events",
}  # fmt: skip
"""What the members of an upload are called in a batch."""

_EVENT_TYPES: Final = {
    "ss": "session_start", "se": "session_end", "e": "custom_event", "v": "screen_view",
    "cm": "commerce_event", "o": "opt_out", "uac": "user_attribute_change", "x": "crash_report",
    "pr": "push_registration", "fr": "first_run", "ast": "application_state_transition",
    "pm": "push_message", "bc": "breadcrumb", "npe": "network_performance", "pro": "profile",
    "uic": "user_identity_change",
}  # fmt: skip
_COMMON: Final = {
    "ct": "timestamp_unixtime_ms", "sid": "session_uuid", "sct": "session_start_unixtime_ms",
    "attrs": "custom_attributes", "id": "source_message_id", "est": "event_start_unixtime_ms",
}  # fmt: skip
_OF_TYPE: Final[Mapping[str, Mapping[str, str]]] = {
    "e": {"n": "event_name", "et": "custom_event_type"},
    "v": {"n": "screen_name"},
    "cm": {"pd": "product_action", "cu": "currency_code"},
    "o": {"s": "is_opted_out"},
    "uac": {
        "n": "user_attribute_name", "nv": "new", "ov": "old", "d": "deleted",
        "na": "is_new_attribute",
    },
    "se": {"sl": "session_duration_ms"},
}  # fmt: skip
PRODUCT_ACTION: Final = {
    "an": "action", "ti": "transaction_id", "tr": "total_amount", "tt": "tax_amount",
    "ts": "shipping_amount", "tcc": "coupon_code", "ta": "affiliation", "pl": "products",
}  # fmt: skip


def batch_of(upload: Mapping[str, Any]) -> Json:
    """The batch that an upload stands for; what is of another kind than it should be is refused.

    Raises:
        Refusal: INVALID_REQUEST.
    """
    batch = {name: upload.get(theirs) for theirs, name in MEMBERS.items()}
    batch["user_identities"] = _identities_in(upload.get("ui"))
    batch["events"] = _events_in(upload.get("msgs"))
    return {name: value for name, value in batch.items() if value is not None}


def _identities_in(listed: object) -> Json | None:
    if listed is None:
        return None
    if not isinstance(listed, list):
        raise invalid_request("ui must be a list of identities", ("ui",))
    found: Json = {}
    for index, each in enumerate(listed):
        number = each.get("n") if isinstance(each, dict) else None
        named = _IDENTITY_TYPES.get(number) if type(number) is int else None
        if named is None:
            raise invalid_request(
                f"ui[{index}]: n must be the number of an identity type, 0 to "
                f"{NUMBER_OF_TYPES - 1}",
                ("ui", index),
            )
        found[IdentityType(named).value] = each.get("i")
    return found


def _events_in(messages: object) -> list[Json] | None:
    if messages is None:
        return None
    if not isinstance(messages, list):
        raise invalid_request("msgs must be a list of messages", ("msgs",))
    return [_event_of(index, each) for index, each in enumerate(messages)]


def _event_of(index: int, message: object) -> Json:
    """A message as an event; members that have no name here keep their own."""
    kind = message.get("dt") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(kind, str) or not kind:
        raise invalid_request(f"msgs[{index}]: a message is an object with dt", ("msgs", index))
    names = names_in(kind)
    data = {names.get(name, name): value for name, value in message.items() if name != "dt"}
    action = data.get("product_action")
    if kind == "cm" and isinstance(action, dict):
        data["product_action"] = {
            PRODUCT_ACTION.get(name, name): value for name, value in action.items()
        }
    return {"event_type": _EVENT_TYPES.get(kind, kind), "data": data}


def names_in(kind: str) -> Mapping[str, str]:
    """What the members of a kind of message are called in the data of an event."""
    return {**_COMMON, **_OF_TYPE.get(kind, {})}
