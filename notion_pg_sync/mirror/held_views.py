"""What the typed view of a data source shows, and its relations' views, as `sync --verify` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from psycopg import sql

from notion_pg_sync.core.columns import UNDETERMINED
from notion_pg_sync.mirror.connection import Pool, transaction

_SCHEMA = "notion"
# More columns a view does not get.
_MOST_COLUMNS = 1000
# Columns whose type is not known yet give way to those of others.
_FULL_NAMES = {"timestamptz": "timestamp with time zone"}


class HeldView(Struct, frozen=True):
    """A typed view of a user's data source.

    `columns`: name -> type as it is; empty where there is no view, or one that shows rows by its owner's rights.
    `wanted`: name -> type as it should be, of the columns for properties. `relations`: column -> name of the
    relation's view. `is_kept`: something depends on the view, so columns may have stayed as they were.
    """

    name: str
    columns: Mapping[str, str]
    wanted: Mapping[str, str]
    relations: Mapping[str, str]
    is_kept: bool

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more columns."""
        return len(self.columns) >= _MOST_COLUMNS


class HeldViews(Struct, frozen=True):
    """The typed views for one user."""

    pool: Pool
    user_id: str

    async def view_of(self, data_source_id: str) -> HeldView | None:
        """The view that should show a data source, None where the user wants none."""
        key = {"user": self.user_id, "source": data_source_id, "schema": _SCHEMA}
        async with transaction(self.pool) as connection:
            found = await connection.execute(
                """
                SELECT view_name FROM notion_sync.accounts
                JOIN notion_sync.data_sources USING (user_id)
                LEFT JOIN notion_sync.databases USING (user_id, database_id)
                WHERE user_id = %(user)s AND data_source_id = %(source)s AND coalesce(databases.views, accounts.views)
                """,
                key,
            )
            named = await found.fetchone()
            if named is None:
                return None
            key["view"] = named[0]
            found = await connection.execute(
                """
                SELECT columns.name,
                       array_agg(DISTINCT CASE WHEN unfit_values > 0 AND new_type IS NOT NULL THEN 'text' ELSE type END)
                FROM notion_sync.accounts
                JOIN notion_sync.data_sources USING (user_id) JOIN notion_sync.columns USING (user_id, data_source_id)
                LEFT JOIN notion_sync.databases USING (user_id, database_id)
                WHERE coalesce(databases.views, accounts.views) AND view_name = %(view)s GROUP BY columns.name
                """,
                key,
            )
            wanted = {name: _shared_type(types) async for name, types in found}
            found = await connection.execute(
                """
                SELECT attname, format_type(atttypid, atttypmod)
                FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
                WHERE relnamespace = to_regnamespace(%(schema)s) AND relname = %(view)s AND relkind = 'v'
                  AND 'security_invoker=true' = ANY (reloptions)
                """,
                key,
            )
            columns = {name: type_ async for name, type_ in found}
            found = await connection.execute(
                "SELECT relation, view_name FROM notion_sync.views"
                " WHERE typed_view = %(view)s AND coalesce(kind, 'relation') = 'relation'",
                key,
            )
            relations = {relation: name async for relation, name in found}
            found = await connection.execute(
                """
                SELECT EXISTS (
                    SELECT FROM pg_depend JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = objid
                    JOIN pg_class ON pg_class.oid = refobjid AND refclassid = 'pg_class'::regclass
                    WHERE relnamespace = to_regnamespace(%(schema)s) AND relname = %(view)s
                      AND ev_class <> pg_class.oid)
                """,
                key,
            )
            (is_kept,) = await found.fetchone() or (False,)
        return HeldView(key["view"], columns, wanted, relations, bool(is_kept))

    async def rows(self, view: HeldView, data_source_id: str, page_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the view shows of these pages, by page id: each row as PostgreSQL's `to_jsonb` gives it."""
        query = sql.SQL(
            "SELECT page_id::text, to_jsonb(shown) FROM {} AS shown"
            " WHERE user_id = %s AND data_source_id = %s::uuid AND page_id::text = ANY (%s)"
        ).format(sql.Identifier(_SCHEMA, view.name))
        async with transaction(self.pool) as connection:
            found = await connection.execute(query, (self.user_id, data_source_id, list(page_ids)))
            return {page_id: row async for page_id, row in found}

    async def related(self, relation_view: str, page_ids: Sequence[str]) -> dict[str, list[str]] | None:
        """What a relation's view shows of these pages: page id -> related pages, in order.

        None where there is no such view, or one with other columns.
        """
        async with transaction(self.pool) as connection:
            found = await connection.execute(
                """
                SELECT attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
                WHERE relnamespace = to_regnamespace(%s) AND relname = %s AND relkind = 'v'
                """,
                (_SCHEMA, relation_view),
            )
            if not {"user_id", "page_id", "related_page_id", "position"} <= {name async for (name,) in found}:
                return None
            query = sql.SQL(
                "SELECT page_id::text, array_agg(related_page_id::text ORDER BY position) FROM {}"
                " WHERE user_id = %s AND page_id::text = ANY (%s) GROUP BY page_id"
            ).format(sql.Identifier(_SCHEMA, relation_view))
            found = await connection.execute(query, (self.user_id, list(page_ids)))
            return {page_id: related async for page_id, related in found}


def _shared_type(types: Sequence[str]) -> str:
    """The type of a column that several data sources share: theirs, where they agree, else text."""
    known = set(types) - {UNDETERMINED}
    type_ = known.pop() if len(known) == 1 else "text"
    return _FULL_NAMES.get(type_, type_)
