r"""What differs looks different: a foreign value as text for people, in which nothing is hidden.

What cannot be seen is shown as an escape, such as `\x20` for a space at an end, and so is what
looks like something else: characters that would be composed into another one, and letters of one
script among those of another. Two values are never shown alike.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

# Patterns are compiled when they are needed: nearly every value is plain.
_SPACES: Final = r"^ +| +$| {2,}"
_READS_AS_AN_ESCAPE: Final = r"[nrt\\]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}"
"""What would be taken, with a backslash before it, for an escape of ours."""

_LOOK_ALIKES: Final = frozenset(
    "АВЕЅІЈКМНОРСТУХҮԌԚԜасеіјорѕухһԁԛԝӏѵ"  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳϲανικορυχγ"  # Greek
    "ՕՏՍԼօսհոցզ"  # Armenian
    "ɡɑɩǀ‐−"  # Latin letters of linguists, and hyphens
)
_OF_LOOK_ALIKES: Final = frozenset(("CHEROKEE", "LISU", "COPTIC", "DESERET"))
"""Scripts of which most letters look like Latin ones."""

_BESIDE_LATIN: Final = frozenset(("CYRILLIC", "GREEK", "ARMENIAN"))
"""Scripts of which a letter among Latin ones may be overlooked."""

_BLANKS: Final = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""What is printable to Python, and seen by nobody."""

_OURS: Final = "[▶█▉▊▋▌▍▎▏─…]"
"""What tables are drawn with, and stands for what they leave out: there, it is never a value's."""


def visible(text: str, *, spaces: bool = True) -> str:
    """A foreign value, shown so that what differs from it looks different.

    Where quotation marks show where it ends, `spaces` need not be escapes.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        has_hidden = spaces and ("  " in text or text != text.strip(" "))
        if not has_hidden:
            return text
    return _visible(text, spaces)


@lru_cache(maxsize=1024)
def _visible(text: str, spaces: bool) -> str:
    hidden = {index for index, each in enumerate(text) if not each.isprintable()}
    if spaces:
        hidden.update(
            index for found in re.finditer(_SPACES, text) for index in range(*found.span())
        )
    if not text.isascii():
        hidden.update(found.start() for found in re.finditer(f"{_BLANKS}|{_OURS}", text))
        hidden.update(_uncomposed(text))
        hidden.update(_look_alikes(text))
        for index in range(1, len(text)):  # else it would join the escape before it
            if index - 1 in hidden and _joins(text[index]):
                hidden.add(index)
    shown = ""
    for index in reversed(range(len(text))):
        each = text[index]
        if index in hidden:
            shown = _escaped(each) + shown
        elif each == "\\" and re.match(_READS_AS_AN_ESCAPE, shown):
            shown = r"\\" + shown
        else:
            shown = each + shown
    return shown


def _escaped(character: str) -> str:
    if character.isascii() and character.isprintable():
        return f"\\x{ord(character):02x}"  # it means nothing to Python's own codec
    return character.encode("unicode_escape").decode()


def _uncomposed(text: str) -> Iterator[int]:
    """Where characters stand that another one stands for, once composed (Unicode's form C)."""
    from unicodedata import normalize

    begin = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins(text[end]):
            continue
        cluster = text[begin:end]
        if _joins(cluster[0]) or normalize("NFC", cluster[0]) != cluster[0]:
            yield from range(begin, end)  # there is nothing before it that it could be joined to
        elif normalize("NFC", cluster) != cluster:
            yield from range(begin + 1, end)
        begin = end


def _joins(character: str) -> bool:
    """Whether it is drawn with the character before it."""
    from unicodedata import category

    return category(character).startswith("M") or "\u1161" <= character <= "\u11c2"


def _look_alikes(text: str) -> Iterator[int]:
    """Where letters stand that are taken for those of another script."""
    kinds = [_kind(each) for each in text]
    is_foreign = "s" in kinds or "e" in kinds
    begin = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and (kinds[end] == " ") == (kinds[begin] == " "):
            continue
        word = kinds[begin:end]
        latin, alike, beside = word.count("l"), word.count("f"), word.count("s")
        shown_as_escapes = ""
        if "e" in word:
            pass
        elif latin and alike + beside:  # the few are the ones to look at
            shown_as_escapes = "fs" if latin >= alike + beside or not beside else "l"
        elif alike and not beside and not is_foreign:
            shown_as_escapes = "f"
        yield from (begin + index for index, kind in enumerate(word) if kind in shown_as_escapes)
        begin = end


def _kind(character: str) -> str:
    """What a character is in a word.

    `l` is a Latin letter, `f` looks like one, `s` may be overlooked beside one, `e` is a letter
    that is like none of these, and a space is what stands between words.
    """
    from unicodedata import name, normalize

    if character.isascii():
        return "l" if character.isalpha() else " "
    if character in _LOOK_ALIKES:
        return "f"
    if not (character.isalpha() or character.isdecimal()):
        return " "
    if normalize("NFKC", character).isascii():
        return "f"
    script = name(character, "").partition(" ")[0]
    if script == "LATIN":
        return "l"
    if script in _OF_LOOK_ALIKES:
        return "f"
    return "s" if script in _BESIDE_LATIN else "e"
