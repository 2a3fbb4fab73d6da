"""What is printed with rich: layout and colours of ours, and texts of others that cannot touch either."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from notion_pg_sync.commands.output.streams import PrintableStream
from notion_pg_sync.core.printable import printable, printable_lines

# Wider than anything: what is one line stays one, for grep and less.
_WIDTH_WITHOUT_TERMINAL = 100_000


class Screen(Console):
    """stdout. A string that is printed is one line, or a part of one, and never markup or emoji.

    Where it is no terminal, and nobody says how wide it is, no line is folded.

    `options` are rich's.
    """

    def __init__(self, **options: Any) -> None:
        # rich's own colours are control sequences too, so they go past the stream that writes those out.
        stdout = sys.stdout.inner if isinstance(sys.stdout, PrintableStream) else sys.stdout
        super().__init__(**{"file": stdout, **options, "markup": False, "emoji": False, "highlight": False})
        if not self.is_terminal and not {"COLUMNS", "width"} & {*os.environ, *options}:
            self.width = _WIDTH_WITHOUT_TERMINAL

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich does, with control characters of strings written out, line ends included."""
        super().print(*(printable(one) if isinstance(one, str) else one for one in objects), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich does, with control characters written out that are in anything else."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)


def text_of(said: str | None, style: str = "") -> Text:
    """What somebody wrote, harmless, in one line, and folded where it is too wide."""
    return Text(printable(said or ""), style, overflow="fold")
