"""A dry run says what would be written, and writes nothing but the record of the run."""

from __future__ import annotations

from notion_workspace import SmallWorkspace
from notion_workspace.literals import number

from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.overview import last_run
from tests.installation import Installation

RECORDS = ("job", "job_run_details", "run_processes")


async def everything_written(installation: Installation) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables, the run records aside."""
    tables = await installation.execute(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
        " WHERE schemaname IN ('public', 'notion_sync') AND tablename <> ALL (%s) ORDER BY 1",
        list(RECORDS),
    )
    return {
        table["name"]: await installation.execute(f"SELECT row_ FROM {table['name']} AS row_ ORDER BY row_::text")
        for table in tables
    }


async def test_a_first_dry_run_writes_nothing(installation: Installation, small: SmallWorkspace) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    before = await everything_written(installation)
    outcome = await installation.sync_all(dry_run=True)
    assert outcome.failures == []
    assert outcome.totals.inserted == 12
    assert await everything_written(installation) == before
    message = outcome.accounts[0].databases["Worlds"].message or ""
    assert "a real run would have 12 inserted to write" in message
    assert "It would add the columns " in message


async def test_a_later_dry_run_tells_edits_removals_and_new_columns(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.sync_all()
    workspace = installation.workspace
    workspace.clock.advance(3600)
    pages = workspace.page_ids("Characters")
    workspace.edit_page(pages[0], {"Age": 4711})
    workspace.trash_page(pages[1])
    workspace.add_page("Characters", {"Name": "Newcomer"})
    before = await everything_written(installation)
    totals = (await installation.sync_one("anna", "Characters", dry_run=True)).totals
    assert (totals.inserted, totals.updated, totals.removed) == (1, 1, 1)
    assert await everything_written(installation) == before
    workspace.add_property("Characters", "Height", number())
    message = (await installation.sync_all(dry_run=True)).accounts[0].databases["Characters"].message or ""
    assert "It would add the columns height." in message
    real = (await installation.sync_all()).totals
    assert (real.inserted, real.updated, real.removed) == (1, 39, 1)


async def test_a_dry_run_is_nobodys_last_run(installation: Installation, small: SmallWorkspace) -> None:
    """It says nothing of how syncs go, and its record does not say that something was written."""
    await installation.connect("anna", small.tokens["anna"], {"Worlds": small.databases["Worlds"]})
    async with open_pool(installation.settings.database_url or "") as pool, transaction(pool) as connection:
        await installation.sync_all(dry_run=True)
        await installation.sync_one("anna", "Worlds", dry_run=True)
        assert await last_run(connection) is None
        await installation.sync_all()
        before = await last_run(connection)
        assert before is not None
        await installation.sync_all(dry_run=True)
        assert await last_run(connection) == before
    runs = await installation.execute(
        "SELECT jobname, return_message FROM notion_sync.job_run_details JOIN notion_sync.job USING (jobid)"
        " WHERE jobname <> 'sync-notion-databases'"
    )
    assert {run["jobname"] for run in runs} == {"notion-dry-run"}
    assert all(run["return_message"].startswith("dry run, nothing was written: ") for run in runs)
    assert await installation.execute("SELECT runid FROM notion_sync.database_runs") == [{"runid": before.runid}]


async def test_a_dry_run_leaves_a_full_read_that_is_under_way_alone(
    installation: Installation, small: SmallWorkspace
) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Chat Sessions": small.databases["Chat Sessions"]})
    installation.workspace.faults.add("403_html", path="/query$", every=2)
    await installation.sync_all(concurrency=1)
    installation.workspace.faults.clear()
    before = await everything_written(installation)
    totals = (await installation.sync_all(dry_run=True)).totals
    assert (totals.rows_read, totals.inserted, totals.unchanged) == (250, 150, 100)
    assert await everything_written(installation) == before
