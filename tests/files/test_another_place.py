"""A run that finds another place than the one that keeps the files: an empty folder, a mistyped name, one of others."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from notion_workspace import SmallWorkspace

from notion_pg_sync.sync.files.place import MARK
from tests.conftest import DatabaseMaker, initialise
from tests.files.conftest import UNPACED, WELL, FileSite, Folder, make_site
from tests.files.test_kept import FOREIGN, PLAN, SKETCH

pytestmark = pytest.mark.slow


def files_in(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def typed(told: str) -> tuple[str, ...]:
    """The command at the end of a message, as a shell takes it."""
    _, command, rest = " ".join(told.split()).partition("notion-pg-sync sync-all --full")
    return tuple(shlex.split(f"sync-all --full{rest.rstrip('.')}" if command else ""))


def test_a_disk_that_is_not_mounted_is_told_by_the_next_run_though_nothing_changed(site: FileSite) -> None:
    source = site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    kept, mounted = Path(site.store.where), Path(f"{site.store.where}-mounted")
    kept.rename(mounted)
    kept.mkdir()
    for _ in range(2):
        ended = site.sync()
        assert ended.code == 1
        assert "is not where the files of this database are" in ended.err
        assert (files_in(kept), len(site.kept())) == (set(), 2)
    doctor = site.command("doctor", "--files", str(kept))
    assert "mount its disk, or name the place that has them" in " ".join(doctor.out.split())
    verified = site.command("sync", "anna", "Albums", *UNPACED, "--files", str(kept), "--verify")
    assert verified.code == 1
    assert "is not where the files of this database are" in verified.out + verified.err
    kept.rmdir()
    mounted.rename(kept)
    assert site.sync() == WELL
    assert site.problems(source) == []
    assert site.workspace.files.counts() == {"200": 2}


@pytest.mark.parametrize("option", [None, "--dry-run"])
def test_a_mistyped_name_is_told_and_no_folder_is_made(site: FileSite, option: str | None) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    mistyped = Path(f"{site.store.where}s")
    ended = site.command("sync-all", *UNPACED, *([option] if option else []), "--files", str(mistyped))
    assert ended.code == 1
    assert "is not where the files of this database are" in ended.err
    assert not mistyped.exists()


def test_a_rehearsal_tells_of_the_place_what_a_run_would(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    to_be_made = tmp_path / "new"
    assert site.command("sync-all", *UNPACED, "--dry-run", "--files", str(to_be_made)).code == 0
    assert site.sync() == WELL
    empty = tmp_path / "empty"
    empty.mkdir()
    rehearsal = ("sync-all", *UNPACED, "--dry-run", "--files")
    assert "is not where the files of this database are" in site.command(*rehearsal, str(empty)).err
    for place in (empty, to_be_made):
        assert site.command(*rehearsal, str(place), "--full").code == 0
    assert (files_in(empty), to_be_made.exists()) == (set(), False)


def test_what_is_told_where_the_files_are_lost_brings_them_back_as_typed(either: FileSite) -> None:
    either.add_albums([[PLAN], [SKETCH]])
    assert either.sync() == WELL
    for key in [*either.store.sizes(), MARK]:
        either.store.delete(key)
    either.add_albums([[PLAN], [SKETCH, FOREIGN]], name="More", user_id="ben")
    ended = either.sync()
    assert (ended.code, either.store.sizes()) == (1, {})
    assert either.command(*typed(ended.err), *UNPACED) == WELL
    assert either.sync() == WELL
    assert (len(either.kept()), len(either.kept("ben")), len(either.store.sizes())) == (2, 2, 4)
    assert either.half() == []


def test_whom_the_full_read_left_out_misses_no_file_after_their_next_sync(site: FileSite) -> None:
    site.add_albums([[PLAN]])
    site.add_albums([[PLAN], [SKETCH]], name="Bens", user_id="ben")
    assert site.sync() == WELL
    other = Path(f"{site.store.where}-other")
    assert site.command("sync", "anna", "Albums", *UNPACED, "--full", "--files", str(other)) == WELL
    assert site.command("sync-all", *UNPACED, "--files", str(other)) == WELL
    shutil.rmtree(site.store.where)
    other.rename(site.store.where)
    assert (len(site.kept()), len(site.kept("ben")), len(site.store.sizes())) == (1, 2, 3)
    assert site.half() == []


def test_files_that_are_moved_with_their_mark_are_not_fetched_again(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    moved = tmp_path / "moved"
    Path(site.store.where).rename(moved)
    assert site.command("sync-all", *UNPACED, "--files", str(moved)) == WELL
    assert site.workspace.files.counts() == {"200": 2}


def test_files_that_are_moved_without_it_are_found_where_they_are(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    moved = tmp_path / "moved"
    Path(site.store.where).rename(moved)
    (moved / MARK).unlink()
    assert site.command("sync-all", *UNPACED, "--full", "--files", str(moved)) == WELL
    assert site.workspace.files.counts() == {"200": 2}


def test_a_database_of_its_own_is_not_let_into_the_place_of_another(
    site: FileSite, database_maker: DatabaseMaker, small: SmallWorkspace, folder: Folder
) -> None:
    source = site.add_albums([[PLAN], [SKETCH]])
    assert site.sync() == WELL
    before = site.store.sizes()
    with database_maker.filled(initialise) as url:
        other = make_site(url, small, site.command.environment["NOTION_BASE_URL"], folder)
        (told,) = site.execute("SELECT user_id, notion_token, notion_databases::text FROM user_settings")
        other.connect(*map(str, told))
        ended = other.sync()
        assert (ended.code, other.kept()) == (1, {})
        assert "keeps the files of another database" in ended.err
        assert other.execute("SELECT count(*) FROM notion_sync.pages") == [(2,)]
    assert site.store.sizes() == before
    assert site.problems(source) == []


def test_what_is_to_be_removed_from_the_place_is_not_forgotten_at_another(site: FileSite, tmp_path: Path) -> None:
    site.add_albums([[PLAN]])
    site.add_albums([[SKETCH]], name="Bens", user_id="ben")
    assert site.sync() == WELL
    site.execute("DELETE FROM user_settings WHERE user_id = 'anna'")
    site.execute("SELECT notion_sync.forget('anna')")
    ended = site.command("sync-all", *UNPACED, "--files", str(tmp_path / "other"))
    assert ended.code == 1
    assert len(site.execute("SELECT stored_as FROM notion_sync.discarded_files")) == 1
    assert site.sync() == WELL
    assert site.execute("SELECT stored_as FROM notion_sync.discarded_files") == []
    assert len(site.store.sizes()) == 1
