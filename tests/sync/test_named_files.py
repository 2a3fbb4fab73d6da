"""Which files pages name is recorded with their rows, and where they are is learned, at no request and no read more."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import files, number, title
from notion_workspace.model import File

from notion_pg_sync.sync.files import naming
from notion_pg_sync.sync.files.addresses import Addresses
from tests.installation import Installation
from tests.mirror.freezing import PG_DUMP
from tests.sync.asking import Asking

pytestmark = pytest.mark.slow

# No file is fetched in so short a time.
KEEPING: dict[str, Any] = {"files_for": timedelta(microseconds=1)}
NAMES = ("Shelf", "Attic")
PROPERTIES = {"Name": title(), "N": number(), "Plans": files(), "More": files()}
COUNT = 5


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The addresses that runs learn, by path."""
    found: dict[str, str] = {}
    real = Addresses.learn

    def spied(self: Addresses, user_id: str, path: str, url: str, expires_at: datetime | None) -> None:
        real(self, user_id, path, url, expires_at)
        found[path] = url

    monkeypatch.setattr(Addresses, "learn", spied)
    yield found


def book(place: int) -> dict[str, Any]:
    return {
        "Name": f"Book {place}",
        "N": place,
        "Plans": [File("web", "https://x.example/b.png", external=True), File(f"Plan {place}", f"plan {place}.png")],
        "More": [File("shared", "shared.pdf")],
    }


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a place of its own."""
    monkeypatch.setitem(KEEPING, "files", str(tmp_path))


@pytest.fixture
async def shelf(installation: Installation, small: SmallWorkspace) -> Installation:
    """Anna's: a database of pages with files of their own, and one that they share; and one without pages."""
    workspace = installation.workspace
    ids = {
        "Shelf": workspace.add_database("Shelf", PROPERTIES, [book(place) for place in range(COUNT)]).id,
        "Attic": workspace.add_database("Attic", PROPERTIES, []).id,
    }
    for database_id in ids.values():
        workspace.share("anna", database_id)
    await installation.connect("anna", small.tokens["anna"], ids)
    workspace.clock.advance(3600)
    return installation


async def sync(shelf: Installation, **settings: Any) -> int:
    """The requests that a sync made."""
    await shelf.let_an_hour_go_by()
    outcome = await shelf.sync_all(None, **settings)
    assert outcome.failures == []
    return sum(run.requests for run in outcome.accounts[0].databases.values())


async def named(shelf: Installation, page: str | None = None) -> set[tuple[str, str, int, str, str]]:
    found = await shelf.execute(
        "SELECT place, property, position, name, path FROM notion_sync.page_files"
        " WHERE page_id = coalesce(%s::uuid, page_id)",
        page,
    )
    return {(one["place"], one["property"], one["position"], one["name"], one["path"]) for one in found}


async def paths(shelf: Installation, condition: str = "true") -> set[str]:
    found = await shelf.execute(f"SELECT path FROM notion_sync.files WHERE {condition}")
    return {one["path"].rpartition("/")[2] for one in found}


async def says(shelf: Installation, name: str, **options: object) -> None:
    (row,) = await shelf.execute("SELECT notion_databases FROM user_settings")
    entry = row["notion_databases"][name]
    written = {"id": entry["id"] if isinstance(entry, dict) else entry, **options}
    await shelf.execute(
        "UPDATE user_settings SET notion_databases = %s", json.dumps({**row["notion_databases"], name: written})
    )


def pages(shelf: Installation, name: str = "Shelf") -> list[str]:
    return sorted(shelf.workspace.page_ids(name))


def dumped(shelf: Installation) -> bytes:
    return subprocess.run([str(PG_DUMP), shelf.settings.database_url or ""], capture_output=True, check=True).stdout


async def test_files_are_recorded_by_place_with_where_they_are(shelf: Installation, learned: dict[str, str]) -> None:
    page = pages(shelf)[0]
    shelf.workspace.set_pictures(page, File("icon.png", "icons/icon.png"), File("cover.png", "covers/my cover.png"))
    (truth,) = [one["properties"] for one in [shelf.workspace.complete_page(page)]]
    bare = truth["Plans"]["files"][1]["file"]["url"]
    folder = urlsplit(bare).path.rpartition("/")[0]
    await sync(shelf, **KEEPING)
    place = truth["N"]["number"]
    assert await named(shelf, page) == {
        ("property", "plans", 2, f"Plan {place}", f"{folder}/plan%20{place}.png"),
        ("property", "more", 1, "shared", f"{folder}/shared.pdf"),
        ("cover", "", 1, "my cover.png", f"{folder}/covers/my%20cover.png"),
        ("icon", "", 1, "icon.png", f"{folder}/icons/icon.png"),
    }
    assert len(await named(shelf)) == 2 + COUNT + 1
    assert learned.keys() == {one["path"] for one in await shelf.execute("SELECT path FROM notion_sync.files")}
    assert {url.partition("?")[0].endswith(path) for path, url in learned.items()} == {True}
    assert all("X-Amz-Signature=" in url for url in learned.values())
    # The column's array has the file at this position.
    (row,) = await shelf.execute("SELECT fields FROM notion_pages_sync WHERE notion_page_id::text = %s", page)
    assert row["fields"]["plans"][1] == bare


async def test_no_signature_is_kept_in_postgresql(shelf: Installation) -> None:
    shelf.workspace.set_body(pages(shelf)[0], [{"type": "image", "stored_file": File("a", "a.png")}])
    await sync(shelf, **KEEPING, bodies=True)
    dump = dumped(shelf)
    assert b"a.png" in dump
    assert b"X-Amz" not in dump


async def test_pages_as_they_were_are_left_unread_and_nothing_is_learned(
    shelf: Installation, parsed: list[str], learned: dict[str, str]
) -> None:
    await sync(shelf, **KEEPING)
    before = await named(shelf)
    parsed.clear()
    learned.clear()
    await sync(shelf, **KEEPING, full=True)
    assert (parsed, learned) == ([], {})
    assert await named(shelf) == before
    # What is kept is not to be fetched, though its page is read again.
    await shelf.execute("UPDATE notion_sync.files SET fetched_at = now() WHERE path ~ 'shared'")
    shelf.workspace.edit_page(pages(shelf)[0], {"N": 99})
    await sync(shelf, **KEEPING)
    (to_fetch,) = learned
    assert to_fetch in {path for *_, path in await named(shelf, pages(shelf)[0])}
    assert "shared" not in to_fetch


async def test_where_files_are_off_nothing_is_done_about_them(
    shelf: Installation, learned: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> set[str]:
        raise AssertionError("no statement is to be sent")

    with monkeypatch.context() as patched:
        patched.setattr(naming, "record_page_files", fail)
        await sync(shelf, bodies=True)
        await says(shelf, "Shelf", files=False)
        await says(shelf, "Attic", files=False)
        await sync(shelf, **KEEPING, full=True, bodies=True, full_bodies=True)
    assert learned == {}
    assert await paths(shelf) == set()
    recorded = await shelf.execute("SELECT DISTINCT files FROM notion_sync.databases")
    assert recorded == [{"files": False}]


async def test_switched_on_later_names_come_with_the_next_full_read_at_no_request_more(
    shelf: Installation, parsed: list[str], learned: dict[str, str]
) -> None:
    await sync(shelf)
    requests = await sync(shelf, full=True)
    rows = "SELECT notion_page_id, xmin::text FROM notion_pages_sync ORDER BY 1"
    written = await shelf.execute(rows)
    parsed.clear()
    assert await sync(shelf, **KEEPING, full=True) == requests
    assert len(parsed) == COUNT
    assert len(learned) == COUNT + 1
    assert len(await named(shelf)) == COUNT + 1
    # The rows themselves are as they were.
    assert await shelf.execute(rows) == written


async def test_what_an_edit_changes_is_followed(shelf: Installation, learned: dict[str, str]) -> None:
    await sync(shelf, **KEEPING)
    learned.clear()
    page = pages(shelf)[0]
    shelf.workspace.edit_page(page, {"Plans": [File("New", "new.png")], "More": []})
    await sync(shelf, **KEEPING)
    assert {(place, position, name) for place, _, position, name, _ in await named(shelf, page)} == {
        ("property", 1, "New")
    }
    assert {path.rpartition("/")[2] for path in learned} == {"new.png"}
    # The plan that only it had is unused from now on; what others have is not.
    (gone,) = await paths(shelf, "unused_since IS NOT NULL")
    assert gone.startswith("plan%20")


async def test_files_of_pages_that_left_are_unused_unless_another_has_them(shelf: Installation) -> None:
    await sync(shelf, **KEEPING)
    gone, *others = pages(shelf)
    shelf.workspace.trash_page(gone)
    await sync(shelf, **KEEPING, full=True)
    assert await named(shelf, gone) == set()
    assert len(await paths(shelf, "unused_since IS NOT NULL")) == 1
    for page in others:
        shelf.workspace.trash_page(page)
    await sync(shelf, **KEEPING, full=True, allow_removal=True)
    assert await paths(shelf, "unused_since IS NULL") == set()
    assert len(await paths(shelf)) == COUNT + 1
    # One that comes back has what is still kept.
    shelf.workspace.restore_page(gone)
    await sync(shelf, **KEEPING, full=True)
    assert len(await paths(shelf, "unused_since IS NULL")) == 2


async def test_a_page_that_moves_keeps_its_files(shelf: Installation) -> None:
    page = pages(shelf)[0]
    shelf.workspace.set_body(page, [{"type": "pdf", "stored_file": File("b", "body.pdf")}])
    await sync(shelf, **KEEPING, bodies=True)
    before = await named(shelf, page)
    assert "body" in {place for place, *_ in before}
    await shelf.execute("UPDATE notion_sync.files SET fetched_at = now(), stored_as = 'anna' || path")
    attic = shelf.workspace.state.databases[await database_id(shelf, "Attic")]
    (source,) = shelf.data_sources_of(attic.id)
    shelf.workspace.move_page(page, source, bump=True)
    # It is seen where it came to first: being missed takes a body away too, until it is read again.
    assert (await shelf.sync_one("anna", "Attic", **KEEPING, full=True)).failures == []
    for _ in range(2):
        await sync(shelf, **KEEPING, full=True)
        assert await named(shelf, page) == before
        assert await paths(shelf, "unused_since IS NOT NULL") == set()
    assert {
        str(one["data_source_id"])
        for one in await shelf.execute("SELECT data_source_id FROM notion_sync.page_files WHERE page_id = %s", page)
    } == {source}


async def database_id(shelf: Installation, name: str) -> str:
    (row,) = await shelf.execute("SELECT database_id::text FROM notion_sync.databases WHERE name = %s", name)
    return str(row["database_id"])


@pytest.mark.parametrize("has_markdown", [True, False])
async def test_bodies_name_files_too(shelf: Installation, learned: dict[str, str], has_markdown: bool) -> None:
    shelf.workspace.configure(markdown_endpoint=has_markdown)
    page = pages(shelf)[0]
    blocks = [
        "Text",
        {"type": "image", "stored_file": File("a", "a b.png"), "caption": "A frog"},
        {"type": "toggle", "text": "More", "children": [{"type": "pdf", "stored_file": File("b", "shared.pdf")}]},
        {"type": "audio", "stored_file": File("d", "last.mp3")},
        {"type": "image", "stored_file": File("c", "https://x.example/c.png", external=True)},
    ]
    shelf.workspace.set_body(page, blocks)
    await sync(shelf, **KEEPING)
    assert "body" not in {place for place, *_ in await named(shelf)}
    learned.clear()
    await sync(shelf, **KEEPING, bodies=True)
    of_body = {(one[2], one[4].rpartition("/")[2]) for one in await named(shelf) if one[0] == "body"}
    assert of_body == {(1, "a%20b.png"), (2, "shared.pdf"), (3, "last.mp3")}
    assert "a%20b.png" in {path.rpartition("/")[2] for path in learned}
    # Of the same body nothing is read, and of one that changed what it names is.
    shelf.workspace.set_body(page, blocks[:1])
    await sync(shelf, **KEEPING, bodies=True)
    assert await paths(shelf, "unused_since IS NOT NULL") == {"a%20b.png", "last.mp3"}


async def test_an_excluded_property_takes_its_files_with_it_at_once(shelf: Installation) -> None:
    page = pages(shelf)[0]
    shelf.workspace.set_pictures(page, None, File("plan", "plan 0.png"))
    await sync(shelf, **KEEPING)
    await shelf.execute("UPDATE notion_sync.files SET fetched_at = now(), stored_as = 'anna' || path")
    await says(shelf, "Shelf", exclude=["Plans"])
    # Also where no place is known any more: a later run that knows it removes the bytes.
    await sync(shelf)
    # The cover of one page is the plan of another.
    assert await paths(shelf) == {"plan%200.png", "shared.pdf"}
    discarded = await shelf.execute("SELECT stored_as FROM notion_sync.discarded_files")
    assert {one["stored_as"].rpartition("/")[2] for one in discarded} == {
        f"plan%20{one}.png" for one in range(1, COUNT)
    }
    await sync(shelf, **KEEPING, full=True)
    assert {column for _, column, *_ in await named(shelf)} == {"", "more"}


async def test_a_page_that_is_asked_for_names_its_files(shelf: Installation, learned: dict[str, str]) -> None:
    (row,) = await shelf.execute("SELECT notion_databases FROM user_settings")
    asking = Asking(shelf, "anna", row["notion_databases"])
    await sync(shelf, **KEEPING)
    page = pages(shelf)[0]
    shelf.workspace.edit_page(page, {"Plans": [File("New", "new.png")]})
    learned.clear()
    shelf.workspace.requests.clear()
    await asking.ask_page("Shelf", page)
    outcome = await shelf.sync_all(None, **KEEPING)
    assert outcome.failures == []
    assert "new.png" in {path.rpartition("/")[2] for path in learned}
    assert "New" in {name for *_, name, _ in await named(shelf, page)}


async def test_a_row_that_was_deleted_by_hand_leaves_no_files_behind(shelf: Installation) -> None:
    await sync(shelf, **KEEPING)
    page = pages(shelf)[0]
    await shelf.execute("DELETE FROM notion_pages_sync WHERE notion_page_id::text = %s", page)
    shelf.workspace.trash_page(page)
    await sync(shelf, **KEEPING, full=True)
    assert await named(shelf, page) == set()


async def test_a_dry_run_records_nothing(shelf: Installation) -> None:
    await sync(shelf, **KEEPING, dry_run=True)
    await sync(shelf)
    await sync(shelf, **KEEPING, dry_run=True, full=True)
    assert await paths(shelf) == set()
