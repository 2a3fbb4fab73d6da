"""`NOTION_TOKEN_KEY` as the command meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cryptography
import pytest

from notion_pg_sync.core.installing import installer
from notion_pg_sync.sync.run.token_encryption import seal_token
from tests.cli.conftest import BARE, Site

PASSPHRASE = "ein Schlüssel, der länger ist als er sein muss"
KEY = PASSPHRASE.encode()[:32]


def test_an_encrypted_token_is_opened_by_the_first_32_bytes_of_the_passphrase(site: Site) -> None:
    site.connect("anna", seal_token(site.small.tokens["anna"], KEY), _characters(site))
    assert site.command("sync-all", NOTION_TOKEN_KEY=PASSPHRASE).code == 0
    assert site.execute("SELECT count(*) > 0 FROM notion_characters_sync") == [(True,)]
    failed = site.command("sync-all", "-vv", NOTION_TOKEN_KEY="another " + PASSPHRASE)
    assert failed.code == 1
    assert "NOTION_TOKEN_KEY" in failed.err
    assert PASSPHRASE not in failed.err + failed.out


@pytest.mark.parametrize("passphrase", ["xyzxyz", "ü" * 15 + "x"])
def test_a_short_passphrase_is_told_in_one_sentence_that_does_not_hold_it(site: Site, passphrase: str) -> None:
    ended = site.command("sync-all", NOTION_TOKEN_KEY=passphrase)
    assert ended.code == 2
    assert "32 bytes" in ended.sentence
    assert passphrase not in ended.sentence


def test_no_flag_takes_the_key(site: Site) -> None:
    assert site.command("sync-all", "--token-key", PASSPHRASE).code == 2


def test_the_missing_library_is_named(tmp_path: Path) -> None:
    """A Python with everything but that: the installed packages, linked one by one."""
    for package in Path(cryptography.__file__).parents[1].iterdir():
        if not package.name.startswith(("cryptography", "__editable__", "notion_pg_sync")):
            (tmp_path / package.name).symlink_to(package)
    (tmp_path / "notion_pg_sync").symlink_to(Path(__file__).parents[2] / "notion_pg_sync")
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "notion_pg_sync", "sync-all"],
        env={
            **BARE,
            "PYTHONPATH": str(tmp_path),
            "DATABASE_URL": "postgresql:///nowhere",
            "NOTION_TOKEN_KEY": PASSPHRASE,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.splitlines() == [
        "notion-pg-sync: NOTION_TOKEN_KEY is set, but what opens encrypted tokens is not installed: "
        f"in a clone of the repository, run {installer()} '.[encryption]'."
    ]


def _characters(site: Site) -> str:
    return json.dumps({"Characters": site.small.databases["Characters"]})
