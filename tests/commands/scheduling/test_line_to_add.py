"""The line that doctor says to add is the one that cron needs, and holds no password."""

from __future__ import annotations

import shutil
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from notion_pg_sync.commands.doctor.scheduling.crontab import read_crontab
from notion_pg_sync.commands.doctor.scheduling.line_to_add import line_to_add, own_command, settings_to_add


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sync:s3cr3t@db.example.com:5433/app?sslmode=require",
        "postgresql://sync@db.example.com:5433/app?sslmode=require&password=s3cr3t",
        "host=db.example.com port=5433 user=sync password=s3cr3t dbname=app sslmode=require",
    ],
)
def test_a_password_is_left_out_of_either_form(url: str) -> None:
    (setting,) = settings_to_add({"DATABASE_URL": url})
    assert "s3cr3t" not in setting
    assert ("://" in setting) == (":s3cr3t@" in url)
    kept = conninfo_to_dict(setting.removeprefix("DATABASE_URL="))
    assert kept == {name: value for name, value in conninfo_to_dict(url).items() if name != "password"}


def test_what_cannot_be_read_is_not_shown() -> None:
    assert settings_to_add({"DATABASE_URL": "postgresql://sync:s3cr3t@[db/app"}) == [
        "DATABASE_URL=postgresql://user@host:5432/name"
    ]


def test_the_folder_of_an_embedded_server_is_taken_up(tmp_path: Path) -> None:
    environment = {"NOTION_PG_SYNC_DATA_DIR": str(tmp_path)}
    assert settings_to_add(environment) == ["DATABASE_URL=postgresql://user@host:5432/name"]
    (tmp_path / "data").mkdir()
    assert settings_to_add(environment) == [f"NOTION_PG_SYNC_DATA_DIR={tmp_path}"]


def test_another_address_than_notions_is_taken_up() -> None:
    environment = {"PGHOST": "/run/postgresql", "NOTION_BASE_URL": "http://127.0.0.1:8787"}
    assert settings_to_add(environment) == ["PGHOST=/run/postgresql", "NOTION_BASE_URL=http://127.0.0.1:8787"]


def test_this_installation_is_found_from_anywhere() -> None:
    assert shutil.which(own_command(), path="/nowhere") is not None


@given(
    st.text(string.ascii_letters + string.digits + "/._-", min_size=1).map(lambda host: f"/{host}"),
    # cron cuts blanks at the end, and has no way to write a value that begins with one quote and holds the other.
    st.text(string.ascii_letters + string.digits + " '$\\`!%&|;<>()*#", max_size=12).map(str.rstrip),
)
def test_a_shell_makes_of_it_the_lines_that_were_meant(host: str, user: str) -> None:
    command = line_to_add({"PGHOST": host, "PGUSER": user}, "notion-pg-sync")
    assert command.startswith("(crontab -l 2>/dev/null; ")
    assert command.endswith(") | crontab -")
    said = subprocess.run(
        ["/bin/sh", "-c", command.replace("crontab -l", "true").replace("| crontab -", "")],
        capture_output=True,
        text=True,
        check=True,
    )
    crontab = read_crontab(said.stdout, with_user=False)
    (entry,) = crontab.entries
    assert (crontab.errors, entry.schedule, entry.command) == ((), "*/15 * * * *", "notion-pg-sync sync-all")
    assert entry.variables == {"PGHOST": host, **({"PGUSER": user} if user else {})}
