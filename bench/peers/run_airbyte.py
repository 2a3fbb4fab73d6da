"""Airbyte's source for Notion, without a database: `run_airbyte.py URL TOKEN DATA_SOURCE_ID` prints its messages.

Its stream `pages` asks Notion's search, which is not exhaustive; here it asks the data source's query instead. All
else, the reading, its types, its state and its messages, is the package's own.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from source_notion import SourceNotion

_CONFIG = {"start_date": "2000-01-01T00:00:00.000Z"}


class Source(SourceNotion):
    """The package's source, with another address to read pages from."""

    # Where the package looks for its manifest.
    __module__ = SourceNotion.__module__
    address = ("", "")

    def _read_and_parse_yaml_file(self, path_to_yaml_file: str) -> Any:
        manifest = super()._read_and_parse_yaml_file(path_to_yaml_file)
        url, data_source_id = self.address
        for stream in manifest["streams"]:
            if stream["name"] == "pages":
                requester = stream["retriever"]["requester"]
                requester["url_base"] = f"{url}/v1/"
                requester["path"] = f"data_sources/{data_source_id}/query"
                requester["request_headers"] = {"Notion-Version": "2026-03-11"}
                requester["request_body_json"] = {}
        return manifest


def read(url: str, token: str, data_source_id: str) -> None:
    """Reads every page of a data source, as the platform has a source read."""
    Source.address = (url, data_source_id)
    config = _CONFIG | {"credentials": {"auth_type": "token", "token": token}}
    stream = {
        "name": "pages",
        "json_schema": {},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": ["last_edited_time"],
    }
    catalog = {
        "streams": [
            {
                "stream": stream,
                "sync_mode": "incremental",
                "destination_sync_mode": "append",
                "cursor_field": ["last_edited_time"],
            }
        ]
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, content in {"config": config, "catalog": catalog}.items():
            paths[name] = Path(folder, f"{name}.json")
            paths[name].write_text(json.dumps(content), encoding="utf-8")
        source = Source(Source.read_catalog(str(paths["catalog"])), config, None)
        launch(source, ["read", "--config", str(paths["config"]), "--catalog", str(paths["catalog"])])


if __name__ == "__main__":
    read(*sys.argv[1:4])
