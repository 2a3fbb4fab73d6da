"""Whether Notion is reached, accepts the tokens, and lets them read what is to be mirrored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import humanize
from msgspec import Struct

from notion_pg_sync.commands.doctor.checks.accounts import CONNECTED_USERS
from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    Check,
    Examination,
    Finding,
    Subject,
    broken,
    of_error,
    ok,
    skipped,
    warning,
)
from notion_pg_sync.commands.doctor.checks.runs import as_judged
from notion_pg_sync.commands.doctor.checks.wording import new_tokens, sentence
from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import some
from notion_pg_sync.mirror.accounts import ConnectedAccount
from notion_pg_sync.mirror.connection import current_time, transaction
from notion_pg_sync.mirror.overview import read_databases
from notion_pg_sync.notion.client import Bot, JsonObject, NotionClient, Retries, can_be_sent
from notion_pg_sync.notion.errors import NotionError, explain
from notion_pg_sync.notion.json_access import as_list, get_path
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.gathering import gather_or_cancel
from notion_pg_sync.sync.run.configuration import read_configuration
from notion_pg_sync.sync.run.discovery import INCOMPLETE_SEARCH, SharedDatabases, find_databases
from notion_pg_sync.sync.run.opening import open_client
from notion_pg_sync.sync.run.token_encryption import TokenError, connected_account, looks_encrypted

SECTION = "Notion"

_TOKENS_AT_ONCE = 8
_LONGEST_ANSWER_SECONDS = 30
# Somebody waits for the answer: what passes is tried once more, and a rate limit is told instead of waited for.
_RETRIES = Retries(waits=1, tries_again=2, backs_off=2, first_back_off=0.2, longest_back_off=1.0)
_STATUS_PAGE = "curl -s https://www.notion-status.com/api/v2/status.json    # whether Notion has trouble"
_NOBODYS_TOKEN = "doctor"
# The sync asks for every database; here so many show whether a token still sees what it should.
_ASKED_PER_TOKEN = 5
_ASKED_IN_ALL = 200

Answer = TypeVar("Answer")


async def _answers(examination: Examination) -> list[Finding]:
    settings = examination.settings
    try:
        async with asyncio.timeout(_LONGEST_ANSWER_SECONDS), open_client(settings, _NOBODYS_TOKEN, _RETRIES) as client:
            await client.me()
    except TimeoutError:
        seen = f"{settings.notion_base_url} does not answer within {_LONGEST_ANSWER_SECONDS} seconds"
        look = f"curl -sv {settings.notion_base_url}/v1/users/me"
        return [broken(seen, "", EVERYTHING, needs="let this host through the firewall", look=look)]
    except NotionError as error:
        return answers(settings.notion_base_url, error)
    return [ok(f"Notion answers at {settings.notion_base_url}")]


def answers(base_url: str, error: NotionError) -> list[Finding]:
    """What it means for the way to Notion that a request with nobody's token ended in `error`.

    That the token is refused shows that Notion was reached.
    """
    if error.code == ErrorCode.UNAUTHORIZED:
        return [ok(f"Notion answers at {base_url}")]
    return [of_error(error, EVERYTHING, look=f"curl -sv {base_url}/v1/users/me")]


async def _tokens_accepted(examination: Examination) -> list[Finding]:
    async def ask(client: NotionClient, _: ConnectedAccount) -> Bot:
        async with asyncio.timeout(_LONGEST_ANSWER_SECONDS):
            return await client.me()

    connected = _connected(examination)
    per_token = {account.token: account for account in reversed(connected)}
    answered = await _for_each(examination.settings, list(per_token.values()), ask)
    answers = {per_token_account.token: answer for per_token_account, answer in answered}
    of_users = [(account.user_id, answers[account.token]) for account in connected]
    examination.accepted = frozenset(user_id for user_id, answer in of_users if isinstance(answer, Bot))
    columns = {account.user_id: account.token_column for account in examination.accounts}
    return await as_judged(examination, tokens_accepted(of_users, columns))


def tokens_accepted(answered: Sequence[tuple[str, Bot | NotionError]], columns: Mapping[str, str]) -> list[Finding]:
    """What Notion said of each user's token, which is in one of the `columns`; who was told the same share a line."""
    refused: dict[str, tuple[NotionError, list[str]]] = {}
    accepted: dict[Bot, list[str]] = {}
    for user_id, answer in answered:
        if isinstance(answer, Bot):
            accepted.setdefault(answer, []).append(user_id)
        else:
            refused.setdefault(str(answer), (answer, []))[1].append(user_id)
    findings = [_refusal(error, user_ids, columns) for error, user_ids in refused.values()]
    for bot, user_ids in accepted.items():
        where = f" in the workspace {bot.workspace_name}" if bot.workspace_name else ""
        findings.append(ok(f"Notion accepts the token of {some(user_ids)}: {bot.name or 'a bot'}{where}"))
    return findings or [ok("there is no token that could be sent to Notion")]


def _refusal(error: NotionError, user_ids: Sequence[str], columns: Mapping[str, str]) -> Finding:
    whose = f"{some(user_ids)}: "
    concerns = [(user_id,) for user_id in user_ids]
    if error.code == ErrorCode.RATE_LIMITED:
        again = shell_command("notion-pg-sync", "doctor", "--user", user_ids[0])
        return warning(f"{whose}{sentence(error)}", "", *concerns, needs="wait a few minutes", look=again)
    if error.code == ErrorCode.UNAUTHORIZED:
        seen = f"{whose}Notion does not accept the token (it was revoked, has expired or is wrong)"
        return broken(seen, "", *concerns, needs=new_tokens({user_id: columns[user_id] for user_id in user_ids}))
    return of_error(error, *concerns, whose=whose, look=_STATUS_PAGE)


class SeenDatabase(Struct, frozen=True):
    """A database that a user wants, and what Notion answered when it was asked for.

    `succeeded`: how long ago it was synced well for the last time, None where it never was. `is_page`: the id is a
    page's.
    """

    user_id: str
    database: ConfiguredDatabase
    answer: JsonObject | NotionError
    succeeded: timedelta | None = None
    is_page: bool = False


# What a user's token sees: their configured databases and, where they want everything, what search finds.
_Seen = tuple[list[SeenDatabase], SharedDatabases | NotionError | None]


async def _databases_shared(examination: Examination) -> list[Finding]:
    accounts = [account for account in _connected(examination) if account.user_id in examination.accepted]
    if not accounts:
        return [skipped("Notion accepts no token to check this with")]
    async with transaction(examination.pool) as connection:
        now, known = await current_time(connection), await read_databases(connection, examination.user_id)
    succeeded = {
        (one.user_id, one.database_id): now - one.last_succeeded_at
        for one in known
        if one.last_succeeded_at is not None
    }
    failing = {(one.user_id, one.database_id) for one in known if one.failures_in_a_row}
    sample = sampled(accounts, failing)

    async def ask(client: NotionClient, account: ConnectedAccount) -> _Seen:
        seen = await gather_or_cancel(
            _look_at(client, account.user_id, database, succeeded.get((account.user_id, database.database_id)))
            for database in sample[account.user_id]
        )
        everything = read_configuration(account.databases).everything
        names = [
            ConfiguredDatabase(one.name, one.database_id, title=one.title)
            for one in known
            if one.user_id == account.user_id
        ]
        return seen, await _answer_or_error(find_databases(client, names)) if everything else None

    seen: list[SeenDatabase] = []
    findings: list[Finding] = []
    for account, answer in await _for_each(examination.settings, accounts, ask):
        if isinstance(answer, NotionError):
            findings += _trouble(account.user_id, answer)
            continue
        databases, found = answer
        seen += databases
        if found is not None:
            findings += found_by_search(account.user_id, found)
    configured = sum(len(read_configuration(account.databases).databases) for account in accounts)
    every = await as_judged(examination, [*databases_shared(seen, configured), *findings])
    return every or [ok("no database is configured")]


def sampled(
    accounts: Sequence[ConnectedAccount], failing: Collection[tuple[str, str]]
) -> dict[str, list[ConfiguredDatabase]]:
    """Which databases are asked for, by user: of each token a few, those that are `failing` (user and id) first."""
    tokens = {account.token for account in accounts}
    left = dict.fromkeys(tokens, max(1, min(_ASKED_PER_TOKEN, _ASKED_IN_ALL // max(1, len(tokens)))))
    sample = {}
    for account in accounts:
        databases = read_configuration(account.databases).databases
        by_need = sorted(databases, key=lambda one: (account.user_id, one.database_id) not in failing)
        sample[account.user_id] = by_need[: left[account.token]]
        left[account.token] -= len(sample[account.user_id])
    return sample


async def _look_at(
    client: NotionClient, user_id: str, database: ConfiguredDatabase, succeeded: timedelta | None
) -> SeenDatabase:
    try:
        return SeenDatabase(user_id, database, await client.database(database.database_id), succeeded=succeeded)
    except NotionError as error:
        is_unknown = error.code in (ErrorCode.OBJECT_NOT_FOUND, ErrorCode.VALIDATION_ERROR)
        is_page = is_unknown and await _is_page(client, database.database_id)
        return SeenDatabase(user_id, database, error, succeeded, is_page=is_page)


async def _is_page(client: NotionClient, written: str) -> bool:
    """Whether an id of which there is no database is a page's, as far as the token may know."""
    try:
        await client.page(written)
    except NotionError:
        return False
    return True


def databases_shared(seen: Sequence[SeenDatabase], configured: int) -> list[Finding]:
    """What Notion answered for each database of those `configured` that was asked for."""
    findings = [database_finding(one) for one in seen]
    if len(seen) < configured:
        findings.append(ok(f"{len(seen):,} of the {configured:,} databases configured were asked for"))
    return findings


def database_finding(seen: SeenDatabase) -> Finding:
    """What an answer means: missing and not shared look the same to the API (docs/notion-api.md#errors)."""
    named = f"{seen.user_id}/{seen.database.name}"
    concern = (seen.user_id, seen.database.name)
    if seen.is_page:
        return broken(
            f"{named}: {seen.database.database_id} is a page, not a database",
            "",
            concern,
            needs="copy the link of the database itself, opened as a full page, into notion_databases",
        )
    if isinstance(seen.answer, NotionError):
        if seen.answer.code == ErrorCode.OBJECT_NOT_FOUND:
            return _out_of_reach(seen, named, concern)
        return of_error(seen.answer, concern, whose=f"{named}: ")
    if seen.answer.get("in_trash"):
        needs = "restore it there, or take it out of notion_databases; its rows stay"
        return broken(f"{named} is in Notion's trash", "", concern, needs=needs)
    names = [str(get_path(source, "name")) for source in as_list(get_path(seen.answer, "data_sources"))]
    if not names:
        said = f"{named} names no data source that the connection may read"
        return broken(said, "", concern, needs="share the original database, not a linked view of it")
    several = f"; it has {len(names)} data sources: {some(names)}" if len(names) > 1 else ""
    return ok(f"{named} is there and shared{several}")


def _out_of_reach(seen: SeenDatabase, named: str, concern: Subject) -> Finding:
    known = (
        f"it could be read {humanize.naturaltime(seen.succeeded)}, so access was removed or it was deleted"
        if seen.succeeded is not None
        else "it was never read, so most likely it is not shared yet, or its id is wrong"
    )
    return broken(
        f"{named}: {seen.database.database_id} is not there, or not shared with the connection (Notion does not say "
        f"which); {known}",
        "",
        concern,
        needs="in Notion, open it and add the connection under ••• > Connections; or correct its id",
    )


def found_by_search(user_id: str, shared: SharedDatabases | NotionError) -> list[Finding]:
    """What a token sees whose user wants everything."""
    if isinstance(shared, NotionError):
        return _trouble(user_id, shared)
    found = shared.found
    if not shared.is_complete:
        seen = f"{user_id} wants every database, of which search finds {len(found):,}. {sentence(INCOMPLETE_SEARCH)}"
        return [warning(seen, "", needs="name the databases in notion_databases")]
    if not found:
        needs = "in Notion, open a database and add the connection under ••• > Connections"
        seen = f"{user_id} wants every database, and none is shared with the connection"
        return [warning(seen, "", (user_id,), needs=needs)]
    names = some([database.name for database in found])
    return [ok(f"{user_id} wants every database; search finds {len(found):,}: {names}")]


def _trouble(user_id: str, error: NotionError) -> list[Finding]:
    return [of_error(error, (user_id,), whose=f"{user_id}: ", look=_STATUS_PAGE)]


def _connected(examination: Examination) -> list[ConnectedAccount]:
    """The accounts with a token that can be sent; the check of tokens tells of the others.

    An encrypted one that nobody opened is sent to nobody.
    """
    connected = []
    for account in examination.accounts:
        with suppress(TokenError):
            connected.append(connected_account(examination.settings, account))
    return [one for one in connected if one and can_be_sent(one.token) and not looks_encrypted(one.token)]


async def _for_each(
    settings: Settings,
    accounts: Sequence[ConnectedAccount],
    ask: Callable[[NotionClient, ConnectedAccount], Awaitable[Answer]],
) -> list[tuple[ConnectedAccount, Answer | NotionError]]:
    """What `ask` answers for each account, or the error that it ends in, by user.

    So many tokens are used side by side; accounts that share a token share its pace.
    """
    slots = asyncio.Semaphore(_TOKENS_AT_ONCE)
    sharing: dict[str, list[ConnectedAccount]] = {}
    for account in accounts:
        sharing.setdefault(account.token, []).append(account)

    async def ask_in_turn(token: str) -> list[tuple[ConnectedAccount, Answer | NotionError]]:
        async with slots, open_client(settings, token, _RETRIES) as client:
            return [(account, await _answer_or_error(ask(client, account))) for account in sharing[token]]

    answered = [one for group in await gather_or_cancel(map(ask_in_turn, sharing)) for one in group]
    return sorted(answered, key=lambda one: one[0].user_id)


async def _answer_or_error(asked: Awaitable[Answer]) -> Answer | NotionError:
    try:
        return await asked
    except NotionError as error:
        return error
    except TimeoutError as error:
        return explain(error, "this user")


NOTION_ANSWERS = Check("Notion answers", SECTION, _answers)
NOTION_CHECKS = (
    NOTION_ANSWERS,
    Check("tokens accepted", SECTION, _tokens_accepted, needs=(CONNECTED_USERS, NOTION_ANSWERS)),
    Check("databases shared", SECTION, _databases_shared, needs=(CONNECTED_USERS, NOTION_ANSWERS)),
)
