"""Answers GET pages/{id}/properties/{property_id}: values that are never cut.

See docs/notion-api.md#property-items, and payload 26.
"""

from urllib.parse import urlencode

from notion_workspace import rollups
from notion_workspace.cursors import Cursor, Cursors
from notion_workspace.model import UNSUPPORTED, Json, Page, Property, Token, Value
from notion_workspace.query import list_answer
from notion_workspace.state import State
from notion_workspace.values import Renderer

# Types of which a value has as many items as parts.
_PARTED = frozenset({"title", "rich_text", "people", "relation"})
_PAGED = _PARTED | {"rollup"}


class PropertyItems:
    """Answers for single values: a paged list for the types that may be long, else one object."""

    def __init__(self, state: State, cursors: Cursors) -> None:
        self._state, self._cursors = state, cursors

    def answer(self, page: Page, prop: Property, token: Token, size: int, cursor: str | None) -> Json:
        """One answer. Raises ApiError (400) on a cursor that is not this value's."""
        renderer = Renderer(self._state, token, limit=None)
        if prop.type not in _PAGED:
            return self._item(prop, prop.type, renderer.value(page, prop))
        request = f"{token.label} {page.id} {prop.id}"
        start = self._cursors.find(cursor, request).told if cursor else 0
        items = self._items(renderer, page, prop)
        end = start + size
        next_cursor = None
        if end < len(items):
            next_cursor = self._cursors.give(Cursor(request, "offset", end, (), page.id))
        answer = list_answer("property_item", items[start:end], next_cursor)
        answer["property_item"] = {
            "id": prop.encoded_id,
            "next_url": self._next_url(page, prop, next_cursor, size),
            "type": prop.type,
            prop.type: self._rollup(renderer, page, prop, next_cursor) if prop.type == "rollup" else {},
        }
        return answer

    def _item(self, prop: Property, kind: str, value: Value) -> Json:
        return {"object": "property_item", "type": kind, "id": prop.encoded_id, kind: value}

    def _items(self, renderer: Renderer, page: Page, prop: Property) -> list[Json]:
        if prop.type != "rollup":
            return [self._item(prop, prop.type, item) for item in renderer.items(page, prop)]
        if self._refused(renderer, page, prop):
            return []
        if prop.definition.function in rollups.ARRAYS:
            return [item for value in renderer.rollup_array(page, prop) for item in self._array_items(prop, value)]
        relation = self._state.source_of(page).properties.get(prop.relation)
        related = self._state.related_ids(page, relation, renderer.token) if relation else []
        return [self._item(prop, "relation", {"id": other}) for other in related]

    def _array_items(self, prop: Property, value: Json) -> list[Json]:
        """The items of one related page: one, or of what comes in parts as many as it has (section 7b).

        Whether an empty value has an item at all nobody knows; `empty_items` says it for this workspace.
        """
        kind = value["type"]
        if kind not in _PARTED:
            return [self._item(prop, kind, value[kind])]
        if not value[kind] and self._state.settings.empty_items:
            return [self._item(prop, kind, {})]
        return [self._item(prop, kind, part) for part in value[kind]]

    def _refused(self, renderer: Renderer, page: Page, prop: Property) -> bool:
        """Whether the endpoint does not compute this rollup."""
        never = prop.definition.function in rollups.NEVER_IN_ENDPOINT
        return never or renderer.reader.rollup(page, prop) is UNSUPPORTED

    def _rollup(self, renderer: Renderer, page: Page, prop: Property, next_cursor: str | None) -> Json:
        """`incomplete` until the last page; then the result over all related pages, arrays being in the results."""
        function = prop.definition.function
        if self._refused(renderer, page, prop):
            return {"type": "unsupported", "unsupported": {}, "function": function}
        if next_cursor is not None:
            return {"type": "incomplete", "incomplete": {}, "function": function}
        if function in rollups.ARRAYS:
            return {"type": "array", "array": [], "function": function}
        return renderer.rollup(page, prop)

    def _next_url(self, page: Page, prop: Property, next_cursor: str | None, size: int) -> str | None:
        if next_cursor is None:
            return None
        query = urlencode({"start_cursor": next_cursor, "page_size": size})
        return f"https://api.notion.com/v1/pages/{page.id}/properties/{prop.encoded_id}?{query}"
