"""`sync --verify`: reads a database from Notion once more, and compares it value by value with what PostgreSQL holds.

It must not share the code whose faults it is to find. So it has a reader of its own (`notion.rereading`), and works
out by itself what a row must hold (`notion.expectation`, `notion.expected_fields`, `notion.expected_bodies`,
`notion.expected_people`). It compares all that people query: the rows with their columns, `properties` and `fields`,
the types of columns, the typed views, what search reads, the bodies that are kept, and who people are; and the history,
whose newest state must be the row.

It costs a request for each 100 rows, one at least for each value that Notion cuts, one for each body, and where rows
name people by their ids alone, one for each 100 members of the workspace.

Notion goes on while it is read, so what differs gets a second look at the page alone:

- Edited or created since the sync began (Notion's clock, by the minute): no fault of the copy; counted apart.
- Not among the live rows any more: its row is one too many, unless that edit came since. A page may go to the trash
  without an edit, and when it went is then not told: synced and verified once more, it is no difference any more.
- Else what differs from this second answer is a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict

from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.mirror.connection import transaction
from notion_pg_sync.mirror.data_sources import known_data_sources
from notion_pg_sync.mirror.exclusions import load_exclusions
from notion_pg_sync.mirror.held_files import HeldFiles
from notion_pg_sync.mirror.held_history import newest_states
from notion_pg_sync.mirror.held_rows import HeldRow, HeldRows
from notion_pg_sync.mirror.held_texts import HeldTexts
from notion_pg_sync.mirror.held_views import HeldView, HeldViews
from notion_pg_sync.mirror.kept_tables import kept_table
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.exclusion import Selection
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.selections import selections_of
from notion_pg_sync.sync.verify.comparing import HeldPage, Wanted, body_differences, file_differences
from notion_pg_sync.sync.verify.comparing_history import history_differences
from notion_pg_sync.sync.verify.expectation import Expected, boundaries_not_told, clock_formulas
from notion_pg_sync.sync.verify.expected_bodies import expected_body
from notion_pg_sync.sync.verify.expected_fields import NamedColumn, unnamed_properties
from notion_pg_sync.sync.verify.expected_files import columns_not_told, files_of_page
from notion_pg_sync.sync.verify.rereading import (
    Rereading,
    VerificationError,
    expected_row,
    is_whole,
    page_or_none,
    why_not_live,
)
from notion_pg_sync.sync.verify.verification import Difference, Findings, Verification, short
from notion_pg_sync.sync.verify.verify_people import People

# Where Notion gives no more of them, it is no odd page.
MOST_PAGES_NOT_TOLD = 10
# Where a page names the files of its body.
_IN_BODY = ("body", "")


async def verify_database(
    work: RunContext, client: NotionClient, user_id: str, configured: ConfiguredDatabase
) -> Verification:
    """Compares a database of a user, just synced, with Notion. Writes nothing.

    Raises `NotionError` (`VerificationError` where Notion does not give it whole), and what psycopg raises.
    """
    own_client = client.with_own_traffic()
    found = Findings()
    async with transaction(work.pool) as connection:
        wanted = work.table_for(configured.name)
        known = await known_data_sources(connection, user_id, configured.database_id)
        table, _ = await kept_table(connection, work.tables.values(), known.values(), wanted)
        selections = selections_of(await load_exclusions(connection, user_id))
    held = HeldRows(work.pool, work.tables, user_id, configured.database_id, configured.name, table)
    people = People(own_client, HeldTexts(work.pool, user_id), found)
    found.add(
        Difference("type_differs", None, f"{held.table.qualified_name}.{column}", "", wanted, type_)
        for column, wanted, type_ in await held.wrong_types()
    )
    listed = await _data_source_ids(own_client, configured)
    own_client = own_client.selecting(selections)
    for data_source_id in listed:
        comparison = await _begin(
            own_client, held, people, found, data_source_id, selections=selections, settings=work.settings
        )
        await comparison.compare(work.settings.page_size)
        if comparison.has_files:
            # It needs the extra `files`, which whoever keeps no files has not.
            from notion_pg_sync.sync.verify.verify_files import compare_files  # noqa: PLC0415

            await compare_files(work, HeldFiles(work.pool, user_id), data_source_id, found)
    for page_id, where in await held.misplaced(listed):
        found.add([Difference("extra_row", page_id, None, "", "no such row in this database", f"a row in {where}")])
    await people.compare()
    return found.verification(own_client.traffic.requests)


async def _data_source_ids(client: NotionClient, configured: ConfiguredDatabase) -> list[str]:
    database = await client.database(configured.database_id)
    listed = database.get("data_sources")
    if database.get("in_trash") or not isinstance(listed, list) or not listed:
        raise VerificationError(
            f"database {configured.database_id} is in Notion's trash or names no data source that this connection may "
            "read, so there is nothing to compare the copy with.",
            code=ErrorCode.NO_DATA_SOURCE,
        )
    return [str(source["id"]) for source in listed]


async def _begin(
    client: NotionClient,
    held: HeldRows,
    people: People,
    found: Findings,
    data_source_id: str,
    *,
    selections: Mapping[str, Selection],
    settings: Settings,
) -> _Comparison:
    """The comparison of a data source; when the sync began is worked out without comparing two clocks."""
    answer = await client.data_source(data_source_id)
    if selection := selections.get(data_source_id):
        narrowed = Selection.of(selection.exclusion, answer.schema, answer.excluded)
        client = client.selecting({data_source_id: narrowed})
    since_sync = await held.since_sync()
    if since_sync is None:
        raise VerificationError(
            f"database {held.database_name!r} of user {held.user_id!r} was never synced: sync it first.",
            code=ErrorCode.NEVER_SYNCED,
        )
    began_at = answer.asked_at - since_sync
    columns = [NamedColumn(**asdict(column)) for column in await held.columns(data_source_id)]
    view = await HeldViews(held.pool, held.user_id).view_of(data_source_id)
    found.add(
        Difference("field_differs", None, name, "", "a property", "no column")
        for name in unnamed_properties(answer.schema, columns)
    )
    if view is not None:
        found.add(_view_differences(view, found))
    return _Comparison(
        client,
        held,
        people,
        found,
        Wanted(
            held.table,
            held.database_id,
            held.database_name,
            data_source_id,
            columns,
            view,
            clock_formulas(answer.schema),
        ),
        answer.schema,
        began_at.replace(second=0, microsecond=0),
        left_out=await held.left_out(data_source_id),
        has_bodies=settings.bodies or await people.held.wants_bodies(data_source_id),
        has_files=bool(settings.files) and await HeldFiles(held.pool, held.user_id).are_wanted(data_source_id),
    )


def _view_differences(view: HeldView, found: Findings) -> Iterator[Difference]:
    """What is wrong with a typed view as such, whatever rows it shows."""
    name = f"notion.{view.name}"
    if not view.columns:
        yield Difference("view_differs", None, name, "", "a view with its reader's rights", "no such view")
        return
    for column, wanted in view.wanted.items():
        type_ = view.columns.get(column)
        if type_ == wanted or (type_ is None and view.is_full):
            continue
        if view.is_kept:
            found.views_kept.add(view.name)
        else:
            yield Difference("type_differs", None, f"{name}.{column}", "", wanted, type_ or "no such column")


class _Comparison(Struct, frozen=True):
    """The comparison of one data source; `began_at` is the minute in which the sync began, by Notion's clock."""

    client: NotionClient
    held: HeldRows
    people: People
    found: Findings
    wanted: Wanted
    schema: JsonObject
    began_at: datetime
    left_out: Mapping[str, Mapping[str, datetime]]
    has_bodies: bool
    has_files: bool

    async def compare(self, page_size: int) -> None:
        """Compares every row, an answer of Notion's at a time."""
        rereading = Rereading(self.client, self.wanted.data_source_id, page_size)
        async for pages in rereading.pages():
            listed = await self._held([page["id"] for page in pages])
            for page in pages:
                await self._compare_page(page, listed[page["id"]])
        held = Counter(await self.held.page_ids(self.wanted.data_source_id))
        self.found.add(_doubled(page_id, rows) for page_id, rows in held.items() if rows > 1)
        unseen = [one for one in held if not rereading.has_seen(one)]
        for start in range(0, len(unseen), page_size):
            for page_id, held_page in (await self._held(unseen[start : start + page_size])).items():
                await self._look_again(page_id, held_page, _too_many(held_page.row, "not listed"))
        await self._compare_history(page_size)
        if rereading.unread:
            self.found.unread.append(rereading.unread)

    async def _compare_history(self, page_size: int) -> None:
        """Compares the rows with what their changes lead to."""
        source = self.wanted.data_source_id
        states = await newest_states(self.held.pool, self.held.user_id, source)
        for start in range(0, len(states), page_size):
            some_states = states[start : start + page_size]
            rows = await self.held.rows([one.page_id for one in some_states])
            for state in some_states:
                self.found.add(history_differences(state, rows.get(state.page_id), source))

    async def _held(self, page_ids: Sequence[str]) -> Mapping[str, HeldPage]:
        """What is held of these pages."""
        texts, view = self.people.held, self.wanted.view
        rows, documents = await self.held.rows(page_ids), await texts.documents(page_ids)
        bodies, about = await texts.bodies(page_ids), await texts.about(page_ids)
        views = HeldViews(self.held.pool, self.held.user_id)
        shown, related = {}, {}
        if view is not None and {"page_id", "user_id", "data_source_id"} <= view.columns.keys():
            shown = await views.rows(view, self.wanted.data_source_id, page_ids)
            own = {column.name for column in self.wanted.columns if column.property_type == "relation"}
            for relation in own:
                name = view.relations.get(relation)
                related[relation] = await views.related(name, page_ids) if name else None
        names = await self.people.names_in(row.fields for row in rows.values())
        files = await HeldFiles(self.held.pool, self.held.user_id).named_by(page_ids) if self.has_files else {}
        return {
            page_id: HeldPage(
                rows.get(page_id),
                documents.get(page_id),
                bodies.get(page_id),
                shown.get(page_id),
                {relation: None if of is None else of.get(page_id, []) for relation, of in related.items()},
                names,
                about.get(page_id),
                files.get(page_id, {}),
            )
            for page_id in page_ids
        }

    async def _compare_page(self, page: JsonObject, held: HeldPage) -> None:
        if not is_whole(page):
            await self._look_again(page["id"], held, [])
            return
        expected = await expected_row(self.client, page, self.schema)
        self.found.count(expected, self.left_out.get(expected.page_id, {}))
        self.people.named_by(page["properties"])
        if held.row is not None:
            self.found.count_boundaries(*boundaries_not_told(expected, held.row.properties))
        every = list(self.wanted.differences(expected, held))
        self.found.moved_by_clock.update(one.name or "" for one in every if self._goes_by_clock(one))
        differences = [one for one in every if not self._goes_by_clock(one)]
        differences += self._file_differences(expected, page, held)
        differences += await self._body_differences(expected.page_id, held)
        if differences and self._is_since(expected):
            self.found.edited_since += 1
        elif differences:
            await self._look_again(expected.page_id, held, differences)

    def _file_differences(self, expected: Expected, page: JsonObject, held: HeldPage) -> list[Difference]:
        """What differs of the files that a page names, its body aside, and what Notion does not tell."""
        if held.row is None or not self.has_files:
            return []
        untold = columns_not_told(page, self.wanted.columns, expected.not_told)
        left_out = {_IN_BODY, *(("property", column) for column in untold)}
        recorded = {naming: paths for naming, paths in held.files.items() if naming not in left_out}
        named = files_of_page(page, self.wanted.columns)
        return [one for one in file_differences(expected.page_id, named, recorded) if one.name not in untold]

    async def _body_differences(self, page_id: str, held: HeldPage) -> list[Difference]:
        if held.row is None or not (self.has_bodies or held.body):
            return []
        body = await expected_body(self.client, page_id)
        if body is None:
            self.found.bodies_not_told += 1
            return []
        differences = list(body_differences(page_id, body.markdown, held.body))
        if self.has_files and self.has_bodies:
            recorded = {naming: paths for naming, paths in held.files.items() if naming == _IN_BODY}
            differences += file_differences(page_id, body.files, recorded)
        return differences

    async def _look_again(self, page_id: str, held: HeldPage, differences: Sequence[Difference]) -> None:
        """Reads a page alone and takes in what differs now; beyond the bound, what differed before."""
        if not self.found.may_look_again():
            self.found.add(differences)
            return
        try:
            page = await page_or_none(self.client, page_id, self.wanted.data_source_id)
        except NotionError as error:
            if not error.is_about_one_thing:
                raise
            self._is_not_told(page_id)
            return
        if page is not None and not is_whole(page):
            self._is_not_told(page_id)
            return
        left = why_not_live(page, self.wanted.data_source_id)
        expected = await expected_row(self.client, page, self.schema) if page is not None else None
        if expected is not None and self._is_since(expected):
            self.found.edited_since += 1
        elif left is not None:
            self.found.add(_too_many(held.row, left))
        elif expected is not None:
            again = [one for one in self.wanted.differences(expected, held) if not self._goes_by_clock(one)]
            again += self._file_differences(expected, page, held) if page is not None else []
            self.found.add(again + [one for one in differences if one.kind == "body_differs" or _is_in_body(one)])

    def _is_not_told(self, page_id: str) -> None:
        self.found.pages_not_told += 1
        if self.found.pages_not_told > MOST_PAGES_NOT_TOLD:
            raise VerificationError(
                f"Notion does not give many pages, such as {page_id}, or gives them without their properties or times: "
                "verify again later.",
                code=ErrorCode.MALFORMED,
            )

    def _is_since(self, expected: Expected) -> bool:
        return max(expected.created_at, expected.edited_at) >= self.began_at

    def _goes_by_clock(self, difference: Difference) -> bool:
        return difference.kind == "value_differs" and difference.name in self.wanted.clock_formulas


def _is_in_body(difference: Difference) -> bool:
    return (difference.kind, difference.path) == ("file_differs", _IN_BODY[0])


def _doubled(page_id: str, rows: int) -> Difference:
    return Difference("extra_row", page_id, None, "", "one page", f"{rows} rows of it")


def _too_many(row: HeldRow | None, in_notion: str) -> list[Difference]:
    return [] if row is None else [Difference("extra_row", row.page_id, None, "", in_notion, short(row.title))]
