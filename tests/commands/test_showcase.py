"""The demo's content is mirrored exactly, and its queries have answers."""

from __future__ import annotations

from notion_workspace import WorkspaceServer
from notion_workspace.showcase import build_showcase

from notion_pg_sync.commands.demo.queries import QUERIES, WANT_VIEWS
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
    eldest, busiest, unfinished, lamps, changed = answers.values()
    assert [row["name"] for row in eldest][:2] == ["The Heron Queen", "Gorse"]
    assert (busiest[0]["name"], busiest[0]["stories"]) == ("Bridie Farrow", 5)
    assert (unfinished[0]["title"], unfinished[0]["progress"]) == ("The Breath Between", 68)
    assert all("**lamp**" in row["snippet"] and "oath" not in row["snippet"] for row in lamps)
    assert {row["database_name"] for row in lamps} >= {"Stories", "Characters"}
    assert {row["what"] for row in changed} >= {"Pim", "The Last Stop", "How do you end a war with a chorus?"}
