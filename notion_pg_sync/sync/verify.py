"""`sync --verify`: reads a database from Notion once more, and compares it value by value with what PostgreSQL holds.

It must not share the code whose faults it is to find. So it has a reader of its own (`notion.rereading`), and works
out by itself what a row must hold (`notion.expectation`). It compares `properties`, title, URL, times, and where a row
belongs. What follows from `properties` alone (`fields`, the text column) it leaves out.

Notion goes on while it is read, so what differs gets a second look at the page alone:

- Edited or created since the sync began (Notion's clock, by the minute): no fault of the copy; counted apart.
- Not among the live rows any more: its row is one too many, unless that edit came since. A page may go to the trash
  without an edit, and when it went is then not told: synced and verified once more, it is no difference any more.
- Else what differs from this second answer is a difference.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from notion_pg_sync.mirror.held_rows import HeldRow, HeldRows
from notion_pg_sync.mirror.tables import SyncTable
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.expectation import (
    MISSING,
    Expected,
    boundaries_not_told,
    clock_formulas,
    first_difference,
    is_not_told,
    wanted_beside,
)
from notion_pg_sync.notion.rereading import Rereading, VerificationError, expected_row, page_or_none, why_not_live
from notion_pg_sync.sync.configuration import ConfiguredDatabase
from notion_pg_sync.sync.work import Work

Kind = Literal["missing row", "row too many", "value differs", "title differs", "column differs"]

# So many differences are told one by one, the rest is counted.
MOST_KEPT = 100
# So many pages get a second look, at a request or more each.
MOST_LOOKED_AT_AGAIN = 300
_SHORT = 80


@dataclass(frozen=True)
class Difference:
    """One thing that PostgreSQL holds otherwise than Notion does.

    `name` is the property's, for `title differs` and `column differs` the column's, None where the whole row differs.
    `path` leads to the place within the value. The two sides are short JSON, or words where there is no value. They
    are content of the user's: not for logs and records.
    """

    kind: Kind
    page_id: str
    name: str | None
    path: str
    in_notion: str
    in_postgresql: str


@dataclass(frozen=True)
class Verification:
    """What comparing one database came to.

    `rows` and `values`: how many were compared. `more_differences`: found beyond those in `differences`.
    `edited_since`: rows that differ, but were edited in Notion since the sync began. `remarks`: sentences on what
    Notion's API does not tell, without content of rows.
    """

    rows: int
    values: int
    requests: int
    differences: tuple[Difference, ...]
    more_differences: int
    edited_since: int
    remarks: tuple[str, ...]

    @property
    def difference_count(self) -> int:
        """All that differs."""
        return len(self.differences) + self.more_differences

    @property
    def is_exact(self) -> bool:
        """Whether the copy is as Notion has it."""
        return self.difference_count == 0

    @property
    def sentence(self) -> str:
        """What it came to, for records: without content of rows."""
        result = "the copy is exact" if self.is_exact else f"{self.difference_count:,} differences"
        return f"verified {self.rows:,} rows with {self.values:,} values against Notion: {result}."


async def verify_database(
    work: Work, client: NotionClient, user_id: str, configured: ConfiguredDatabase
) -> Verification:
    """Compares a database of a user, just synced, with Notion. Writes nothing.

    Raises `NotionError` (`VerificationError` where Notion does not give it whole), and what psycopg raises.
    """
    own_client = client.with_own_traffic()
    found = _Findings()
    held = HeldRows(work.pool, work.tables, user_id, configured.database_id, configured.name)
    listed = await _data_source_ids(own_client, configured)
    for data_source_id in listed:
        comparison = await _begin(own_client, held, found, data_source_id)
        await comparison.compare(work.settings.page_size)
    for page_id, where in await held.misplaced(listed):
        found.add([Difference("row too many", page_id, None, "", "no such row in this database", f"a row in {where}")])
    return found.verification(own_client.traffic.requests)


async def _data_source_ids(client: NotionClient, configured: ConfiguredDatabase) -> list[str]:
    database = await client.database(configured.database_id)
    listed = database.get("data_sources")
    if database.get("in_trash") or not isinstance(listed, list) or not listed:
        raise VerificationError(
            f"database {configured.database_id} is in Notion's trash or names no data source that this connection may "
            "read, so there is nothing to compare the copy with.",
            code="no_data_source",
        )
    return [str(source["id"]) for source in listed]


async def _begin(client: NotionClient, held: HeldRows, found: _Findings, data_source_id: str) -> _Comparison:
    """The comparison of a data source; when the sync began is worked out without comparing two clocks."""
    answer = await client.data_source(data_source_id)
    since_sync = await held.since_sync()
    if since_sync is None:
        raise VerificationError(
            f"database {held.database_name!r} of user {held.user_id!r} was never synced: sync it first.",
            code="never_synced",
        )
    began_at = answer.asked_at - since_sync
    return _Comparison(
        client,
        held,
        found,
        data_source_id,
        answer.schema,
        clock_formulas(answer.schema),
        began_at.replace(second=0, microsecond=0),
    )


@dataclass(frozen=True)
class _Comparison:
    """The comparison of one data source; `began_at` is the minute in which the sync began, by Notion's clock."""

    client: NotionClient
    held: HeldRows
    found: _Findings
    data_source_id: str
    schema: JsonObject
    clock_formulas: frozenset[str]
    began_at: datetime

    async def compare(self, page_size: int) -> None:
        """Compares every row, an answer of Notion's at a time."""
        rereading = Rereading(self.client, self.data_source_id, page_size)
        async for pages in rereading.pages():
            rows = await self.held.rows([page["id"] for page in pages])
            for page in pages:
                await self._compare_page(page, rows.get(page["id"]))
        held = Counter(await self.held.page_ids(self.data_source_id))
        self.found.add(_doubled(page_id, rows) for page_id, rows in held.items() if rows > 1)
        unseen = [one for one in held if not rereading.has_seen(one)]
        for start in range(0, len(unseen), page_size):
            for row in (await self.held.rows(unseen[start : start + page_size])).values():
                await self._look_again(row.page_id, row, [_too_many(row, "not listed")])

    async def _compare_page(self, page: JsonObject, row: HeldRow | None) -> None:
        expected = await expected_row(self.client, page, self.schema)
        self.found.count(expected)
        if row is not None:
            self.found.count_boundaries(*boundaries_not_told(expected, row.properties))
        every = list(self._differences(expected, row))
        self.found.moved_by_clock.update(one.name or "" for one in every if self._goes_by_clock(one))
        differences = [one for one in every if not self._goes_by_clock(one)]
        if differences and self._is_since(expected):
            self.found.edited_since += 1
        elif differences:
            await self._look_again(expected.page_id, row, differences)

    async def _look_again(self, page_id: str, row: HeldRow | None, differences: Sequence[Difference]) -> None:
        """Reads a page alone and takes in what differs now; beyond the bound, what differed before."""
        if not self.found.may_look_again():
            self.found.add(differences)
            return
        page = await page_or_none(self.client, page_id)
        left = why_not_live(page, self.data_source_id)
        expected = await expected_row(self.client, page, self.schema) if page is not None else None
        if expected is not None and self._is_since(expected):
            self.found.edited_since += 1
        elif left is not None:
            self.found.add([_too_many(row, left)] if row is not None else [])
        elif expected is not None:
            self.found.add(one for one in self._differences(expected, row) if not self._goes_by_clock(one))

    def _is_since(self, expected: Expected) -> bool:
        return max(expected.created_at, expected.edited_at) >= self.began_at

    def _goes_by_clock(self, difference: Difference) -> bool:
        return difference.kind == "value differs" and difference.name in self.clock_formulas

    def _differences(self, expected: Expected, row: HeldRow | None) -> Iterator[Difference]:
        if row is None:
            yield Difference("missing row", expected.page_id, None, "", _short(expected.title), "no row")
            return
        for column, wanted, value in self._columns(expected, row):
            if wanted != value:
                yield Difference(
                    _kind_of(column, self.held.table), row.page_id, column, "", _short(wanted), _short(value)
                )
        yield from _property_differences(expected, row)

    def _columns(self, expected: Expected, row: HeldRow) -> Iterator[tuple[str, object, object]]:
        """Names of columns, what each must hold and what it holds."""
        yield self.held.table.title, expected.title, row.title
        yield "url", expected.url, row.url
        yield "notion_created_at", _iso(expected.created_at), _iso(row.created_at)
        yield "notion_edited_at", _iso(expected.edited_at), _iso(row.edited_at)
        yield "notion_data_source_id", self.data_source_id, row.data_source_id
        yield "notion_database_id", self.held.database_id, row.database_id
        if self.held.table.has_database_name:
            yield "database_name", self.held.database_name, row.database_name


def _property_differences(expected: Expected, row: HeldRow) -> Iterator[Difference]:
    held: Mapping[str, Any] = row.properties if isinstance(row.properties, dict) else {}
    for name in {**expected.properties, **held}:
        value = held.get(name, MISSING)
        wanted = wanted_beside(expected, name, value)
        if is_not_told(wanted) and value is not MISSING:
            continue
        spot = first_difference(wanted, value)
        if spot is not None:
            shorts = _short(spot.in_notion), _short(spot.in_postgresql)
            yield Difference("value differs", row.page_id, name, spot.path, *shorts)


def _doubled(page_id: str, rows: int) -> Difference:
    return Difference("row too many", page_id, None, "", "one page", f"{rows} rows of it")


def _too_many(row: HeldRow, in_notion: str) -> Difference:
    return Difference("row too many", row.page_id, None, "", in_notion, _short(row.title))


def _kind_of(column: str, table: SyncTable) -> Kind:
    return "title differs" if column == table.title else "column differs"


def _iso(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def _short(value: object) -> str:
    """A value as JSON of bounded length."""
    if value is MISSING:
        return str(MISSING.value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


@dataclass
class _Findings:
    """What a comparison has found so far."""

    rows: int = 0
    values: int = 0
    edited_since: int = 0
    differences: list[Difference] = field(default_factory=list)
    more_differences: int = 0
    looked_again: int = 0
    not_looked_again: int = 0
    altered: int = 0
    not_told: Counter[str] = field(default_factory=Counter)
    computed_in_part: Counter[str] = field(default_factory=Counter)
    moved_by_clock: Counter[str] = field(default_factory=Counter)
    boundaries_held: Counter[str] = field(default_factory=Counter)
    left_open: Counter[str] = field(default_factory=Counter)

    def count(self, expected: Expected) -> None:
        """Counts a page that is compared, and what the API does not tell of it."""
        self.rows += 1
        self.values += len(expected.properties)
        self.altered += expected.altered
        self.not_told.update(expected.not_told)
        self.computed_in_part.update(expected.computed_in_part - expected.not_told)

    def count_boundaries(self, held: Iterable[str], left_open: Iterable[str]) -> None:
        """Counts a row's rollups of which Notion does not tell which part belongs to which related page."""
        self.boundaries_held.update(held)
        self.left_open.update(left_open)

    def add(self, differences: Iterable[Difference]) -> None:
        """Takes in differences; beyond `MOST_KEPT` it only counts them."""
        for difference in differences:
            if len(self.differences) < MOST_KEPT:
                self.differences.append(difference)
            else:
                self.more_differences += 1

    def may_look_again(self) -> bool:
        """Whether one more page may be read alone."""
        if self.looked_again >= MOST_LOOKED_AT_AGAIN:
            self.not_looked_again += 1
            return False
        self.looked_again += 1
        return True

    def verification(self, requests: int) -> Verification:
        """What it came to."""
        return Verification(
            self.rows,
            self.values,
            requests,
            tuple(self.differences),
            self.more_differences,
            self.edited_since,
            tuple(self._remarks()),
        )

    def _remarks(self) -> Iterable[str]:
        if self.edited_since:
            yield f"{self.edited_since} rows were edited since the sync began: sync again to bring them, then verify."
        for name, rows in sorted(self.not_told.items()):
            yield f"Notion does not compute {name!r} in {rows} rows, so nothing can be said of it there."
        for name, rows in sorted(self.computed_in_part.items()):
            yield f"Notion computes {name!r} in {rows} rows from 25 related pages only; that is what was compared."
        for name, rows in sorted(self.boundaries_held.items()):
            yield (
                f"Notion does not tell which parts of {name!r} belong to which related page in {rows} rows; parts and "
                "order were compared."
            )
        for name, rows in sorted(self.left_open.items()):
            yield f"{name!r} is not told whole in {rows} rows, which the copy says too, so nothing was compared there."
        for name, rows in sorted(self.moved_by_clock.items()):
            yield f"{name!r} goes by the clock and has moved on in {rows} rows."
        if self.altered:
            yield f"{self.altered} rows hold in Notion what PostgreSQL cannot store; they were compared without it."
        if self.not_looked_again:
            yield f"{self.not_looked_again} more rows that differ were not looked at twice; some may be edited since."
