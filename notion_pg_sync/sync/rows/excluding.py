"""What is excluded of a database, settled before anything of it is read: by what is configured and what was seen.

Fails closed: what cannot be found out stops the database, and what was recorded once stays until somebody lifts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import exclusions
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.exclusions import Excluded, Purged
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.exclusion import (
    NOTHING,
    Exclusion,
    ExclusionError,
    Selection,
    Settled,
    check_met,
    check_title,
    corrected,
    include,
    named,
    settle,
)
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.run.configuration import Configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.selections import exclusion_of, selections_of


class Exclusions(Struct, frozen=True):
    """What is excluded of a database, and what is taken of all data sources; `notes`: what changed."""

    own: Exclusion
    selections: Mapping[str, Selection]
    notes: list[str] = field(default_factory=list)


async def purge_stored(
    work: RunContext,
    user_id: str,
    configuration: Configuration,
    configured: ConfiguredDatabase,
    known: Mapping[str, str],
) -> list[str]:
    """Takes what is excluded out of all that is stored of a database, whether or not Notion can be read.

    `known`: its data sources, each with the name of its table. Returns what a person should know. Raises
    `UnfitTableError` where a table cannot be written, and `PurgeBlockedError`.
    """
    if work.settings.dry_run or configuration.excludes_nothing:
        return []
    async with transaction(work.pool) as connection:
        stored = await exclusions.load_exclusions(connection, user_id)
    every = {*_aliases(stored, configured.database_id), *known}
    exclusion = settle(exclusion_of(stored, every), configuration.excluded_of(every)).now
    if not exclusion:
        return []
    for table in known.values():
        work.check_table(table)
    async with transaction(work.pool) as connection:
        exclusion = exclusion.met(_decoded(await exclusions.properties_known(connection, user_id, every)))
    # Where none of its data sources is known any more, what is known by the database's id alone is left.
    keys = [DataSourceKey(user_id, one) for one in sorted(known) or [configured.database_id]]
    purged = [await _purge(work, key, configured.database_id, exclusion) for key in keys]
    return [purged_note(one) for one in purged if one.names]


@retried
async def _purge(work: RunContext, key: DataSourceKey, database_id: str, exclusion: Exclusion) -> Purged:
    async with work.writing_for(key.user_id) as connection:
        purged = await exclusions.purge(connection, list(work.tables.values()), key, database_id, exclusion.covers)
        await exclusions.save_exclusions(connection, key.user_id, database_id, exclusion.entries)
    return purged


def purged_note(purged: Purged, *, is_dry: bool = False) -> str:
    """What a person should know of what was purged, or in a dry run would be."""
    which = f"{', '.join(purged.names)} {'is' if len(purged.names) == 1 else 'are'} excluded now"
    if is_dry:
        return f"{which}: a real run would remove what {plural(purged.rows, 'row holds', 'rows hold')} of it."
    removed = f" and {plural(purged.removed_pages, 'removed page')}" if purged.removed_pages else ""
    return f"{which}: removed from {plural(purged.rows, 'row')}{removed}, from search and from views."


async def settle_exclusion(
    work: RunContext,
    client: NotionClient,
    user_id: str,
    configured: ConfiguredDatabase,
    ids: Sequence[str],
    *,
    configuration: Configuration,
) -> Exclusions:
    """What is excluded of a database, which `ids` name too: first its own, then those of its data sources.

    Records what is new, but in a dry run. An entry that was never met is looked for in the schema of every data source.
    Raises `ExclusionError` where it is in none, and `NotionError`.
    """
    every = {configured.database_id, *ids}
    _check_readable(configuration, every)
    if configuration.excludes_nothing:
        return Exclusions(NOTHING, {})
    written = configuration.excluded_of(every)
    async with transaction(work.pool) as connection:
        stored = await exclusions.load_exclusions(connection, user_id)
    if not (stored.entries or written):
        return Exclusions(NOTHING, {})
    # A data source that was moved here is excluded from as it was where it was.
    former = {stored.databases[one] for one in ids if one in stored.databases}
    settled = settle(exclusion_of(stored, every | former), written)
    if not work.settings.dry_run:
        await _record(work, user_id, configured.database_id, every, settled)
    if settled.now.unmet:
        described = await gather_or_cancel(client.data_source(one) for one in ids[1:])
        schemas = [{**named(one.schema), **one.excluded} for one in described]
        async with transaction(work.pool) as connection:
            vanished = _decoded(await exclusions.properties_known(connection, user_id, every))
        properties = {key: name for schema in (vanished, *schemas) for key, name in schema.items()}
        settled = replace(settled, now=corrected(settled.now.met(properties), written))
        if not work.settings.dry_run:
            await _record(work, user_id, configured.database_id, every, settled)
        for schema in schemas:
            check_title(settled.now, schema)
        check_met(settled.now, properties)
    known = [source for source, of in stored.databases.items() if of == configured.database_id]
    own = dict.fromkeys([*known, *ids[1:]], Selection(settled.now))
    return Exclusions(settled.now, {**selections_of(stored), **own}, lifted_notes(settled.lifted))


def _check_readable(configuration: Configuration, ids: Collection[str]) -> None:
    """Raises `ExclusionError` where an entry for the database that has these ids cannot be understood."""
    if held := configuration.held & set(ids):
        raise ExclusionError(
            f"notion_databases has another entry for this database, with the id {min(held)}, that cannot be "
            "understood, so nothing of the database is read, since what it is to leave out is not known: correct it."
        )


def lifted_notes(lifted: Exclusion) -> list[str]:
    """What a person should know of what is no longer excluded."""
    if not lifted:
        return []
    names = lifted.names
    are = "is" if len(names) == 1 else "are"
    return [f"{', '.join(names)} {are} no longer excluded: this full read brings what Notion has of it."]


@retried
async def include_again(
    work: RunContext,
    user_id: str,
    configuration: Configuration,
    configured: ConfiguredDatabase,
    properties: Sequence[str],
) -> list[str]:
    """Lifts the exclusion of properties of a database, and returns what a person should know.

    Raises `UsageError` where one is not excluded, or is so by `notion_databases` itself.
    """
    if not properties:
        return []
    async with work.writing_for(user_id) as connection:
        lifted = NOTHING
        for wanted in properties:
            stored = await exclusions.load_exclusions(connection, user_id)
            every = _aliases(stored, configured.database_id)
            settled = include(exclusion_of(stored, every), configuration.excluded_of(every), wanted)
            await exclusions.delete_exclusions(connection, user_id, every, settled.lifted.entries)
            lifted = lifted.and_(settled.lifted)
    return lifted_notes(lifted)


async def record_configured(connection: Connection, user_id: str, databases: Collection[ConfiguredDatabase]) -> None:
    """Records what `notion_databases` excludes, in the transaction that remembers the databases."""
    for database in databases:
        entries: dict[str, dict[str, str]] = {entry: {} for entry in database.options.exclude or ()}
        await exclusions.save_exclusions(connection, user_id, database.database_id, entries)


@retried
async def _record(work: RunContext, user_id: str, database_id: str, every: Collection[str], settled: Settled) -> None:
    async with work.writing_for(user_id) as connection:
        stored = exclusion_of(await exclusions.load_exclusions(connection, user_id), every)
        gone = stored.entries.keys() - settled.now.entries.keys()
        await exclusions.delete_exclusions(connection, user_id, every, gone)
        await exclusions.save_exclusions(connection, user_id, database_id, settled.now.entries)


def _aliases(stored: Excluded, database_id: str) -> set[str]:
    """The ids under which a database may have been configured: its own, and those of its data sources."""
    own = stored.databases.get(database_id, database_id)
    return {database_id, own, *(source for source, of in stored.databases.items() if of == own)}


def _decoded(properties: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Properties, given by id and name, by decoded id."""
    return {decoded(property_id): name for property_id, name in properties}
