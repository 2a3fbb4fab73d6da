"""A property that was given another type in Notion is told by `status`, with the statement that heals its column."""

from __future__ import annotations

import json

from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, rich_text, title
from rich.console import Console

from notion_pg_sync.commands.output.layout import ConsoleSheet
from notion_pg_sync.commands.status.as_json import status_as_json
from notion_pg_sync.commands.status.asking import Question, ask
from notion_pg_sync.commands.status.everything import show_everything
from notion_pg_sync.commands.status.facts import Facts
from notion_pg_sync.commands.status.judgement import assess
from notion_pg_sync.commands.status.screen import show_status
from notion_pg_sync.core.health import Health
from tests.installation import Installation


def screens(facts: Facts, installation: Installation) -> list[str]:
    judgement = assess(facts, max_age=installation.settings.max_age)
    console = Console(width=300)
    shown = []
    with console.capture() as capture:
        show_status(ConsoleSheet(console), facts, judgement)
    shown.append(capture.get())
    with console.capture() as capture:
        show_everything(console, facts, judgement, runs=1, about_some=False)
    return [*shown, capture.get()]


async def test_a_retyped_property_is_told_until_its_column_is_too(
    installation: Installation, small: SmallWorkspace
) -> None:
    url = installation.settings.database_url or ""
    rows = [{"Name": f"Row {index}", "Age": index} for index in range(3)]
    handle = installation.workspace.add_database("Ages", {"Name": title(), "Age": number()}, rows)
    installation.workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Ages": handle.id})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    await installation.sync_all()
    assert (await ask(url, Question())).retyped == ()
    installation.workspace.retype_property("Ages", "Age", rich_text())
    for page in installation.workspace.page_ids("Ages"):
        installation.workspace.edit_page(page, {"Age": "old"})
    await installation.sync_all()
    facts = await ask(url, Question())
    (column,) = facts.retyped
    assert (column.view_name, column.name, column.type, column.new_type) == ("ages", "age", "numeric", "text")
    for screen in screens(facts, installation):
        assert "anna/Ages: notion.ages.age was numeric and is shown as text" in screen
    judgement = assess(facts, max_age=installation.settings.max_age)
    (told,) = json.loads(json.dumps(status_as_json(facts, judgement, max_age=installation.settings.max_age, runs=1)))[
        "retyped"
    ]
    assert judgement.health is Health.OK
    assert (await ask(url, Question("somebody"))).retyped == ()
    assert told["fix"] in screens(facts, installation)[0]
    await installation.execute(told["fix"])
    await installation.sync_all()
    assert (await ask(url, Question())).retyped == ()
    assert await installation.execute("SELECT DISTINCT age FROM notion.ages") == [{"age": "old"}]
