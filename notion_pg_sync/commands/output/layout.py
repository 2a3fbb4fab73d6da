"""Tables and texts that lose nothing in a narrow terminal, and that no name can steer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from notion_pg_sync.commands.output.sheet import Sheet, Styled
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.printable import printable

NOTHING = Text("–", "dim")
# What people copy is not folded: what is quoted, how the tool is called, what installs something.
_TO_COPY = re.compile(
    r"""(?:notion-pg-sync(?:\ [\w-]+){1,2}\ )?(?<![^\s(:])(?:'[^']*'|"[^"]*")(?!\w)"""
    r"""|(?<=\brun\ )(?:/\S+|uv\ pip)\ [^,;]*\]'""",
)
# Stands for a blank that is not to be folded at; nothing that is printable is like it.
_HELD = "\ue000"
_GAP = 2


class Column(Struct, frozen=True):
    """A column of a table; on a terminal its cells are folded where they are wider than `most`."""

    heading: str
    is_number: bool = False
    most: int = 16


def widths_of(console: Console, columns: Sequence[Column], rows: Iterable[Sequence[Text]]) -> list[int]:
    """How wide the columns have to be for these rows."""
    widths = [len(column.heading) for column in columns]
    for row in rows:
        widths = [max(width, cell.cell_len) for width, cell in zip(widths, row, strict=False)]
    if not console.is_terminal:
        return widths
    return [min(width, column.most) for width, column in zip(widths, columns, strict=True)]


def room_beside(console: Console, widths: Sequence[int]) -> int:
    """How wide the last column can be, beside others of these widths."""
    return console.width - sum(widths) - _GAP * len(widths)


def table_of(columns: Sequence[Column], widths: Sequence[int], rows: Iterable[Sequence[Text]]) -> Table:
    """A table without lines and headings; a row has a cell more than there are columns, which takes what room is left.

    What is too wide is folded, never cut off.
    """
    table = Table.grid(padding=(0, _GAP, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        table.add_column(width=width, justify="right" if column.is_number else "left", overflow="fold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def print_table(
    console: Console, columns: Sequence[Column], widths: Sequence[int], rows: Iterable[Sequence[Text]]
) -> None:
    """Prints such a table; without a terminal, a row is a line that ends with its text."""
    if console.is_terminal:
        console.print(table_of(columns, widths, rows))
        return
    for *cells, last in rows:
        line = Text()
        for cell, column, width in zip(cells, columns, widths, strict=True):
            blanks = " " * (width - cell.cell_len)
            line.append_text(Text.assemble(blanks, cell) if column.is_number else Text.assemble(cell, blanks))
            line.append(" " * _GAP)
        print_lines(console, [line.append_text(last)])


def headings_of(columns: Sequence[Column], last: str) -> list[Text]:
    """The headings as a row."""
    return [Text(heading, "bold") for heading in (*(column.heading for column in columns), last)]


def lines_of(console: Console, text: Text, indent: int) -> list[Text]:
    """It in lines that fit a terminal, whole where there is none; each after `indent` blanks."""
    lines = text.wrap(console, max(console.width - indent, 20)) if console.is_terminal else [text]
    for line in lines:
        line.rstrip()
    return [Text(" " * indent).append_text(line) for line in lines]


def fold_message(message: str, width: int) -> str:
    """Pure: its lines folded at words where they are wider, and nowhere within what is to be copied.

    What is indented is laid out already.
    """
    folded: list[str] = []
    for line in message.split("\n"):
        if line.startswith(" "):
            folded.append(line)
            continue
        held = Text(_TO_COPY.sub(lambda found: found[0].replace(" ", _HELD), line), overflow="ignore")
        folded += [part.plain.replace(_HELD, " ").rstrip() for part in held.wrap(Screen(width=width), width)]
    return "\n".join(folded)


def print_message(screen: Screen, message: str, style: str = "") -> None:
    """Prints a sentence in one line, which a terminal shows folded as `fold_message` does, each line as far in."""
    line = printable(message)
    indent = line[: len(line) - len(line.lstrip(" "))]
    if screen.is_terminal:
        line = fold_message(line.lstrip(" "), max(screen.width - len(indent), 20)).replace("\n", f"\n{indent}")
        line = indent + line
    for part in line.split("\n"):
        screen.print(part, style=style, soft_wrap=True)


def print_indented(console: Console, text: Text, indent: int) -> None:
    """Prints it in such lines."""
    print_lines(console, lines_of(console, text, indent))


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Prints lines as they are."""
    for line in lines:
        console.print(line, soft_wrap=True)


class ConsoleSheet(Sheet[Text]):
    """What rich prints to: folded and coloured as the terminal is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def lines(self, *texts: Styled, indent: int = 0) -> list[Text]:
        """See `Sheet.lines`."""
        return lines_of(self._console, Text.assemble(*(text_of(text, style) for text, style in texts)), indent)

    def print(self, lines: Iterable[Text]) -> None:
        """See `Sheet.print`."""
        print_lines(self._console, lines)
