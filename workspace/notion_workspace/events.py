"""Events of webhooks in the form that Notion gives them (docs/notion-api.md#webhooks): ids, and no values."""

import hashlib
import hmac
from collections.abc import Sequence

from notion_workspace.clock import expiry_text
from notion_workspace.ids import stable_uuid
from notion_workspace.model import Database, DataSource, Json, Page
from notion_workspace.state import State

_ENTITIES = ("page", "data_source", "database")


def make_event(
    state: State, kind: str, entity_id: str, *, author: str, attempt: int = 1, updated: Sequence[str] = ()
) -> Json:
    """An event of type `kind`, such as `page.created`, on the page, data source or database of this id.

    `updated` are the ids of the properties, or of the blocks, that it is about. Raises LookupError for what is not
    there, and ValueError for the type of an event on something else.
    """
    family = kind.partition(".")[0]
    if family not in _ENTITIES:
        raise ValueError(f"no event on a page, a data source or a database is of type {kind!r}")
    user = state.users[author]
    return {
        "id": stable_uuid(state.seed, "event", kind, entity_id, state.clock.now),
        "timestamp": expiry_text(state.clock.now),
        "workspace_id": state.id,
        "workspace_name": state.name,
        "subscription_id": stable_uuid(state.seed, "subscription"),
        "integration_id": next((token.integration_id for token in state.tokens.values()), state.id),
        "type": kind,
        "authors": [{"id": user.id, "type": user.kind}],
        "attempt_number": attempt,
        "api_version": "2026-03-11",
        "entity": {"id": entity_id, "type": family},
        "data": {"parent": _parent(state, family, entity_id), **_details(kind, updated)},
    }


def signature(body: bytes, verification_token: str) -> str:
    """The header `X-Notion-Signature` of a request with this body."""
    return "sha256=" + hmac.new(verification_token.encode(), body, hashlib.sha256).hexdigest()


def _parent(state: State, family: str, entity_id: str) -> Json:
    entity: Page | DataSource | Database | None
    if family == "page":
        entity = state.page(entity_id)
    else:
        entity = (state.data_sources if family == "data_source" else state.databases).get(entity_id)
    if entity is None:
        raise LookupError(f"no {family} {entity_id}")
    if isinstance(entity, Page):
        if entity.parent_page_id is not None:
            return {"id": entity.parent_page_id, "type": "page"}
        source = state.source_of(entity)
        return {"id": source.database_id, "type": "database", "data_source_id": source.id}
    # A data source's parent is that of its database: the page which both are in.
    database = state.database_of(entity) if isinstance(entity, DataSource) else entity
    outer = database.parent["type"]
    return {"id": database.parent.get(outer, state.id), "type": outer.removesuffix("_id")}


def _details(kind: str, updated: Sequence[str]) -> Json:
    match kind.partition(".")[2]:
        case "properties_updated":
            return {"updated_properties": [*updated]}
        case "content_updated":
            return {"updated_blocks": [{"id": one, "type": "block"} for one in updated]}
    return {}
