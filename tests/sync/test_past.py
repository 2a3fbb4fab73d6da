"""Whatever happens in Notion and in PostgreSQL, the past that is asked for is the past that a run saw."""

from __future__ import annotations

import asyncio
from datetime import datetime
from random import Random
from typing import Any

import pytest
from notion_workspace import SmallWorkspace, WorkspaceServer, small_workspace
from notion_workspace.literals import checkbox, formula, multi_select, number, rich_text, status, title

from notion_pg_sync.settings import Settings
from tests.conftest import DatabaseMaker, initialise
from tests.installation import Installation

pytestmark = pytest.mark.slow

PROPERTIES = {
    "Name": title(),
    "Status": status(Open=["To do", "Doing"], Closed=["Done"]),
    "Price": number(),
    "Tags": multi_select("red", "green"),
    "Urgent": checkbox(),
    "Twice": formula('repeat(prop("Name"), 2)', "string", lambda row: str(row["Name"]) * 2),
}
STEPS = 14


class Life:
    """A database in which things happen at random."""

    def __init__(self, small: SmallWorkspace, chance: Random) -> None:
        self.workspace, self.chance = small.workspace, chance
        rows = [{"Name": f"Task {index}", "Status": "To do", "Price": index} for index in range(6)]
        handle = self.workspace.add_database("Board", PROPERTIES, rows)
        self.id, self.source = handle.id, handle.data_source_id
        # Of the same database, and of another.
        columns = {name: PROPERTIES[name] for name in ("Name", "Status", "Urgent")}
        second = self.workspace.add_data_source(self.id, "Second", columns, [{"Name": "There", "Status": "Doing"}])
        elsewhere = self.workspace.add_database("Elsewhere", columns, [{"Name": "Here", "Status": "Done"}])
        self.elsewhere = elsewhere.id
        self.sources = [self.source, second, elsewhere.data_source_id]
        for database in (self.id, self.elsewhere):
            self.workspace.share("anna", database)
        self.trashed: list[str] = []
        self.price, self.done = "number", "Done"
        self.status, self.tags, self.urgent = "Status", "Tags", "Urgent"
        self.count = 0

    def happen(self) -> None:
        choices = [self.edit, self.edit, self.edit, self.add, self.trash, self.restore, self.remodel, self.move]
        for _ in range(self.chance.randint(1, 3)):
            self.chance.choice(choices)()
            self.workspace.clock.advance(self.chance.choice([1, 61, 3600]))

    async def meddle(self, installation: Installation, *, is_alone: bool) -> None:
        """What strangers do by SQL; a full read gives back what Notion has.

        `is_alone`: nobody edits the page as well, after which what was there before would not be known any more.
        """
        statement = self.chance.choice(
            [
                'UPDATE notion_pages_sync SET fields = fields || \'{"price": 99, "urgent": null}\'',
                "UPDATE notion_pages_sync SET fields = fields - 'status', title = 'Mine'",
                *(
                    [
                        "UPDATE notion_pages_sync SET url = 'https://example.com', properties = properties - 'Name'",
                        "UPDATE notion_pages_sync SET fields = '{}', properties = '{}'",
                        "DELETE FROM notion_pages_sync",
                    ]
                    if is_alone
                    else []
                ),
            ]
        )
        pages = self.workspace.page_ids(self.source)
        await installation.execute(f"{statement} WHERE page_id = ANY (%s)", self.chance.sample(pages, 2))

    def edit(self) -> None:
        values: dict[str, Any] = {
            "Name": f"Task {self.chance.randint(0, 99)}",
            self.status: self.chance.choice(["To do", "Doing", self.done]),
            self.tags: self.chance.sample(["red", "green"], self.chance.randint(0, 2)),
            self.urgent: self.chance.random() < 0.5,
        }
        if self.price == "number":
            values["Price"] = self.chance.choice([None, 0, 1.5])
        chosen = self.chance.sample(sorted(values), 2)
        pages = self.workspace.page_ids(self.source)
        if pages:
            self.workspace.edit_page(self.chance.choice(pages), {name: values[name] for name in chosen})

    def add(self) -> None:
        self.workspace.add_page(self.source, {"Name": "New", self.status: "Doing"})

    def move(self) -> None:
        origin, target = self.chance.sample(self.sources, 2)
        pages = self.workspace.page_ids(origin)
        if len(pages) > 1:
            self.workspace.move_page(self.chance.choice(pages), target)

    def trash(self) -> None:
        pages = self.workspace.page_ids(self.source)
        if len(pages) > 2:
            self.trashed.append(self.chance.choice(pages))
            self.workspace.trash_page(self.trashed[-1])

    def restore(self) -> None:
        if self.trashed:
            self.workspace.restore_page(self.trashed.pop())

    def remodel(self) -> None:
        """Changes the schema."""
        self.count += 1
        match self.chance.randint(0, 5):
            case 0:
                self.workspace.add_property(self.source, f"Extra {self.count}", rich_text())
            case 1 if self.price == "number":
                self.workspace.retype_property(self.source, "Price", rich_text())
                self.price = "text"
            case 2 if self.price == "text":
                self.workspace.retype_property(self.source, "Price", formula("7", "number", lambda _: 7))
                self.price = "formula"
            case 3:
                renamed = f"Status {self.count}"
                self.workspace.rename_property(self.source, self.status, renamed)
                self.status = renamed
            case 4:
                renamed = f"Done {self.count}"
                self.workspace.rename_option(self.source, self.status, self.done, renamed)
                self.done = renamed
            case 5:
                # Each takes the other's name.
                self.workspace.rename_property(self.source, self.tags, "Between")
                self.workspace.rename_property(self.source, self.urgent, self.tags)
                self.workspace.rename_property(self.source, "Between", self.urgent)
                self.tags, self.urgent = self.urgent, self.tags


async def rows(installation: Installation) -> dict[str, object]:
    """What the sync table holds of the database, without what Notion computes."""
    found = await installation.execute(
        """
        SELECT page_id, title, url, fields - ARRAY(
                   SELECT name FROM notion_sync.columns
                   WHERE columns.user_id = 'anna' AND data_source_id::text = notion_data_source_id
                     AND notion_sync.is_computed(property_type)) AS fields
        FROM notion_pages_sync WHERE user_id = 'anna' AND database_name = 'Board'
        """
    )
    return {one["page_id"]: (one["title"], one["url"], one["fields"]) for one in found}


async def rows_as_of(installation: Installation, moment: datetime) -> dict[str, object]:
    found = await installation.execute("SELECT * FROM notion_sync.rows_as_of('anna', 'Board', %s)", moment)
    assert len({one["page_id"] for one in found}) == len(found)
    return {one["page_id"]: (one["title"], one["url"], one["fields"]) for one in found}


async def live(installation: Installation, small: SmallWorkspace, seed: int) -> None:
    chance = Random(seed)
    life = Life(small, chance)
    await installation.connect("anna", small.tokens["anna"], {"Board": life.id, "Elsewhere": life.elsewhere})
    moments: list[tuple[datetime, dict[str, object]]] = []
    for step in range(STEPS):
        has_meddled = step > 0 and chance.random() < 0.3
        is_alone = has_meddled and chance.random() < 0.5
        if step and not is_alone:
            life.happen()
        if has_meddled:
            await life.meddle(installation, is_alone=is_alone)
        small.workspace.clock.advance(chance.choice([60, 600, 86_400]))
        outcome = await installation.sync_all(full=has_meddled or chance.random() < 0.3)
        assert outcome.failures == []
        ((now,),) = [tuple(one.values()) for one in await installation.execute("SELECT clock_timestamp()")]
        moments.append((now, await rows(installation)))
    for step, (moment, seen) in enumerate(moments):
        assert await rows_as_of(installation, moment) == seen, f"seed {seed}, step {step}"
    # What strangers wrote is nobody's change.
    told = await installation.execute("SELECT old, new FROM notion_sync.field_changes")
    assert not {"99", "Mine"} & {value for one in told for value in one.values()}, f"seed {seed}"
    verified = (await installation.sync_one("anna", "Board", full=True, verify=True)).verified
    assert [one for _, _, found in verified for one in found.differences] == [], f"seed {seed}"


@pytest.mark.timeout(3600)
def test_taken_back_from_today_the_changes_give_each_state_that_a_run_saw(
    database_maker: DatabaseMaker, rounds: int
) -> None:
    for seed in range(rounds):
        small = small_workspace()
        with database_maker.filled(initialise) as url, WorkspaceServer(small.workspace) as server:
            settings = Settings(database_url=url, notion_base_url=server.url)
            asyncio.run(live(Installation(settings, small.workspace), small, seed))
