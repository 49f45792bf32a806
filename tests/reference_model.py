"""Sections 1 to 8 and 11 of docs/specification.md, brute force: the judge of the real program.

What section 9 adds is in `reference_batches` and `reference_erasures`, and part of section 11 in
`reference_rails`. Written from the specification alone and in its order, to be read beside it.
Never imported by the package, and importing nothing of it. It copies the whole store for each
request, and scans it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from math import isfinite
from typing import Any

from tests import reference_aliases as aliases
from tests import reference_batches as batches
from tests.reference_batches import RefusedError, need
from tests.reference_erasures import Erasures
from tests.reference_rails import Rails

Json = dict[str, Any]
Pair = tuple[str, str]  # an identifier: type and value
Edit = tuple[str, str | None, str | None]  # a change: type, old value, new value
REASONS = (  # step 2 of section 4
    "immutable_search immutable_protection login_protection conflicting_login new_known_user_only"
)

# ---- Section 2: the types in their order, each with the names it is also read as

_NAMES = """
customer_id=customerid=controller_customer_id
email facebook twitter google microsoft yahoo
facebook_custom_audience_id=facebookcustomaudienceid
other other_id_2=other2 other_id_3=other3 other_id_4=other4 other_id_5=other5 other_id_6=other6
other_id_7=other7 other_id_8=other8 other_id_9=other9 other_id_10=other10
mobile_number phone_number_2 phone_number_3
ios_idfa=idfa=ios_advertising_id ios_idfv=idfv=ios_vendor_id
android_aaid=gaid=google_advertising_id=android_advertising_id android_uuid=android_id
fire_aid=fire_advertising_id
roku_aid=roku_id=roku_advertising_id roku_publisher_id=roku_publishing_id
microsoft_aid=microsoft_advertising_id microsoft_publisher_id
amp_id push_token
device_application_stamp=das
alias
"""
TYPES = [names.split("=")[0] for names in _NAMES.split()]
CANONICAL = {n: names.split("=")[0] for names in _NAMES.split() for n in names.split("=")}
DEVICE_TYPES = TYPES[TYPES.index("ios_idfa") : TYPES.index("device_application_stamp") + 1]

# ---- Sections 3 and 6: the rules of a scope

_COLUMNS = ("on_new_known_user", "on_logout", "logins", "login_needs_login_id", "links", "aliasing")
_PRESETS = {
    "default": ("keep", "create", True, False, False, True),
    "profile_conversion": ("keep", "create", True, False, False, True),
    "profile_link": ("create", "create", True, False, True, True),
    "profile_isolation": ("create", "return_anonymous", True, True, False, False),
    "best_match": ("keep", None, False, False, False, False),
}
_BOTH = {"login": True, "unique": True}
_PRESET_SETTINGS = {
    "default": {"customer_id": _BOTH | {"immutable": True}},
    "profile_link": {"customer_id": _BOTH, "email": _BOTH},
    "profile_isolation": {"customer_id": _BOTH, "email": _BOTH},
}
_DEFAULT_PRIORITY = """
customer_id email ios_idfa ios_idfv android_aaid android_uuid amp_id device_application_stamp
"""


class Rules:
    """One scope's mapping, as in the YAML, with the presets of section 6 applied."""

    def __init__(self, scope: Json) -> None:
        strategy, settings = scope["strategy"], {}
        if isinstance(strategy, str):
            settings = dict(_PRESET_SETTINGS.get(strategy, {}))
            strategy = dict(zip(_COLUMNS, _PRESETS[strategy], strict=True))
        # "Unless configured" goes type by type: what is configured replaces, it does not add.
        settings |= {CANONICAL[n]: s or {} for n, s in (scope.get("identities") or {}).items()}
        self.logins: bool = strategy["logins"]
        self.creates = strategy["on_new_known_user"] == "create"
        self.logout_creates = strategy.get("on_logout") == "create"
        self.login_needs_login_id: bool = strategy.get("login_needs_login_id", False)
        self.links: bool = strategy["links"]
        self.aliasing: bool = strategy["aliasing"]
        self.joins = scope.get("on_conflicting_login") == "join"
        self.keeps = scope.get("on_unique_held") == "keep"
        self.priority = [CANONICAL[n] for n in scope.get("priority") or _DEFAULT_PRIORITY.split()]
        self.order = self.priority + [type_ for type_ in TYPES if type_ not in self.priority]

        def carrying(setting: str) -> list[str]:
            return [type_ for type_ in self.priority if settings.get(type_, {}).get(setting)]

        self.rails = Rails(scope.get("extensions") or {}, CANONICAL)
        self.unique = carrying("unique")
        self.login = carrying("login") if self.logins else []
        self.immutable = carrying("immutable") if self.logins else []


# ---- Section 1


@dataclass(eq=False)
class Profile:
    """A user profile; `held` has its identifiers in the order in which they were added."""

    mpid: int
    scope: str
    seq: int
    source: int | None = None
    was_known: bool = False
    held: list[Pair] = field(default_factory=list)

    def copy(self) -> Profile:
        """One that is changed alone."""
        return Profile(
            self.mpid, self.scope, self.seq, self.source, self.was_known, self.held.copy()
        )

    def values(self, type_: str) -> list[str]:
        return [value for held_type, value in self.held if held_type == type_]

    def of(self, types: list[str]) -> set[Pair]:
        return {pair for pair in self.held if pair[0] in types} if types else set()

    def known(self, rules: Rules) -> bool:
        return self.was_known or bool(self.of(rules.login))

    def identities(self, rules: Rules) -> dict[str, list[str]]:
        held = {type_ for type_, _ in self.held}
        return {type_: self.values(type_) for type_ in rules.order if type_ in held}


def text_of(mpid: int | None) -> str | None:
    return None if mpid is None else str(mpid)


def is_mpid(value: object) -> bool:
    """Section 1; a label (section 8) stands for one, and is looked up later."""
    if isinstance(value, str):
        if value.startswith("@"):
            return True
        value = int(value) if re.fullmatch("-?[1-9][0-9]{0,18}", value) else 0
    return type(value) is int and -(2**63) <= value < 2**63 and value != 0


def is_zero(value: object) -> bool:
    """What SDKs send for the MPID of nobody, besides texts."""
    return type(value) is int and value == 0


def without_account(body: Json) -> Json:
    """Section 8: what only an answer with `--explain` has is left out."""
    body = {name: each for name, each in body.items() if name != "tiers"}
    if "errors" in body:
        body.pop("notes", None)
    if "notes" in body:
        body["notes"] = [
            {n: each for n, each in note.items() if n not in ("mpid", "reason")}
            if note.get("reason")
            else note
            for note in body["notes"]
        ]
    return body


class Work:
    """One request in one scope: judged on the store as it was `before`, done in `after`."""

    def __init__(
        self, head: Json, rules: Rules, before: dict[int, Profile], after: dict[int, Profile]
    ) -> None:
        self.kind, self.rules = head["type"], rules
        self.before = {m: p for m, p in before.items() if p.scope == head["scope"]}
        self.after = {m: p for m, p in after.items() if p.scope == head["scope"]}
        self.changes: list[Json] = []
        self.notes: list[Json] = []

    # ---- Section 11

    def meant(self, type_: str, value: str | None) -> str | None:
        """The normal form, or as it was sent where only that is held; None where nothing is."""
        if value is None:
            return None
        normal = self.rules.rails.normal(type_, value)
        if normal != value and not self.is_held(type_, normal) and self.is_held(type_, value):
            return value
        return normal or None

    def is_held(self, type_: str, value: str) -> bool:
        return any((type_, value) in p.held for p in self.before.values())

    def set_aside(self, blocked: list[str]) -> None:
        for type_ in TYPES:
            if type_ in blocked:
                self.note("blocked", type_)

    def screen(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What is left; of a modify None stays, for it removes."""
        blocked = [t for t, v in asked.items() if v is not None and self.rules.rails.blocks(t, v)]
        self.set_aside(blocked)
        left = {t: v for t, v in asked.items() if t not in blocked}
        read = {t: (v, self.meant(t, v)) for t, v in left.items()}
        return {t: meant for t, (v, meant) in read.items() if v is None or meant is not None}

    def screen_edits(self, edits: list[Edit]) -> list[Edit]:
        """A change whose new value is blocked or comes to nothing is set aside whole."""
        rails = self.rules.rails
        blocked = [t for t, _, new in edits if new is not None and rails.blocks(t, new)]
        self.set_aside(blocked)
        return [
            (t, self.meant(t, old), self.meant(t, new))
            for t, old, new in edits
            if new is None or not (rails.blocks(t, new) or self.meant(t, new) is None)
        ]

    # ---- Section 4

    def conflicting_login(self, asked: dict[str, str], profile: Profile) -> str | None:
        """Step 2: the highest ranked login type that both carry, if it disagrees."""
        both = [type_ for type_ in self.rules.login if type_ in asked and profile.values(type_)]
        return both[0] if both and asked[both[0]] not in profile.values(both[0]) else None

    def why_not(self, kind: str, asked: dict[str, str], profile: Profile) -> str | None:
        """Step 2: the first reason that holds; None says eligible."""
        rules, pairs = self.rules, asked.items()
        immutable, login = profile.of(rules.immutable), profile.of(rules.login)
        known = profile.was_known or bool(login)
        if kind == "search" and rules.immutable and immutable.isdisjoint(pairs):
            return "immutable_search"
        if immutable and immutable.isdisjoint(pairs):
            return "immutable_protection"
        if known and login.isdisjoint(pairs):
            return "login_protection"
        if not rules.joins and self.conflicting_login(asked, profile):
            return "conflicting_login"
        new_known_user = rules.creates and any(type_ in rules.login for type_ in asked)
        return "new_known_user_only" if new_known_user and not known else None

    def tiers(self, asked: dict[str, Any]) -> list[Json]:
        """Section 8, `tiers`, before any of them is looked up."""
        tiers = []
        for rank, type_ in enumerate(self.rules.priority, 1):
            flags = [n for n in ("login", "unique", "immutable") if type_ in getattr(self.rules, n)]
            tier: Json = {"rank": rank, "identity_type": type_, "value": asked.get(type_)}
            tier |= {"settings": flags, "held_by": None, "eligible": None, "ineligible": {}}
            tier |= {"left": None}
            tier["outcome"] = "not_consulted" if type_ in asked else "not_in_request"
            tiers.append(tier)
        return tiers

    def resolve(
        self, kind: str, asked: dict[str, str], previous: int | None
    ) -> tuple[Profile | None, Json, list[Json]]:
        """Steps 3 and 4: the profile, if there is one, `decided_by` and `tiers`."""
        candidates: list[Profile] = []
        tiers = self.tiers(asked)
        for tier in (tier for tier in tiers if tier["identity_type"] in asked):
            pair = (tier["identity_type"], tier["value"])
            holders = [p for p in self.before.values() if pair in p.held]
            why = [self.why_not(kind, asked, p) for p in holders]
            eligible = [p for p, reason in zip(holders, why, strict=True) if reason is None]
            left = [p for p in candidates if p in eligible] if candidates else eligible
            narrowed = left and (not candidates or len(left) < len(candidates))
            idle = "no_effect" if candidates else "no_candidates"
            tier["outcome"] = "decided" if len(left) == 1 else "narrowed" if narrowed else idle
            candidates = left or candidates
            tier["ineligible"] = {r: why.count(r) for r in REASONS.split() if r in why}
            tier |= {"held_by": len(holders), "eligible": len(eligible), "left": len(candidates)}
            if tier["outcome"] == "decided":
                rule = {"rule": "identifier", "rank": tier["rank"], "identity_type": pair[0]}
                return candidates[0], rule, tiers
        for candidate in candidates:
            if candidate.mpid == previous:
                return candidate, {"rule": "previous_mpid"}, tiers
        if candidates:
            return max(candidates, key=lambda p: p.seq), {"rule": "newest"}, tiers
        return None, {"rule": "no_match"}, tiers

    def near(self, kind: str, asked: dict[str, str]) -> list[Json]:
        """Section 8, `near`: who holds what was asked for and is not eligible; counts up to 10.

        Of a crowd the newest ten known and the newest ten anonymous profiles stand for all.
        """
        found = []
        for type_ in (type_ for type_ in asked if type_ in self.rules.priority):
            everyone = [p for p in self.before.values() if (type_, asked[type_]) in p.held]
            everyone.sort(key=lambda p: -p.seq)
            judged = [p for p in everyone if p.known(self.rules)][:10]
            judged += [p for p in everyone if not p.known(self.rules)][:10]
            why = [self.why_not(kind, asked, p) for p in judged]
            reasons = {r: min(why.count(r), 10) for r in REASONS.split() if r in why}
            if reasons:
                held_by = min(len(everyone), 10)
                found.append({"identity_type": type_, "held_by": held_by, "ineligible": reasons})
        return found

    def bring_up_to_date(self, profile: Profile, asked: dict[str, str]) -> None:
        """Step 5."""
        old = self.before.get(profile.mpid) or Profile(0, "", 0)
        for type_, value in asked.items():
            if value in old.values(type_):
                continue
            others = [self.before[p.mpid] for p in self.others(profile, (type_, value))]
            hidden = any(self.why_not(self.kind, asked, p) for p in others)
            stays = hidden or self.rules.keeps or type_ in self.rules.immutable
            beyond, replaces = self.rules.rails.beyond(type_, old.values(type_))
            moves = type_ in self.rules.rails.moving
            if type_ in self.rules.immutable and old.values(type_):
                self.note("kept_immutable", type_)
            elif beyond and not replaces:
                self.note("limit_reached", type_)
            elif type_ in self.rules.unique and others and stays and not moves:
                # An immutable type is unique (section 3).
                self.note("held_elsewhere", type_)
                self.notes[-1] |= self.keeper(asked, type_, others)
            else:
                for p in others if moves else []:
                    self.note("moved", type_)
                    self.notes[-1] |= {"mpid": str(p.mpid)}
                if beyond:
                    self.note("replaced_oldest", type_)
                if type_ in self.rules.login and old.values(type_):
                    self.note("second_login_id", type_)
                self.change(profile, type_, beyond, value)

    def keeper(self, asked: dict[str, str], type_: str, others: list[Profile]) -> Json:
        """Section 8: of a note `held_elsewhere`, who keeps the identifier, and why."""
        setting = "on_unique_held" if self.rules.keeps else None
        setting = "immutable" if type_ in self.rules.immutable else setting
        keeping = [(p.mpid, setting or self.why_not(self.kind, asked, p)) for p in others]
        mpid, reason = min((mpid, reason) for mpid, reason in keeping if reason)
        return {"mpid": str(mpid), "reason": reason}

    def source(self, asked: dict[str, str], previous: int | None) -> int | None:
        """The last paragraph."""
        named = self.before.get(previous or 0)
        if named and not named.known(self.rules):
            return named.mpid
        rest = {t: v for t, v in asked.items() if t not in self.rules.login}
        profile, _, _ = self.resolve("identify", rest, previous)
        return profile.mpid if profile else None

    # ---- Section 5

    def modify(self, profile: Profile, type_: str, gone: list[str], new: str | None) -> None:
        """One change of either form."""
        if type_ in self.rules.immutable:
            joins = new is not None and profile.values(type_)
            takes = new is not None and self.others(profile, (type_, new))
            need(not (gone or joins or takes), "IMMUTABLE_IDENTITY")
        if new is not None:
            stay = [value for value in profile.values(type_) if value not in gone]
            beyond, replaces = self.rules.rails.beyond(type_, stay)
            need(replaces or not beyond, "LIMIT_REACHED")
            if beyond:
                self.note("replaced_oldest", type_)
            gone = [value for value in profile.values(type_) if value in [*gone, *beyond]]
        self.change(profile, type_, gone, new)

    # ---- Section 8, `changes`, `notes` and `orphaned`

    def others(self, profile: Profile, pair: Pair) -> list[Profile]:
        found = [p for p in self.after.values() if p is not profile and pair in p.held]
        return sorted(found, key=lambda p: p.mpid)

    def change(self, profile: Profile, type_: str, gone: list[str], new: str | None) -> None:
        """First what leaves this profile, then what leaves others, then the addition."""
        leaving = [(profile, value) for value in gone]
        if new is not None and type_ in self.rules.unique:
            leaving += [(p, new) for p in self.others(profile, (type_, new))]
        for loser, value in leaving:
            loser.held.remove((type_, value))
        if new is not None:
            profile.held.append((type_, new))
        done = [("remove", p, value) for p, value in leaving]
        done += [] if new is None else [("add", profile, new)]
        for op, p, value in done:
            at = {"op": op, "mpid": str(p.mpid)}
            self.changes.append(at | {"identity_type": type_, "value": value})

    def note(self, code: str, type_: str | None) -> None:
        self.notes.append({"code": code, "identity_type": type_, "message": f"{code} {type_}"})

    def finish(self) -> list[str]:
        """Who was or is known stays known (section 1); returns `orphaned`."""
        orphaned = []
        for mpid in sorted({int(change["mpid"]) for change in self.changes}):
            old, now = self.before.get(mpid) or Profile(0, "", 0), self.after[mpid]
            now.was_known = old.known(self.rules) or now.known(self.rules)
            if old.of(self.rules.priority) and not now.of(self.rules.priority):
                orphaned.append(str(mpid))
        return orphaned


# ---- Section 8: requests

_KINDS = ("identify", "login", "logout", "search", "modify", "batch", "alias", "erase")
_MEMBERS: dict[str, type] = {
    **dict.fromkeys(("type", "scope", "workspace", "label"), str),
    **dict.fromkeys(("request_id", "source_request_id", "environment"), str),
    **dict.fromkeys(("known_identities", "client_sdk", "response"), dict),
    **dict.fromkeys(("mpid", "previous_mpid", "context"), object),
    "identity_changes": list,
    "request_timestamp_ms": int,
}


_OF_IDENTITIES = {"known_identities", "identity_changes", "mpid", "previous_mpid"}
_OF_ALIASES = dict.fromkeys(aliases.OWN_MEMBERS, object)


def members_of(request: Json, several_scopes: bool) -> Json:
    """The row of INVALID_REQUEST; returns the members that are not null."""
    is_alias = request.get("type") == "alias"
    kinds: Any = _MEMBERS
    if is_alias:
        kinds = {n: k for n, k in _MEMBERS.items() if n not in _OF_IDENTITIES} | _OF_ALIASES
    need(set(request) <= set(kinds))
    members = {name: value for name, value in request.items() if value is not None}
    need(all(isinstance(value, kinds[name]) for name, value in members.items()))
    need(not isinstance(members.get("request_timestamp_ms"), bool))
    need(members.get("type") in _KINDS)
    if is_alias:
        need(all(is_mpid(members.get(name)) for name in aliases.OWN_MEMBERS[:2]))
        aliases.check_times(members)
    elif members["type"] == "modify":
        need(is_mpid(members.get("mpid")))
        need(("known_identities" in members) != ("identity_changes" in members))
    elif members["type"] == "erase":
        need(("known_identities" in members) != ("mpid" in members))
        need("identity_changes" not in members and "previous_mpid" not in members)
        need("mpid" not in members or is_mpid(members["mpid"]))
    else:
        need("mpid" not in members and "identity_changes" not in members)
        if members.get("previous_mpid") in ("", "0") or is_zero(members.get("previous_mpid")):
            del members["previous_mpid"]
        need("previous_mpid" not in members or is_mpid(members["previous_mpid"]))
    for change in members.get("identity_changes", []):
        need(isinstance(change, dict))
        need(set(change) <= {"identity_type", "old_value", "new_value"})
        need(isinstance(change.get("identity_type"), str))
    check_response(members.get("response"))
    need("scope" in members or "workspace" in members or not several_scopes)
    return members


def check_response(response: Json | None) -> None:
    """Section 12, recorded requests."""
    if response is not None:
        mpid, error = response.get("mpid"), response.get("error")
        need("mpid" in response or error is not None)
        need(mpid is None or (is_mpid(mpid) and not str(mpid).startswith("@")))
        need(error is None or isinstance(error, str))


def is_value(value: object) -> bool:
    """Section 4, first paragraph."""
    sound = isinstance(value, str) and not re.search("[\0\ud800-\udfff]", value)
    return sound and 1 <= len(str(value)) <= 4096


def mpid_of(seed: int, seq: int, attempt: int = 0) -> int:
    """Section 7."""
    text = f"{seed}:{seq}:{attempt}" if attempt else f"{seed}:{seq}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class Model:
    """A store and its configuration."""

    NOT_JSON = float("nan")  # stands for any line of the row INVALID_JSON: JSON has no NaN

    def __init__(
        self, scopes: dict[str, Json], seed: int, workspaces: dict[str, str] | None = None
    ) -> None:
        self.seed, self.counter, self.workspaces = seed, 0, workspaces or {}
        self.profiles: dict[int, Profile] = {}
        self.before: dict[int, Profile] = {}  # each as the last request left it
        self.labels: dict[str, int] = {}
        self.last_rules: dict[str, Rules] = {}
        self.clock = 0
        self.batch_ids: dict[object, str | None] = {}
        self.erasures = Erasures()
        self.batch: Json = {}  # what the one at hand brings
        self.brings = False
        self.brought: dict[int, list[tuple[int, int | None, Json]]] = {}
        self.aliases: list[aliases.Alias] = []
        self.reconfigure(scopes)

    def reconfigure(self, scopes: dict[str, Json]) -> None:
        """Section 3: the rules hold from the next request on."""
        self.rules = {name: Rules(scope) for name, scope in scopes.items()}
        self.last_rules |= self.rules  # profiles of a scope no longer named are still exported

    def new_mpid(self, seq: int) -> int:
        """Section 7."""
        mpids = (mpid_of(self.seed, seq, attempt) for attempt in count())
        taken = {0, *self.profiles, *self.erasures.erased}
        return next(mpid for mpid in mpids if mpid not in taken)

    def give(self, scope: str, identities: dict[str, list[str]], mpid: int | None = None) -> int:
        """A `given` profile of a scenario (section 8)."""
        self.counter += 1
        profile = Profile(mpid or self.new_mpid(self.counter), scope, self.counter)
        pairs = [(CANONICAL[name], v) for name, vs in identities.items() for v in vs]
        profile.held = self.admit(scope, pairs)
        profile.was_known = profile.known(self.rules[scope])
        self.put(profile)
        return profile.mpid

    def put(self, profile: Profile) -> None:
        """Take in a profile that no request makes."""
        self.profiles[profile.mpid] = profile
        self.before[profile.mpid] = profile.copy()

    def admit(self, scope: str, pairs: list[Pair]) -> list[Pair]:
        """Section 11: what is left of a whole profile; values that become one are one."""
        rules, left = self.rules[scope], list[Pair]()
        work = Work({"type": "import", "scope": scope}, rules, self.profiles, self.profiles)
        for place, (type_, value) in enumerate(pairs):
            meant = None if rules.rails.blocks(type_, value) else work.meant(type_, value)
            is_twice = (type_, value) in pairs[:place]
            if meant is not None and (is_twice or (type_, meant) not in left):
                left.append((type_, meant))
        return left

    def export(self) -> list[Json]:
        """The profile lines of section 8."""
        lines = []
        for profile in sorted(self.profiles.values(), key=lambda profile: profile.seq):
            rules = self.last_rules[profile.scope]
            line: Json = {"mpid": str(profile.mpid), "scope": profile.scope}
            line |= {"created_seq": profile.seq, "source_mpid": text_of(profile.source)}
            line |= {"known": profile.known(rules), "orphaned": not profile.of(rules.priority)}
            lines.append(line | {"identities": profile.identities(rules)})
        return lines

    def data(self) -> list[Json]:
        """What each profile has beside its identifiers (section 9)."""
        profiles = sorted(self.profiles.values(), key=lambda profile: profile.seq)
        return [
            {"mpid": str(profile.mpid)} | batches.told(self.brought.get(profile.mpid, []))
            for profile in profiles
        ]

    def events_of(self, mpid: int) -> int:
        """How many events a profile has; only for who makes up requests."""
        return len(batches.told(self.brought.get(mpid, []))["events"])

    def answer(self, request: object, *, line: int | None, explain: bool = False) -> Json:
        """Section 8, answers; section 7, the counter."""
        head: Json = {"seq": self.counter + 1} | ({} if line is None else {"line": line})
        head |= {"type": None, "scope": None}
        self.brings = False
        try:
            body = self._obey(request, head, self.before)
        except RefusedError as refused:
            self.profiles = {mpid: each.copy() for mpid, each in self.before.items()}
            code = str(refused)
            body = {"status": "error", "errors": [{"code": code, "message": f"refused, {code}"}]}
            body |= refused.account
        if line is not None and not explain:
            body.pop("near", None)
        if not explain:
            body = without_account(body)
        brings = self.brings
        if body.get("changes"):
            seq, answer = head["seq"], int(body["mpid"])
            self.erasures.note(seq, head["scope"], answer, body["changes"])
        if body.get("changes") or brings:
            self.keep(request, int(body["mpid"]), head["seq"])
        erased = body["status"] == "erased"
        if line is not None or body.get("changes") or brings or erased:
            self.counter += 1
        changed = {int(change["mpid"]) for change in body.get("changes", [])}
        self.before |= {mpid: self.profiles[mpid].copy() for mpid in changed}
        label = request.get("label") if isinstance(request, dict) else None
        if isinstance(label, str):
            self.labels.pop(label, None)
            named = body.get("mpid") and not erased
            self.labels |= {label: int(body["mpid"])} if named else {}
        return head | body

    def _obey(self, request: object, head: Json, before: dict[int, Profile]) -> Json:
        """The checks of section 8, row by row, down to NO_IDENTITIES."""
        need(not isinstance(request, float) or isfinite(request), "INVALID_JSON")
        if not isinstance(request, dict):
            raise RefusedError("INVALID_REQUEST")
        kind = request.get("type")
        head["type"] = kind if kind in _KINDS else None
        if kind == "batch":
            return self._batch(request, head, before)
        members = members_of(request, len(self.rules) > 1)
        self._find_scope(members, head)
        if kind == "alias":
            return self._alias(members, head)

        named = members.get("mpid" if kind in ("modify", "erase") else "previous_mpid")
        mpid = self._mpid(named)
        identities: Json = members.get("known_identities", {})
        changes: list[Json] = members.get("identity_changes", [])
        names = [*identities, *(change["identity_type"] for change in changes)]
        need(all(name in CANONICAL for name in names), "UNKNOWN_IDENTITY_TYPE")
        by_type = {CANONICAL[name]: value for name, value in identities.items()}
        need(len(by_type) == len(identities))
        edits: list[Edit] = [
            (CANONICAL[c["identity_type"]], c.get("old_value"), c.get("new_value")) for c in changes
        ]
        values = [*identities.values(), *(value for edit in edits for value in edit[1:])]
        absent = (None,) if kind == "modify" else (None, "")
        need(all(value in absent or is_value(value) for value in values), "INVALID_IDENTITY_VALUE")

        rules = self.rules[head["scope"]]
        work = Work(head, rules, before, self.profiles)
        ordered = {type_: by_type[type_] for type_ in rules.order if type_ in by_type}
        if kind == "modify":
            need(names, "NO_IDENTITIES")
            return self._modify(work, work.after.get(mpid or 0), ordered, edits)
        asked = {type_: value for type_, value in ordered.items() if value not in absent}
        asked = work.screen(asked)
        if kind == "erase":
            return self._erase(work, head, asked, mpid, members.get("request_id"))
        need(asked, "NO_IDENTITIES")
        return self._resolve(work, head, asked, mpid)

    def _erase(
        self, work: Work, head: Json, asked: dict[str, str], mpid: int | None, its_id: str | None
    ) -> Json:
        """Section 9."""
        if mpid is not None:
            found = work.after.get(mpid)
            need(found, "MPID_NOT_FOUND")
        else:
            need(asked, "NO_IDENTITIES")
            found, decided_by, tiers = work.resolve("erase", asked, None)
            need(decided_by["rule"] != "newest", "AMBIGUOUS")
            if found is None:
                near = work.near("erase", asked)
                return self._body(work, "not_found", None, decided_by, tiers, near=near)
        assert found is not None
        return self.remove(found, head["seq"], its_id)

    def remove(self, profile: Profile, seq: int, its_id: str | None) -> Json:
        """Let nothing be left of a profile but its erasure; what is said of that."""
        mpid, scope = profile.mpid, profile.scope
        others = [p for p in self.profiles.values() if p.scope == scope and p.mpid != mpid]
        held = {pair for each in others for pair in each.held}
        lost = self.erasures.lost(mpid, scope, profile.held, held)
        sources = {each.mpid: each.source for each in self.profiles.values()}
        report = self.erasures.report(mpid, [*profile.held], lost, sources)
        parted = {"aliased_with": [str(each) for each in self._part_from(mpid)]}
        data = batches.told(self.brought.pop(mpid, []))
        counts = {name: report.pop(name) for name in ("identifiers", "values", "history")}
        counts |= {name: len(data[name]) for name in ("attributes", "devices", "events")}
        kept = {"seq": seq, "scope": scope, "request_id": its_id}
        self.erasures.erase(mpid, scope, lost, kept)
        del self.profiles[mpid], self.before[mpid]
        self.labels = {name: its for name, its in self.labels.items() if its != mpid}
        self.batch_ids = {k: None if v == str(mpid) else v for k, v in self.batch_ids.items()}
        body = {"status": "erased", "mpid": str(mpid), "request_id": its_id, "counts": counts}
        return body | parted | report

    def _part_from(self, mpid: int) -> list[int]:
        """Let no alias be left of a profile, nor a message of one; whom it was aliased with."""
        pairs = [{alias.source, alias.destination} for alias in self.aliases]
        self.aliases = [each for each in self.aliases if mpid not in each[1:3]]
        for entries in self.brought.values():
            for _, _, brought in entries:
                if "aliased" in brought:
                    brought["aliased"] = [each for each in brought["aliased"] if each != str(mpid)]
        return sorted({other for pair in pairs if mpid in pair for other in pair - {mpid}})

    def carry_out_again(self, erasures: Erasures) -> None:
        """A restore: what the store knew as erased is erased in what takes its place."""
        for line in erasures.lines():
            mpid, seq = int(line["mpid"]), max(line["seq"], self.counter + 1)
            if mpid in self.erasures.erased:
                continue
            self.counter = seq
            if mpid in self.profiles:
                self.remove(self.profiles[mpid], seq, line["request_id"])
            else:
                kept = {"seq": seq, "scope": line["scope"], "request_id": line["request_id"]}
                self.erasures.erased[mpid] = kept

    def _find_scope(self, members: Json, head: Json) -> None:
        """Sections 3 and 8: the scope that a request is for."""
        scope = members.get("scope")
        need(scope is None or scope in self.rules, "UNKNOWN_SCOPE")
        if members.get("workspace") is not None:
            need(members["workspace"] in self.workspaces, "UNKNOWN_WORKSPACE")
            need(scope is None or scope == self.workspaces[members["workspace"]])
            scope = self.workspaces[members["workspace"]]
        head["scope"] = scope or next(iter(self.rules))

    def _mpid(self, named: Any) -> int | None:
        """An MPID, or what its label stands for."""
        if isinstance(named, str) and named.startswith("@"):
            need(named[1:] in self.labels, "UNKNOWN_LABEL")
            named = self.labels[named[1:]]
        return None if named is None else int(named)

    def _batch(self, request: Json, head: Json, before: dict[int, Profile]) -> Json:
        """Section 9."""
        batches.check_kinds(request)
        named = request.get("mpid")
        named = None if named in ("", "0") or is_zero(named) else named
        need(named is None or is_mpid(named))
        check_response(request.get("response"))
        where = [request.get("scope"), request.get("workspace")]
        need(where != [None, None] or len(self.rules) == 1)
        self._find_scope(request, head)
        mpid = self._mpid(named)
        given = batches.given_of(request, CANONICAL, DEVICE_TYPES)
        names = list(request.get("device_info") or {})
        names = [n for n in names if mpid is not None or CANONICAL.get(n) not in DEVICE_TYPES]
        known: Json = {}
        for name, value in given:
            kind, text = CANONICAL.get(name, ""), batches.text_of(value)
            if kind in DEVICE_TYPES and not batches.is_passed_over(value) and is_value(text):
                known.setdefault(kind, text)
        data = batches.data_of(request, batches.device_of(known, TYPES), names)
        told = {"events": len(data["events"]), "attributes_set": [*data["set"]]}
        told["attributes_deleted"] = data["deleted"]

        its_id = request.get("source_request_id")
        its_id = its_id and (request.get("workspace"), head["scope"], its_id)
        if its_id and its_id[0] is not None:
            its_id = its_id[0], its_id[2]
        if its_id in self.batch_ids:
            return {"status": "duplicate", "mpid": self.batch_ids[its_id]}
        rules = self.rules[head["scope"]]
        if mpid is not None:
            work = Work(head | {"type": "identify"}, rules, before, self.profiles)
            profile = work.after.get(mpid)
            need(profile, "MPID_NOT_FOUND")
            body = self._body(work, "matched", profile, {"rule": "mpid"}, work.tiers({}), told=told)
        else:
            found, passed_over = batches.identifiers_of(given, CANONICAL, is_value)
            need(found, "NO_IDENTITIES")
            work = Work(head | {"type": "identify"}, rules, before, self.profiles)
            left = work.screen({type_: found[type_] for type_ in TYPES if type_ in found})
            for type_ in {*passed_over}:
                work.note("no_identifier", type_)
            work.notes.sort(key=lambda note: (TYPES.index(note["identity_type"]), note["code"]))
            need(left, "NO_IDENTITIES")
            ordered = {type_: left[type_] for type_ in rules.order if type_ in left}
            if "device" in data:
                known = {type_: left[type_] for type_ in left if type_ in DEVICE_TYPES}
                data["device"] = batches.device_of(known, TYPES), data["device"][1]
            body = self._resolve(work, head | {"type": "identify"}, ordered, None, told)
        self.batch, self.brings = data, bool(its_id) or batches.brings_something(data)
        if its_id:
            self.batch_ids[its_id] = body["mpid"]
        return body

    def _alias(self, members: Json, head: Json) -> Json:
        """Section 9."""
        mpids = [self._mpid(members[name]) for name in aliases.OWN_MEMBERS[:2]]
        rules, refused = self.rules[head["scope"]], "INVALID_ALIAS"
        source, destination = (self.profiles.get(mpid or 0) for mpid in mpids)
        need(rules.aliasing and source and destination and source is not destination, refused)
        assert source is not None
        assert destination is not None
        need(source.scope == destination.scope == head["scope"], refused)
        need(destination.known(rules) or not source.known(rules), refused)
        window = aliases.window_of(members, members.get("request_timestamp_ms") or self.clock)
        aliases.check(self.aliases, source.mpid, destination.mpid, window)

        alias = aliases.Alias(head["seq"], source.mpid, destination.mpid, *window)
        told = batches.told(self.brought.get(source.mpid, []))
        copied = aliases.copies(told, alias)
        self.batch = {"copied": copied, "attribution": told["attribution"]}
        self.batch["first_seen"] = [time for time in [told["first_seen_ms"]] if time is not None]
        self.batch["aliased"] = [str(source.mpid)]
        message = {"aliased": [str(destination.mpid)]}
        self.brought.setdefault(source.mpid, []).append((alias.seq, None, message))
        self.aliases.append(alias)
        self.brings = True
        return {"status": "aliased", "mpid": str(destination.mpid), "events": len(copied)}

    def keep(self, request: object, mpid: int, seq: int) -> None:
        """What a request brought to the profile of its answer, which it changed."""
        assert isinstance(request, dict)
        is_batch = request["type"] == "batch"
        brought = self.batch if is_batch or request["type"] == "alias" else {}
        own = brought["time"] if is_batch else request.get("request_timestamp_ms")
        time = self.clock if own is None else own
        self.brought.setdefault(mpid, []).append((seq, time, brought))
        if is_batch:
            events = batches.events_of(seq, time, brought)
            for alias in (alias for alias in self.aliases if alias.source == mpid):
                copied = [event for event in events if alias.takes(event["time_ms"])]
                late = {"copied": copied}
                self.brought.setdefault(alias.destination, []).append((seq, None, late))

    def _resolve(
        self,
        work: Work,
        head: Json,
        asked: dict[str, str],
        previous: int | None,
        told: Json | None = None,
    ) -> Json:
        """Section 4; `told` is what the answer to a batch says of its data."""
        rules, kind = work.rules, work.kind
        login_ids = [type_ for type_ in asked if type_ in rules.login]
        need(rules.logins or kind not in ("login", "logout"), "UNSUPPORTED_BY_STRATEGY")
        need(login_ids or kind != "login" or not rules.login_needs_login_id, "LOGIN_ID_REQUIRED")
        if kind == "logout":
            asked = {type_: value for type_, value in asked.items() if type_ not in login_ids}
            for type_ in login_ids:
                work.note("set_aside_on_logout", type_)
        lookups = [type_ for type_ in asked if type_ in rules.priority]
        need(lookups or kind == "search", "NO_LOOKUP_IDENTITY")

        if kind == "logout" and rules.logout_creates:
            found, decided_by, tiers = None, {"rule": "logout"}, work.tiers(asked)
        else:
            found, decided_by, tiers = work.resolve(kind, asked, previous)
        if found:
            matched = {t: asked[t] for t in lookups if (t, asked[t]) in found.held}
            conflict = work.conflicting_login(asked, found)
            if decided_by["rule"] == "newest":
                work.note("tie", None)
            if conflict:
                work.note("joined_conflicting_login", conflict)
            profile = work.after[found.mpid]
            if kind != "search":
                work.bring_up_to_date(profile, asked)
            return self._body(work, "matched", profile, decided_by, tiers, matched, told=told)
        if kind == "search":
            near = work.near(kind, asked)
            return self._body(work, "not_found", None, decided_by, tiers, near=near)

        new = Profile(self.new_mpid(head["seq"]), head["scope"], head["seq"])
        self.profiles[new.mpid] = work.after[new.mpid] = new
        if rules.creates and login_ids and kind != "logout":
            decided_by = {"rule": "new_known_user"}
            new.source = work.source(asked, previous) if rules.links else None
        work.bring_up_to_date(new, asked)
        if not new.of(rules.priority):
            raise RefusedError("PROTECTED_IDENTITY", notes=work.notes, tiers=tiers)
        near = [] if decided_by["rule"] == "logout" else work.near(kind, asked)
        return self._body(work, "created", new, decided_by, tiers, near=near, told=told)

    def _modify(self, work: Work, profile: Profile | None, sets: Json, edits: list[Edit]) -> Json:
        """Section 5; of `sets` and `edits` one is empty, for the form that is not used."""
        if profile is None:
            raise RefusedError("MPID_NOT_FOUND")
        sets, edits = work.screen(sets), work.screen_edits(edits)
        for type_, new in sets.items():
            held = profile.values(type_)
            gone = [value for value in held if value != new]
            work.modify(profile, type_, gone, None if new in held else new)
        for type_, old, new in edits:
            held = profile.values(type_)
            need(old is None or old in held, "OLD_VALUE_MISMATCH")
            if old != new:
                gone = [] if old is None else [old]
                work.modify(profile, type_, gone, None if new in held else new)
        tiers = work.tiers(sets | {type_: None for type_, _, _ in edits})
        return self._body(work, "modified", profile, {"rule": "mpid"}, tiers)

    def _body(
        self,
        work: Work,
        status: str,
        profile: Profile | None,
        decided_by: Json,
        tiers: list[Json],
        matched: dict[str, str] | None = None,
        near: list[Json] | None = None,
        told: Json | None = None,
    ) -> Json:
        """Section 8, answers."""
        body: Json = {"status": status, "mpid": text_of(profile.mpid if profile else None)}
        body["is_logged_in"] = bool(profile and profile.of(work.rules.login))
        body["matched_identities"] = matched or {}
        if profile and work.kind == "search":
            body["identities"] = profile.identities(work.rules)
        body |= {"decided_by": decided_by, "changes": work.changes, "orphaned": work.finish()}
        body["source_mpid"] = text_of(profile.source if profile else None)
        body |= {"notes": work.notes} | (told or {}) | {"tiers": tiers}
        return body | ({"near": near} if near else {})
