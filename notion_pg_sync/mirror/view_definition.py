"""Pure: the statement that makes a typed view, and whose rows it shows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from msgspec import Struct, field
from psycopg import sql

from notion_pg_sync.mirror.view_columns import COMMENT_MARK, ViewColumn

SCHEMA = "notion"

# What the comment on a view ends with, as a regular expression.
KEPT_BY_THE_TOOL = r"^Notion: .*\(kept by notion-pg-sync\)$"


class ViewSource(Struct, frozen=True):
    """A user's data source whose rows a view shows: the sync table that has them, the name of its database.

    `listed_table`: that table as `notion_sync.view_sources` has it. `bridges`: its columns that hold several values,
    each with the type of its property. `has_bodies`: bodies of its pages are kept. `title`: what Notion calls the
    database, empty where that is not known.
    """

    schema: str
    table: str
    listed_table: str
    database_name: str
    user_id: str
    data_source_id: str
    bridges: Mapping[str, str] = field(default_factory=dict)
    has_bodies: bool = False
    title: str = ""


class View(Struct, frozen=True):
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
            "": f"{COMMENT_MARK}{self._databases or 'no database any more'}{self._holds} (kept by notion-pg-sync)",
            **{column.name: column.comment for column in self.columns},
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
        return sql.SQL("CREATE {} {} WITH (security_invoker = true) AS\n{}").format(
            sql.SQL("OR REPLACE VIEW" if replacing else "VIEW"),
            self.identifier,
            sql.SQL("\nUNION ALL\n").join(self._selects() if self.sources else [self._select_nothing()]),
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

    @property
    def _holds(self) -> str:
        """What it shows of these databases, where that is not the rows."""
        return ""

    def _selects(self) -> list[sql.Composed]:
        """What shows the rows, by table. Every role can read the definition, so it names nobody whose rows they are."""
        tables = sorted({(source.schema, source.table, source.listed_table) for source in self.sources})
        return [
            sql.SQL(
                "SELECT\n    {}\nFROM notion_sync.view_sources AS shown"
                "\nJOIN {} AS page ON page.user_id = shown.user_id AND page.notion_data_source_id = "
                "shown.notion_data_source_id{}\nWHERE shown.view_name = {} AND shown.sync_table = {}{}"
            ).format(self._shown(), sql.Identifier(schema, table), self._items(), self.listed_as, listed, self._only())
            for schema, table, listed in tables
        ]

    def _select_nothing(self) -> sql.Composed:
        return sql.SQL("SELECT\n    {}\nWHERE false").format(
            _listed({column.name: _null(column) for column in self.columns})
        )

    def _shown(self) -> sql.Composed:
        return _listed(
            {
                column.name: _null(column)
                if column.expression is None
                else sql.SQL(column.expression).format(field=sql.Literal(column.field))
                for column in self.columns
            }
        )

    def _items(self) -> sql.Composable:
        """What gives a row more rows."""
        return sql.SQL("")

    def _only(self) -> sql.Composable:
        """What keeps data sources out."""
        return sql.SQL("")


def _listed(expressions: Mapping[str, sql.Composable]) -> sql.Composed:
    return sql.SQL(",\n    ").join(
        sql.SQL("{} AS {}").format(expression, sql.Identifier(name)) for name, expression in expressions.items()
    )


def _null(column: ViewColumn) -> sql.Composed:
    return sql.SQL("NULL::{}").format(sql.SQL(column.type))
