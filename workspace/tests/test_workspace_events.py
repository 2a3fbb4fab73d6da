"""Events of webhooks have the form that Notion's own types give them, and say where the page is."""

import hashlib
import hmac

import pytest

from notion_workspace import SampleWorkspace, SmallWorkspace
from notion_workspace.events import signature

# Of every event, in the types that Notion generates for its SDK; `accessible_by` comes to public connections alone.
KEYS = {
    *("id", "timestamp", "workspace_id", "workspace_name", "subscription_id", "integration_id", "type", "authors"),
    *("attempt_number", "api_version", "entity", "data"),
}


def test_an_event_on_a_row_names_its_data_source(small: SmallWorkspace) -> None:
    (page_id, *_) = small.workspace.page_ids("Worlds")
    event = small.workspace.webhook_event("page.created", page_id, attempt=3)
    assert event.keys() == KEYS
    assert (event["type"], event["attempt_number"]) == ("page.created", 3)
    assert event["entity"] == {"id": page_id, "type": "page"}
    parent = {"id": small.databases["Worlds"], "type": "database", "data_source_id": small.data_sources["Worlds"]}
    assert event["data"] == {"parent": parent}
    assert [author["type"] for author in event["authors"]] == ["person"]


def test_after_a_move_it_names_the_new_one(small: SmallWorkspace) -> None:
    (page_id, *_) = small.workspace.page_ids("Worlds")
    small.workspace.move_page(page_id, "Characters")
    event = small.workspace.webhook_event("page.moved", page_id)
    assert event["data"]["parent"]["data_source_id"] == small.data_sources["Characters"]


def test_what_was_updated_is_named_by_ids(small: SmallWorkspace) -> None:
    (page_id, *_) = small.workspace.page_ids("Worlds")
    event = small.workspace.webhook_event("page.properties_updated", page_id, updated=["title"])
    assert event["data"]["updated_properties"] == ["title"]
    event = small.workspace.webhook_event("page.content_updated", page_id, updated=[page_id])
    assert event["data"]["updated_blocks"] == [{"id": page_id, "type": "block"}]


@pytest.mark.parametrize("family", ["data_source", "database"])
def test_events_on_tables_name_the_page_that_these_are_in(small: SmallWorkspace, family: str) -> None:
    ids = {"data_source": small.data_sources, "database": small.databases}[family]
    event = small.workspace.webhook_event(f"{family}.schema_updated", ids["Worlds"])
    assert event["entity"] == {"id": ids["Worlds"], "type": family}
    assert event["data"] == {"parent": {"id": small.workspace.state.root_page_id, "type": "page"}}


def test_making_one_changes_no_id_that_comes_later() -> None:
    added = []
    for events in (0, 3):
        workspace = SampleWorkspace(seed=7)
        database = workspace.add_database("Places", {}, rows=[])
        for _ in range(events):
            workspace.webhook_event("database.created", database.id)
        added.append(workspace.add_page("Places"))
    assert added[0] == added[1]


def test_what_is_not_there_has_no_events(workspace: SampleWorkspace) -> None:
    with pytest.raises(LookupError, match="no page"):
        workspace.webhook_event("page.created", "0a1b2c3d-0000-4000-8000-00000000000a")
    with pytest.raises(ValueError, match=r"comment\.created"):
        workspace.webhook_event("comment.created", "0a1b2c3d-0000-4000-8000-00000000000a")


def test_the_signature_is_of_the_raw_body() -> None:
    body = b'{"type": "page.created"}'
    assert signature(body, "secret_x") == f"sha256={hmac.new(b'secret_x', body, hashlib.sha256).hexdigest()}"
    assert signature(body + b" ", "secret_x") != signature(body, "secret_x")
