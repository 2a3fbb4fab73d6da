"""Files that do not come as they should: each is recorded with its reason, and tried again; nothing half is kept."""

from __future__ import annotations

import json
import shlex

import pytest
from notion_workspace import File

from tests.files.conftest import WELL, FileSite
from tests.files.test_kept import PLAN, SKETCH, small_files

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("kind", ["403", "404", "503", "redirect", "cut", "cut_body", "too_long", "stall"])
def test_what_does_not_come_is_recorded_and_tried_again(either: FileSite, kind: str) -> None:
    source = either.add_albums([[PLAN], [SKETCH]])
    either.workspace.files.describe(SKETCH.url, size=3 * MEGABYTE)
    either.workspace.files.faults.add(kind, path="sketch", seconds=0.2)
    ended = either.sync()
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert either.kept().keys() == {either.path(PLAN)}
    assert either.failures().keys() == {either.path(SKETCH)}
    assert list(either.store.sizes()) == [key for key, *_ in either.kept().values()]
    assert either.store.unfinished() == []
    assert either.execute("SELECT count(*) FROM notion_pages_sync") == [(2,)]
    either.workspace.files.faults.clear()
    either.let_it_be_tried_again()
    assert either.sync() == WELL
    assert either.problems(source) == []
    assert either.failures() == {}


@pytest.mark.parametrize("kind", ["403", "404", "redirect"])
def test_what_will_not_be_mended_by_itself_does_not_cost_every_run(site: FileSite, kind: str) -> None:
    site.add_albums([[PLAN], [SKETCH]])
    site.workspace.files.faults.add(kind, path="sketch")
    site.sync()
    site.workspace.files.clear()
    site.workspace.requests.clear()
    site.sync()
    assert site.workspace.files.counts() == {}
    assert "page" not in site.workspace.requests.counts()


@pytest.mark.parametrize("kind", ["503", "cut_body"])
def test_what_is_wrong_with_the_way_is_tried_again_by_the_run_of_five_minutes_later(site: FileSite, kind: str) -> None:
    source = site.add_albums([[PLAN], [SKETCH]])
    site.workspace.files.faults.add(kind, path="sketch")
    site.sync()
    site.workspace.files.faults.clear()
    site.execute("UPDATE notion_sync.files SET next_try_at = next_try_at - interval '5 minutes'")
    assert site.sync() == WELL
    assert site.problems(source) == []


def test_a_redirection_is_not_followed(site: FileSite) -> None:
    site.add_albums([[SKETCH]])
    site.workspace.files.faults.add("redirect")
    site.sync()
    assert "unknown" not in site.workspace.requests.counts()


def test_doctor_says_why_most_files_do_not_come_and_where_the_others_stand(site: FileSite) -> None:
    site.add_albums([[PLAN], [SKETCH], [File("Third", "5d1f7c2e-0009/third.png")]])
    site.workspace.files.faults.add("404", path="sketch")
    site.workspace.files.faults.add("404", path="third")
    site.workspace.files.faults.add("cut_body", path="plan")
    site.sync()
    told = json.loads(site.command("doctor", "--files", site.store.where, "--json").out)
    (warned,) = [one for one in told["findings"] if "could not be fetched" in one["message"]]
    assert warned["message"].startswith("3 of 3 files could not be fetched, most of them for this reason: ")
    assert list(site.failures().values()).count(f"{warned['message'].partition('reason: ')[2]}.") == 2
    ended = site.command(*shlex.split(warned["look"])[1:])
    assert (ended.code, len(ended.out.splitlines())) == (0, 4)


def test_reasons_differ(site: FileSite) -> None:
    """Gone, refused, cut and too large are not one and the same to who reads them."""
    given = {
        kind: File(kind, f"fa111e5e/{kind}.bin") for kind in ("403", "404", "503", "cut_body", "large", "redirect")
    }
    site.add_albums([[file] for file in given.values()])
    for kind in given.keys() - {"large"}:
        site.workspace.files.faults.add(kind, path=f"/{kind}.bin")
    site.workspace.files.describe(given["large"].url, size=2 * MEGABYTE)
    site.sync("--largest-file", "1MB")
    assert site.failures().keys() == {site.path(file) for file in given.values()}
    assert len(set(site.failures().values())) == len(given)


@pytest.mark.parametrize("fault", [None, "unmeasured"])
def test_what_is_too_large_is_left_and_comes_where_the_limit_is_higher(either: FileSite, fault: str | None) -> None:
    """Where storage does not say how large it is, no more than the limit is read."""
    source = either.add_albums([[PLAN], [SKETCH]])
    either.workspace.files.describe(SKETCH.url, size=40 * MEGABYTE)
    if fault:
        either.workspace.files.faults.add(fault)
    either.sync("--largest-file", "1MB")
    assert either.kept().keys() == {either.path(PLAN)}
    (large,) = [one for one in either.workspace.files.all() if one.path == either.path(SKETCH)]
    assert large.sent < 20 * MEGABYTE
    assert list(either.store.sizes()) == [key for key, *_ in either.kept().values()]
    either.workspace.files.faults.clear()
    either.let_it_be_tried_again()
    assert either.sync("--largest-file", "100MB") == WELL
    assert either.problems(source) == []


def test_a_dead_link_is_renewed_by_one_request_a_page(either: FileSite) -> None:
    """A run that found storage away, and a later one that finds the pages as they were."""
    source = either.add_albums([[SKETCH, PLAN], *small_files(20)])
    either.workspace.files.faults.add("503")
    assert either.sync().code == 0
    assert either.kept() == {}
    either.workspace.files.faults.clear()
    either.workspace.files.clear()
    either.let_it_be_tried_again()
    either.workspace.clock.advance(2 * 3600)
    either.workspace.requests.clear()
    assert either.sync() == WELL
    assert either.problems(source) == []
    assert either.workspace.requests.counts()["page"] <= 21
    assert either.workspace.files.counts() == {"200": 22}


def test_a_signature_that_ends_while_files_are_fetched_is_renewed(site: FileSite) -> None:
    source = site.add_albums(small_files(60))
    site.workspace.configure(file_latency=0.02)
    site.workspace.files.faults.add("403", path="/(1|2)..txt$", times=3)
    site.sync()
    site.let_it_be_tried_again()
    assert site.sync() == WELL
    assert site.problems(source) == []
    assert site.workspace.requests.counts().get("page", 0) <= 6


def test_the_time_for_files_ends_and_the_next_run_continues(either: FileSite) -> None:
    source = either.add_albums(small_files(150))
    either.workspace.configure(file_latency=0.5)
    assert either.sync("--files-for", "2s") == WELL
    kept = len(either.kept())
    assert 0 < kept < 150
    either.workspace.configure(file_latency=0)
    assert either.sync() == WELL
    assert either.problems(source) == []
    assert either.workspace.files.counts()["200"] <= 150 + 64


def test_a_time_of_nothing_is_no_limit_as_with_page_contents(site: FileSite) -> None:
    source = site.add_albums(small_files(20))
    assert site.sync("--files-for", "0s") == WELL
    assert site.problems(source) == []


def test_json_has_what_became_of_files_as_numbers(site: FileSite) -> None:
    site.add_albums(small_files(3))
    site.workspace.files.faults.add("404", path="/1.txt$")
    (account,) = json.loads(site.sync("--json").out)["accounts"]
    kept = site.kept()
    assert 0 < len(kept) < 3
    failed = len(site.failures())
    size = sum(size for _, _, size, _ in kept.values())
    assert account["files"] == {"kept": len(kept), "failed": failed, "left": 0, "bytes": size}
    (account,) = json.loads(site.command("sync-all", "--json").out)["accounts"]
    assert account["files"] is None


@pytest.mark.parametrize("words", [("sync-all",), ("sync", "anna", "Albums"), ("sync-all", "--dry-run")])
def test_files_that_are_wanted_without_a_place_are_told_once_and_fail_nothing(
    site: FileSite, words: tuple[str, ...]
) -> None:
    site.add_albums([[SKETCH]], files=True)
    outcome = json.loads(site.command(*words, "--json").out)
    told = (
        '"files" is true for anna/Albums in notion_databases, but no place is known where files are kept: '
        'name it, with NOTION_PG_SYNC_FILES or --files (docs/files.md), or take "files" out.'
    )
    assert outcome["message"].count(told) == 1
    assert outcome["status"] == "succeeded"
    assert '"files" is true' not in json.loads(site.sync("--json").out)["message"]


def test_hosts_that_are_not_notions_are_not_asked(site: FileSite) -> None:
    """Whatever an answer says: a file may be said to lie on a host of the network that the tool runs in."""
    site.add_albums([[SKETCH]])
    site.workspace.state.origin = "http://169.254.169.254"
    site.sync()
    assert site.kept() == {}
    assert site.failures().keys() == {site.path(SKETCH)}


def test_rows_are_exact_where_the_store_refuses(either: FileSite) -> None:
    source = either.add_albums([[SKETCH]])
    if (folder := either.store.where).startswith("/"):
        with open(folder, "w") as file:  # noqa: PTH123
            file.write("no folder")
    ended = either.sync(AWS_SECRET_ACCESS_KEY="qwertzuiop")
    assert ended.code != 0
    assert "qwertzuiop" not in ended.err
    assert "X-Amz" not in ended.err
    assert len(ended.err) < 2000
    assert either.execute("SELECT count(*) FROM notion_pages_sync") == [(1,)]
    assert either.kept() == {}
    assert either.named(source)
