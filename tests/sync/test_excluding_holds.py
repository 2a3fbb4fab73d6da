"""What is excluded stays out, whatever goes wrong and whatever is written in the meantime."""

from __future__ import annotations

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, title

from tests.installation import Installation
from tests.sync.test_excluding import EXCLUDED, SECRETS, Staff

pytestmark = pytest.mark.slow


@pytest.fixture
def staff(installation: Installation, small: SmallWorkspace) -> Staff:
    return Staff(installation, small)


async def test_verify_reads_a_page_alone_without_what_is_excluded(staff: Staff) -> None:
    await staff.connect(EXCLUDED)
    await staff.sync()
    await staff.installation.execute(
        "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.url := ''x''; RETURN NEW; END';"
        "CREATE TRIGGER marker BEFORE INSERT OR UPDATE ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION mark()"
    )
    await staff.installation.execute("UPDATE notion_pages_sync SET title = 'x'")
    staff.workspace.clock.advance(3600)
    staff.workspace.requests.clear()
    outcome = await staff.installation.sync_all(verify=True, full=True)
    said = str(outcome.accounts[0].verified["Staff"].differences)
    assert "url" in said
    assert [one for one in SECRETS if one in said] == []
    assert len(staff.asked("page")) == 2
    assert all("title" in one for one in staff.asked("page"))


async def test_what_a_mistaken_list_excluded_stays_when_it_is_corrected(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    await staff.write(["Salary", "Nots"])
    run = await staff.sync()
    assert run.error_code == "unfit_exclusion"
    assert "Salary is excluded now" in (run.message or "")
    await staff.write(["Notes"])
    assert (await staff.sync(verify=True)).error_code is None
    assert staff.secrets("9123456789", "quince") == []
    kept = await staff.installation.execute("SELECT entry FROM notion_sync.exclusions ORDER BY entry")
    assert [row["entry"] for row in kept] == ["Notes", "Salary"]


@pytest.mark.parametrize("was_synced", [True, False])
async def test_what_was_excluded_while_notion_could_not_be_read_stays(staff: Staff, *, was_synced: bool) -> None:
    await staff.connect(None if was_synced else ["Salary", "Notes"])
    if was_synced:
        await staff.sync()
        await staff.write(["Salary", "Notes"])
    staff.workspace.trash_database("Staff")
    assert (await staff.sync()).error_code == "in_trash"
    staff.workspace.restore_database("Staff")
    await staff.write(["Notes"])
    assert (await staff.sync(verify=True)).error_code is None
    assert staff.secrets("9123456789", "quince") == []


async def test_a_title_that_was_to_be_excluded_is_corrected_too(staff: Staff) -> None:
    await staff.connect(["Name"])
    assert (await staff.sync()).error_code == "unfit_exclusion"
    await staff.write(["Salary"])
    assert (await staff.sync(verify=True)).error_code is None
    assert staff.secrets("9123456789") == []


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_an_empty_list_lifts_nothing_while_another_entry_for_the_database_excludes(
    staff: Staff, concurrency: int
) -> None:
    await staff.connect(EXCLUDED)
    await staff.sync()
    await staff.write_all({"Staff": staff.entry(EXCLUDED), "Staff too": {"id": staff.source().id, "exclude": []}})
    for _ in range(2):
        await staff.sync_all(concurrency=concurrency)
    await staff.installation.sync_one("anna", "Staff too", full=True)
    assert staff.secrets() == []
    await staff.write_all({"Staff": staff.id, "Staff too": {"id": staff.source().id, "exclude": []}})
    await staff.sync_all(full=True)
    assert "9123456789" in staff.secrets()


async def test_it_counts_by_the_id_of_the_data_source_where_the_database_is_synced(staff: Staff) -> None:
    await staff.installation.connect("anna", staff.token, {"*": "*"})
    await staff.sync_all()
    await staff.write_all({"*": "*", "Staff": {"id": staff.source().id, "exclude": EXCLUDED}})
    staff.workspace.clock.advance(3600)
    staff.workspace.add_page("Staff", {"Name": "New", "Salary": 7171717171})
    outcome = await staff.installation.sync_one("anna", staff.id)
    assert outcome.failures == []
    assert staff.secrets("7171717171", "9123456789") == []


async def test_an_entry_by_the_data_source_that_cannot_be_understood_stops_the_database(staff: Staff) -> None:
    await staff.connect()
    await staff.write_all({"Staff": staff.id, "Staff too": {"id": staff.source().id, "exclude": "Salary"}})
    run = await staff.sync()
    assert run.error_code == "unfit_exclusion"
    assert f"another entry for this database, with the id {staff.source().id}" in (run.message or "")
    assert staff.secrets("9123456789") == []


async def test_a_run_of_one_database_records_what_is_excluded_of_the_others(staff: Staff) -> None:
    other = staff.workspace.add_database("Other", {"Name": title()}, [{"Name": "one"}])
    staff.workspace.share("anna", other.id)
    await staff.connect()
    await staff.write_all({"Staff": staff.id, "Other": other.id})
    await staff.sync_all()
    await staff.write_all({"Staff": staff.entry(["Salary"]), "Other": other.id})
    await staff.installation.sync_one("anna", "Other")
    await staff.write_all({"Staff": staff.id, "Other": other.id})
    await staff.sync_all()
    assert staff.secrets("9123456789") == []


async def test_removed_pages_of_a_data_source_that_is_gone_are_purged_though_no_other_has_the_property(
    staff: Staff,
) -> None:
    first = staff.source().id
    staff.workspace.add_data_source(staff.id, "Second", {"Name": title(), "Rank": number()}, [{"Name": "E"}])
    await staff.connect()
    await staff.sync()
    staff.workspace.remove_data_source(first)
    await staff.sync(full=True)
    assert "9123456789" in staff.secrets()
    await staff.write(["Salary"])
    run = await staff.sync()
    assert "Salary is excluded now: removed from 0 rows and 2 removed pages" in (run.message or "")
    assert staff.secrets("9123456789") == []


async def test_removed_pages_of_a_table_that_is_gone_are_purged_with_their_text(staff: Staff) -> None:
    await staff.installation.execute("CREATE TABLE notion_staff_sync (LIKE notion_pages_sync INCLUDING ALL)")
    await staff.connect()
    await staff.installation.init()
    gone = staff.workspace.add_page("Staff", {"Name": "Di", "Salary": 6123456789, "Notes": "grows bilberry"})
    await staff.sync()
    staff.workspace.trash_page(gone)
    await staff.sync(full=True)
    await staff.installation.execute("DROP TABLE notion_staff_sync CASCADE")
    await staff.sync(full=True)
    assert "bilberry" in staff.dump()
    await staff.write(EXCLUDED)
    assert (await staff.sync()).error_code is None
    assert staff.secrets("bilberry", "6123456789") == []


async def test_a_trigger_that_keeps_the_text_stops_the_database(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    await staff.installation.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.content := coalesce(NEW.content, OLD.content); RETURN NEW; END';"
        "CREATE TRIGGER keeper BEFORE UPDATE ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    await staff.write(EXCLUDED)
    run = await staff.sync()
    assert run.error_code == "rows_blocked"
    assert "2 rows of public.notion_pages_sync still hold what is excluded, since the trigger keeper" in (
        run.message or ""
    )
    await staff.installation.execute("DROP TRIGGER keeper ON notion_pages_sync")
    assert (await staff.sync()).error_code is None
    assert staff.secrets() == []


async def test_a_data_source_that_was_forgotten_comes_back_in_another_database_without_what_is_excluded(
    staff: Staff,
) -> None:
    source = staff.source()
    other = staff.workspace.add_database("Target", {"Name": title()}, [{"Name": "one"}])
    staff.workspace.add_data_source(staff.id, "Second", {"Name": title(), "Rank": number()}, [{"Name": "Eve"}])
    await staff.connect(EXCLUDED)
    await staff.write_all({"Staff": staff.entry(EXCLUDED), "Target": other.id})
    await staff.sync()
    databases = staff.workspace.state.databases
    databases[staff.id].data_source_ids.remove(source.id)
    databases[other.id].data_source_ids.append(source.id)
    source.database_id = other.id
    assert (await staff.sync(full=True)).removed == 2
    forgotten = "SELECT 1 FROM notion_sync.data_sources WHERE data_source_id = %s"
    assert await staff.installation.execute(forgotten, source.id) == []
    staff.workspace.share("anna", other.id)
    await staff.sync_all(verify=True)
    rows = await staff.rows()
    assert rows["Ada"]["properties"].keys() == {"Name", "City"}
    assert staff.secrets() == []
    await staff.write_all({"Staff": staff.entry(EXCLUDED), "Target": {"id": other.id, "exclude": []}})
    for _ in range(2):
        outcome = await staff.installation.sync_all()
    assert "no longer excluded" not in outcome.message(), "said once"
    assert "9123456789" in staff.secrets()


async def test_what_earlier_runs_quoted_of_it_is_taken_back(staff: Staff) -> None:
    await staff.connect()
    await staff.installation.execute("INSERT INTO notion_sync.sync_requests (user_id) VALUES ('anna')")
    quoted = "(properties -> 'Notes' -> 'rich_text' -> 0 ->> 'plain_text')::integer"
    await staff.installation.execute(
        f"ALTER TABLE notion_pages_sync ADD COLUMN number integer GENERATED ALWAYS AS ({quoted}) STORED"
    )
    run = await staff.sync()
    assert run.error_code == "22P02"
    assert set(staff.secrets("quince", "medlar"))
    await staff.write(EXCLUDED)
    staff.workspace.trash_database("Staff")
    await staff.sync()
    assert staff.secrets() == []
    (said,) = await staff.installation.execute("SELECT message FROM notion_sync.database_runs ORDER BY runid LIMIT 1")
    assert said["message"] == "what was said here may have quoted values that are excluded since."


async def test_what_search_read_of_a_row_that_somebody_deleted_is_purged(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    await staff.installation.execute("DELETE FROM notion_pages_sync WHERE title = 'Ada'")
    staff.workspace.trash_database("Staff")
    await staff.write(EXCLUDED)
    run = await staff.sync()
    assert "excluded now: removed from 1 row" in (run.message or "")
    assert staff.secrets() == []
    (found,) = await staff.installation.execute("SELECT count(*) FROM notion_sync.search('lille', 'anna')")
    assert found["count"] == 1
