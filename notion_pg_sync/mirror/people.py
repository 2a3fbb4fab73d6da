"""People of a user's Notion workspace: who they are, by the ids that rows hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from notion_pg_sync.core.users import User
from notion_pg_sync.mirror.connection import Connection

# Who could not be told is asked for again after this time: a capability may have been switched on meanwhile.
_ASKED_AGAIN_AFTER_HOURS = 24


async def save_users(connection: Connection, user_id: str, users: Collection[User]) -> None:
    """Takes in what Notion says of people, within the caller's transaction; writes nothing where all of it is known.

    An id alone takes nothing away from what is known.
    """
    listed = sorted(users, key=lambda user: user.id)
    await connection.execute(
        """
        INSERT INTO notion_sync.users AS known (user_id, id, kind, name, email, avatar_url, written_in)
        SELECT %s, id, kind, name, email, avatar_url, pg_current_xact_id()::xid
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS told (id, kind, name, email, avatar_url)
        ON CONFLICT (user_id, id) DO UPDATE
        SET kind = EXCLUDED.kind, name = EXCLUDED.name, email = EXCLUDED.email, avatar_url = EXCLUDED.avatar_url,
            written_in = EXCLUDED.written_in
        WHERE EXCLUDED.kind IS NOT NULL
          AND (known.written_in <> known.xmin
               OR (known.kind, known.name, known.email, known.avatar_url)
                  IS DISTINCT FROM (EXCLUDED.kind, EXCLUDED.name, EXCLUDED.email, EXCLUDED.avatar_url))
        """,
        (
            user_id,
            [user.id for user in listed],
            [user.kind for user in listed],
            [user.name for user in listed],
            [user.email for user in listed],
            [user.avatar_url for user in listed],
        ),
    )


async def known_users(connection: Connection, user_id: str, ids: Collection[str]) -> set[str]:
    """Those of these people, by id, who are recorded as the tool did, with more than an id."""
    found = await connection.execute(
        """
        SELECT id::text FROM notion_sync.users
        WHERE user_id = %s AND id = ANY (%s::uuid[]) AND written_in = xmin AND kind IS NOT NULL
        """,
        (user_id, list(ids)),
    )
    return {id_ async for (id_,) in found}


async def users_to_ask_for(connection: Connection, user_id: str, most: int) -> list[str]:
    """At most `most` ids to ask Notion for.

    Those of whom nothing more is known, and for whom Notion was not asked recently; and those whose row somebody else
    changed.
    """
    found = await connection.execute(
        """
        SELECT id::text FROM notion_sync.users
        WHERE user_id = %s AND (
            written_in <> xmin
            OR kind IS NULL
            AND (asked_at IS NULL
                 OR asked_at NOT BETWEEN clock_timestamp() - make_interval(hours => %s) AND clock_timestamp()))
        ORDER BY asked_at NULLS FIRST, id LIMIT %s
        """,
        (user_id, _ASKED_AGAIN_AFTER_HOURS, most),
    )
    return [id_ async for (id_,) in found]


async def note_asked(connection: Connection, user_id: str, ids: Sequence[str]) -> None:
    """Records that Notion was asked for these people, within the caller's transaction, before its answer is saved.

    What somebody else wrote of them is forgotten.
    """
    await connection.execute(
        """
        UPDATE notion_sync.users
        SET asked_at = clock_timestamp(), written_in = pg_current_xact_id()::xid,
            kind = CASE WHEN written_in <> xmin THEN NULL ELSE kind END,
            name = CASE WHEN written_in <> xmin THEN NULL ELSE name END,
            email = CASE WHEN written_in <> xmin THEN NULL ELSE email END,
            avatar_url = CASE WHEN written_in <> xmin THEN NULL ELSE avatar_url END
        WHERE user_id = %s AND id = ANY (%s::uuid[])
        """,
        (user_id, list(ids)),
    )
