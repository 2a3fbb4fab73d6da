"""Pure: what a typed view consists of, worked out from the columns of all who share it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from notion_pg_sync.mirror.tables import SyncTable

SCHEMA = "notion"
MOST_COLUMNS = 1000

# A column's type where nothing decides it, and where those who share it disagree.
TEXT = "text"
_UNDETERMINED = "undetermined"

_CASTS = {
    "numeric": "notion_sync.as_numeric",
    "boolean": "notion_sync.as_boolean",
    "date": "notion_sync.as_date",
    "timestamptz": "notion_sync.as_timestamptz",
    "timestamp with time zone": "notion_sync.as_timestamptz",
    "uuid": "notion_sync.as_uuid",
    "text[]": "notion_sync.as_text_array",
    "uuid[]": "notion_sync.as_uuid_array",
}

# As the catalog's format_type() names them.
_CATALOG_NAMES = {"timestamptz": "timestamp with time zone"}


@dataclass(frozen=True)
class SharedColumn:
    """A column that a data source brings into a view; `property_name` and `property_type` are Notion's."""

    name: str
    type: str
    property_name: str
    property_type: str


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view, with its type as the catalog names it, and what is said of it."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class ViewDefinition:
    """A view: its name, its columns beside the fixed ones, the tables and databases whose rows it shows.

    `left_out`: how many columns there was no room for.
    """

    name: str
    columns: tuple[ViewColumn, ...]
    tables: tuple[SyncTable, ...]
    database_ids: tuple[str, ...]
    left_out: int = 0

    @property
    def fingerprint(self) -> str:
        """A text that is another when the view has to be made anew."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


# What every view has first, by catalog type, and from what.
FIXED_COLUMNS = (
    ("page_id", "uuid", "notion_sync.as_uuid(notion_page_id)"),
    ("user_id", "text", "user_id"),
    ("database_id", "uuid", "notion_sync.as_uuid(notion_database_id)"),
    ("data_source_id", "uuid", "notion_sync.as_uuid(notion_data_source_id)"),
    ("url", "text", "url"),
    ("notion_created_at", "timestamp with time zone", "notion_created_at"),
    ("notion_edited_at", "timestamp with time zone", "notion_edited_at"),
    ("last_synced_at", "timestamp with time zone", "last_synced_at"),
)


def define_view(
    name: str, shared: Iterable[SharedColumn], tables: Sequence[SyncTable], database_ids: Iterable[str]
) -> ViewDefinition:
    """The view that shows the `shared` columns: the title first, then by name; of two types the column is text."""
    by_name: dict[str, list[SharedColumn]] = {}
    for column in shared:
        by_name.setdefault(column.name, []).append(column)
    order = sorted(by_name, key=lambda one: (by_name[one][0].property_type != "title", one))
    room = MOST_COLUMNS - len(FIXED_COLUMNS)
    columns = tuple(ViewColumn(one, _type_of(by_name[one]), _comment_of(by_name[one])) for one in order[:room])
    return ViewDefinition(name, columns, tuple(tables), tuple(sorted(database_ids)), max(0, len(order) - room))


def with_columns_of(definition: ViewDefinition, existing: Sequence[tuple[str, str]]) -> ViewDefinition:
    """The same view in a form in which it can replace one that has the `existing` columns (name, type), and in their
    order: a column that would go stays, as it was; one of another type keeps its type; new ones come last."""
    wanted = {column.name: column for column in definition.columns}
    fixed = {name for name, _, _ in FIXED_COLUMNS}
    kept = [
        ViewColumn(name, type_, wanted[name].comment if name in wanted else "No longer a property in Notion.")
        for name, type_ in existing
        if name not in fixed
    ]
    names = {column.name for column in kept}
    new = [column for column in definition.columns if column.name not in names]
    room = MOST_COLUMNS - len(FIXED_COLUMNS)
    columns = tuple([*kept, *new][:room])
    return ViewDefinition(definition.name, columns, definition.tables, definition.database_ids, definition.left_out)


def can_replace(definition: ViewDefinition, existing: Sequence[tuple[str, str]]) -> bool:
    """Whether PostgreSQL lets a view with the `existing` columns be replaced by this one, in its own order."""
    wanted = [(name, type_) for name, type_, _ in FIXED_COLUMNS]
    wanted += [(column.name, column.type) for column in definition.columns]
    return wanted[: len(existing)] == list(existing)


def statement_of(definition: ViewDefinition) -> sql.Composed:
    """The statement that creates or replaces the view, so that its reader's own rights and policies count."""
    fixed = [sql.SQL(source + " AS ") + sql.Identifier(name) for name, _, source in FIXED_COLUMNS]
    columns = sql.SQL(",\n    ").join([*fixed, *(_expression(column) for column in definition.columns)])
    selects = [
        sql.SQL(
            "SELECT\n    {columns}\nFROM {table}\n"
            "WHERE notion_page_id IS NOT NULL AND notion_data_source_id IS NOT NULL\n"
            "  AND notion_database_id = ANY ({ids})"
        ).format(columns=columns, table=table.identifier, ids=sql.Literal(list(definition.database_ids)))
        for table in definition.tables
    ]
    return sql.SQL("CREATE OR REPLACE VIEW {} WITH (security_invoker = true) AS\n").format(
        sql.Identifier(SCHEMA, definition.name)
    ) + sql.SQL("\nUNION ALL\n").join(selects)


def _expression(column: ViewColumn) -> sql.Composed:
    field = sql.Literal(column.name)
    if column.type == "jsonb":
        source = sql.SQL("fields -> {}").format(field)
    elif cast := _CASTS.get(column.type):
        source = sql.SQL(cast + "(fields -> {})").format(field)
    else:
        source = sql.SQL("fields ->> {}").format(field)
    return source + sql.SQL(" AS ") + sql.Identifier(column.name)


def _type_of(shared: Sequence[SharedColumn]) -> str:
    types = {column.type for column in shared} - {_UNDETERMINED}
    type_ = types.pop() if len(types) == 1 else TEXT
    return _CATALOG_NAMES.get(type_, type_)


def _comment_of(shared: Sequence[SharedColumn]) -> str:
    said = sorted({f"{column.property_name} ({column.property_type})" for column in shared})
    return "Notion: " + ", ".join(said)
