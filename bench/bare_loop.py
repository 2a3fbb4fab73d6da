"""The least that any copy in PostgreSQL must do: fetch the pages of a data source and hand them on, unread.

`python -m bench.bare_loop URL TOKEN DATA_SOURCE_ID`, with `DATABASE_URL`, fills the table `bare_loop`. While an answer
is written the next is fetched, PostgreSQL takes the answers apart, and nothing is exact: no value is completed,
compared or removed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import orjson
import psycopg

from notion_pg_sync.notion.client import NOTION_VERSION

_NEXT = re.compile(rb'"next_cursor":"([^"]+)"')
Body = dict[str, object]


def following(body: Body, answer: bytes) -> Body | None:
    """What to ask after an answer, past the cap as well; None behind the last."""
    if found := _NEXT.search(answer):
        return body | {"start_cursor": found[1].decode()}
    if b'"request_status"' not in answer:
        return None
    since = orjson.loads(answer)["results"][-1]["created_time"]
    rest = {key: value for key, value in body.items() if key != "start_cursor"}
    return rest | {"filter": {"timestamp": "created_time", "created_time": {"on_or_after": since}}}


def answers(url: str, token: str, data_source_id: str) -> Iterator[bytes]:
    """Every answer of a data source; the next one is on its way while one is used."""
    headers = {"Authorization": f"Bearer {token}", "Notion-Version": NOTION_VERSION}

    def ask(body: Body) -> bytes:
        return client.post(f"/v1/data_sources/{data_source_id}/query", json=body).raise_for_status().content

    first: Body = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}], "page_size": 100}
    body: Body | None = first
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client, ThreadPoolExecutor(1) as beside:
        coming = beside.submit(ask, first)
        while body is not None:
            answer = coming.result()
            body = following(body, answer)
            if body is not None:
                coming = beside.submit(ask, body)
            yield answer


def copy(url: str, token: str, data_source_id: str) -> None:
    """Writes each answer's pages with one statement, without waiting for what the last one came to."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("DROP TABLE IF EXISTS bare_loop; CREATE TABLE bare_loop (page jsonb NOT NULL)")
        with connection.pipeline():
            for answer in answers(url, token, data_source_id):
                connection.execute(
                    "INSERT INTO bare_loop SELECT jsonb_array_elements(%s::jsonb -> 'results')", (answer.decode(),)
                )


if __name__ == "__main__":
    copy(*sys.argv[1:4])
