"""Whether the tool sees every row, each tenant what is theirs, and nobody else tokens or other people's rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from notion_pg_sync.commands.doctor.checks.check import EVERYTHING, Check, Examination, Finding, broken, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, SECTION
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.accounts import TOKEN_COLUMNS
from notion_pg_sync.mirror.adoption import own_policy
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis.row_security import (
    ALL_COMMANDS,
    PUBLIC,
    GuardedTable,
    exposed_to,
    fix_of_exposed_settings,
    fix_of_fragile,
    fix_of_hidden_rows,
    fix_of_hidden_settings,
    fix_of_open,
    fix_of_unguarded,
    fragile_policies,
    hides_from_us,
    look_at_table,
    open_policies,
)
from notion_pg_sync.mirror.diagnosis.sync_tables import views_of_their_owner
from notion_pg_sync.mirror.tables import find_tables, known_tables

INIT_ROW_SECURITY = "notion-pg-sync init --row-security"


async def _visible_rows(examination: Examination) -> list[Finding]:
    settings, tables = await _guarded(examination)
    kinds = (
        (settings, ALL_COMMANDS[:1], fix_of_hidden_settings, "hide users from the role {}"),
        (tables, ALL_COMMANDS, fix_of_hidden_rows, "hide rows from the role {}, or refuse them"),
    )
    return [
        broken(f"row level security of {table.qualified_name} may {what.format(table.role)}", fix(table), EVERYTHING)
        for guarded, commands, fix, what in kinds
        for table in guarded
        if hides_from_us(table, commands)
    ] or [ok("row level security hides no row from the tool")]


async def _row_security(examination: Examination) -> list[Finding]:
    settings, tables = await _guarded(examination)
    seen_by_init = {table.name for table in known_tables(examination.schema)}
    findings = unguarded([table for table in tables if not table.row_security], seen_by_init)
    findings += without_readers(tables)
    findings += [finding for table in [*settings, *tables] for finding in fragile(table)]
    return findings or [ok("row level security is on for every sync table, with policies for its readers")]


def unguarded(tables: Sequence[GuardedTable], seen_by_init: Collection[str]) -> list[Finding]:
    """Sync tables without row level security, those together that `init` can switch it on for."""
    by_init = [table for table in tables if table.owned and table.name in seen_by_init]
    groups = [(by_init, "")] if by_init else []
    groups += [([table], fix_of_unguarded(table)) for table in tables if table not in by_init]
    needs = f"give the application's roles their policies, then type {INIT_ROW_SECURITY!r}"
    return [
        warning(
            f"row level security is off on {', '.join(table.qualified_name for table in group)}: every role that may "
            "read there reads every user's rows",
            fix,
            needs="" if fix else needs,
        )
        for group, fix in groups
    ]


def without_readers(tables: Sequence[GuardedTable]) -> list[Finding]:
    """The guarded sync tables that have no policy by which tenants see their rows, together."""
    closed = [table for table in tables if table.row_security and not _has_readers(table)]
    names = some([table.qualified_name for table in closed])
    seen = f"row level security is on for {names}, but no policy lets anybody see their rows"
    return [warning(seen, "\n".join(map(fix_of_unguarded, closed)))] if closed else []


def _has_readers(table: GuardedTable) -> bool:
    return any(one.governs("SELECT") and one.name != own_policy(table.role) for one in table.policies)


def fragile(table: GuardedTable) -> list[Finding]:
    """The policies of a table that fail in a session whose claims are empty."""
    return [
        warning(
            f"the policy {policy.name!r} of {table.qualified_name} raises an error in a session in which the setting "
            "that it reads is empty, as pooled sessions leave it",
            fix_of_fragile(table, policy),
        )
        for policy in fragile_policies(table)
    ]


async def _exposure(examination: Examination) -> list[Finding]:
    settings, tables = await _guarded(examination)
    findings = [finding for table in settings for finding in exposed_settings(table)]
    findings += [finding for table in tables for finding in exposed_rows(table)]
    findings += [
        warning(f"the view {view} shows every user's rows to every role that may read it (no security_invoker)", fix)
        for view, fix in await examination.ask(views_of_their_owner)
    ]
    return findings or [ok("no token and no other user's row is open to everybody")]


def exposed_settings(table: GuardedTable) -> list[Finding]:
    """Who of those who should not can read the tokens in `user_settings`, or change its rows."""
    readers, writers = exposed_to(table, TOKEN_COLUMNS, "SELECT"), exposed_to(table, None, "UPDATE")
    openings = [
        policy
        for policy in table.policies
        if policy in open_policies(table, "SELECT") or policy in open_policies(table, "UPDATE")
    ]
    fix = fix_of_open(table, openings) if table.row_security else fix_of_exposed_settings(table, {*readers, *writers})
    findings = []
    if readers:
        findings.append(broken(f"{_named(readers)} can read every user's token in {table.qualified_name}", fix))
    if writers:
        seen = f"{_named(writers)} can change every user's row of {table.qualified_name}"
        findings.append(broken(seen, "" if readers else fix))
    if openings and not findings:
        seen = (
            f"{_policies([policy.name for policy in openings])} of {table.qualified_name} would open every user's "
            "row, tokens included, to every role that may read or change the table"
        )
        findings.append(warning(seen, fix))
    return findings


def exposed_rows(table: GuardedTable) -> list[Finding]:
    """Who of those who should not can read every user's rows of a sync table."""
    readers = exposed_to(table, None, "SELECT")
    if not readers:
        return []
    fix = fix_of_open(table, open_policies(table, "SELECT")) if table.row_security else fix_of_unguarded(table)
    return [warning(f"{_named(readers)} can read every user's rows in {table.qualified_name}", fix)]


def _named(roles: Sequence[str]) -> str:
    return "every role (PUBLIC)" if PUBLIC in roles else f"the role {' and the role '.join(roles)}"


def _policies(names: Sequence[str]) -> str:
    return f"the policy {names[0]}" if len(names) == 1 else f"the policies {' and '.join(names)}"


async def _guarded(examination: Examination) -> tuple[list[GuardedTable], list[GuardedTable]]:
    """`user_settings`, and the sync tables."""
    async with transaction(examination.pool) as connection:
        names = sorted(await find_tables(connection, examination.schema))
        found = [await look_at_table(connection, examination.schema, name) for name in ["user_settings", *names]]
    settings, *tables = found
    return [settings] if settings else [], [table for table in tables if table]


ROW_SECURITY_CHECKS = (
    Check("visible rows", SECTION, _visible_rows, needs=(INITIALISED,)),
    Check("row level security", SECTION, _row_security, needs=(INITIALISED,)),
    Check("open to everybody", SECTION, _exposure, needs=(INITIALISED,)),
)
