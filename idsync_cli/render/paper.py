"""What tables and text are drawn on: Rich's console, which takes nothing for markup."""

from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from idsync_cli.render.breaking import broken
from idsync_cli.render.theme import rich_theme, text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_TALLER_THAN_ANY = 100  # a height that is given keeps Rich from asking the terminal


def console(pieces: "Sequence[RenderableType | str]", width: int, **settings: Any) -> "Console":
    """A console on which the pieces were drawn; `settings` are those of Rich's.

    A table that cannot be narrower is drawn as wide as it is, and text beside it is not: nothing is
    ever cut.
    """
    from rich.console import Console
    from rich.text import Text

    made = Console(
        file=StringIO(),
        width=max([width, *(getattr(piece, "width", None) or 0 for piece in pieces)]),
        height=_TALLER_THAN_ANY,
        theme=rich_theme(),
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
        **settings,
    )
    for piece in pieces:
        shown = text(piece) if isinstance(piece, str) else piece
        made.print(broken(shown, width) if isinstance(shown, Text) else shown)
    return made


def lines(
    pieces: "Sequence[RenderableType | str]", width: int, *, has_colour: bool = False
) -> list[str]:
    """Tables and text as lines."""
    system: Any = "standard" if has_colour else None
    drawn_on = console(pieces, width, force_terminal=has_colour, color_system=system)
    assert isinstance(drawn_on.file, StringIO)
    return [line.rstrip() for line in drawn_on.file.getvalue().rstrip("\n").split("\n")]
