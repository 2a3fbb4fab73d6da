"""Taking something out of the rows of a sync table, within one transaction, and making sure that it is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import sql

from notion_pg_sync.core.errors import ErrorCode, ExitCode, ToolError
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.qualified_sql import qualified
from notion_pg_sync.mirror.tables import SyncTable

# So that no statement takes long, however large the table is.
_BATCH = 5_000


class PurgeBlockedError(ToolError):
    """A trigger keeps in a sync table what is to be purged."""

    exit_code = ExitCode.FAILED
    code = ErrorCode.ROWS_BLOCKED


async def rewrite_rows(
    connection: Connection,
    table: SyncTable,
    *,
    holds: sql.Composed,
    assignments: sql.Composed,
    parameters: Mapping[str, object],
    what: str,
    emptied: Sequence[str] = (),
) -> int:
    """Makes the `assignments` in the rows that hold something, and returns how many these were.

    `what` they hold is for people; `emptied`: columns that the assignments set to null. Raises `PurgeBlockedError`
    where some hold it afterwards, also in one of these columns.
    """
    query = qualified("SELECT id FROM {table} WHERE {holds}", table=table.identifier, holds=holds)
    is_kept = [sql.SQL(" OR {} IS NOT NULL").format(sql.Identifier(name)) for name in emptied]
    holding = qualified(
        """
        SELECT id FROM {table}
        WHERE ({holds}) OR (id {=} ANY (%(ids)s::pg_catalog.uuid[]) AND (false{is_kept}))
        """,
        table=table.identifier,
        holds=holds,
        is_kept=sql.SQL("").join(is_kept),
    )
    statement = qualified(
        "UPDATE {table} SET {assignments} WHERE id {=} ANY (%(ids)s::pg_catalog.uuid[])",
        table=table.identifier,
        assignments=assignments,
    )
    with connection.as_application():
        ids = [id_ async for (id_,) in await connection.execute(query, parameters)]
        for start in range(0, len(ids), _BATCH):
            await connection.execute(statement, {**parameters, "ids": ids[start : start + _BATCH]})
        if not ids:
            return 0
        # Those that fire at the end of the transaction do so now.
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        left = (await connection.execute(holding, {**parameters, "ids": ids})).rowcount
    if left:
        triggers = ", ".join(table.triggers) or "of a partition"
        raise PurgeBlockedError(
            f"{plural(left, 'row')} of {table.qualified_name} still {'holds' if left == 1 else 'hold'} {what}, since "
            f"the trigger {triggers} keeps it there, so nothing is read: let it return the row as it is written, or "
            "drop it."
        )
    return len(ids)
