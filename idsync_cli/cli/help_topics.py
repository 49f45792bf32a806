"""Help for the formats, which belong to no single command."""

from importlib.resources import files
from typing import Annotated

import typer

from idsync_cli.cli.environment import write
from idsync_cli.errors import UsageFault, nearest, quoted

TOPICS = {
    "requests": "what a line of a request file holds",
    "answers": "what an answer holds, and every code in it",
    "scenarios": "stories with what they expect, for idsync check",
    "config": "the identity strategy: scopes, settings, strategies",
    "exit-status": "how idsync ends, and what that means",
}


def _topics(incomplete: str) -> list[str]:
    return [topic for topic in TOPICS if topic.startswith(incomplete)]


def help_(
    context: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC]", help="One of " + ", ".join(TOPICS) + ".", autocompletion=_topics
        ),
    ] = None,
) -> int:
    """Explain a format, such as requests or scenarios.

    Example: idsync help requests | less
    """
    if topic is None:
        width = max(map(len, TOPICS))
        lines = (f"  idsync help {name:<{width}}  {what}" for name, what in TOPICS.items())
        write("\n".join(["Formats:", *lines, "", "Commands: idsync --help, idsync COMMAND --help"]))
        return 0
    if topic not in TOPICS:
        raise UsageFault(f"no help on {quoted(topic)}{_way_out(context, topic)}")
    text = files("idsync_cli").joinpath("help", f"{topic}.txt").read_text(encoding="utf-8")
    write(text.rstrip("\n"))
    return 0


def _way_out(context: typer.Context, topic: str) -> str:
    commands = getattr(context.find_root().command, "commands", {})
    if topic in commands:
        return f"; it is a command: idsync {topic} --help"
    hint = nearest(topic, TOPICS) or ";"
    return f"{hint} the topics are: {', '.join(TOPICS)}"
