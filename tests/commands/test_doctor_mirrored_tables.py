"""doctor and what was mirrored: tables that went, rows that others removed or added, typed views."""

from __future__ import annotations

import pytest
from notion_workspace import literals

from notion_pg_sync.commands.doctor.checks.check import Verdict
from tests.commands.conftest import Mirrored, told

CHECKS = ("tables there", "row counts", "typed views")


async def mirrored_with_views(mirrored: Mirrored, *databases: str) -> None:
    mirrored.connect("anna", "anna", *databases)
    mirrored.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    await mirrored.sync()


async def test_a_healthy_copy_is_well(mirrored: Mirrored) -> None:
    mirrored.connect("ben", "ben", "Library")
    await mirrored_with_views(mirrored, "Worlds", "Three", "Chat Sessions")
    for check in CHECKS:
        assert {finding.verdict for finding in await mirrored.found(check)} == {Verdict.OK}
    told(await mirrored.found("tables there"), "5 data sources are mirrored into public.notion_chat_sessions_sync, ")
    told(await mirrored.found("row counts"), "as many rows as were written: 340 of 5 data sources")
    told(await mirrored.found("typed views"), "3 typed views are as they should be: chat_sessions, three, worlds")


async def test_before_the_first_sync_there_is_nothing_to_say_against_it(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    assert [(await mirrored.one(check)).verdict for check in CHECKS] == [Verdict.OK] * 3


async def test_a_table_of_its_own_that_went_can_be_made_again(mirrored: Mirrored) -> None:
    mirrored.execute("CREATE TABLE notion_three_sync (LIKE notion_pages_sync INCLUDING ALL)")
    mirrored.connect("anna", "anna", "Three")
    await mirrored.sync()
    mirrored.execute("DROP TABLE notion_three_sync")
    finding = await mirrored.one("tables there")
    assert finding.verdict is Verdict.WARNING
    assert "the rows of anna/Three were in public.notion_three_sync, which is no longer there" in finding.message
    await mirrored.type(finding.fix)
    assert (await mirrored.one("tables there")).verdict is Verdict.OK
    lost = await mirrored.one("row counts")
    assert "rows from public.notion_three_sync: anna/Three has 0 instead of 3" in lost.message
    await mirrored.type(lost.fix)
    assert mirrored.execute("SELECT count(*) FROM notion_three_sync") == [(3,)]


async def test_a_table_of_a_preset_that_went_is_made_by_init(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    await mirrored.sync()
    mirrored.execute("DROP TABLE notion_worlds_sync")
    finding = await mirrored.one("tables there")
    assert (finding.verdict, finding.fix) == (
        Verdict.BROKEN,
        "notion-pg-sync init --preset story-app\nnotion-pg-sync sync-all",
    )
    await mirrored.type(finding.fix)
    assert (await mirrored.one("tables there")).verdict is Verdict.OK


async def test_a_table_that_has_the_name_and_not_the_shape(mirrored: Mirrored) -> None:
    mirrored.execute("CREATE TABLE notion_three_sync (LIKE notion_pages_sync INCLUDING ALL)")
    mirrored.execute("ALTER TABLE notion_three_sync DROP COLUMN fields, DROP COLUMN url")
    mirrored.execute("CREATE TABLE notion_unrelated_sync (id int)")
    mirrored.connect("anna", "anna", "Three")
    finding = await mirrored.one("tables there")
    assert finding.verdict is Verdict.WARNING
    assert finding.message.startswith("public.notion_three_sync has the name of a sync table but not its columns")
    assert "add the columns fields, url" in finding.message
    await mirrored.type(finding.fix)
    assert (await mirrored.one("tables there")).verdict is Verdict.OK


async def test_a_table_whose_first_columns_are_missing_says_which(mirrored: Mirrored) -> None:
    mirrored.execute("CREATE TABLE notion_three_sync (id uuid PRIMARY KEY)")
    mirrored.connect("anna", "anna", "Three")
    finding = await mirrored.one("tables there")
    assert finding.verdict is Verdict.WARNING
    assert "has no column notion_database_id" in finding.message


async def test_rows_that_somebody_removed_are_counted_and_come_back(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Chat Sessions")
    await mirrored.sync()
    mirrored.execute("DELETE FROM notion_chat_sessions_sync WHERE title LIKE '%1%'")
    finding = await mirrored.one("row counts")
    assert finding.verdict is Verdict.BROKEN
    assert "rows from public.notion_chat_sessions_sync: anna/Chat Sessions has 117 instead of 250" in finding.message
    assert "something else removed rows" in finding.message
    assert finding.fix == "notion-pg-sync sync anna 'Chat Sessions' --full"
    await mirrored.type(finding.fix)
    assert (await mirrored.one("row counts")).verdict is Verdict.OK


async def test_rows_that_somebody_added_are_counted_and_go(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    await mirrored.sync()
    mirrored.execute(
        "INSERT INTO notion_worlds_sync (notion_page_id, notion_database_id, notion_data_source_id, user_id)"
        " SELECT gen_random_uuid(), notion_database_id, notion_data_source_id, user_id FROM notion_worlds_sync LIMIT 2"
    )
    finding = await mirrored.one("row counts")
    assert "something else added rows to public.notion_worlds_sync: anna/Worlds has 14 instead of 12" in finding.message
    await mirrored.type(finding.fix)
    assert (await mirrored.one("row counts")).verdict is Verdict.OK


async def test_the_applications_own_rows_are_none_of_its_business(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    await mirrored.sync()
    mirrored.execute("INSERT INTO notion_worlds_sync (notion_database_id, user_id, name) VALUES ('d', 'anna', 'draft')")
    assert (await mirrored.one("row counts")).verdict is Verdict.OK


async def test_of_several_data_sources_the_one_that_differs_is_named(mirrored: Mirrored) -> None:
    mirrored.connect("ben", "ben", "Library")
    await mirrored.sync()
    books = mirrored.small.data_sources["Books"]
    mirrored.execute("DELETE FROM notion_pages_sync WHERE notion_data_source_id = %s", books)
    assert (await mirrored.one("row counts")).message.startswith(
        "something else removed rows from public.notion_pages_sync: ben/Library (Books) has 0"
    )


async def test_who_is_being_synced_is_not_counted(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds")
    await mirrored.sync()
    mirrored.execute("DELETE FROM notion_worlds_sync")
    mirrored.execute(
        "UPDATE notion_sync.accounts SET lease_expires_at = now() + interval '1 minute',"
        " lease_runid = (SELECT max(runid) FROM notion_sync.job_run_details)"
    )
    assert (await mirrored.one("row counts")).verdict is Verdict.OK


async def test_a_view_that_was_dropped_comes_back_with_the_next_sync(mirrored: Mirrored) -> None:
    await mirrored_with_views(mirrored, "Worlds", "Three")
    mirrored.execute("DROP VIEW notion.worlds")
    finding = await mirrored.one("typed views")
    assert (finding.verdict, finding.message) == (Verdict.WARNING, "the view notion.worlds is missing")
    assert finding.fix == "notion-pg-sync sync anna Worlds"
    await mirrored.type(finding.fix)
    assert (await mirrored.one("typed views")).verdict is Verdict.OK


async def test_views_that_were_asked_for_after_the_sync_are_missing_until_the_next(mirrored: Mirrored) -> None:
    mirrored.connect("anna", "anna", "Worlds", "Three")
    await mirrored.sync()
    mirrored.execute("UPDATE notion_sync.accounts SET views = true")
    findings = await mirrored.found("typed views")
    assert [finding.message for finding in findings] == [
        "the view notion.three is missing",
        "the view notion.worlds is missing",
        "the view notion.worlds__characters is missing",
    ]
    await mirrored.sync()
    assert (await mirrored.one("typed views")).verdict is Verdict.OK


async def test_a_view_that_somebody_changed_is_told(mirrored: Mirrored) -> None:
    await mirrored_with_views(mirrored, "Worlds")
    mirrored.execute("ALTER VIEW notion.worlds RENAME COLUMN concept_premise TO premise")
    assert (await mirrored.one("typed views")).message == "the view notion.worlds is not as its databases are"
    mirrored.execute("ALTER VIEW notion.worlds RENAME COLUMN premise TO concept_premise")
    mirrored.execute("ALTER VIEW notion.worlds RESET (security_invoker)")
    assert (await mirrored.one("typed views")).message == "the view notion.worlds shows rows by its owner's rights"
    await mirrored.type((await mirrored.one("typed views")).fix)
    assert (await mirrored.one("typed views")).verdict is Verdict.OK


async def test_something_else_with_a_views_name_is_told(mirrored: Mirrored) -> None:
    mirrored.execute("CREATE TABLE notion.worlds (mine text)")
    await mirrored_with_views(mirrored, "Worlds")
    finding = await mirrored.one("typed views")
    assert finding.verdict is Verdict.WARNING
    assert "notion.worlds is not a view of notion-pg-sync; it is left alone" in finding.message
    await mirrored.type(finding.fix)
    finding = await mirrored.one("typed views")
    assert finding.message == "the view notion.worlds is missing"
    await mirrored.type(finding.fix)
    assert (await mirrored.one("typed views")).verdict is Verdict.OK
    assert mirrored.execute("SELECT mine FROM notion.worlds_2") == []


@pytest.mark.parametrize("becomes", ["rich_text", "date", "checkbox", "multi_select"])
async def test_a_property_of_another_type_is_told_until_its_column_is_given_that(
    mirrored: Mirrored, becomes: str
) -> None:
    await mirrored_with_views(mirrored, "Chat Sessions")
    workspace = mirrored.installation.workspace
    kinds = {
        "rich_text": (literals.rich_text(), "12 or so", "text"),
        "date": (literals.date(), "2026-03-01T10:30:00.000+01:00", "date"),
        "checkbox": (literals.checkbox(), True, "boolean"),
        "multi_select": (literals.multi_select("a", "b"), ["a", "b"], "text[]"),
    }
    kind, value, type_ = kinds[becomes]
    workspace.retype_property("Chat Sessions", "Message Count", kind)
    for page in workspace.page_ids("Chat Sessions"):
        workspace.edit_page(page, {"Message Count": value})
    workspace.clock.advance(3600)
    # Also after syncs that do not read these rows.
    for _ in range(2):
        await mirrored.installation.sync_all()
        workspace.clock.advance(3600)
    (finding,) = await mirrored.found("typed views")
    assert finding.verdict is Verdict.WARNING
    assert finding.message == (
        "anna/Chat Sessions: notion.chat_sessions.message_count was numeric and is shown as text, since its property "
        f"is of type {becomes} in Notion now"
    )
    await mirrored.type(finding.fix)
    (finding,) = await mirrored.found("typed views")
    await mirrored.type(finding.fix)
    assert (await mirrored.one("typed views")).verdict is Verdict.OK
    ((shown, as_type),) = mirrored.execute(
        "SELECT count(message_count), min(pg_typeof(message_count)::text) FROM notion.chat_sessions"
    )
    assert (shown, as_type) == (250, type_)


async def test_a_view_that_nobody_is_behind_any_more(mirrored: Mirrored) -> None:
    await mirrored_with_views(mirrored, "Worlds")
    mirrored.execute("UPDATE notion_sync.accounts SET views = false")
    findings = await mirrored.found("typed views")
    assert [finding.message for finding in findings] == [
        "the view notion.worlds shows nobody's rows any more",
        "the view notion.worlds__characters shows nobody's rows any more",
    ]
    await mirrored.type(findings[0].fix)
    assert (await mirrored.one("typed views")).message == "no user wants typed views"
