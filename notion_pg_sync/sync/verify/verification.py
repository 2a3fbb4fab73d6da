"""What comparing a copy with Notion came to: the differences, and what they are counted by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from notion_pg_sync.core.wording import plural
from notion_pg_sync.sync.verify.expectation import MISSING, Expected
from notion_pg_sync.sync.verify.expected_fields import NOT_TOLD, Json

Kind = Literal[
    "missing_row",
    "extra_row",
    "value_differs",
    "title_differs",
    "column_differs",
    "field_differs",
    "type_differs",
    "view_differs",
    "body_differs",
    "search_differs",
    "person_differs",
    "history_differs",
    "file_differs",
]

# So many differences are told one by one, the rest is counted.
MOST_KEPT = 100
# So many pages get a second look, at a request or more each.
MOST_LOOKED_AT_AGAIN = 300
_SHORT = 80


class Difference(Struct, frozen=True):
    """One thing that PostgreSQL holds otherwise than Notion does.

    `page_id` is None where no single page differs. `name` is the property's, the column's, the view's or the person's
    id, None where the whole row differs. `path` leads to the place within the value. The two sides are short JSON, or
    words where there is no value; of a history, the first is what that says. They are content of the user's: not for
    logs and records.
    """

    kind: Kind
    page_id: str | None
    name: str | None
    path: str
    in_notion: str
    in_postgresql: str


class Verification(Struct, frozen=True):
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
        return sentence_of([self])


def sentence_of(verifications: Sequence[Verification]) -> str:
    """What comparing databases came to, without content of rows."""
    count = len(verifications)
    databases = f"{plural(count, 'database')}, " if count != 1 else ""
    rows, values = sum(one.rows for one in verifications), sum(one.values for one in verifications)
    inexact = [one for one in verifications if not one.is_exact]
    result = "the copy is exact"
    if inexact:
        result = plural(sum(one.difference_count for one in inexact), "difference")
        result += f" in {plural(len(inexact), 'database')}" if count != 1 else ""
    return f"verified {databases}{plural(rows, 'row')} with {plural(values, 'value')} against Notion: {result}."


def short(value: object) -> str:
    """A value as JSON of bounded length."""
    if value is MISSING or value is NOT_TOLD:
        return str(value.value)
    if isinstance(value, Json):
        return short(value.value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


class Findings(Struct):
    """What a comparison has found so far."""

    rows: int = 0
    values: int = 0
    edited_since: int = 0
    differences: list[Difference] = field(default_factory=list)
    more_differences: int = 0
    looked_again: int = 0
    not_looked_again: int = 0
    altered: int = 0
    bodies_not_told: int = 0
    pages_not_told: int = 0
    people_not_told: int = 0
    files: int = 0
    files_read: int = 0
    files_not_kept: int = 0
    files_lost: int = 0
    files_altered: int = 0
    views_kept: set[str] = field(default_factory=set)
    unread: list[tuple[str, str]] = field(default_factory=list)
    not_told: Counter[str] = field(default_factory=Counter)
    known_missing: dict[str, list[datetime]] = field(default_factory=dict)
    computed_in_part: Counter[str] = field(default_factory=Counter)
    moved_by_clock: Counter[str] = field(default_factory=Counter)
    boundaries_held: Counter[str] = field(default_factory=Counter)
    left_open: Counter[str] = field(default_factory=Counter)

    def count(self, expected: Expected, known_missing: Mapping[str, datetime]) -> None:
        """Counts a page that is compared, and what the API does not tell of it.

        `known_missing`: the properties of which the copy says that the value was left out, with the time since when.
        """
        self.rows += 1
        self.values += len(expected.properties)
        self.altered += expected.altered
        for name in expected.not_told & known_missing.keys():
            self.known_missing.setdefault(name, []).append(known_missing[name])
        self.not_told.update(expected.not_told - known_missing.keys())
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
            edited = plural(self.edited_since, "row was", "rows were")
            yield f"{edited} edited since the sync began: sync again to bring them, then verify."
        yield from self._pages_not_told()
        for name, rows in _in_rows(self.not_told):
            yield f"Notion does not give {name} in {rows}, so nothing can be said of it there."
        for name, since in sorted(self.known_missing.items()):
            yield (
                f"{name!r} is known to be missing in {plural(len(since), 'row')}, since "
                f"{min(since).astimezone():%Y-%m-%d %H:%M:%S}: notion_sync.left_out says why, and each run tries again."
            )
        for name, rows in _in_rows(self.computed_in_part):
            yield f"Notion computes {name} in {rows} from 25 related pages only; that is what was compared."
        for name, rows in _in_rows(self.boundaries_held):
            yield (
                f"Notion does not tell which parts of {name} belong to which related page in {rows}; parts and order "
                "were compared."
            )
        for name, rows in _in_rows(self.left_open):
            yield f"{name} is not told whole in {rows}, which the copy says too, so nothing was compared there."
        for name, rows in _in_rows(self.moved_by_clock):
            yield f"{name} goes by the clock and has moved on in {rows}."
        if self.altered:
            holds = plural(self.altered, "row holds", "rows hold")
            yield f"{holds} in Notion what PostgreSQL cannot store; that was left out."
        for name in sorted(self.views_kept):
            yield f"something depends on the view notion.{name}, so its columns may be as they were."
        if self.bodies_not_told:
            yield f"Notion gives no Markdown for {plural(self.bodies_not_told, 'page')}; nothing was compared there."
        if self.people_not_told:
            are = plural(self.people_not_told, "person is", "people are")
            yield f"Notion does not tell who {are}; nothing was compared there."
        yield from self._files()
        if self.not_looked_again:
            differ = plural(self.not_looked_again, "more row that differs was", "more rows that differ were")
            yield f"{differ} not looked at twice; some may be edited since."

    def _pages_not_told(self) -> Iterable[str]:
        if self.pages_not_told:
            yield f"Notion does not give {plural(self.pages_not_told, 'page')}; nothing was compared there."
        for first, last in self.unread:
            yield (
                f"Notion fails for pages created between {first} and {last}: whether the copy lacks some of these is "
                "not known."
            )

    def _files(self) -> Iterable[str]:
        if self.files:
            kept, read = plural(self.files, "file is", "files are"), plural(self.files_read, "was", "were")
            yield f"{kept} kept, of which {read} read and compared byte by byte."
        if self.files_lost:
            are = plural(self.files_lost, "file is", "files are")
            yield f"{are} not there, or not as long as recorded: --full fetches them again."
        if self.files_altered:
            holds = plural(self.files_altered, "file has", "files have")
            yield f"{holds} other bytes than recorded: remove them from there, then --full fetches them again."
        if self.files_not_kept:
            are = plural(self.files_not_kept, "file is", "files are")
            yield f"{are} not kept: notion_sync.files says why, or since when they wait."


def _in_rows(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """The names of properties, quoted, each with the number of its rows in words."""
    return [(repr(name), plural(rows, "row")) for name, rows in sorted(counts.items())]
