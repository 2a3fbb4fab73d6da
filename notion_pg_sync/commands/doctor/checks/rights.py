"""Whether the tool's role may do its work, and sees all rows that there are."""

from __future__ import annotations

from notion_pg_sync.commands.doctor.checks.check import EVERYTHING, Check, Examination, Finding, broken, ok
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, SECTION
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis.rights import missing_rights
from notion_pg_sync.mirror.diagnosis.row_security import (
    ALL_COMMANDS,
    GuardedTable,
    fix_of_hidden_rows,
    fix_of_hidden_settings,
    hides_from_us,
    look_at_table,
)
from notion_pg_sync.mirror.tables import find_tables


async def _rights(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        missing = await missing_rights(connection, examination.schema)
    return [broken(f"the role {right.role} may not: {right.what}", right.grant, EVERYTHING) for right in missing] or [
        ok("the tool may read user_settings, and write the sync tables and the typed views")
    ]


async def _visible_rows(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        settings = await look_at_table(connection, examination.schema, "user_settings")
        names = await find_tables(connection, examination.schema)
        tables = [await look_at_table(connection, examination.schema, name) for name in sorted(names)]
    return visible_rows(settings, [table for table in tables if table])


def visible_rows(settings: GuardedTable | None, tables: list[GuardedTable]) -> list[Finding]:
    """What row level security keeps from the tool's own role."""
    findings = []
    if settings and hides_from_us(settings, ("SELECT",)):
        seen = f"row level security of {settings.qualified_name} may hide users from the role {settings.role}"
        findings.append(broken(seen, fix_of_hidden_settings(settings), EVERYTHING))
    findings += [
        broken(
            f"row level security of {table.qualified_name} may hide rows from the role {table.role}, or refuse them",
            fix_of_hidden_rows(table),
            EVERYTHING,
        )
        for table in tables
        if hides_from_us(table, ALL_COMMANDS)
    ]
    return findings or [ok("row level security hides no row from the tool")]


RIGHTS = Check("rights", SECTION, _rights, needs=(INITIALISED,))
RIGHTS_CHECKS = (RIGHTS, Check("visible rows", SECTION, _visible_rows, needs=(INITIALISED,)))
