"""Tokens: who they act as, what they may see, how they are refused."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace import literals as lit

Connect = Callable[..., httpx.Client]


def test_three_kinds_of_tokens_act_as_bot_bot_of_a_user_and_person(small: SmallWorkspace, connect: Connect) -> None:
    anna, ben, cora = (connect(small.workspace, one).get("/v1/users/me").json() for one in ("anna", "ben", "cora"))
    assert anna["bot"]["owner"] == {"type": "workspace", "workspace": True}
    assert ben["bot"]["owner"]["user"]["name"] == "Ben"
    assert (cora["type"], "bot" in cora, cora["name"]) == ("person", False, "Cora")


def test_users_are_listed_without_guests_and_not_to_personal_tokens(small: SmallWorkspace, connect: Connect) -> None:
    guest = small.workspace.add_user("Guest", guest=True)
    anna = connect(small.workspace, "anna")
    first = anna.get("/v1/users", params={"page_size": 10}).json()
    second = anna.get("/v1/users", params={"start_cursor": first["next_cursor"]}).json()
    ids = [user["id"] for user in first["results"] + second["results"]]
    assert (first["has_more"], second["has_more"], len(set(ids))) == (True, False, len(ids))
    assert guest not in ids
    assert anna.get(f"/v1/users/{guest}").json()["name"] == "Guest"
    assert connect(small.workspace, "cora").get("/v1/users").status_code == 403


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "Basic abc", ""])
def test_unknown_tokens_are_unauthorized(small: SmallWorkspace, connect: Connect, authorization: str) -> None:
    answer = connect(small.workspace).get("/v1/users/me", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_revoked_token_is_unauthorized_until_reinstated(small: SmallWorkspace, connect: Connect) -> None:
    anna = connect(small.workspace)
    small.workspace.revoke_token("anna")
    assert anna.get("/v1/users/me").json()["message"] == "API token is invalid."
    small.workspace.reinstate_token("anna")
    assert anna.get("/v1/users/me").status_code == 200


def test_a_missing_version_is_refused(small: SmallWorkspace, connect: Connect) -> None:
    client = connect(small.workspace)
    del client.headers["Notion-Version"]
    answer = client.get("/v1/users/me")
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_version")
    assert client.get("/v1/users/me", headers={"Notion-Version": "1999-01-01"}).status_code == 400


def test_content_needs_its_capability(small: SmallWorkspace, connect: Connect) -> None:
    small.workspace.set_capabilities("anna", read_content=False)
    anna = connect(small.workspace)
    answer = anna.get(f"/v1/databases/{small.databases['Worlds']}")
    assert (answer.status_code, answer.json()["code"]) == (403, "restricted_resource")
    assert anna.get("/v1/users/me").status_code == 200


def test_without_user_capability_users_are_bare(small: SmallWorkspace, connect: Connect) -> None:
    small.workspace.set_capabilities("anna", read_users=False)
    anna = connect(small.workspace)
    assert anna.get("/v1/users").status_code == 403
    path = f"/v1/data_sources/{small.data_sources['Everything']}/query"
    pages = anna.post(path, json={}).json()["results"]
    users = [user for page in pages for user in page["properties"]["People"]["people"] if user["object"] == "user"]
    assert users
    assert all(user.keys() == {"object", "id"} for user in users)


def test_without_email_capability_persons_have_no_address(small: SmallWorkspace, connect: Connect) -> None:
    small.workspace.set_capabilities("anna", read_emails=False)
    users = connect(small.workspace).get("/v1/users").json()["results"]
    assert all(user["person"] == {} for user in users if user["type"] == "person")


def test_only_shared_databases_are_found(small: SmallWorkspace, connect: Connect) -> None:
    anna, ben = connect(small.workspace, "anna"), connect(small.workspace, "ben")
    for client, name, status in (
        (anna, "Worlds", 200),
        (ben, "Worlds", 200),
        (anna, "Tasks", 404),
        (ben, "Tasks", 200),
    ):
        assert client.get(f"/v1/databases/{small.databases[name]}").status_code == status
        assert client.get(f"/v1/data_sources/{small.data_sources[name]}").status_code == status
        page = small.workspace.page_ids(name)[0]
        assert client.get(f"/v1/pages/{page}").status_code == status


def test_sharing_and_unsharing_take_effect_at_once(small: SmallWorkspace, connect: Connect) -> None:
    anna, path = connect(small.workspace), f"/v1/databases/{small.databases['Tasks']}"
    small.workspace.share("anna", "Tasks")
    assert anna.get(path).status_code == 200
    small.workspace.unshare("anna", "Tasks")
    error = anna.get(path).json()
    assert (error["code"], small.databases["Tasks"] in error["message"]) == ("object_not_found", True)
    assert error["additional_data"]["integration_id"] == anna.get("/v1/users/me").json()["id"]


def test_ids_go_with_or_without_dashes(small: SmallWorkspace, connect: Connect) -> None:
    database = small.databases["Worlds"]
    answer = connect(small.workspace).get(f"/v1/databases/{database.replace('-', '')}")
    assert answer.json()["id"] == database


def test_an_id_of_another_kind_of_object_is_not_found(small: SmallWorkspace, connect: Connect) -> None:
    anna, page = connect(small.workspace), small.workspace.page_ids("Worlds")[0]
    assert anna.get(f"/v1/databases/{page}").status_code == 404
    assert anna.get(f"/v1/pages/{small.databases['Worlds']}").status_code == 404
    assert anna.get(f"/v1/data_sources/{small.databases['Worlds']}").status_code == 404


def test_several_data_sources_are_refused_by_older_versions(small: SmallWorkspace, connect: Connect) -> None:
    ben = connect(small.workspace, "ben", "2022-06-28")
    error = ben.get(f"/v1/databases/{small.databases['Library']}").json()
    assert (error["status"], error["code"]) == (400, "validation_error")
    assert error["additional_data"]["error_type"] == "multiple_data_sources_for_database"
    library = {small.data_sources["Books"], small.data_sources["Authors"]}
    assert set(error["additional_data"]["child_data_source_ids"]) == library
    assert "properties" in ben.get(f"/v1/databases/{small.databases['Tasks']}").json()
    assert ben.get(f"/v1/data_sources/{small.data_sources['Tasks']}").json()["code"] == "invalid_request_url"


def world_and_people(workspace: SampleWorkspace) -> tuple[str, str]:
    workspace.add_database("Planets", {"Size": lit.number()}, [{"Name": "Arrakis", "Size": 3}])
    people = workspace.add_database(
        "People",
        {
            "Planet": lit.relation("Planets"),
            "Planets": lit.rollup("Planet", "Name", "count"),
            "Names": lit.rollup("Planet", "Name", "show_original"),
            "Sizes": lit.rollup("Planet", "Size", "max"),
        },
        [{"Name": "Paul", "Planet": ["Arrakis"]}],
    )
    workspace.share("anna", "People")
    return people.data_source_id, workspace.page_ids("People")[0]


def test_a_relation_to_an_unshared_database_leaves_the_schema(workspace: SampleWorkspace, connect: Connect) -> None:
    source, page = world_and_people(workspace)
    anna = connect(workspace)
    assert "Planet" not in anna.get(f"/v1/data_sources/{source}").json()["properties"]
    values = anna.get(f"/v1/pages/{page}").json()["properties"]
    assert (values["Planet"]["relation"], values["Planet"]["has_more"]) == ([], False)
    assert [rolled(values, name) for name in ("Planets", "Names", "Sizes")] == [0, [], None]
    assert "Planet" not in workspace.truth("People", "anna")[page]["properties"]
    workspace.share("anna", "Planets")
    assert "Planet" in anna.get(f"/v1/data_sources/{source}").json()["properties"]
    values = anna.get(f"/v1/pages/{page}").json()["properties"]
    assert [rolled(values, name) for name in ("Planets", "Sizes")] == [1, 3]


def rolled(values: dict[str, Any], name: str) -> Any:
    rollup = values[name]["rollup"]
    return rollup[rollup["type"]]


def test_unshared_relations_may_be_absent_from_values_too(workspace: SampleWorkspace, connect: Connect) -> None:
    _, page = world_and_people(workspace)
    workspace.configure(unshared_relations="absent")
    assert "Planet" not in connect(workspace).get(f"/v1/pages/{page}").json()["properties"]


def test_every_answer_carries_request_id_and_date(workspace: SampleWorkspace, connect: Connect) -> None:
    client = connect(workspace)
    workspace.clock.set("2027-01-02T03:04:05Z")
    for path in ("/v1/users/me", "/v1/nonsense"):
        answer = client.get(path)
        assert answer.json()["request_id"] == answer.headers["x-notion-request-id"]
        assert answer.headers["Date"] == "Sat, 02 Jan 2027 03:04:05 GMT"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/comments"), ("DELETE", "/v1/users/me"), ("GET", "/")])
def test_anything_else_is_an_invalid_url(workspace: SampleWorkspace, connect: Connect, method: str, path: str) -> None:
    answer = connect(workspace).request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request_url")


def test_search_finds_titles_of_what_is_shared(small: SmallWorkspace, connect: Connect) -> None:
    anna = connect(small.workspace)
    sources = anna.post("/v1/search", json={"filter": {"property": "object", "value": "data_source"}}).json()["results"]
    assert {one["id"] for one in sources} == {small.data_sources[name] for name in small.shared["anna"]}
    pages = anna.post("/v1/search", json={"query": "world 1", "filter": {"property": "object", "value": "page"}})
    assert {page["properties"]["Name"]["title"][0]["plain_text"] for page in pages.json()["results"]} == {
        "World 1", "World 10", "World 11", "World 12"
    }  # fmt: skip


def test_search_pages_and_lists_the_trash(small: SmallWorkspace, connect: Connect) -> None:
    anna = connect(small.workspace)
    trashed = small.workspace.page_ids("Three")[0]
    small.workspace.trash_page(trashed)
    in_trash = anna.post("/v1/search", json={"filter": {"in_trash": True}}).json()
    assert [one["id"] for one in in_trash["results"]] == [trashed]
    seen: list[str] = []
    body: dict[str, Any] = {"filter": {"property": "object", "value": "page"}, "page_size": 100}
    while True:
        answer = anna.post("/v1/search", json=body).json()
        seen += [one["id"] for one in answer["results"]]
        if not answer["has_more"]:
            break
        body["start_cursor"] = answer["next_cursor"]
    pages = [one for name in small.shared["anna"] for one in small.workspace.page_ids(name)]
    assert sorted(seen) == sorted(pages)
