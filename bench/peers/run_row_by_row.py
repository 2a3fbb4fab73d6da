"""What one writes in an evening: `run_row_by_row.py URL TOKEN DATA_SOURCE_ID`, with `DATABASE_URL`.

One answer after the other, one statement a row, committed at the end.
"""

from __future__ import annotations

import os
import sys

import httpx
import psycopg
from psycopg.types.json import Jsonb


def read(url: str, token: str, data_source_id: str) -> None:
    """Reads every page of a data source into the table `row_by_row`."""
    headers = {"Authorization": f"Bearer {token}", "Notion-Version": "2026-03-11"}
    body: dict[str, object] = {"page_size": 100}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=60) as client,
        psycopg.connect(os.environ["DATABASE_URL"]) as connection,
    ):
        connection.execute("CREATE TABLE row_by_row (id uuid PRIMARY KEY, page jsonb NOT NULL)")
        while True:
            answer = client.post(f"/v1/data_sources/{data_source_id}/query", json=body).json()
            for page in answer["results"]:
                connection.execute(
                    "INSERT INTO row_by_row VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET page = excluded.page",
                    (page["id"], Jsonb(page)),
                )
            if not answer["has_more"]:
                return
            body["start_cursor"] = answer["next_cursor"]


if __name__ == "__main__":
    read(*sys.argv[1:4])
