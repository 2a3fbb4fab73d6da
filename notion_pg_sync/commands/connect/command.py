"""`connect` from the first question to the first sync.

What is asked is asked between the parts that wait for Notion and PostgreSQL, so that Ctrl-C works at each question.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from notion_pg_sync.commands.connect.asking import WHERE_FROM, ask_databases, read_token, show_databases
from notion_pg_sync.commands.connect.choosing import configuration_of, described, everything, named
from notion_pg_sync.commands.connect.twins import places_of_twins
from notion_pg_sync.commands.output.console import show_run
from notion_pg_sync.commands.output.layout import print_message
from notion_pg_sync.commands.output.streams import ask, confirm
from notion_pg_sync.commands.output.terminal import Screen
from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode, NothingAttemptedError, UsageError
from notion_pg_sync.core.ids import names_view
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.mirror import accounts, migrations
from notion_pg_sync.mirror.accounts import Account
from notion_pg_sync.mirror.connection import Pool, open_pool, retried, transaction
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.preset_tables import make_where_allowed
from notion_pg_sync.mirror.tables import preset_table_for, settings_schema
from notion_pg_sync.mirror.view_catalog import question_to_a_view
from notion_pg_sync.notion.client import Bot, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.configuration import LINK_OF_VIEW, as_object, read_configuration
from notion_pg_sync.sync.run.discovery import INCOMPLETE_SEARCH, SharedDatabases, find_databases, title_of
from notion_pg_sync.sync.run.opening import open_client
from notion_pg_sync.sync.run.run import sync_all
from notion_pg_sync.sync.run.signals import run_until_done
from notion_pg_sync.sync.run.token_encryption import TokenError, connected_account, seal_token


class ConnectOptions(Struct, frozen=True):
    """What was typed: None and empty where it is to be asked."""

    user_id: str | None
    token_file: Path | None
    databases: Sequence[str]
    everything: bool
    replace: bool
    keep_token: bool
    views: bool
    sync: bool | None


class TokenRejectedError(NothingAttemptedError):
    """Notion does not accept a token."""


@dataclass(frozen=True)
class TokenInspection:
    """What there is: the user's account, if they have one, the token, whose it is, and what it sees.

    `is_stored`: it is the account's own, which stays. `places`: what tells apart, by id, databases of one title.
    """

    account: Account | None
    token: str = field(repr=False)
    is_stored: bool
    bot: Bot
    search: SharedDatabases
    places: Mapping[str, str]

    @property
    def shared(self) -> list[ConfiguredDatabase]:
        """The databases that the token sees, as far as search tells."""
        return self.search.found

    @property
    def is_configured(self) -> bool:
        """Whether the user has databases already, which may be kept."""
        configuration = read_configuration(self.account.databases if self.account else None)
        return bool(configuration.databases) or configuration.everything


def is_interactive() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def run_connect(settings: Settings, wish: ConnectOptions, command: str, *, set_up: bool) -> int:
    """Asks what was not said, checks the token, stores it, and syncs where that is wanted; returns the exit code.

    `command` is what was typed, for the record; `set_up`: PostgreSQL is the tool's own and may be initialised. Raises
    `UsageError`, `NothingAttemptedError`, `AccountError`, `NotionError`, `PostgresError`.
    """
    out = Screen()
    if wish.everything and wish.databases:
        raise UsageError("--all takes every database, and --database some: use one of them.")
    user_id = wish.user_id or _asked_user()
    standing = run_until_done(_look(settings, user_id, set_up=set_up))
    found = _inspected(settings, standing, wish, out)
    print_message(out, _whose(found.bot))
    if found.account and not found.is_stored and not _may_replace(found.account, wish):
        print_message(out, "Nothing was changed.")
        return 2
    databases = _chosen(settings, found, wish, out)
    token = None if found.is_stored else found.token
    stored = run_until_done(_store(settings, user_id, token, databases, views=wish.views))
    print_message(out, f"Connected: user {stored.user_id!r} mirrors {described(databases)}.")
    for problem in read_configuration(databases).problems:
        print_message(out, f"Not usable: {problem.message}")
    if stored.auto_sync is False:
        print_message(out, "auto_sync_enabled is false for this user: sync-all skips them until it is true.")
    wants_sync = wish.sync if wish.sync is not None else is_interactive() and confirm("Sync now?", default=True)
    code = 0
    if wants_sync:
        user = stored.user_id
        code = show_run(lambda listener: sync_all(settings, listener, command, user), as_json=False, report=[])
    if question := run_until_done(_question(settings, stored.user_id)):
        print_message(out, f"Look at them: {shell_command('notion-pg-sync', 'sql', question)}")
    return code


async def _question(settings: Settings, user_id: str) -> str | None:
    async with open_pool(settings.database_url or "") as pool, transaction(pool) as connection:
        return await question_to_a_view(connection, user_id)


def _inspected(settings: Settings, standing: Standing, wish: ConnectOptions, out: Screen) -> TokenInspection:
    """The token that is to be used; a person is asked until Notion accepts one."""
    if wish.keep_token:
        if wish.token_file:
            raise UsageError("--keep-token uses the stored token, and --token-file another: use one of them.")
        if standing.stored_token is None:
            raise UsageError(f"there is no stored token to keep: {standing.why_none}")
        return run_until_done(_inspect(settings, standing, None))
    is_asked = wish.token_file is None and sys.stdin.isatty()
    if is_asked:
        for line in WHERE_FROM:
            print_message(out, line)
    while True:
        try:
            token = read_token(wish.token_file, may_keep=standing.stored_token is not None)
            return run_until_done(_inspect(settings, standing, token))
        except (TokenRejectedError, UsageError) as error:
            if not is_asked:
                raise
            print_message(out, str(error), "yellow")


def _asked_user() -> str:
    if not is_interactive():
        raise UsageError("which user? Without a terminal, give USER_ID: 'notion-pg-sync connect me …'.")
    return ask("User, as in user_settings", default="me")


def _whose(bot: Bot) -> str:
    name = f" of {bot.name!r}" if bot.name else ""
    workspace = f" in the workspace {bot.workspace_name!r}" if bot.workspace_name else ""
    return f"The token{name}{workspace} works."


def _may_replace(account: Account, wish: ConnectOptions) -> bool:
    """Whether what a connected user has may be replaced. Raises `UsageError` where nobody can be asked."""
    if wish.replace or account.connected() is None:
        return True
    oauth = " (including the OAuth token)" if account.access_token else ""
    if not is_interactive():
        raise UsageError(
            f"user {account.user_id!r} is already connected: add --yes to replace their token{oauth} and databases."
        )
    return confirm(f"User {account.user_id!r} is already connected. Replace their token{oauth}?")


def _chosen(settings: Settings, found: TokenInspection, wish: ConnectOptions, out: Screen) -> dict[str, object]:
    """What `notion_databases` is to hold."""
    current = (as_object(found.account.databases) if found.account else None) or {}
    if wish.everything:
        return everything(current)
    picked: Sequence[ConfiguredDatabase] | None
    if wish.databases:
        picked = [_named(written, found) for written in wish.databases]
        if any(map(names_view, wish.databases)):
            print_message(out, f"{LINK_OF_VIEW}.")
    elif is_interactive():
        show_databases(out, found.shared, found.places)
        if not found.search.is_complete:
            print_message(out, INCOMPLETE_SEARCH)
        picked = ask_databases(out, found.shared, may_keep=found.is_configured)
    elif found.is_configured:
        picked = []
    else:
        raise UsageError(
            "which databases? Without a terminal, give --database NAME for each, or --all; the token sees: "
            f"{', '.join(database.name for database in found.shared)}."
        )
    if picked is None:
        return everything(current)
    if not picked and found.account and isinstance(found.account.databases, dict):
        return found.account.databases
    return configuration_of(run_until_done(_asked_of_notion(settings, found.token, picked)), current)


def _named(written: str, found: TokenInspection) -> ConfiguredDatabase:
    """The database of that name, id or link. Raises `UsageError`, which says what tells apart several of one name."""
    try:
        return named(written, found.shared)
    except UsageError as error:
        told = [f"{database_id} is {place}" for database_id, place in found.places.items() if database_id in str(error)]
        if not told:
            raise
        raise UsageError(f"{error} {'; '.join(told)}.") from error


@dataclass(frozen=True)
class Standing:
    """What PostgreSQL has of a user: the account, if any, and the databases that are known by name.

    `stored_token` is the token to read Notion with, None where there is none that can be used: `why_none`.
    """

    account: Account | None
    known: Sequence[ConfiguredDatabase]
    stored_token: str | None = field(repr=False)
    why_none: str


async def _look(settings: Settings, user_id: str, *, set_up: bool) -> Standing:
    async with open_pool(settings.database_url or "") as pool:
        if set_up:
            async with pool.connection() as connection:
                await carry_out(connection, await plan_init(connection))
        async with transaction(pool) as connection:
            await migrations.check_version(connection)
            found = await accounts.read_accounts(connection, await settings_schema(connection), user_id)
            known = [one.as_found for one in await accounts.known_databases(connection, user_id)]
    account = found[0] if found else None
    try:
        connected = connected_account(settings, account) if account else None
    except TokenError as error:
        return Standing(account, known, None, str(error))
    return Standing(account, known, connected.token if connected else None, "connect the user first.")


async def _inspect(settings: Settings, standing: Standing, typed: str | None) -> TokenInspection:
    """What the `typed` token sees, else the stored one. Raises `TokenRejectedError`, `NothingAttemptedError`."""
    token = typed if typed is not None else standing.stored_token or ""
    configured = read_configuration(standing.account.databases if standing.account else None).databases
    async with open_client(settings, token) as client:
        bot = await _bot(client)
        named_so = _with_configured_names(standing.known, configured)
        search = _with_options(await find_databases(client, named_so), configured)
        places = await places_of_twins(client, search.found)
    if not search.found:
        raise NothingAttemptedError(
            f"the token works, but nothing is shared with {repr(bot.name) if bot.name else 'its connection'}: "
            "in Notion open each database, add the connection under ••• > Connections, then run connect again."
        )
    return TokenInspection(standing.account, token, typed is None, bot, search, places)


def _with_configured_names(
    known: Sequence[ConfiguredDatabase], configured: Sequence[ConfiguredDatabase]
) -> list[ConfiguredDatabase]:
    """What is known of a user's databases, each under the name that it has in `notion_databases`, if it has one."""
    by_id = {one.database_id: one for one in known}
    titles = {one.database_id: one.title for one in known}
    by_id.update(
        {one.database_id: replace(one, title=titles.get(one.database_id)) for one in configured if one.is_named}
    )
    return list(by_id.values())


def _with_options(search: SharedDatabases, configured: Sequence[ConfiguredDatabase]) -> SharedDatabases:
    options = {one.database_id: one.options for one in configured}
    found = [replace(one, options=options.get(one.database_id, one.options)) for one in search.found]
    return replace(search, found=found)


async def _bot(client: NotionClient) -> Bot:
    try:
        return await client.me()
    except NotionError as error:
        if error.code != ErrorCode.UNAUTHORIZED:
            raise
        raise TokenRejectedError(
            "Notion does not accept this token: copy the connection's secret again from "
            "https://www.notion.so/profile/integrations, whole."
        ) from error


async def _asked_of_notion(
    settings: Settings, token: str, picked: Sequence[ConfiguredDatabase]
) -> list[ConfiguredDatabase]:
    """The picked databases; those that search left out are given by id, and Notion is asked for their names."""
    async with open_client(settings, token) as client:
        return [await _named_by_notion(client, one) for one in picked]


async def _named_by_notion(client: NotionClient, picked: ConfiguredDatabase) -> ConfiguredDatabase:
    if picked.is_named:
        return picked
    return replace(picked, name=title_of(await client.database(picked.database_id)) or picked.database_id)


async def _store(
    settings: Settings, user_id: str, token: str | None, databases: dict[str, object], *, views: bool
) -> Account:
    """Stores the connection, makes the tables that presets have for its databases, and returns the account.

    Tables that this role may not make are left to the sync, which says so where its role may not either.
    """
    stored_token = seal_token(token, settings.token_key) if token and settings.token_key else token
    async with open_pool(settings.database_url or "") as pool:
        schema, account = await _store_account(pool, user_id, stored_token, databases, views=views)
        async with pool.connection() as connection:
            for name in databases:
                if table := preset_table_for(schema, name):
                    await make_where_allowed(connection, table)
    return account


@retried
async def _store_account(
    pool: Pool, user_id: str, stored_token: str | None, databases: dict[str, object], *, views: bool
) -> tuple[str, Account]:
    """Returns where the sync tables lie, and the account as it is then."""
    async with transaction(pool) as connection:
        schema = await settings_schema(connection)
        stored_id = await accounts.connect_account(
            connection, schema, user_id, token=stored_token, databases=json.dumps(databases), views=views
        )
        (account,) = await accounts.read_accounts(connection, schema, stored_id)
        return schema, account
