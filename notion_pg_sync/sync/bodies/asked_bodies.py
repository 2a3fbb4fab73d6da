"""The bodies of pages that an application asks for, where bodies are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from notion_pg_sync.mirror import bodies
from notion_pg_sync.mirror.bodies import Body, DuePage
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.mirror.data_sources import DataSourceKey, homes_of, lets_files_be, wanting_bodies
from notion_pg_sync.mirror.runs import Counts
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.sync.bodies.bodies import read_body
from notion_pg_sync.sync.bodies.body import BodyReader
from notion_pg_sync.sync.files.naming import take_in_files_of_bodies
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.run.context import RunContext


class BodiesRead(Struct):
    """How many bodies were read, at how many requests, and by page why others could not be."""

    counts: Counts = field(default_factory=Counts)
    failed: dict[str, Exception] = field(default_factory=dict)


async def read_asked_bodies(
    work: RunContext, client: NotionClient, user_id: str, pages: Mapping[str, Sequence[DuePage]]
) -> BodiesRead:
    """Reads the bodies of pages, given by their data source, whose rows are in the copy, and keeps them.

    Raises `LeaseLostError`, and what psycopg raises.
    """
    read = BodiesRead()
    if not pages:
        return read
    client = client.with_own_traffic()
    for source_id, table in (await _wanting(work, user_id, pages)).items():
        done = await _read(client, pages[source_id], read)
        await _keep(work, table, DataSourceKey(user_id, source_id), done)
        read.counts += Counts(bodies_read=len(done))
    read.counts += Counts(requests=client.traffic.requests, retries=client.traffic.retries)
    return read


async def _wanting(work: RunContext, user_id: str, sources: Mapping[str, object]) -> dict[str, SyncTable]:
    """Those of the data sources whose bodies are wanted, each with its table."""
    async with transaction(work.pool) as connection:
        wanting = {one for some in (await wanting_bodies(connection, user_id)).values() for one in some}
        homes = await homes_of(connection, user_id)
    wanted = [one for one in sources if one in homes and (work.settings.bodies or one in wanting)]
    tables = {one: work.table_named(homes[one].sync_table) for one in wanted}
    return {one: table for one, table in tables.items() if table is not None}


async def _read(client: NotionClient, pages: Sequence[DuePage], read: BodiesRead) -> list[Body]:
    reader = BodyReader(client)
    done: list[Body] = []

    async def read_one(page: DuePage) -> None:
        try:
            done.append(await read_body(reader, page))
        except Exception as error:  # noqa: BLE001 - it is the page's answer; the other bodies are read
            read.failed[page.page_id] = error

    await gather_or_cancel(map(read_one, pages))
    return done


@retried
async def _keep(work: RunContext, table: SyncTable, key: DataSourceKey, done: Sequence[Body]) -> None:
    async with work.writing_for(key.user_id) as connection:
        await bodies.write_bodies(connection, table, key, done)
        if work.settings.files is not None and not await lets_files_be(connection, key):
            await take_in_files_of_bodies(connection, work, key, done)
