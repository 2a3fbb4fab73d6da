"""Answers POST search: titles of pages and data sources shared with the token (docs/notion-api.md#search).

As Notion's, it is not exhaustive: rows of generated data sources that were never edited are not in its index.
"""

from collections.abc import Callable

from notion_workspace.errors import validation_error
from notion_workspace.model import DataSource, Json, Page, Token, Value
from notion_workspace.objects import PageRenderer, data_source_object
from notion_workspace.plain import Reader
from notion_workspace.state import State

_KNOWN = {"query", "sort", "filter", "start_cursor", "page_size"}
Found = Page | DataSource


def search(state: State, token: Token, body: Json, version: str) -> tuple[list[Found], Callable[[Found], Json]]:
    """What a search finds, in order, and how to render it. Raises ApiError (400)."""
    if unknown := body.keys() - _KNOWN:
        raise validation_error(f"body failed validation: body.{min(unknown)} should be not present.")
    kinds, in_trash = _filter(body.get("filter", {}))
    wanted = str(body.get("query", "")).lower()
    reader = Reader(state, token)
    found = [
        one
        for one in _all(state, token, in_trash=in_trash)
        if _kind(one) in kinds and wanted in _title(reader, one).lower()
    ]
    sort = body.get("sort", {})
    if not isinstance(sort, dict):
        raise validation_error("body failed validation: body.sort should be an object.")
    descending = sort.get("direction", "descending") == "descending"
    found.sort(key=lambda one: (one.edited, one.id), reverse=descending)
    return found, lambda one: _render(state, token, version, one)


def _filter(literal: Value) -> tuple[set[str], bool]:
    """The kinds asked for, and whether the trash is."""
    if not isinstance(literal, dict) or literal.keys() - {"property", "value", "in_trash"}:
        raise validation_error("body failed validation: body.filter should hold property, value and in_trash.")
    in_trash = literal.get("in_trash", False)
    if "value" not in literal:
        return {"page", "data_source"}, bool(in_trash)
    if literal.get("property") != "object" or literal["value"] not in ("page", "data_source"):
        raise validation_error('body failed validation: body.filter.value should be "page" or "data_source".')
    return {literal["value"]}, bool(in_trash)


def _all(state: State, token: Token, *, in_trash: bool) -> list[Found]:
    found: list[Found] = []
    for source in state.data_sources.values():
        if not state.sees(token, source):
            continue
        trashed = state.in_trash(source)
        if trashed == in_trash:
            found.append(source)
        found.extend(
            page for page in source.stored.values() if (page.in_trash or trashed) == in_trash and not page.is_archived
        )
    return found


def _kind(one: Found) -> str:
    return "page" if isinstance(one, Page) else "data_source"


def _title(reader: Reader, one: Found) -> str:
    return reader.title(one) if isinstance(one, Page) else one.name


def _render(state: State, token: Token, version: str, one: Found) -> Json:
    if isinstance(one, DataSource):
        return data_source_object(state, one, token, version)
    return PageRenderer(state, state.source_of(one), token, version).page(one)
