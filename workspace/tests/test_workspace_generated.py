"""Generated data sources: computed rows, windows of time, edits laid over them, flat memory."""

import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace
from notion_workspace.generated import Generated

Connect = Callable[..., httpx.Client]
ReadAll = Callable[..., list[dict[str, Any]]]

ASCENDING = [{"timestamp": "created_time", "direction": "ascending"}]


def add(workspace: SampleWorkspace, rows: int, **options: Any) -> Generated:
    handle = workspace.add_generated_database("Rows", rows, **options)
    workspace.share("anna", "Rows")
    generated = workspace.state.data_sources[handle.data_source_id].generated
    assert generated is not None
    return generated


def within(low: str, high: str, field: str = "created_time") -> dict[str, Any]:
    return {"and": [{"timestamp": field, field: {"on_or_after": low}}, {"timestamp": field, field: {"before": high}}]}


@pytest.mark.parametrize("history", ["even", "uneven", "one_minute"])
def test_creation_times_never_fall_and_stay_in_the_span(workspace: SampleWorkspace, history: str) -> None:
    rows = add(workspace, 2_000, history=history)
    times = [rows.time_of(index) for index in range(2_000)]
    assert times == sorted(times)
    assert rows.first <= times[0]
    assert times[-1] <= workspace.clock.now


def test_an_uneven_history_has_90_percent_in_one_hour(workspace: SampleWorkspace) -> None:
    rows = add(workspace, 10_000, history="uneven")
    start = (rows.first + rows.last) // 2
    assert rows.first_from(start + 3_600_000) - rows.first_from(start) == 9_000


def test_a_block_of_rows_within_one_minute(workspace: SampleWorkspace) -> None:
    rows = add(workspace, 20_000, history="one_minute", block=(100, 12_000))
    minutes = [rows.time_of(index) // 60_000 for index in (99, 100, 12_099, 12_100)]
    assert minutes[0] < minutes[1] == minutes[2] < minutes[3]


def test_a_history_may_be_a_function(workspace: SampleWorkspace) -> None:
    rows = add(workspace, 10, history=lambda index, _rows, first, _last: first + index * 60_000)
    assert rows.time_of(9) - rows.time_of(0) == 9 * 60_000


def test_ids_lead_back_to_rows(workspace: SampleWorkspace, connect: Connect) -> None:
    rows = add(workspace, 1_000_000)
    for index in (0, 1, 77, 999_999):
        assert rows.index_of(rows.page_id(index)) == index
    assert rows.index_of(rows.page_id(1_000_000)) is None
    client = connect(workspace)
    page = client.get(f"/v1/pages/{rows.page_id(77)}").json()
    assert page["properties"]["ID"]["unique_id"] == {"prefix": "GEN", "number": 78}
    assert client.get(f"/v1/pages/{rows.page_id(1_000_000)}").status_code == 404
    ids = [rows.page_id(index) for index in range(100)]
    assert ids != sorted(ids)


@pytest.mark.parametrize("history", ["even", "uneven", "one_minute"])
@pytest.mark.parametrize("direction", ["ascending", "descending"])
def test_windows_part_the_rows(
    workspace: SampleWorkspace, connect: Connect, read_all: ReadAll, history: str, direction: str
) -> None:
    rows = add(workspace, 600, history=history)
    client = connect(workspace)
    sorts = [{"timestamp": "created_time", "direction": direction}]
    bounds = ["2023-01-01T00:00:00Z", "2024-06-01T00:00:00Z", "2025-05-03T22:00:30Z", "2026-01-01", "2027-01-01"]
    seen: list[str] = []
    for low, high in pairwise(bounds):
        pages = read_all(client, rows.data_source_id, filter=within(low, high), sorts=sorts)
        times = [page["created_time"] for page in pages]
        assert times == sorted(times, reverse=direction == "descending")
        seen += [page["id"] for page in pages]
    assert len(seen) == 600
    assert set(seen) == {rows.page_id(index) for index in range(600)}


def test_a_million_rows_cost_no_memory(workspace: SampleWorkspace, connect: Connect) -> None:
    rows = add(workspace, 1_000_000, history="uneven")
    client = connect(workspace)
    path = f"/v1/data_sources/{rows.data_source_id}/query"
    client.post(path, json={"page_size": 1})
    tracemalloc.start()
    try:
        for filters in (within("2025-05-03T21:40:00Z", "2025-05-03T21:42:00Z"), within("2024-01-01", "2025-01-01")):
            answer = client.post(path, json={"filter": filters, "sorts": ASCENDING}).json()
            assert len(answer["results"]) == 100
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * 1024 * 1024


def test_properties_may_be_filtered_and_sorted(workspace: SampleWorkspace, connect: Connect, read_all: ReadAll) -> None:
    rows = add(workspace, 300)
    client = connect(workspace)
    condition = {"property": "ID", "unique_id": {"less_than_or_equal_to": 120}}
    assert len(read_all(client, rows.data_source_id, filter=condition, sorts=ASCENDING)) == 120
    pages = read_all(client, rows.data_source_id, sorts=[{"property": "Amount", "direction": "ascending"}])
    amounts = [page["properties"]["Amount"]["number"] for page in pages]
    assert amounts == sorted(amounts)
    assert len(amounts) == 300


def test_edits_are_laid_over_the_rows(workspace: SampleWorkspace, connect: Connect, read_all: ReadAll) -> None:
    rows = add(workspace, 300)
    client = connect(workspace)
    workspace.clock.advance(3600)
    edited, trashed, deleted, archived = (rows.page_id(index) for index in (5, 6, 7, 8))
    workspace.edit_page(edited, {"Name": "Edited"})
    workspace.trash_page(trashed)
    workspace.delete_page(deleted)
    workspace.archive_page(archived)
    added = workspace.add_page("Rows", {"Name": "Added"})
    pages = read_all(client, rows.data_source_id, sorts=ASCENDING)
    assert len({page["id"] for page in pages}) == len(pages) == 298
    assert not {trashed, deleted, archived} & {page["id"] for page in pages}
    since = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-11-02T10:00:00Z"}}
    recent = read_all(client, rows.data_source_id, filter=since)
    assert {page["id"] for page in recent} == {edited, added}
    assert client.get(f"/v1/pages/{deleted}").status_code == 404
    assert client.get(f"/v1/pages/{trashed}").json()["in_trash"] is True
    assert len(workspace.truth("Rows")) == 298
    assert workspace.truth("Rows")[added]["properties"]["ID"] == "GEN-301"


def test_removed_and_retyped_properties_of_generated_rows(workspace: SampleWorkspace, connect: Connect) -> None:
    rows = add(workspace, 10)
    workspace.remove_property("Rows", "Notes")
    workspace.retype_property("Rows", "Due", {"type": "rich_text"})
    workspace.add_property("Rows", "New", {"type": "number"})
    client = connect(workspace)
    for index in range(10):
        page = client.get(f"/v1/pages/{rows.page_id(index)}").json()["properties"]
        assert "Notes" not in page
        assert (page["Due"]["rich_text"], page["New"]["number"]) == ([], None)


@pytest.mark.parametrize(("properties", "count"), [(8, 8), (60, 60), ("wide", 200)])
def test_as_many_properties_as_asked(workspace: SampleWorkspace, connect: Connect, properties: Any, count: int) -> None:
    rows = add(workspace, 3, properties=properties)
    page = connect(workspace).get(f"/v1/pages/{rows.page_id(0)}").json()
    assert len(page["properties"]) == count


def test_a_share_of_rows_may_hold_long_relations(
    workspace: SampleWorkspace, connect: Connect, read_all: ReadAll
) -> None:
    rows = add(workspace, 1_000, long_relations=0.1)
    pages = read_all(connect(workspace), rows.data_source_id)
    long = [page["id"] for page in pages if page["properties"]["Related"]["has_more"]]
    assert 50 < len(long) < 200
    truth = workspace.truth("Rows")
    assert all(len(truth[one]["properties"]["Related"]) > 25 for one in long)


def test_a_share_of_rows_may_have_a_file_with_a_signature(
    workspace: SampleWorkspace, connect: Connect, read_all: ReadAll
) -> None:
    rows = add(workspace, 1_000, with_files=0.1)
    pages = read_all(connect(workspace), rows.data_source_id)
    urls = [file["file"]["url"] for page in pages for file in page["properties"]["Files"]["files"]]
    assert 50 < len(urls) == len(set(urls)) < 200
    assert all("X-Amz-Signature=" in url for url in urls)


def test_texts_are_as_long_as_asked(workspace: SampleWorkspace) -> None:
    add(workspace, 10, sentences=8)
    assert {row["properties"]["Notes"].count(".") for row in workspace.truth("Rows").values()} == {8}


def test_kept_pages_are_answered_alike_until_something_changes(
    workspace: SampleWorkspace, connect: Connect, read_all: ReadAll
) -> None:
    rows = add(workspace, 300, with_files=0.1)
    client = connect(workspace)
    workspace.configure(kept_pages=200)

    def unsigned() -> list[Any]:
        return [{**page, "properties": {**page["properties"], "Files": None}} for page in read_all(client, source_id)]

    source_id = rows.data_source_id
    signed = read_all(client, source_id)
    first = unsigned()
    assert unsigned() == first
    # Signatures are as new at every read as without.
    assert [page["properties"]["Files"] for page in read_all(client, source_id)] != [
        page["properties"]["Files"] for page in signed
    ]
    workspace.edit_page(first[0]["id"], {"Amount": 4711})
    edited = {page["id"]: page["properties"]["Amount"]["number"] for page in unsigned()}
    assert edited[first[0]["id"]] == 4711
    chosen = client.post(
        f"/v1/data_sources/{source_id}/query", params={"filter_properties": rows_property(workspace, "Amount")}, json={}
    ).json()
    assert {len(page["properties"]) for page in chosen["results"]} == {1}


def rows_property(workspace: SampleWorkspace, name: str) -> str:
    (source,) = workspace.state.data_sources.values()
    return next(prop.id for prop in source.properties.values() if prop.name == name)


def test_the_same_seed_makes_the_same_rows() -> None:
    def build(seed: int) -> dict[str, Any]:
        workspace = SampleWorkspace(seed)
        workspace.add_generated_database("Rows", 50, seed=3)
        return dict(workspace.truth("Rows"))

    assert build(1) == build(1)
    assert build(1).keys() != build(2).keys()
