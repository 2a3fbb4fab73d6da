"""The API's objects: users, databases, data sources and pages, in the shapes of the recorded payloads."""

import re
from collections.abc import Callable

from notion_workspace.clock import database_text, minute_text
from notion_workspace.ids import stable_uuid
from notion_workspace.model import Database, DataSource, File, Json, Mention, Page, Property, Token, Value
from notion_workspace.plain import Reader
from notion_workspace.state import State
from notion_workspace.values import CUT, Renderer, plain_title, user_json

_PROP = re.compile(r'prop\("([^"]*)"\)')


def user_object(state: State, user_id: str, token: Token) -> Json:
    """A user in `GET users`; the token's own bot tells its owner and workspace (payloads 01, 02)."""
    user = state.users[user_id]
    return user_json(user, token, own_bot=_own_bot(state, token) if user_id == token.user_id else None)


def me_object(state: State, token: Token) -> Json:
    """Whom the token acts as: a bot, or for a personal token its human creator. Needs no capability."""
    user = state.users[token.user_id]
    return user_json(user, None, own_bot=_own_bot(state, token) if user.kind == "bot" else None)


def _own_bot(state: State, token: Token) -> Json:
    owner: Json = {"type": "workspace", "workspace": True}
    if token.kind == "oauth" and token.owner_id:
        owner = {"type": "user", "user": user_json(state.users[token.owner_id], token)}
    return {
        "owner": owner,
        "workspace_name": state.name,
        "workspace_id": state.id,
        "workspace_limits": {"max_file_upload_size_in_bytes": 5_242_880},
    }


def database_object(state: State, database: Database, version: str) -> Json:
    """A database: the container, without properties (payloads 03, 04)."""
    sources = [state.data_sources[one] for one in database.data_source_ids]
    return {
        "object": "database",
        "id": database.id,
        "title": plain_title(database.name),
        "description": [],
        "parent": database.parent,
        "is_inline": False,
        "in_trash": database.in_trash,
        "is_locked": False,
        "created_time": database_text(database.created),
        "last_edited_time": database_text(database.edited),
        "data_sources": [{"id": source.id, "name": source.name} for source in sources],
        "icon": None,
        "cover": None,
        "url": _database_url(database),
        "public_url": None,
        **_archived(database.in_trash, version),
    }


def data_source_object(state: State, source: DataSource, token: Token | None, version: str) -> Json:
    """A data source with its schema, as the token may see it (payloads 05 to 10)."""
    database = state.database_of(source)
    author = {"object": "user", "id": source.author}
    return {
        "object": "data_source",
        "id": source.id,
        "cover": None,
        "icon": None,
        "created_time": minute_text(source.created),
        "created_by": author,
        "last_edited_by": author,
        "last_edited_time": minute_text(source.edited),
        "title": plain_title(source.name),
        "description": [],
        "is_inline": False,
        "properties": {
            prop.name: _property_schema(state, source, prop) for prop in state.visible_properties(source, token)
        },
        "parent": {"type": "database_id", "database_id": database.id},
        "database_parent": database.parent,
        "url": _database_url(database),
        "public_url": None,
        "in_trash": state.in_trash(source),
        **_archived(state.in_trash(source), version),
    }


def _property_schema(state: State, source: DataSource, prop: Property) -> Json:
    config = _CONFIGS[prop.type](state, source, prop) if prop.type in _CONFIGS else {}
    return {"id": prop.encoded_id, "name": prop.name, "description": None, "type": prop.type, prop.type: config}


def _options(prop: Property) -> list[Json]:
    return [
        {"id": option.id, "name": option.name, "color": option.color, "description": None} for option in prop.options
    ]


def _status_config(state: State, source: DataSource, prop: Property) -> Json:
    grouped: list[Json] = []
    for index, (name, ids) in enumerate(prop.groups):
        group_id = stable_uuid(state.seed, source.id, prop.id, name)
        color = ("gray", "blue", "green")[index % 3]
        grouped.append({"id": group_id, "name": name, "color": color, "option_ids": ids})
    return {"options": _options(prop), "groups": grouped}


def _formula_config(state: State, source: DataSource, prop: Property) -> Json:
    """The expression with its property references as Notion stores them, by id."""

    def reference(match: re.Match[str]) -> str:
        named = next((one for one in source.properties.values() if one.first_name == match[1]), None)
        return f"{{{{notion:block_property:{named.encoded_id}:{source.id}:{state.id}}}}}" if named else match[0]

    return {"expression": _PROP.sub(reference, prop.definition.expression)}


def _relation_config(state: State, _source: DataSource, prop: Property) -> Json:
    target = state.data_sources[prop.target or ""]
    config: Json = {"database_id": target.database_id, "data_source_id": target.id}
    synced = target.properties.get(prop.synced or "")
    if synced is None:
        return {**config, "type": "single_property", "single_property": {}}
    dual = {"synced_property_name": synced.name, "synced_property_id": synced.encoded_id}
    return {**config, "type": "dual_property", "dual_property": dual}


def _rollup_config(state: State, source: DataSource, prop: Property) -> Json:
    """The two property ids come NOT percent-encoded here (docs/notion-api.md#data-sources)."""
    relation = source.properties.get(prop.relation)
    target = state.data_sources.get(relation.target or "") if relation else None
    rolled_up = target.properties.get(prop.rolled_up) if target else None
    return {
        "rollup_property_name": rolled_up.name if rolled_up else "",
        "relation_property_name": relation.name if relation else "",
        "rollup_property_id": prop.rolled_up,
        "relation_property_id": prop.relation,
        "function": prop.definition.function,
    }


_CONFIGS: dict[str, Callable[[State, DataSource, Property], Json]] = {
    "number": lambda _state, _source, prop: {"format": prop.definition.format},
    "select": lambda _state, _source, prop: {"options": _options(prop)},
    "multi_select": lambda _state, _source, prop: {"options": _options(prop)},
    "status": _status_config,
    "formula": _formula_config,
    "relation": _relation_config,
    "rollup": _rollup_config,
    "unique_id": lambda _state, _source, prop: {"prefix": prop.definition.prefix},
}


class PageRenderer:
    """Renders pages of one data source for one answer; what all its pages share is worked out once.

    `chosen` are the ids of the properties to render, None for all. With `whole` nothing
    is cut and files are not signed (see `Renderer`).
    """

    def __init__(
        self,
        state: State,
        source: DataSource,
        token: Token | None,
        version: str,
        *,
        chosen: set[str] | None = None,
        whole: bool = False,
    ) -> None:
        self._values = Renderer(state, token, limit=None if whole else CUT, signed=not whole)
        self._reader = Reader(state, token)
        self._version = version
        self._in_trash = state.in_trash(source)
        self._parent = {
            "type": "data_source_id",
            "data_source_id": source.id,
            "database_id": source.database_id,
        }
        absent = state.settings.unshared_relations == "absent"
        properties = state.visible_properties(source, token) if absent else source.ordered_properties()
        self._properties = [prop for prop in properties if chosen is None or prop.id in chosen]

    def page(self, page: Page) -> Json:
        """The page object (payloads 12 to 30)."""
        value = self._values.property_value
        return {
            "object": "page",
            "id": page.id,
            "created_time": minute_text(page.created),
            "last_edited_time": minute_text(page.edited),
            "created_by": {"object": "user", "id": page.created_by},
            "last_edited_by": {"object": "user", "id": page.edited_by},
            "cover": self._picture(page.cover),
            "icon": self._picture(page.icon),
            "parent": self._parent if page.parent_page_id is None else _in_page(page.parent_page_id),
            "in_trash": page.in_trash or self._in_trash,
            "is_archived": page.is_archived,
            "is_locked": page.is_locked,
            "properties": {prop.name: value(page, prop) for prop in self._properties},
            "url": page_url(page, self._reader.title(page)),
            "public_url": page.public_url,
            **_archived(page.in_trash or self._in_trash, self._version),
        }

    def _picture(self, picture: Json | File | Mention | None) -> Value:
        match picture:
            case File():
                return self._values.file_object(picture)
            case Mention():
                return {"type": "custom_emoji", "custom_emoji": self._values.custom_emoji(picture)}
        return picture


def _in_page(page_id: str) -> Json:
    return {"type": "page_id", "page_id": page_id}


def page_url(page: Page, title: str) -> str:
    """The display link: the title's letters and digits, then the id."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")
    return f"https://www.notion.so/{slug}-{page.id.replace('-', '')}" if slug else _bare_url(page.id)


def _database_url(database: Database) -> str:
    return _bare_url(database.id)


def _bare_url(object_id: str) -> str:
    return f"https://www.notion.so/{object_id.replace('-', '')}"


def _archived(in_trash: bool, version: str) -> Json:
    """Versions before 2026-03-11 carry `in_trash` under its old name too (docs/notion-api.md#trash-and-archive)."""
    return {"archived": in_trash} if version < "2026-03-11" else {}
