"""Pure: the columns of a typed view: what each shows, in which order, and what stays of those that a view has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.core.columns import MAX_NAME_BYTES, UNDETERMINED, VALUE

MOST_COLUMNS = 1000

# A column's name and its type, as format_type() says it.
Typed = tuple[str, str]

# Comments that begin so are ours; a person's own stay.
COMMENT_MARK = "Notion: "


class Shown(Struct, frozen=True):
    """What a column shows: its type as the catalog names it, an SQL expression, and what is said of it.

    The expression reads a row of a sync table (`page`), what is listed of its data source (`shown`), one of several
    values (`item`), or a body (`body`); `{field}` is the key of a property's plain value in `page.fields`.
    """

    type: str
    expression: str
    said: str


_INSTANT = "timestamp with time zone"


def _name_of(column: str) -> str:
    return f"(notion_sync.names_of(page.user_id::text, ARRAY[page.{column}]))[1]"


# What every view has behind the properties: names as in RESERVED_NAMES. Not every sync table has the database's name.
FIXED: Mapping[str, Shown] = {
    "data_source_name": Shown("text", "shown.data_source_name", "the name of its data source"),
    "database_name": Shown("text", "shown.database_name", "the name of its database, as configured"),
    "url": Shown("text", "page.url::text", "the page in Notion"),
    "notion_public_url": Shown("text", "page.notion_public_url", "where the page is published, null where it is not"),
    "notion_icon": Shown("text", "page.notion_icon", "the page's icon: an emoji or a URL"),
    "notion_cover": Shown("text", "page.notion_cover", "the URL of the page's cover"),
    "notion_is_locked": Shown("boolean", "page.notion_is_locked", "whether the page is locked"),
    "notion_created_by": Shown("uuid", "page.notion_created_by", "who created the page"),
    "notion_created_by_name": Shown("text", _name_of("notion_created_by"), "who created the page, by name"),
    "notion_edited_by": Shown("uuid", "page.notion_edited_by", "who last edited the page"),
    "notion_edited_by_name": Shown("text", _name_of("notion_edited_by"), "who last edited the page, by name"),
    "page_id": Shown("uuid", "page.page_id", "the id of the page"),
    "database_id": Shown("uuid", "notion_sync.as_notion_id(page.notion_database_id)", "the id of its database"),
    "data_source_id": Shown("uuid", "shown.data_source_id", "the id of its data source"),
    "user_id": Shown("text", "page.user_id::text", "whose copy it is: the user in user_settings"),
    "notion_created_at": Shown(_INSTANT, "page.notion_created_at", "when the page was created, to the minute"),
    "notion_edited_at": Shown(_INSTANT, "page.notion_edited_at", "when the page was last edited, to the minute"),
    "last_synced_at": Shown(_INSTANT, "page.last_synced_at", "when the row was last written"),
}

# What views read of a sync table.
READ_COLUMNS = (
    *("user_id", "page_id", "notion_database_id", "notion_data_source_id", "fields", "url", "notion_public_url"),
    *("notion_icon", "notion_cover", "notion_is_locked", "notion_created_by", "notion_edited_by"),
    *("notion_created_at", "notion_edited_at", "last_synced_at"),
)

# How a property's plain value is shown as a column's type: none of these can fail, whatever the value.
_FIELD = {
    "text": "page.fields ->> {field}",
    "numeric": "notion_sync.as_numeric(page.fields -> {field})",
    "boolean": "notion_sync.as_boolean(page.fields -> {field})",
    "date": "notion_sync.as_date(page.fields ->> {field})",
    _INSTANT: "notion_sync.as_timestamptz(page.fields ->> {field})",
    "uuid": "notion_sync.as_uuid(page.fields ->> {field})",
    "text[]": "notion_sync.as_text_array(page.fields -> {field})",
    "uuid[]": "notion_sync.as_uuid_array(page.fields -> {field})",
    "jsonb": "nullif(page.fields -> {field}, 'null')",
}
# As the catalog's format_type() names them.
_CATALOG_NAMES = {"timestamptz": _INSTANT}

# What the columns of a date say, in their order.
_DATE_PARTS = {
    VALUE: "start: the calendar day as written",
    "at": "start: the instant, null where it has no time",
    "end": "end: the calendar day as written",
    "end_at": "end: the instant, null where it has no time",
}


class _Companion(Struct, frozen=True):
    """What stands beside a column of the type `beside`, whose property is of one of these types in Notion."""

    ending: str
    property_types: frozenset[str]
    beside: str
    shown: Shown


_PEOPLE = frozenset({"people", "created_by", "last_edited_by"})
_NAMES = "notion_sync.names_of(page.user_id::text, notion_sync.as_uuid_array(page.fields -> {field}))"
_NAME = "(notion_sync.names_of(page.user_id::text, ARRAY[notion_sync.as_uuid(page.fields ->> {field})]))[1]"
_TITLES = "notion_sync.titles_of(page.user_id::text, notion_sync.as_uuid_array(page.fields -> {field}))"
_GROUP = "shown.status_groups -> {field} ->> (page.fields ->> {field})"
_KEPT = (
    "notion_sync.kept_files_of(page.user_id::text, page.page_id, {field}, "
    "notion_sync.as_text_array(page.fields -> {field}))"
)
_COMPANIONS = (
    _Companion("_names", _PEOPLE, "uuid[]", Shown("text[]", _NAMES, "by name")),
    _Companion("_name", _PEOPLE, "uuid", Shown("text", _NAME, "by name")),
    _Companion(
        "_titles",
        frozenset({"relation"}),
        "uuid[]",
        Shown("text[]", _TITLES, "by title; null where a page is not in the copy"),
    ),
    _Companion("_group", frozenset({"status"}), "text", Shown("text", _GROUP, "the group of the status")),
    _Companion(
        "_kept",
        frozenset({"files"}),
        "text[]",
        Shown("text[]", _KEPT, "where the bytes of each are, below the place of --files; null where they are not kept"),
    ),
)


class SharedColumn(Struct, frozen=True):
    """A column that a data source brings into a view; `property_name` and `property_type` are Notion's.

    `is_unfit`: some values are of another type than it is. `new_type`: the type that the property would have by now,
    where that is another. `beside`: the column of the property's value, where this one has another `part` of it.
    """

    name: str
    type: str
    property_name: str
    property_type: str
    is_unfit: bool = False
    new_type: str | None = None
    part: str = VALUE
    beside: str | None = None

    @property
    def shown_type(self) -> str:
        """Its type in the view: text, which holds everything, while the property's values are of its new type."""
        return "text" if self.is_unfit and self.new_type else self.type

    @property
    def said(self) -> str:
        """What it holds, in Notion's words."""
        of_date = self.part != VALUE or "date" in (self.type, self.property_type)
        said = f"{self.property_name} ({self.property_type})"
        return f"{said}, {_DATE_PARTS.get(self.part, self.part)}" if of_date else said

    @property
    def place(self) -> tuple[bool, str, int, str]:
        """Where it stands: the title first, the others by name, the parts of a date behind its day."""
        parts = [*_DATE_PARTS]
        part = parts.index(self.part) if self.part in parts else len(parts)
        return self.property_type != "title", self.beside or self.name, part, self.name


class ViewColumn(Struct, frozen=True):
    """A column of a view, with its type as the catalog names it.

    `expression` as in `Shown`, of the value under `field`. Without one it shows nothing but nulls: something depends on
    a view that has the column.
    """

    name: str
    type: str
    comment: str
    expression: str | None = None
    field: str = ""

    @classmethod
    def of(cls, name: str, shown: Shown, field: str = "") -> ViewColumn:
        """A column that shows no property's value; `field` is that of the property that it is about, if of any."""
        return cls(name, shown.type, f"{COMMENT_MARK}{shown.said}", shown.expression, field)


class Arrangement(Struct, frozen=True):
    """A view's columns, in order, in the light of those that it has.

    `misfits`: columns that it has and should not have, or not with that type. `left_out`: those that there is no room
    for.
    """

    columns: tuple[ViewColumn, ...]
    misfits: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def columns_of_all(shared: Iterable[SharedColumn]) -> list[ViewColumn]:
    """The columns of a view that shows the `shared` ones: the title, the others by name, then the fixed ones.

    Beside people stand their names, beside related pages their titles, beside a status its group, beside files where
    their bytes are, unless another property's column has that name. A fixed column gives way to all of these. Of two
    types a column is text; a type that is not determined yet gives way.
    """
    by_name: dict[str, list[SharedColumn]] = {}
    for column in shared:
        by_name.setdefault(column.name, []).append(column)
    order = sorted(by_name, key=lambda name: min(one.place for one in by_name[name]))
    properties = {column.name: column for name in order for column in _with_companions(name, by_name)}
    fixed = [ViewColumn.of(name, shown) for name, shown in FIXED.items() if name not in properties]
    return [*properties.values(), *fixed]


def _with_companions(name: str, by_name: Mapping[str, Sequence[SharedColumn]]) -> list[ViewColumn]:
    """The column of that name, and what stands beside it."""
    shared = by_name[name]
    type_, said = _type_of(shared), _comment_of(shared)
    property_types = {one.property_type for one in shared if one.part == VALUE}
    return [
        ViewColumn(name, type_, said, _FIELD[type_], name),
        *(
            ViewColumn(
                name + companion.ending,
                companion.shown.type,
                f"{said}, {companion.shown.said}",
                companion.shown.expression,
                name,
            )
            for companion in _COMPANIONS
            if companion.beside == type_
            and companion.property_types & property_types
            and name + companion.ending not in by_name
            and len((name + companion.ending).encode()) <= MAX_NAME_BYTES
        ),
    ]


def arrange(wanted: Sequence[ViewColumn], existing: Sequence[Typed] = (), *, keep: bool = False) -> Arrangement:
    """The `wanted` columns in the order of the `existing` ones, new ones last, as PostgreSQL replaces a view.

    `keep`: existing columns stay, each with its type, whatever is wanted; one that is not wanted at all is empty.
    Of new ones that there is no room for, the fixed ones are left out last.
    """
    by_name = {column.name: column for column in wanted}
    misfits = tuple(name for name, type_ in existing if name not in by_name or by_name[name].type != type_)
    if keep:
        kept = [_as_it_was(by_name.get(name), name, type_) for name, type_ in existing]
    else:
        kept = [by_name[name] for name, _ in existing if name in by_name]
    names = {column.name for column in kept}
    new = [column for column in wanted if column.name not in names]
    room = max(MOST_COLUMNS - len(kept), 0)
    left_out = tuple(column.name for column in sorted(new, key=_is_a_propertys)[room:])
    return Arrangement((*kept, *(column for column in new if column.name not in left_out)), misfits, left_out)


def _is_a_propertys(column: ViewColumn) -> bool:
    return column.field != ""


def _as_it_was(wanted: ViewColumn | None, name: str, type_: str) -> ViewColumn:
    """A column that a view has and that has to stay, still filled where its type can be."""
    if wanted is not None and wanted.type == type_:
        return wanted
    if wanted is not None and wanted.field == name and type_ in _FIELD:
        return replace(wanted, type=type_, expression=_FIELD[type_])
    return ViewColumn(name, type_, f"{COMMENT_MARK}no property any more; kept for what depends on the view")


def _type_of(shared: Sequence[SharedColumn]) -> str:
    types = {column.shown_type for column in shared} - {UNDETERMINED}
    type_ = types.pop() if len(types) == 1 else "text"
    type_ = _CATALOG_NAMES.get(type_, type_)
    return type_ if type_ in _FIELD else "text"


def _comment_of(shared: Sequence[SharedColumn]) -> str:
    said = "; ".join(sorted({column.said for column in shared}))
    is_unfit = _type_of(shared) != "text" and any(column.is_unfit for column in shared)
    as_text = ", ".join(sorted({column.type for column in shared if column.shown_type != column.type}))
    said += f"; shown as text, since it was {as_text} before" if as_text else ""
    return COMMENT_MARK + said + ("; values of another type are null here" if is_unfit else "")
