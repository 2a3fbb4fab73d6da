"""Names, cut to the room there is: what stands beside them is then whole, numbers above all."""

from __future__ import annotations

from msgspec import Struct
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from notion_pg_sync.core.printable import printable

# Of a name that is cut, so much is left, where there is any room.
LEAST_NAME = 12
_BETWEEN = " / "


def cut(name: str, cells: int) -> str:
    """A name, harmless, in at most so many cells of a terminal; what is cut ends with an ellipsis."""
    whole = Text(printable(name))
    if whole.cell_len <= cells:
        return whole.plain
    whole.truncate(max(cells, 1) - 1, overflow="crop")
    return f"{whole.plain.rstrip()}…"


def cut_pair(user_id: str, name: str, cells: int) -> str:
    """`user / database` in at most so many cells: the longer of the two is cut first, and the other if need be."""
    room = cells - len(_BETWEEN)
    if room < 2:
        return cut(name, cells)
    user_cells, name_cells = Text(printable(user_id)).cell_len, Text(printable(name)).cell_len
    for_user = min(user_cells, max(room - name_cells, room // 2))
    return f"{cut(user_id, for_user)}{_BETWEEN}{cut(name, room - for_user)}"


class FittedNames(Struct, frozen=True):
    """`user / database`, as wide as it may be."""

    user_id: str
    name: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        whole = Text(printable(f"{self.user_id}{_BETWEEN}{self.name}")).cell_len
        return Measurement(min(whole, LEAST_NAME), whole).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(cut_pair(self.user_id, self.name, options.max_width), no_wrap=True, overflow="crop")
