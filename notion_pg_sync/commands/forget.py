"""`forget` as a person meets it: a question, and what went."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import humanize
from msgspec import Struct

from notion_pg_sync.commands.output.layout import print_message
from notion_pg_sync.commands.output.streams import confirm
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.core.databases import ConfiguredDatabase, resolve_database
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.printable import printable
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror import accounts, forgetting, migrations
from notion_pg_sync.mirror.connection import Connection, Pool, open_pool, retried, transaction
from notion_pg_sync.mirror.files import count_discarded
from notion_pg_sync.mirror.forgetting import Forgotten
from notion_pg_sync.mirror.tables import settings_schema
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.claiming import once_free
from notion_pg_sync.sync.run.database_entry import read_entry
from notion_pg_sync.sync.run.signals import run_until_done

if TYPE_CHECKING:
    from notion_pg_sync.sync.files.sweeping import Removed


class Target(Struct, frozen=True):
    """What is to be forgotten: a user, or one database of theirs. `names`: what `notion_databases` calls that."""

    schema: str
    user_id: str
    database_id: str | None = None
    names: tuple[str, ...] = ()


def run_forget(settings: Settings, user_id: str, database: str | None, *, disconnect: bool, yes: bool) -> int:
    """Looks whether it can be, asks, forgets, and says what went; returns the exit code.

    Raises `UsageError` where that cannot be as things are, `ForgetError` where something stands in the way.
    """
    out = Screen()
    what = f"user {user_id!r}" if database is None else f"database {database!r} of user {user_id!r}"
    target = run_until_done(_checked(settings, user_id, database, disconnect=disconnect, may_be_unknown=yes))
    if not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError(f"{what} would be forgotten for good: add --yes to do so.")
        if not confirm(f"Forget {what} for good, with every mirrored row, removed page and record?"):
            print_message(out, "Nothing was changed.")
            return 2
    forgotten = run_until_done(_forget(settings, target, disconnect=disconnect))
    for sentence in forgotten.says:
        print_message(out, sentence)
    print_message(out, _summary(what, forgotten.row_counts))
    removed = run_until_done(_remove_bytes(settings))
    if removed.says:
        print_message(out, removed.says)
    return 0 if removed.is_all else 1


def _summary(what: str, counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return f"Nothing was stored for {what}."
    gone = [f"{humanize.intcomma(count)} of {relation}" for relation, count in counts.items() if count]
    return f"Forgotten: {what}. Rows: {', '.join(gone)}."


class _Removed(Struct, frozen=True):
    """What came of the bytes of forgotten files: whether all of them are removed, and what there is to say."""

    says: str = ""
    is_all: bool = True


async def _remove_bytes(settings: Settings) -> _Removed:
    """Removes what was forgotten of files from the place that keeps them, also what was forgotten by SQL before."""
    async with open_pool(settings.database_url or "") as pool:
        async with transaction(pool) as connection:
            waiting = await count_discarded(connection)
        if not waiting:
            return _Removed()
        left = f"The bytes of {plural(waiting, 'file')} are still where they were kept"
        if settings.files is None:
            return _Removed(f"{left}: repeat this with --files WHERE, or let the next run remove them.", is_all=False)
        from notion_pg_sync.sync.files.marks import open_kept  # noqa: PLC0415 - needs the extra `files`
        from notion_pg_sync.sync.files.place import PlaceError  # noqa: PLC0415
        from notion_pg_sync.sync.files.sweeping import remove_discarded  # noqa: PLC0415

        try:
            removed = await remove_discarded(pool, await open_kept(pool, settings))
        except PlaceError as error:
            return _Removed(f"{left}, and the next run tries again: {error}", is_all=False)
    return _told(settings.files, removed)


def _told(where: str, removed: Removed) -> _Removed:
    """What came of it in words."""
    says = [f"Removed the bytes of {plural(removed.files, 'file')} from {printable(where)}."]
    if removed.problem:
        says.append(removed.problem)
    return _Removed(" ".join(says), is_all=len(says) == 1)


async def _checked(
    settings: Settings, user_id: str, database: str | None, *, disconnect: bool, may_be_unknown: bool
) -> Target:
    """What is to be forgotten, once it is sure that the next run would not bring it back. Raises `UsageError`."""
    async with open_pool(settings.database_url or "") as pool, transaction(pool) as connection:
        await migrations.check_version(connection)
        schema = await settings_schema(connection)
        if database is not None or not may_be_unknown:
            await accounts.check_that_user_is_known(connection, schema, user_id)
        target = await _find(connection, schema, user_id, database)
        with _refusing():
            async with connection.transaction(force_rollback=True):
                await _disconnect(connection, target, wanted=disconnect)
                await forgetting.check_that_it_stays_away(connection, user_id, target.database_id)
        return target


@contextmanager
def _refusing() -> Iterator[None]:
    """Whoever is still connected was asked for wrongly."""
    try:
        yield
    except forgetting.StillConnectedError as error:
        raise UsageError(str(error)) from error


async def _find(connection: Connection, schema: str, user_id: str, database: str | None) -> Target:
    if database is None:
        return Target(schema, user_id)
    found = await accounts.read_accounts(connection, schema, user_id)
    known = await accounts.known_databases(connection, user_id)
    written = [account.databases for account in found if isinstance(account.databases, dict)]
    configured = {name: read_entry(entry).database_id for one in written for name, entry in one.items()}
    candidates = [ConfiguredDatabase(name, database_id) for name, database_id in configured.items() if database_id]
    candidates += [one.as_found for one in known]
    database_id = resolve_database(database, candidates, whose=f"user {user_id!r} has", unknown_ids=True).database_id
    return Target(schema, user_id, database_id, tuple(name for name in configured if configured[name] == database_id))


async def _forget(settings: Settings, target: Target, *, disconnect: bool) -> Forgotten:
    """Forgets in one transaction; waits for a run that works for the user, for `settings.lease_wait_seconds`."""
    async with open_pool(settings.database_url or "") as pool:
        attempt = partial(_forget_now, pool, target, disconnect=disconnect)
        with _refusing():
            return await once_free(pool, settings.lease_wait_seconds, attempt, forgetting.BeingSyncedError)


@retried
async def _forget_now(pool: Pool, target: Target, *, disconnect: bool) -> Forgotten:
    async with transaction(pool) as connection:
        await _disconnect(connection, target, wanted=disconnect)
        return await forgetting.forget(connection, target.user_id, target.database_id)


async def _disconnect(connection: Connection, target: Target, *, wanted: bool) -> None:
    """Takes out of `user_settings` what is to be forgotten, where that is wanted."""
    if wanted and target.database_id is None:
        await accounts.disconnect_account(connection, target.schema, target.user_id)
    elif wanted and target.names:
        await accounts.take_out_databases(connection, target.schema, target.user_id, target.names)
