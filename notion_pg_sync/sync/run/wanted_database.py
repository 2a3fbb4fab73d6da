"""Which database of a user a person means who names one, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from notion_pg_sync.core.databases import (
    ConfiguredDatabase,
    DatabaseOptions,
    find_databases,
    free_name,
    resolve_database,
)
from notion_pg_sync.core.errors import NothingAttemptedError, UsageError
from notion_pg_sync.mirror.accounts import ConnectedAccount, KnownDatabase
from notion_pg_sync.sync.run.configuration import read_configuration
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.discovery import name_nameless, title_of


async def wanted_database(
    work: RunContext, account: ConnectedAccount, known: Sequence[KnownDatabase], written: str
) -> ConfiguredDatabase:
    """The database that `written`, a name, a title, an id or a link, means, under its name.

    That is the one that it was given, or with `settings.adopt_name` its title in Notion, from now on. Raises
    `UsageError`, `NothingAttemptedError` where what is configured cannot be read, and `NotionError`.
    """
    found = find_wanted(account, known, written)
    if not work.settings.adopt_name and found.is_named:
        return found
    async with work.open_client(account.token) as client:
        if work.settings.adopt_name:
            _check_that_nobody_named(account, found)
            title = title_of(await client.database(found.database_id))
            if not title:
                raise UsageError(
                    f"database {found.name!r} has no title in Notion, so it keeps its name: give it one there."
                )
            taken = {one.name for one in known if one.database_id != found.database_id}
            return replace(found, name=free_name(title, taken), title=title)
        (named,) = await name_nameless(client, [found], [one.as_found for one in known])
        return named


def is_of_search(account: ConnectedAccount, known: Sequence[KnownDatabase], database: ConfiguredDatabase) -> bool:
    """Whether it is search alone that found a database: it is not configured."""
    configured = {one.database_id for one in read_configuration(account.databases).databases}
    return database.database_id in {one.database_id for one in known if one.found_by_search} - configured


def find_wanted(account: ConnectedAccount, known: Sequence[KnownDatabase], written: str) -> ConfiguredDatabase:
    """A configured database or, where everything is wanted, one that search found before; `written` as above.

    Pure. Raises `UsageError`, and `NothingAttemptedError` where what is configured cannot be read.
    """
    configuration = read_configuration(account.databases)
    nameless = {one.database_id: one for one in configuration.databases if not one.is_named}
    candidates = [
        replace(nameless[one.database_id], name=one.name, title=one.title)
        for one in known
        if one.database_id in nameless
    ]
    candidates += configuration.databases
    configured = {one.database_id: one.options for one in configuration.databases}
    candidates += [
        replace(one.as_found, options=configured.get(one.database_id, DatabaseOptions()))
        for one in known
        if one.found_by_search and configuration.takes_found(one.database_id)
    ]
    if configuration.problems and not find_databases(written, candidates):
        messages = [problem.message for problem in configuration.problems]
        message = next((one for one in messages if repr(written) in one), messages[0])
        raise NothingAttemptedError(f"user {account.user_id!r}: {message}")
    return resolve_database(written, candidates, whose=f"notion_databases of user {account.user_id!r} has")


def _check_that_nobody_named(account: ConnectedAccount, found: ConfiguredDatabase) -> None:
    by_user = {one.database_id for one in read_configuration(account.databases).databases if one.is_named}
    if found.database_id in by_user:
        raise UsageError(
            f"notion_databases of user {account.user_id!r} has the name {found.name!r}: change it there, and the next "
            "sync follows."
        )
