"""The least that any reader must do: fetch the pages of a data source and decode them. What the tool is held against.

`python -m bench.bare_loop URL TOKEN DATA_SOURCE_ID` prints how many rows it fetched.
"""

from __future__ import annotations

import sys

import httpx

from notion_pg_sync.notion.client import NOTION_VERSION


def fetch(url: str, token: str, data_source_id: str) -> int:
    """Fetches every row, past the cap as well; returns how many came."""
    headers = {"Authorization": f"Bearer {token}", "Notion-Version": NOTION_VERSION}
    body: dict[str, object] = {"sorts": [{"timestamp": "created_time", "direction": "ascending"}], "page_size": 100}
    rows = 0
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        while True:
            answer = client.post(f"/v1/data_sources/{data_source_id}/query", json=body).json()
            rows += len(answer["results"])
            if answer["has_more"]:
                body["start_cursor"] = answer["next_cursor"]
            elif "request_status" in answer:
                since = answer["results"][-1]["created_time"]
                body["filter"] = {"timestamp": "created_time", "created_time": {"on_or_after": since}}
                del body["start_cursor"]
            else:
                return rows


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(*sys.argv[1:4])}\n")
