"""Brings typed views up to date with what a run has read."""

from __future__ import annotations

from msgspec.structs import replace

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.mirror.runs import DatabaseRun
from notion_pg_sync.mirror.views import refresh_views
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.failures import logged_failure


async def refresh_view(work: RunContext, database: ConfiguredDatabase, run: DatabaseRun) -> DatabaseRun:
    """Brings the view of the database's name up to date, for users who want views.

    Returns `run` with what that says.
    """
    try:
        # Not `retried`: these are transactions one after the other, and each is tried again there.
        async with work.pool.connection() as connection:
            return run.with_sentences(*await refresh_views(connection, [database.name]))
    except Exception as error:  # noqa: BLE001 - recorded; the rows are there without the view
        failure = logged_failure(error)
        failed = replace(run, error_code=run.error_code or failure.code)
        return failed.with_sentences(f"its typed view could not be created: {failure.sentence}")
