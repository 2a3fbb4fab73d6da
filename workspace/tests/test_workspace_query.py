"""Queries: filters, sorts, page sizes, the cap, archive and trash."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace import literals as lit

Connect = Callable[..., httpx.Client]
ReadAll = Callable[..., list[dict[str, Any]]]
Filter = dict[str, Any]


@pytest.fixture
def zoo(workspace: SampleWorkspace) -> str:
    handle = workspace.add_database(
        "Zoo",
        {
            "Kind": lit.select("Cat", "Dog"),
            "State": lit.status(),
            "Note": lit.rich_text(),
            "Age": lit.number(),
            "Tame": lit.checkbox(),
            "ID": lit.unique_id("ZOO"),
            "Tags": lit.multi_select(),
            "Born": lit.date(),
        },
        [
            {"Name": "Alpha", "Kind": "Cat", "State": "Done", "Note": "Likes Fish", "Age": 3, "Tame": True},
            {"Name": "beta", "Kind": "Dog", "Age": 5, "Tags": ["big"], "Born": "2020-05-01"},
            {"Name": "Gamma", "Note": "fishes", "Age": -1.5, "Born": "2021-05-01T10:00:00.000+02:00"},
            {"Kind": "Cat", "Tame": True},
        ],
        pace=60,
    )
    workspace.share("anna", "Zoo")
    return handle.data_source_id


def names(pages: list[dict[str, Any]]) -> list[str]:
    return ["".join(item["plain_text"] for item in page["properties"]["Name"]["title"]) for page in pages]


def prop(name: str, kind: str, operator: str, value: object) -> Filter:
    return {"property": name, kind: {operator: value}}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (prop("Name", "title", "equals", "Alpha"), "Alpha"),
        (prop("Name", "title", "does_not_equal", "Alpha"), "beta Gamma -"),
        (prop("Name", "title", "contains", "A"), "Alpha beta Gamma"),
        (prop("Name", "title", "does_not_contain", "m"), "Alpha beta -"),
        (prop("Name", "title", "starts_with", "al"), "Alpha"),
        (prop("Name", "title", "ends_with", "MA"), "Gamma"),
        (prop("Name", "title", "is_empty", True), "-"),
        (prop("Note", "rich_text", "contains", "FISH"), "Alpha Gamma"),
        (prop("Note", "rich_text", "is_not_empty", True), "Alpha Gamma"),
        (prop("Kind", "select", "equals", "Cat"), "Alpha -"),
        (prop("Kind", "select", "does_not_equal", "Cat"), "beta Gamma"),
        (prop("Kind", "select", "is_empty", True), "Gamma"),
        (prop("State", "status", "equals", "Done"), "Alpha"),
        (prop("State", "status", "is_not_empty", True), "Alpha"),
        (prop("Tame", "checkbox", "equals", True), "Alpha -"),
        (prop("Tame", "checkbox", "does_not_equal", True), "beta Gamma"),
        (prop("Age", "number", "equals", 3), "Alpha"),
        (prop("Age", "number", "does_not_equal", 3), "beta Gamma -"),
        (prop("Age", "number", "greater_than", 3), "beta"),
        (prop("Age", "number", "less_than", 0), "Gamma"),
        (prop("Age", "number", "greater_than_or_equal_to", 3), "Alpha beta"),
        (prop("Age", "number", "less_than_or_equal_to", 3), "Alpha Gamma"),
        (prop("Age", "number", "is_empty", True), "-"),
        (prop("ID", "unique_id", "greater_than", 2), "Gamma -"),
        (prop("ID", "unique_id", "less_than_or_equal_to", 2), "Alpha beta"),
        (prop("Tags", "multi_select", "contains", "big"), "beta"),
        (prop("Born", "date", "on_or_after", "2021-01-01"), "Gamma"),
        (prop("Born", "date", "is_empty", True), "Alpha -"),
        ({"and": [prop("Tame", "checkbox", "equals", True), prop("Age", "number", "is_not_empty", True)]}, "Alpha"),
        ({"or": [prop("Age", "number", "equals", 5), prop("Age", "number", "equals", 3)]}, "Alpha beta"),
        (
            {"and": [prop("Kind", "select", "equals", "Cat"), {"or": [prop("Age", "number", "equals", 3)]}]},
            "Alpha",
        ),
        ({"timestamp": "created_time", "created_time": {"is_not_empty": True}}, "Alpha beta Gamma -"),
        ({"timestamp": "last_edited_time", "last_edited_time": {"is_empty": True}}, ""),
        ({"timestamp": "created_time", "created_time": {"past_week": {}}}, "Alpha beta Gamma -"),
        ({"timestamp": "created_time", "created_time": {"on_or_after": "today"}}, "Alpha beta Gamma -"),
    ],
)
def test_filters(
    *, workspace: SampleWorkspace, zoo: str, connect: Connect, read_all: ReadAll, condition: Filter, found: str
) -> None:
    pages = read_all(connect(workspace), zoo, filter=condition)
    assert sorted(name or "-" for name in names(pages)) == sorted(found.split())


def test_properties_go_by_name_or_id(workspace: SampleWorkspace, zoo: str, connect: Connect, read_all: ReadAll) -> None:
    age = workspace.state.data_sources[zoo].find_property("Age")
    assert age is not None
    for name in (age.name, age.id, age.encoded_id):
        assert names(read_all(connect(workspace), zoo, filter=prop(name, "number", "equals", 3))) == ["Alpha"]


@pytest.mark.parametrize(
    "condition",
    [
        prop("Nope", "number", "equals", 3),
        prop("Age", "number", "resembles", 3),
        prop("Age", "number", "equals", "3"),
        prop("Age", "title", "equals", "3"),
        prop("Tame", "checkbox", "equals", 1),
        {"and": []},
        {"and": [{"or": [{"and": [prop("Age", "number", "equals", 3)]}]}]},
        {"timestamp": "birth", "birth": {"after": "2020-01-01"}},
        {"timestamp": "created_time", "created_time": {"after": "soon"}},
        {"timestamp": "created_time", "created_time": {"around": "2020-01-01"}},
        {"timestamp": [], "created_time": {"after": "2020-01-01"}},
        {},
        [],
    ],
)
def test_filters_that_notion_refuses(workspace: SampleWorkspace, zoo: str, connect: Connect, condition: Filter) -> None:
    answer = connect(workspace).post(f"/v1/data_sources/{zoo}/query", json={"filter": condition})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


@pytest.mark.parametrize(
    ("operator", "value", "exact", "minute"),
    [
        ("equals", "2026-11-02T10:00:00Z", "", "B"),
        ("equals", "2026-11-02T10:00:30Z", "B", ""),
        ("before", "2026-11-02T10:00:30Z", "A", "AB"),
        ("before", "2026-11-02T10:00:00Z", "A", "A"),
        ("after", "2026-11-02T10:00:00Z", "BC", "C"),
        ("on_or_before", "2026-11-02T10:00:00Z", "A", "AB"),
        ("on_or_after", "2026-11-02T10:00:30Z", "BC", "C"),
        ("on_or_after", "2026-11-02T10:00:00+00:00", "BC", "BC"),
        ("on_or_after", "2026-11-02T11:00:00.000+01:00", "BC", "BC"),
        ("equals", "2026-11-02", "ABC", "ABC"),
        ("before", "2026-11-02", "", ""),
        ("after", "2026-11-01", "ABC", "ABC"),
    ],
)
@pytest.mark.parametrize("field", ["created_time", "last_edited_time"])
def test_timestamp_filters_compare_exact_or_rounded_times(
    *, workspace: SampleWorkspace, connect: Connect, read_all: ReadAll,
    field: str, operator: str, value: str, exact: str, minute: str,
) -> None:  # fmt: skip
    source = workspace.add_database("T").data_source_id
    workspace.share("anna", "T")
    for name, time in (("A", "09:59:59"), ("B", "10:00:30"), ("C", "10:01:00")):
        workspace.clock.set(f"2026-11-02T{time}Z")
        workspace.add_page("T", {"Name": name})
    client = connect(workspace)
    condition = {"timestamp": field, field: {operator: value}}
    assert "".join(sorted(names(read_all(client, source, filter=condition)))) == exact
    workspace.configure(filter_precision="minute")
    assert "".join(sorted(names(read_all(client, source, filter=condition)))) == minute


@pytest.mark.parametrize("direction", ["ascending", "descending"])
@pytest.mark.parametrize("field", ["created_time", "last_edited_time"])
def test_sorts_by_time(small: SmallWorkspace, connect: Connect, read_all: ReadAll, field: str, direction: str) -> None:
    sorts = [{"timestamp": field, "direction": direction}]
    pages = read_all(connect(small.workspace), small.data_sources["Chat Sessions"], sorts=sorts)
    times = [page[field] for page in pages]
    assert len(pages) == 250
    assert times == sorted(times, reverse=direction == "descending")


def test_ties_are_in_no_order_of_ids_or_creation(small: SmallWorkspace, connect: Connect, read_all: ReadAll) -> None:
    sorts = [{"timestamp": "created_time", "direction": "ascending"}]
    client = connect(small.workspace)
    pages = read_all(client, small.data_sources["Chat Sessions"], sorts=sorts)
    assert names(pages) != [f"Session {number}" for number in range(1, 251)]
    assert [page["id"] for page in pages] != sorted(page["id"] for page in pages)
    assert pages == read_all(client, small.data_sources["Chat Sessions"], sorts=sorts)


def test_sorts_by_property_with_empty_values_last(
    workspace: SampleWorkspace, zoo: str, connect: Connect, read_all: ReadAll
) -> None:
    for direction, order in (("ascending", "Gamma Alpha beta "), ("descending", "beta Alpha Gamma ")):
        sorts = [{"property": "Age", "direction": direction}]
        assert " ".join(names(read_all(connect(workspace), zoo, sorts=sorts))) == order


@pytest.mark.parametrize(
    "sorts", [{}, None, [{"property": "Nope"}], [{"timestamp": "age"}], [{"property": "Age", "direction": 1}]]
)
def test_sorts_that_notion_refuses(workspace: SampleWorkspace, zoo: str, connect: Connect, sorts: object) -> None:
    assert connect(workspace).post(f"/v1/data_sources/{zoo}/query", json={"sorts": sorts}).status_code == 400


def test_without_sorts_the_order_is_unspecified_but_stays(
    small: SmallWorkspace, connect: Connect, read_all: ReadAll
) -> None:
    client, source = connect(small.workspace), small.data_sources["Chat Sessions"]
    first = names(read_all(client, source))
    assert first == names(read_all(client, source, page_size=33))
    assert first != [f"Session {number}" for number in range(1, 251)]


@pytest.mark.parametrize("size", [0, -1, 101, "10", True])
def test_page_sizes_outside_1_to_100_are_refused(
    workspace: SampleWorkspace, zoo: str, connect: Connect, size: object
) -> None:
    assert connect(workspace).post(f"/v1/data_sources/{zoo}/query", json={"page_size": size}).status_code == 400


def test_unknown_parameters_and_bad_json_are_refused(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client, path = connect(workspace), f"/v1/data_sources/{zoo}/query"
    refused: list[Filter] = [{"in_trash": True}, {"start_cursor": None}, {"filter": None}, {"result_type": "row"}]
    for body in refused:
        assert client.post(path, json=body).json()["code"] == "validation_error"
    assert client.post(path, content=b"{").json()["code"] == "invalid_json"
    assert client.post(path).status_code == 200


def test_answers_may_hold_fewer_rows_than_asked(small: SmallWorkspace, connect: Connect, read_all: ReadAll) -> None:
    client, source = connect(small.workspace), small.data_sources["Chat Sessions"]
    small.workspace.configure(short_pages=True)
    first = client.post(f"/v1/data_sources/{source}/query", json={}).json()
    assert first["has_more"]
    assert 0 < len(first["results"]) < 100
    assert len({page["id"] for page in read_all(client, source)}) == 250


@pytest.mark.parametrize(("cap", "incomplete"), [(249, True), (250, False), (251, False), (200, True)])
def test_a_query_yields_no_more_than_the_cap(
    small: SmallWorkspace, connect: Connect, cap: int, incomplete: bool
) -> None:
    small.workspace.configure(query_cap=cap)
    client, rows, cursor = connect(small.workspace), 0, None
    while True:
        body: Filter = {"start_cursor": cursor} if cursor else {}
        answer = client.post(f"/v1/data_sources/{small.data_sources['Chat Sessions']}/query", json=body).json()
        rows, cursor = rows + len(answer["results"]), answer["next_cursor"]
        if not answer["has_more"]:
            break
        assert "request_status" not in answer
    assert (rows, cursor) == (min(cap, 250), None)
    told = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    assert answer.get("request_status") == (told if incomplete else None)


@pytest.mark.parametrize(
    ("mark", "marked"), [("last", [False, False, True]), ("first", [True, False, False]), ("every", [True] * 3)]
)
def test_any_answer_may_say_that_its_query_is_cut(
    small: SmallWorkspace, connect: Connect, mark: str, marked: list[bool]
) -> None:
    small.workspace.configure(query_cap=150, incomplete_mark=mark)
    client, cursor = connect(small.workspace), None
    found: list[bool] = []
    while not found or cursor:
        body: Filter = {"page_size": 50, **({"start_cursor": cursor} if cursor else {})}
        answer = client.post(f"/v1/data_sources/{small.data_sources['Chat Sessions']}/query", json=body).json()
        found.append("request_status" in answer)
        cursor = answer["next_cursor"]
    assert found == marked
    small.workspace.configure(query_cap=250)
    whole = client.post(f"/v1/data_sources/{small.data_sources['Chat Sessions']}/query", json={}).json()
    assert "request_status" not in whole


def test_the_cap_is_10_000_by_default(workspace: SampleWorkspace, connect: Connect, read_all: ReadAll) -> None:
    source = workspace.add_generated_database("Rows", 10_001).data_source_id
    workspace.share("anna", "Rows")
    assert len(read_all(connect(workspace), source)) == 10_000


def test_archived_pages_are_listed_only_when_asked(
    workspace: SampleWorkspace, zoo: str, connect: Connect, read_all: ReadAll
) -> None:
    page = next(row["id"] for row in workspace.truth("Zoo").values() if row["properties"]["Name"] == "Alpha")
    workspace.archive_page(page)
    client = connect(workspace)
    assert "Alpha" not in names(read_all(client, zoo))
    assert names(read_all(client, zoo, is_archived=True)) == ["Alpha"]
    assert names(read_all(client, zoo, is_archived=True, filter=prop("Age", "number", "equals", 5))) == []
    shown = client.get(f"/v1/pages/{page}").json()
    assert (shown["is_archived"], shown["in_trash"]) == (True, False)
    assert client.post(f"/v1/data_sources/{zoo}/query", json={"is_archived": "yes"}).status_code == 400


def test_filter_properties_go_by_name_or_decoded_id(workspace: SampleWorkspace, zoo: str, connect: Connect) -> None:
    client, path = connect(workspace), f"/v1/data_sources/{zoo}/query"
    properties = workspace.state.data_sources[zoo].properties.values()
    chosen = next(prop for prop in properties if prop.id != prop.encoded_id)
    for asked in (chosen.id, chosen.name):
        answer = client.post(path, json={}, params={"filter_properties": [asked, "title"]}).json()
        assert {name for page in answer["results"] for name in page["properties"]} == {chosen.name, "Name"}
    assert client.post(path, json={}, params={"filter_properties": chosen.encoded_id}).status_code == 400
    page = workspace.page_ids("Zoo")[0]
    shown = client.get(f"/v1/pages/{page}", params={"filter_properties": chosen.id}).json()
    assert list(shown["properties"]) == [chosen.name]


def test_a_wiki_lists_the_data_sources_inside(workspace: SampleWorkspace, connect: Connect, zoo: str) -> None:
    inside = workspace.add_database("Inside", wiki="Zoo")
    workspace.share("anna", "Inside")
    path = f"/v1/data_sources/{zoo}/query"
    answer = connect(workspace).post(path, json={"result_type": "data_source"}).json()
    assert [(one["object"], one["id"]) for one in answer["results"]] == [("data_source", inside.data_source_id)]
    kinds = [one["object"] for one in connect(workspace).post(path, json={}).json()["results"]]
    assert kinds == [*["page"] * (len(kinds) - 1), "data_source"]
    kinds = [one["object"] for one in connect(workspace).post(path, json={"result_type": "page"}).json()["results"]]
    assert set(kinds) == {"page"}


def test_a_page_within_a_page_of_a_wiki_is_listed_and_names_that_page(
    workspace: SampleWorkspace, connect: Connect, zoo: str, read_all: ReadAll
) -> None:
    outer, inner = workspace.page_ids("Zoo")[:2]
    workspace.nest_page(inner, outer)
    client = connect(workspace)
    parents = {page["id"]: page["parent"] for page in read_all(client, zoo)}
    assert parents[inner] == {"type": "page_id", "page_id": outer}
    assert client.get(f"/v1/pages/{inner}").json()["parent"] == parents[inner]
    assert parents[outer]["data_source_id"] == zoo
    workspace.nest_page(inner, None)
    assert client.get(f"/v1/pages/{inner}").json()["parent"]["data_source_id"] == zoo


def test_queries_may_lag_behind_edits(
    workspace: SampleWorkspace, zoo: str, connect: Connect, read_all: ReadAll
) -> None:
    """A new page is not found, an edited one goes by its former time, until the lag is over."""
    workspace.configure(index_lag=90)
    workspace.clock.set("2026-11-02T12:00:00Z")
    client = connect(workspace)
    edited = next(row["id"] for row in workspace.truth("Zoo").values() if row["properties"]["Name"] == "Alpha")
    workspace.edit_page(edited, {"Age": 4})
    workspace.add_page("Zoo", {"Name": "New"})
    since = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-11-02T12:00:00Z"}}
    assert (len(read_all(client, zoo)), read_all(client, zoo, filter=since)) == (4, [])
    workspace.clock.advance(60)
    workspace.edit_page(edited, {"Age": 5})
    assert read_all(client, zoo, filter=since) == []
    assert client.get(f"/v1/pages/{edited}").json()["properties"]["Age"]["number"] == 5
    workspace.clock.advance(90)
    assert sorted(names(read_all(client, zoo, filter=since))) == ["Alpha", "New"]
    assert len(read_all(client, zoo)) == 5
