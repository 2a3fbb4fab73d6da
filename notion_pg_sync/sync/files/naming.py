"""Whether the files of a database are kept; and which of them its pages name, with where they are for an hour."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from notion_pg_sync.core.databases import DatabaseOptions
from notion_pg_sync.core.hosted_files import FilePlace, HostedFile
from notion_pg_sync.mirror.bodies import Body
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.files import record_page_files
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.addresses import Addresses

if TYPE_CHECKING:
    from notion_pg_sync.sync.run.context import RunContext


def keeps_files(settings: Settings, options: DatabaseOptions) -> bool:
    """Pure: whether the files of a database with these options are kept: where there is a place, unless it says no."""
    return settings.files is not None and options.files is not False


async def take_in_files(
    connection: Connection,
    addresses: Addresses,
    key: DataSourceKey,
    by_page: Mapping[str, Sequence[HostedFile]],
    places: Collection[FilePlace],
    *,
    not_whole: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Records all files that pages of a data source name in these places, and learns where those are to be fetched
    that are not kept yet. `not_whole`: as in `record_page_files`.
    """
    wanted = await record_page_files(connection, key.user_id, key.data_source_id, by_page, places, not_whole=not_whole)
    for files in by_page.values():
        for file in files:
            if file.path in wanted:
                addresses.learn(key.user_id, file.path, file.url, file.expires_at)


async def take_in_files_of_bodies(
    connection: Connection, work: RunContext, key: DataSourceKey, bodies: Sequence[Body]
) -> None:
    """The same for what bodies name: what lies elsewhere and has a signature too is a link that somebody wrote."""
    hosts = work.keeping.hosts if work.keeping else None
    by_page = {body.page_id: [file for file in body.files if hosts is None or hosts.allow(file.url)] for body in bodies}
    await take_in_files(connection, work.addresses, key, by_page, ["body"])
