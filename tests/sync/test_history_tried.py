"""The history in hard places: upgrades, several hosts at once, large pages, adopted tables, removals, forgetting."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from notion_workspace import Request, SampleWorkspace, WorkspaceServer
from notion_workspace.literals import number, rich_text, title

from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.retention import delete_old_records
from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker
from tests.installation import Installation
from tests.mirror.freezing import UPGRADES, workspace_of_states
from tests.sync.boards import Board

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("state", ["0015", "0.1.0"])
async def test_after_an_upgrade_history_begins_with_the_next_sync(database_maker: DatabaseMaker, state: str) -> None:
    workspace = workspace_of_states()
    with database_maker.empty() as url, WorkspaceServer(workspace) as server:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((UPGRADES / f"{state}.sql").read_text(encoding="utf-8").encode())
        installation = Installation(Settings(database_url=url, notion_base_url=server.url), workspace)
        await installation.init()
        await installation.execute("UPDATE user_settings SET notion_token = %s", _secret(workspace, "anna"))
        past = "SELECT title FROM notion_sync.rows_as_of('anna', 'Notes', %s)"
        (before,) = await installation.execute("SELECT clock_timestamp() AS now")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="has not begun"):
            await installation.execute(past, before["now"])
        page = workspace.page_ids("Notes")[0]
        for name in ("First", "Second"):
            workspace.edit_page(page, {"Name": name})
            workspace.clock.advance(3600)
            assert (await installation.sync_one("anna", "Notes")).failures == []
        told = await installation.execute("SELECT reason, old, new FROM notion_sync.page_changes ORDER BY change_id")
        # Of what the first sync brings, too: what was there before is known.
        assert [(one["reason"], one["old"]["name"], one["new"]["name"]) for one in told] == [
            (None, "Note 1", "First"),
            (None, "First", "Second"),
        ]
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="begins at"):
            await installation.execute(past, before["now"])


def _secret(workspace: SampleWorkspace, label: str) -> str:
    return next(token.secret for token in workspace.state.tokens.values() if token.label == label)


async def test_hosts_that_delete_old_changes_at_once_leave_the_beginning_right(board: Board) -> None:
    await board.installation.execute(
        "UPDATE notion_sync.data_sources SET history_days = 10, history_since = now() - interval '100 days'"
    )
    await board.installation.execute(
        """
        INSERT INTO notion_sync.page_changes
            (user_id, page_id, data_source_id, database_id, database_name, kind, seen_at, old, new)
        SELECT 'anna', page_id, data_source_id, database_id, 'Board', 'updated', now() - age * interval '1 hour',
               '{"price": 1}', '{"price": 2}'
        FROM (SELECT page_id, source.data_source_id, database_id FROM notion_pages_sync CROSS JOIN
              notion_sync.data_sources AS source ORDER BY page_id LIMIT 1) AS page, generate_series(1, 2000) AS age
        """
    )

    async def delete() -> None:
        async with open_pool(board.installation.settings.database_url or "") as pool, transaction(pool) as connection:
            await delete_old_records(connection)

    await asyncio.gather(*(delete() for _ in range(4)))
    (left,) = await board.installation.execute("SELECT count(*), min(seen_at) FROM notion_sync.page_changes")
    (known,) = await board.installation.execute("SELECT history_since FROM notion_sync.data_sources")
    assert left["count"] == 239
    assert known["history_since"] <= left["min"]
    assert known["history_since"] > left["min"] - timedelta(hours=2)


async def test_pages_of_megabytes_are_kept_by_what_differs(board: Board) -> None:
    page, small_one = board.pages[1], board.pages[2]
    board.workspace.add_property("Board", "Note", rich_text())
    texts = [letter * 2_500_000 for letter in "ab"]
    moments = []
    for text in texts:
        board.workspace.edit_page(page, {"Note": text})
        await board.sync()
        moments.append(await board.now())
    board.workspace.edit_page(page, {"Price": 5})
    board.workspace.edit_page(small_one, {"Price": 5})
    await board.sync()
    changes = [one for one in await board.changes() if one["page_id"] == page]
    assert [sorted(one["new"]) for one in changes] == [["note"], ["note"], ["price"]]
    for moment, text in zip(moments, texts, strict=True):
        fields: Any = (await board.rows_as_of(moment))[page][2]
        assert fields["note"] == text
    assert [one for one in await differences(board) if one[0] == "history_differs"] == []


async def differences(board: Board) -> list[tuple[str, str | None]]:
    outcome = await board.installation.sync_one("anna", "Board", full=True, verify=True)
    return [(one.kind, one.name) for _, _, found in outcome.verified for one in found.differences]


async def test_removals_that_were_allowed_are_told_and_the_past_has_all_rows(board: Board) -> None:
    before, seen = await board.now(), await board.rows()
    for page in board.pages[1:]:
        board.workspace.trash_page(page)
    await board.sync(full=True, allow_removal=True)
    told = await board.changes()
    assert [(one["kind"], one["reason"]) for one in told] == [("removed", "trashed")] * 3
    assert await board.rows_as_of(before) == seen
    assert len(await board.rows_as_of(await board.now())) == 1


@pytest.mark.parametrize("where", ["accounts", "data_sources"])
async def test_a_time_while_it_was_switched_off_is_an_error_that_names_the_beginning(board: Board, where: str) -> None:
    await board.installation.execute(f"UPDATE notion_sync.{where} SET history = false")
    await board.sync()
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    await board.sync(full=True)
    between = await board.now()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="has not begun"):
        await board.rows_as_of(between)
    await board.installation.execute(f"UPDATE notion_sync.{where} SET history = true")
    await board.sync()
    (known,) = await board.installation.execute("SELECT history_since FROM notion_sync.data_sources")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=f"begins at {known['history_since']:%Y-%m-%d %H}"):
        await board.rows_as_of(between)
    assert await board.rows_as_of(await board.now()) == await board.rows()


async def test_what_is_forgotten_while_a_sync_writes_is_refused_and_afterwards_whole(board: Board) -> None:
    board.workspace.edit_page(board.pages[1], {"Price": 10})
    url = board.installation.settings.database_url or ""
    refused: list[str] = []

    def forget(request: Request) -> None:
        if request.path.endswith("/query") and not refused:
            # As an application does that deletes the account.
            with pytest.raises(psycopg.errors.ObjectInUse) as error, psycopg.connect(url) as connection:
                connection.execute("DELETE FROM user_settings WHERE user_id = 'anna'")
                connection.execute("SELECT notion_sync.forget('anna')")
            refused.append(str(error.value))

    board.workspace.on_request(forget)
    await board.sync()
    assert len(refused) == 1
    assert len(await board.changes()) == 1
    await board.installation.execute("UPDATE user_settings SET notion_databases = '{}'")
    await board.installation.execute("SELECT notion_sync.forget('anna', %s)", board.id)
    assert await board.changes() == []
    await board.installation.execute("UPDATE user_settings SET notion_databases = %s", f'{{"Board": "{board.id}"}}')
    begun = await board.now()
    await board.sync()
    assert await board.changes() == []
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="begins at"):
        await board.rows_as_of(begun)


async def test_what_a_data_source_held_that_is_gone_is_a_part_of_the_past(board: Board) -> None:
    """Of a database of two; also by the title of another column, and after its changes are too old."""
    columns = {"Label": title(), "Price": number()}
    other = board.workspace.add_data_source(board.id, "Other", columns, [{"Label": f"Other {n}"} for n in range(5)])
    await board.installation.let_an_hour_go_by()
    await board.sync(full=True)
    seen, then = await board.rows(), await board.now()
    assert len(seen) == 9
    board.workspace.edit_page(board.workspace.page_ids(other)[0], {"Price": 5, "Label": "Renamed"})
    await board.sync()
    later, afterwards = await board.rows(), await board.now()
    board.workspace.trash_data_source(other)
    await board.installation.let_an_hour_go_by()
    await board.sync(full=True)
    assert len(await board.rows()) == 4
    assert await board.rows_as_of(then) == seen
    assert await board.rows_as_of(afterwards) == later
    assert await board.rows_as_of(await board.now()) == await board.rows()
    # Too old: what was there is not known any more.
    await board.installation.execute("UPDATE notion_sync.page_changes SET seen_at = seen_at - interval '400 days'")
    await board.installation.execute(
        "UPDATE notion_sync.data_sources SET history_since = history_since - interval '500 days'"
    )
    await board.installation.execute(
        "UPDATE notion_sync.databases SET former_since = former_since - interval '500 days'"
    )
    assert len(await board.rows_as_of(then - timedelta(days=401))) == 9
    await board.sync()
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="begins at"):
        await board.rows_as_of(then - timedelta(days=401))
    assert len(await board.rows_as_of(await board.now())) == 4
