"""Tables and texts that lose nothing in a narrow terminal, and that no name can steer."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from notion_pg_sync.report.printable import printable

# From this width on, each fact has its column.
WIDE = 120
NOTHING = Text("–", "dim")


def table_of(*headings: str) -> Table:
    """A table without lines; a heading that ends in `>` is of numbers. What is too wide is folded, never cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(
            heading.removesuffix(">"), justify="right" if heading.endswith(">") else "left", overflow="fold"
        )
    return table


def text_of(said: str | None, style: str = "") -> Text:
    """What somebody wrote, harmless, and folded where it is too wide."""
    return Text(printable(said or ""), style, overflow="fold")


def print_indented(console: Console, text: Text, indent: int) -> None:
    """Prints it in lines that fit a terminal, whole where there is none; each after `indent` blanks."""
    lines = text.wrap(console, max(console.width - indent, 20)) if console.is_terminal else [text]
    for line in lines:
        console.print(Text(" " * indent).append_text(line), soft_wrap=True)
