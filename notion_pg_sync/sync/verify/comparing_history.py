"""Pure: whether the history of a page leads to the row that there is; see `notion_sync.page_changes`."""

from __future__ import annotations

from collections.abc import Iterator

from notion_pg_sync.mirror.held_history import NewestState
from notion_pg_sync.mirror.held_rows import HeldRow
from notion_pg_sync.sync.verify.verification import Difference, short

URL = "url"


def history_differences(state: NewestState, row: HeldRow | None, data_source_id: str) -> Iterator[Difference]:
    """What the row of a page holds otherwise than the newest of its changes of this data source say."""
    is_there = row is not None and row.data_source_id == data_source_id
    if row is None or state.is_there != is_there:
        if state.is_there != is_there:
            told, held = ("a row", "no row") if state.is_there else ("no row", "a row")
            yield Difference("history_differs", state.page_id, None, "", told, held)
        return
    if not state.is_there:
        return
    fields = row.fields if isinstance(row.fields, dict) else {}
    held_values = {**fields, URL: row.url}
    for name, value in state.values.items():
        if name not in held_values or held_values[name] != value:
            held = short(held_values[name]) if name in held_values else "no value"
            yield Difference("history_differs", state.page_id, name, "", short(value), held)
    for name in state.lacks:
        if name in held_values:
            yield Difference("history_differs", state.page_id, name, "", "no value", short(held_values[name]))
