"""What `receive_webhook` counted, what the runs saw since, and what waits for a run."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from notion_pg_sync.mirror.connection import Connection

# Days over which events are counted.
DAYS = 7


class WebhookFacts(Struct, frozen=True):
    """Events of webhooks until `now`, and the requests for single pages that wait.

    `last_event_at` is None where none ever came. `events` are those of the last `DAYS` days, of which `found_nothing`
    named nothing that a copy holds. `last_edit_at` is when a sync last found that somebody had edited Notion.
    `waiting` pages wait for a run, the first since `waiting_since`, though no run has their users in hand.
    """

    now: datetime
    last_event_at: datetime | None
    events: int
    found_nothing: int
    last_edit_at: datetime | None
    waiting: int
    waiting_since: datetime | None


async def look_at_webhooks(connection: Connection) -> WebhookFacts:
    """All of it, by PostgreSQL's clock."""
    async with connection.cursor(row_factory=class_row(WebhookFacts)) as cursor:
        await cursor.execute(
            """
            SELECT clock_timestamp() AS now, day.*, edit.*, request.*
            FROM (
                SELECT max(last_event_at) AS last_event_at,
                       coalesce(sum(events) FILTER (WHERE is_recent), 0)::bigint AS events,
                       coalesce(sum(found_nothing) FILTER (WHERE is_recent), 0)::bigint AS found_nothing
                FROM (
                    SELECT *, last_event_at > clock_timestamp() - make_interval(days => %(days)s) AS is_recent
                    FROM notion_sync.webhook_days
                ) AS counted
            ) AS day, (
                -- A full read also writes what was only computed anew; the first one inserts everything.
                SELECT max(start_time) AS last_edit_at FROM notion_sync.database_runs AS run
                WHERE mode = 'incremental' AND updated > 0
                   OR inserted + removed > 0 AND EXISTS (
                       SELECT FROM notion_sync.database_runs AS before
                       WHERE before.user_id = run.user_id AND before.database_id = run.database_id
                         AND before.runid < run.runid AND before.status = 'succeeded')
            ) AS edit, (
                SELECT count(*) AS waiting, min(requested_at) AS waiting_since
                FROM notion_sync.sync_requests AS request LEFT JOIN notion_sync.accounts USING (user_id)
                WHERE request.status = 'waiting' AND page_id IS NOT NULL
                  AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp())
            ) AS request
            """,
            {"days": DAYS},
        )
        (facts,) = await cursor.fetchall()
        return facts
