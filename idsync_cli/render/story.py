"""A profile's life as text, and as Markdown for a ticket."""

import re

from idsync_cli.core.codes import Import
from idsync_cli.errors import printable
from idsync_cli.inspect.story import Chapter, Gain, Loss, Story
from idsync_cli.messages import RULES
from idsync_cli.render.store import decider_of, moment, state
from idsync_cli.render.theme import Line, Look


def story_lines(story: Story) -> list[Line]:
    """A life as text: a heading for each request, and below it what it did to the profile."""
    shown = story.profile
    assert shown is not None
    mpid = (str(story.mpid), Look.MPID)
    lines: list[Line] = [
        [("profile ", Look.HEADLINE), mpid, f" in scope {printable(shown.scope)}: {state(shown)}"]
    ]
    if shown.profile.source_mpid is not None:
        source = (str(shown.profile.source_mpid), Look.MPID)
        lines.append(["source: the anonymous profile ", source])
    for chapter in story.chapters:
        when = f"request {chapter.seq}, {moment(chapter.cause.time_ms)} UTC"
        deed = _deed(story, chapter, str(chapter.answer))
        lines += [[], [(when, Look.ASIDE), f": {deed}"], [f"  decided by {_decider(chapter)}"]]
        if own := _own_name(chapter):
            lines.append([f"  {printable(own)}"])
        lines += map(_change_line, chapter.changes)
    return [*lines, *([each] for each in _beginning(story))]


def story_markdown(story: Story) -> list[str]:
    """A life as a numbered list in Markdown; values stand as code, and so mean nothing."""
    shown = story.profile
    assert shown is not None
    lines = [f"### Profile {_code(str(story.mpid))}", ""]
    source = shown.profile.source_mpid
    came = "" if source is None else f"; source: the anonymous profile {_code(str(source))}"
    lines += [f"In scope {_code(shown.scope)}: {state(shown)}{came}.", ""]
    for number, chapter in enumerate(story.chapters, start=1):
        deed = _deed(story, chapter, _code(str(chapter.answer)))
        own = _own_name(chapter, code=True)
        when = f"request {chapter.seq}, {moment(chapter.cause.time_ms)} UTC"
        lines.append(f"{number}. **{deed}** ({when}), decided by {_decider(chapter)}")
        lines += [f"    - {own}"] if own else []
        for each in chapter.changes:
            did = "added" if isinstance(each, Gain) else "removed"
            held = f"{each.identifier.type} {_code(each.identifier.value)}"
            lines.append(f"    - {did} {held}{_others(each)}")
    return [*lines, *_beginning(story)]


def _deed(story: Story, chapter: Chapter, answer: str) -> str:
    """What the request was to the profile: what made it, one of its own, or another profile's."""
    kind = chapter.cause.kind
    if chapter.is_making:
        return f"made by {kind}"
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
        told.append(f"request ID {_code(cause.request_id) if code else cause.request_id}")
    if cause.request_timestamp_ms is not None:
        told.append(f"sent {moment(cause.request_timestamp_ms)} UTC")
    return ", ".join(told)


def _change_line(change: Gain | Loss) -> Line:
    sign = ("+", Look.ADDED) if isinstance(change, Gain) else ("-", Look.REMOVED)
    kind = (change.identifier.type.value, Look.TYPE)
    return ["  ", sign, " ", kind, f" {printable(change.identifier.value)}{_others(change)}"]


def _others(change: Gain | Loss) -> str:
    """From whom it was taken, or by whose request."""
    if isinstance(change, Loss):
        return "" if change.taken_by is None else f" (taken by profile {change.taken_by})"
    if not change.taken_from:
        return ""
    return f" (taken from profile {', '.join(map(str, change.taken_from))})"


def _beginning(story: Story) -> list[str]:
    """What is to be said where the history does not know what made the profile."""
    if any(chapter.is_making for chapter in story.chapters):
        return []
    return ["", "the history does not say what made the profile"]


def _code(value: str) -> str:
    """A value as code, between more backticks than stand in a row in it."""
    text = printable(value)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest or text != text.strip() else ""
    return f"{fence}{room}{text}{room}{fence}"
