"""What is excluded of a database, settled before anything of it is read: by what is configured and what was seen.

Fails closed: what cannot be found out stops the database, and what was recorded once stays until somebody lifts it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.mirror import exclusions
from notion_pg_sync.mirror.connection import Connection, retried, transaction
from notion_pg_sync.mirror.exclusions import Excluded
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.exclusion import (
    NOTHING,
    Exclusion,
    Selection,
    Settled,
    check_met,
    check_title,
    include,
    named,
    settle,
)
from notion_pg_sync.notion.property_ids import decoded
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.run.context import RunContext


@dataclass(frozen=True)
class Exclusions:
    """What is excluded of a database, and what is taken of all data sources; `notes`: what changed."""

    own: Exclusion
    selections: Mapping[str, Selection]
    notes: list[str] = field(default_factory=list)


async def settle_exclusion(
    work: RunContext,
    client: NotionClient,
    user_id: str,
    configured: ConfiguredDatabase,
    ids: Sequence[str],
) -> Exclusions:
    """What is excluded of a database, which `ids` name too: first its own, then those of its data sources.

    Records what is new, but in a dry run. An entry that was never met is looked for in the schema of every data source.
    Raises `ExclusionError` where it is in none, and `NotionError`.
    """
    async with transaction(work.pool) as connection:
        stored = await exclusions.load_exclusions(connection, user_id)
    every = {configured.database_id, *ids}
    settled = settle(_of(stored, every), configured.options.exclude)
    if not work.settings.dry_run:
        await _record(work, user_id, configured.database_id, every, settled)
    if settled.now.unmet:
        settled = replace(settled, now=await _met(work, client, user_id, settled.now, ids))
    known = [source for source, of in stored.databases.items() if of == configured.database_id]
    selections = {**selections_of(stored), **dict.fromkeys([*known, *ids[1:]], Selection(settled.now))}
    return Exclusions(settled.now, selections if settled.now or stored.entries else {}, lifted_notes(settled.lifted))


def selections_of(stored: Excluded) -> dict[str, Selection]:
    """What is taken of the data sources of whose databases something is excluded."""
    return {
        source: Selection(Exclusion(stored.entries[database_id]))
        for source, database_id in stored.databases.items()
        if database_id in stored.entries
    }


def lifted_notes(lifted: Exclusion) -> list[str]:
    """What a person should know of what is no longer excluded."""
    if not lifted:
        return []
    names = lifted.names
    are = "is" if len(names) == 1 else "are"
    return [f"{', '.join(names)} {are} no longer excluded: this full read brings what Notion has of it."]


@retried
async def include_again(
    work: RunContext, user_id: str, configured: ConfiguredDatabase, properties: Sequence[str]
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
            settled = include(_of(stored, every), configured.options.exclude, wanted)
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
        stored = _of(await exclusions.load_exclusions(connection, user_id), every)
        gone = stored.entries.keys() - settled.now.entries.keys()
        await exclusions.delete_exclusions(connection, user_id, every, gone)
        await exclusions.save_exclusions(connection, user_id, database_id, settled.now.entries)


def _of(stored: Excluded, database_ids: Collection[str]) -> Exclusion:
    """What is stored for a database that has these ids."""
    own = NOTHING
    for database_id in database_ids:
        own = own.and_(Exclusion(stored.entries.get(database_id, {})))
    return own


def _aliases(stored: Excluded, database_id: str) -> set[str]:
    """The ids under which a database may have been configured: its own, and those of its data sources."""
    own = stored.databases.get(database_id, database_id)
    return {database_id, own, *(source for source, of in stored.databases.items() if of == own)}


async def _met(
    work: RunContext, client: NotionClient, user_id: str, exclusion: Exclusion, ids: Collection[str]
) -> Exclusion:
    """The same once it has met all properties of a database, those too that vanished from it. Raises as above."""
    _, *sources = ids
    answers = await gather_or_cancel(client.data_source(one) for one in sources)
    async with transaction(work.pool) as connection:
        known = await exclusions.properties_known(connection, user_id, ids)
    properties = {decoded(property_id): name for property_id, name in known}
    for answer in answers:
        present = {**named(answer.schema), **answer.excluded}
        check_title(exclusion, present)
        properties |= present
    exclusion = exclusion.met(properties)
    check_met(exclusion, properties)
    return exclusion
