"""Files fetched one after the other: `python -m bench.bare_files URL TOKEN DATA_SOURCE_ID FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import orjson

from bench.bare_loop import answers


def fetch(url: str, token: str, data_source_id: str, folder: Path) -> None:
    """Writes each file of the property `Files` into the folder, by one connection."""
    pages = [page for answer in answers(url, token, data_source_id) for page in orjson.loads(answer)["results"]]
    with httpx.Client(timeout=60) as client:
        for page in pages:
            for number, file in enumerate(page["properties"]["Files"]["files"]):
                content = client.get(file["file"]["url"]).raise_for_status().content
                (folder / f"{page['id']}-{number}").write_bytes(content)


if __name__ == "__main__":
    url, token, data_source_id, folder = sys.argv[1:]
    fetch(url, token, data_source_id, Path(folder))
