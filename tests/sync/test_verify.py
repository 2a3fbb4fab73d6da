"""`sync --verify`: a fresh copy is exact, whatever was tampered with is named, edits since are no fault of the copy."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from notion_workspace import SmallWorkspace, literals
from psycopg.types.json import Jsonb

from notion_pg_sync.commands.output.verification import verification_as_json, verification_lines
from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.tables import find_tables
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.sync.run.context import RunContext
from notion_pg_sync.sync.run.listener import SilentListener
from notion_pg_sync.sync.run.opening import open_client
from notion_pg_sync.sync.verify import verification as findings
from notion_pg_sync.sync.verify import verify
from notion_pg_sync.sync.verify.rereading import VerificationError
from notion_pg_sync.sync.verify.verification import Difference, Verification
from notion_pg_sync.sync.verify.verify import verify_database
from tests.installation import Installation

pytestmark = pytest.mark.slow

STRANGER = "99999999-9999-4999-8999-999999999999"


@asynccontextmanager
async def working(installation: Installation, token: str) -> AsyncIterator[tuple[RunContext, NotionClient]]:
    """What the command has in hand when it verifies."""
    settings = replace(installation.settings, page_size=40, requests_per_minute=100_000)
    async with open_pool(settings.database_url or "") as pool, open_client(settings, token) as client:
        async with transaction(pool) as connection:
            tables = await find_tables(connection, "public")
        yield RunContext(settings, 0, pool, "public", tables, SilentListener()), client


async def verified(
    installation: Installation, small: SmallWorkspace, name: str, user_id: str = "anna", database_id: str = ""
) -> Verification:
    async with working(installation, small.tokens[user_id]) as (work, client):
        configured = ConfiguredDatabase(name, database_id or small.databases[name])
        return await verify_database(work, client, user_id, configured)


def said(verification: Verification) -> list[tuple[str, str | None, str, str, str]]:
    return [(one.kind, one.name, one.path, one.in_notion, one.in_postgresql) for one in verification.differences]


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user whose databases were synced just now, an hour after anything was edited."""
    small.workspace.clock.advance(3600)
    databases = {name: small.databases[name] for name in small.shared["anna"]}
    await installation.connect("anna", small.tokens["anna"], databases)
    assert (await installation.sync_all()).failures == []
    return installation


async def page_named(installation: Installation, table: str, title: str, column: str = "title") -> str:
    rows = await installation.execute(f"SELECT notion_page_id FROM {table} WHERE {column} = %s", title)
    return str(rows[0]["notion_page_id"])


# A fresh copy ------------------------------------------------------------------------------------------------------


async def test_a_fresh_copy_of_every_database_is_exact(installation: Installation, small: SmallWorkspace) -> None:
    for user_id, token in small.tokens.items():
        await installation.connect(user_id, token, {name: small.databases[name] for name in small.shared[user_id]})
    totals = (await installation.sync_all()).totals
    rows = 0
    for user_id in small.tokens:
        for name in small.shared[user_id]:
            verification = await verified(installation, small, name, user_id)
            assert verification.differences == (), name
            assert verification.is_exact
            assert verification.edited_since == 0
            rows += verification.rows
    assert rows == totals.rows_read > 700


async def test_what_notion_does_not_tell_is_remarked_on(anna: Installation, small: SmallWorkspace) -> None:
    everything = await verified(anna, small, "Everything")
    assert everything.remarks == (
        'Notion does not give "Friends\' sum" in 1 row, so nothing can be said of it there.',
        "Notion does not give 'Twice' in 1 row, so nothing can be said of it there.",
        'Notion computes "Friends\' median" in 1 row from 25 related pages only; that is what was compared.',
        "Notion computes 'Positive' in 1 row from 25 related pages only; that is what was compared.",
        "Notion computes 'Same date' in 1 row from 25 related pages only; that is what was compared.",
        "Notion computes 'Shout' in 1 row from 25 related pages only; that is what was compared.",
        "Notion computes 'Twice' in 1 row from 25 related pages only; that is what was compared.",
        'Notion does not tell which parts of "Friends\' names" belong to which related page in 1 row; parts and order'
        " were compared.",
        "1 row holds in Notion what PostgreSQL cannot store; that was left out.",
    )
    stories = await verified(anna, small, "Stories")
    assert stories.remarks == (
        "Notion computes 'Cast size' in 1 row from 25 related pages only; that is what was compared.",
    )
    assert stories.values == 30 * 8
    assert stories.requests == 2 + 1 + 3  # the database, its schema, its rows; one cut relation and two rollups of it


async def test_notion_not_computing_a_value_any_more_is_no_difference(
    anna: Installation, small: SmallWorkspace
) -> None:
    small.workspace.set_unsupported("Stories", "Oldest")
    verification = await verified(anna, small, "Stories")
    assert verification.is_exact
    assert "Notion does not give 'Oldest' in 30 rows, so nothing can be said of it there." in verification.remarks


async def test_a_formula_that_goes_by_the_clock_is_no_difference(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    handle = workspace.add_database(
        "Ages",
        {
            "Name": literals.title(),
            "Minutes": literals.formula('dateBetween(now(), prop("Created"), "minutes")', "number"),
            "Twice": literals.formula('prop("Minutes") * 2', "number"),
            "Other": literals.formula('prop("Name")', "string"),
            "Created": literals.created_time(),
        },
        [{"Name": f"Row {number}", "Minutes": 1, "Twice": 2, "Other": "x"} for number in range(5)],
    )
    workspace.share("anna", handle.id)
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Ages": handle.id})
    await installation.sync_all()
    for page_id in workspace.page_ids(handle.id):
        workspace.set_quietly(page_id, {"Minutes": 61, "Twice": 122})
    clean = await verified(installation, small, "Ages", database_id=handle.id)
    assert clean.is_exact
    assert clean.remarks == (
        "'Minutes' goes by the clock and has moved on in 5 rows.",
        "'Twice' goes by the clock and has moved on in 5 rows.",
    )
    workspace.set_quietly(workspace.page_ids(handle.id)[0], {"Other": "y"})
    assert said(await verified(installation, small, "Ages", database_id=handle.id)) == [
        ("value_differs", "Other", "formula.string", '"y"', '"x"'),
        ("field_differs", "other", "", '"y"', '"x"'),
        ("search_differs", "text", "", '"y"', '"x"'),
    ]


async def test_odd_characters_and_numbers_are_expected_as_postgresql_can_hold_them(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    handle = workspace.add_database(
        "Odd",
        {
            "Name": literals.title(),
            "Text": literals.rich_text(),
            "Number": literals.number(),
            "NUL\0name": literals.url(),
        },
        [
            {"Name": "\0title\0", "Text": "\0", "Number": 1e300, "NUL\0name": "a\0b"},
            {"Name": "🦊", "Text": "\u202e", "Number": 2**53 + 1},
            {"Name": "", "Text": "", "Number": -0.0},
        ],
    )
    workspace.share("anna", handle.id)
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Odd": handle.id})
    assert (await installation.sync_all()).failures == []
    verification = await verified(installation, small, "Odd", database_id=handle.id)
    assert said(verification) == []
    assert verification.remarks == ("3 rows hold in Notion what PostgreSQL cannot store; that was left out.",)


# What was tampered with ----------------------------------------------------------------------------------------------


# Title of the row, path of the value in `properties`, what to put there, and how both sides are shown.
DEEP = (
    ("Full", ("Number", "number"), 42.25, ("42.5", "42.25")),
    ("Full", ("Checkbox", "checkbox"), 1, ("true", "1")),
    ("Full", ("Select", "select", "color"), "x", None),
    ("Full", ("Date", "date", "start"), "2026-05-18", ('"2026-05-17"', '"2026-05-18"')),
    ("Full", ("Files", "files", "0", "file", "url"), "https://elsewhere.example/photo.png", None),
    ("Full", ("Files", "files", "1", "external", "url"), "https://example.com/a.png", None),
    ("Full", ("Place", "place", "lat"), 52.53, ("52.52", "52.53")),
    ("Full", ("Hologram", "holographic", "layers", "1"), "blue", ('"green"', '"blue"')),
    ("Full", ("Creator", "id"), "zz", None),
    ("Every text", ("Text", "rich_text", "3", "equation", "expression"), "e = mc^3", ('"e = mc^2"', '"e = mc^3"')),
    ("Every text", ("Text", "rich_text", "1", "annotations", "bold"), False, ("true", "false")),
    ("Related", ("Friends' sum", "rollup", "number"), 1, None),
    ("Related", ("Friends' names", "rollup", "array", "30", "type"), "rich_text", ('"title"', '"rich_text"')),
    ("Related", ("Friends", "relation", "39", "id"), STRANGER, None),
    ("Related", ("Friends", "has_more"), True, ("false", "true")),
    ("Crowd", ("People", "people", "28", "name"), "Somebody else", ('"Person 28"', '"Somebody else"')),
    ("One mention often", ("Text", "rich_text", "39", "plain_text"), "@Somebody", None),
    ("NUL", ("Text", "rich_text", "0", "plain_text"), "before", ('"beforeafter"', '"before"')),
)

# Title of the row, property, and its type: values of which Notion's first answer holds 25 entries.
LONG = (("Related", "Friends", "relation"), ("Crowd", "People", "people"), ("One mention often", "Text", "rich_text"))


@asynccontextmanager
async def changed(
    installation: Installation, table: str, page_id: str, change: str, *parameters: object
) -> AsyncIterator[None]:
    """A row of which something was changed, for the time of the block."""
    await installation.execute("CREATE TABLE IF NOT EXISTS saved AS SELECT NULL::text AS page, NULL::jsonb AS was")
    await installation.execute("TRUNCATE saved")
    columns = [row["column_name"] for row in await installation.execute(COLUMNS, table)]
    await installation.execute(
        f"INSERT INTO saved SELECT notion_page_id, to_jsonb({table}) FROM {table} WHERE notion_page_id = %s", page_id
    )
    rows = await installation.execute(
        f"UPDATE {table} SET {change} WHERE notion_page_id = %s RETURNING id", *parameters, page_id
    )
    assert len(rows) == 1
    yield
    assigned = ", ".join(f"{column} = whole.{column}" for column in columns)
    await installation.execute(
        f"UPDATE {table} SET {assigned} FROM saved, jsonb_populate_record(NULL::{table}, was) AS whole"
        f" WHERE {table}.id = %s",
        rows[0]["id"],
    )


COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"


@pytest.mark.slow
async def test_a_value_changed_deep_inside_is_named(anna: Installation, small: SmallWorkspace) -> None:
    for title, path, value, shown in DEEP:
        page_id = await page_named(anna, "notion_pages_sync", title)
        change = "properties = jsonb_set(properties, %s, %s, false)"
        async with changed(anna, "notion_pages_sync", page_id, change, list(path), Jsonb(value)):
            (difference,) = (await verified(anna, small, "Everything")).differences
        assert (difference.page_id, difference.kind, difference.name) == (page_id, "value_differs", path[0])
        assert difference.path.replace("[", ".").replace("]", "") == ".".join(path[1:])
        assert shown in (None, (difference.in_notion, difference.in_postgresql))
    assert (await verified(anna, small, "Everything")).is_exact


async def test_a_value_cut_at_25_is_named(anna: Installation, small: SmallWorkspace) -> None:
    for title, name, kind in LONG:
        page_id = await page_named(anna, "notion_pages_sync", title)
        change = "properties = jsonb_set(properties, %s, jsonb_path_query_array(properties -> %s -> %s, '$[0 to 24]'))"
        async with changed(anna, "notion_pages_sync", page_id, change, [name, kind], name, kind):
            (difference,) = (await verified(anna, small, "Everything")).differences
        assert (difference.page_id, difference.kind, difference.name) == (page_id, "value_differs", name)
        assert (difference.path, difference.in_postgresql) == (f"{kind}[25]", "nothing")


# What to change of a row, and the kind and the name of what is found.
CHANGES = (
    ("name = 'Somebody'", "title_differs", "name"),
    ("name = NULL", "title_differs", "name"),
    ("url = 'https://example.com'", "column_differs", "url"),
    ("notion_created_at = notion_created_at - interval '1 minute'", "column_differs", "notion_created_at"),
    ("notion_edited_at = notion_edited_at - interval '1 minute'", "column_differs", "notion_edited_at"),
    ("notion_edited_at = NULL", "column_differs", "notion_edited_at"),
    (f"notion_data_source_id = '{STRANGER}'", "column_differs", "notion_data_source_id"),
    (f"notion_database_id = '{STRANGER}'", "column_differs", "notion_database_id"),
    ("properties = properties - 'Age'", "value_differs", "Age"),
    ("properties = properties || '{\"More\": 1}'", "value_differs", "More"),
    ("properties = properties || '{\"Role\": null}'", "value_differs", "Role"),
)


async def test_a_changed_column_is_named(anna: Installation, small: SmallWorkspace) -> None:
    page_id = anna.workspace.page_ids("Characters")[7]
    for change, kind, name in CHANGES:
        async with changed(anna, "notion_characters_sync", page_id, change):
            differences = (await verified(anna, small, "Characters")).differences
        found = [(one.kind, one.name) for one in differences]
        assert (kind, name) in found
        # A row with another data source id is also where none may be.
        assert len(found) == 1 + (name == "notion_data_source_id")
    assert (await verified(anna, small, "Characters")).is_exact


async def test_properties_that_are_no_object_are_found(anna: Installation, small: SmallWorkspace) -> None:
    page_id = anna.workspace.page_ids("Characters")[0]
    await anna.execute("UPDATE notion_characters_sync SET properties = '[]' WHERE notion_page_id = %s", page_id)
    verification = await verified(anna, small, "Characters")
    assert {one.in_postgresql for one in verification.differences} == {"nothing"}
    assert len(verification.differences) == 7


async def test_a_missing_row_is_named(anna: Installation, small: SmallWorkspace) -> None:
    page_id = await page_named(anna, "notion_characters_sync", "Character 8", "name")
    await anna.execute("DELETE FROM notion_characters_sync WHERE notion_page_id = %s", page_id)
    verification = await verified(anna, small, "Characters")
    assert verification.differences == (Difference("missing_row", page_id, None, "", '"Character 8"', "no row"),)


@pytest.mark.parametrize("page_id", [STRANGER, "not-an-id"])
async def test_a_row_that_notion_does_not_have_is_named(
    anna: Installation, small: SmallWorkspace, page_id: str
) -> None:
    await anna.execute(
        "INSERT INTO notion_characters_sync"
        " (notion_page_id, notion_database_id, notion_data_source_id, user_id, name) VALUES (%s, %s, %s, 'anna', 'X')",
        page_id,
        small.databases["Characters"],
        small.data_sources["Characters"],
    )
    assert (await verified(anna, small, "Characters")).differences == (
        Difference("extra_row", page_id, None, "", "no such page, or no longer shared", '"X"'),
    )


async def test_rows_in_a_wrong_place_are_named(anna: Installation, small: SmallWorkspace) -> None:
    """The same page in another table, and a row of a data source that the database does not have."""
    page_id = anna.workspace.page_ids("Characters")[0]
    insert = "INSERT INTO {} (notion_page_id, notion_database_id, notion_data_source_id, user_id{}) VALUES "
    await anna.execute(
        insert.format("notion_pages_sync", ", database_name") + "(%s, %s, %s, 'anna', 'Characters')",
        page_id,
        small.databases["Characters"],
        small.data_sources["Characters"],
    )
    await anna.execute(
        insert.format("notion_characters_sync", "") + "(%s, %s, %s, 'anna')",
        STRANGER,
        small.databases["Characters"],
        "88888888-8888-4888-8888-888888888888",
    )
    verification = await verified(anna, small, "Characters")
    assert {(one.kind, one.page_id, one.in_postgresql) for one in verification.differences} == {
        ("extra_row", page_id, "a row in public.notion_pages_sync"),
        ("extra_row", STRANGER, "a row in public.notion_characters_sync"),
    }


async def test_rows_of_the_application_and_of_others_are_left_alone(anna: Installation, small: SmallWorkspace) -> None:
    insert = "INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id, name) VALUES "
    await anna.execute(insert + "(NULL, %s, 'anna', 'mine')", small.databases["Characters"])
    await anna.execute(insert + "(%s, %s, 'zoe', 'hers')", STRANGER, small.databases["Characters"])
    assert (await verified(anna, small, "Characters")).is_exact


async def test_differences_beyond_the_bound_are_counted(
    anna: Installation, small: SmallWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "MOST_KEPT", 10)
    monkeypatch.setattr(findings, "MOST_LOOKED_AT_AGAIN", 15)
    await anna.execute("DELETE FROM notion_characters_sync")
    verification = await verified(anna, small, "Characters")
    assert (len(verification.differences), verification.more_differences) == (10, 30)
    assert verification.difference_count == 40
    assert verification.remarks == ("25 more rows that differ were not looked at twice; some may be edited since.",)


# Faults of the sync itself -------------------------------------------------------------------------------------------

PACKAGE = Path(verify.__file__).parents[2]
PARTS = [
    *(f"sync/verify/{file.name}" for file in sorted(Path(verify.__file__).parent.glob("[!_]*.py"))),
    *("mirror/held_files.py", "mirror/held_rows.py", "mirror/held_texts.py", "mirror/held_views.py"),
]
WHAT_THE_SYNC_USES = {
    "notion": [
        *("blocks", "cleaning", "column_names", "completion", "dates", "hosted_files", "listing", "markdown", "pages"),
        *("people", "properties", "rollup_parts", "schema", "shares"),
    ],
    "mirror": [
        *("bodies", "files", "people", "rows", "search_documents", "sent_rows", "stored_rows", "view_catalog"),
        *("view_definition", "views"),
    ],
    "sync.rows": [file.stem for file in (PACKAGE / "sync" / "rows").glob("[!_]*.py")],
    "sync.bodies": [file.stem for file in (PACKAGE / "sync" / "bodies").glob("[!_]*.py")],
    # The place that keeps files is read by the same library, and known by the same mark.
    "sync.files": [
        file.stem
        for file in (PACKAGE / "sync" / "files").glob("[!_]*.py")
        if file.stem not in ("marks", "place", "refusals")
    ],
    "sync.run": ["people_lookup"],
}


@pytest.mark.parametrize("part", PARTS)
def test_no_code_is_shared_whose_faults_are_to_be_found(part: str) -> None:
    source = (PACKAGE / part).read_text(encoding="utf-8")
    imports = [node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    assert imports
    used = {f"notion_pg_sync.{folder}.{name}" for folder, names in WHAT_THE_SYNC_USES.items() for name in names}
    assert used.isdisjoint(imports)


def test_what_the_sync_uses_is_there() -> None:
    for folder, names in WHAT_THE_SYNC_USES.items():
        assert {name for name in names if not (PACKAGE / folder.replace(".", "/") / f"{name}.py").exists()} == set()


async def nothing_completed(_client: object, pages: list[object], *_: object) -> list[object]:
    return pages


@pytest.mark.parametrize(
    ("faulty", "fault", "found"),
    [
        (
            "notion_pg_sync.sync.rows.data_source.complete_pages",
            nothing_completed,
            {"Friends", "People", "Text", "Friends' sum", "Friends' names", "Friend count"},
        ),
        ("notion_pg_sync.notion.cleaning._UNSIGNED", rb"\g<0>", {"Files"}),
        ("notion_pg_sync.notion.cleaning.storable_text", lambda text: text.replace("\0", " "), {"Text"}),
        ("notion_pg_sync.sync.rows.conversion.title_text", lambda _: "x", {"title"}),
    ],
)
async def test_a_fault_of_the_sync_is_found(
    installation: Installation,
    small: SmallWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    *,
    faulty: str,
    fault: object,
    found: set[str],
) -> None:
    monkeypatch.setattr(faulty, fault)
    small.workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Everything": small.databases["Everything"]})
    assert (await installation.sync_all()).failures == []
    names = {one.name for one in (await verified(installation, small, "Everything")).differences}
    assert found <= names


# What happened in Notion since the sync ------------------------------------------------------------------------------


async def test_what_was_edited_since_the_sync_is_no_difference(anna: Installation, small: SmallWorkspace) -> None:
    workspace = anna.workspace
    edited, trashed, moved, *_ = workspace.page_ids("Characters")
    workspace.edit_page(edited, {"Age": 4711, "Name": "Changed"})
    workspace.trash_page(trashed, bump=True)
    workspace.move_page(moved, "Three", bump=True)
    workspace.add_page("Characters", {"Name": "New"})
    verification = await verified(anna, small, "Characters")
    assert said(verification) == []
    assert verification.edited_since == 4
    assert verification.remarks == ("4 rows were edited since the sync began: sync again to bring them, then verify.",)
    await anna.sync_all(full=True)
    # The frozen clock still stands at the edits' minute: what is as it should be counts for nothing then.
    again = await verified(anna, small, "Characters")
    assert again.is_exact
    assert again.edited_since == 0


async def test_an_edit_that_the_sync_missed_is_a_difference(anna: Installation, small: SmallWorkspace) -> None:
    page_id = anna.workspace.page_ids("Characters")[0]
    anna.workspace.edit_page(page_id, {"Age": 4711})
    anna.workspace.clock.advance(3600)
    kinds = [(one.kind, one.name) for one in (await verified(anna, small, "Characters")).differences]
    assert kinds == [("column_differs", "notion_edited_at"), ("value_differs", "Age"), ("field_differs", "age")]


@pytest.mark.parametrize(
    ("leave", "in_notion"),
    [
        ("trash_page", "in the trash"),
        ("archive_page", "archived"),
        ("delete_page", "no such page, or no longer shared"),
    ],
)
async def test_a_row_that_should_have_left_is_named_with_the_reason(
    anna: Installation, small: SmallWorkspace, leave: str, in_notion: str
) -> None:
    page_id = anna.workspace.page_ids("Characters")[3]
    getattr(anna.workspace, leave)(page_id)
    assert [
        (one.kind, one.page_id, one.in_notion) for one in (await verified(anna, small, "Characters")).differences
    ] == [("extra_row", page_id, in_notion)]


async def test_a_page_in_another_place_is_named(anna: Installation, small: SmallWorkspace) -> None:
    page_id = anna.workspace.page_ids("Characters")[3]
    anna.workspace.move_page(page_id, "Three")
    (difference,) = (await verified(anna, small, "Characters")).differences
    assert (difference.kind, difference.in_notion) == ("extra_row", "in another place")


async def test_a_page_that_a_listing_leaves_out_is_compared_alone(anna: Installation, small: SmallWorkspace) -> None:
    left_out = anna.workspace.page_ids("Characters")[5]

    def without_one(body: dict[str, object]) -> dict[str, object]:
        results = body["results"]
        assert isinstance(results, list)
        return {**body, "results": [page for page in results if page["id"] != left_out]}

    anna.workspace.faults.add("rewrite", path="/query$", rewrite=without_one)
    assert (await verified(anna, small, "Characters")).is_exact
    await anna.execute("UPDATE notion_characters_sync SET name = 'X' WHERE notion_page_id = %s", left_out)
    assert [one.kind for one in (await verified(anna, small, "Characters")).differences] == ["title_differs"]


async def test_a_page_trashed_while_it_is_read_is_not_missing(anna: Installation, small: SmallWorkspace) -> None:
    """It was listed, has no row, and is gone by the second look."""
    page_id = anna.workspace.page_ids("Characters")[5]
    await anna.execute("DELETE FROM notion_characters_sync WHERE notion_page_id = %s", page_id)

    def trash(request: object) -> None:
        if str(getattr(request, "path", "")).endswith(f"pages/{page_id}"):
            anna.workspace.trash_page(page_id)

    anna.workspace.on_request(trash)
    assert (await verified(anna, small, "Characters")).is_exact


# How it reads --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("cursor_kind", ["key", "offset", "anchor"])
async def test_more_rows_than_one_query_gives_are_compared(
    installation: Installation, small: SmallWorkspace, cursor_kind: str
) -> None:
    workspace = installation.workspace
    workspace.configure(query_cap=500, cursor_kind=cursor_kind)
    handle = workspace.add_generated_database("Many", rows=1_700, long_relations=0.002)
    workspace.share("anna", handle.id)
    workspace.clock.advance(3600)
    await installation.connect("anna", small.tokens["anna"], {"Many": handle.id})
    assert (await installation.sync_all()).failures == []
    clean = await verified(installation, small, "Many", database_id=handle.id)
    assert clean.is_exact
    assert clean.rows == 1_700
    last = max(workspace.truth(handle.id).values(), key=lambda row: row["created_time"])["id"]
    await installation.execute("DELETE FROM notion_pages_sync WHERE notion_page_id = %s", last)
    (difference,) = (await verified(installation, small, "Many", database_id=handle.id)).differences
    assert (difference.kind, difference.page_id) == ("missing_row", last)


async def test_a_minute_with_more_rows_than_one_query_gives_is_refused(
    anna: Installation, small: SmallWorkspace
) -> None:
    anna.workspace.configure(query_cap=100)
    handle = anna.workspace.add_generated_database("Import", rows=400, history="one_minute")
    anna.workspace.share("anna", handle.id)
    await anna.execute(
        "INSERT INTO notion_sync.databases (user_id, database_id, name, last_started_at)"
        " VALUES ('anna', %s, 'Import', now())",
        handle.id,
    )
    with pytest.raises(VerificationError, match=r"has more rows of one minute .* cannot be compared whole"):
        await verified(anna, small, "Import", database_id=handle.id)


async def test_refused_cursors_are_got_over(anna: Installation, small: SmallWorkspace) -> None:
    asked: list[object] = []

    def expire(request: object) -> None:
        if str(getattr(request, "path", "")).endswith("/query"):
            asked.append(request)
            if len(asked) in (2, 5):
                anna.workspace.expire_cursors()

    anna.workspace.on_request(expire)
    verification = await verified(anna, small, "Chat Sessions")
    assert verification.is_exact
    assert verification.rows == 250


async def test_cursors_refused_for_ever_are_an_error(anna: Installation, small: SmallWorkspace) -> None:
    """All of one minute, so that no new beginning helps."""
    handle = anna.workspace.add_database("Crowded", {"Name": literals.title()}, [{"Name": "x"}] * 90)
    anna.workspace.share("anna", handle.id)
    anna.workspace.on_request(lambda _: anna.workspace.expire_cursors())
    await anna.execute(
        "INSERT INTO notion_sync.databases (user_id, database_id, name, last_started_at)"
        " VALUES ('anna', %s, 'Crowded', now())",
        handle.id,
    )
    with pytest.raises(VerificationError, match="refuses its own cursors"):
        await verified(anna, small, "Crowded", database_id=handle.id)


async def test_pages_without_properties_are_refused(anna: Installation, small: SmallWorkspace) -> None:
    anna.workspace.faults.add("without_properties", path="/query$|/pages/")
    with pytest.raises(VerificationError, match="without their properties or times"):
        await verified(anna, small, "Chat Sessions")


async def test_cursors_that_lead_in_a_circle_are_an_error(anna: Installation, small: SmallWorkspace) -> None:
    given: list[object] = []

    def always_the_first(body: dict[str, object]) -> dict[str, object]:
        given.append(body["next_cursor"])
        return {**body, "next_cursor": given[0], "has_more": True}

    anna.workspace.faults.add("rewrite", path="/query$", rewrite=always_the_first)
    with pytest.raises(VerificationError, match="lead in a circle"):
        await verified(anna, small, "Chat Sessions")


async def test_a_database_that_was_never_synced_or_is_in_the_trash_is_refused(
    anna: Installation, small: SmallWorkspace
) -> None:
    anna.workspace.share("anna", "Notes")
    with pytest.raises(VerificationError, match="was never synced"):
        await verified(anna, small, "Notes")
    anna.workspace.trash_database("Three")
    with pytest.raises(VerificationError, match="in Notion's trash"):
        await verified(anna, small, "Three")


# What a person reads -------------------------------------------------------------------------------------------------


async def test_what_a_person_and_a_program_read(anna: Installation, small: SmallWorkspace) -> None:
    page_id = anna.workspace.page_ids("Three")[0]
    row = (await anna.mirrored("anna", small.data_sources["Three"]))[page_id]
    await anna.execute("UPDATE notion_pages_sync SET title = E'\\x1b[2J' WHERE notion_page_id = %s", page_id)
    verification = await verified(anna, small, "Three")
    assert verification_lines([("anna", "Three", verification)]) == [
        "verified 3 rows with 9 values against Notion: 1 difference.",
        f'  title differs: \'title\' of page {page_id}: Notion "{row["title"]}", PostgreSQL "\\u001b[2J"',
    ]
    found = verification_as_json([("anna", "Three", verification)])
    assert (found["exact"], found["databases"], found["rows"]) == (False, 1, 3)


def test_of_many_databases_what_is_well_takes_one_line_and_the_rest_is_told_by_name() -> None:
    difference = Difference("value_differs", STRANGER, "name", "", "a", "nothing")
    exact, inexact = Verification(40, 400, 5, (), 0, 0, ()), Verification(2, 9, 1, (difference,), 7, 1, ("a remark.",))
    every = [*(("anna", f"Database {number}", exact) for number in range(500)), ("bela", "Worlds", inexact)]
    first, second, *details = verification_lines(every)
    assert first == (
        "verified 501 databases, 20,002 rows with 200,009 values against Notion: 8 differences in 1 database."
    )
    assert second == "bela/Worlds: verified 2 rows with 9 values against Notion: 8 differences."
    assert len(details) == 3
    assert verification_lines(every[:-1]) == [
        "verified 500 databases, 20,000 rows with 200,000 values against Notion: the copy is exact."
    ]
    found = verification_as_json(every)
    assert (found["exact"], found["databases"], found["more_differences"]) == (False, 501, 7)
    assert found["remarks"] == ["bela/Worlds: a remark."]
    ((only),) = found["differences"] if isinstance(found["differences"], list) else []
    assert (only["user_id"], only["database"], only["kind"]) == ("bela", "Worlds", "value_differs")


def test_differences_beyond_the_most_that_are_printed_are_counted() -> None:
    difference = Difference("value_differs", STRANGER, "name", "", "a", "nothing")
    lines = verification_lines([("anna", "Worlds", Verification(1, 1, 1, (difference,), 7, 0, ()))])
    assert lines[-1] == "  and 7 more differences"


def test_what_is_wrong_with_no_single_page_names_none() -> None:
    difference = Difference("view_differs", None, "notion.characters", "", "a view", "no such view")
    lines = verification_lines([("anna", "Worlds", Verification(1, 1, 1, (difference,), 0, 0, ()))])
    assert lines[-1] == "  view differs: 'notion.characters': Notion a view, PostgreSQL no such view"
