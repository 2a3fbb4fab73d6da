"""Who the people are whom rows name by their id alone: asked of Notion, where it lets the token know."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.core.users import User
from notion_pg_sync.mirror import people
from notion_pg_sync.mirror.connection import retried, transaction
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.people import read_user
from notion_pg_sync.sync.run.context import RunContext

log = logging.getLogger(__name__)

# So many are asked for one by one in a run: guests, whom the list of users leaves out.
MOST_ASKED = 100

_NOT_TOLD = frozenset({ErrorCode.RESTRICTED_RESOURCE, ErrorCode.OBJECT_NOT_FOUND})


def told_of(users: Iterable[User]) -> list[User]:
    """Each user once: as the last says that is more than an id."""
    by_id: dict[str, User] = {}
    for user in users:
        if user.kind is not None or user.id not in by_id:
            by_id[user.id] = user
    return list(by_id.values())


async def ask_for_people(work: RunContext, client: NotionClient, user_id: str) -> None:
    """Asks Notion for the people of a user's rows of whom only the id is known; no request where there are none.

    Without the capability to read user information their names stay unknown for a day, then it is tried again. Nothing
    of this fails a sync: what goes wrong is logged.
    """
    if work.settings.dry_run:
        return
    async with transaction(work.pool) as connection:
        wanted = await people.users_to_ask_for(connection, user_id, MOST_ASKED)
    if not wanted:
        return
    try:
        told = await _told(client, wanted)
    except NotionError as error:
        log.info("%s: the people named in the rows could not be looked up: %s", user_id, error)
        return
    await _save(work, user_id, told, wanted)


@retried
async def _save(work: RunContext, user_id: str, told: Sequence[User], asked: Sequence[str]) -> None:
    async with work.writing_for(user_id) as connection:
        await people.note_asked(connection, user_id, asked)
        await people.save_users(connection, user_id, told_of(told))


async def _told(client: NotionClient, wanted: list[str]) -> list[User]:
    """The workspace's members and bots and, each by a request, those of `wanted` who are neither."""
    told: list[User] = []
    try:
        told = [user for answered in await client.users() if (user := read_user(answered))]
    except NotionError as error:
        # Personal access tokens may not list users, and yet may ask for one.
        if error.code not in _NOT_TOLD:
            raise
    listed = {user.id for user in told}
    for id_ in wanted:
        if id_ in listed:
            continue
        try:
            answered = await client.user(id_)
        except NotionError as error:
            if error.code == ErrorCode.RESTRICTED_RESOURCE:
                break
            if error.code not in _NOT_TOLD:
                raise
            continue
        if user := read_user(answered):
            told.append(user)
    return told
