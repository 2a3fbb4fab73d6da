"""What the tool knows of each data source: schema, columns, watermark, and how far a full read has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import LiteralString

from msgspec import Struct
from msgspec.structs import asdict, replace
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange, TimestamptzMultirange
from psycopg.types.range import Range

from notion_pg_sync.core.columns import Column
from notion_pg_sync.core.intervals import EARLIEST, LATEST, Interval
from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.qualified_sql import qualified, written_out

# A stretch of creation time; None means unbounded.
Stretch = tuple[datetime | None, datetime | None]


class DataSourceState(Struct, frozen=True):
    """A row of `notion_sync.data_sources`, as far as planning needs it, and PostgreSQL's time when it was read.

    `is_view_taken`: another database of the user had the name of its view first. `left_out`: the pages of which
    something was left out, the one first that was tried longest ago. `recorded_columns`: the columns that were given to
    its properties, those of vanished properties included, each as a `Column` has its parts. `listed_for`: how long ago
    Notion named the data sources of its database; None: it is to be asked. `history_since`: since when its changes are
    recorded, None where they are not; `wants_history`: whether they are to be.
    """

    data_source_id: str
    database_id: str
    database_id_as_written: str | None
    database_name: str
    name: str
    schema: dict[str, object]
    schema_fingerprint: str
    sync_table: str
    row_count: int | None
    watermark: datetime | None
    full_as_of: datetime | None
    full_read_started_at: datetime | None
    full_read_progress_at: datetime | None
    full_read_version: int | None
    full_read_covered: Multirange[datetime]
    full_read_confirmed: Multirange[datetime]
    held_back: int
    is_searchable: bool
    table_shape: str | None
    has_unfit_values: bool
    view_name: str
    is_view_taken: bool
    left_out: list[str]
    unread: list[datetime]
    recorded_columns: list[list[str]]
    listed_for: timedelta | None
    now: datetime
    wants_history: bool = False
    history_since: datetime | None = None

    @property
    def columns(self) -> list[Column]:
        """The columns that were given to its properties, those of vanished properties included."""
        return [Column(*parts) for parts in self.recorded_columns]

    def without_progress(self) -> DataSourceState:
        """The same, as if the full read that is under way had come nowhere."""
        return replace(self, full_read_progress_at=None)

    @property
    def record(self) -> DataSourceRecord:
        """What is recorded of the data source itself."""
        return DataSourceRecord(
            database_id=self.database_id,
            database_name=self.database_name,
            view_name=self.view_name,
            name=self.name,
            sync_table=self.sync_table,
            schema=self.schema,
            schema_fingerprint=self.schema_fingerprint,
            database_id_as_written=self.database_id_as_written,
        )

    @property
    def is_history_settled(self) -> bool:
        """Whether changes are recorded as far as they can and are to be: from the first complete full read on."""
        return self.full_as_of is None or self.wants_history == (self.history_since is not None)

    @property
    def covered(self) -> list[Interval]:
        """The creation times that the full read under way has written."""
        return _intervals(self.full_read_covered)

    @property
    def confirmed(self) -> list[Interval]:
        """Those that its second listing has been through."""
        return _intervals(self.full_read_confirmed)


class DataSourceKey(Struct, frozen=True):
    """Which user's copy of which data source."""

    user_id: str
    data_source_id: str


_STATES: LiteralString = """
    SELECT CASE WHEN full_read_confirmed_of = full_read_started_at THEN full_read_confirmed ELSE '{}' END
               AS full_read_confirmed,
           data_source_id, database_id, database_id_as_written, database_name, name, schema, schema_fingerprint,
           sync_table, row_count, watermark, full_as_of, full_read_started_at, full_read_progress_at, full_read_version,
           full_read_covered, held_back, is_searchable, table_shape, view_name,
           EXISTS (SELECT FROM notion_sync.columns WHERE columns.user_id = source.user_id
                   AND columns.data_source_id = source.data_source_id AND unfit_values > 0)
               AS has_unfit_values,
           EXISTS (SELECT FROM notion_sync.data_sources AS other
                   WHERE other.user_id = source.user_id AND other.view_name = source.view_name
                     AND other.database_id < source.database_id) AS is_view_taken,
           ARRAY(SELECT page_id::text FROM notion_sync.left_out AS known
                 WHERE known.user_id = source.user_id AND known.data_source_id = source.data_source_id
                 GROUP BY page_id ORDER BY min(tried_at), page_id) AS left_out,
           ARRAY(SELECT created_at FROM notion_sync.left_out AS known
                 WHERE known.user_id = source.user_id AND known.data_source_id = source.data_source_id
                   AND created_at IS NOT NULL
                 UNION
                 SELECT created_at FROM notion_sync.unread_minutes AS minute
                 WHERE minute.user_id = source.user_id AND minute.data_source_id = source.data_source_id
                 ORDER BY created_at) AS unread,
           ARRAY(SELECT ARRAY[property_id, property_name, property_type, columns.name, type, part, new_type]
                 FROM notion_sync.columns
                 WHERE columns.user_id = source.user_id AND columns.data_source_id = source.data_source_id
                 ORDER BY property_id, part) AS recorded_columns,
           (SELECT clock_timestamp() - listed_at FROM notion_sync.databases AS database
            WHERE database.user_id = source.user_id AND database.database_id = source.database_id) AS listed_for,
           clock_timestamp() AS now, history_since,
           coalesce(history, (SELECT history FROM notion_sync.accounts
                              WHERE accounts.user_id = source.user_id), true) AS wants_history
    FROM notion_sync.data_sources AS source
"""


async def load_state(connection: Connection, key: DataSourceKey) -> DataSourceState | None:
    """What is known of a data source, None before its first sync."""
    async with connection.cursor(row_factory=class_row(DataSourceState)) as cursor:
        await cursor.execute(_STATES + "WHERE user_id = %s AND data_source_id = %s", (key.user_id, key.data_source_id))
        return await cursor.fetchone()


class DataSourceRecord(Struct, frozen=True):
    """What is recorded of a data source itself; `schema_fingerprint` tells whether the schema changed in shape."""

    database_id: str
    database_name: str
    view_name: str
    name: str
    sync_table: str
    schema: dict[str, object]
    schema_fingerprint: str
    database_id_as_written: str | None = None


async def save_record(connection: Connection, key: DataSourceKey, record: DataSourceRecord) -> None:
    """Records a data source; writes nothing where all of it is known."""
    await connection.execute(
        """
        INSERT INTO notion_sync.data_sources AS known
            (user_id, data_source_id, database_id, database_name, view_name, name, sync_table, schema,
             schema_fingerprint, database_id_as_written)
        VALUES (%(user_id)s, %(data_source_id)s, %(database_id)s, %(database_name)s, %(view_name)s, %(name)s,
                %(sync_table)s, %(schema)s, %(schema_fingerprint)s, %(database_id_as_written)s)
        ON CONFLICT (user_id, data_source_id) DO UPDATE
        SET database_id = EXCLUDED.database_id, database_name = EXCLUDED.database_name,
            view_name = EXCLUDED.view_name, name = EXCLUDED.name, sync_table = EXCLUDED.sync_table,
            schema = EXCLUDED.schema, schema_fingerprint = EXCLUDED.schema_fingerprint,
            database_id_as_written = EXCLUDED.database_id_as_written
        WHERE (known.database_id, known.database_name, known.view_name, known.name, known.sync_table, known.schema,
               known.schema_fingerprint, known.database_id_as_written)
            IS DISTINCT FROM (EXCLUDED.database_id, EXCLUDED.database_name, EXCLUDED.view_name, EXCLUDED.name,
                              EXCLUDED.sync_table, EXCLUDED.schema, EXCLUDED.schema_fingerprint,
                              EXCLUDED.database_id_as_written)
        """,
        {**asdict(key), **asdict(record), "schema": Jsonb(record.schema)},
    )


class NamedView(Struct, frozen=True):
    """The view of a database of a user, and the name of the database that it goes by."""

    database_id: str
    database_name: str
    view_name: str


async def views_of(connection: Connection, user_id: str) -> list[NamedView]:
    """The views of a user's databases."""
    async with connection.cursor(row_factory=class_row(NamedView)) as cursor:
        await cursor.execute(
            """
            SELECT DISTINCT database_id, database_name, view_name FROM notion_sync.data_sources
            WHERE user_id = %s ORDER BY 1, 2, 3
            """,
            (user_id,),
        )
        return await cursor.fetchall()


async def rename_view(connection: Connection, user_id: str, database_id: str, view_name: str, new_name: str) -> None:
    """Lets all of a database go by another view, which `view_name` becomes as soon as nobody else needs it."""
    await connection.execute(
        """
        UPDATE notion_sync.data_sources SET view_name = %(new_name)s
        WHERE user_id = %(user)s AND database_id = %(database)s AND view_name = %(name)s
        """,
        {"user": user_id, "database": database_id, "name": view_name, "new_name": new_name},
    )
    await connection.execute("UPDATE notion_sync.views SET renamed_to = %s WHERE view_name = %s", (new_name, view_name))


async def known_data_sources(connection: Connection, user_id: str, database_id: str) -> dict[str, str]:
    """The data sources that a database of a user had so far, each with the qualified name of its sync table."""
    found = await connection.execute(
        "SELECT data_source_id, sync_table FROM notion_sync.data_sources WHERE user_id = %s AND database_id = %s",
        (user_id, database_id),
    )
    return {data_source_id: sync_table async for data_source_id, sync_table in found}


class Home(Struct, frozen=True):
    """Where the rows of a data source are: of which database, under its name and its id, and in which table.

    `row_count`: how many there should be; None: it was never read whole.
    """

    database_id: str
    database_name: str
    sync_table: str
    row_count: int | None


async def homes_of(connection: Connection, user_id: str) -> dict[str, Home]:
    """All data sources of a user, by id."""
    found = await connection.execute(
        """
        SELECT data_source_id, database_id, database_name, sync_table, row_count FROM notion_sync.data_sources
        WHERE user_id = %s ORDER BY data_source_id
        """,
        (user_id,),
    )
    return {data_source_id: Home(*columns) async for data_source_id, *columns in found}


class KnownListing(Struct, frozen=True):
    """The data sources that a database had so far, by id, each with what is known of it."""

    states: Mapping[str, DataSourceState]

    @property
    def tables(self) -> dict[str, str]:
        """The data sources, each with the qualified name of its sync table."""
        return {data_source_id: state.sync_table for data_source_id, state in self.states.items()}

    @property
    def age(self) -> timedelta | None:
        """How long ago Notion named them, by PostgreSQL's clock; None: it is to be asked."""
        return next((state.listed_for for state in self.states.values()), None)


async def known_listing(connection: Connection, user_id: str, database_id: str) -> KnownListing:
    """What is known of the data sources of a user's database."""
    async with connection.cursor(row_factory=class_row(DataSourceState)) as cursor:
        await cursor.execute(_STATES + "WHERE user_id = %s AND database_id = %s", (user_id, database_id))
        return KnownListing({state.data_source_id: state async for state in cursor})


async def wanting_bodies(connection: Connection, user_id: str) -> dict[str, set[str]]:
    """By database, a user's data sources whose bodies are to be read at every run: the database's entry in
    `notion_databases` says so or, where that says nothing of it, the data source's own `bodies`.
    """
    found = await connection.execute(
        """
        SELECT database_id, array_agg(data_source_id) FROM notion_sync.data_sources
        LEFT JOIN notion_sync.databases USING (user_id, database_id)
        WHERE user_id = %s AND coalesce(databases.bodies, data_sources.bodies) GROUP BY database_id
        """,
        (user_id,),
    )
    return {database_id: set(data_source_ids) async for database_id, data_source_ids in found}


async def lets_files_be(connection: Connection, key: DataSourceKey) -> bool:
    """Whether the entry of a data source's database in `notion_databases` says that its files are not kept."""
    found = await fetch_value(
        connection,
        """
        SELECT databases.files IS FALSE FROM notion_sync.data_sources
        JOIN notion_sync.databases USING (user_id, database_id) WHERE user_id = %s AND data_source_id = %s
        """,
        key.user_id,
        key.data_source_id,
    )
    return found is True


async def databases_of(connection: Connection, user_id: str, data_source_ids: Collection[str]) -> set[str]:
    """The databases under which these data sources of a user were synced so far."""
    found = await connection.execute(
        """
        SELECT DISTINCT database_id FROM notion_sync.data_sources
        WHERE user_id = %s AND data_source_id = ANY (%s::uuid[])
        """,
        (user_id, list(data_source_ids)),
    )
    return {database_id async for (database_id,) in found}


async def forget_data_source(connection: Connection, key: DataSourceKey) -> None:
    """Forgets a data source that is no longer there, once none of its rows is left.

    What is excluded of the database that it was in last remembers it: it may come back in another. So does the database
    itself, of which it was a part in the past.
    """
    for statement in (
        """
        UPDATE notion_sync.databases AS past
        SET former_since = greatest(past.former_since, coalesce(known.history_since, clock_timestamp())),
            former_titles = former_titles || jsonb_build_object(known.data_source_id, (
                SELECT min(columns.name) FROM notion_sync.columns
                WHERE columns.user_id = known.user_id AND columns.data_source_id = known.data_source_id
                  AND property_type = 'title'))
        FROM notion_sync.data_sources AS known
        WHERE known.user_id = %(user)s AND known.data_source_id = %(source)s
          AND past.user_id = known.user_id AND past.database_id = known.database_id
        """,
        """
        UPDATE notion_sync.exclusions AS excluded
        SET data_source_ids = array_remove(data_source_ids, known.data_source_id)
            || CASE WHEN excluded.database_id = known.database_id THEN ARRAY[known.data_source_id] ELSE '{}' END
        FROM notion_sync.data_sources AS known
        WHERE known.user_id = %(user)s AND known.data_source_id = %(source)s AND excluded.user_id = known.user_id
          AND (excluded.database_id = known.database_id OR known.data_source_id = ANY (data_source_ids))
        """,
        "DELETE FROM notion_sync.page_files WHERE user_id = %(user)s AND data_source_id = %(source)s",
        "DELETE FROM notion_sync.pages WHERE user_id = %(user)s AND data_source_id = %(source)s",
        "DELETE FROM notion_sync.data_sources WHERE user_id = %(user)s AND data_source_id = %(source)s",
    ):
        await connection.execute(statement, {"user": key.user_id, "source": key.data_source_id})


async def load_columns(connection: Connection, key: DataSourceKey) -> list[Column]:
    """The columns that were given to a data source's properties, those of vanished properties included."""
    async with connection.cursor(row_factory=class_row(Column)) as cursor:
        await cursor.execute(
            """
            SELECT property_id, part, property_name, property_type, name, type, new_type FROM notion_sync.columns
            WHERE user_id = %s AND data_source_id = %s ORDER BY property_id, part
            """,
            (key.user_id, key.data_source_id),
        )
        return await cursor.fetchall()


async def note_unfit(connection: Connection, key: DataSourceKey, counts: Mapping[str, int], *, is_whole: bool) -> None:
    """Records how many values of columns, by name, do not fit their types; `is_whole`: everything was read for it."""
    await connection.execute(
        """
        UPDATE notion_sync.columns AS known SET unfit_values = found.count
        FROM (SELECT name,
                     CASE WHEN %(is_whole)s THEN coalesce(count, 0) ELSE greatest(count, unfit_values) END AS count
              FROM notion_sync.columns
              LEFT JOIN unnest(%(names)s::text[], %(counts)s::bigint[]) AS counted (name, count) USING (name)
              WHERE user_id = %(user)s AND data_source_id = %(source)s) AS found
        WHERE known.user_id = %(user)s AND known.data_source_id = %(source)s AND known.name = found.name
          AND known.unfit_values <> found.count
        """,
        {
            "is_whole": is_whole,
            "names": list(counts),
            "counts": list(counts.values()),
            "user": key.user_id,
            "source": key.data_source_id,
        },
    )


async def await_search(connection: Connection, key: DataSourceKey) -> None:
    """Records that the documents of a data source have to be written again, since other columns hold text."""
    await connection.execute(
        "UPDATE notion_sync.data_sources SET is_searchable = false WHERE user_id = %s AND data_source_id = %s",
        (key.user_id, key.data_source_id),
    )


async def save_columns(connection: Connection, key: DataSourceKey, columns: Iterable[Column]) -> None:
    """Records new columns, and what changed of known ones."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO notion_sync.columns AS known
                (user_id, data_source_id, property_id, part, property_name, property_type, name, type, new_type)
            VALUES (%(user_id)s, %(data_source_id)s, %(property_id)s, %(part)s, %(property_name)s, %(property_type)s,
                    %(name)s, %(type)s, %(new_type)s)
            ON CONFLICT (user_id, data_source_id, property_id, part) DO UPDATE
            SET property_name = EXCLUDED.property_name, property_type = EXCLUDED.property_type,
                name = EXCLUDED.name, type = EXCLUDED.type, new_type = EXCLUDED.new_type
            WHERE (known.property_name, known.property_type, known.name, known.type, known.new_type)
                IS DISTINCT FROM (EXCLUDED.property_name, EXCLUDED.property_type, EXCLUDED.name, EXCLUDED.type,
                                  EXCLUDED.new_type)
            """,
            [{**asdict(key), **asdict(column)} for column in columns],
        )


async def begin_full_read(
    connection: Connection,
    key: DataSourceKey,
    started_at: datetime,
    version: int,
    *,
    as_of: datetime,
    table_shape: str,
) -> None:
    """Starts a new full read, by Notion's clock at `started_at`: nothing seen, nothing covered.

    `as_of`: a time by PostgreSQL's clock before anything of it was asked for: the copy will have every edit until then.
    `version` is the conversion's that its rows go through, `table_shape` that of the sync table, as it is now.
    """
    await connection.execute(
        """
        WITH forgotten AS (
            DELETE FROM notion_sync.seen_pages WHERE user_id = %(user)s AND data_source_id = %(source)s
        )
        UPDATE notion_sync.data_sources
        SET full_read_started_at = %(started_at)s, full_read_covered = '{}', full_read_confirmed_of = NULL,
            full_read_version = %(version)s, full_read_began_at = %(as_of)s,
            full_read_progress_at = clock_timestamp(), table_shape = %(table_shape)s
        WHERE user_id = %(user)s AND data_source_id = %(source)s
        """,
        {
            "started_at": started_at,
            "as_of": as_of,
            "version": version,
            "table_shape": table_shape,
            "user": key.user_id,
            "source": key.data_source_id,
        },
    )


_SEEN: LiteralString = """
    WITH seen AS (
        INSERT INTO notion_sync.seen_pages (user_id, data_source_id, page_ids)
        VALUES (%(user)s, %(source)s, %(page_ids)s::uuid[])
    )
"""
_COVER: LiteralString = """
    UPDATE notion_sync.data_sources
    SET full_read_covered = full_read_covered + %(covered)s, full_read_progress_at = clock_timestamp()
    WHERE user_id = %(user)s AND data_source_id = %(source)s
"""
_CONFIRM: LiteralString = """
    UPDATE notion_sync.data_sources
    SET full_read_confirmed = %(covered)s
            + CASE WHEN full_read_confirmed_of = full_read_started_at THEN full_read_confirmed ELSE '{}' END,
        full_read_confirmed_of = full_read_started_at, full_read_progress_at = clock_timestamp()
    WHERE user_id = %(user)s AND data_source_id = %(source)s
"""


async def record_full_read(
    connection: Connection, key: DataSourceKey, seen: Sequence[str], covered: Iterable[Interval], *, is_second: bool
) -> None:
    """Records, in the transaction that writes them, which pages a full read saw and which creation times it covers.

    `is_second`: in the listing that confirms what the first did not see.
    """
    await connection.execute(
        _SEEN + (_CONFIRM if is_second else _COVER),
        {
            "page_ids": list(seen),
            "covered": _multirange(covered),
            "user": key.user_id,
            "source": key.data_source_id,
        },
    )


# As a full read ends by the application's settings.
_HISTORY_SINCE = qualified(
    """
    history_since = CASE
        WHEN coalesce(source.history, (SELECT accounts.history FROM notion_sync.accounts
                                       WHERE accounts.user_id {=} source.user_id), true)
        THEN coalesce(history_since, pg_catalog.clock_timestamp()) END
    """
)
_SETTLE_HISTORY = sql.SQL(
    """
    UPDATE notion_sync.data_sources AS source SET {}
    WHERE user_id = %(user)s AND data_source_id = %(source)s AND full_as_of IS NOT NULL
    RETURNING history_since
    """
).format(_HISTORY_SINCE)


async def settle_history(connection: Connection, key: DataSourceKey) -> bool:
    """Lets the history of a data source that was read completely begin or end, as it is set; whether it is on now."""
    return await fetch_value(connection, _SETTLE_HISTORY, user=key.user_id, source=key.data_source_id) is not None


async def end_full_read(connection: Connection, key: DataSourceKey, row_count: int, *, held_back: int) -> bool:
    """Records that the full read under way is complete; every edit before it began is now in the copy.

    Returns whether changes are recorded from now on.

    No time of before is kept, even a later one: what was stored may have been impossible. `held_back`: how many rows
    it did not find and that are kept all the same. Forgets what was left out of pages that it did not see.

    By the application's settings, as what comes before it: to change them takes two more statements.
    """
    with connection.as_application():
        since = await fetch_value(
            connection,
            _end_full_read(),
            row_count=row_count,
            held_back=held_back,
            user=key.user_id,
            source=key.data_source_id,
        )
    return since is not None


@cache
def _end_full_read() -> sql.SQL:
    statement = qualified(
        """
        WITH not_left_out AS (
            DELETE FROM notion_sync.left_out AS known
            WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s
              AND NOT EXISTS (
                  SELECT FROM notion_sync.seen_pages AS seen
                  WHERE seen.user_id {=} known.user_id AND seen.data_source_id {=} known.data_source_id
                    AND known.page_id {=} ANY (seen.page_ids))
        ), forgotten AS (
            DELETE FROM notion_sync.seen_pages WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s
        )
        UPDATE notion_sync.data_sources AS source
        SET full_read_at = full_read_started_at, full_read_started_at = NULL, full_read_covered = '{{}}',
            full_read_confirmed = '{{}}', full_read_confirmed_of = NULL, full_read_progress_at = NULL,
            watermark = pg_catalog.date_trunc('minute', full_read_started_at, 'UTC'), row_count = %(row_count)s,
            held_back = %(held_back)s, synced_at = pg_catalog.clock_timestamp(), full_as_of = full_read_began_at,
            fresh_as_of = full_read_began_at, {history_since}
        WHERE user_id {=} %(user)s AND data_source_id {=} %(source)s
        RETURNING history_since
        """,
        history_since=_HISTORY_SINCE,
    )
    return written_out(statement)


async def drop_full_read(connection: Connection, key: DataSourceKey) -> None:
    """Takes back that a full read has begun: the latest that began is the latest complete one."""
    await connection.execute(
        """
        UPDATE notion_sync.data_sources
        SET full_read_started_at = NULL, full_read_covered = '{}', full_read_progress_at = NULL,
            full_read_began_at = full_as_of
        WHERE user_id = %s AND data_source_id = %s
        """,
        (key.user_id, key.data_source_id),
    )
    await forget_seen(connection, key)


async def advance_watermark(connection: Connection, key: DataSourceKey, watermark: datetime) -> None:
    """Records how far an incremental read has come, by Notion's clock: it is carried on from there."""
    await connection.execute(
        """
        UPDATE notion_sync.data_sources
        SET watermark = advanced.watermark, synced_at = clock_timestamp()
        FROM (SELECT date_trunc('minute', %s::timestamptz, 'UTC')) AS advanced (watermark)
        WHERE data_sources.watermark < advanced.watermark AND user_id = %s AND data_source_id = %s
        """,
        (watermark, key.user_id, key.data_source_id),
    )


async def end_edits(connection: Connection, key: DataSourceKey, watermark: datetime, *, unsure: timedelta) -> None:
    """Records that an incremental read is complete.

    Every edit is in the copy that was made before its database's sync began, but for those of the time `unsure` before.
    """
    await connection.execute(
        """
        UPDATE notion_sync.data_sources AS source
        SET watermark = greatest(watermark, date_trunc('minute', %(watermark)s::timestamptz, 'UTC')),
            synced_at = clock_timestamp(),
            fresh_as_of = CASE WHEN fresh_as_of BETWEEN last_started_at - %(unsure)s::interval AND last_started_at
                               THEN fresh_as_of ELSE last_started_at - %(unsure)s::interval END
        FROM notion_sync.databases AS database
        WHERE source.user_id = %(user)s AND data_source_id = %(source)s
          AND database.user_id = source.user_id AND database.database_id = source.database_id
        """,
        {"watermark": watermark, "unsure": unsure, "user": key.user_id, "source": key.data_source_id},
    )


async def forget_seen(connection: Connection, key: DataSourceKey) -> None:
    """Forgets what a full read has seen."""
    await connection.execute(
        "DELETE FROM notion_sync.seen_pages WHERE user_id = %s AND data_source_id = %s",
        (key.user_id, key.data_source_id),
    )


def _intervals(stretches: Multirange[datetime]) -> list[Interval]:
    return [Interval(one.lower or EARLIEST, one.upper or LATEST) for one in stretches]


def _multirange(intervals: Iterable[Interval]) -> TimestamptzMultirange:
    return TimestamptzMultirange(
        [
            Range(None if one.start == EARLIEST else one.start, None if one.end == LATEST else one.end)
            for one in intervals
        ]
    )
