"""docs/upgrading.md says how to uninstall: typed as printed, nothing of the tool is left in PostgreSQL."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer

from notion_pg_sync.settings import Settings
from tests.fences import ROOT, blocks
from tests.installation import TABLES, Installation

PAGE = ROOT / "docs" / "upgrading.md"
# What there is of every kind that the tool makes, a line each, all databases' own things left out.
CATALOG = r"""
    SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$)'
    UNION ALL
    SELECT format('%s %s', CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, oid::regprocedure) FROM pg_proc
    WHERE pronamespace <> ALL ('{pg_catalog,information_schema}'::regnamespace[])
    UNION ALL
    SELECT format('trigger %s of %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT format('policy %s of %s', polname, polrelid::regclass) FROM pg_policy
    UNION ALL
    SELECT format('table %s %s', oid::regclass, reloptions) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'
    UNION ALL
    SELECT format('column %s of %s', attname, attrelid::regclass) FROM pg_attribute
    WHERE attnum > 0 AND NOT attisdropped
        AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i')
"""


class Left:
    """A database, and what is in it."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def catalog(self) -> set[str]:
        return {line for (line,) in self._connection.execute(CATALOG.encode())}

    def ids(self) -> set[tuple[str, object]]:
        """The rows of the sync tables."""
        rows = [(table, self._connection.execute(f"SELECT id FROM {table}".encode())) for table in TABLES]
        return {(table, id_) for table, found in rows for (id_,) in found}

    def types(self, *kinds: str) -> None:
        for kind in kinds:
            (block,) = blocks(PAGE, f"sql {kind}")
            self._connection.execute(block.encode())

    def execute(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def close(self) -> None:
        self._connection.close()


async def use(url: str, small: SmallWorkspace) -> None:
    """Makes everything that the tool makes: tables, views, functions, policies of tenants and of a reader, rows."""
    with WorkspaceServer(small.workspace) as notion:
        installation = Installation(Settings(database_url=url, notion_base_url=notion.url), small.workspace)
        await installation.init(row_security=True)
        databases = {name: small.databases[name] for name in small.shared["anna"]}
        await installation.connect("anna", small.tokens["anna"], databases, auto_sync_enabled=True)
        await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
        assert (await installation.sync_all()).failures == []


async def test_where_the_tool_made_the_tables_nothing_is_left(database_url: str, small: SmallWorkspace) -> None:
    left = Left(database_url)
    before = left.catalog()
    await use(database_url, small)
    assert len(left.catalog() - before) > 100
    left.types("uninstall", "uninstall made")
    assert left.catalog() == before
    left.close()


async def test_the_applications_tables_stay_as_they_were_with_their_rows(
    database_url: str, small: SmallWorkspace, app_schema: str
) -> None:
    left = Left(database_url)
    left.execute(app_schema)
    left.execute("DELETE FROM user_settings")
    before, rows = left.catalog(), left.ids()
    await use(database_url, small)
    synced = left.ids()
    left.types("uninstall", "uninstall adopted")
    assert left.catalog() == before
    assert left.ids() == synced
    assert rows
    left.close()


async def test_a_role_of_the_tool_can_be_dropped(database_url: str, small: SmallWorkspace) -> None:
    left, role = Left(database_url), f"tool_{uuid4().hex}"
    (block,) = blocks(PAGE, "sql uninstall roles")
    left.execute(f"CREATE ROLE {role}")
    await use(database_url, small)
    left.execute(f"GRANT SELECT ON user_settings TO {role}")
    left.execute(block.replace("notion_pg_sync", role))
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        left.execute(f"SET ROLE {role}")
    left.close()
