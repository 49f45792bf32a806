"""Identifier types and their names, identifiers, and MPIDs (sections 1, 2 and 7)."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import blake2b
from struct import Struct
from typing import Final, TypeGuard

from idsync_cli.core.value import Value

MAX_VALUE_LENGTH: Final = 4096
"""The longest value of an identifier, in characters (section 4)."""

_NUMBER: Final = Struct(">q")

MPID_MIN: Final = -(2**63)
MPID_MAX: Final = 2**63 - 1


class IdentityType(StrEnum):
    """The closed list of identifier types, by canonical name and in the order of section 2."""

    CUSTOMER_ID = "customer_id"
    EMAIL = "email"
    FACEBOOK = "facebook"
    TWITTER = "twitter"
    GOOGLE = "google"
    MICROSOFT = "microsoft"
    YAHOO = "yahoo"
    FACEBOOK_CUSTOM_AUDIENCE_ID = "facebook_custom_audience_id"
    OTHER = "other"
    OTHER_ID_2 = "other_id_2"
    OTHER_ID_3 = "other_id_3"
    OTHER_ID_4 = "other_id_4"
    OTHER_ID_5 = "other_id_5"
    OTHER_ID_6 = "other_id_6"
    OTHER_ID_7 = "other_id_7"
    OTHER_ID_8 = "other_id_8"
    OTHER_ID_9 = "other_id_9"
    OTHER_ID_10 = "other_id_10"
    MOBILE_NUMBER = "mobile_number"
    PHONE_NUMBER_2 = "phone_number_2"
    PHONE_NUMBER_3 = "phone_number_3"
    IOS_IDFA = "ios_idfa"
    IOS_IDFV = "ios_idfv"
    ANDROID_AAID = "android_aaid"
    ANDROID_UUID = "android_uuid"
    FIRE_AID = "fire_aid"
    ROKU_AID = "roku_aid"
    ROKU_PUBLISHER_ID = "roku_publisher_id"
    MICROSOFT_AID = "microsoft_aid"
    MICROSOFT_PUBLISHER_ID = "microsoft_publisher_id"
    AMP_ID = "amp_id"
    PUSH_TOKEN = "push_token"
    DEVICE_APPLICATION_STAMP = "device_application_stamp"
    ALIAS = "alias"


TYPE_ORDER: Final = {identity_type: index for index, identity_type in enumerate(IdentityType)}
"""The position of each type in the list of section 2."""

TYPE_BITS: Final = {identity_type: 1 << index for identity_type, index in TYPE_ORDER.items()}
"""One bit for each type, so that a set of types is an integer."""

DEVICE_TYPES = frozenset(
    identity_type
    for identity_type, index in TYPE_ORDER.items()
    if TYPE_ORDER[IdentityType.IOS_IDFA]
    <= index
    <= TYPE_ORDER[IdentityType.DEVICE_APPLICATION_STAMP]
)
"""The device identities. All other types are user identities, also `alias`, which comes last."""

WIRE_NAMES = {
    IdentityType.CUSTOMER_ID: "customerid",
    IdentityType.FACEBOOK_CUSTOM_AUDIENCE_ID: "facebookcustomaudienceid",
} | {IdentityType(f"other_id_{n}"): f"other{n}" for n in range(2, 11)}
"""The names of the HTTP API, where they differ from the canonical ones."""

_ALSO_READ_AS = {
    IdentityType.CUSTOMER_ID: ("controller_customer_id",),
    IdentityType.IOS_IDFA: ("idfa", "ios_advertising_id"),
    IdentityType.IOS_IDFV: ("idfv", "ios_vendor_id"),
    IdentityType.ANDROID_AAID: ("gaid", "google_advertising_id", "android_advertising_id"),
    IdentityType.ANDROID_UUID: ("android_id",),
    IdentityType.FIRE_AID: ("fire_advertising_id",),
    IdentityType.ROKU_AID: ("roku_id", "roku_advertising_id"),
    IdentityType.ROKU_PUBLISHER_ID: ("roku_publishing_id",),
    IdentityType.MICROSOFT_AID: ("microsoft_advertising_id",),
    IdentityType.DEVICE_APPLICATION_STAMP: ("das",),
}


def names_of(identity_type: IdentityType) -> tuple[str, ...]:
    """Every name that is read as the type: canonical, wire, others (section 2)."""
    wire = (WIRE_NAMES[identity_type],) if identity_type in WIRE_NAMES else ()
    return (identity_type.value, *wire, *_ALSO_READ_AS.get(identity_type, ()))


TYPES_BY_NAME: Final = {
    name: identity_type for identity_type in IdentityType for name in names_of(identity_type)
}
"""The type that each known name stands for."""


class Identifier(Value):
    """A type and a value, compared exactly (section 1); `order` is the type's in `TYPE_ORDER`."""

    __slots__ = ("order", "type", "value")
    __match_args__ = ("type", "value")

    def __init__(self, type: IdentityType, value: str) -> None:  # noqa: A002 - as its member
        self.type: Final = type
        self.value: Final = value
        self.order: Final = TYPE_ORDER[type]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Identifier):
            return False
        return self.type is other.type and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


def device_among(identifiers: Sequence[Identifier]) -> Identifier | None:
    """What stands for the device of a batch that has these identifiers (section 9).

    It is the device application stamp, else the first that identifies a device, by section 2.
    """
    first: Identifier | None = None
    for each in identifiers:
        if each.type in DEVICE_TYPES:
            if each.type is IdentityType.DEVICE_APPLICATION_STAMP:
                return each
            if first is None or each.order < first.order:
                first = each
    return first


def has_surrogate(text: str) -> bool:
    """Whether the text holds half a character, which UTF-8 cannot write."""
    return not text.isascii() and any(0xD800 <= ord(each) <= 0xDFFF for each in text)


def is_plain_value(value: object) -> TypeGuard[str]:
    """Whether `value` is surely valid as the value of an identifier.

    A quick check that nearly all values pass, because they are ASCII. Any other value may still be
    valid: `value_fault` tells.
    """
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_VALUE_LENGTH
        and value.isascii()
        and "\0" not in value
    )


def value_fault(value: object) -> str | None:
    """Say what keeps `value` from being an identifier's value, or None (section 4).

    An empty string is no fault here: what it means depends on the request.
    """
    if isinstance(value, list):
        return "is a list, not text; give one value"
    if isinstance(value, dict):
        return "is an object, not text; give its value"
    if isinstance(value, float) and value.is_integer():
        return "is not text; write it with all its digits, between quotes"
    if not isinstance(value, str):
        return "is not text; put it between quotes"
    if len(value) > MAX_VALUE_LENGTH:
        return f"has {len(value):,} characters; at most {MAX_VALUE_LENGTH:,} are allowed"
    if "\0" in value:
        return "contains a NUL character"
    if has_surrogate(value):
        return "contains a lone surrogate, which is not a character"
    return None


def parse_mpid(text: object) -> int | None:
    """Read an MPID: a string of ASCII digits, or an integer; None for all else (section 1)."""
    if isinstance(text, str):
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or digits[0] == "0" or len(digits) > 19:
            return None
        number = int(text)
    elif isinstance(text, int) and not isinstance(text, bool):
        number = text
    else:
        return None
    return number if number != 0 and MPID_MIN <= number <= MPID_MAX else None


def mpid_rule(value: object) -> str:
    """What an MPID is, as far as a value that is none shows it: put it behind `an MPID`."""
    zero = "; 0 is none"
    too_long = f" of 64 bits, from {MPID_MIN} to {MPID_MAX}"
    if isinstance(value, int) and not isinstance(value, bool):
        return zero if value == 0 else too_long
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    if not (digits.isascii() and digits.isdigit()):
        return ": digits, optionally with a leading minus"
    if digits[0] != "0":
        return too_long
    return "; it has no leading zeros" if digits.strip("0") else zero


def derive_mpid(seed: int, seq: int, was_given_out: Callable[[int], bool]) -> int:
    """The MPID of the profile created by request `seq` in a store with `seed` (section 7)."""
    attempt = 0
    while True:
        mpid = mpid_of(seed, seq, attempt)
        if mpid != 0 and not was_given_out(mpid):
            return mpid
        attempt += 1


def mpid_of(seed: int, seq: int, attempt: int) -> int:
    """A candidate for the MPID of the profile made by request `seq`; attempts count from 0."""
    text = f"{seed}:{seq}:{attempt}" if attempt else f"{seed}:{seq}"
    [number] = _NUMBER.unpack(blake2b(text.encode("ascii"), digest_size=8).digest())
    return int(number)
