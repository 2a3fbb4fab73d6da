"""Values that Notion cut are read to their end from the property endpoint, before the row is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.completion import complete, is_incomplete, values_to_complete, without_rest
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.page_properties import PageProperties, PropertyValue
from notion_pg_sync.notion.pages import Page
from notion_pg_sync.notion.rollup_parts import (
    RelatedPages,
    RolledUp,
    beginning_conditions,
    related_ids,
    rolled_up,
    whole_conditions,
)
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.rows.left_so_far import LeftSoFar
from notion_pg_sync.sync.rows.related_pages import read_related


class _Answered(Struct, frozen=True, eq=False):
    """What the property endpoint says of a cut value of the page at `place`."""

    place: int
    cut: PropertyValue
    items: Sequence[JsonObject]
    last: JsonObject

    @property
    def key(self) -> tuple[int, str]:
        """Which value it is: the page's place, and the property's name."""
        return self.place, self.cut.name


async def complete_pages(
    client: NotionClient, pages: Sequence[Page], schema: Mapping[str, object], left: LeftSoFar
) -> list[Page]:
    """`pages`, each with nothing cut; at least one request for each value that was. Raises `NotionError`.

    Of a value of which Notion does not give the rest, what is known stays, and `left` takes it in.

    Rollups come last, since whose their parts are is told by the related pages. Those are taken from the same batch,
    else read now, in a few requests for all rollups: never from PostgreSQL, which has them as they were
    (`notion.shares`). A related page that is edited in the very moments between is as wrong as in any reading of
    several answers, and put right by the next full read. What stays uncertain is incomplete.
    """
    left.forget({page.id for page in pages})
    cut = [(place, value) for place, page in enumerate(pages) for value in values_to_complete(page.properties, schema)]
    found = await gather_or_cancel(_ask(client, pages[place], place, value, left) for place, value in cut)
    answered = [one for one in found if one is not None]
    pages = _with_values(
        pages,
        {
            (place, value.name): without_rest(value)
            for (place, value), one in zip(cut, found, strict=True)
            if one is None
        },
        are_cut=True,
    )
    rollups = [one for one in answered if one.cut.type == "rollup"]
    others = [one for one in answered if one.cut.type != "rollup"]
    listed = _with_values(pages, {one.key: _whole(one, pages, schema, {}) for one in others})
    values = await _rollups(client, listed, rollups, schema)
    return _with_values(listed, {one.key: value for one, value in values.items()})


async def _ask(client: NotionClient, page: Page, place: int, value: PropertyValue, left: LeftSoFar) -> _Answered | None:
    """What the property endpoint says of a cut value of a page; None where it says nothing."""
    error = left.why_not(value)
    try:
        if error is None:
            return _Answered(place, value, *await client.property_items(page.id, value.written_id))
    except NotionError as failed:
        if not failed.is_about_one_thing:
            raise
        error = failed
    left.add_value(page, value, error)
    return None


async def _rollups(
    client: NotionClient, pages: Sequence[Page], rollups: Sequence[_Answered], schema: Mapping[str, object]
) -> dict[_Answered, PropertyValue]:
    """The whole of each rollup; the relations of `pages` are whole already."""
    known = {page.id: page.properties for page in pages} if rollups else {}
    values = {one: _whole(one, pages, schema, known) for one in rollups}
    groups: dict[tuple[str, str], list[_Answered]] = {}
    for one, value in values.items():
        rolled = _rolled_up(one, pages, schema)
        if is_incomplete(value) and rolled and rolled.data_source_id:
            groups.setdefault((rolled.data_source_id, rolled.property_id), []).append(one)
    found = await gather_or_cancel(_looked_up(client, pages, key, ones, schema) for key, ones in groups.items())
    return values | {one: value for group in found for one, value in group.items()}


async def _looked_up(
    client: NotionClient,
    pages: Sequence[Page],
    over: tuple[str, str],
    rollups: Sequence[_Answered],
    schema: Mapping[str, object],
) -> dict[_Answered, PropertyValue]:
    """`rollups`, once their related pages are looked up: by whole values, then by beginnings.

    All are `over` one data source and property (decoded id).
    """
    data_source_id, property_id = over
    items = [item for one in rollups for item in one.items]
    known = {page.id: page.properties for page in pages}
    known |= await read_related(client, data_source_id, property_id, whole_conditions(items, property_id))
    values = {one: _whole(one, pages, schema, known) for one in rollups}
    unclear = [one for one, value in values.items() if is_incomplete(value)]
    beginnings = beginning_conditions(
        [item for one in unclear for item in one.items], property_id, list(known.values())
    )
    known |= await read_related(client, data_source_id, property_id, beginnings)
    return values | {one: _whole(one, pages, schema, known) for one in unclear}


def _whole(
    one: _Answered, pages: Sequence[Page], schema: Mapping[str, object], known: Mapping[str, PageProperties]
) -> PropertyValue:
    """A value that was cut, made whole; `known` has the properties of pages by id."""
    properties = pages[one.place].properties
    rolled = _rolled_up(one, pages, schema)
    ids = related_ids(properties, rolled.relation_id) if rolled else None
    related = RelatedPages(ids, rolled.property_id, known) if rolled and ids is not None else None
    return complete(properties.by_name[one.cut.name], one.items, one.last, related)


def _rolled_up(one: _Answered, pages: Sequence[Page], schema: Mapping[str, object]) -> RolledUp | None:
    return rolled_up(pages[one.place].properties.by_name[one.cut.name], schema)


def _with_values(
    pages: Sequence[Page], values: Mapping[tuple[int, str], PropertyValue], *, are_cut: bool = False
) -> list[Page]:
    """`pages` with other values, by the page's place and the property's name; `are_cut`: they are not whole."""
    by_place: dict[int, dict[str, PropertyValue]] = {}
    for (place, name), value in values.items():
        by_place.setdefault(place, {})[name] = value
    return [
        replace(
            page,
            properties=page.properties.changed(by_place[place]),
            cut=frozenset(value.id for value in by_place[place].values()) if are_cut else page.cut,
            answer_hash=None,
        )
        if place in by_place
        else page
        for place, page in enumerate(pages)
    ]
