"""What PostgreSQL answered, on a terminal: a table, or where that is too wide, a line for each value."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.printable import printable
from notion_pg_sync.core.wording import plural

# So much of a value; CSV has all of it.
MOST_CHARACTERS = 300
# A column of text gets no narrower, for the sake of others.
_NARROWEST = 14
_BETWEEN_COLUMNS = 2

Row = Sequence[str | None]


def show_answer(columns: Sequence[str], is_number: Sequence[bool], rows: Sequence[Row]) -> None:
    """Prints it; nothing is cut of a number. A null is empty."""
    screen = Screen()
    shown = [[_cut(value) for value in row] for row in rows]
    widths = least_widths(columns, is_number, shown)
    if sum(widths) + _BETWEEN_COLUMNS * (len(widths) - 1) <= screen.width:
        screen.print(_as_table(columns, is_number, shown, widths))
    else:
        for number, row in enumerate(shown, 1):
            screen.print(f"row {number:,}", style="bold")
            screen.print(_as_lines(columns, row))
    screen.print(plural(len(rows), "row"), style="dim")
    if any(value is not None and len(value) > MOST_CHARACTERS for row in rows for value in row):
        screen.print("Long values are cut: --csv prints all of them.", style="dim", soft_wrap=True)


def least_widths(columns: Sequence[str], is_number: Sequence[bool], rows: Sequence[Sequence[str]]) -> list[int]:
    """Pure: how many characters each column needs: a number all of it, a text as many as make it legible."""
    needed = [max(len(printable(cell)) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    return [width if number else min(width, _NARROWEST) for width, number in zip(needed, is_number, strict=True)]


def _as_table(
    columns: Sequence[str], is_number: Sequence[bool], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _BETWEEN_COLUMNS, 0, 0))
    for column, number, width in zip(columns, is_number, widths, strict=True):
        table.add_column(text_of(column), justify="right" if number else "left", min_width=width, overflow="fold")
    for row in rows:
        table.add_row(*map(text_of, row))
    return table


def _as_lines(columns: Sequence[str], row: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, _BETWEEN_COLUMNS, 0, 0))
    table.add_column(overflow="fold", style="dim", max_width=30)
    table.add_column(overflow="fold")
    for column, value in zip(columns, row, strict=True):
        table.add_row(text_of(column), text_of(value))
    return table


def _cut(value: str | None) -> str:
    text = value or ""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
