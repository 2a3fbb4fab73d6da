"""Places for bytes: a folder, and a bucket of a real S3 server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from notion_pg_sync.sync.files.place import Place, open_place
from tests.s3_server import Bucket, S3Server


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Callable[[Bucket], Place]:
    """Opens a part of a bucket, let in by its environment."""

    def opened(bucket: Bucket) -> Place:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        return open_place(f"s3://{bucket.name}/copies", in_clear=True)

    return opened


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, enter: Callable[[Bucket], Place]) -> Place:
    """Each of both in turn."""
    if request.param == "folder":
        return open_place(str(tmp_path / "kept"))
    server: S3Server = request.getfixturevalue("s3_server")
    return enter(server.bucket())
