"""dlt, its REST API source into PostgreSQL: `run_dlt.py URL TOKEN DATA_SOURCE_ID`, with `DATABASE_URL`.

Properties stay JSON (`max_table_nesting=0`): as columns and tables of their own, dlt's default, the same rows take
longer.
"""

from __future__ import annotations

import os
import sys
import tempfile
from urllib.parse import quote

import dlt
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
from dlt.sources.rest_api import rest_api_source
from psycopg2.extensions import parse_dsn


def credentials(database_url: str) -> str:
    """The URL that dlt takes, which must name host, port and password; a socket's folder goes into its parameters."""
    given = parse_dsn(database_url)
    user, host = quote(given["user"]), quote(given.get("host", ""), safe="")
    password, port = quote(given.get("password", "none")), given.get("port", "5432")
    return f"postgresql://{user}:{password}@localhost:{port}/{given['dbname']}?host={host}"


def read(url: str, token: str, data_source_id: str) -> None:
    """Reads every page of a data source into `notion.pages`."""
    paginator = JSONResponseCursorPaginator(cursor_path="next_cursor", cursor_body_path="start_cursor")
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{url}/v1/",
                "headers": {"Notion-Version": "2026-03-11"},
                "auth": {"type": "bearer", "token": token},
                "paginator": paginator,
            },
            "resources": [
                {
                    "name": "pages",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": f"data_sources/{data_source_id}/query",
                        "method": "POST",
                        "json": {"page_size": 100},
                        "data_selector": "results",
                    },
                }
            ],
        },
        max_table_nesting=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(credentials(os.environ["DATABASE_URL"])),
            dataset_name="notion",
        )
        pipeline.run(source).raise_on_failed_jobs()


if __name__ == "__main__":
    read(*sys.argv[1:4])
