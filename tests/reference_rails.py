"""Section 11 of docs/specification.md as part of the brute-force model: guard rails.

Written from the specification alone; importing nothing of the package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_PLACEHOLDERS = """
null nil none undefined nan n/a unknown anonymous guest true false -1 anonymousid distinct_id
user_id
"""
_ONE_DIGIT = "|".join(f"(?:[^a-z0-9]*{digit}){{8,}}[^a-z0-9]*" for digit in range(10))


def is_placeholder(value: str, canonical: Mapping[str, str]) -> bool:
    """Whether it stands for nobody; `canonical` has the names of types, as in the model."""
    bare = value[1:-1] if re.fullmatch(r"'.+'|\".+\"", value, re.DOTALL) else value
    lower = re.sub("[A-Z]", lambda letter: letter[0].lower(), bare)
    one_digit = bare.isascii() and re.fullmatch(_ONE_DIGIT, lower)
    listed = lower in [*_PLACEHOLDERS.split(), "[object object]", *canonical]
    return listed or bool(re.fullmatch("[0-]+", bare) or one_digit)


def normal_form(value: str, normalizers: list[str]) -> str:
    for each in normalizers:
        if each == "trim":
            value = value.strip()
        if each == "lowercase":
            value = re.sub("[A-Z]", lambda letter: letter[0].lower(), value)
        if each == "digits" and re.fullmatch(r"\+?[-0-9 ./()]*", value):
            value = re.sub("[^0-9+]", "", value)
    return value


class Rails:
    """The `extensions` of a scope, types by their canonical names."""

    def __init__(self, extensions: Json, canonical: Mapping[str, str]) -> None:
        def of(name: str) -> Json:
            return {canonical.get(n, n): each for n, each in (extensions.get(name) or {}).items()}

        self.normalize, self.blocking, self.limits = of("normalize"), of("blocked"), {}
        for type_, each in of("max_values").items():
            limit = each if isinstance(each, dict) else {"limit": each}
            self.limits[type_] = int(limit["limit"]), limit.get("beyond") == "replace_oldest"
        self.canonical, self.exist = canonical, bool(extensions)
        self.moving = [canonical[name] for name in extensions.get("moving") or []]

    def normal(self, type_: str, value: str) -> str:
        return normal_form(value, self.normalize.get(type_, []))

    def blocks(self, type_: str, value: str) -> bool:
        """Compared after `normalize`; a value of which nothing is left is not given."""
        normal = self.normal(type_, value)
        for each in [*self.blocking.get("*", []), *self.blocking.get(type_, [])]:
            pattern = re.escape(each).replace(r"\*", ".*").replace(r"\?", ".")
            listed = is_placeholder(normal, self.canonical) if each == "placeholders" else False
            if normal and (listed or re.fullmatch(pattern, normal, re.DOTALL)):
                return True
        return False

    def beyond(self, type_: str, held: list[str]) -> tuple[list[str], bool]:
        """Which values must go for one more, oldest first; and whether they do."""
        limit, replaces = self.limits.get(type_, (len(held) + 1, False))
        return held[: max(0, len(held) + 1 - limit)], replaces
