"""The column `page_id` of a sync table: the id of a row's page as a uuid, however `notion_page_id` is written.

The tool writes it. A trigger sees to it where another writer did not, and `init` fills it where the column is new: in
batches, since readers wait for no row that is written, and writers for a short transaction at most. What the trigger of
`page_ids.py` has to spell is spelled with it, so that no row is written twice.
"""

from __future__ import annotations

from itertools import count
from typing import cast

from psycopg import sql

from notion_pg_sync.mirror.connection import Connection, fetch_value
from notion_pg_sync.mirror.locks import in_attempts, limit_lock_waits
from notion_pg_sync.mirror.page_ids import IdSpelling, is_misspelled, is_unlike
from notion_pg_sync.mirror.qualified_sql import qualified

# Of triggers PostgreSQL fires the first by name first: the id is spelled by then (page_ids.py).
UUID_TRIGGER = "notion_sync_page_uuid"

# Four megabytes of rows.
_BATCH_BLOCKS = 500
_LOCK_ATTEMPTS = 10
_UUID = sql.SQL("notion_sync.as_notion_id(notion_page_id)")


def uuid_trigger_on(table: sql.Identifier) -> sql.Composed:
    """The statement that makes the trigger by which `page_id` is right, whoever writes a row.

    Its function is called for rows of writers that leave it out alone, applications and older versions: a call costs
    more than all else about a row.
    """
    return qualified(
        "CREATE OR REPLACE TRIGGER {trigger} BEFORE INSERT OR UPDATE OF notion_page_id, page_id ON {table}\n"
        "FOR EACH ROW WHEN ({is_unlike}) EXECUTE FUNCTION notion_sync.set_page_id()",
        trigger=sql.Identifier(UUID_TRIGGER),
        table=table,
        is_unlike=is_unlike(sql.SQL("NEW.page_id"), sql.SQL("notion_sync.as_notion_id(NEW.notion_page_id)")),
    )


async def fill(connection: Connection, table: sql.Identifier, spelling: IdSpelling | None) -> None:
    """Fills `page_id` where it is not the page's id, and lets the trigger spell ids that are not in `spelling`.

    A short transaction a batch; where it is cut off, again. `spelling` is None where ids are left as they are. Where a
    trigger of somebody else's undoes that, it stays undone. Raises `UniqueViolation` where a page has another row by
    now, which is written as the table's others are.
    """
    with connection.as_application():
        filled, before = await _fill_once(connection, table, spelling), 0
        while filled and filled != before:
            filled, before = await _fill_once(connection, table, spelling), filled


async def _fill_once(connection: Connection, table: sql.Identifier, spelling: IdSpelling | None) -> int:
    """Goes through the table once; how many rows it wrote.

    A row that somebody changes meanwhile may move to where this was before.
    """
    blocks = cast(int, await fetch_value(connection, sql.SQL("SELECT {}").format(_blocks_of(table))))
    filled = 0
    for first in range(0, blocks, _BATCH_BLOCKS):
        blocks_of_batch = _between(sql.Literal(first), sql.Literal(first + _BATCH_BLOCKS))
        statement = _filling(table, spelling, blocks_of_batch)

        async def batch(statement: sql.Composed = statement) -> int:
            await limit_lock_waits(connection)
            return (await connection.execute(statement)).rowcount

        filled += await in_attempts(connection, batch, attempts=_LOCK_ATTEMPTS)
    return filled


def filling(table: sql.Identifier, spelling: IdSpelling | None) -> sql.Composed:
    """One statement that does the same as `fill`, in one transaction."""
    return _filling(table, spelling, sql.SQL("true"))


def filling_in_batches(table: sql.Identifier, spelling: IdSpelling | None) -> sql.Composed:
    """The statement that does the same as `fill`. It commits as it goes, so it cannot run within a transaction."""
    body = qualified(
        """
DECLARE
    filled pg_catalog.int8;
    in_all pg_catalog.int8;
    before pg_catalog.int8;
BEGIN
    LOOP
        before := in_all;
        in_all := 0;
        FOR place IN 0 .. {blocks} BY {batch} LOOP
            {filling};
            GET DIAGNOSTICS filled = ROW_COUNT;
            in_all := in_all {+} filled;
            COMMIT;
        END LOOP;
        EXIT WHEN in_all {=} 0 OR in_all {=} before;
    END LOOP;
END
""",
        blocks=_blocks_of(table),
        batch=sql.Literal(_BATCH_BLOCKS),
        filling=_filling(
            table,
            spelling,
            _between(sql.SQL("place"), qualified("place {+} {batch}", batch=sql.Literal(_BATCH_BLOCKS))),
        ),
    ).as_string()
    # A name may hold what would end the body.
    quote = next(tag for number in count(1) if (tag := f"$fill_{number}$") not in body)
    return sql.SQL("DO {0}{1}{0}").format(sql.SQL(quote), sql.SQL(body))


def _filling(table: sql.Identifier, spelling: IdSpelling | None, where: sql.Composable) -> sql.Composed:
    """The statement that fills and spells those of the rows `where`; the trigger spells what is set to itself."""
    parts = {"table": table, "uuid": _UUID, "where": where, "unlike": is_unlike(sql.SQL("page_id"), _UUID)}
    if spelling is None:
        return qualified("UPDATE {table} SET page_id = {uuid} WHERE {where} AND {unlike}", **parts)
    return qualified(
        "UPDATE {table} SET notion_page_id = notion_page_id, page_id = {uuid} WHERE {where} AND ({unlike} OR {odd})",
        **parts,
        odd=is_misspelled(spelling),
    )


def _between(first: sql.Composable, behind: sql.Composable) -> sql.Composed:
    """Whether a row is in the blocks from `first` to the one before `behind`."""
    return qualified(
        "ctid {>=} {first} AND ctid {<} {behind}", first=_beginning_of(first), behind=_beginning_of(behind)
    )


def _beginning_of(block: sql.Composable) -> sql.Composed:
    return sql.SQL("pg_catalog.format('(%s,0)', {})::pg_catalog.tid").format(block)


def _blocks_of(table: sql.Identifier) -> sql.Composed:
    """How many blocks a table has, or the largest of its partitions, as an expression."""
    return qualified(
        "((SELECT coalesce(pg_catalog.max(pg_catalog.pg_relation_size(relid)), pg_catalog.pg_relation_size({table}))"
        " FROM pg_catalog.pg_partition_tree({table})) {/} pg_catalog.current_setting('block_size')::pg_catalog.int8)",
        table=sql.SQL("{}::pg_catalog.regclass").format(sql.Literal(table.as_string())),
    )
