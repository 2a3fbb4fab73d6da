"""How a listing goes on in the next answer: cursors of three kinds, since Notion does not say which is its own.

`key`     goes on after the sort key of the last row told: rows that move past it are told again, none is missed.
`offset`  goes on after as many rows as were told: a row that leaves earlier makes the listing skip one.
`anchor`  goes on at the row that came next: if it moved in the order, the listing goes on there; if it is gone, the
          cursor is refused.
A cursor belongs to one token and one request; the rows told so far are counted along, for the cap.
"""

from dataclasses import dataclass
from typing import Literal

from notion_workspace.errors import invalid_cursor
from notion_workspace.ids import stable_uuid
from notion_workspace.listing import Key, Listing
from notion_workspace.state import State

Kind = Literal["key", "offset", "anchor"]


@dataclass(frozen=True)
class Cursor:
    """Where a listing goes on: after `told` rows, after `key`, or at the page `anchor`."""

    request: str
    kind: Kind
    told: int
    key: Key
    anchor: str


class Cursors:
    """The cursors given out, by their opaque text."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._open: dict[str, Cursor] = {}
        self._given = 0

    def give(self, cursor: Cursor) -> str:
        """The opaque text of a cursor, in the recorded form `s:<uuid>:<uuid>`."""
        self._given += 1
        text = f"s:{stable_uuid(self._state.seed, 'cursor', self._given)}:{cursor.anchor}"
        self._open[text] = cursor
        return text

    def find(self, text: str, request: str) -> Cursor:
        """The cursor of a text. Raises ApiError (400) when it is unknown, expired or of another request."""
        cursor = self._open.get(text)
        if cursor is None or cursor.request != request:
            raise invalid_cursor(text)
        return cursor

    def place(self, text: str, cursor: Cursor, listing: Listing) -> int:
        """The place in the listing, as it is now, at which a cursor goes on. Raises ApiError (400) if there is none."""
        match cursor.kind:
            case "offset":
                return cursor.told
            case "key":
                return listing.index_after(cursor.key)
            case "anchor":
                page = self._state.page(cursor.anchor)
                place = listing.index_of(page) if page else None
                if place is None:
                    raise invalid_cursor(text)
                return place

    def expire(self) -> None:
        """Makes every cursor given out so far invalid."""
        self._open.clear()
