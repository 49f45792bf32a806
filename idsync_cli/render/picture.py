"""Tables and text as a picture that shows anywhere: an SVG that asks no network for anything."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from idsync_cli.errors import printable
from idsync_cli.render.paper import console

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
"""The most columns of a picture, whatever the terminal has; it is no wider than what it shows."""

_CHARACTER_WIDTH = 0.6
"""How wide a character is, in parts of its height, in nearly every font of one width."""

_TEMPLATE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
  <style>
    .{unique_id}-matrix {{
      font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
      font-size: {char_height}px;
      line-height: {line_height}px;
    }}
    .{unique_id}-title {{
      font-family: ui-sans-serif, system-ui, Arial, "DejaVu Sans", sans-serif;
      font-size: 18px;
      font-weight: bold;
    }}
    {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
  </g>
</svg>
"""
"""Rich's own, without the font that it has a browser load, which would tell who looks at it."""


def svg(pieces: "Sequence[RenderableType]", title: str) -> str:
    """Draw what `pieces` show, with a title above; whatever they say stands there as text."""
    from rich.cells import cell_len

    drawn_on = console(
        pieces, WIDTH, record=True, force_terminal=True, color_system="truecolor", no_color=False
    )
    drawn_on.print()  # Rich leaves the last line without the frame that it is drawn in
    shown = drawn_on.export_text(clear=False)
    drawn_on.width = max(cell_len(line.rstrip()) for line in shown.split("\n"))
    return drawn_on.export_svg(
        title=printable(title), code_format=_TEMPLATE, font_aspect_ratio=_CHARACTER_WIDTH
    )
