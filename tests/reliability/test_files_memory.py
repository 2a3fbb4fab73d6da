"""The memory that the real command takes while it keeps files, whatever their size."""

from __future__ import annotations

from pathlib import Path

import pytest
from notion_workspace import File

from tests.files.conftest import UNPACED, WELL, BucketPart, Folder, Store, make_site
from tests.reliability.conftest import Place
from tests.s3_server import S3Server

SIZE = 500_000_000


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_files_of_500_megabytes_take_no_more_memory_than_small_ones(
    place: Place, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store: Store = Folder(tmp_path / "kept")
    if kind == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        store = BucketPart(server.bucket())
    site = make_site(place.database_url, place.small, place.command.environment["NOTION_BASE_URL"], store)
    source = site.add_albums([[File("small", f"0500{number:04}/small.bin")] for number in range(20)])
    place.command.environment.update(site.command.environment)
    command = ("sync-all", *UNPACED, "--files", store.where)
    ended, small = place.run_measured(*command)
    assert ended == WELL
    large = [File(f"large {number}", f"1a56e{number:03}/large.bin") for number in range(3)]
    for file in large:
        site.workspace.files.describe(file.url, size=SIZE)
        site.workspace.add_page(source, {"Name": file.name, "Files": [file]})
    site.workspace.clock.advance(3600)
    ended, peak = place.run_measured(*command)
    assert ended == WELL
    print(f"{kind}: {small // 1024} MB of memory at the most with small files, {peak // 1024} MB with 3 of 500 MB")
    assert len(site.kept()) == 23
    assert {site.store.sizes()[site.kept()[site.path(file)][0]] for file in large} == {SIZE}
    assert peak < 150 * 1024
    assert peak - small < 80 * 1024
