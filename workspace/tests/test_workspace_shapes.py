"""What is served has the shape of what was recorded: the same keys, the same JSON types."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from notion_workspace import SmallWorkspace

PAYLOADS = Path(__file__).parent / "payloads"
Connect = Callable[..., httpx.Client]
# Keyed by what people named; compared property by property instead.
BY_NAME = "properties"


def recorded(number: str) -> Any:
    return json.loads(next(PAYLOADS.glob(f"{number}_*.json")).read_text())


def kind(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def differences(served: object, model: object, path: str = "") -> Iterator[str]:
    """Where two values differ in shape; null fits everything, list items must fit one of the model's."""
    if served is None or model is None:
        return
    if kind(served) != kind(model):
        yield f"{path}: {kind(served)} instead of {kind(model)}"
    elif isinstance(served, dict) and isinstance(model, dict):
        if served.keys() != model.keys():
            yield f"{path}: keys {sorted(served.keys() ^ model.keys())} differ"
        for key in served.keys() & model.keys() - {BY_NAME}:
            yield from differences(served[key], model[key], f"{path}.{key}")
    elif isinstance(served, list) and isinstance(model, list) and model:
        for index, item in enumerate(served):
            found = [list(differences(item, one, f"{path}[{index}]")) for one in model]
            if all(found):
                yield from min(found, key=len)


def recorded_schemas() -> list[dict[str, Any]]:
    return [prop for number in ("05", "06", "07", "08", "09") for prop in recorded(number)[BY_NAME].values()]


def recorded_values() -> list[dict[str, Any]]:
    pages = [page for number in ("12", "13", "15", "18") for page in recorded(number)["results"]]
    pages += [recorded("23"), recorded("27")]
    return [value for page in pages for value in page[BY_NAME].values()]


def check_by_type(served: dict[str, dict[str, Any]], models: list[dict[str, Any]]) -> set[str]:
    """Each served property fits a recorded one of its type. Returns the types compared."""
    compared = set()
    for name, value in served.items():
        same = [model for model in models if model["type"] == value["type"]]
        if same:
            found = [list(differences(value, model, name)) for model in same]
            assert not all(found), min(found, key=len)
            compared.add(value["type"])
    return compared


@pytest.fixture
def anna(small: SmallWorkspace, connect: Connect) -> httpx.Client:
    return connect(small.workspace, "anna")


def get(client: httpx.Client, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.json()


def page_named(small: SmallWorkspace, name: str) -> str:
    truth = small.workspace.truth("Everything")
    return next(row["id"] for row in truth.values() if row["properties"]["Name"] == name)


def test_own_bot(anna: httpx.Client) -> None:
    assert not list(differences(get(anna, "/v1/users/me"), recorded("01")))


def test_list_of_users(anna: httpx.Client) -> None:
    assert not list(differences(get(anna, "/v1/users?page_size=100"), recorded("02")))


@pytest.mark.parametrize(("version", "number"), [("2026-03-11", "03"), ("2025-09-03", "04")])
def test_database(small: SmallWorkspace, connect: Connect, version: str, number: str) -> None:
    client = connect(small.workspace, "anna", version)
    assert not list(differences(get(client, f"/v1/databases/{small.databases['Worlds']}"), recorded(number)))


@pytest.mark.parametrize(("version", "number"), [("2026-03-11", "05"), ("2025-09-03", "10")])
def test_data_source(small: SmallWorkspace, connect: Connect, version: str, number: str) -> None:
    client = connect(small.workspace, "anna", version)
    path = f"/v1/data_sources/{small.data_sources['Everything']}"
    assert not list(differences(get(client, path), recorded(number)))


def test_schema_of_every_property_type(small: SmallWorkspace, anna: httpx.Client) -> None:
    schema = get(anna, f"/v1/data_sources/{small.data_sources['Everything']}")[BY_NAME]
    compared = check_by_type(schema, recorded_schemas())
    unseen = {prop["type"] for prop in recorded_schemas()} - compared
    assert not unseen
    assert {prop["type"] for prop in schema.values()} - compared == {"verification", "holographic"}


def test_query_and_every_value_type(small: SmallWorkspace, anna: httpx.Client) -> None:
    answer = anna.post(f"/v1/data_sources/{small.data_sources['Everything']}/query", json={}).json()
    assert not list(differences(answer, recorded("22")))
    compared = set()
    for page in answer["results"]:
        assert not list(differences(page, recorded("12")["results"][0]))
        plain = {name: value for name, value in page[BY_NAME].items() if not is_unrecorded(value)}
        compared |= check_by_type(plain, recorded_values())
    assert {value["type"] for value in recorded_values()} == compared


def is_unrecorded(value: dict[str, Any]) -> bool:
    """Forms that no recording holds: mentions in text, files, people, unsupported."""
    text = json.dumps(value)
    return bool(value.get("people") or value.get("files")) or any(
        word in text for word in ('"mention"', '"equation"', '"unsupported"', '{"url"', '"person"')
    )


def test_more_pages_follow_by_a_cursor_of_the_recorded_form(small: SmallWorkspace, anna: httpx.Client) -> None:
    path = f"/v1/data_sources/{small.data_sources['Everything']}/query"
    answer = anna.post(path, json={"page_size": 1}).json()
    model = recorded("13")
    assert not list(differences(answer, model))
    assert [len(part) for part in answer["next_cursor"].split(":")] == [
        len(part) for part in model["next_cursor"].split(":")
    ]


def test_page(small: SmallWorkspace, anna: httpx.Client) -> None:
    assert not list(differences(get(anna, f"/v1/pages/{page_named(small, 'Related')}"), recorded("23")))


def test_page_in_version_2025(small: SmallWorkspace, connect: Connect) -> None:
    client = connect(small.workspace, "anna", "2025-09-03")
    served = get(client, f"/v1/pages/{page_named(small, 'Related')}")
    model = {**recorded("30"), "parent": recorded("23")["parent"]}
    assert not list(differences(served, model))


def test_property_items(small: SmallWorkspace, anna: httpx.Client) -> None:
    models = {(model["object"], item_type(model)): model for model in recorded("26")}
    schema = get(anna, f"/v1/data_sources/{small.data_sources['Everything']}")[BY_NAME]
    page_id = page_named(small, "Row 3")
    compared = set()
    for prop in schema.values():
        served = get(anna, f"/v1/pages/{page_id}/properties/{prop['id']}")
        model = models.get((served["object"], item_type(served)))
        if model is not None and prop["type"] not in ("formula", "rollup"):
            assert not list(differences(served, model)), prop
            compared.add(prop["type"])
    assert {key[1] for key in models} - compared == {"formula", "rollup"}


def item_type(answer: dict[str, Any]) -> str:
    return str(answer["property_item"]["type"] if answer["object"] == "list" else answer["type"])


def test_rollup_item(small: SmallWorkspace, anna: httpx.Client) -> None:
    schema = get(anna, f"/v1/data_sources/{small.data_sources['Everything']}")[BY_NAME]
    served = get(anna, f"/v1/pages/{page_named(small, 'Row 3')}/properties/{schema['Friend count']['id']}")
    model = next(one for one in recorded("26") if item_type(one) == "rollup")
    assert not list(differences(served, model))


def test_blocks(small: SmallWorkspace, anna: httpx.Client) -> None:
    served = get(anna, f"/v1/blocks/{page_named(small, 'Full')}/children")
    model = recorded("32")
    models = {block["type"]: block for block in model["results"]}
    compared = set()
    for block in served["results"]:
        if block["type"] in models:
            assert not list(differences(block, models[block["type"]]))
            compared.add(block["type"])
    assert compared == models.keys()
    assert not list(differences({**served, "results": []}, model))


def test_markdown(small: SmallWorkspace, anna: httpx.Client) -> None:
    assert not list(differences(get(anna, f"/v1/pages/{page_named(small, 'Full')}/markdown"), recorded("34")))


def test_signed_file(small: SmallWorkspace, anna: httpx.Client) -> None:
    page = get(anna, f"/v1/pages/{page_named(small, 'Full')}")
    hosted = page[BY_NAME]["Files"]["files"][0]
    assert not list(differences({key: hosted[key] for key in ("type", "file")}, recorded("40")))
    assert hosted["file"]["url"].partition("?")[2].count("X-Amz-") == recorded("40")["file"]["url"].count("X-Amz-")


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/v1/nonsense", 0),
        ("/v1/pages/00000000-0000-0000-0000-000000000000", 2),
        ("/v1/pages/12345678-1234-1234-1234-123456789abc", 3),
        ("/v1/users/745e79dd-3e43-40de-9d51-39357c1c428f", 5),
    ],
)
def test_errors_in_the_recorded_words(anna: httpx.Client, path: str, index: int) -> None:
    model = recorded("37")[index]
    response = anna.get(path)
    served = response.json()
    assert response.status_code == model["status"]
    assert not list(differences(served, model["body"]))
    words = model["body"]["message"].replace("notion-sdk-py", "anna integration")
    assert served["message"] == words.replace("Ultimate Notion Tests", "anna integration")


def test_wrong_token_in_the_recorded_words(anna: httpx.Client) -> None:
    response = anna.get("/v1/users/me", headers={"Authorization": "Bearer nonsense"})
    model = recorded("37")[1]
    assert (response.status_code, response.json()["message"]) == (model["status"], model["body"]["message"])
    assert not list(differences(response.json(), model["body"]))
