"""Pure: what a typed view shows, worked out from the columns of all who share it, and the statement that makes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from notion_pg_sync.core.columns import MAX_NAME_BYTES, UNDETERMINED

SCHEMA = "notion"
MOST_COLUMNS = 1000

# A column's name and its type, as format_type() says it.
Typed = tuple[str, str]

# What every view shows first, and from what: names as in RESERVED_NAMES. Not every sync table has the database's name.
_FIXED = {
    "page_id": ("uuid", "notion_sync.as_notion_id(page.notion_page_id)"),
    "user_id": ("text", "page.user_id::text"),
    "database_id": ("uuid", "notion_sync.as_notion_id(page.notion_database_id)"),
    "database_name": ("text", "shown.database_name"),
    "data_source_id": ("uuid", "notion_sync.as_uuid(page.notion_data_source_id)"),
    "url": ("text", "page.url::text"),
    "notion_created_at": ("timestamp with time zone", "page.notion_created_at"),
    "notion_edited_at": ("timestamp with time zone", "page.notion_edited_at"),
    "last_synced_at": ("timestamp with time zone", "page.last_synced_at"),
}
FIXED_COLUMNS = tuple(_FIXED)

# What views read of a sync table.
READ_COLUMNS = (
    *("user_id", "notion_page_id", "notion_database_id", "notion_data_source_id", "fields", "url"),
    *("notion_created_at", "notion_edited_at", "last_synced_at"),
)

# What the view of a relation shows, one row a related page. A page has as many rows as it has related pages, or none.
_RELATION = {
    "user_id": ("text", "page.user_id::text"),
    "page_id": ("uuid", "notion_sync.as_notion_id(page.notion_page_id)"),
    "related_page_id": ("uuid", "related.page_id"),
    "position": ("integer", "related.position::integer"),
}
RELATION_COLUMNS = tuple(_RELATION)
_BETWEEN_VIEW_AND_COLUMN = "__"

# How a property's plain value is shown as a column's type: none of these can fail, whatever the value.
_FIELD = {
    "text": "page.fields ->> {field}",
    "numeric": "notion_sync.as_numeric(page.fields -> {field})",
    "boolean": "notion_sync.as_boolean(page.fields -> {field})",
    "date": "notion_sync.as_date(page.fields ->> {field})",
    "timestamp with time zone": "notion_sync.as_timestamptz(page.fields ->> {field})",
    "uuid": "notion_sync.as_uuid(page.fields ->> {field})",
    "text[]": "notion_sync.as_text_array(page.fields -> {field})",
    "uuid[]": "notion_sync.as_uuid_array(page.fields -> {field})",
    "jsonb": "nullif(page.fields -> {field}, 'null')",
}
# People stand beside their ids by name too: how the ids are shown, and how the column with the names ends.
_PEOPLE = {
    "uuid[]": (
        "notion_sync.names_of(page.user_id::text, notion_sync.as_uuid_array(page.fields -> {field}))",
        "text[]",
        "_names",
    ),
    "uuid": (
        "(notion_sync.names_of(page.user_id::text, ARRAY[notion_sync.as_uuid(page.fields ->> {field})]))[1]",
        "text",
        "_name",
    ),
}
_PEOPLE_TYPES = frozenset({"people", "created_by", "last_edited_by"})
# As the catalog's format_type() names them.
_CATALOG_NAMES = {"timestamptz": "timestamp with time zone"}

# Comments that begin so are ours; a person's own stay.
COMMENT_MARK = "Notion: "
# What the comment on a view ends with, as a regular expression.
KEPT_BY_THE_TOOL = r"^Notion: .*\(kept by notion-pg-sync\)$"


@dataclass(frozen=True, order=True)
class ViewSource:
    """A user's data source whose rows a view shows: the sync table that has them, the name of its database.

    `listed_table`: that table as `notion_sync.view_sources` has it. `relations`: its columns that hold related pages.
    `title`: what Notion calls the database, empty where that is not known.
    """

    schema: str
    table: str
    listed_table: str
    database_name: str
    user_id: str
    data_source_id: str
    relations: Sequence[str]
    title: str = ""


@dataclass(frozen=True)
class SharedColumn:
    """A column that a data source brings into a view; `property_name` and `property_type` are Notion's.

    `is_unfit`: some values are of another type than it is. `new_type`: the type that the property would have by now,
    where that is another.
    """

    name: str
    type: str
    property_name: str
    property_type: str
    is_unfit: bool = False
    new_type: str | None = None

    @property
    def shown_type(self) -> str:
        """Its type in the view: text, which holds everything, while the property's values are of its new type."""
        return "text" if self.is_unfit and self.new_type else self.type


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view, with its type as the catalog names it; `comment` is None for the fixed ones.

    `names_of`: the column of people's ids, with its type, whose names this one shows. An empty one shows nothing but
    nulls: something depends on a view that has it.
    """

    name: str
    type: str
    comment: str | None = None
    is_empty: bool = False
    names_of: Typed | None = None


@dataclass(frozen=True)
class View:
    """A view with its columns, in order, and whose rows it shows."""

    name: str
    columns: tuple[ViewColumn, ...]
    sources: tuple[ViewSource, ...]

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, to be composed into a statement."""
        return sql.Identifier(SCHEMA, self.name)

    @property
    def comments(self) -> dict[str, str]:
        """What is said of its columns and, under the empty name, of itself."""
        return {
            "": f"{COMMENT_MARK}{self._databases or 'no database any more'} (kept by notion-pg-sync)",
            **{column.name: column.comment for column in self.columns if column.comment is not None},
        }

    @property
    def fingerprint(self) -> str:
        """Changes whenever the view must be recreated."""
        told = f"{self.statement(replacing=True).as_string(None)}{self.comments}"
        return hashlib.sha256(told.encode()).hexdigest()

    def statement(self, *, replacing: bool) -> sql.Composed:
        """The statement that creates or replaces the view, so that its reader's own rights and policies count.

        A replace without `security_invoker` would drop it (https://www.postgresql.org/docs/current/sql-createview.html).
        """
        tables = sorted({(source.schema, source.table, source.listed_table) for source in self.sources})
        selects = [self._select(sql.Identifier(schema, table), listed) for schema, table, listed in tables]
        return sql.SQL("CREATE {} {} WITH (security_invoker = true) AS\n{}").format(
            sql.SQL("OR REPLACE VIEW" if replacing else "VIEW"),
            self.identifier,
            sql.SQL("\nUNION ALL\n").join(selects or [self._select_nothing()]),
        )

    @property
    def listed_as(self) -> str:
        """The view by which `notion_sync.view_sources` lists whose rows it shows."""
        return self.name

    @property
    def _databases(self) -> str:
        """The names; with what Notion calls a database by now, as long as all are one user's."""
        is_one_users = len({source.user_id for source in self.sources}) == 1
        return ", ".join(
            sorted(
                f"{source.database_name} ({source.title} in Notion now)"
                if is_one_users and source.title not in ("", source.database_name)
                else source.database_name
                for source in {(one.database_name, one.title): one for one in self.sources}.values()
            )
        )

    def _select(self, table: sql.Identifier, listed_table: str) -> sql.Composed:
        """The rows of one table. Every role can read the definition, so it names nobody whose rows they are."""
        return sql.SQL(
            "SELECT\n    {}\nFROM notion_sync.view_sources AS shown"
            "\nJOIN {} AS page ON page.user_id = shown.user_id AND page.notion_data_source_id = "
            "shown.notion_data_source_id{}\nWHERE shown.view_name = {} AND shown.sync_table = {}{}"
        ).format(
            self._shown_as({column.name: self._shown(column) for column in self.columns}),
            table,
            self._from_beside(),
            self.listed_as,
            listed_table,
            self._only(),
        )

    def _select_nothing(self) -> sql.Composed:
        nulls = {column.name: sql.SQL("NULL::{}").format(sql.SQL(column.type)) for column in self.columns}
        return sql.SQL("SELECT\n    {}\nWHERE false").format(self._shown_as(nulls))

    def _shown_as(self, expressions: Mapping[str, sql.Composable]) -> sql.Composed:
        return sql.SQL(",\n    ").join(
            sql.SQL("{} AS {}").format(expression, sql.Identifier(name)) for name, expression in expressions.items()
        )

    def _from_beside(self) -> sql.Composable:
        return sql.SQL("")

    def _only(self) -> sql.Composable:
        return sql.SQL("")

    def _shown(self, column: ViewColumn) -> sql.Composable:
        if column.is_empty:
            return sql.SQL("NULL::{}").format(sql.SQL(column.type))
        if column.names_of is not None:
            ids, type_ = column.names_of
            return sql.SQL(_PEOPLE[type_][0]).format(field=sql.Literal(ids))
        expression = _FIXED[column.name][1] if column.name in _FIXED else _FIELD[column.type]
        return sql.SQL(expression).format(field=sql.Literal(column.name))


@dataclass(frozen=True)
class RelationView(View):
    """A view with a row for each page that a column of the view `typed_view` relates a page to."""

    typed_view: str
    relation: str

    @classmethod
    def of(cls, typed_view: str, relation: str, sources: Iterable[ViewSource]) -> RelationView:
        """The view of the column `relation`, over those of the `sources` in which it holds related pages."""
        columns = tuple(ViewColumn(name, type_) for name, (type_, _) in _RELATION.items())
        related = tuple(source for source in sources if relation in source.relations)
        return cls(relation_view_name(typed_view, relation), columns, related, typed_view, relation)

    @property
    def comments(self) -> dict[str, str]:
        """What is said of the view itself."""
        return {"": f"{COMMENT_MARK}{self._databases}, related pages of {self.relation} (kept by notion-pg-sync)"}

    @property
    def listed_as(self) -> str:
        """See `View.listed_as`."""
        return self.typed_view

    def _from_beside(self) -> sql.Composable:
        return sql.SQL(
            "\nCROSS JOIN unnest(notion_sync.as_uuid_array(page.fields -> {}))"
            " WITH ORDINALITY AS related (page_id, position)"
        ).format(self.relation)

    def _only(self) -> sql.Composable:
        return sql.SQL(" AND {} = ANY (shown.relations)").format(self.relation)

    def _shown(self, column: ViewColumn) -> sql.Composable:
        return sql.SQL(_RELATION[column.name][1])


@dataclass(frozen=True)
class Arrangement:
    """A view's columns, in order, in the light of those that it has.

    `misfits`: columns that it has and should not have, or not with that type. `left_out`: those that there is no room
    for.
    """

    columns: tuple[ViewColumn, ...]
    misfits: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def columns_of_all(shared: Iterable[SharedColumn]) -> list[ViewColumn]:
    """The columns of a view that shows the `shared` ones: the fixed ones, the title, the others by name.

    Those of people are followed by one with their names, unless another has its name. Of two types the column is text;
    a type that is not determined yet gives way.
    """
    by_name: dict[str, list[SharedColumn]] = {}
    for column in shared:
        by_name.setdefault(column.name, []).append(column)
    order = sorted(by_name, key=lambda name: (all(one.property_type != "title" for one in by_name[name]), name))
    return [
        *(ViewColumn(name, type_) for name, (type_, _) in _FIXED.items()),
        *(column for name in order for column in _with_names(name, by_name)),
    ]


def _with_names(name: str, by_name: Mapping[str, Sequence[SharedColumn]]) -> list[ViewColumn]:
    """The column of that name and, where it holds people, the one with their names."""
    shared = by_name[name]
    column = ViewColumn(name, _type_of(shared), _comment_of(shared))
    if column.type not in _PEOPLE or any(one.property_type not in _PEOPLE_TYPES for one in shared):
        return [column]
    _, type_, ending = _PEOPLE[column.type]
    if name + ending in by_name or len((name + ending).encode()) > MAX_NAME_BYTES:
        return [column]
    return [column, ViewColumn(name + ending, type_, f"{column.comment}, by name", names_of=(name, column.type))]


def arrange(wanted: Sequence[ViewColumn], existing: Sequence[Typed] = (), *, keep: bool = False) -> Arrangement:
    """The `wanted` columns in the order of the `existing` ones, new ones last, as PostgreSQL replaces a view.

    `keep`: existing columns stay, each with its type, whatever is wanted; one that is not wanted at all is empty.
    """
    by_name = {column.name: column for column in wanted}
    misfits = tuple(name for name, type_ in existing if name not in by_name or by_name[name].type != type_)
    if keep:
        kept = [_as_it_was(by_name.get(name), name, type_) for name, type_ in existing]
    else:
        kept = [by_name[name] for name, _ in existing if name in by_name]
    names = {column.name for column in kept}
    columns = [*kept, *(column for column in wanted if column.name not in names)]
    left_out = tuple(column.name for column in columns[MOST_COLUMNS:])
    return Arrangement(tuple(columns[:MOST_COLUMNS]), misfits, left_out)


def relation_views(typed_view: str, sources: Sequence[ViewSource]) -> list[RelationView]:
    """The views of all relations that the `sources` of a typed view bring into it."""
    relations = sorted({relation for source in sources for relation in source.relations})
    return [RelationView.of(typed_view, relation, sources) for relation in relations]


def relation_view_name(typed_view: str, relation: str) -> str:
    """The name of a relation's view, which follows from the two names alone, and so is kept as long as they are.

    No typed view has two underscores in a row in its name. A name that PostgreSQL would cut ends with a hash.
    """
    name = f"{typed_view}{_BETWEEN_VIEW_AND_COLUMN}{relation}"
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    end = f"_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    start = f"{_cut(typed_view, 24)}{_BETWEEN_VIEW_AND_COLUMN}{relation}"
    return _cut(start, MAX_NAME_BYTES - len(end)) + end


def _cut(name: str, most_bytes: int) -> str:
    return name.encode()[:most_bytes].decode(errors="ignore")


def _as_it_was(wanted: ViewColumn | None, name: str, type_: str) -> ViewColumn:
    """A column that a view has and that has to stay, still filled where its type can be."""
    is_field = name not in _FIXED and wanted is not None and wanted.names_of is None
    if wanted is not None and (wanted.type == type_ or (is_field and type_ in _FIELD)):
        return replace(wanted, type=type_)
    return ViewColumn(name, type_, f"{COMMENT_MARK}no property any more; kept for what depends on the view", True)


def _type_of(shared: Sequence[SharedColumn]) -> str:
    types = {column.shown_type for column in shared} - {UNDETERMINED}
    type_ = types.pop() if len(types) == 1 else "text"
    type_ = _CATALOG_NAMES.get(type_, type_)
    return type_ if type_ in _FIELD else "text"


def _comment_of(shared: Sequence[SharedColumn]) -> str:
    said = ", ".join(sorted({f"{column.property_name} ({column.property_type})" for column in shared}))
    is_unfit = _type_of(shared) != "text" and any(column.is_unfit for column in shared)
    as_text = ", ".join(sorted({column.type for column in shared if column.shown_type != column.type}))
    said += f"; shown as text, since it was {as_text} before" if as_text else ""
    return COMMENT_MARK + said + ("; values of another type are null here" if is_unfit else "")
