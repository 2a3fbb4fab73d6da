"""Property values: every type's odd cases, what is cut at 25, what is computed at read time."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notion_workspace import UNSUPPORTED, SampleWorkspace, SmallWorkspace
from notion_workspace import literals as lit

Connect = Callable[..., httpx.Client]
Values = dict[str, Any]


@pytest.fixture
def anna(small: SmallWorkspace, connect: Connect) -> httpx.Client:
    return connect(small.workspace, "anna")


def page_named(small: SmallWorkspace, name: str) -> str:
    rows = small.workspace.truth("Everything").values()
    return next(row["id"] for row in rows if row["properties"]["Name"] == name)


def values_of(client: httpx.Client, page_id: str) -> Values:
    properties: Values = client.get(f"/v1/pages/{page_id}").json()["properties"]
    return {name: value.get(value["type"]) for name, value in properties.items()}


def everything(small: SmallWorkspace, client: httpx.Client, name: str) -> Values:
    return values_of(client, page_named(small, name))


def test_property_ids_are_encoded_except_inside_rollups(small: SmallWorkspace, anna: httpx.Client) -> None:
    schema = anna.get(f"/v1/data_sources/{small.data_sources['Everything']}").json()["properties"]
    ids = {name: prop["id"] for name, prop in schema.items()}
    assert ids["Name"] == "title"
    assert any("%" in one for one in ids.values())
    decoded = {prop.name: prop.id for prop in small.workspace.state.data_sources[
        small.data_sources["Everything"]].properties.values()}  # fmt: skip
    assert schema["Friend count"]["rollup"]["relation_property_id"] == decoded["Friends"]


def test_schema_order_is_not_the_order_of_creation(small: SmallWorkspace, anna: httpx.Client) -> None:
    source = small.data_sources["Everything"]
    served = list(anna.get(f"/v1/data_sources/{source}").json()["properties"])
    made = [prop.name for prop in small.workspace.state.data_sources[source].properties.values()]
    assert sorted(served) == sorted(made)
    assert served != made


def test_empty_values_of_every_type(small: SmallWorkspace, anna: httpx.Client) -> None:
    empty = everything(small, anna, "")
    for name in ("Name", "Text", "Multi", "People", "Files", "Friends"):
        assert empty[name] == [], name
    for name in ("Number", "Select", "Status", "Date", "URL", "Email", "Phone", "Place", "Verification", "Hologram"):
        assert empty[name] is None, name
    assert (empty["Checkbox"], empty["Button"]) == (False, {})
    assert empty["Twice"] == {"type": "number", "number": None}
    assert empty["Friends' sum"] == {"type": "number", "number": 0, "function": "sum"}
    assert empty["Friends' names"] == {"type": "array", "array": [], "function": "show_original"}
    assert empty["Friends' dates"] == {"type": "date", "date": None, "function": "earliest_date"}


@pytest.mark.parametrize(
    ("row", "date"),
    [
        ("Full", {"start": "2026-05-17", "end": None, "time_zone": None}),
        ("Range of days", {"start": "2026-02-27", "end": "2026-03-02", "time_zone": None}),
        ("Zone", {"start": "2026-02-27T10:00:00.000", "end": None, "time_zone": "Europe/Berlin"}),
        ("Moment", {"start": "2026-02-27T18:01:00.000+00:00", "end": None, "time_zone": None}),
        ("Year 1", {"start": "0001-01-01", "end": None, "time_zone": None}),
    ],
)
def test_dates(small: SmallWorkspace, anna: httpx.Client, row: str, date: Values) -> None:
    assert everything(small, anna, row)["Date"] == date


def test_formulas_of_every_result(small: SmallWorkspace, anna: httpx.Client) -> None:
    full = everything(small, anna, "Full")
    assert full["Twice"] == {"type": "number", "number": 85.0}
    assert full["Shout"] == {"type": "string", "string": "FULL"}
    assert full["Positive"] == {"type": "boolean", "boolean": True}
    assert full["Same date"]["date"]["start"] == "2026-05-17"
    assert everything(small, anna, "Unsupported")["Twice"] == {"type": "unsupported", "unsupported": {}}
    assert everything(small, anna, "Unsupported")["Friends' sum"]["type"] == "unsupported"


def test_people_are_persons_bots_groups_and_partial(small: SmallWorkspace, anna: httpx.Client) -> None:
    person, bot, group, partial = everything(small, anna, "Mixed people")["People"]
    assert person.keys() == {"object", "id", "name", "avatar_url", "type", "person"}
    assert bot["bot"] == {}
    assert group.keys() == {"object", "id", "name"}
    assert group["object"] == "group"
    assert partial.keys() == {"object", "id"}


def test_rich_text_of_every_kind(small: SmallWorkspace, anna: httpx.Client) -> None:
    items = everything(small, anna, "Every text")["Text"]
    assert [item["type"] for item in items] == ["text"] * 3 + ["equation"] + ["mention"] * 7
    assert items[1]["annotations"]["bold"] is True
    assert (items[1]["annotations"]["color"], items[2]["href"]) == ("red", "https://example.com")
    mentions = [item["mention"] for item in items[4:]]
    assert [mention["type"] for mention in mentions] == [
        "user", "page", "database", "date", "link_preview", "template_mention", "custom_emoji"
    ]  # fmt: skip
    assert [item["plain_text"] for item in items[4:7]] == ["@Person 00", "World 1", "Worlds"]


def test_signed_urls_change_at_every_read(small: SmallWorkspace, anna: httpx.Client) -> None:
    first, second = (everything(small, anna, "Full")["Files"] for _ in range(2))
    urls = [files[0]["file"]["url"] for files in (first, second)]
    assert urls[0] != urls[1]
    assert urls[0].partition("?")[0] == urls[1].partition("?")[0]
    assert first[0]["file"]["expiry_time"] == "2026-11-02T10:30:27.000Z"
    assert first[1] == {"name": "web", "type": "external", "external": {"url": "https://example.com/a.png?size=2"}}
    cover = anna.get(f"/v1/pages/{page_named(small, 'Full')}").json()["cover"]
    assert "X-Amz-Signature" in cover["file"]["url"]


def test_an_unknown_type_is_served_like_any_other(small: SmallWorkspace, anna: httpx.Client) -> None:
    page = anna.get(f"/v1/pages/{page_named(small, 'Full')}").json()
    assert page["properties"]["Hologram"]["holographic"] == {"depth": 3, "layers": ["red", "green"]}


def test_relations_are_cut_at_25_with_a_signal(small: SmallWorkspace, anna: httpx.Client) -> None:
    page_id = page_named(small, "Related")
    friends = anna.get(f"/v1/pages/{page_id}").json()["properties"]["Friends"]
    assert (len(friends["relation"]), friends["has_more"]) == (25, True)
    assert len(small.workspace.truth("Everything")[page_id]["properties"]["Friends"]) == 40


def test_people_are_cut_at_25_without_a_signal(small: SmallWorkspace, anna: httpx.Client) -> None:
    page_id = page_named(small, "Crowd")
    people = anna.get(f"/v1/pages/{page_id}").json()["properties"]["People"]
    assert (len(people["people"]), people.keys()) == (25, {"id", "type", "people"})
    assert len(small.workspace.truth("Everything")[page_id]["properties"]["People"]) == 30


def test_mentions_past_25_become_plain_text(small: SmallWorkspace, anna: httpx.Client) -> None:
    page_id = next(
        row["id"]
        for row in small.workspace.truth("Everything").values()
        if row["properties"]["Name"].startswith("Mentions")
    )
    values = values_of(anna, page_id)
    for name, texts in (("Name", 1), ("Text", 0)):
        kinds = [item["type"] for item in values[name]]
        assert (kinds.count("mention"), kinds.count("text")) == (25, 5 + texts)
        whole = "".join(item["plain_text"] for item in values[name])
        assert whole == small.workspace.truth("Everything")[page_id]["properties"][name]


def test_many_mentions_of_one_target_come_whole(small: SmallWorkspace, anna: httpx.Client) -> None:
    assert {item["type"] for item in everything(small, anna, "One mention often")["Text"]} == {"mention"}


def test_rollups_and_formulas_see_25_related_pages(small: SmallWorkspace, anna: httpx.Client) -> None:
    related = everything(small, anna, "Related")
    whole = small.workspace.truth("Everything")[page_named(small, "Related")]["properties"]
    assert (related["Friend count"]["number"], whole["Friend count"]) == (25, 40)
    assert (len(related["Friends' names"]["array"]), len(whole["Friends' names"])) == (25, 40)
    first = small.workspace.truth("Stories")
    story = next(row for row in first.values() if row["properties"]["Title"] == "Story 1")
    served = values_of(anna, story["id"])
    assert (served["Cast size"]["number"], story["properties"]["Cast size"]) == (25, 40)


def test_dual_relations_hold_on_both_sides(small: SmallWorkspace, anna: httpx.Client) -> None:
    related, row = page_named(small, "Related"), page_named(small, "Row 3")
    assert related in [one["id"] for one in everything(small, anna, "Row 3")["Friend of"]]
    small.workspace.edit_page(row, {"Friend of": []})
    assert row not in small.workspace.truth("Everything")[related]["properties"]["Friends"]
    assert len(small.workspace.truth("Everything")[related]["properties"]["Friends"]) == 39


def test_related_pages_leave_with_the_trash_and_come_back(small: SmallWorkspace, anna: httpx.Client) -> None:
    row = page_named(small, "Row 3")
    related = page_named(small, "Related")
    for steer, count in ((small.workspace.trash_page, 39), (small.workspace.restore_page, 40)):
        steer(row)
        assert len(small.workspace.truth("Everything")[related]["properties"]["Friends"]) == count


def test_computed_values_change_without_an_edit(workspace: SampleWorkspace, connect: Connect) -> None:
    workspace.add_database("Parts", {"Price": lit.number()}, [{"Name": "Bolt", "Price": 1}])
    workspace.add_database(
        "Machines",
        {"Parts": lit.relation("Parts", dual="Machines"), "Cost": lit.rollup("Parts", "Price", "sum")},
        [{"Name": "Drill", "Parts": ["Bolt"]}],
    )
    for name in ("Parts", "Machines"):
        workspace.share("anna", name)
    client, bolt, drill = connect(workspace), workspace.page_ids("Parts")[0], workspace.page_ids("Machines")[0]
    before = client.get(f"/v1/pages/{drill}").json()
    workspace.clock.advance(3600)
    workspace.edit_page(bolt, {"Price": 5})
    after = client.get(f"/v1/pages/{drill}").json()
    assert [page["properties"]["Cost"]["rollup"]["number"] for page in (before, after)] == [1, 5]
    assert after["last_edited_time"] == before["last_edited_time"]
    workspace.edit_page(drill, {"Parts": []})
    far = client.get(f"/v1/pages/{bolt}").json()
    workspace.clock.advance(3600)
    workspace.edit_page(drill, {"Parts": ["Bolt"]})
    assert client.get(f"/v1/pages/{bolt}").json()["last_edited_time"] == far["last_edited_time"]
    assert client.get(f"/v1/pages/{bolt}").json()["properties"]["Machines"]["relation"] == [{"id": drill}]


def test_formulas_outlive_a_renaming(workspace: SampleWorkspace) -> None:
    workspace.add_database(
        "A",
        {"N": lit.number(), "Double": lit.formula('prop("N") * 2', "number", lambda row: row["N"] * 2)},
        [{"Name": "x", "N": 4}],
    )
    workspace.rename_property("A", "N", "Number")
    (row,) = workspace.truth("A").values()
    assert row["properties"]["Double"] == 8


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("count", 5), ("count_values", 4), ("unique", 3), ("empty", 1), ("not_empty", 4), ("percent_empty", 0.2),
        ("percent_not_empty", 0.8), ("sum", 9), ("average", 2.25), ("median", 2.0), ("min", 1), ("max", 4),
        ("range", 3), ("show_original", [1, 2, 2, 4, None]), ("show_unique", [1, 2, 4]),
    ],
)  # fmt: skip
def test_rollup_functions(workspace: SampleWorkspace, function: str, result: object) -> None:
    rows = [{"Name": str(index), "N": number} for index, number in enumerate([1, 2, 2, 4, None])]
    workspace.add_database("Parts", {"N": lit.number()}, rows)
    workspace.add_database(
        "Whole",
        {"Parts": lit.relation("Parts"), "Roll": lit.rollup("Parts", "N", function)},
        [{"Name": "w", "Parts": ["0", "1", "2", "3", "4"]}],
    )
    (row,) = workspace.truth("Whole").values()
    assert row["properties"]["Roll"] == result


def test_unsupported_comes_and_goes_without_an_edit(small: SmallWorkspace, anna: httpx.Client) -> None:
    page_id = page_named(small, "Related")
    edited = small.workspace.truth("Everything")[page_id]["last_edited_time"]
    small.workspace.clock.advance(600)
    small.workspace.set_unsupported("Everything", "Friend count", page_id=page_id)
    assert values_of(anna, page_id)["Friend count"]["type"] == "unsupported"
    assert small.workspace.truth("Everything")[page_id]["properties"]["Friend count"] == {"unsupported": {}}
    small.workspace.set_unsupported("Everything", "Friend count", page_id=page_id, unsupported=False)
    assert values_of(anna, page_id)["Friend count"]["number"] == 25
    assert small.workspace.truth("Everything")[page_id]["last_edited_time"] == edited


def test_unsupported_spreads_to_rollups_over_it(workspace: SampleWorkspace) -> None:
    workspace.add_database("Parts", {"F": lit.formula("1", "number")}, [{"Name": "a", "F": UNSUPPORTED}])
    workspace.add_database(
        "Whole", {"P": lit.relation("Parts"), "R": lit.rollup("P", "F", "sum")}, [{"Name": "w", "P": ["a"]}]
    )
    (row,) = workspace.truth("Whole").values()
    assert row["properties"]["R"] == {"unsupported": {}}


def test_times_of_pages_are_rounded_down_and_of_databases_exact(small: SmallWorkspace, anna: httpx.Client) -> None:
    small.workspace.clock.set("2026-11-03T10:11:59.987Z")
    page_id = small.workspace.add_page("Worlds", {"Name": "New"})
    small.workspace.rename_database("Worlds", "Planets")
    assert anna.get(f"/v1/pages/{page_id}").json()["created_time"] == "2026-11-03T10:11:00.000Z"
    source = anna.get(f"/v1/data_sources/{small.data_sources['Worlds']}").json()
    assert source["last_edited_time"] == "2026-11-03T10:11:00.000Z"
    database = anna.get(f"/v1/databases/{small.databases['Worlds']}").json()
    assert database["last_edited_time"] == "2026-11-03T10:11:59.987+00:00"
