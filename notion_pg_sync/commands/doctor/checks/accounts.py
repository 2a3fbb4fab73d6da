"""Who connected Notion, and whether what `user_settings` says of them can be used."""

from __future__ import annotations

from collections.abc import Sequence

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, broken, ok, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED
from notion_pg_sync.commands.doctor.checks.rights import RIGHTS
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror.accounts import Account, read_accounts
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis import accounts as statements
from notion_pg_sync.notion.client import can_be_sent
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.account import connected_account
from notion_pg_sync.sync.run.configuration import read_configuration
from notion_pg_sync.sync.run.token_encryption import TokenError, looks_encrypted

SECTION = "Accounts"


async def _connected_users(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        examination.accounts = await read_accounts(connection, examination.schema, examination.user_id)
    return connected_users(examination.accounts, examination.schema, examination.user_id)


def connected_users(accounts: Sequence[Account], schema: str, user_id: str | None) -> list[Finding]:
    """How many have a token, of which kind, and who has none; `user_id` is the one that was asked for, if any."""
    if not accounts and user_id is not None:
        return [broken(f"there is no user {user_id!r} in user_settings", statements.listing(schema))]
    if not accounts:
        return [broken("user_settings has no rows, so there is nobody to sync", statements.first_user(schema))]
    without = [account for account in accounts if not account.connected()]
    if len(without) == len(accounts):
        return [
            broken(
                f"no user in user_settings has a Notion token, so there is nobody to sync: {_who(without)}",
                statements.token_statement(schema, without[0].user_id, without[0].token_column),
            )
        ]
    connected = [account for account in accounts if account.connected()]
    return [_kinds(connected), *_switched_off(connected, schema), *_without_token(without, schema)]


def _kinds(connected: Sequence[Account]) -> Finding:
    by_oauth = sum(account.access_token is not None for account in connected)
    kinds = [f"{by_oauth:,} by OAuth"] if by_oauth else []
    kinds += [f"{len(connected) - by_oauth:,} by an integration's token"] if by_oauth < len(connected) else []
    return ok(f"{plural(len(connected), 'user is', 'users are')} connected to Notion: {' and '.join(kinds)}")


def _switched_off(connected: Sequence[Account], schema: str) -> list[Finding]:
    off = [account for account in connected if account.auto_sync is False]
    if not off:
        return []
    if len(off) == len(connected):
        return [
            warning(
                "auto_sync_enabled is false for every connected user, so sync-all syncs nobody",
                statements.switching_on(schema),
            )
        ]
    return [ok(f"auto_sync_enabled is false, so sync-all skips {_who(off)}")]


def _without_token(without: Sequence[Account], schema: str) -> list[Finding]:
    """Those who asked for a database wait for it; the others have not connected Notion."""
    waiting = [account for account in without if account.databases]
    idle = [account for account in without if not account.databases]
    findings = [ok(f"no Notion token, and no databases configured: {_who(idle)}")] if idle else []
    if waiting:
        findings.append(
            warning(
                f"databases are configured in notion_databases, but there is no Notion token, for {_who(waiting)}",
                statements.token_statement(schema, waiting[0].user_id, waiting[0].token_column),
            )
        )
    return findings


async def _tokens(examination: Examination) -> list[Finding]:
    has_key = examination.settings.token_key is not None
    findings = tokens(examination.accounts, examination.schema, has_key=has_key)
    findings += unopened(examination.accounts, examination.schema, examination.settings)
    return findings or [ok("every token has a valid form")]


def tokens(accounts: Sequence[Account], schema: str, *, has_key: bool) -> list[Finding]:
    """Tokens that Notion cannot accept as they stand; `has_key`: encrypted ones can be opened."""
    findings = []
    for account in accounts:
        connected = account.connected()
        if connected is None:
            continue
        column = account.token_column
        if connected.token != connected.token.strip():
            findings.append(
                broken(
                    f"the token of {account.user_id} in {column} begins or ends with whitespace",
                    statements.trimming(schema, account.user_id, column),
                )
            )
        elif not can_be_sent(connected.token):
            findings.append(
                broken(
                    f"the token of {account.user_id} in {column} has characters that are not allowed in a token",
                    statements.token_statement(schema, account.user_id, column),
                )
            )
    encrypted = [
        account.user_id
        for account in accounts
        if (connected := account.connected()) and looks_encrypted(connected.token)
    ]
    if encrypted and not has_key:
        findings.append(
            broken(
                f"{plural(len(encrypted), 'token looks', 'tokens look')} encrypted, and there is no key to open "
                f"{'it' if len(encrypted) == 1 else 'them'}: {some(encrypted)}",
                "export NOTION_TOKEN_KEY=...    # the key with which the application encrypts; in the crontab too",
            )
        )
    return findings


def unopened(accounts: Sequence[Account], schema: str, settings: Settings) -> list[Finding]:
    """Encrypted tokens that the key does not open; that there is none is told once for all."""
    if settings.token_key is None:
        return []
    findings = []
    for account in accounts:
        try:
            connected_account(settings, account)
        except TokenError as error:
            fix = statements.token_statement(schema, account.user_id, account.token_column)
            findings.append(broken(f"{account.user_id}: {error}", fix))
    return findings


async def _wanted_databases(examination: Examination) -> list[Finding]:
    return wanted_databases(examination.accounts, examination.schema)


def wanted_databases(accounts: Sequence[Account], schema: str) -> list[Finding]:
    """What of the users' `notion_databases` cannot be used and, of those who are connected, is not what it seems."""
    connected = [account for account in accounts if account.connected()]
    findings = [finding for account in accounts for finding in _unusable(account, schema)]
    findings += [finding for account in connected for finding in _doubles(account, schema)]
    configurations = [read_configuration(account.databases) for account in connected]
    asking_nothing = [
        account
        for account, configuration in zip(connected, configurations, strict=True)
        if not (configuration.databases or configuration.everything or configuration.problems)
    ]
    if asking_nothing:
        findings.append(
            warning(
                f"notion_databases is empty, so there is nothing to sync, for {_who(asking_nothing)}",
                statements.everything_wanted(schema, asking_nothing[0].user_id),
            )
        )
    if findings:
        return findings
    count = sum(len(configuration.databases) for configuration in configurations)
    everything = sum(configuration.everything for configuration in configurations)
    all_of = f", and everything shared with {plural(everything, 'token', 'tokens')}" if everything else ""
    return [ok(f"{plural(count, 'database is', 'databases are')} configured{all_of}")]


def _unusable(account: Account, schema: str) -> list[Finding]:
    configuration = read_configuration(account.databases)
    fixes = [statements.id_statement(schema, account.user_id, name) for name in configuration.malformed]
    fixes = fixes or [statements.database_statement(schema, account.user_id)] * len(configuration.problems)
    return [
        broken(f"{account.user_id}: {problem.rstrip('.')}", fix)
        for problem, fix in zip(configuration.problems, fixes, strict=True)
    ]


def _doubles(account: Account, schema: str) -> list[Finding]:
    return [
        warning(
            f"{account.user_id}: {name!r} and {counts!r} in notion_databases are one database: it counts once, as "
            f"{counts!r}, the first in alphabetical order",
            statements.without_database(schema, account.user_id, name),
        )
        for name, counts in read_configuration(account.databases).doubles.items()
    ]


def _who(accounts: Sequence[Account]) -> str:
    return some([account.user_id for account in accounts])


CONNECTED_USERS = Check("connected users", SECTION, _connected_users, needs=(INITIALISED, RIGHTS))
ACCOUNT_CHECKS = (
    CONNECTED_USERS,
    Check("tokens", SECTION, _tokens, needs=(CONNECTED_USERS,)),
    Check("notion_databases", SECTION, _wanted_databases, needs=(CONNECTED_USERS,)),
)
