"""Bodies of pages: which are due, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import LiteralString

from msgspec import Struct
from msgspec.structs import asdict
from psycopg import sql
from psycopg.rows import class_row

from notion_pg_sync.core.hosted_files import HostedFile
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.data_sources import DataSourceKey
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.search_documents import write_documents
from notion_pg_sync.mirror.tables import SyncTable


class DuePage(Struct, frozen=True):
    """A page whose body is to be read, and its last edit as its row in the sync table has it."""

    page_id: str
    edited_at: datetime


class Body(Struct, frozen=True):
    """A body as it is kept.

    `missing`: what could not be read. `edited_at`: the edit that it stands for. `settled`: it need not be read again
    before the next edit. `fetched_at`: when it was asked for, by Notion's clock. `files`: those that it names.
    """

    page_id: str
    markdown: str
    plain_text: str
    missing: Sequence[str]
    content_hash: str
    edited_at: datetime
    settled: bool
    fetched_at: datetime
    files: Sequence[HostedFile] = ()


_IS_BEHIND: LiteralString = """
    (body.page_id IS NULL OR body.last_edited_time {<>} page.notion_edited_at OR NOT body.is_settled
     OR (body.written_in {=} body.xmin) IS NOT TRUE)
"""


class Due(Enum):
    """Which bodies are due.

    `BEHIND`: what is not there, stands for another edit than the page's latest, is not settled, or was changed by
    somebody else (see `note_intact_bodies`). `OLD`: of the others, those whose turn came since they were read.
    """

    BEHIND = "behind"
    OLD = "old"
    ALL = "all"

    @property
    def condition(self) -> LiteralString:
        """It in SQL, of a `page` and its `body`; `every`: within which time each page has a turn."""
        match self:
            case Due.BEHIND:
                return _IS_BEHIND
            case Due.OLD:
                return (
                    "(NOT" + _IS_BEHIND + "AND coalesce(body.read_at, body.fetched_at)"
                    " {<} notion_sync.turn_of(body.page_id, %(every)s))"
                )
            case Due.ALL:
                return " true "


# A page that moved to another sync table has a row in both for a while; its document is where it is now. Each document
# is found by its key, hence OFFSET: of tables that were filled a moment ago PostgreSQL knows so little that it would
# compare all documents with all pages.
_PAGES: LiteralString = """
    FROM {table} AS page
    CROSS JOIN LATERAL (
        SELECT data_source_id FROM notion_sync.search_documents
        WHERE user_id {=} page.user_id AND page_id {=} page.page_id OFFSET 0
    ) AS document
    LEFT JOIN notion_sync.page_bodies AS body
        ON body.user_id {=} page.user_id AND body.page_id {=} page.page_id
    WHERE page.user_id {=} %(user)s AND page.notion_data_source_id {=} %(source)s
      AND document.data_source_id {=} %(source)s::pg_catalog.uuid AND page.notion_edited_at IS NOT NULL
"""


async def count_due(
    connection: Connection, table: SyncTable, key: DataSourceKey, kinds: Sequence[Due], every: timedelta
) -> dict[Due, int]:
    """How many bodies of a data source are due, of each of these kinds; see `due_pages` for `every`."""
    counts = [qualified("pg_catalog.count(*) FILTER (WHERE" + kind.condition + ")") for kind in kinds]
    query = sql.SQL("SELECT ") + sql.SQL(", ").join(counts) + qualified(_PAGES, table=table.identifier)
    with connection.as_application():
        found = await connection.execute(query, _parameters(key, every))
    return dict(zip(kinds, await found.fetchone() or (), strict=True))


async def due_pages(
    connection: Connection,
    table: SyncTable,
    key: DataSourceKey,
    after: DuePage | None,
    *,
    most: int,
    due: Due,
    every: timedelta,
) -> list[DuePage]:
    """At most `most` pages whose body is due, the latest edited first, from the one behind `after` on.

    `every`: no body becomes older than that before it is due.
    """
    page_id = table.page_id("page")
    behind = qualified("(page.notion_edited_at, {page_id}) {<} (%(edited_at)s, %(page_id)s)", page_id=page_id)
    query = qualified(
        "SELECT {page_id} AS page_id, page.notion_edited_at AS edited_at"
        + _PAGES
        + "AND"
        + due.condition
        + "AND {behind} ORDER BY page.notion_edited_at DESC, {page_id} DESC LIMIT %(most)s",
        table=table.identifier,
        page_id=page_id,
        behind=behind if after else sql.SQL("true"),
    )
    parameters = {**_parameters(key, every), "most": most, **(asdict(after) if after else {})}
    with connection.as_application():
        async with connection.cursor(row_factory=class_row(DuePage)) as cursor:
            await cursor.execute(query, parameters)
            return await cursor.fetchall()


# All that the tool writes of a body: the same in every session.
_DIGEST = """
    sha256(convert_to(jsonb_build_array(
        {0}markdown, {0}plain_text, {0}missing, {0}content_hash, extract(epoch FROM {0}last_edited_time), {0}is_settled
    )::text, 'UTF8'))
"""


_WRITE = """
    INSERT INTO notion_sync.page_bodies
        (user_id, page_id, data_source_id, markdown, plain_text, missing, content_hash, last_edited_time,
         is_settled, fetched_at, read_at, written_in, stored_digest)
    SELECT body.*, now(), pg_current_xact_id()::xid, {digest}
    FROM (VALUES (
        %(user_id)s::text, %(page_id)s::uuid, %(data_source_id)s::uuid, %(markdown)s::text, %(plain_text)s::text,
        %(missing)s::text[], %(content_hash)s::text, %(edited_at)s::timestamptz, %(settled)s::boolean,
        %(fetched_at)s::timestamptz
    )) AS body
        (user_id, page_id, data_source_id, markdown, plain_text, missing, content_hash, last_edited_time,
         is_settled, fetched_at)
    ON CONFLICT (user_id, page_id) DO UPDATE
    SET data_source_id = EXCLUDED.data_source_id, markdown = EXCLUDED.markdown, plain_text = EXCLUDED.plain_text,
        missing = EXCLUDED.missing, content_hash = EXCLUDED.content_hash, last_edited_time = EXCLUDED.last_edited_time,
        is_settled = EXCLUDED.is_settled, fetched_at = EXCLUDED.fetched_at, read_at = EXCLUDED.read_at,
        written_in = EXCLUDED.written_in, stored_digest = EXCLUDED.stored_digest
"""


async def note_intact_bodies(connection: Connection, key: DataSourceKey) -> None:
    """Notes bodies that were written by somebody else and yet are as the tool wrote them, as after a restored dump.

    Of those of an earlier version no more is known than the hash of their Markdown.
    """
    digest = sql.SQL(_DIGEST).format(sql.SQL(""))
    await connection.execute(
        sql.SQL(
            """
            UPDATE notion_sync.page_bodies SET written_in = pg_current_xact_id()::xid, stored_digest = {digest}
            WHERE user_id = %s AND data_source_id = %s AND written_in IS DISTINCT FROM xmin
              AND CASE WHEN stored_digest IS NOT NULL THEN stored_digest = {digest}
                       ELSE content_hash = encode(sha256(convert_to(markdown, 'UTF8')), 'hex') END
            """
        ).format(digest=digest),
        (key.user_id, key.data_source_id),
    )


async def write_bodies(connection: Connection, table: SyncTable, key: DataSourceKey, bodies: Sequence[Body]) -> None:
    """Keeps `bodies` of a data source, and lets search find their words, within the caller's transaction."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            sql.SQL(_WRITE).format(digest=sql.SQL(_DIGEST).format(sql.SQL("body."))),
            [{**asdict(key), **asdict(body), "missing": list(body.missing)} for body in bodies],
        )
    await write_documents(connection, table, key, [body.page_id for body in bodies])


def _parameters(key: DataSourceKey, every: timedelta) -> dict[str, object]:
    return {"user": key.user_id, "source": key.data_source_id, "every": every}
