"""However many rows and however many runs: memory stays as it is, and nothing is left over.

`python -m bench million` is the long form, a million rows in some minutes; `docs/performance.md` has its figures.
"""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta

import psutil
from notion_workspace import SmallWorkspace

from tests.installation import Installation
from tests.reliability.conftest import UNPACED, WELL, Place
from tests.waiting import wait_until

FEW, MANY = 10_000, 30_000


def test_three_times_the_rows_take_no_more_memory(place: Place) -> None:
    workspace = place.small.workspace
    peaks = {}
    for rows in (FEW, MANY):
        user = f"user of {rows}"
        handle = workspace.add_generated_database(f"Rows {rows}", rows=rows)
        token = workspace.add_token(user)
        workspace.share(user, handle.id)
        place.connect(user, token.secret, json.dumps({"Rows": handle.id}))
        ended, peaks[rows] = place.run_measured("sync-all", "--user", user, *UNPACED)
        assert ended == WELL
        assert place.execute("SELECT count(*) FROM notion_pages_sync WHERE user_id = %s", user) == [(rows,)]
    print(f"kB at the most, by rows: {peaks}")
    # Kept in memory they would take twice as much.
    assert peaks[MANY] < 1.4 * peaks[FEW]


async def test_runs_leave_no_task_thread_connection_or_record_however_they_end(
    installation: Installation, small: SmallWorkspace
) -> None:
    names = ("Characters", "Worlds", "Stories")
    await installation.connect("anna", small.tokens["anna"], {name: small.databases[name] for name in names})
    small.workspace.set_body(small.workspace.page_ids("Worlds")[0], ["A body"])
    assert (await installation.sync_all(bodies=True)).failures == []
    threads = []
    for _ in range(3):
        assert (await installation.sync_all(full=True, full_bodies=True, bodies=True)).failures == []
        small.workspace.faults.add("503")
        assert (await installation.sync_all(first_back_off=0.001)).failures != []
        small.workspace.faults.clear()
        small.workspace.faults.add("stall", path="/query$", seconds=60)
        assert (await installation.sync_all(full=True, timeout=timedelta(seconds=1))).failures != []
        await cancelled(installation)
        small.workspace.faults.clear()
        threads.append(threading.active_count())
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert threads[-1] == threads[0]
    assert connections_to(installation.settings.notion_base_url) == []
    (found,) = await installation.execute(
        """
        SELECT (SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend')
                   AS sessions,
               (SELECT count(*) FROM notion_sync.accounts WHERE lease_runid > 0) AS leases,
               (SELECT count(*) FROM notion_sync.job_run_details WHERE end_time IS NULL) AS records
        """
    )
    assert found == {"sessions": 0, "leases": 0, "records": 0}


async def cancelled(installation: Installation) -> None:
    """A run that is cancelled while an answer of Notion stalls, as Ctrl-C does it."""
    requests = installation.workspace.requests
    requests.clear()
    run = asyncio.create_task(installation.sync_all(full=True))
    await asyncio.to_thread(wait_until, lambda: requests.counts().get("query"))
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert run.cancelled()


def connections_to(url: str) -> list[object]:
    """This process's own ends of connections to the workspace, which has its ends in this process too."""
    port = int(url.rsplit(":", 1)[1])
    return [end for end in psutil.Process().net_connections("tcp") if end.raddr and end.raddr.port == port]
