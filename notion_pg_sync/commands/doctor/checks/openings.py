"""Whether a stranger in the database could make the tool run something of theirs."""

from __future__ import annotations

from notion_pg_sync.commands.doctor.checks.check import EVERYTHING, Check, Examination, Finding, of_error, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, SECTION
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis.openings import open_schemas, open_tables
from notion_pg_sync.mirror.tables import SETTINGS_TABLE, StrangeTable, find_tables, strange_tables
from notion_pg_sync.mirror.trust import distrust


async def _owners(examination: Examination) -> list[Finding]:
    strange = await examination.ask(lambda connection: strange_tables(connection, examination.schema))
    return [strangers(table) for table in strange] or [ok("every sync table belongs to a role that is trusted")]


def strangers(table: StrangeTable) -> Finding:
    """What it means that a table with the name of a sync table belongs to somebody else."""
    error = distrust(table.relation)
    if table.is_needed:
        return of_error(error, EVERYTHING)
    name, owner = table.relation.qualified_name, table.relation.owner.name
    return warning(f"{name} gets no rows, since it belongs to {owner}, who is not trusted", error.fix)


async def _schemas(examination: Examination) -> list[Finding]:
    return [
        warning(
            f"{opening.holders} may create in the schema {opening.on}: triggers and functions of your application may "
            "then find somebody else's objects there",
            opening.revocation,
        )
        for opening in await examination.ask(lambda connection: open_schemas(connection, examination.schema))
    ] or [ok("only their owners may create in the schemas that matter")]


async def _triggers(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        names = [SETTINGS_TABLE, *await find_tables(connection, examination.schema)]
        found = await open_tables(connection, examination.schema, names)
    return [
        warning(
            f"{opening.holders} may create triggers on {opening.on}, which run with the rights of the tool's role, or "
            "truncate the table, which no policy prevents",
            opening.revocation,
        )
        for opening in found
    ] or [ok("only their owners may create triggers on the tables, or truncate them")]


OPENING_CHECKS = (
    Check("owners", SECTION, _owners, needs=(INITIALISED,)),
    Check("creating in schemas", SECTION, _schemas, needs=(INITIALISED,)),
    Check("triggers", SECTION, _triggers, needs=(INITIALISED,)),
)
