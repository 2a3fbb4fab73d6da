"""Typed views: every type, whatever is stored; replaced with grants and comments kept; closed to other tenants."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notion_workspace import SmallWorkspace
from notion_workspace.literals import checkbox, formula, number, rich_text, title
from notion_workspace.literals import date as date_property

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.views import refresh_views
from tests.installation import Installation

TYPES = ("text", "numeric", "boolean", "date", "timestamptz", "uuid", "text[]", "uuid[]", "jsonb", "undetermined")
SOURCE = "22222222-2222-4222-8222-222222222222"
DATABASE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> AsyncIterator[Installation]:
    """A user who wants views, with Characters in the copy."""
    await installation.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    outcome = await installation.sync_all()
    assert outcome.failures == []
    installation.workspace.clock.advance(3600)
    yield installation


async def resync(installation: Installation) -> str:
    """Syncs again, and returns what the run says of Characters."""
    outcome = await installation.sync_all()
    assert outcome.failures == []
    return outcome.accounts[0].databases["Characters"].message or ""


async def test_plain_sql_reads_typed_columns(anna: Installation, small: SmallWorkspace) -> None:
    rows = await anna.execute("SELECT page_id, name, age, traits, world, alive FROM notion.characters")
    truth = anna.workspace.truth(small.data_sources["Characters"], "anna")
    assert len(rows) == len(truth) == 40
    for row in rows:
        properties = truth[str(row["page_id"])]["properties"]
        assert row["name"] == properties["Name"]
        assert row["age"] == (None if properties["Age"] is None else Decimal(properties["Age"]))
        assert row["traits"] == properties["Traits"]
        assert [str(one) for one in row["world"]] == properties["World"]
        assert row["alive"] is properties["Alive"]


async def test_a_user_who_wants_no_views_gets_none(installation: Installation, small: SmallWorkspace) -> None:
    await installation.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.sync_all()
    assert await installation.execute("SELECT 1 FROM pg_views WHERE schemaname = 'notion'") == []


async def test_nothing_is_done_where_nothing_changed(anna: Installation) -> None:
    query = "SELECT oid, xmin::text FROM pg_class WHERE oid = 'notion.characters'::regclass"
    before = await anna.execute(query)
    await resync(anna)
    assert await anna.execute(query) == before


async def everything_on_it(installation: Installation) -> dict[str, object]:
    (found,) = await installation.execute(
        """
        SELECT relacl::text, obj_description(oid, 'pg_class') AS comment, reloptions::text,
               (SELECT attacl::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'age') AS on_column
        FROM pg_class WHERE oid = 'notion.characters'::regclass
        """
    )
    return found


async def test_columns_come_and_change_with_grants_and_comments_kept(anna: Installation) -> None:
    await anna.execute("GRANT SELECT ON notion.characters TO PUBLIC")
    await anna.execute("GRANT SELECT (age) ON notion.characters TO pg_monitor WITH GRANT OPTION")
    await anna.execute("COMMENT ON VIEW notion.characters IS 'ours'")
    before = await everything_on_it(anna)
    assert before["reloptions"] == "{security_invoker=true}"
    anna.workspace.add_property("Characters", "Height", number())
    await resync(anna)
    assert (await anna.execute("SELECT height FROM notion.characters LIMIT 1")) == [{"height": None}]
    assert await everything_on_it(anna) == before
    # Of another type for the database that gives it its column: dropped and made again.
    await anna.execute("UPDATE notion_sync.columns SET type = 'text' WHERE name = 'age'")
    await resync(anna)
    (age,) = await anna.execute("SELECT pg_typeof(age)::text AS type FROM notion.characters LIMIT 1")
    assert age == {"type": "text"}
    assert await everything_on_it(anna) == before


async def test_rename_remove_and_retype_of_a_property(anna: Installation, small: SmallWorkspace) -> None:
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'notion.characters'::regclass AND attnum > 0"
    before = await anna.execute(columns)
    anna.workspace.rename_property("Characters", "Age", "Years")
    await resync(anna)
    assert await anna.execute(columns) == before
    comment_query = (
        "SELECT col_description(attrelid, attnum) AS said FROM pg_attribute"
        " WHERE attrelid = 'notion.characters'::regclass AND attname = 'age'"
    )
    assert await anna.execute(comment_query) == [{"said": "Notion: Years (number)"}]
    anna.workspace.remove_property("Characters", "Alive")
    await resync(anna)
    assert await anna.execute("SELECT DISTINCT alive FROM notion.characters") == [{"alive": None}]
    anna.workspace.retype_property("Characters", "Years", rich_text())
    for page in anna.workspace.page_ids("Characters")[:5]:
        anna.workspace.edit_page(page, {"Years": f"about {page}"})
    for _ in range(2):
        assert (
            "Years is of type rich_text in Notion now: typed views show its column age, which was numeric, as text "
            "until notion_sync.retype_column gives it another type."
        ) in await resync(anna)
    shown = "SELECT DISTINCT age FROM notion.characters WHERE age <> ''"
    assert len(await anna.execute(shown)) == 5
    said = "Notion: Years (rich_text)"
    assert await anna.execute(comment_query) == [{"said": f"{said}; shown as text, since it was numeric before"}]
    (row,) = await anna.execute("SELECT unfit_values FROM notion_sync.columns WHERE name = 'age'")
    kept = "SELECT count(*) AS values FROM notion_characters_sync WHERE jsonb_typeof(fields -> 'age') = 'string'"
    assert await anna.execute(kept) == [{"values": row["unfit_values"]}]
    await anna.execute("SELECT notion_sync.retype_column('anna', %s, 'age', 'text')", small.data_sources["Characters"])
    assert "age" not in await resync(anna)
    assert len(await anna.execute(shown)) == 5
    assert await anna.execute(comment_query) == [{"said": said}]
    assert await anna.execute("SELECT 1 FROM notion_sync.columns WHERE unfit_values > 0") == []


async def test_a_view_of_somebody_elses_that_depends_is_named_and_not_broken(anna: Installation) -> None:
    await anna.execute("CREATE VIEW adults AS SELECT name, age FROM notion.characters WHERE age >= 18")
    await anna.execute("UPDATE notion_sync.columns SET type = 'text' WHERE name = 'age'")
    anna.workspace.add_property("Characters", "Height", number())
    said = await resync(anna)
    assert "adults depends on the view notion.characters" in said
    assert len(await anna.execute("SELECT name, age FROM adults")) > 0
    assert await anna.execute("SELECT DISTINCT height FROM notion.characters") == [{"height": None}]
    # For as long as it is so.
    assert "adults depends on the view notion.characters" in await resync(anna)


async def test_the_view_can_be_read_at_every_moment(anna: Installation) -> None:
    """While columns come and change their types, between any two requests and once all is done."""
    read: list[int] = []
    anna.workspace.on_request(lambda _: read.append(len(anna.execute_at_once("SELECT * FROM notion.characters"))))
    anna.workspace.add_property("Characters", "Height", number())
    await resync(anna)
    await anna.execute("UPDATE notion_sync.columns SET type = 'text' WHERE name = 'height'")
    anna.workspace.remove_property("Characters", "Alive")
    await resync(anna)
    assert set(read) == {40}
    assert len(read) >= 6


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("CREATE TABLE notion.characters AS SELECT 1 AS mine", "SELECT mine FROM notion.characters_{}"),
        ("CREATE VIEW notion.characters AS SELECT 1 AS mine", "SELECT mine FROM notion.characters_{}"),
        ("CREATE MATERIALIZED VIEW notion.characters AS SELECT 1 AS mine", "SELECT mine FROM notion.characters_{}"),
        ("CREATE SEQUENCE notion.characters", "SELECT nextval('notion.characters_{}') AS mine"),
        ("CREATE TYPE notion.characters AS (mine integer)", "SELECT (ROW(1)::notion.characters_{}).mine AS mine"),
        ("CREATE DOMAIN notion.characters AS integer", "SELECT 1::notion.characters_{} AS mine"),
        ("CREATE TYPE notion.characters AS ENUM ('1')", "SELECT '1'::notion.characters_{}::text::integer AS mine"),
    ],
)
async def test_what_somebody_has_under_the_name_is_left_alone_until_they_rename_it_as_is_said(
    installation: Installation, small: SmallWorkspace, statement: str, kept: str
) -> None:
    await installation.execute(statement)
    await installation.execute("CREATE TABLE notion.characters_2 (taken text)")
    await installation.connect("anna", small.tokens["anna"], {"Characters": small.databases["Characters"]})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    for _ in range(2):
        said = await resync(installation)
        assert "notion.characters is not a view of notion-pg-sync; it is left alone" in said
    await installation.execute(re.findall(r"give it another name, (ALTER .*?;)", said)[0])
    assert await installation.execute(kept.format(3)) == [{"mine": 1}]
    assert "notion.characters" not in await resync(installation)
    assert len(await installation.execute("SELECT age FROM notion.characters")) == 40


async def test_users_who_share_a_view_share_its_columns_and_see_their_own_rows(
    anna: Installation, small: SmallWorkspace
) -> None:
    properties = {"Name": title(), "Age": rich_text(), "Horse": checkbox()}
    theirs = anna.workspace.add_database("Bens", properties, [{"Name": "Rider", "Age": "old", "Horse": True}])
    anna.workspace.share("ben", theirs.id)
    await anna.connect("ben", small.tokens["ben"], {"Characters": theirs.id})
    await anna.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('ben', true)")
    assert (await anna.sync_all()).failures == []
    found = await anna.execute("SELECT name, age, horse FROM notion.characters WHERE user_id = 'ben'")
    assert found == [{"name": "Rider", "age": "old", "horse": True}]
    await anna.execute("DROP ROLE IF EXISTS view_reader")
    await anna.execute("CREATE ROLE view_reader LOGIN")
    try:
        await anna.execute("GRANT USAGE ON SCHEMA notion TO view_reader")
        await anna.execute("GRANT SELECT ON notion.characters, notion_characters_sync TO view_reader")
        url = psycopg.conninfo.make_conninfo(anna.settings.database_url or "", user="view_reader")
        with psycopg.connect(url, autocommit=True) as reader:
            count = "SELECT count(*) FROM notion.characters"
            assert reader.execute(count).fetchone() == (0,)
            reader.execute("SET app.user_id = 'ben'")
            assert reader.execute(count).fetchone() == (1,)
            reader.execute("SET app.user_id = ''")
            reader.execute("SELECT set_config('request.jwt.claims', %s, false)", (json.dumps({"sub": "anna"}),))
            assert reader.execute(count).fetchone() == (40,)
    finally:
        await anna.execute("DROP OWNED BY view_reader")
        await anna.execute("DROP ROLE view_reader")


async def test_dates_and_formulas_are_typed_by_what_they_hold(
    installation: Installation, small: SmallWorkspace
) -> None:
    workspace = installation.workspace
    properties = {"Name": title(), "Due": date_property(), "Twice": formula("2", "number", lambda row: 2)}
    rows: list[dict[str, object]] = [
        {"Name": "day", "Due": "2026-12-01"},
        {"Name": "time", "Due": ("2026-12-01T10:00:00.000+01:00", None)},
    ]
    handle = workspace.add_database("Plans", properties, rows)
    workspace.share("anna", handle.id)
    await installation.connect("anna", small.tokens["anna"], {"Plans": handle.id})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert (await installation.sync_all()).failures == []
    found = await installation.execute("SELECT due, due_at, due_end, twice FROM notion.plans ORDER BY name")
    day = {"due": date(2026, 12, 1), "due_at": None, "due_end": None, "twice": Decimal(2)}
    assert found == [day, {**day, "due_at": datetime(2026, 12, 1, 9, tzinfo=UTC)}]


json_leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
likely = st.sampled_from(
    [
        *("2026-02-30", "2026-02-28", "12026-01-01", "0000-01-01", "2026-02-28T10:00:00+00:00", "2026-02-28T10:00:00"),
        *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-28T25:00:00+00:00", "infinity", "now"),
        *(SOURCE, SOURCE[:-1], "true", "1e400", "{}", "{1,2}"),
    ]
)
stored = st.recursive(
    json_leaves | texts | likely,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(stored, min_size=40, max_size=40))
async def test_no_stored_value_makes_a_view_fail(installation: Installation, values: list[object]) -> None:
    if not await installation.execute("SELECT 1 FROM pg_views WHERE schemaname = 'notion'"):
        await make_view_of_all_types(installation)
    await installation.execute("DELETE FROM notion_pages_sync")
    fields = [json.dumps(dict.fromkeys((f"c{index}" for index in range(len(TYPES))), value)) for value in values]
    await installation.execute(
        "INSERT INTO notion_pages_sync (notion_page_id, notion_database_id, notion_data_source_id, database_name,"
        " user_id, fields) SELECT gen_random_uuid()::text, %s, %s, 'All', 'anna', unnest(%s::jsonb[])",
        DATABASE,
        SOURCE,
        fields,
    )
    assert len(await installation.execute("SELECT * FROM notion.all_")) == 40


async def make_view_of_all_types(installation: Installation) -> None:
    await installation.execute(
        f"""
        INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true);
        INSERT INTO notion_sync.databases (user_id, database_id, name) VALUES ('anna', '{DATABASE}', 'All');
        INSERT INTO notion_sync.data_sources (user_id, data_source_id, database_id, database_name, view_name, name,
            sync_table, schema, schema_fingerprint)
        VALUES ('anna', '{SOURCE}', '{DATABASE}', 'All', 'all_', 'All', 'public.notion_pages_sync', '{{}}', '')
        """
    )
    for index, type_ in enumerate(TYPES):
        await installation.execute(
            "INSERT INTO notion_sync.columns VALUES ('anna', %s, %s, 'value', 'P', 'any', %s, %s)",
            SOURCE,
            f"p{index}",
            f"c{index}",
            type_,
        )
    async with open_pool(installation.settings.database_url or "", 1) as pool, pool.connection() as connection:
        assert await refresh_views(connection, ["All"]) == []


async def test_hostile_names_are_harmless(installation: Installation, small: SmallWorkspace) -> None:
    await installation.connect("ben", small.tokens["ben"], {'Nasty"; DROP %s 名前': small.databases["Nasty Names"]})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('ben', true)")
    assert (await installation.sync_all()).failures == []
    (view,) = await installation.execute("SELECT viewname FROM pg_views WHERE schemaname = 'notion'")
    assert len(await installation.execute(f"SELECT * FROM notion.{view['viewname']}")) == 5


@pytest.mark.parametrize("names", [("Tasks", "✅ Tasks"), ("Tasks", " tasks")])
async def test_two_databases_whose_names_make_one_have_two_views_that_are_kept(
    installation: Installation, names: tuple[str, str]
) -> None:
    workspace = installation.workspace
    token = workspace.add_token("dora")
    ids = []
    for name in names:
        handle = workspace.add_database(f"{name} of mine", {"Name": title()}, [{"Name": name}])
        workspace.share("dora", handle.id)
        ids.append(handle.id)
    await installation.connect("dora", token.secret, dict(zip(names, ids, strict=True)))
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('dora', true)")
    query = "SELECT DISTINCT view_name, database_id::text FROM notion_sync.data_sources ORDER BY view_name"
    for _ in range(2):
        assert (await installation.sync_all()).failures == []
        found = {row["view_name"]: row["database_id"] for row in await installation.execute(query)}
        assert found.keys() == {"tasks", "tasks_2"}
        for view in found:
            assert len(await installation.execute(f"SELECT name FROM notion.{view}")) == 1
        workspace.clock.advance(3600)
    # The second keeps its name when the first goes.
    second = found["tasks_2"]
    kept = {name: id_ for name, id_ in zip(names, ids, strict=True) if id_ == second}
    await installation.execute("UPDATE user_settings SET notion_databases = %s", json.dumps(kept))
    await installation.sync_all()
    found = {row["view_name"]: row["database_id"] for row in await installation.execute(query)}
    assert found["tasks_2"] == second
