"""`grant-reader` as a person meets it: what a role may read from now on, or the SQL that lets it."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import errors, sql

from notion_pg_sync.commands.output.layout import print_message
from notion_pg_sync.commands.output.streams import say
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.core.columns import MAX_NAME_BYTES
from notion_pg_sync.core.errors import ToolError, UsageError
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror import accounts, migrations
from notion_pg_sync.mirror.connection import Connection, open_pool
from notion_pg_sync.mirror.locks import LOCKED
from notion_pg_sync.mirror.reader_rights import Reader, why_no_reader, why_unguarded
from notion_pg_sync.mirror.readers import (
    Due,
    Rights,
    carry_out,
    command_of,
    forgetting_reader,
    look_at_rights,
    look_at_role,
    one_at_a_time,
    owners_of,
    remembered_readers,
    remembering,
    renamed_to,
    undoing_the_new_name,
)
from notion_pg_sync.mirror.tables import SETTINGS_TABLE, settings_schema
from notion_pg_sync.mirror.typed_sql import typed
from notion_pg_sync.settings import Settings


class ReaderError(ToolError):
    """Nothing was granted or taken back; the message says why and what to do."""


async def run_grant_reader(
    settings: Settings, role: str, user_id: str | None, *, revoke: bool = False, only_sql: bool = False
) -> int:
    """Makes a role a reader of one user's rows or (None) of everybody's, or takes that back, or prints the SQL for it.

    Returns the exit code. Raises `UsageError` where the role cannot be that, `ReaderError` where this role may not do
    it.
    """
    if revoke and user_id is not None:
        raise UsageError("--revoke takes back all that the role was given: leave out --user.")
    out = Screen()
    async with open_pool(settings.database_url or "") as pool, pool.connection() as connection:

        async def work() -> str:
            await migrations.check_version(connection)
            if revoke:
                return await _revoke(connection, role, only_sql=only_sql)
            return await _grant(connection, Reader(role, user_id), only_sql=only_sql)

        try:
            said = await one_at_a_time(connection, work)
        except LOCKED as error:
            raise ReaderError(
                f"a table is in use ({error.diag.message_primary}), so nothing was changed: end what holds it "
                "(pg_stat_activity shows it), then run this again."
            ) from error
        except errors.InsufficientPrivilege as error:
            raise ReaderError(
                f"this role may not do that ({error.diag.message_primary}): let the owner of the schema notion_sync "
                "do it."
            ) from error
    if only_sql:
        say(said)
    else:
        print_message(out, said)
    return 0


async def _grant(connection: Connection, reader: Reader, *, only_sql: bool) -> str:
    """Returns what is so from now on, or the SQL that brings it there."""
    is_new = await _check(connection, reader, may_be_new=only_sql)
    rights = await look_at_rights(connection, reader)
    if rights.unguarded:
        why, first, fix = why_unguarded(reader, rights.unguarded)
        advice = f"{first}, then run {fix!r}" if first else f"run {fix!r}"
        raise UsageError(f"{why}, so the role would see every user's rows there: {advice}.", fix)
    known = {one.role_now: one.reader for one in await remembered_readers(connection) if one.counts}
    before = known.get(reader.role)
    statements = [statement for due in rights.lacking for statement in due.statements]
    if before != reader:
        statements.append(remembering(reader))
    if only_sql:
        creation = [sql.SQL("CREATE ROLE {} LOGIN").format(reader.identifier)] if is_new else []
        return _as_sql([*creation, *statements])
    _check_owners(rights.lacking, command_of(reader))
    await carry_out(connection, statements)
    return _told(rights, before)


async def _check(connection: Connection, reader: Reader, *, may_be_new: bool) -> bool:
    """Whether the role is yet to be created. Raises `UsageError` where it cannot be this reader."""
    if len(reader.role.encode()) > MAX_NAME_BYTES:
        raise UsageError(f"the name of a role has at most {MAX_NAME_BYTES} bytes: check the spelling.")
    schema = await settings_schema(connection)
    if reader.user_id is not None and not await accounts.read_accounts(connection, schema, reader.user_id):
        raise UsageError(f"there is no user {reader.user_id!r} in user_settings: check the spelling.")
    role = await look_at_role(connection, reader.role, schema)
    await _check_name(connection, reader.role, is_taken=role is not None)
    if role is None and not may_be_new:
        creation = typed(sql.SQL("CREATE ROLE {} LOGIN").format(reader.identifier))
        raise UsageError(f"there is no role {reader.role!r}: create it ({creation}), then run this again.", creation)
    why, fix = why_no_reader(reader, role, sql.Identifier(schema, SETTINGS_TABLE)) if role else ("", "")
    if why:
        advice = f"take that from it ({fix}), or name another role" if fix else "name another role"
        raise UsageError(f"the role {reader.role!r} {why}: {advice}.", fix)
    return role is None


async def _check_name(connection: Connection, role: str, *, is_taken: bool) -> None:
    """Raises `UsageError` where the policies of this name are those of a role that has another name now."""
    if new_name := await renamed_to(connection, Reader(role)):
        # Without its limit it would see by the grants that it still has what a session asks for.
        fix = undoing_the_new_name(role, new_name, is_taken=is_taken)
        heal = f"take from that what it has ({fix})" if is_taken else f"give it its name back ({fix})"
        raise UsageError(f"the role that was the reader {role!r} is called {new_name!r} now: {heal} first.", fix)


async def _revoke(connection: Connection, role: str, *, only_sql: bool) -> str:
    """Returns what is so from now on, or the SQL that brings it there."""
    is_taken = await look_at_role(connection, role, await settings_schema(connection)) is not None
    await _check_name(connection, role, is_taken=is_taken)
    rights = await look_at_rights(connection, Reader(role))
    is_remembered = any(role in (one.reader.role, one.role_now) for one in await remembered_readers(connection))
    statements = [statement for due in rights.withdrawal for statement in due.statements]
    if is_remembered:
        statements.append(forgetting_reader(role))
    if only_sql:
        return _as_sql(statements)
    _check_owners(rights.withdrawal, command_of(Reader(role), "--revoke"))
    await carry_out(connection, statements)
    if not statements:
        return f"The role {role!r} is no reader; nothing to do."
    return f"The role {role!r} reads nothing of Notion any more."


def _as_sql(statements: list[sql.Composed]) -> str:
    if not statements:
        return "-- nothing to do"
    return f"BEGIN;\n{typed(*statements)}\nCOMMIT;"


def _check_owners(changes: Sequence[Due], command: str) -> None:
    others = [due.on for due in changes if not due.on.owned]
    if others:
        raise ReaderError(
            f"this role does not own {some([one.in_words() for one in others])}, so nothing was changed: let "
            f"{owners_of(others)} run {command!r}, or what that prints with --sql."
        )


def _told(rights: Rights, before: Reader | None) -> str:
    reader = rights.reader
    views = sum(one.is_view for one in rights.relations)
    tables = sum(one.is_shown and not one.is_view for one in rights.relations)
    reads = f"The role {reader.role!r} reads {_whose(reader)}"
    shown = f"{plural(views, 'view')} in the schema notion, {plural(tables, 'sync table')}"
    if before == reader and not rights.lacking:
        return f"{reads} already: {shown}. Nothing to do."
    changed = "" if before in (None, reader) else f"; until now it read {_whose(before)}"
    return f"{reads} from now on{changed}: {shown}."


def _whose(reader: Reader | None) -> str:
    if reader is None or reader.user_id is None:
        return "everybody's rows"
    return f"the rows of user {reader.user_id!r} alone"
