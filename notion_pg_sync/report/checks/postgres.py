"""Whether PostgreSQL is there and holds what the tool needs."""

from __future__ import annotations

from notion_pg_sync.mirror import migrations
from notion_pg_sync.mirror.connection import PostgresError, open_pool, transaction
from notion_pg_sync.mirror.tables import find_schema
from notion_pg_sync.report.checks.check import Check, Examination, Finding, broken, well

SECTION = "PostgreSQL"


async def _reachable(examination: Examination) -> list[Finding]:
    if examination.no_postgres is not None:
        return [broken(examination.no_postgres, "export DATABASE_URL=postgresql://user@host:5432/name")]
    try:
        examination.opened = await examination.resources.enter_async_context(
            open_pool(examination.settings.database_url or "")
        )
    except PostgresError as error:
        return [broken(str(error), "psql \"$DATABASE_URL\" -c 'SELECT 1'")]
    return [well("PostgreSQL answers")]


async def _initialised(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        try:
            await migrations.check_version(connection)
        except PostgresError as error:
            return [broken(str(error), "notion-pg-sync init")]
        schema = await find_schema(connection)
    if schema is None:
        return [broken("there is no table user_settings", "notion-pg-sync init")]
    examination.schema = schema
    return [well(f"the tables of notion-pg-sync are up to date; user_settings is in schema {schema}")]


POSTGRES_CHECKS = (
    Check("reachable", SECTION, _reachable),
    Check("initialised", SECTION, _initialised, needs=("reachable",)),
)
