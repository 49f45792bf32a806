"""Random small worlds, for asking the real program and `reference_model` the same questions.

The alphabet is tiny, so that requests collide; one request in twelve is malformed in one of the
ways of section 8, or in two. Everything hangs on the given `random.Random` alone.
A line that is not JSON is `Model.NOT_JSON`, which `json.dumps` writes as NaN: not JSON indeed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests import world_batches
from tests.reference_model import CANONICAL, DEVICE_TYPES, Json, Model, Rules, mpid_of
from tests.world_batches import TIMES

PRESETS = ("default", "profile_conversion", "profile_link", "profile_isolation", "best_match")
POOL = ("customer_id", "email", "other", "mobile_number", "ios_idfv", "android_aaid")
OUTSIDERS = (
    *("push_token", "yahoo", "other_id_10", "facebook_custom_audience_id", "fire_aid", "alias"),
)
LABELS = ("l1", "l2", "l3", "l4", "l 5")
NO_MPIDS = ("", 0, "0")
RESPONSES: tuple[object, ...] = (
    *({"mpid": "5"}, {"mpid": -5}, {"mpid": None}, {"error": "LOOKUP_ERROR"}),
    {"mpid": None, "error": "", "is_logged_in": False},
)
ODD_VALUES = ("A", " a", "a ", "é", "e\u0301", "null", "0001", "@l1", "😀", "x" * 4096)


@dataclass
class World:
    """`later_scopes`, if any, hold from `requests[change_at]` on."""

    scopes: dict[str, Json]
    workspaces: dict[str, str]
    requests: list[object]
    seed: int
    later_scopes: dict[str, Json] | None = None
    change_at: int | None = None


def config_yaml(scopes: dict[str, Json], workspaces: dict[str, str] | None = None) -> str:
    """The configuration file of section 3; JSON is YAML with all text quoted."""
    document: Json = {"version": 1, "organization": "example-org", "scopes": scopes}
    if workspaces:
        document["accounts"] = {"north-america": {"workspaces": workspaces}}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# ---- Configurations: valid ones only (section 3)


def also_read_as(rng: random.Random, type_: str, probability: float = 0.2) -> str:
    """Mostly the canonical name."""
    names = [name for name, canonical in CANONICAL.items() if canonical == type_]
    return rng.choice(names) if rng.random() < probability else type_


def random_strategy(rng: random.Random) -> str | Json:
    if rng.random() < 0.7:
        return rng.choice(PRESETS)
    strategy: Json = {"on_new_known_user": rng.choice(["keep", "create"])}
    strategy["logins"] = rng.random() < 0.85
    if strategy["logins"]:
        strategy["on_logout"] = rng.choice(["create", "return_anonymous"])
        strategy["login_needs_login_id"] = rng.random() < 0.3
    strategy["links"] = strategy["on_new_known_user"] == "create" and rng.random() < 0.6
    strategy["aliasing"] = rng.random() < 0.5
    return strategy


def random_scope(rng: random.Random, priority: list[str] | None = None) -> Json:
    """`priority` in canonical names, where it shall stay as it was."""
    strategy = random_strategy(rng)
    priority = list(priority or rng.sample(POOL, rng.randint(2, 5)))
    if strategy == "default":
        if rng.random() < 0.25:
            return {"strategy": strategy}
        priority = ["customer_id", *(each for each in priority if each != "customer_id")][:5]
    scope: Json = {
        "strategy": strategy,
        "priority": [also_read_as(rng, type_, 0.03) for type_ in priority],
    }
    logins = strategy != "best_match" and (isinstance(strategy, str) or strategy["logins"])
    if logins and rng.random() < 0.35:
        scope["on_conflicting_login"] = rng.choice(["join", "join", "separate"])
    if rng.random() < 0.25:
        scope["on_unique_held"] = rng.choice(["keep", "keep", "take"])
    if strategy in ("default", "best_match"):
        return scope
    # Immutable types must not stand below others, so they are the first few.
    immutable = priority[: rng.choice([0, 0, 0, 1, 2])] if logins else []
    identities: Json = {}
    for type_ in priority:
        if type_ in immutable:
            identities[type_] = {"login": True, "unique": True, "immutable": True}
        elif rng.random() < 0.6:
            names = ("login", "unique") if logins else ("unique",)
            flags = {name: rng.random() < 0.6 for name in names}
            identities[type_] = {n: flag for n, flag in flags.items() if flag or rng.random() < 0.2}
    if identities:
        scope["identities"] = {also_read_as(rng, t, 0.03): flags for t, flags in identities.items()}
    return scope


# ---- Requests


@dataclass
class Asker:
    """Makes requests for one world.

    It asks each of them of a model, only to name labels and MPIDs that mean something by then.
    """

    rng: random.Random
    model: Model
    requests: list[object] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def value(self) -> str:
        return self.rng.choice(ODD_VALUES) if self.chance(0.03) else self.rng.choice("aaabbc")

    def types(self, scope: str, most: int) -> list[str]:
        priority = self.model.rules[scope].priority
        inside = [type_ for type_ in POOL if type_ in priority] or priority
        chosen = self.rng.sample(inside, self.rng.randint(1, min(most, len(inside))))
        if self.chance(0.15):
            chosen.append(self.rng.choice(OUTSIDERS))
        if self.chance(0.08):
            chosen += [t for t in POOL if t not in inside][:1]
        return chosen

    def mpid(self, scope: str) -> object:
        """Mostly a profile of the scope, by its number or a label."""
        rng, labels = self.rng, self.model.labels
        mpids = [p.mpid for p in self.model.profiles.values() if p.scope == scope]
        if not mpids or self.chance(0.1):
            mpids = [1, -1, 2**63 - 1, -(2**63), *self.model.profiles]
            mpids.append(mpid_of(self.model.seed, self.model.counter + 1))
        mpid = rng.choice(mpids)
        names = [label for label, named in labels.items() if named == mpid]
        if self.chance(0.05):
            names = list(LABELS)
        if names and self.chance(0.7):
            return "@" + rng.choice(names)
        return mpid if self.chance(0.3) else str(mpid)

    def request(self) -> Json:
        rng, model = self.rng, self.model
        scope = rng.choice(sorted(model.rules))
        kinds = ["identify", "login", "logout", "search", "modify", "batch", "alias", "erase"]
        kind = rng.choices(kinds, [4, 4, 2, 2, 3, 4, 2, 1])[0]
        if kind in ("login", "logout") and not model.rules[scope].logins and self.chance(0.7):
            kind = "identify"
        if kind == "alias" and not model.rules[scope].aliasing and self.chance(0.7):
            kind = "batch"
        request: Json = {"type": kind}
        mine = [name for name, its_scope in model.workspaces.items() if its_scope == scope]
        if mine and self.chance(0.4):
            request["workspace"] = rng.choice(mine)
        if "workspace" not in request or self.chance(0.2):
            request["scope"] = scope
        if len(model.rules) == 1 and self.chance(0.6):
            request.pop("scope", None)
        if kind == "batch":
            return self.batch(scope, request)
        if kind == "alias":
            return self.alias(scope, request)
        if kind == "erase":
            return self.erase(scope, request)
        if kind == "modify":
            request["mpid"] = self.mpid(scope)
        if kind == "modify" and self.chance(0.5):
            request["identity_changes"] = [self.change(scope) for _ in range(rng.randint(1, 3))]
        else:
            request["known_identities"] = self.identities(scope, kind)
        if kind != "modify" and self.chance(0.4):
            request["previous_mpid"] = self.mpid(scope)
        elif kind != "modify" and self.chance(0.1):
            request["previous_mpid"] = rng.choice(NO_MPIDS)
        if self.chance(0.5):
            request["label"] = rng.choice(LABELS)
        if self.chance(0.15):
            request |= self.extras(kind)
        if self.chance(0.1):
            request = {"scope": None, "workspace": None, "label": None, "context": None} | request
        return request

    def batch(self, scope: str, request: Json) -> Json:
        """An event batch; now and then it names its profile."""
        by_type = self.identities(scope, "identify")
        request |= world_batches.identities(self.rng, by_type, DEVICE_TYPES, CANONICAL)
        request |= world_batches.data(self.rng)
        if self.chance(0.25):
            request["mpid"] = self.rng.choice([self.mpid(scope), self.mpid(scope), 0, "", None])
        if self.chance(0.5):
            request["label"] = self.rng.choice(LABELS)
        return request

    def alias(self, scope: str, request: Json) -> Json:
        """An alias; mostly of two profiles of the scope, of which the first has done something."""
        request |= {name: self.mpid(scope) for name in ("source_mpid", "destination_mpid")}
        request |= world_batches.window(self.rng)
        model, rules = self.model, self.model.rules[scope]
        pair = [p for p in model.profiles.values() if p.scope == scope]
        self.rng.shuffle(pair)
        pair.sort(key=lambda p: (p.known(rules), -model.events_of(p.mpid)))
        if len(pair) > 1 and self.chance(0.7):
            its_mpids = {"source_mpid": pair[0].mpid, "destination_mpid": pair[-1].mpid}
            request |= {name: str(mpid) for name, mpid in its_mpids.items()}
        if self.chance(0.5):  # so that there is something to copy
            done = [world_batches.event(self.rng) for _ in range(3)]
            where = {name: request[name] for name in ("scope", "workspace") if name in request}
            self.ask(where | {"type": "batch", "mpid": request["source_mpid"], "events": done})
        if self.chance(0.3):
            request["label"] = self.rng.choice(LABELS)
        if self.chance(0.3):
            request |= {"request_id": "r1", "request_timestamp_ms": self.rng.choice([*TIMES, None])}
        if self.chance(0.1):
            request |= {"context": 5, "source_request_id": "s1", "client_sdk": None}
        return request

    def erase(self, scope: str, request: Json) -> Json:
        """An erase, by an MPID or by identities."""
        if self.chance(0.5):
            request["mpid"] = self.mpid(scope)
        else:
            request["known_identities"] = self.identities(scope, "search")
        if self.chance(0.3):
            request["label"] = self.rng.choice(LABELS)
        if self.chance(0.5):
            request["request_id"] = f"r{self.rng.randint(1, 3)}"
        return request

    def identities(self, scope: str, kind: str) -> Json:
        identities: Json = {}
        for type_ in self.types(scope, 4):
            value: str | None = self.value()
            if self.chance(0.2 if kind == "modify" else 0.05):
                value = None
            elif kind != "modify" and self.chance(0.05):
                value = ""
            identities[also_read_as(self.rng, type_)] = value
        return identities

    def change(self, scope: str) -> Json:
        change: Json = {"identity_type": also_read_as(self.rng, self.types(scope, 1)[0])}
        forms = [("old_value", "new_value"), ("old_value",), ("new_value",), ("new_value",)]
        keep = () if self.chance(0.05) else self.rng.choice(forms)
        for name in ("old_value", "new_value"):
            if name in keep:
                change[name] = self.value()
            elif self.chance(0.5):
                change[name] = None
        return change

    def extras(self, kind: str) -> Json:
        """Members that change nothing."""
        extras: Json = {
            "request_id": "r1",
            "request_timestamp_ms": 1_700_000_000_000,
            "source_request_id": "s1",
            "response": self.rng.choice(RESPONSES),
            "environment": "development",
            "client_sdk": {"platform": "ios", "sdk_version": "1"},
            "context": self.rng.choice(["c", 5, ["c"], {"c": None}]),
        }
        if kind == "modify":  # which passes `previous_mpid` over unread
            extras["previous_mpid"] = self.rng.choice(["@nobody", "01", True, {"x": 1}, "7"])
        else:
            extras |= {"mpid": None, "identity_changes": None}
        return {name: extras[name] for name in self.rng.sample(sorted(extras), 2)}

    def ask(self, request: object) -> None:
        self.requests.append(request)
        answer = self.model.answer(request, line=len(self.requests), explain=True)
        self.answers.append(answer)

    def ask_something(self) -> None:
        request: object = self.request()
        if self.chance(1 / 12):
            for _ in range(2 if self.chance(0.3) else 1):
                if isinstance(request, dict):
                    request = self.rng.choice(FAULTS)(self.rng, dict(request))
        self.ask(request)


# ---- Malformed requests, row by row of the table in section 8

Fault = Callable[[random.Random, Json], object]
BAD_MPIDS: tuple[object, ...] = (
    *("0", 0, "-0", "+5", "05", "-05", " 5", "5 ", "5\n", "1_000", "٣", "x", "", "-", "9" * 5000),
    *(2**63, str(2**63), -(2**63) - 1, str(-(2**63) - 1), 5.0, "5.0", True, [], {"mpid": 5}),
)
BAD_MEMBERS: Json = {
    "type": [None, "Login", "", 5, ["login"], {}, True],
    "scope": [5, ["consumers"], {}, True],
    "workspace": [5, [], {}, False],
    "label": [5, [], {}, True],
    "known_identities": [[], "email", 5, True, [["email", "a"]]],
    "identity_changes": [{}, "email", 5, True],
    "request_id": [5, [], {}, True],
    "request_timestamp_ms": ["1", True, 1.5, [], {}],
    "source_request_id": [5, [], {}, True],
    "response": [
        *("5", 5, [], True, {}, {"mpid": "x"}, {"mpid": 0}, {"mpid": "@l1"}, {"mpid": True}),
        *({"error": None}, {"error": 5}, {"mpid": "5", "error": []}, {"status": "matched"}),
    ],
    "environment": [5, [], {}, True],
    "client_sdk": ["x", 5, [], True],
}
BAD_CHANGES: tuple[object, ...] = (
    *({}, [], "email", None, 5),
    {"identity_type": None, "new_value": "a"},
    {"identity_type": 5, "new_value": "a"},
    {"old_value": "a", "new_value": "b"},
    {"identity_type": "email", "new_value": "a", "value": "a"},
    {"identity_type": "email", "new_value": "a", "extra": None},
)
BAD_TYPES = ("emial", "Email", "", "email ", "ip_address", "other1", "other_id_1", "mpid")
BAD_VALUES: tuple[object, ...] = (
    *(5, 1.5, True, False, [], {}, ["a"], "x" * 4097, "a\0b", "\0", "\ud800", "a\udc00b"),
)


def not_json(rng: random.Random, request: Json) -> object:
    return Model.NOT_JSON


def not_an_object(rng: random.Random, request: Json) -> object:
    return rng.choice([[], [request], "login", 5, 1.5, True, False, None, ""])


def unknown_member(rng: random.Random, request: Json) -> object:
    return request | {rng.choice(["typ", "Scope", "", "mpids", "email"]): rng.choice([None, "a"])}


def member_of_another_kind(rng: random.Random, request: Json) -> object:
    extra: Json = {"mpid": "5"} if rng.random() < 0.5 else {"identity_changes": []}
    return request | extra | {"type": rng.choice(["identify", "login", "logout", "search"])}


def wrong_member(rng: random.Random, request: Json) -> object:
    name = rng.choice(sorted(BAD_MEMBERS))
    return request | {name: rng.choice(BAD_MEMBERS[name])}


def without_a_member(rng: random.Random, request: Json) -> object:
    """The type, the MPID of a modify, both of its forms, the scope where there are several."""
    dropped = rng.choice(
        [("type",), ("mpid",), ("known_identities", "identity_changes"), ("scope", "workspace")]
    )
    return {name: value for name, value in request.items() if name not in dropped}


def bad_mpid(rng: random.Random, request: Json) -> object:
    name = "mpid" if request.get("type") == "modify" else "previous_mpid"
    return request | {name: rng.choice(BAD_MPIDS)}


def both_forms(rng: random.Random, request: Json) -> object:
    changes = [{"identity_type": "email", "new_value": "a"}]
    forms = {"known_identities": rng.choice([{}, {"email": "a"}]), "identity_changes": changes}
    return request | forms | {"type": "modify", "mpid": "5"}


def erase_of_both_or_neither(rng: random.Random, request: Json) -> object:
    both: Json = {"mpid": "5", "known_identities": {"email": "a"}}
    named: Json = rng.choice([both, {}, both | {"mpid": None}])
    wrong: Json = {"previous_mpid": rng.choice(["5", 0, ""])} if rng.random() < 0.5 else {}
    kept = {n: request[n] for n in ("scope", "workspace", "label") if n in request}
    return kept | named | wrong | {"type": "erase"}


def bad_change(rng: random.Random, request: Json) -> object:
    request.pop("known_identities", None)
    changes = [{"identity_type": "email", "new_value": "a"}, rng.choice(BAD_CHANGES)]
    rng.shuffle(changes)
    modify = {"type": "modify", "mpid": request.get("mpid", "5"), "identity_changes": changes}
    return {n: v for n, v in request.items() if n != "previous_mpid"} | modify


def unknown_scope(rng: random.Random, request: Json) -> object:
    return request | {"scope": rng.choice(["Scope-0", "nowhere", "", "scope"])}


def unknown_workspace(rng: random.Random, request: Json) -> object:
    return request | {"workspace": rng.choice(["nowhere", "", "scope-0"])}


def disagreeing(rng: random.Random, request: Json) -> object:
    pairs = [("scope-0", "shop-1"), ("scope-1", "shop-0")]  # one of them may be unknown
    scope, workspace = rng.choice(pairs)
    return request | {"scope": scope, "workspace": workspace}


def unknown_label(rng: random.Random, request: Json) -> object:
    name = "mpid" if request.get("type") == "modify" else "previous_mpid"
    return request | {name: rng.choice(["@", "@nobody", "@@l1", "@L1", "@l5"])}


def with_identity(request: Json, name: str, value: object) -> object:
    """Adds it in whichever form the request has."""
    changes = request.get("identity_changes")
    if isinstance(changes, list):
        return request | {
            "identity_changes": [*changes, {"identity_type": name, "new_value": value}]
        }
    identities = request.get("known_identities")
    given = identities if isinstance(identities, dict) else {}
    return request | {"known_identities": given | {name: value}}


def unknown_type(rng: random.Random, request: Json) -> object:
    return with_identity(request, rng.choice(BAD_TYPES), rng.choice(["a", "a", None]))


def two_names(rng: random.Random, request: Json) -> object:
    names = rng.choice(
        [["customer_id", "customerid"], ["ios_idfv", "idfv"], ["gaid", "android_aaid"]]
    )
    twice = with_identity(request, names[0], rng.choice(["a", None]))
    return with_identity(twice, names[1], rng.choice(["a", None])) if isinstance(twice, dict) else 0


def bad_value(rng: random.Random, request: Json) -> object:
    values = (*BAD_VALUES, "", "") if request.get("type") == "modify" else BAD_VALUES
    return with_identity(request, rng.choice(POOL), rng.choice(values))


def no_identities(rng: random.Random, request: Json) -> object:
    if request.get("type") == "modify":
        request.pop("known_identities", None)
        request.pop("identity_changes", None)
        return request | rng.choice([{"known_identities": {}}, {"identity_changes": []}])
    empty: list[Json | None] = [None, {}, {"email": None}, {"email": "", "idfv": None}]
    return request | {"known_identities": rng.choice(empty)}


FAULTS: tuple[Fault, ...] = (
    *(not_json, not_an_object, unknown_member, member_of_another_kind, wrong_member),
    *(without_a_member, bad_mpid, both_forms, bad_change, unknown_scope, unknown_workspace),
    *(disagreeing, unknown_label, unknown_type, two_names, bad_value, no_identities),
    *world_batches.BATCH_FAULTS,
    erase_of_both_or_neither,
)


# ---- Worlds


def random_world(
    rng: random.Random, crowd: bool = False, sizes: tuple[int, int] = (105, 140)
) -> World:
    """A world alone; see `answered_world`."""
    return answered_world(rng, crowd, sizes)[0]


def answered_world(
    rng: random.Random, crowd: bool = False, sizes: tuple[int, int] = (105, 140)
) -> tuple[World, list[Json], list[Json]]:
    """A world, with the answers to its lines and what is in the model, which helps to make it.

    With `crowd`, more than a hundred profiles come to hold one identifier before the rest.

    `sizes` says how many at least and at most.
    """
    names = ["scope-0", "scope-1"][: rng.choice([1, 1, 2])]
    scopes = {name: random_scope(rng) for name in names}
    while crowd and not crowd_type(Rules(scopes["scope-0"])):
        scopes["scope-0"] = random_scope(rng)
    workspaces = {}
    if rng.random() < 0.6:
        workspaces = {f"shop-{index}": name for index, name in enumerate(names)}
        workspaces["shop-2"] = rng.choice(names)
    seed = rng.choice([0, 1, 42, -7, 2**130 + 5, rng.getrandbits(128)])
    asker = Asker(rng, Model(scopes, seed, workspaces))
    if crowd:
        gather_crowd(asker, sizes)
    start, length = len(asker.requests), rng.randint(5, 40)
    world = World(scopes, workspaces, asker.requests, seed)
    change_at = None
    if rng.random() < 0.3:
        change_at = start + rng.randrange(length)
        world.later_scopes = {}
        for name in names:
            priority = asker.model.rules[name].priority[:5]
            rng.shuffle(priority)
            world.later_scopes[name] = random_scope(rng, rng.choice([None, priority]))
    for index in range(start, start + length):
        if world.later_scopes and index == change_at:
            world.change_at = len(asker.requests)
            asker.model.reconfigure(world.later_scopes)
        asker.ask_something()
    model = asker.model
    return world, asker.answers, model.export() + model.data() + model.erasures.lines()


def crowd_type(rules: Rules) -> str | None:
    """The type that many can hold: not unique, and not the only one. The lowest of them."""
    types = [type_ for type_ in POOL if type_ in rules.priority and type_ not in rules.unique]
    types.sort(key=rules.priority.index)
    return types[-1] if types and len(rules.priority) > 1 else None


def gather_crowd(asker: Asker, sizes: tuple[int, int]) -> None:
    """Each profile is made by an identifier of its own, then given "a" by `modify`; some differ."""
    rng, rules = asker.rng, asker.model.rules["scope-0"]
    shared = crowd_type(rules)
    own = [type_ for type_ in rules.priority if type_ != shared]
    for number in range(rng.randint(*sizes)):
        request: Json = {"scope": "scope-0", "type": rng.choice(["identify", "login", "logout"])}
        if rng.random() < 0.15:
            asker.ask(request | {"known_identities": {rng.choice(own): f"n{number}", shared: "a"}})
        request["label"] = "member"
        identities = {rng.choice(own): f"m{number}"}
        asker.ask(request | {"type": "identify", "known_identities": identities})
        asker.ask(
            request | {"type": "modify", "mpid": "@member", "known_identities": {shared: "a"}}
        )
