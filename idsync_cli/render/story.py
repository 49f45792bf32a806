"""A profile's life as text, and as Markdown for a ticket."""

import re

from idsync_cli.core.codes import AttributeOp, Import
from idsync_cli.core.data.values import Alias, AttributeChange
from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.inspect.story import Chapter, ChapterChange, Gain, Loss, Story
from idsync_cli.messages import RULES
from idsync_cli.render.history import aliased
from idsync_cli.render.identifiers import ERASED, value_of
from idsync_cli.render.profile_data import shown_value, value_text
from idsync_cli.render.store import decider_of, state, state_shown
from idsync_cli.render.theme import Line, Look
from idsync_cli.render.times import moment
from idsync_cli.visible import visible

_NAMED = 10
"""How many profiles are named that an identifier was taken from."""


def story_lines(story: Story, most: int | None = None) -> list[Line]:
    """A life as text: a heading for each request, and below it what it did to the profile.

    Of each request at most so many changes.
    """
    seen = story.seen
    assert seen is not None
    mpid = (str(story.mpid), Look.MPID)
    lines: list[Line] = [
        [
            ("profile ", Look.HEADLINE),
            mpid,
            f" in scope {visible(seen.scope)}: ",
            *state_shown(seen),
        ]
    ]
    if seen.view.source_mpid is not None:
        source = (str(seen.view.source_mpid), Look.MPID)
        lines.append(["source: the anonymous profile ", source])
    for chapter in story.chapters:
        when = f"request {chapter.seq}, {moment(chapter.cause.time_ms)} UTC"
        deed = _deed(story, chapter, None if chapter.answer is None else str(chapter.answer))
        lines += [[], [(when, Look.ASIDE), f": {deed}"], [f"  decided by {_decider(chapter)}"]]
        if own := _own_name(chapter):
            lines.append([f"  {own}"])
        lines += [_change_line(each, story.mpid) for each in chapter.changes[:most]]
        if left := len(chapter.changes[most:] if most is not None else ()):
            lines.append([f"  and {left:,} more changes"])
    return [*lines, *([each] for each in _beginning(story))]


def story_markdown(story: Story) -> list[str]:
    """A life as a numbered list in Markdown; values stand as code, and so mean nothing."""
    seen = story.seen
    assert seen is not None
    lines = [f"### Profile {_code(str(story.mpid))}", ""]
    source = seen.view.source_mpid
    came = "" if source is None else f"; source: the anonymous profile {_code(str(source))}"
    lines += [f"In scope {_code(seen.scope)}: {state(seen)}{came}.", ""]
    for number, chapter in enumerate(story.chapters, start=1):
        answer = None if chapter.answer is None else _code(str(chapter.answer))
        deed = _deed(story, chapter, answer)
        own = _own_name(chapter, code=True)
        when = f"request {chapter.seq}, {moment(chapter.cause.time_ms)} UTC"
        lines.append(f"{number}. **{deed}** ({when}), decided by {_decider(chapter)}")
        lines += [f"    - {own}"] if own else []
        lines += [f"    - {_change_in_words(each, story.mpid)}" for each in chapter.changes]
    return [*lines, *_beginning(story)]


def _deed(story: Story, chapter: Chapter, answer: str | None) -> str:
    """What the request did to the profile: created it, was answered with it, or took from it."""
    kind = chapter.cause.kind
    if chapter.is_making:
        return f"created by {kind}"
    if answer is None:
        return f"{kind} of a profile that was erased"
    return kind if chapter.answer == story.mpid else f"{kind} of profile {answer}"


def _decider(chapter: Chapter) -> str:
    rule = chapter.cause.rule
    if isinstance(rule, Import) or chapter.cause.decided_by_type is not None:
        return decider_of(chapter.cause)
    return f"{rule}: {RULES[rule]}"


def _own_name(chapter: Chapter, *, code: bool = False) -> str:
    """The request's own ID and time, as its sender gave them."""
    cause = chapter.cause
    told = []
    if cause.request_id is not None:
        told.append(f"request ID {_code(cause.request_id) if code else visible(cause.request_id)}")
    if cause.request_timestamp_ms is not None:
        told.append(f"sent {moment(cause.request_timestamp_ms)} UTC")
    return ", ".join(told)


def _change_in_words(change: ChapterChange, mpid: int) -> str:
    if isinstance(change, Alias):
        return f"aliased {aliased(change, mpid)}"
    if isinstance(change, AttributeChange):
        if change.op is AttributeOp.DELETE:
            return f"deleted attribute {_code(change.name)}"
        return f"set attribute {_code(change.name)} to {_code(value_text(change.value))}"
    did = "added" if isinstance(change, Gain) else "removed"
    value = change.identifier.value
    told = ERASED if value == ERASED_VALUE else _code(value)
    return f"{did} {change.identifier.type} {told}{_others(change)}"


def _change_line(change: ChapterChange, mpid: int) -> Line:
    if isinstance(change, Alias):
        return ["  ", ("=", Look.NOTE), f" aliased {aliased(change, mpid)}"]
    if isinstance(change, AttributeChange):
        name = visible(change.name)
        if change.op is AttributeOp.DELETE:
            return ["  ", ("-", Look.REMOVED), f" attribute {name}"]
        return ["  ", ("+", Look.ADDED), f" attribute {name}: {shown_value(change.value)}"]
    sign = ("+", Look.ADDED) if isinstance(change, Gain) else ("-", Look.REMOVED)
    kind = (change.identifier.type.value, Look.TYPE)
    return ["  ", sign, " ", kind, f" {value_of(change.identifier)}{_others(change)}"]


def _others(change: Gain | Loss) -> str:
    """From whom it was taken, or by whose request."""
    if isinstance(change, Loss):
        if change.by_erased:
            return " (taken by a profile that was erased)"
        return "" if change.taken_by is None else f" (taken by profile {change.taken_by})"
    if not change.taken_from:
        return ""
    first = ", ".join(map(str, change.taken_from[:_NAMED]))
    more = len(change.taken_from) - _NAMED
    return f" (taken from profile {first}{f' and {more:,} more' if more > 0 else ''})"


def _beginning(story: Story) -> list[str]:
    """What is to be said where the history does not know what created the profile."""
    if story.chapters and story.chapters[0].is_making:
        return []
    return ["", "the history does not say what created the profile"]


def _code(value: str) -> str:
    """A value as code, between more backticks than stand in a row in it."""
    text = visible(value)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest or text != text.strip() else ""
    return f"{fence}{room}{text}{room}{fence}"
