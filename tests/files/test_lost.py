"""Bytes that are not where they were kept, were cut by hand, or cannot be written or removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.files.conftest import UNPACED, WELL, FileSite, Folder
from tests.files.test_kept import PLAN, SKETCH

pytestmark = pytest.mark.slow


def test_forgetting_removes_nothing_at_another_place_and_says_so(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    (other := tmp_path / "other").mkdir()
    ended = site.command("forget", "anna", "--disconnect", "--yes", "--files", str(other))
    assert ended.code == 1
    told = " ".join(ended.out.split())
    assert f"The bytes of 2 files are still where they were kept, and the next run tries again: {other} is not" in told
    ended = site.command("forget", "anna", "--yes", "--files", site.store.where)
    assert (ended.code, site.store.sizes()) == (0, {})
    assert "Removed the bytes of 2 files from " in ended.out


def test_forgetting_makes_no_folder_of_a_name_that_was_mistyped(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN]])
    assert site.sync() == WELL
    mistyped = tmp_path / "ketp"
    ended = site.command("forget", "anna", "--disconnect", "--yes", "--files", str(mistyped))
    assert (ended.code, mistyped.exists()) == (1, False)
    assert f"{mistyped} is not where the files of this database are (there is no such folder)" in ended.out
    assert len(site.store.sizes()) == 1


def test_forgetting_misses_nothing_of_a_file_that_never_came(site: FileSite) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    site.workspace.files.faults.add("cut_body", path="sketch")
    site.sync()
    ended = site.command("forget", "anna", "--disconnect", "--yes", "--files", site.store.where)
    assert (ended.code, site.store.sizes()) == (0, {})
    assert "Removed the bytes of 1 file from " in ended.out


def test_what_cannot_be_removed_holds_up_nothing_else(site: FileSite) -> None:
    """A folder lies where a file was to be, and says so in every run until it is gone."""
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    keys = {path: key for path, (key, *_) in site.kept().items()}
    site.store.delete(keys[site.path(PLAN)])
    odd = Path(site.store.where, keys[site.path(PLAN)])
    odd.mkdir()
    (odd / "mine").touch()
    site.execute("DELETE FROM user_settings")
    site.execute("SELECT notion_sync.forget('anna')")
    site.add_albums([[SKETCH]], name="Bens", user_id="ben")
    ended = site.sync()
    assert (ended.code, len(site.kept("ben"))) == (1, 1)
    assert str(keys[site.path(PLAN)]) in ended.err
    (odd / "mine").unlink()
    odd.rmdir()
    assert site.sync() == WELL
    assert list(site.store.sizes()) == [key for key, *_ in site.kept("ben").values()]


def test_what_is_lost_or_cut_is_told_with_what_brings_it_back(either: FileSite) -> None:
    source = either.add_albums([[PLAN], [SKETCH]])
    assert either.sync() == WELL
    keys = {path: key for path, (key, *_) in either.kept().items()}
    either.store.delete(keys[either.path(PLAN)])
    either.store.write(keys[either.path(SKETCH)], b"cut")
    options = (*UNPACED, "--files", either.store.where)
    ended = either.command("sync", "anna", "Albums", *options, "--verify")
    assert ended.code == 1
    assert "there: nothing" in ended.out
    assert "2 files are not there, or not as long as recorded: --full fetches them again." in ended.out
    assert either.command("sync", "anna", "Albums", *options, "--full") == WELL
    assert either.problems(source) == []
    ended = either.command("sync", "anna", "Albums", *options, "--verify", "--json")
    assert json.loads(ended.out)["verification"]["exact"], ended.out


def test_what_has_other_bytes_of_the_same_size_comes_back_once_it_is_removed(site: FileSite) -> None:
    source = site.add_albums([[SKETCH]])
    assert site.sync() == WELL
    ((key, _, size, _),) = site.kept().values()
    site.store.write(key, bytes(size))
    ended = site.command("sync", "anna", "Albums", *UNPACED, "--files", site.store.where, "--verify")
    assert "1 file has other bytes than recorded: remove them from there, then --full fetches them again." in ended.out
    site.store.delete(key)
    assert site.sync("--full") == WELL
    assert site.problems(source) == []


def test_another_place_has_every_file_after_a_full_read(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    before, other = site.store.sizes(), tmp_path / "other"
    assert site.command("sync-all", *UNPACED, "--full", "--files", str(other)) == WELL
    assert Folder(other).sizes() == before


def test_what_the_place_does_not_take_is_told_and_holds_up_nothing_else(site: FileSite) -> None:
    source = site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    ((odd, *_),) = (one for path, one in site.kept().items() if path == site.path(PLAN))
    site.execute("UPDATE notion_sync.files SET fetched_at = NULL, stored_as = NULL")
    site.store.delete(odd)
    (Path(site.store.where) / odd / "mine").mkdir(parents=True)
    ended = site.sync()
    assert ended.code == 1
    assert [*site.kept(), *site.failures()] == [site.path(SKETCH), site.path(PLAN)]
    assert site.failures()[site.path(PLAN)] in ended.err
    (Path(site.store.where) / odd / "mine").rmdir()
    (Path(site.store.where) / odd).rmdir()
    assert site.sync() == WELL
    assert site.problems(source) == []


def test_files_of_a_database_that_says_no_count_only_where_they_are_kept(site: FileSite) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    site.workspace.files.faults.add("404", path="sketch")
    site.sync()
    assert "Files: 1 of 2 files kept" in site.command("status").out
    site.say(Albums={"files": False})
    assert site.sync() == WELL
    told = json.loads(site.command("status", "--json").out)["files"]
    assert (told["wanted"], told["kept"], told["failed"]) == (1, 1, 0)
