"""notion2pg: `run_notion2pg.py URL TOKEN DATA_SOURCE_ID`, with `DATABASE_URL`, writes the table `notion2pg`.

It asks as one did in 2021. What has changed since is bridged: it asks a database where Notion now has data sources, and
fails on unique ids, which are left out. Its wait of a second before every request is left out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import httpx
import notion2pg

_VERSION = "2026-03-11"


def read(url: str, token: str, data_source_id: str) -> None:
    """Reads a data source into a table of its own, made anew."""

    def bridged(send: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
        def sent(address: str, headers: dict[str, str], **options: Any) -> httpx.Response:
            _, _, rest = address.partition("/databases/")
            query = rest.partition("/")[2]
            path = f"{url}/v1/data_sources/{data_source_id}" + (f"/{query}" if query else "")
            return send(path, headers=headers | {"Notion-Version": _VERSION}, **options)

        return sent

    notion2pg.httpx.get, notion2pg.httpx.post = bridged(httpx.get), bridged(httpx.post)
    notion2pg.DELAY = 0
    get_database = notion2pg.get_database

    def without_unique_ids(database_id: str, token: str) -> dict[str, Any]:
        database: dict[str, Any] = get_database(database_id, token)
        known = {name: prop for name, prop in database["properties"].items() if prop["type"] != "unique_id"}
        return database | {"properties": known}

    notion2pg.get_database = without_unique_ids
    os.environ["NOTION_TOKEN"], os.environ["POSTGRESQL_DSN"] = token, os.environ["DATABASE_URL"]
    notion2pg.sync_database(data_source_id.replace("-", ""), "notion2pg", drop_existing=True)


if __name__ == "__main__":
    read(*sys.argv[1:4])
