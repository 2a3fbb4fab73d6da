"""Who connected Notion, and whether what `user_settings` says of them can be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    Check,
    Examination,
    Finding,
    broken,
    of_error,
    ok,
    warning,
)
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED, RIGHTS
from notion_pg_sync.commands.doctor.checks.wording import connect_command, new_tokens
from notion_pg_sync.core.wording import plural, some
from notion_pg_sync.mirror.accounts import Account, read_accounts
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.diagnosis import accounts as statements
from notion_pg_sync.mirror.overview import read_databases
from notion_pg_sync.notion.client import can_be_sent
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.configuration import LINK_OF_VIEW, read_configuration, repaired, without_place
from notion_pg_sync.sync.run.token_encryption import TokenError, connected_account, looks_encrypted

SECTION = "Accounts"

# Beside what Python calls a blank: characters without width, which come with what is copied from a web page.
_WITHOUT_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"


async def _columns(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        types = await statements.column_types(connection, examination.schema)
        known = {one.database_id for one in await read_databases(connection, examination.user_id)}
        place, users = None, []
        if "notion_databases" not in types and known:
            place = await statements.column_holding(connection, examination.schema, types, known)
            users = await statements.functions_naming(connection, place) if place else []
    return columns(examination.schema, types, place, users, were_synced=bool(known))


def columns(
    schema: str, types: Mapping[str, str], place: str | None, users: Sequence[str], *, were_synced: bool
) -> list[Finding]:
    """Columns of other `types` than the tool reads.

    `place`: that which holds the databases that `were_synced`; `users` are functions that need it under that name.
    """
    findings = []
    if "notion_databases" not in types and were_synced:
        seen = f"{schema}.user_settings has no column notion_databases any more, so nobody's databases are synced"
        where = f": the column {place} holds them" if place else ""
        fix = statements.renaming(schema, place) if place and not users else ""
        again = f"rename {place} back to notion_databases, and write that in {some(users)} too"
        needs = again if users else "give the column its name back, or make it anew (jsonb)"
        findings.append(broken(f"{seen}{where}", fix, EVERYTHING, needs="" if fix else needs))
    for name, wanted in (("notion_databases", "jsonb"), ("auto_sync_enabled", "boolean")):
        if types.get(name) in ("text", "character varying"):
            seen = f"{name} of {schema}.user_settings is {types[name]}, not {wanted}, and cannot be read"
            findings.append(broken(seen, statements.retyping(schema, name, wanted), EVERYTHING))
    return findings or [ok("user_settings has the columns and types that are read")]


async def _connected_users(examination: Examination) -> list[Finding]:
    schema, user_id = examination.schema, examination.user_id
    examination.accounts = await examination.ask(lambda connection: read_accounts(connection, schema, user_id))
    return connected_users(examination.accounts, schema, user_id)


def connected_users(accounts: Sequence[Account], schema: str, user_id: str | None) -> list[Finding]:
    """How many have a token, of which kind, and who has none; `user_id` is the one that was asked for, if any."""
    if not accounts and user_id is not None:
        seen = f"there is no user {user_id!r} in user_settings"
        return [broken(seen, needs="name a user who is there", look=statements.listing(schema))]
    if not accounts:
        seen = "user_settings has no rows, so there is nobody to sync"
        return [broken(seen, "", EVERYTHING, needs=f"a user and their token: {connect_command()!r} asks for both")]
    without = [account for account in accounts if not account.connected()]
    if len(without) == len(accounts):
        seen = f"no user in user_settings has a Notion token, so there is nobody to sync: {_who(without)}"
        return [broken(seen, "", EVERYTHING, needs=_new_tokens(without))]
    connected = [account for account in accounts if account.connected()]
    by_oauth = sum(account.access_token is not None for account in connected)
    are = f"{plural(len(connected), 'user is', 'users are')} connected to Notion ({by_oauth:,} by OAuth)"
    return [ok(are), *_switched_off(connected, schema), *_without_token(without)]


def _switched_off(connected: Sequence[Account], schema: str) -> list[Finding]:
    off = [account for account in connected if account.auto_sync is False]
    if not off:
        return []
    if len(off) == len(connected):
        seen = "auto_sync_enabled is true for no connected user, so sync-all syncs nobody"
        needs, look = "set it to true for those who are to be synced", statements.listing(schema)
        return [broken(seen, "", EVERYTHING, needs=needs, look=look)]
    return [ok(f"auto_sync_enabled is false, so sync-all skips {_who(off)}")]


def _without_token(without: Sequence[Account]) -> list[Finding]:
    """Those who asked for a database wait for it; the others have not connected Notion."""
    waiting = [account for account in without if account.databases]
    idle = [account for account in without if not account.databases]
    findings = [ok(f"no Notion token, and no databases configured: {_who(idle)}")] if idle else []
    if waiting:
        seen = f"databases are configured in notion_databases, but there is no Notion token, for {_who(waiting)}"
        findings.append(warning(seen, "", *_each(waiting), needs=_new_tokens(waiting)))
    return findings


async def _tokens(examination: Examination) -> list[Finding]:
    has_key = examination.settings.token_key is not None
    findings = tokens(examination.accounts, examination.schema, has_key=has_key)
    findings += unopened(examination.accounts, examination.settings)
    return findings or [ok("every token has a valid form")]


def tokens(accounts: Sequence[Account], schema: str, *, has_key: bool) -> list[Finding]:
    """Tokens that Notion cannot accept as they stand; `has_key`: encrypted ones can be opened."""
    stored = {account.user_id: one.token for account in accounts if (one := account.connected())}
    accounts = [account for account in accounts if account.user_id in stored]
    strange = [one for one in accounts if not can_be_sent(without_edges(stored[one.user_id]))]
    who = [one for one in accounts if one not in strange and _edges(stored[one.user_id])]
    findings = []
    if who:
        seen = f"whitespace or invisible characters stand around {_tokens_of(who)}"
        fix = "\n".join(
            statements.trimming(schema, one.user_id, one.token_column, _edges(stored[one.user_id])) for one in who
        )
        findings.append(broken(seen, fix, *_each(who)))
    if strange:
        seen = f"characters that are not allowed in a token stand in {_tokens_of(strange)}"
        findings.append(broken(seen, "", *_each(strange), needs=_new_tokens(strange)))
    encrypted = [one for one in accounts if looks_encrypted(without_edges(stored[one.user_id]))]
    if encrypted and not has_key:
        look = f"{plural(len(encrypted), 'token looks', 'tokens look')} encrypted"
        seen = f"{look}, and there is no key: {_who(encrypted)}"
        needs = "the key with which the application encrypts, in NOTION_TOKEN_KEY, in the crontab too"
        findings.append(broken(seen, "", *_each(encrypted), needs=needs))
    return findings


def _tokens_of(accounts: Sequence[Account]) -> str:
    columns = " or ".join(sorted({account.token_column for account in accounts}))
    return f"{plural(len(accounts), 'token', 'tokens')} in {columns} ({_who(accounts)})"


def _new_tokens(accounts: Sequence[Account]) -> str:
    return new_tokens({account.user_id: account.token_column for account in accounts})


def _edges(token: str) -> str:
    return "".join(dict.fromkeys(token.replace(without_edges(token), "")))


def without_edges(token: str) -> str:
    """A token without the blanks and invisible characters around it."""
    return token.strip("".join({*_WITHOUT_WIDTH, *filter(str.isspace, token)}))


def unopened(accounts: Sequence[Account], settings: Settings) -> list[Finding]:
    """Encrypted tokens that the key does not open; that there is none is told once for all."""
    if settings.token_key is None:
        return []
    alike: dict[str, tuple[TokenError, list[Account]]] = {}
    for account in accounts:
        try:
            connected_account(settings, account)
        except TokenError as error:
            alike.setdefault(str(error), (error, []))[1].append(account)
    return [of_error(error, *_each(those), whose=f"{_who(those)}: ") for error, those in alike.values()]


async def _wanted_databases(examination: Examination) -> list[Finding]:
    has_place = examination.settings.files is not None
    return wanted_databases(examination.accounts, examination.schema, has_place=has_place)


def wanted_databases(accounts: Sequence[Account], schema: str, *, has_place: bool = False) -> list[Finding]:
    """What of the users' `notion_databases` cannot be used and, of those who are connected, is not what it seems.

    `has_place`: a place is known where files are kept.
    """
    connected = [account for account in accounts if account.connected()]
    findings = [finding for account in accounts for finding in _unusable(account, schema)]
    findings += [
        finding
        for account in connected
        for finding in (*_doubles(account, schema), *_doubts(account, has_place=has_place))
    ]
    configurations = [read_configuration(account.databases) for account in connected]
    asking_nothing = [
        account
        for account, configuration in zip(connected, configurations, strict=True)
        if not (configuration.databases or configuration.everything or configuration.problems)
    ]
    if asking_nothing:
        seen = f"notion_databases is empty, so there is nothing to sync, for {_who(asking_nothing)}"
        needs = f"choose databases, where there are to be some ({connect_command(asking_nothing[0].user_id)!r})"
        findings.append(warning(seen, "", *_each(asking_nothing), needs=needs))
    if findings:
        return findings
    count = sum(len(configuration.databases) for configuration in configurations)
    everything = sum(configuration.everything for configuration in configurations)
    all_of = f", and everything shared with {plural(everything, 'token', 'tokens')}" if everything else ""
    of_views = [name for configuration in configurations for name in configuration.of_views]
    views = f". {LINK_OF_VIEW}: {some(of_views)}" if of_views else ""
    return [ok(f"{plural(count, 'database is', 'databases are')} configured{all_of}{views}")]


def _unusable(account: Account, schema: str) -> list[Finding]:
    problems = read_configuration(account.databases).problems
    readable = repaired(account.databases) if problems else None
    fix = statements.databases_statement(schema, account.user_id, readable) if readable else ""
    return [
        broken(
            f"{account.user_id}: {problem.message.rstrip('.')}",
            fix,
            (account.user_id,),
            needs="" if fix else f"{problem.needs}, in notion_databases of {account.user_id}",
        )
        for problem in problems
    ]


def _doubles(account: Account, schema: str) -> list[Finding]:
    return [
        warning(
            f"{account.user_id}: {double.name!r} and {double.counts!r} in notion_databases are one database: it counts "
            f"once, as {double.counts!r}, the first in alphabetical order"
            + (", with the options of both, and without what either excludes" if double.merged else ""),
            statements.without_database(schema, account.user_id, double.name, double.merged),
        )
        for double in read_configuration(account.databases).doubles
    ]


def _doubts(account: Account, *, has_place: bool) -> list[Finding]:
    configuration = read_configuration(account.databases)
    of_files = () if has_place else without_place(configuration.databases)
    return [
        warning(f"{account.user_id}: {doubt.message}", needs=doubt.needs)
        for doubt in (*configuration.doubts, *of_files)
    ]


def _who(accounts: Sequence[Account]) -> str:
    return some([account.user_id for account in accounts])


def _each(accounts: Sequence[Account]) -> list[tuple[str]]:
    return [(account.user_id,) for account in accounts]


COLUMNS = Check("settings columns", SECTION, _columns, needs=(INITIALISED, RIGHTS))
CONNECTED_USERS = Check("connected users", SECTION, _connected_users, needs=(COLUMNS,))
ACCOUNT_CHECKS = (
    COLUMNS,
    CONNECTED_USERS,
    Check("tokens", SECTION, _tokens, needs=(CONNECTED_USERS,)),
    Check("notion_databases", SECTION, _wanted_databases, needs=(CONNECTED_USERS,)),
)
