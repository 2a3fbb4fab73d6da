"""The bytes of files that Notion hosts, kept by the real command in a folder and in a bucket."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import humanize
import pytest
from notion_workspace import File
from notion_workspace.literals import files, relation, rich_text, rollup, title

from tests.cli.conftest import BARE
from tests.files.conftest import EMOJI, UNPACED, WELL, BucketPart, FileSite
from tests.mirror.freezing import PG_DUMP
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PLAN = File("Plan (final).pdf", "5d1f7c2e-0001/plan%20B ü.pdf")
SKETCH = File("Sketch", "5d1f7c2e-0002/sketch.png")
COVER = File("cover", "5d1f7c2e-0003/cover.jpg")
ICON = File("icon", "5d1f7c2e-0004/icon.png")
FOREIGN = File("web", "https://example.com/a.png?size=2", external=True)


def small_files(count: int) -> list[list[File]]:
    return [[File(f"{number}.txt", f"0f00ba12-{number:04}/{number}.txt")] for number in range(count)]


def with_every_place(site: FileSite) -> str:
    """Two pages with files in every place, one of them in two."""
    source = site.add_albums([[PLAN, FOREIGN, SKETCH], [SKETCH]])
    first, second = site.page(source, "Album 0"), site.page(source, "Album 1")
    site.workspace.set_pictures(first, ICON, COVER)
    site.workspace.set_pictures(second, EMOJI, {"type": "external", "external": {"url": "https://example.com/c.png"}})
    kinds = {"image": "png", "pdf": "pdf", "video": "mp4", "audio": "mp3", "file": "zip"}
    stored = [
        {"type": kind, "stored_file": File(kind, f"b0d1e5/{kind} & more.{ending}")} for kind, ending in kinds.items()
    ]
    site.workspace.set_body(first, ["Text", {"type": "toggle", "text": "More", "children": stored}])
    return source


def test_files_of_every_place_are_kept(either: FileSite) -> None:
    source = with_every_place(either)
    assert either.sync("--bodies") == WELL
    assert either.problems(source) == []
    assert (len(either.kept()), either.store.unfinished()) == (10, [])
    assert either.workspace.files.counts() == {"200": 10}
    assert "page" not in either.workspace.requests.counts()


def test_it_costs_no_request_of_notion_while_signatures_live(site: FileSite) -> None:
    with_every_place(site)
    assert site.command("sync-all", *UNPACED) == WELL
    without = site.workspace.requests.counts()
    site.workspace.requests.clear()
    site.execute("DELETE FROM notion_sync.databases")
    assert site.sync() == WELL
    assert (site.workspace.requests.counts(), len(site.kept())) == (without, 5)


def test_the_place_may_be_a_variable(either: FileSite) -> None:
    source = either.add_albums([[PLAN]])
    assert either.command("sync-all", *UNPACED, NOTION_PG_SYNC_FILES=either.store.where) == WELL
    assert either.problems(source) == []


def test_one_database_is_synced_with_its_files(site: FileSite) -> None:
    source = site.add_albums([[PLAN]])
    assert site.command("sync", "anna", "Albums", *UNPACED, "--files", site.store.where) == WELL
    assert site.problems(source) == []


def test_without_a_place_nothing_is_fetched(site: FileSite) -> None:
    site.add_albums([[PLAN]])
    assert site.command("sync-all", *UNPACED) == WELL
    assert (site.workspace.files.counts(), site.kept()) == ({}, {})


def test_files_in_bodies_are_kept_where_bodies_are_read(site: FileSite) -> None:
    source = with_every_place(site)
    assert site.sync() == WELL
    assert site.problems(source, bodies=False) == []
    assert site.sync("--bodies") == WELL
    assert site.problems(source) == []
    assert set(site.workspace.files.counts()) == {"200"}
    assert max(Counter(one.path for one in site.workspace.files.all()).values()) == 1


def test_unchanged_neither_files_nor_notion_nor_the_store_are_asked(either: FileSite) -> None:
    """A bucket is out of reach then, and that is not noticed."""
    with_every_place(either)
    assert either.sync("--bodies") == WELL
    either.workspace.clock.advance(3600)
    asked = []
    for arguments in ((), ("--files", either.store.where)):
        either.workspace.requests.clear()
        either.workspace.files.clear()
        command = ("sync-all", *UNPACED, "--bodies", *arguments)
        assert either.command(*command, AWS_ENDPOINT_URL="http://127.0.0.1:9") == WELL
        asked.append(either.workspace.requests.counts())
    assert asked[0] == asked[1]
    assert either.workspace.files.counts() == {}


def test_switched_on_later_addresses_come_with_the_next_full_read(either: FileSite) -> None:
    source = with_every_place(either)
    assert either.command("sync-all", *UNPACED) == WELL
    either.workspace.clock.advance(3600)
    assert either.sync() == WELL
    assert either.sync("--full") == WELL
    assert either.problems(source, bodies=False) == []
    assert "page" not in either.workspace.requests.counts()


def test_a_file_is_fetched_once_for_each_user(either: FileSite) -> None:
    """Of two pages, of two users, over two runs."""
    source = either.add_albums([[SKETCH], [SKETCH, PLAN]])
    either.workspace.share("ben", "Albums")
    (handle,) = [one.id for one in either.workspace.state.databases.values() if one.name == "Albums"]
    either.connect("ben", either.small.tokens["ben"], json.dumps({"Albums": handle}))
    assert either.sync() == WELL
    either.workspace.edit_page(either.page(source, "Album 0"), {"Files": [SKETCH, PLAN]})
    either.workspace.clock.advance(3600)
    assert either.sync() == WELL
    counted = Counter(one.path for one in either.workspace.files.all())
    assert counted == {either.path(SKETCH): 2, either.path(PLAN): 2}
    anna, ben = either.kept("anna"), either.kept("ben")
    assert anna.keys() == ben.keys()
    assert {key.split("/")[0] for key, *_ in anna.values()} == {"anna"}
    assert {key.split("/")[0] for key, *_ in ben.values()} == {"ben"}
    assert either.store.sizes().keys() == {key for key, *_ in [*anna.values(), *ben.values()]}


def test_a_database_may_be_left_out(site: FileSite) -> None:
    site.add_albums([[PLAN]], files=False)
    assert site.sync() == WELL
    assert (site.kept(), site.workspace.files.counts()) == ({}, {})


def test_an_excluded_property_has_no_files(site: FileSite) -> None:
    source = site.add_albums([[PLAN]], exclude=["Files"])
    site.workspace.set_pictures(site.page(source, "Album 0"), None, COVER)
    assert site.sync() == WELL
    assert site.kept().keys() == {site.path(COVER)}


def test_excluded_later_the_bytes_go_at_once(either: FileSite) -> None:
    source = either.add_albums([[PLAN], [SKETCH]])
    either.workspace.set_pictures(either.page(source, "Album 0"), None, SKETCH)
    assert either.sync() == WELL
    assert len(either.store.sizes()) == 2
    either.say(Albums={"exclude": ["Files"]})
    assert either.sync() == WELL
    assert either.kept().keys() == {either.path(SKETCH)}
    assert list(either.store.sizes()) == [key for key, *_ in either.kept().values()]


@pytest.mark.parametrize("excluded", ["Note", "Shown"])
def test_so_do_those_of_an_emoji_in_a_text_and_of_a_rollup(site: FileSite, excluded: str) -> None:
    workspace = site.workspace
    workspace.add_database("Shelf", {"Name": title(), "Scans": files()}, [{"Name": "A", "Scans": [PLAN]}])
    columns = {
        "Name": title(),
        "Note": rich_text(),
        "Shelf": relation("Shelf"),
        "Shown": rollup("Shelf", "Scans", "show_original"),
    }
    board = workspace.add_database("Board", columns, [{"Name": "One", "Note": [EMOJI, EMOJI], "Shelf": ["A"]}])
    for name in ("Shelf", "Board"):
        workspace.share("anna", name)
    site.connect("anna", site.small.tokens["anna"], json.dumps({"Board": {"id": board.id}}))
    assert site.sync() == WELL
    assert site.kept().keys() == {site.path(EMOJI), site.path(PLAN)}
    site.say(Board={"exclude": [excluded]})
    assert site.sync() == WELL
    assert site.kept().keys() == {site.path(PLAN if excluded == "Note" else EMOJI)}
    assert list(site.store.sizes()) == [key for key, *_ in site.kept().values()]


def test_rows_come_before_any_file(site: FileSite) -> None:
    """All rows are there while the first file is still on its way."""
    site.add_albums(small_files(150))
    site.workspace.files.faults.add("stall", seconds=600)
    with subprocess.Popen(
        [sys.executable, "-m", "notion_pg_sync", "sync-all", *UNPACED, "--files", site.store.where],
        env={**BARE, **site.command.environment},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            wait_until(site.workspace.files.all)
            assert site.execute("SELECT count(*) FROM notion_pages_sync") == [(150,)]
        finally:
            running.kill()


def test_files_are_fetched_side_by_side_and_not_all_at_once(site: FileSite) -> None:
    source = site.add_albums(small_files(120))
    site.workspace.configure(file_latency=0.05)
    assert site.sync() == WELL
    assert site.problems(source) == []
    assert 4 <= site.workspace.files.most_at_once() <= 64


def test_nothing_of_a_signature_is_kept_or_said(either: FileSite) -> None:
    source = with_every_place(either)
    either.workspace.files.faults.add("403", path="sketch")
    either.workspace.files.faults.add("cut_body", path="cover")
    rehearsed = either.sync("--dry-run", "-vv")
    assert "sketch.png?…" in rehearsed.err
    ended = either.sync("--bodies", "-vv", "--log-json")
    assert "sketch.png?" in ended.err
    command = [str(PG_DUMP), "--inserts", either.database_url]
    dumped = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    status = either.command("status", "--json")
    for text in (ended.out, ended.err, rehearsed.err, dumped, status.out, *map(str, either.store.sizes())):
        assert "X-Amz" not in text
    assert either.named(source)


def test_names_stay_below_the_place_and_tell_what_is_what(either: FileSite) -> None:
    names = [
        "a/b", "CON", "nul.txt", "trailing. ", "n" * 300, "ü" * 200, "x\u202egnp.exe",
        "tab\there", "line\nbreak", "100%.txt", "a:b*c?.txt", "-rf", "~", " ", "Ωmega 🦊.png",
    ]  # fmt: skip
    given = [[File(name, f"0dd00000-{number:04}/{name}")] for number, name in enumerate(names)]
    given += [[File("same", "0DD00000-0001/CON")], [File("bare", "bare.txt")], [File("deep", "a/b/c/d/e.txt")]]
    source = either.add_albums(given)
    assert either.sync() == WELL
    assert either.problems(source) == []
    for key in either.store.sizes():
        parts = key.split("/")
        assert parts[0] == "anna"
        assert not {"", ".", ".."} & set(parts)
        assert all(len(part.encode()) <= 255 and part.isprintable() and part == part.strip(" .") for part in parts)
    assert any(key.endswith("Ωmega 🦊.png") for key in either.store.sizes())
    if isinstance(either.store, BucketPart):
        assert not [key for key in either.store.sizes() if key.startswith("/")]


def test_paths_that_climb_lead_nowhere(site: FileSite, tmp_path: Path) -> None:
    """Whatever comes of them: a path as this is no path of Notion's storage."""
    names = ["..", ".", "../../../../up.txt", "x/../../../up.txt", "0dd/..", "0dd/%2e%2e"]
    site.add_albums([[File(name, name)] for name in names])
    site.sync()
    assert len(site.kept()) + len(site.failures()) == len(names)
    assert [one.name for one in tmp_path.iterdir() if one.name != "kept"] == []
    assert all(key.startswith("anna/") for key in site.store.sizes())


def test_files_of_removed_pages_stay_while_another_page_has_them_and_go_after_a_grace(either: FileSite) -> None:
    source = either.add_albums([[SKETCH], [SKETCH, PLAN], [COVER]])
    assert either.sync() == WELL
    either.workspace.trash_page(either.page(source, "Album 1"))
    either.workspace.clock.advance(3600)
    assert either.sync("--full") == WELL
    assert len(either.store.sizes()) == 3
    either.execute("UPDATE notion_sync.files SET unused_since = unused_since - interval '29 days'")
    assert either.sync() == WELL
    assert len(either.store.sizes()) == 3
    either.execute("UPDATE notion_sync.files SET unused_since = unused_since - interval '2 days'")
    assert either.sync() == WELL
    assert either.problems(source) == []
    assert either.kept().keys() == {either.path(SKETCH), either.path(COVER)}


def test_a_file_that_comes_back_within_the_grace_is_not_fetched_again(either: FileSite) -> None:
    source = either.add_albums([[SKETCH]])
    assert either.sync() == WELL
    page = either.page(source, "Album 0")
    for given in ([], [SKETCH]):
        either.workspace.clock.advance(3600)
        either.workspace.edit_page(page, {"Files": given})
        assert either.sync() == WELL
    either.execute("UPDATE notion_sync.files SET unused_since = unused_since - interval '31 days'")
    assert either.sync() == WELL
    assert either.problems(source) == []
    assert either.workspace.files.counts() == {"200": 1}


def test_forgetting_removes_the_bytes_of_a_user_and_no_others(either: FileSite) -> None:
    either.add_albums([[SKETCH]])
    either.add_albums([[PLAN]], name="Bens", user_id="ben")
    assert either.sync() == WELL
    ended = either.command("forget", "ben", "--disconnect", "--yes", NOTION_PG_SYNC_FILES=either.store.where)
    assert ended.code == 0, ended.err
    assert either.kept("ben") == {}
    assert list(either.store.sizes()) == [key for key, *_ in either.kept().values()]
    assert len(either.kept()) == 1


def test_bytes_of_who_was_forgotten_by_sql_go_with_the_next_run(either: FileSite) -> None:
    either.add_albums([[SKETCH]])
    either.add_albums([[PLAN]], name="Bens", user_id="ben")
    assert either.sync() == WELL
    either.execute("DELETE FROM user_settings WHERE user_id = 'ben'")
    either.execute("SELECT notion_sync.forget('ben')")
    assert either.sync() == WELL
    assert list(either.store.sizes()) == [key for key, *_ in either.kept().values()]
    assert either.execute("SELECT 1 FROM notion_sync.discarded_files") == []


def test_a_run_that_only_looks_fetches_nothing_and_says_how_much(site: FileSite) -> None:
    site.add_albums([[SKETCH], [PLAN]])
    ended = site.sync("--dry-run", "--json")
    assert ended.code == 0, ended.err
    size = humanize.naturalsize(sum(site.workspace.files.size(site.path(file)) for file in (SKETCH, PLAN)))
    assert json.loads(ended.out)["message"].endswith(f" 2 files would be fetched ({size}).")
    assert site.store.sizes() == {}
    assert site.execute("SELECT 1 FROM notion_sync.files") == []


def test_two_databases_in_one_place_are_told_apart_by_nothing_but_their_users(site: FileSite) -> None:
    """A file that two databases name is one."""
    one = site.add_albums([[SKETCH]])
    handle = site.workspace.add_database(
        "More", {"Name": title(), "Shots": files()}, [{"Name": "A", "Shots": [SKETCH]}]
    )
    site.workspace.share("anna", "More")
    site.execute(
        "UPDATE user_settings SET notion_databases = notion_databases::jsonb || %s::jsonb",
        json.dumps({"More": handle.id}),
    )
    assert site.sync() == WELL
    assert site.problems(one, handle.data_source_id) == []
    assert site.workspace.files.counts() == {"200": 1}


@pytest.mark.parametrize("behind", [timedelta(hours=-3), timedelta(hours=3)])
def test_a_clock_that_is_wrong_costs_no_files(site: FileSite, behind: timedelta) -> None:
    """Notion's clock, as this machine sees it, is hours off; signatures live by Notion's."""
    source = site.add_albums([[SKETCH], [PLAN]])
    site.workspace.clock.advance(behind.total_seconds())
    assert site.sync() == WELL
    assert site.problems(source) == []
