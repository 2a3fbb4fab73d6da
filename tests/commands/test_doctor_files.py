"""Whether doctor tries the place that keeps files, a real folder and a real bucket, and says what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from notion_pg_sync.commands.doctor.checks.check import Finding, Verdict
from notion_pg_sync.commands.doctor.checks.files import try_place, with_room, without_place
from notion_pg_sync.mirror.file_places import KnownPlaces
from notion_pg_sync.mirror.files import FileTotals
from notion_pg_sync.settings import Settings, read_settings
from tests.s3_server import Bucket

NONE = FileTotals(0, 0, 0, 0)
SOME = FileTotals(1215, 1203, 3, 4_100_000_000)
NOTHING = KnownPlaces(None, [], keeps_any=False)


async def found_at(where: str, environment: dict[str, str] | None = None, known: KnownPlaces = NOTHING) -> Finding:
    settings = read_settings(environment or {}, Settings(files=where, largest_file=1))
    (finding,) = await try_place(settings, SOME, known)
    return finding


def names_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


def test_without_a_place_nothing_is_wrong_unless_files_are_kept() -> None:
    assert without_place(NONE).verdict is Verdict.OK
    said = without_place(SOME)
    assert said.verdict is Verdict.SKIPPED
    assert said.message.startswith("Files: 1,203 of 1,215 files kept (4.1 GB), 3 failed (notion_sync.files says why); ")


@pytest.mark.parametrize(
    ("free", "verdict", "said"),
    [
        (None, Verdict.OK, "s3://b can be written and read"),
        (3_000_000_000, Verdict.OK, "s3://b can be written and read, with 3.0 GB free"),
        (1_999_999_999, Verdict.WARNING, "the disk of s3://b has 2.0 GB left"),
        (0, Verdict.WARNING, "the disk of s3://b has 0 Bytes left"),
    ],
)
def test_room_is_told_and_too_little_is_warned_of(free: int | None, verdict: Verdict, said: str) -> None:
    finding = with_room("s3://b", free, 2_000_000_000, NONE)
    assert (finding.verdict, finding.message) == (verdict, said)


async def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    finding = await found_at(str(tmp_path))
    assert finding.verdict is not Verdict.BROKEN
    assert names_in(tmp_path) == []


async def test_a_folder_that_is_still_to_be_made_is_left_to_the_first_run(tmp_path: Path) -> None:
    finding = await found_at(str(tmp_path / "kept"))
    assert finding.verdict is Verdict.OK
    assert "the first run that keeps a file makes it" in finding.message
    assert names_in(tmp_path) == []
    lost = await found_at(str(tmp_path / "kept"), known=KnownPlaces("a", [], keeps_any=True))
    assert lost.verdict is Verdict.BROKEN
    assert names_in(tmp_path) == []


async def test_another_place_than_the_one_that_keeps_the_files_is_told(tmp_path: Path) -> None:
    finding = await found_at(str(tmp_path), known=KnownPlaces("a", [], keeps_any=True))
    assert finding.verdict is Verdict.BROKEN
    assert "is not where the files of this database are" in finding.message
    assert finding.needs.startswith("mount its disk, or name the place that has them")


async def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for where in (tmp_path / "file", tmp_path / "not" / "mounted"):
        finding = await found_at(str(where))
        assert finding.verdict is Verdict.BROKEN
        assert str(where) in finding.message
        assert finding.needs


@pytest.mark.slow
async def test_a_bucket_is_tried_and_what_is_wrong_with_the_credentials_is_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found_with(**changed: str) -> Finding:
        environment = {**bucket.environment, **changed}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return await found_at(f"s3://{changed.get('BUCKET', bucket.name)}/kept", dict(os.environ))

    well = await found_with()
    assert well.verdict is Verdict.OK
    assert well.message.startswith(f"s3://{bucket.name}/kept can be written and read; Files: 1,203 of 1,215 files kept")
    assert bucket.sizes() == {}
    reading = await found_with(**bucket.reading_environment)
    assert reading.verdict is Verdict.BROKEN
    assert "do not suffice" in reading.message
    wrong = await found_with(AWS_SECRET_ACCESS_KEY="of somebody else's")
    assert wrong.verdict is Verdict.BROKEN
    assert "the credentials are wrong" in wrong.message
    absent = await found_with(BUCKET="not-there")
    assert absent.verdict is Verdict.BROKEN
    assert "there is no such bucket" in absent.message
    assert "secret" not in f"{well} {reading} {wrong} {absent}"
