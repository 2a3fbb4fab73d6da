"""The memory that the real command takes, whatever the size of pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reliability.conftest import UNPACED, WELL, Place

pytestmark = pytest.mark.slow

MOST_KILOBYTES = 150 * 1024


def test_pages_of_200_properties_stay_below_150_megabytes(place: Place) -> None:
    workspace = place.small.workspace
    wide = workspace.add_generated_database("Wide", rows=1500, properties="wide")
    workspace.share("anna", wide.id)
    place.connect("anna", place.small.tokens["anna"], json.dumps({"Wide": wide.id}))
    for arguments in ((), ("--full",)):
        ended, peak = place.run_measured("sync-all", *arguments, *UNPACED)
        assert ended == WELL
        print(f"{peak // 1024} MB of memory at the most")
        assert peak < MOST_KILOBYTES


def test_pages_of_two_and_a_half_megabytes_stay_below_150_megabytes(place: Place) -> None:
    workspace = place.small.workspace
    large = workspace.add_generated_database("Large", rows=60)
    workspace.share("anna", large.id)
    place.connect("anna", place.small.tokens["anna"], json.dumps({"Large": large.id}))

    def enlarged(body: dict[str, Any]) -> dict[str, Any]:
        text = "".join(chr(0x4E00 + number % 2000) for number in range(40_000))
        item = {"type": "text", "text": {"content": text, "link": None}, "plain_text": text, "href": None}
        value = {"id": "long", "type": "rich_text", "rich_text": [item] * 10}
        results = [{**page, "properties": {**page["properties"], "Long": value}} for page in body["results"]]
        return {**body, "results": results}

    workspace.faults.add("rewrite", path=f"{large.data_source_id}/query$", rewrite=enlarged)
    ended, peak = place.run_measured("sync-all", *UNPACED)
    assert ended == WELL
    assert place.execute("SELECT count(*) FROM notion_pages_sync WHERE length(properties::text) > 500000") == [(60,)]
    print(f"{peak // 1024} MB of memory at the most")
    assert peak < MOST_KILOBYTES
