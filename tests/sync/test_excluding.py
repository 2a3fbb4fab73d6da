"""Properties that an owner excludes are never copied, and what was copied of them before goes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import number, rich_text, select, title

from notion_pg_sync.mirror.runs import DatabaseRun
from tests.installation import Installation, Row
from tests.mirror.freezing import PG_DUMP

STAFF = {"Name": title(), "Salary": number(), "Notes": rich_text(), "Grade": select("Ochre", "Teal"), "City": rich_text()}
PEOPLE: list[dict[str, Any]] = [
    {"Name": "Ada", "Salary": 91234, "Notes": "wants quince", "Grade": "Ochre", "City": "Turin"},
    {"Name": "Bo", "Salary": 81234, "Notes": "likes medlar", "Grade": "Teal", "City": "Lille"},
]
SECRETS = ("91234", "81234", "quince", "medlar", "Ochre", "Teal")


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
        await self.installation.execute(
            "UPDATE user_settings SET notion_databases = jsonb_build_object('Staff', %s::jsonb)", json.dumps(self.entry(exclude))
        )

    async def sync(self, **settings: Any) -> DatabaseRun:
        self.workspace.clock.advance(3600)
        self.workspace.requests.clear()
        outcome = await self.installation.sync_all(**settings)
        return outcome.accounts[0].databases["Staff"]

    async def rows(self) -> dict[str, Row]:
        found = await self.installation.execute("SELECT * FROM notion_pages_sync ORDER BY title")
        return {row["title"]: row for row in found}

    def dump(self) -> str:
        """All that the database holds, as `pg_dump` writes it."""
        command = [str(PG_DUMP), "--inserts", self.installation.settings.database_url or ""]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def asked(self, kind: str = "query") -> list[list[str]]:
        """What `filter_properties` each request of a kind had."""
        return [
            [value for key, value in one.query if key == "filter_properties"]
            for one in self.workspace.requests
            if one.endpoint == kind
        ]

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
    staff.workspace.trash_page(staff.workspace.add_page("Staff", {"Name": "Cy", "Salary": 71234, "Notes": "no sloe"}))
    gone = staff.workspace.add_page("Staff", {"Name": "Di", "Salary": 61234, "Notes": "grows bilberry"})
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
    assert (await staff.rows())["Ada"]["fields"]["salary"] == 91234
    assert (await staff.rows())["Ada"]["content"] == "wants quince"
    assert await staff.columns() >= {"salary", "notes"}
    assert staff.asked() == [[], []]


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
    assert ("notes" in fields, fields["salary"]) == (False, 91234)


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
        "UPDATE user_settings SET notion_databases = notion_databases || jsonb_build_object('Other', %s::text)", other.id
    )
    run = await staff.sync()
    assert run.error_code == "unfit_exclusion"
    assert "'Salry' is to be excluded and is no property of the database" in (run.message or "")
    assert "did you mean 'Salary'?" in (run.message or "")
    assert await staff.installation.execute("SELECT 1 FROM notion_sync.data_sources WHERE database_name = 'Staff'") == []
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
    staff.workspace.add_property("Staff", "Bonus", number())
    source = staff.workspace.source("Staff")
    await staff.connect([spelling(source.properties[next(iter(source.properties))].encoded_id)])
