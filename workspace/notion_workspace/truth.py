"""The workspace's plain truth, to hold a mirror against: what every live page holds, without Notion's JSON.

Values are those of `plain.Reader` over all related pages: text as one string, options by name, users and related pages
by id, files as name and unsigned URL, unique ids as `PREFIX-1`, unsupported as `{"unsupported": {}}`.
"""

from collections.abc import Iterator
from typing import Any, TypedDict

from notion_workspace.clock import minute_text
from notion_workspace.model import UNSUPPORTED, DataSource, Page, Property, Token, Value
from notion_workspace.objects import page_url
from notion_workspace.plain import Reader
from notion_workspace.state import State


class TruthRow(TypedDict):
    """A live page: times as the API writes them, the display link, property name -> plain value."""

    id: str
    created_time: str
    last_edited_time: str
    url: str
    properties: dict[str, Any]


def iterate(state: State, source: DataSource, token: Token | None) -> Iterator[TruthRow]:
    """Every page that is neither in the trash nor archived, one at a time, with the columns the token may see."""
    reader = Reader(state, token)
    properties = state.visible_properties(source, token)
    for page in state.live_pages(source):
        yield {
            "id": page.id,
            "created_time": minute_text(page.created),
            "last_edited_time": minute_text(page.edited),
            "url": page_url(page, reader.title(page)),
            "properties": {prop.name: _value(reader, page, prop) for prop in properties},
        }


def _value(reader: Reader, page: Page, prop: Property) -> Value:
    value = reader.value(page, prop)
    return {"unsupported": {}} if value is UNSUPPORTED else value
