"""Properties that an owner excludes are never copied, and what was copied of them before goes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, relation, rich_text, rollup, select, title
from notion_workspace.model import DataSource

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.mirror.runs import DatabaseRun
from tests.installation import Installation, Row
from tests.mirror.freezing import PG_DUMP

pytestmark = pytest.mark.slow

STAFF = {
    "Name": title(),
    "Salary": number(),
    "Notes": rich_text(),
    "Grade": select("Ochre", "Teal"),
    "City": rich_text(),
}
PEOPLE: list[dict[str, Any]] = [
    {"Name": "Ada", "Salary": 9123456789, "Notes": "wants quince", "Grade": "Ochre", "City": "Turin"},
    {"Name": "Bo", "Salary": 8123456789, "Notes": "likes medlar", "Grade": "Teal", "City": "Lille"},
]
EXCLUDED = ["Salary", "Notes", "Grade"]
# Long, or a hash may hold their digits by chance.
SECRETS = ("9123456789", "8123456789", "quince", "medlar", "Ochre", "Teal")


class Staff:
    """A database of anna's; `exclude` is what she writes in notion_databases, None: a plain id."""

    def __init__(self, installation: Installation, small: SmallWorkspace) -> None:
        self.installation, self.workspace = installation, installation.workspace
        self.id = self.workspace.add_database("Staff", STAFF, PEOPLE).id
        self.workspace.share("anna", self.id)
        self.token = small.tokens["anna"]

    async def connect(self, exclude: Sequence[str] | None = None) -> None:
        await self.installation.connect("anna", self.token, {"Staff": self.entry(exclude)})
        await self.installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")

    def entry(self, exclude: Sequence[str] | None) -> object:
        return self.id if exclude is None else {"id": self.id, "exclude": exclude}

    async def write(self, exclude: Sequence[str] | None) -> None:
        await self.write_all({"Staff": self.entry(exclude)})

    async def write_all(self, databases: object) -> None:
        await self.installation.execute("UPDATE user_settings SET notion_databases = %s::jsonb", json.dumps(databases))

    async def sync(self, **settings: Any) -> DatabaseRun:
        self.workspace.clock.advance(3600)
        self.workspace.requests.clear()
        outcome = await self.installation.sync_all(**settings)
        return outcome.accounts[0].databases["Staff"]

    async def sync_all(self, **settings: Any) -> None:
        self.workspace.clock.advance(3600)
        outcome = await self.installation.sync_all(**settings)
        assert outcome.failures == []

    def source(self) -> DataSource:
        (found,) = [one for one in self.workspace.state.data_sources.values() if one.database_id == self.id]
        return found

    def dump_of_rows(self) -> list[str]:
        return sorted(line for line in self.dump().splitlines() if "notion_pages_sync" in line)

    async def rows(self) -> dict[str, Row]:
        found = await self.installation.execute("SELECT * FROM notion_pages_sync ORDER BY title")
        return {row["title"]: row for row in found}

    def dump(self) -> str:
        """All that the database holds, as `pg_dump` writes it."""
        command = [str(PG_DUMP), "--inserts", self.installation.settings.database_url or ""]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def asked(self, kind: str = "query") -> list[list[str]]:
        """What `filter_properties` each request of a kind had."""
        requests = [one for one in self.workspace.requests.all() if one.kind == kind]
        return [parse_qs(urlsplit(one.path).query).get("filter_properties", []) for one in requests]

    def secrets(self, *values: str) -> list[str]:
        """Which values are anywhere in the database."""
        dumped = self.dump()
        return [value for value in values or SECRETS if value in dumped]

    async def columns(self) -> set[str]:
        found = await self.installation.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'notion.staff'::regclass AND attnum > 0"
        )
        return {row["attname"] for row in found}


@pytest.fixture
def staff(installation: Installation, small: SmallWorkspace) -> Staff:
    return Staff(installation, small)


async def test_what_is_excluded_is_neither_asked_for_nor_stored(staff: Staff) -> None:
    await staff.connect(EXCLUDED)
    run = await staff.sync(verify=True)
    assert (run.error_code, run.inserted) == (None, 2)
    rows = await staff.rows()
    assert rows["Ada"]["properties"].keys() == {"Name", "City"}
    assert rows["Ada"]["fields"] == {"name": "Ada", "city": "Turin"}
    assert rows["Ada"]["content"] is None
    assert await staff.columns() & {"salary", "notes", "grade"} == set()
    (city,) = (one["id"] for one in rows["Ada"]["properties"].values() if one["type"] == "rich_text")
    assert staff.asked() == [sorted([unquote(city), "title"])] * 2, "the sync's query, and that of --verify"
    assert staff.secrets() == []


async def test_without_an_exclusion_no_request_has_a_filter(staff: Staff) -> None:
    await staff.connect()
    await staff.sync(verify=True)
    assert staff.asked() == [[], []]


async def test_switched_on_it_is_purged_everywhere_in_the_same_run(staff: Staff) -> None:
    await staff.connect()
    trashed = {"Name": "Cy", "Salary": 7123456789, "Notes": "no sloe"}
    staff.workspace.trash_page(staff.workspace.add_page("Staff", trashed))
    gone = staff.workspace.add_page("Staff", {"Name": "Di", "Salary": 6123456789, "Notes": "grows bilberry"})
    await staff.sync()
    staff.workspace.trash_page(gone)
    await staff.sync(full=True)
    assert set(SECRETS) <= set(staff.secrets())
    await staff.write(EXCLUDED)
    run = await staff.sync()
    assert run.error_code is None
    assert "Grade, Notes, Salary are excluded now: removed from 2 rows and 1 removed page" in (run.message or "")
    assert staff.secrets() == []
    rows = await staff.rows()
    assert (rows["Ada"]["fields"], rows["Ada"]["content"]) == ({"name": "Ada", "city": "Turin"}, None)
    (removed,) = await staff.installation.execute("SELECT row FROM notion_sync.removed_pages")
    assert removed["row"]["properties"].keys() == {"Name", "City"}
    assert removed["row"]["content"] is None
    assert await staff.columns() & {"salary", "notes", "grade"} == set()
    (found,) = await staff.installation.execute("SELECT count(*) FROM notion_sync.search('turin', 'anna')")
    assert found["count"] == 1
    again = await staff.sync(verify=True, full=True)
    assert (again.updated, again.error_code) == (0, None)
    assert "excluded" not in (again.message or "")


@pytest.mark.parametrize("written", [None, ["City"], ["Salary"]])
async def test_once_seen_it_stays_whatever_notion_databases_says_later(
    staff: Staff, written: Sequence[str] | None
) -> None:
    await staff.connect(["Salary", "Notes"])
    await staff.sync()
    await staff.write(written)
    run = await staff.sync(full=True, verify=True)
    assert run.error_code is None
    assert (await staff.rows())["Ada"]["properties"].keys() & {"Salary", "Notes"} == set()


async def test_an_empty_list_lifts_it(staff: Staff) -> None:
    await staff.connect(["Salary", "Notes"])
    await staff.sync()
    await staff.write([])
    run = await staff.sync(verify=True)
    assert "Notes, Salary are no longer excluded" in (run.message or "")
    assert (await staff.rows())["Ada"]["fields"]["salary"] == 9123456789
    assert (await staff.rows())["Ada"]["content"] == "wants quince"
    assert await staff.columns() >= {"salary", "notes"}
    assert set(map(tuple, staff.asked())) == {()}


async def test_include_lifts_one_unless_notion_databases_says_it_still(staff: Staff) -> None:
    await staff.connect(["Salary", "Notes"])
    await staff.sync()
    with pytest.raises(UsageError, match="notion_databases itself excludes 'Salary'"):
        await staff.installation.sync_one("anna", "Staff", include=("Salary",))
    await staff.write(None)
    with pytest.raises(UsageError, match="'Salry' is not excluded: what is excluded is 'Notes', 'Salary'"):
        await staff.installation.sync_one("anna", "Staff", include=("Salry",))
    outcome = await staff.installation.sync_one("anna", "Staff", include=("salary",))
    assert "Salary is no longer excluded" in outcome.message()
    fields = (await staff.rows())["Ada"]["fields"]
    assert ("notes" in fields, fields["salary"]) == (False, 9123456789)


async def test_a_renamed_property_stays_excluded_and_so_is_a_new_one_of_the_name(staff: Staff) -> None:
    await staff.connect(["Salary"])
    await staff.sync()
    staff.workspace.rename_property("Staff", "Salary", "Pay")
    run = await staff.sync(verify=True)
    assert run.error_code is None
    staff.workspace.add_property("Staff", "Salary", number())
    staff.workspace.edit_page(staff.workspace.page_ids("Staff")[0], {"Salary": 4321})
    await staff.sync(verify=True)
    rows = await staff.rows()
    assert rows["Ada"]["properties"].keys() == {"Name", "Notes", "Grade", "City"}
    (kept,) = await staff.installation.execute("SELECT properties FROM notion_sync.exclusions")
    assert sorted(kept["properties"].values()) == ["Pay", "Salary"]
    await staff.write(None)
    with pytest.raises(UsageError, match="'Pay' is excluded as 'Salary', which also excludes 'Salary'"):
        await staff.installation.sync_one("anna", "Staff", include=("Pay",))


async def test_a_property_that_takes_an_excluded_name_is_purged(staff: Staff) -> None:
    await staff.connect(["Salary"])
    await staff.sync()
    staff.workspace.rename_property("Staff", "Salary", "Pay")
    staff.workspace.rename_property("Staff", "City", "Salary")
    run = await staff.sync()
    assert "City is excluded now: removed from 2 rows" in (run.message or "")
    assert staff.secrets("Turin", "Lille") == []


async def test_what_matches_nothing_fails_the_database_before_its_rows_are_asked_for(staff: Staff) -> None:
    other = staff.workspace.add_database("Other", {"Name": title()}, [{"Name": "one"}])
    staff.workspace.share("anna", other.id)
    await staff.connect(["Salry"])
    await staff.installation.execute(
        "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object('Other', %s::text)",
        other.id,
    )
    run = await staff.sync()
    assert run.error_code == "unfit_exclusion"
    assert "'Salry' is to be excluded and is no property of the database" in (run.message or "")
    assert "did you mean 'Salary'?" in (run.message or "")
    assert (
        await staff.installation.execute("SELECT 1 FROM notion_sync.data_sources WHERE database_name = 'Staff'") == []
    )
    assert {row["title"] for row in (await staff.rows()).values()} == {"one"}
    await staff.write(None)
    assert (await staff.sync()).error_code == "unfit_exclusion", "what was meant is not known, so nothing is read"
    await staff.write(["Salary"])
    assert (await staff.sync()).error_code is None
    kept = await staff.installation.execute("SELECT entry FROM notion_sync.exclusions")
    assert [row["entry"] for row in kept] == ["Salary"]


@pytest.mark.parametrize("entry", ["Name", "title"])
async def test_the_title_cannot_be_excluded(staff: Staff, entry: str) -> None:
    await staff.connect([entry])
    run = await staff.sync()
    assert run.error_code == "unfit_exclusion"
    assert "means the title 'Name', which cannot be excluded" in (run.message or "")
    assert await staff.rows() == {}


@pytest.mark.parametrize("spelling", [str, unquote])
async def test_an_id_excludes_in_either_spelling(staff: Staff, spelling: Callable[[str], str]) -> None:
    (salary,) = [prop for prop in staff.source().properties.values() if prop.name == "Salary"]
    await staff.connect([spelling(salary.encoded_id)])
    assert (await staff.sync(verify=True)).error_code is None
    assert (await staff.rows())["Ada"]["properties"].keys() == {"Name", "Notes", "Grade", "City"}


async def test_capitals_and_blanks_of_a_name_do_not_count(staff: Staff) -> None:
    await staff.connect([" SALARY "])
    assert (await staff.sync()).error_code is None
    assert (await staff.rows())["Ada"]["properties"].keys() == {"Name", "Notes", "Grade", "City"}


async def test_an_address_that_would_be_too_long_has_no_filter_and_values_are_dropped(staff: Staff) -> None:
    for number_ in range(120):
        staff.workspace.add_property("Staff", f"Extra {number_}", number())
    await staff.connect(EXCLUDED)
    assert (await staff.sync(verify=True)).error_code is None
    assert staff.asked() == [[], []]
    assert (await staff.rows())["Ada"]["properties"].keys() & set(EXCLUDED) == set()
    assert staff.secrets() == []


async def test_a_property_that_goes_before_the_query_costs_the_filter_and_nothing_else(staff: Staff) -> None:
    await staff.connect(EXCLUDED)

    def remove(request: Any) -> None:
        if "query" in request.path and "City" in {prop.name for prop in staff.source().properties.values()}:
            staff.workspace.remove_property("Staff", "City")

    staff.workspace.on_request(remove)
    assert (await staff.sync()).error_code is None
    assert staff.asked()[-1] == []
    assert (await staff.rows())["Ada"]["properties"].keys() == {"Name"}
    assert staff.secrets() == []


async def test_it_counts_beside_everything_by_the_id_of_the_database(staff: Staff, small: SmallWorkspace) -> None:
    await staff.installation.connect("anna", staff.token, {"*": "*"})
    await staff.sync_all()
    await staff.installation.execute(
        "UPDATE user_settings SET notion_databases = %s::jsonb", json.dumps({"*": "*", "Staff": staff.entry(EXCLUDED)})
    )
    await staff.sync_all()
    assert staff.secrets() == []
    await staff.installation.execute("""UPDATE user_settings SET notion_databases = '{"*": "*"}'""")
    await staff.sync_all(full=True)
    assert staff.secrets() == []


async def test_of_two_data_sources_an_entry_must_be_in_one(staff: Staff) -> None:
    second = {"Name": title(), "Salary": number(), "Rank": rich_text()}
    eve = {"Name": "Eve", "Salary": 5123456789, "Rank": "sorrel"}
    staff.workspace.add_data_source(staff.id, "Former", second, [eve])
    await staff.connect(["Rank", "Salary"])
    assert (await staff.sync(verify=True)).error_code is None
    rows = await staff.rows()
    assert rows["Ada"]["properties"].keys() == {"Name", "Notes", "Grade", "City"}
    assert rows["Eve"]["properties"].keys() == {"Name"}
    assert staff.secrets("5123456789", "sorrel", "9123456789") == []


async def test_a_dry_run_says_what_it_would_purge_and_changes_nothing(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    await staff.write(["Salary"])
    before = staff.dump_of_rows()
    run = await staff.sync(dry_run=True)
    assert "Salary is excluded now: a real run would remove what 2 rows hold of it" in (run.message or "")
    assert staff.dump_of_rows() == before
    assert await staff.installation.execute("SELECT 1 FROM notion_sync.exclusions") == []
    await staff.write(["Salry"])
    assert (await staff.sync(dry_run=True)).error_code == "unfit_exclusion"


async def test_each_user_excludes_for_themselves(staff: Staff, small: SmallWorkspace) -> None:
    staff.workspace.share("ben", staff.id)
    await staff.connect(["Salary"])
    await staff.installation.connect("ben", small.tokens["ben"], {"Staff": staff.entry(["Notes"])})
    await staff.sync_all()
    found = await staff.installation.execute("SELECT user_id, properties FROM notion_pages_sync WHERE title = 'Ada'")
    kept = {row["user_id"]: row["properties"].keys() & {"Salary", "Notes"} for row in found}
    assert kept == {"anna": {"Notes"}, "ben": {"Salary"}}


async def test_forgetting_forgets_what_is_excluded(staff: Staff) -> None:
    await staff.connect(["Salary"])
    await staff.sync()
    await staff.installation.execute("DELETE FROM user_settings")
    await staff.installation.execute("SELECT * FROM notion_sync.forget('anna')")
    assert await staff.installation.execute("SELECT 1 FROM notion_sync.exclusions") == []


async def test_rows_that_the_application_wrote_before_are_purged_too(staff: Staff) -> None:
    await staff.connect(["Salary"])
    await staff.installation.execute(
        "INSERT INTO notion_pages_sync (user_id, notion_page_id, notion_database_id, database_name, properties)"
        " VALUES ('anna', %s, %s, 'Staff', %s::jsonb)",
        "12345678-90ab-4cde-8f01-234567890abc",
        staff.id,
        json.dumps({"Salary": {"number": 9123456789}, "City": {}}),
    )
    assert (await staff.sync()).error_code is None
    assert staff.secrets("9123456789") == []


async def test_a_trigger_that_keeps_the_values_stops_the_database(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    await staff.installation.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.properties := OLD.properties; RETURN NEW; END';"
        "CREATE TRIGGER keeper BEFORE UPDATE ON notion_pages_sync FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    await staff.write(["Salary"])
    run = await staff.sync()
    assert run.error_code == "rows_blocked"
    assert "2 rows of public.notion_pages_sync still hold what is excluded, since the trigger keeper" in (
        run.message or ""
    )
    assert staff.asked() == []
    await staff.installation.execute("DROP TRIGGER keeper ON notion_pages_sync")
    assert (await staff.sync()).error_code is None
    assert staff.secrets("9123456789") == []


async def test_a_view_that_somebody_depends_on_keeps_an_empty_column(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    await staff.installation.execute("CREATE VIEW public.mine AS SELECT name, salary, grade FROM notion.staff")
    await staff.write(EXCLUDED)
    run = await staff.sync()
    assert "mine depends on the view notion.staff" in (run.message or "")
    assert await staff.installation.execute("SELECT salary, grade FROM mine LIMIT 1") == [
        {"salary": None, "grade": None}
    ]
    assert staff.secrets() == []


async def test_pages_read_alone_are_asked_for_without_what_is_excluded(staff: Staff) -> None:
    for number_ in range(150):
        staff.workspace.add_page("Staff", {"Name": f"Page {number_}", "Salary": number_})
    await staff.connect(EXCLUDED)
    await staff.sync()
    page = staff.workspace.page_ids("Staff")[0]
    moved = staff.workspace.page_ids("Staff")[1]
    elsewhere = staff.workspace.add_database("Elsewhere", {"Title": title()}, [])
    staff.workspace.share("anna", elsewhere.id)
    staff.workspace.move_page(moved, elsewhere.data_source_id)
    staff.workspace.trash_page(page)
    run = await staff.sync(full=True)
    assert (run.error_code, run.removed) == (None, 2)
    asked = staff.asked("page")
    assert all("title" in one for one in asked if one)
    assert sum(bool(one) for one in asked) == 2, "and the one that has other properties now once more without"


async def test_it_is_purged_where_notion_cannot_be_read(staff: Staff) -> None:
    await staff.connect()
    await staff.sync()
    staff.workspace.trash_database("Staff")
    await staff.write(EXCLUDED)
    run = await staff.sync()
    assert run.error_code == "in_trash"
    assert "Grade, Notes, Salary are excluded now: removed from 2 rows" in (run.message or "")
    assert staff.secrets() == []


async def test_it_is_purged_of_a_data_source_that_the_database_has_no_longer(staff: Staff) -> None:
    former = staff.workspace.add_data_source(
        staff.id,
        "Former",
        {"Name": title(), "Salary": number()},
        [{"Name": f"Row {row}", "Salary": 5123456789} for row in range(30)],
    )
    await staff.connect()
    await staff.sync()
    staff.workspace.remove_data_source(former)
    await staff.write(["Salary"])
    run = await staff.sync()
    assert run.error_code == "removal_held_back"
    assert staff.secrets("5123456789", "9123456789") == []


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_a_long_rollup_over_it_is_not_looked_up_by_its_values(staff: Staff, *, is_elsewhere: bool) -> None:
    """Whose part of a rollup is whose is found out by queries that name the parts (`notion.rollup_parts`)."""
    workspace = staff.workspace
    names = [f"Page {number_}" for number_ in range(30)]
    for name in names:
        workspace.add_page("Staff", {"Name": name, "Notes": ["likes ", "quince"]})
    source, other = "Staff", staff.id
    if is_elsewhere:
        source, other = "Other", workspace.add_database("Other", {"Name": title()}, []).id
        workspace.share("anna", other)
    workspace.add_property(source, "Knows", relation("Staff"))
    workspace.add_property(source, "Heard", rollup("Knows", "Notes", "show_original"))
    await staff.connect(["Notes"])
    await staff.sync()
    workspace.add_page(source, {"Name": "Everybody", "Knows": names})
    if is_elsewhere:
        await staff.installation.execute(
            "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object('Other', %s::text)",
            other,
        )
    workspace.requests.clear()
    await staff.sync_all(full=True)
    asked = [one.body for one in workspace.requests.all() if one.kind == "query"]
    assert len(asked) >= 1
    assert "quince" not in json.dumps(asked)
    assert (await staff.rows())["Everybody"]["properties"]["Heard"]["rollup"]["type"] == "incomplete"
