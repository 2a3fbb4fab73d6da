"""Whether the sync tables can take what is written, and let go what leaves Notion."""

from __future__ import annotations

from notion_pg_sync.commands.doctor.checks.check import EVERYTHING, Check, Examination, Finding, broken, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, RIGHTS, SECTION
from notion_pg_sync.commands.doctor.checks.wording import without_advice
from notion_pg_sync.mirror.adoption import Changes
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis.sync_tables import (
    ForeignKey,
    foreign_keys_to,
    pending_changes,
    replacement,
    statements_of,
)
from notion_pg_sync.mirror.initialise import seen_by_init
from notion_pg_sync.mirror.tables import find_tables, renamed_tables, strange_tables

_BY_HAND = "let the table's owner change that, then run 'notion-pg-sync init'"


async def _unique_keys(examination: Examination) -> list[Finding]:
    schema = examination.schema
    async with transaction(examination.pool) as connection:
        strange = {table.relation.name for table in await strange_tables(connection, schema)}
        seen = await seen_by_init(connection, schema)
        ours = {table.name: table for table in seen if table.name not in strange}
        tables = ours | await find_tables(connection, schema)
        pending = {name: await pending_changes(connection, tables[name]) for name in sorted(tables)}
        renamed = await renamed_tables(connection, schema)
    for name, changes in pending.items():
        if misfit := renamed.get(f"{schema}.{name}"):
            changes.misfits(misfit)
    findings = [finding for name, changes in pending.items() for finding in unfit(changes, seen_by_init=name in ours)]
    findings += [
        warning(key, needs="decide whether the application needs this key")
        for changes in pending.values()
        for key in changes.keys_of_its_own
    ]
    return findings or [ok("every sync table has its columns, and its key on (user_id, notion_page_id)")]


def unfit(changes: Changes, *, seen_by_init: bool) -> list[Finding]:
    """What `init` would change in one sync table; `seen_by_init`: it is one of those that `init` sees to."""
    if changes.problems:
        return [
            broken(without_advice(problem), remedy, EVERYTHING, needs="" if remedy else _BY_HAND)
            for problem in changes.problems
            for remedy in [changes.remedies.get(problem, "")]
        ]
    if not changes.every:
        return []
    said = "; ".join(change.says for change in changes.every)
    by_hand = changes.owner is not None or not seen_by_init
    owner = f" (as {changes.owner}, who owns it)" if changes.owner else ""
    seen = f"{changes.relation} is not as it should be{owner}: {said}"
    return [broken(seen, statements_of(changes) if by_hand else "notion-pg-sync init --yes", EVERYTHING)]


async def _foreign_keys(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        tables = await find_tables(connection, examination.schema)
        keys = [key for name in sorted(tables) for key in await foreign_keys_to(connection, tables[name])]
    return [foreign_key(key) for key in keys] or [ok("no foreign key points at a sync table")]


def foreign_key(key: ForeignKey) -> Finding:
    """What a foreign key does when a row leaves Notion."""
    points = f"{key.qualified_table} points at {key.target} (foreign key {key.name}, ON DELETE {key.action})"
    match key.action:
        case "CASCADE":
            seen = f"{points}: when a row leaves Notion, the rows that point at it are deleted too"
            return warning(seen, replacement(key))
        case "SET NULL" if not key.nullable:
            seen = f"{points}, but a column of it is NOT NULL: a row that leaves Notion cannot be removed"
            return warning(f"{seen} while something points at it", replacement(key))
        case "SET NULL" | "SET DEFAULT":
            return ok(f"{points}: rows that leave Notion can go")
        case _:
            stays = "a row that leaves Notion stays while something points at it, and the run says so"
            return ok(f"{points}: {stays}")


SYNC_TABLE_CHECKS = (
    Check("unique keys", SECTION, _unique_keys, needs=(INITIALISED, RIGHTS)),
    Check("foreign keys", SECTION, _foreign_keys, needs=(INITIALISED,)),
)
