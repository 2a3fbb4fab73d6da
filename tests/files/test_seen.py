"""What people see of files: in views, in `status`, by `--verify`, and in a run that only looks."""

from __future__ import annotations

import json

import pytest
from notion_workspace import UNSUPPORTED, File, Mention
from notion_workspace.literals import files, relation, rich_text, rollup, title

from tests.files.conftest import EMOJI, UNPACED, WELL, FileSite

pytestmark = pytest.mark.slow

PLAN = File("Plan (final).pdf", "5d1f7c2e-0001/plan%20B ü.pdf")
SKETCH = File("Sketch", "5d1f7c2e-0002/sketch.png")
COVER = File("cover", "5d1f7c2e-0003/cover.jpg")
OTHER_EMOJI = Mention("custom_emoji", "7e57ab1e-0000-4000-8000-000000000002", ":owl:")
FOREIGN = File("web", "https://example.com/a.png?size=2", external=True)


@pytest.fixture
def kept(either: FileSite) -> FileSite:
    """Files of a page, of its cover and of its body that are kept."""
    source = either.add_albums([[PLAN, FOREIGN, SKETCH], []])
    page = either.page(source, "Album 0")
    either.workspace.set_pictures(page, None, COVER)
    either.workspace.set_body(page, [{"type": "pdf", "stored_file": File("pdf", "b0d1e5/bill & more.pdf")}])
    either.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert either.sync("--bodies") == WELL
    return either


def key_of(site: FileSite, file: File) -> str:
    return site.kept()[site.path(file)][0]


def verified(site: FileSite, *arguments: str) -> dict[str, object]:
    """What comparing the copy with Notion says, once it was synced again."""
    options = (*UNPACED, "--bodies", "--files", site.store.where, "--verify", "--json", *arguments)
    ended = site.command("sync", "anna", "Albums", *options)
    assert ended.code in (0, 1), ended.err
    told = json.loads(ended.out)["verification"]
    assert ended.code == (0 if told["exact"] else 1)
    assert isinstance(told, dict)
    return told


def differences(site: FileSite) -> list[tuple[str, str, str]]:
    told = verified(site)["differences"]
    assert isinstance(told, list)
    return [(one["kind"], one["name"], one["path"]) for one in told]


def test_views_show_where_the_bytes_are(kept: FileSite) -> None:
    shown = kept.execute("SELECT files_kept FROM notion.albums ORDER BY name")
    assert shown == [([key_of(kept, PLAN), None, key_of(kept, SKETCH)],), ([],)]
    assert kept.execute("SELECT kept FROM notion.albums__files ORDER BY position") == [
        (key_of(kept, PLAN),),
        (None,),
        (key_of(kept, SKETCH),),
    ]


def test_status_counts_them(kept: FileSite) -> None:
    count = sum(size for _, _, size, _ in kept.kept().values())
    assert "Files: 4 of 4 files kept (" in kept.command("status").out
    told = json.loads(kept.command("status", "--json").out)["files"]
    assert told == {"wanted": 4, "kept": 4, "failed": 0, "bytes": count}
    assert json.loads(kept.command("status", "--json", "--user", "anna").out)["files"] == told
    metrics = kept.command("status", "--prometheus").out
    assert 'notion_pg_sync_files{state="kept"} 4.0' in metrics
    assert f"notion_pg_sync_files_bytes {float(count)!r}" in metrics
    kept.execute("UPDATE notion_sync.files SET fetched_at = NULL, failure = 'gone' WHERE path LIKE '%%sketch.png'")
    assert ", 1 failed (notion_sync.files says why)." in kept.command("status", "-v").out


def test_without_files_status_says_nothing_of_them(site: FileSite) -> None:
    site.add_albums([[PLAN]])
    assert site.command("sync-all", *UNPACED) == WELL
    assert "Files" not in site.command("status").out
    told = json.loads(site.command("status", "--json").out)["files"]
    assert told == {"wanted": 0, "kept": 0, "failed": 0, "bytes": 0}


def test_a_copy_with_its_files_is_exact(kept: FileSite) -> None:
    told = verified(kept)
    assert told["exact"], told["differences"]
    assert told["remarks"] == ["4 files are kept, of which 4 were read and compared byte by byte."]


def test_verify_finds_bytes_that_are_gone_cut_or_others(kept: FileSite) -> None:
    plan, sketch, cover = (key_of(kept, file) for file in (PLAN, SKETCH, COVER))
    kept.store.delete(plan)
    kept.store.write(sketch, b"cut")
    kept.store.write(cover, bytes(len(kept.store.content(cover))))
    assert sorted(differences(kept)) == sorted(
        [("file_differs", plan, "bytes"), ("file_differs", sketch, "bytes"), ("file_differs", cover, "sha256")]
    )


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("DELETE FROM notion_sync.page_files WHERE path LIKE '%%sketch.png'", ("files", "property")),
        ("UPDATE notion_sync.page_files SET position = -position WHERE place = 'property'", ("files", "property")),
        ("DELETE FROM notion_sync.page_files WHERE place = 'cover'", (None, "cover")),
        ("DELETE FROM notion_sync.page_files WHERE place = 'body'", (None, "body")),
        ("UPDATE notion_sync.page_files SET place = 'icon' WHERE place = 'cover'", (None, "icon")),
    ],
)
def test_verify_finds_what_is_recorded_wrongly(site: FileSite, tampering: str, found: tuple[str | None, str]) -> None:
    # An hour ago: no difference is an edit that came since, and no body is read again.
    site.workspace.clock.advance(-3600)
    source = site.add_albums([[PLAN, FOREIGN, SKETCH]])
    page = site.page(source, "Album 0")
    site.workspace.set_pictures(page, None, COVER)
    site.workspace.set_body(page, [{"type": "pdf", "stored_file": File("pdf", "b0d1e5/bill.pdf")}])
    site.workspace.clock.advance(3600)
    assert site.sync("--bodies") == WELL
    # A page that came as before is not looked into.
    site.execute(tampering)
    assert ("file_differs", *found) in differences(site)


def test_files_that_are_not_kept_are_remarked_on(kept: FileSite) -> None:
    kept.execute(
        "UPDATE notion_sync.files SET fetched_at = NULL, stored_as = NULL, failure = 'it is too large', bytes = 9000000"
        " WHERE path LIKE '%%sketch.png'"
    )
    told = verified(kept, "--largest-file", "1MB")
    assert told["exact"], told["differences"]
    assert "1 file is not kept: notion_sync.files says why, or since when they wait." in str(told["remarks"])


def test_a_dry_run_tells_what_is_too_large_and_leaves_out_what_is_kept(kept: FileSite) -> None:
    page = kept.execute("SELECT page_id::text FROM notion.albums WHERE name = 'Album 1'")[0][0]
    large, small = File("large", "5d1f7c2e-0009/large.bin"), File("small", "5d1f7c2e-0010/small.bin")
    kept.workspace.files.describe(large.url, size=2_500_000)
    kept.workspace.files.describe(small.url, size=700)
    kept.workspace.edit_page(str(page), {"Files": [SKETCH, large, small]})
    ended = kept.sync("--dry-run", "--json", "--largest-file", "1MB")
    assert json.loads(ended.out)["message"].endswith(" 1 file would be fetched (700 Bytes), 1 left out as too large.")
    assert len(kept.kept()) == 4


def test_forgetting_without_the_place_says_what_is_left_and_can_be_done_again(kept: FileSite) -> None:
    ended = kept.command("forget", "anna", "--disconnect", "--yes")
    assert ended.code == 1
    assert "The bytes of 4 files are still where they were kept: repeat this with --files WHERE" in ended.out
    assert len(kept.store.sizes()) == 4
    ended = kept.command("forget", "anna", "--yes", NOTION_PG_SYNC_FILES=kept.store.where)
    assert (ended.code, kept.store.sizes()) == (0, {})
    assert "Removed the bytes of 4 files from " in ended.out


def test_emoji_in_texts_and_files_that_rollups_show_are_kept(either: FileSite) -> None:
    """The files of pages that are not in the copy, too, and what is not hosted has its place among them."""
    workspace = either.workspace
    scans = {"Name": "A", "Scans": [PLAN, FOREIGN, SKETCH]}
    workspace.add_database("Shelf", {"Name": title(), "Scans": files()}, [scans])
    board = workspace.add_database(
        "Board",
        {
            "Name": title(),
            "Note": rich_text(),
            "Shelf": relation("Shelf"),
            "Shown": rollup("Shelf", "Scans", "show_original"),
        },
        [{"Name": "One", "Note": ["With ", EMOJI, " and ", OTHER_EMOJI], "Shelf": ["A"]}],
    )
    for name in ("Shelf", "Board"):
        workspace.share("anna", name)
    either.connect("anna", either.small.tokens["anna"], json.dumps({"Board": board.id}))
    assert either.sync() == WELL
    named = "SELECT property, position, name FROM notion_sync.page_files ORDER BY property, position"
    assert either.execute(named) == [
        ("note", 1, "fox"),
        ("note", 2, "owl"),
        ("shown", 1, PLAN.name),
        ("shown", 3, SKETCH.name),
    ]
    assert set(either.kept()) == {either.path(one) for one in (EMOJI, OTHER_EMOJI, PLAN, SKETCH)}
    options = (*UNPACED, "--files", either.store.where, "--verify", "--json")
    assert either.command("sync", "anna", "Board", *options).code == 0
    # What Notion does not compute for once keeps its value, and so its files.
    (page,) = workspace.truth(board.data_source_id)
    workspace.edit_page(page, {"Shown": UNSUPPORTED})
    workspace.clock.advance(3600)
    assert either.sync("--full") == WELL
    assert len(either.execute(named)) == 4
    assert either.unused() == set()
    assert either.command("sync", "anna", "Board", *options).code == 0
