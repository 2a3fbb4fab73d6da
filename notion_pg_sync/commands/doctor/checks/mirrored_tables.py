"""Whether what was mirrored is where it should be: the tables, as many rows as were read, the typed views."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from notion_pg_sync.commands.doctor.checks.accounts import CONNECTED_USERS
from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, Subject, broken, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, RIGHTS
from notion_pg_sync.commands.doctor.checks.wording import sentence, sync_command, without_advice
from notion_pg_sync.commands.status.retyped import shown_as_text
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror.adoption import Changes
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis.mirrored_tables import (
    MirroredSource,
    like_the_general_one,
    mirrored_sources,
    rows_by_source,
)
from notion_pg_sync.mirror.diagnosis.sync_tables import pending_changes, statements_of
from notion_pg_sync.mirror.jobs import SYNC_ALL
from notion_pg_sync.mirror.preset_tables import fix, rows_go_elsewhere, why_not
from notion_pg_sync.mirror.retyped_columns import retyped_columns
from notion_pg_sync.mirror.tables import (
    GENERAL_TABLE,
    Misfit,
    SyncTable,
    existing_tables,
    find_tables,
    general_shape,
    inspect_tables,
    known_tables,
    own_table_name,
    preset_table_for,
)
from notion_pg_sync.mirror.view_catalog import find_sources
from notion_pg_sync.mirror.views import PendingView, pending_views
from notion_pg_sync.sync.run.configuration import read_configuration

SECTION = "Sync tables"


async def _sources(examination: Examination) -> list[MirroredSource]:
    user_ids = [account.user_id for account in examination.accounts]
    return await examination.ask(lambda connection: mirrored_sources(connection, user_ids))


async def _tables_there(examination: Examination) -> list[Finding]:
    schema = examination.schema
    sources = await _sources(examination)
    names = {source.database_name for source in sources} | {
        database.name
        for account in examination.accounts
        for database in read_configuration(account.databases).databases
    }
    async with transaction(examination.pool) as connection:
        found = await inspect_tables(connection, schema)
        fit = {table.qualified_name for table in found.fit.values()}
        there = await existing_tables(connection, schema, map(own_table_name, names))
        changes = {
            name: await pending_changes(connection, general_shape(schema, name))
            for name in sorted(there)
            if f"{schema}.{name}" not in fit and name not in _known_tables(schema)
        }
        # By its bare name: all tables may have been moved to another schema, which the next sync records.
        gone = [source for source in sources if f"{schema}.{source.sync_table.rpartition('.')[2]}" not in fit]
        needed = {table for name in names if (table := preset_table_for(schema, name))}
        missing = [
            (table, reason)
            for table in sorted(needed, key=lambda table: table.name)
            if table.name not in there and table.qualified_name not in {source.sync_table for source in gone}
            if (reason := await why_not(connection, table))
        ]
    findings = gone_tables(gone, schema, there, found.unfit)
    findings += [misshapen(one) for one in changes.values()]
    findings += [not_made(table, reason) for table, reason in missing]
    return findings or [ok(_in_tables(sources))]


def not_made(table: SyncTable, reason: str) -> Finding:
    """A preset's table that the next sync needs and does not make, for `reason`."""
    return warning(rows_go_elsewhere(table, reason), fix(table))


def _known_tables(schema: str) -> dict[str, SyncTable]:
    return {table.name: table for table in known_tables(schema)}


def _in_tables(sources: Sequence[MirroredSource]) -> str:
    tables = sorted({source.sync_table for source in sources})
    if not tables:
        return "nothing has been mirrored yet"
    return f"{plural(len(sources), 'data source is', 'data sources are')} mirrored into {', '.join(tables)}"


def gone_tables(
    sources: Sequence[MirroredSource], schema: str, there: Collection[str], unfit: Mapping[str, Misfit]
) -> list[Finding]:
    """What became of `sources` whose table no longer is one for the tool; `there` are tables by name, fit or not.

    `unfit`: by qualified name, what is known of tables that cannot be written.
    """
    by_table: dict[str, dict[Subject, None]] = {}
    for source in sources:
        by_table.setdefault(source.sync_table, {})[source.user_id, source.database_name] = None
    findings = []
    for qualified_name, databases in sorted(by_table.items()):
        name = qualified_name.removeprefix(f"{schema}.")
        whose = f"the rows of {some(['/'.join(one) for one in databases])} were in {qualified_name}"
        known = _known_tables(schema).get(name)
        if misfit := unfit.get(qualified_name):
            findings.append(broken(f"{whose}: {without_advice(misfit.sentence)}", misfit.remedy, *databases))
        elif known:
            made = fix(known) if known.preset else "notion-pg-sync init --yes"
            seen = f"{whose}, which is no longer there"
            findings.append(broken(seen, f"{made}\nnotion-pg-sync sync-all", *databases))
        elif name not in there:
            general = f"the next sync writes them to {schema}.{GENERAL_TABLE}, unless it is created again"
            seen = f"{whose}, which is no longer there: {general}"
            findings.append(warning(seen, like_the_general_one(schema, name), *databases))
    return findings


def misshapen(changes: Changes) -> Finding:
    """A table that has the name of a database's own sync table, and not its shape."""
    said = changes.problems or [change.says for change in changes.every]
    return warning(
        f"{changes.relation} has the name of a sync table but not its columns, so the rows of the database of that "
        f"name go to {GENERAL_TABLE} ({'; '.join(map(sentence, said))})",
        statements_of(changes),
        needs="" if changes.every else "add what is missing, or give the table another name",
    )


async def _row_counts(examination: Examination) -> list[Finding]:
    sources = await _sources(examination)
    async with transaction(examination.pool) as connection:
        tables = {table.qualified_name: table for table in (await find_tables(connection, examination.schema)).values()}
        used = sorted({source.sync_table for source in sources} & tables.keys())
        counts = {name: await rows_by_source(connection, tables[name]) for name in used}
    return row_counts(sources, counts)


def row_counts(sources: Sequence[MirroredSource], counts: Mapping[str, Mapping[tuple[str, str], int]]) -> list[Finding]:
    """Whether the tables hold as many rows as the syncs wrote; `counts` by table, then by user and data source.

    Who is being synced just now is left out.
    """
    held = [
        (source, counts[source.sync_table].get((source.user_id, source.data_source_id), 0))
        for source in sources
        if source.row_count is not None and source.sync_table in counts and not source.is_being_synced
    ]
    changed: dict[tuple[str, str], list[tuple[MirroredSource, int]]] = {}
    for source, count in held:
        if count != source.row_count:
            how = "removed" if count < (source.row_count or 0) else "added"
            changed.setdefault((source.sync_table, how), []).append((source, count))
    if changed:
        return [_other_count(table, how, those) for (table, how), those in changed.items()]
    if not held:
        return [ok("no data source has been fully read yet, so there are no rows to count")]
    of_all = f"{sum(count for _, count in held):,} of {plural(len(held), 'data source', 'data sources')}"
    return [ok(f"the sync tables hold as many rows as were written: {of_all}")]


def _other_count(table: str, how: str, sources: Sequence[tuple[MirroredSource, int]]) -> Finding:
    """Data sources of one table of which something else removed rows, or added some."""
    counts = []
    for source, held in sources:
        part = "" if source.name in ("", source.database_name) else f" ({source.name})"
        counts.append(f"{source.user_id}/{source.database_name}{part} has {held:,} instead of {source.row_count:,}")
    first = sources[0][0]
    fix = SYNC_ALL.command if sources[1:] else sync_command(first.user_id, first.database_name, "--full")
    concerns = [(source.user_id, source.database_name) for source, _ in sources]
    seen = f"something else {how} rows {'from' if how == 'removed' else 'to'} {table}: {some(counts)}"
    return broken(seen, fix, *concerns)


async def _typed_views(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        pending = await pending_views(connection)
        wanted = sorted(await find_sources(connection, None))
        retyped = [column for column in await retyped_columns(connection) if column.is_shown_as_text]
    found = [warning(shown_as_text(column), column.fix) for column in retyped]
    return found + (typed_views(pending, wanted) if pending or not found else [])


def typed_views(pending: Sequence[PendingView], wanted: Sequence[str]) -> list[Finding]:
    """What of the `wanted` views is not as it should be."""
    findings = [warning(sentence(view.seen), _refreshing(view)) for view in pending]
    if findings:
        return findings
    if not wanted:
        return [ok("no user wants typed views")]
    return [ok(f"{plural(len(wanted), 'typed view is', 'typed views are')} as they should be: {some(wanted)}")]


def _refreshing(view: PendingView) -> str:
    """A sync of a database brings its view up to date; one of any database drops those that are nobody's.

    After what makes room for it, the next one does.
    """
    if view.remedy:
        return view.remedy
    if not view.sources:
        return "notion-pg-sync sync-all"
    return sync_command(view.sources[0].user_id, view.sources[0].database_name)


MIRRORED_TABLE_CHECKS = (
    Check("tables there", SECTION, _tables_there, needs=(CONNECTED_USERS,), depth=1),
    Check("row counts", SECTION, _row_counts, needs=(CONNECTED_USERS,), depth=1),
    Check("typed views", SECTION, _typed_views, needs=(INITIALISED, RIGHTS)),
)
