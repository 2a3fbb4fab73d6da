"""A database in which people work, and what is told of its past."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from notion_workspace import SmallWorkspace
from notion_workspace.literals import (
    checkbox,
    date,
    formula,
    last_edited_time,
    multi_select,
    number,
    select,
    status,
    title,
)

from tests.installation import Installation, Row

PROPERTIES = {
    "Name": title(),
    "Status": status(Open=["To do", "Doing"], Closed=["Done"]),
    "Price": number(),
    "Tags": multi_select("red", "green"),
    "Size": select("small", "large"),
    "Due": date(),
    "Urgent": checkbox(),
    "Twice": formula('repeat(prop("Name"), 2)', "string", lambda row: str(row["Name"]) * 2),
    "Edited": last_edited_time(),
}


class Board:
    """A database of anna's in which people work, and its history."""

    def __init__(self, installation: Installation, small: SmallWorkspace) -> None:
        self.installation, self.workspace, self.token = installation, installation.workspace, small.tokens["anna"]
        rows = [{"Name": f"Task {index}", "Status": "To do", "Price": index} for index in range(4)]
        handle = self.workspace.add_database("Board", PROPERTIES, rows)
        self.workspace.share("anna", handle.id)
        self.id = handle.id

    @property
    def pages(self) -> list[str]:
        return self.workspace.page_ids("Board")

    async def sync(self, **settings: Any) -> None:
        self.workspace.clock.advance(3600)
        outcome = await self.installation.sync_all(**settings)
        assert outcome.failures == []

    async def changes(self) -> list[Row]:
        """All of them, in order."""
        return await self.installation.execute("SELECT * FROM notion_sync.page_changes ORDER BY change_id")

    async def told(self) -> list[tuple[object, ...]]:
        """The same, the values that differ alone."""
        return [(one["kind"], one["reason"], one["old"], one["new"]) for one in await self.changes()]

    async def shown(self) -> list[tuple[object, ...]]:
        found = await self.installation.execute(
            "SELECT page_title, column_name, old, new FROM notion_sync.field_changes ORDER BY change_id, column_name"
        )
        return [tuple(one.values()) for one in found]

    async def now(self) -> datetime:
        (found,) = await self.installation.execute("SELECT clock_timestamp() AS now")
        moment = found["now"]
        assert isinstance(moment, datetime)
        return moment.astimezone(UTC)

    async def rows_as_of(self, moment: datetime) -> dict[str, tuple[object, ...]]:
        found = await self.installation.execute("SELECT * FROM notion_sync.rows_as_of('anna', 'Board', %s)", moment)
        return {one["page_id"]: (one["title"], one["url"], one["fields"]) for one in found}

    async def rows(self) -> dict[str, tuple[object, ...]]:
        """What the sync table holds, without what Notion computes."""
        found = await self.installation.execute(
            "SELECT page_id, title, url, fields - '{twice,edited}'::text[] AS fields FROM notion_pages_sync"
            " WHERE database_name = 'Board'"
        )
        return {one["page_id"]: (one["title"], one["url"], one["fields"]) for one in found}
