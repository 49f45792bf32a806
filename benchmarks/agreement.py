"""Whether a server that was busy answered as the reference model answers.

`idsync serve --record` writes requests down in the order in which they were carried out. Those that
have to do with one another are asked of the model again, in that order; what the store is left with
must be what the model is left with.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.reference_model import CANONICAL, Model

Json = dict[str, Any]
Identifier = tuple[str, Any]

_WORKSPACE: Final = "load"
_SCOPE: Final = "consumers"


def differences(rules: Json, record: Iterable[str], export: Iterable[str]) -> Iterator[str]:
    """What the model would have answered or kept otherwise: requests are identity requests.

    `rules` are those of the scope, `export` the profiles of the store afterwards. Profiles that
    hold nothing of the record are passed over. MPIDs may be others, if they are so throughout.
    """
    groups = _Groups()
    lines = [json.loads(line) for line in record]
    for line in lines:
        groups.bind(_identifiers(line))
    left = [json.loads(line) for line in export]
    profiles: dict[Identifier, list[Json]] = defaultdict(list)
    for each in left:
        held = [(kind, value) for kind, values in each["identities"].items() for value in values]
        if any(groups.knows(one) for one in held):
            groups.bind(held)
            profiles[held[0]].append(each)
    of_groups: dict[Identifier, list[Json]] = defaultdict(list)
    for line in lines:
        of_groups[groups.of(_identifiers(line)[0])].append(line)
    kept: dict[Identifier, list[Json]] = defaultdict(list)
    for one, found in profiles.items():
        kept[groups.of(one)] += found
    for group, asked in of_groups.items():
        yield from _differences(rules, asked, kept[group])


def _differences(rules: Json, asked: list[Json], kept: list[Json]) -> Iterator[str]:
    """The same of requests that have to do with one another."""
    model = Model({_SCOPE: rules}, 0, {_WORKSPACE: _SCOPE})
    stands_for: dict[str, str] = {}  # the server's MPIDs, by the model's
    searches: list[Json] = []
    found: list[set[str | None]] = []  # by each search, at any time
    for line in asked:
        request = {name: each for name, each in line.items() if name != "response"}
        if line["type"] == "search":
            searches.append(line)
            found.append(set())
            continue
        for search, answers in zip(searches, found, strict=True):
            answers.add(_answer(model, search)["mpid"])
        answer = _answer(model, request)
        response = line["response"]
        if "error" in response or answer["status"] == "error":
            code = answer.get("errors", [{}])[0].get("code")
            if response.get("error") != code:
                yield f"{request}: {response}, but the model says {code}"
        elif stands_for.setdefault(answer["mpid"], response["mpid"]) != response["mpid"]:
            yield f"{request}: {response}, but the model finds {stands_for[answer['mpid']]}"
    if len(set(stands_for.values())) < len(stands_for):
        yield f"profiles of the model are one profile here: {stands_for}"
    for search, answers in zip(searches, found, strict=True):
        answers.add(_answer(model, search)["mpid"])
        right = {None if mpid is None else stands_for[mpid] for mpid in answers}
        if search["response"]["mpid"] not in right:
            yield f"{search}: the model finds {right}"
    yield from _left_otherwise(model.export(), kept, stands_for)


def _left_otherwise(
    wanted: list[Json], kept: list[Json], stands_for: dict[str, str]
) -> Iterator[str]:
    members = ("known", "orphaned", "identities")
    theirs = {stands_for[each["mpid"]]: [each[name] for name in members] for each in wanted}
    ours = {each["mpid"]: [each[name] for name in members] for each in kept}
    for mpid in theirs.keys() | ours.keys():
        if theirs.get(mpid) != ours.get(mpid):
            yield f"{mpid} is {ours.get(mpid)}, but the model has {theirs.get(mpid)}"


def _answer(model: Model, request: Json) -> Json:
    return model.answer({**request, "response": None}, line=None)


def _identifiers(line: Json) -> list[Identifier]:
    return [(CANONICAL[name], value) for name, value in line["known_identities"].items()]


class _Groups:
    """Identifiers that requests or profiles name together."""

    def __init__(self) -> None:
        self._above: dict[Identifier, Identifier] = {}

    def knows(self, one: Identifier) -> bool:
        return one in self._above

    def of(self, one: Identifier) -> Identifier:
        """What stands for the group that an identifier is in."""
        above = self._above.setdefault(one, one)
        while above != one:
            self._above[one] = self._above[above]  # half the way for who comes next
            one, above = above, self._above[above]
        return one

    def bind(self, together: list[Identifier]) -> None:
        """Let the groups of some identifiers be one."""
        for each in together:
            self._above[self.of(each)] = self.of(together[0])
