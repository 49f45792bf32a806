"""Request files of any size: made as they are written, the same for the same seed and size.

Of 20 requests 12 are an identify with a device identifier, 5 a login with customer ID, email and
device, 2 a logout and 1 a modify by the label of an earlier login, which changes the email. A user
has about three requests, most of them within a window of the file and some much later. One in fifty
comes from somebody else's device, and one in fifty from a kiosk that all users share.
"""

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from random import Random

_LOGIN = {"login": True, "unique": True}
RULES = {
    "strategy": "profile_conversion",
    "priority": ["customer_id", "email", "ios_idfv"],
    "identities": {"customer_id": _LOGIN, "email": _LOGIN},
}
CONFIG = "version: 1\nscopes:\n  consumers:\n" + "".join(
    f"    {key}: {json.dumps(value)}\n".replace('"', "") for key, value in RULES.items()
)
SEED = 1

KIOSK = -1
"""The number of a user who is nobody, and whose device is the kiosk."""

_DECK = ["identify"] * 12 + ["login"] * 5 + ["logout"] * 2 + ["modify"]
_REQUESTS_A_USER = 3
_NEW = len(_DECK) / _REQUESTS_A_USER / 17  # of those that may be a user's first, identify and login
_AT_KIOSK = _ELSEWHERE = 0.02 / 0.95  # of those that come from a device
_LATER = 0.1
_FIRST_NAMES = ["anna", "ben", "chloe", "david", "emma", "felix", "grace", "hugo", "ines", "jonas"]
_LAST_NAMES = ["adams", "baker", "costa", "dubois", "ek", "fischer", "garcia", "hill", "ito"]
_HOSTS = ["example.com", "example.org", "mail.example.net"]


class _Chance:
    """Choices that are the same under every version of Python, which `random()` alone promises."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed).random

    def below(self, number: int) -> int:
        return int(self.draw() * number)

    def shuffled(self, things: list[str]) -> list[str]:
        return [each for _, each in sorted((self.draw(), each) for each in things)]


class _Recent:
    """The last users of whom something holds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._users: list[int] = []
        self._next = 0

    def add(self, user: int) -> None:
        if len(self._users) < self._most:
            self._users.append(user)
        else:
            self._users[self._next] = user
            self._next = (self._next + 1) % self._most

    def any(self, chance: _Chance) -> int:
        return self._users[chance.below(len(self._users))]


def device(user: int, seed: int = SEED) -> str:
    """The identifier of a user's device."""
    digits = blake2b(f"{seed}:{user}".encode(), digest_size=16).hexdigest().upper()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def customer_id(user: int) -> str:
    """The customer number of a user."""
    return f"C-{10_000_000 + user}"


def email(user: int, changes: int = 0) -> str:
    """The email of a user who has changed it so many times."""
    first, last = _FIRST_NAMES[user % 10], _LAST_NAMES[user // 10 % 9]
    return f"{first}.{last}{user + 1}{'.new' * changes}@{_HOSTS[user % 3]}"


def requests(size: int, seed: int = SEED) -> Iterator[dict[str, object]]:
    """The requests of a file."""
    chance = _Chance(seed)
    begun, logged_in, labelled = _Recent(5_000), _Recent(2_000), _Recent(1_000)
    changes = bytearray()  # how many times each user has changed the email so far
    for start in range(0, size, len(_DECK)):
        deck = chance.shuffled(_DECK) if start else _DECK  # first logins, then what needs one
        label = True
        for kind in deck[: size - start]:
            if kind == "modify":
                user = labelled.any(chance)
                changes[user] = min(changes[user] + 1, 9)
                new = {"email": email(user, changes[user])}
                yield {"type": kind, "mpid": f"@user-{user}", "known_identities": new}
                continue
            if kind == "logout":
                user = logged_in.any(chance)
            elif not changes or chance.draw() < _NEW:
                user = len(changes)
                changes.append(0)
                begun.add(user)
            else:
                later = chance.draw() < _LATER
                user = chance.below(len(changes)) if later else begun.any(chance)
            identities, where = {}, chance.draw()
            if kind == "login":
                logged_in.add(user)
                identities = {"customer_id": customer_id(user), "email": email(user, changes[user])}
            owner = user
            if where < _AT_KIOSK:
                owner = KIOSK
            elif where < _AT_KIOSK + _ELSEWHERE:
                owner = chance.below(len(changes))
            identities["ios_idfv"] = device(owner, seed)
            request: dict[str, object] = {"type": kind, "known_identities": identities}
            if kind == "login" and label:
                label = False
                labelled.add(user)
                request["label"] = f"user-{user}"
            yield request


def batches(
    events: int, in_a_batch: int, *, until_ms: int, seed: int = SEED
) -> Iterator[dict[str, object]]:
    """Event batches with so many events in all, of a year up to a time.

    A user has about twenty events, which come in batches among those of others. Of ten events four
    are purchases.
    """
    chance = _Chance(seed)
    users = max(1, events // 20)
    for _ in range(0, events, in_a_batch):
        user = chance.below(users)
        yield {
            "type": "batch",
            "user_identities": {"email": email(user)},
            "user_attributes": {"tier": ("basic", "silver", "gold")[user % 3]},
            "events": [_event(chance, until_ms) for _ in range(in_a_batch)],
        }


def _event(chance: _Chance, until_ms: int) -> dict[str, object]:
    """An event as an SDK sends it: a purchase, another action of a shop, or a screen."""
    times = {
        "timestamp_unixtime_ms": until_ms - chance.below(365 * 86_400_000),
        "session_uuid": f"{chance.below(2**32):08x}-0000-4000-8000-000000000000",
        "event_num": chance.below(1000),
    }
    custom = {"campaign": f"c-{chance.below(20)}", "category": f"k-{chance.below(50)}"}
    kind = chance.below(10)
    if kind >= 7:
        data = {"screen_name": f"screen-{kind}", "custom_attributes": custom, **times}
        return {"event_type": "screen_view", "data": data}
    action = "purchase" if kind < 4 else "view_detail"
    amount = chance.below(20_000) / 100
    data = {
        "product_action": {"action": action, "total_amount": amount, "transaction_id": f"t-{kind}"},
        "currency_code": ("EUR", "USD", "eur")[chance.below(3)],
        "custom_attributes": custom,
        **times,
    }
    return {"event_type": "commerce_event", "data": data}


def event(number: int) -> dict[str, object]:
    """An event such as a game sends."""
    data = {
        "event_name": f"event {number % 7}",
        "custom_event_type": "other",
        "timestamp_unixtime_ms": 1_790_000_000_000 + number,
        "custom_attributes": {"level": str(number % 50), "world": "desert"},
    }
    return {"event_type": "custom_event", "data": data}


def with_events(
    size: int, seed: int = SEED, *, with_ids: bool = False
) -> Iterator[dict[str, object]]:
    """The same requests, in which each identify and login is an event batch with one event."""
    for number, request in enumerate(requests(size, seed)):
        identities = request["known_identities"]
        if request["type"] not in ("identify", "login") or not isinstance(identities, dict):
            yield request
            continue
        device = {kind: value for kind, value in identities.items() if kind == "ios_idfv"}
        user = {kind: value for kind, value in identities.items() if kind not in device}
        batch: dict[str, object] = {"type": "batch", "device_info": device}
        if user:
            batch["user_identities"] = user
        if "label" in request:
            batch["label"] = request["label"]
        batch["events"] = [event(number)]
        if with_ids:
            batch["source_request_id"] = f"5b4e1a52-0a8f-4f0c-8f67-{number:012x}"
        yield batch


def write_requests(path: Path, lines: Iterable[dict[str, object]]) -> None:
    """Make a file of requests."""
    with path.open("w", encoding="utf-8") as file:
        for request in lines:
            file.write(json.dumps(request) + "\n")
