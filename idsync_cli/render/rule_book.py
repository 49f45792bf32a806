"""The entries of the rule book as text for a terminal.

The package has its own copy of docs/rules.md, in `help/rules.md`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import fill

from idsync_cli.core.config.strategy import PRESETS
from idsync_cli.core.identity import DEVICE_TYPES, TYPES_BY_NAME, IdentityType, names_of
from idsync_cli.render.doctor import FINDING_TEXTS
from idsync_cli.store.file_values import FindingCode

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_PART = re.compile(r"\*\*(\w+)\.\*\* ")
_SHOWN_BY = "Shown by: "
_HEALTH = "Health: what doctor finds in a store"

_VALUES = {
    "keep": ("on_new_known_user", "on_unique_held"),
    "create": ("on_new_known_user", "on_logout"),
    "return_anonymous": ("on_logout",),
    "separate": ("on_conflicting_login",),
    "join": ("on_conflicting_login",),
    "take": ("on_unique_held",),
    "strategy": tuple(PRESETS),
    "identities": ("login", "unique", "immutable"),
    "accounts": ("workspaces",),
    **dict.fromkeys(
        ("calculation", "within", "where", "event", "event_type"), ("calculated_attributes",)
    ),
    **dict.fromkeys(("all", "any", "not", "identity", "first_seen", "audience"), ("audiences",)),
    **dict.fromkeys(("id", "operator", "value", "values"), ("audiences",)),
    **dict.fromkeys(("min_value", "max_value"), ("audiences",)),
    "attribute": ("calculated_attributes", "audiences"),
    **dict.fromkeys(("scope", "key_only", "rate", "modify_takes"), ("workspaces",)),
    **dict.fromkeys(("api_key", "api_secret", "api_secret_env"), ("workspaces",)),
    **dict.fromkeys(("admin_key", "admin_secret", "admin_secret_env"), ("workspaces",)),
    "trim": ("normalize",),
    "lowercase": ("normalize",),
    "digits": ("normalize",),
    "limit": ("max_values",),
    "beyond": ("max_values",),
    "replace_oldest": ("max_values",),
}
"""Words of a configuration that have no entry of their own, and where they are explained."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word, the section of the rule book that it is in, and its paragraphs in Markdown."""

    word: str
    section: str
    paragraphs: tuple[str, ...]


@cache
def entries() -> Mapping[str, Entry]:
    """Every entry of the rule book by its word, in the order of the book."""
    book = files("idsync_cli").joinpath("help", "rules.md").read_text(encoding="utf-8")
    found = {}
    for part in re.split(r"^## ", book, flags=re.MULTILINE)[1:]:
        section = part.partition("\n")[0]
        for text in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
            heading, _, rest = text.partition("\n")
            word = heading.strip("`")
            found[word] = Entry(word, section, tuple(rest.strip().split("\n\n")))
    return found


def words() -> list[str]:
    """Every word that is explained: codes, words of a configuration, names of types."""
    return [*entries(), *_VALUES, *TYPES_BY_NAME, *FindingCode]


def explanation(word: str, width: int) -> str | None:
    """What a word means, in capitals or not and with - for _; None where nothing is known of it."""
    wanted = word.replace("-", "_").casefold()
    book = entries()
    found = [entry for each, entry in book.items() if each.casefold() == wanted]
    found += [book[each] for each in _VALUES.get(wanted, ())]
    texts = [_entry_text(each, width) for each in found]
    if wanted in FINDING_TEXTS:
        texts.append(_health_text(FindingCode(wanted), width))
    if wanted in TYPES_BY_NAME:
        texts.append(_type_text(TYPES_BY_NAME[wanted], width))
    return "\n\n".join(texts) or None


def codes_page(width: int) -> str:
    """The words of each section of the rule book."""
    sections: dict[str, list[str]] = {}
    for entry in entries().values():
        sections.setdefault(entry.section, []).append(entry.word)
    sections[_HEALTH] = [code.value for code in FindingCode]
    lines = ["CODES: every code and word of a configuration"]
    for section, found in sections.items():
        lines += ["", section, _filled(", ".join(found), width, indent="  ")]
    return "\n".join(lines)


def types_page(width: int) -> str:
    """Every identifier type with its other names, in lines of so many columns."""
    lines = ["TYPES: identifier types and their other names"]
    indent = max(map(len, IdentityType)) + 4
    for heading, kinds in (
        ("User identities", [kind for kind in IdentityType if kind not in DEVICE_TYPES]),
        ("Device identities", [kind for kind in IdentityType if kind in DEVICE_TYPES]),
    ):
        lines += ["", heading]
        for kind in kinds:
            name, *others = names_of(kind)
            beside = fill(", ".join(others), width - indent).replace("\n", f"\n{' ' * indent}")
            lines.append(f"  {name:<{indent - 2}}{beside}".rstrip())
    return "\n".join(lines)


def _entry_text(entry: Entry, width: int) -> str:
    heading = f"{entry.word}  ({entry.section})"
    paragraphs = [heading if len(heading) <= width else heading.replace("  ", "\n  ", 1)]
    paragraphs += [_filled(_plain(each), width) for each in entry.paragraphs]
    return "\n\n".join(paragraphs)


def _health_text(code: FindingCode, width: int) -> str:
    what, way_out = FINDING_TEXTS[code]
    told = (f"{code.value}  ({_HEALTH})", f"Means: {_begun(what)}.", f"Do: {_begun(way_out)}.")
    return "\n\n".join(_filled(each, width) for each in told)


def _begun(sentence: str) -> str:
    """A sentence with a capital letter at its beginning."""
    return sentence[:1].upper() + sentence[1:]


def _plain(paragraph: str) -> str:
    """A paragraph without its Markdown; scenarios by their names, joined by semicolons."""
    if paragraph.startswith(_SHOWN_BY):
        names = _LINK.findall(paragraph)
        return f"{'Scenario' if len(names) == 1 else 'Scenarios'}: {'; '.join(names)}"
    text = _PART.sub(r"\1: ", paragraph)
    text = _LINK.sub(r"\1", text)
    return re.sub(r"`([^`]+)`|\*(\w+)\*", lambda found: found[1] or found[2], text)


def _type_text(kind: IdentityType, width: int) -> str:
    whom = "device" if kind in DEVICE_TYPES else "user"
    names = names_of(kind)
    told = [f"{kind.value}  (an identifier type: it identifies a {whom})"]
    if len(names) > 1:
        told.append(_filled(f"Other names: {', '.join(names[1:])}", width))
    return "\n\n".join(told)


def _filled(text: str, width: int, *, indent: str = "") -> str:
    return fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
