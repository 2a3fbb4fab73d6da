"""A database renamed in Notion, as a person meets it on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Site


@pytest.fixture
def token_file(tmp_path: Path, site: Site) -> str:
    file = tmp_path / "token"
    file.write_text(site.small.tokens["ben"])
    return str(file)


def test_the_new_title_is_shown_and_adopted_on_request(site: Site, token_file: str) -> None:
    assert site.command("connect", "ben", "--token-file", token_file, "--all", "--sync").code == 0
    assert site.execute("SELECT count(*) FROM notion.library") == [(75,)]
    site.small.workspace.rename_database("Library", "Bücherei")
    assert site.command("sync-all", "--full").code == 0
    shown = site.command("status", "-v")
    assert "Library" in shown.out
    assert "'Bücherei' in Notion" in " ".join(shown.out.split())
    databases = json.loads(site.command("status", "--json").out)["databases"]
    assert [one["title"] for one in databases if one["database"] == "Library"] == ["Bücherei"]
    adopted = site.command("sync", "ben", "Bücherei", "--adopt-name")
    assert (adopted.code, adopted.err) == (0, "")
    assert site.execute('SELECT count(*) FROM notion."bucherei"') == [(75,)]
    assert site.command("sync", "ben", "Library").code == 2
    assert site.command("sync", "ben", "Bücherei").code == 0


def test_connect_names_a_database_of_several_data_sources_by_its_own_title(site: Site, token_file: str) -> None:
    assert site.command("connect", "ben", "--token-file", token_file, "--database", "Library").code == 0
    assert site.execute("SELECT notion_databases FROM user_settings") == [
        ({"Library": site.small.databases["Library"]},)
    ]
