"""Pages that are rendered once, as bytes: what a benchmark of a reader sets, see `state.Settings.kept_pages`."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from notion_workspace.model import Json
from notion_workspace.state import State

_SIGNATURE = b"X-Amz-Signature="


@dataclass(frozen=True)
class Kept:
    """The pages kept for answers of one kind: `find` gives the page of an id, `keep` what to answer with."""

    find: Callable[[str], orjson.Fragment | None]
    keep: Callable[[str, Json], Json | orjson.Fragment]


class KeptPages:
    """Keeps as many pages as the setting says, and none across a change."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._version = -1
        self._pages: dict[tuple[str, str, frozenset[str] | None, str], orjson.Fragment] = {}

    def of(self, label: str, version: str, chosen: set[str] | None) -> Kept:
        """The pages kept for one token, version of the API and choice of properties."""
        if self._version != self._state.version:
            self._version = self._state.version
            self._pages.clear()
        most = self._state.settings.kept_pages
        properties = None if chosen is None else frozenset(chosen)

        def find(page_id: str) -> orjson.Fragment | None:
            return self._pages.get((label, version, properties, page_id)) if most else None

        def keep(page_id: str, page: Json) -> Json | orjson.Fragment:
            if len(self._pages) >= most:
                return page
            written = orjson.dumps(page)
            if _SIGNATURE in written:
                return page
            fragment = orjson.Fragment(written)
            self._pages[label, version, properties, page_id] = fragment
            return fragment

        return Kept(find, keep)
