"""The parts of the schema `notion_sync` at each version of its tables, which the migrations make one after the other:
`python -m docs.made.bookkeeping` writes `notion_pg_sync/mirror/bookkeeping.json`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import psycopg

from notion_pg_sync.embedded.server import EmbeddedPostgres
from notion_pg_sync.mirror.bookkeeping import PARTS
from notion_pg_sync.mirror.migrations import migrations, statements_of

LISTED = Path(__file__).parents[2] / "notion_pg_sync" / "mirror" / "bookkeeping.json"


def listed(database_url: str) -> str:
    """The list as it should be, by what the migrations make of an empty database."""
    places: dict[tuple[str, str], tuple[int, str, int]] = {}
    versions: dict[tuple[str, str], list[int]] = {}
    with psycopg.connect(database_url) as connection:
        connection.execute("SET search_path = pg_catalog, pg_temp")
        for step in migrations():
            connection.execute(statements_of(step))
            for name, statement, place, number in connection.execute(PARTS).fetchall():
                places[name, statement] = place, name.partition(".")[0], number
                versions.setdefault((name, statement), []).append(step.version)
    newest = migrations()[-1].version
    parts = [
        [name, statement, of[0], *([] if of[-1] == newest else [of[-1] + 1])]
        for (name, statement), of in sorted(versions.items(), key=lambda one: (places[one[0]], one))
    ]
    return "[\n" + ",\n".join(map(json.dumps, parts)) + "\n]\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        LISTED.write_text(listed(server.url), encoding="utf-8")
