"""The demo's content is mirrored exactly, and its queries have answers."""

from __future__ import annotations

from notion_workspace import WorkspaceServer
from notion_workspace.showcase import build_showcase

from notion_pg_sync.commands.demo.queries import KEPT_PICTURE, LATEST_RUNS, QUERIES, WANT_VIEWS
from notion_pg_sync.settings import Settings
from tests.installation import Installation


async def test_it_is_mirrored_exactly_and_answers_every_query(database_url: str) -> None:
    showcase = build_showcase()
    with WorkspaceServer(showcase.workspace) as server:
        installed = Installation(Settings(database_url=database_url, notion_base_url=server.url), showcase.workspace)
        await installed.init()
        for user, token in showcase.tokens.items():
            await installed.connect(user, token, showcase.databases[user])
            await installed.execute(WANT_VIEWS, user)
        await installed.sync_all()
        for user, databases in showcase.databases.items():
            assert await installed.differences(user, user, databases) == []
        showcase.edit_a_few_pages()
        await installed.sync_all()
        answers = {title: await installed.execute(query) for title, query in QUERIES}
    rows, worlds, lamps = answers.values()
    assert [row["name"] for row in rows][:2] == ["The Heron Queen", "Gorse"]
    assert ("A Song for Both Sides", "The Saltmarches") in {(row["story"], row["world"]) for row in worlds}
    assert all("**lamp**" in row["snippet"] and "oath" not in row["snippet"] for row in lamps)
    assert {row["database_name"] for row in lamps} >= {"Stories", "Characters"}


def test_what_is_asked_fits_a_terminal_of_80_columns() -> None:
    asked = "\n".join([*(query for _, query in QUERIES), KEPT_PICTURE, LATEST_RUNS])
    assert max(map(len, asked.splitlines())) < 80
