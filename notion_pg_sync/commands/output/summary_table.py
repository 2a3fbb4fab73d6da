"""The end of a run on a terminal: what was read and written of each database, or why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from notion_pg_sync.commands.output.fitting import LEAST_NAME, cut
from notion_pg_sync.commands.output.layout import (
    Column,
    headings_of,
    print_indented,
    print_table,
    room_beside,
    widths_of,
)
from notion_pg_sync.commands.output.terminal import text_of
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.sync.run.run import RunOutcome

# Names as long as Notion lets them be, and numbers as large as they are: here nothing is folded.
_WHOLE = 10_000
_NAMES = tuple(Column(heading, most=_WHOLE) for heading in ("user", "database", "mode"))
_COUNTS = ("rows", "inserted", "updated", "removed", "unchanged", "requests")
# In less room than this a sentence is hard to read.
_LEAST_ROOM = 40


class _Line(Struct, frozen=True):
    user_id: str
    name: str
    run: DatabaseRun

    def counts(self, *, with_bodies: bool) -> list[str]:
        run = self.run
        counts = [run.rows_read, run.inserted, run.updated, run.removed, run.unchanged, run.requests]
        return [f"{count:,}" for count in [*counts, *([run.bodies_read] if with_bodies else [])]]

    @property
    def style(self) -> str:
        return "red" if self.run.error_code else "yellow" if self.run.bodies_failed else "green"

    @property
    def mark(self) -> Text:
        return Text("✗" if self.run.error_code else "!" if self.run.bodies_failed else "✓", self.style)

    @property
    def result(self) -> Text:
        """What a person should know of it."""
        return Text("ok", self.style) if self.style == "green" else text_of(self.run.message, self.style)


def show_summary(console: Console, outcome: RunOutcome) -> None:
    """Shows it as wide as the terminal allows: a line for each; a line and the reason beneath; or in words.

    Names are cut where they are too long, numbers and headings never.
    """
    lines = [
        _Line(account.user_id, name, run)
        for account in sorted(outcome.accounts, key=lambda account: account.user_id)
        for name, run in sorted(account.databases.items())
    ]
    if not lines:
        # Pages that were read by their ids have no line.
        return
    totals = outcome.totals
    with_bodies = bool(totals.bodies_read or totals.bodies_failed)
    counts = tuple(
        Column(heading, is_number=True, most=_WHOLE) for heading in (*_COUNTS, *(["bodies"] if with_bodies else []))
    )
    numbers = [[Text(count) for count in line.counts(with_bodies=with_bodies)] for line in lines]
    if _show_wide(console, lines, counts, numbers):
        return
    widths = widths_of(console, counts, numbers)
    room = room_beside(console, [1, *widths])
    if room >= LEAST_NAME:
        _show_by_user(console, lines, _Numbers(counts, widths, numbers), room)
    else:
        _show_in_words(console, lines, with_bodies=with_bodies)


def _show_wide(
    console: Console, lines: Sequence[_Line], counts: tuple[Column, ...], numbers: Sequence[Sequence[Text]]
) -> bool:
    """Shows a line for each, if they fit; returns whether they do."""
    columns = (*_NAMES, *counts)
    rows = [
        [text_of(line.user_id), text_of(line.name), Text(line.run.mode or ""), *of_line, line.result]
        for line, of_line in zip(lines, numbers, strict=True)
    ]
    widths = widths_of(console, columns, rows)
    longest = max(len("result"), *(line.result.cell_len for line in lines))
    if room_beside(console, widths) < min(longest, _LEAST_ROOM):
        return False
    print_table(console, columns, widths, [headings_of(columns, "result"), *rows])
    return True


class _Numbers(Struct, frozen=True):
    columns: tuple[Column, ...]
    widths: list[int]
    of_lines: Sequence[Sequence[Text]]


def _show_by_user(console: Console, lines: Sequence[_Line], numbers: _Numbers, room: int) -> None:
    """Shows those of one user together, and beneath each what a person should know of it."""
    longest = max(len("database"), *(text_of(line.name).cell_len for line in lines))
    widths = [1, min(room, longest), *numbers.widths]

    def row(cells: Iterable[Text]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        for place, width in enumerate(widths):
            table.add_column(width=width, justify="right" if place > 1 else "left", no_wrap=True)
        table.add_row(*cells)
        return table

    headings = [Text(heading) for heading in ("", "database", *(column.heading for column in numbers.columns))]
    console.print(row(headings), style="bold")
    for user_id, of_user in groupby(zip(lines, numbers.of_lines, strict=True), key=lambda pair: pair[0].user_id):
        console.print(Text(cut(user_id, console.width), "bold"))
        for line, of_line in of_user:
            console.print(row([line.mark, Text(cut(line.name, widths[1])), *of_line]))
            _explain(console, line)


def _show_in_words(console: Console, lines: Sequence[_Line], *, with_bodies: bool) -> None:
    for user_id, of_user in groupby(lines, key=lambda line: line.user_id):
        console.print(Text(cut(user_id, console.width), "bold"))
        for line in of_user:
            console.print(Text.assemble(line.mark, "  ", cut(line.name, console.width - 3)))
            run = line.run
            said = f"{plural(run.rows_read, 'row')}: {run.inserted:,} inserted, {run.updated:,} updated, "
            said += f"{run.removed:,} removed, {run.unchanged:,} unchanged; {plural(run.requests, 'request')}"
            said += f", {plural(run.bodies_read, 'body', 'bodies')}" if with_bodies else ""
            print_indented(console, Text(said), 3)
            _explain(console, line)


def _explain(console: Console, line: _Line) -> None:
    if line.style != "green":
        print_indented(console, line.result, 3)
