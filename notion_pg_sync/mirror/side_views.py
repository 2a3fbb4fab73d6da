"""Pure: the views beside a typed view: of each property that holds several values, and of the bodies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from psycopg import sql

from notion_pg_sync.core.columns import MAX_NAME_BYTES
from notion_pg_sync.mirror.view_columns import FIXED, Shown, ViewColumn
from notion_pg_sync.mirror.view_definition import View, ViewSource

_BETWEEN_VIEW_AND_COLUMN = "__"

_OF_PAGE = {name: FIXED[name] for name in ("user_id", "page_id")}
_PLACE = {"position": Shown("integer", "item.position::integer", "its place in the property, from 1")}
_UUIDS = "notion_sync.as_uuid_array(page.fields -> {field})"
_TEXTS = "notion_sync.as_text_array(page.fields -> {field})"
_KEPT_FILE = "(notion_sync.kept_files_of(page.user_id::text, page.page_id, {field}, ARRAY[item.value]))[1]"
_PERSON = "(notion_sync.names_of(page.user_id::text, ARRAY[item.value]))[1]"

# By the property's type: the array of its values, and what stands between the page and the place of each. Where data
# sources that share a view have several types under one name, the first of these counts.
_VALUES: Mapping[str, tuple[str, Mapping[str, Shown]]] = {
    "relation": (_UUIDS, {"related_page_id": Shown("uuid", "item.value", "the page_id of the related page")}),
    "people": (
        _UUIDS,
        {
            "person_id": Shown("uuid", "item.value", "the id of the person"),
            "name": Shown("text", _PERSON, "the name of the person, null where it is not known"),
        },
    ),
    "multi_select": (_TEXTS, {"value": Shown("text", "item.value", "the name of the option")}),
    "files": (
        _TEXTS,
        {
            "url": Shown("text", "item.value", "the file; of one in Notion without the signature"),
            "kept": Shown("text", _KEPT_FILE, "where its bytes are, below the place of --files; null where not kept"),
        },
    ),
}
_BODY_KIND = "body"
_BODY = {
    "user_id": Shown("text", "body.user_id", FIXED["user_id"].said),
    "page_id": Shown("uuid", "body.page_id", FIXED["page_id"].said),
    "markdown": Shown("text", "body.markdown", "Notion's enhanced Markdown"),
    "plain_text": Shown("text", "body.plain_text", "the same without markup"),
    "is_complete": Shown("boolean", "body.is_complete", "whether all of it is there"),
    "missing": Shown("text[]", "body.missing", "what is not there"),
    "notion_edited_at": Shown(
        "timestamp with time zone", "body.last_edited_time", "the edit that it belongs to; a page may have a later one"
    ),
    "read_at": Shown("timestamp with time zone", "body.read_at", "when it was last read"),
}


class SideView(View, frozen=True):
    """A view beside the view `typed_view`, whose name ends with `column`.

    `kind`: the type of the property of that column, or what tells the view of bodies.
    """

    typed_view: str
    column: str
    kind: str

    @property
    def listed_as(self) -> str:
        """See `View.listed_as`."""
        return self.typed_view


class BridgingView(SideView, frozen=True):
    """A view with a row for each value that a column of a typed view holds."""

    @classmethod
    def of(cls, typed_view: str, column: str, sources: Sequence[ViewSource]) -> BridgingView:
        """The view of a column, over those of the `sources` in which its property has the type that counts."""
        kinds = {source.bridges.get(column) for source in sources}
        kind = next(one for one in _VALUES if one in kinds)
        shown = {**_OF_PAGE, **_VALUES[kind][1], **_PLACE}
        return cls(
            side_view_name(typed_view, column),
            tuple(ViewColumn.of(name, one, column) for name, one in shown.items()),
            tuple(source for source in sources if source.bridges.get(column) == kind),
            typed_view,
            column,
            kind,
        )

    @property
    def _holds(self) -> str:
        return f", a row for each value of {self.column}"

    def _items(self) -> sql.Composable:
        values = sql.SQL(_VALUES[self.kind][0]).format(field=self.column)
        return sql.SQL("\nCROSS JOIN unnest({}) WITH ORDINALITY AS item (value, position)").format(values)

    def _only(self) -> sql.Composable:
        return sql.SQL(" AND shown.bridges ->> {} = {}").format(self.column, self.kind)


class BodyView(SideView, frozen=True):
    """A view of the bodies that are kept of a typed view's pages."""

    @classmethod
    def of(cls, typed_view: str, sources: Sequence[ViewSource]) -> BodyView:
        """The view of the bodies; the view of a property's values that has its name keeps it."""
        is_taken = any(_BODY_KIND in source.bridges for source in sources)
        column = f"{_BODY_KIND}_" if is_taken else _BODY_KIND
        return cls(
            side_view_name(typed_view, column),
            tuple(ViewColumn.of(name, shown) for name, shown in _BODY.items()),
            tuple(source for source in sources if source.has_bodies),
            typed_view,
            column,
            _BODY_KIND,
        )

    @property
    def _holds(self) -> str:
        return ", the bodies of the pages"

    def _selects(self) -> list[sql.Composed]:
        return [
            sql.SQL(
                "SELECT\n    {}\nFROM notion_sync.view_sources AS shown"
                "\nJOIN notion_sync.page_bodies AS body ON body.user_id = shown.user_id AND body.data_source_id = "
                "shown.data_source_id\nWHERE shown.view_name = {}"
            ).format(self._shown(), self.listed_as)
        ]


def side_views(typed_view: str, sources: Sequence[ViewSource]) -> list[SideView]:
    """The views beside a typed view that shows these `sources`."""
    columns = sorted({column for source in sources for column in source.bridges})
    bridging = [BridgingView.of(typed_view, column, sources) for column in columns]
    has_bodies = any(source.has_bodies for source in sources)
    return [*bridging, *([BodyView.of(typed_view, sources)] if has_bodies else [])]


def side_view_name(typed_view: str, column: str) -> str:
    """The name of a view beside a typed view, which follows from the two names alone, and so is kept as they are.

    No typed view has two underscores in a row in its name. A name that PostgreSQL would cut ends with a hash.
    """
    name = f"{typed_view}{_BETWEEN_VIEW_AND_COLUMN}{column}"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    end = f"_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    start = f"{_cut(typed_view, 24)}{_BETWEEN_VIEW_AND_COLUMN}{column}"
    return _cut(start, MAX_NAME_BYTES - len(end)) + end


def _cut(name: str, most_bytes: int) -> str:
    return name.encode()[:most_bytes].decode(errors="ignore")
