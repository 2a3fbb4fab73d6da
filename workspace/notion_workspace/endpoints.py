"""The endpoints: what each asks of the workspace, and which refusals it knows (docs/notion-api.md#endpoints)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from notion_workspace.bodies import block_object, page_block
from notion_workspace.cursors import Cursor, Cursors
from notion_workspace.errors import (
    ApiError,
    invalid_request_url,
    invalid_uuid,
    object_not_found,
    restricted_resource,
    user_not_found,
    validation_error,
)
from notion_workspace.ids import parse_uuid
from notion_workspace.markdown import Markdown
from notion_workspace.model import Block, Database, DataSource, Json, Page, Token
from notion_workspace.objects import (
    PageRenderer,
    data_source_object,
    database_object,
    me_object,
    user_object,
)
from notion_workspace.odd_pages import ODDITIES
from notion_workspace.property_items import PropertyItems
from notion_workspace.query import Queries, list_answer, page_size, start_cursor
from notion_workspace.search import search
from notion_workspace.state import State
from notion_workspace.values import Renderer

_SPLIT = "2025-09-03"
_MARKDOWN = r"/v1/pages/(?P<page_id>[^/]+)/markdown"
_ITEM = r"/v1/pages/(?P<page_id>[^/]+)/properties/(?P<property_id>[^/]+)"


@dataclass(frozen=True)
class Call:
    """A request that got through: who asks, in which version, path arguments (decoded), query string, JSON body."""

    token: Token
    version: str
    arguments: dict[str, str]
    query: list[tuple[str, str]]
    body: Json

    def uuid(self, name: str) -> str:
        """A path argument that must be an id. Raises ApiError (400)."""
        value = self.arguments[name]
        parsed = parse_uuid(value)
        if parsed is None:
            raise invalid_uuid(name, value)
        return parsed

    def parameter(self, name: str) -> str | None:
        """A parameter of the query string."""
        return next((value for key, value in self.query if key == name), None)

    def page_size(self) -> int:
        """The query string's page size. Raises ApiError (400)."""
        given = self.parameter("page_size")
        if given is not None and not given.isdigit():
            raise validation_error("query failed validation: query.page_size should be a number.")
        return page_size(None if given is None else int(given))


class Endpoints:
    """All endpoints; anything else is an invalid request URL."""

    def __init__(self, state: State, cursors: Cursors) -> None:
        self._state, self._cursors = state, cursors
        self._queries = Queries(state, cursors)
        self._items = PropertyItems(state, cursors)

    def routes(self) -> list[tuple[str, str, str, Callable[[Call], Json]]]:
        """Kind (as the request log counts it), method, pattern of the path, and what answers."""
        return [
            ("users_me", "GET", r"/v1/users/me", self._users_me),
            ("users", "GET", r"/v1/users", self._users),
            ("user", "GET", r"/v1/users/(?P<user_id>[^/]+)", self._user),
            ("database", "GET", r"/v1/databases/(?P<database_id>[^/]+)", self._database),
            ("data_source", "GET", r"/v1/data_sources/(?P<data_source_id>[^/]+)", self._data_source),
            ("query", "POST", r"/v1/data_sources/(?P<data_source_id>[^/]+)/query", self._query),
            ("search", "POST", r"/v1/search", self._search),
            ("page", "GET", r"/v1/pages/(?P<page_id>[^/]+)", self._page),
            ("property_item", "GET", _ITEM, self._property_item),
            ("markdown", "GET", _MARKDOWN, self._markdown),
            ("block", "GET", r"/v1/blocks/(?P<block_id>[^/]+)", self._block),
            ("block_children", "GET", r"/v1/blocks/(?P<block_id>[^/]+)/children", self._children),
        ]

    # --- users -------------------------------------------------------------------------------------------------

    def _users_me(self, call: Call) -> Json:
        return me_object(self._state, call.token)

    def _users(self, call: Call) -> Json:
        """Members and bots, no guests; not for personal tokens."""
        self._may_read_users(call)
        if call.token.kind == "personal":
            raise restricted_resource("Personal access tokens cannot list users.")
        listed = [user.id for user in self._state.users.values() if user.kind in ("person", "bot") and not user.guest]
        return self._paged(call, "user", "users", listed, lambda one: user_object(self._state, one, call.token))

    def _user(self, call: Call) -> Json:
        user_id = call.uuid("user_id")
        self._may_read_users(call)
        if user_id not in self._state.users or self._state.users[user_id].kind == "group":
            raise user_not_found(user_id, call.token)
        return user_object(self._state, user_id, call.token)

    def _may_read_users(self, call: Call) -> None:
        if not call.token.read_users:
            raise restricted_resource("Insufficient permissions for this endpoint: user information is not readable.")

    # --- tables ------------------------------------------------------------------------------------------------

    def _database(self, call: Call) -> Json:
        database_id = call.uuid("database_id")
        self._may_read(call)
        database = self._state.databases.get(database_id)
        if database is None or database.id not in call.token.shared:
            raise object_not_found("database", database_id, call.token)
        if call.version < _SPLIT:
            return self._database_before_the_split(call, database)
        return database_object(self._state, database, call.version)

    def _database_before_the_split(self, call: Call, database: Database) -> Json:
        """Older versions know no data sources: a database with several is refused, one with one carries its schema."""
        if len(database.data_source_ids) != 1:
            raise ApiError(
                400,
                "validation_error",
                f"Databases with multiple data sources are not supported in this API version: {database.id}.",
                {
                    "error_type": "multiple_data_sources_for_database",
                    "database_id": database.id,
                    "child_data_source_ids": list(database.data_source_ids),
                    "minimum_api_version": _SPLIT,
                },
            )
        source = self._state.data_sources[database.data_source_ids[0]]
        schema = data_source_object(self._state, source, call.token, call.version)["properties"]
        whole = database_object(self._state, database, call.version)
        del whole["data_sources"]
        return {**whole, "properties": schema}

    def _source(self, call: Call) -> DataSource:
        if call.version < _SPLIT:
            raise invalid_request_url()
        source_id = call.uuid("data_source_id")
        self._may_read(call)
        source = self._state.data_sources.get(source_id)
        if source is None or not self._state.sees(call.token, source):
            raise object_not_found("data source", source_id, call.token)
        return source

    def _data_source(self, call: Call) -> Json:
        return data_source_object(self._state, self._source(call), call.token, call.version)

    def _query(self, call: Call) -> Json:
        source = self._source(call)
        return self._queries.answer(source, call.token, call.body, self._chosen(call, source), call.version)

    def _chosen(self, call: Call, source: DataSource) -> set[str] | None:
        """The ids that `filter_properties` asks for: names, or ids that are not percent-encoded twice."""
        asked = [value for key, value in call.query if key in ("filter_properties", "filter_properties[]")]
        if not asked:
            return None
        known = {name: prop.id for prop in source.properties.values() for name in (prop.name, prop.id)}
        for name in asked:
            if name not in known:
                raise validation_error(f"Could not find property with name or id: {name}")
        return {known[name] for name in asked}

    def _search(self, call: Call) -> Json:
        self._may_read(call)
        found, render = search(self._state, call.token, call.body, call.version)
        asked = sorted((key, str(value)) for key, value in call.body.items() if key in ("query", "filter", "sort"))
        size, cursor = page_size(call.body.get("page_size")), start_cursor(call.body)
        place = _Place(f"{call.token.label} search {asked}", size, cursor)
        return self._page_of("page_or_data_source", found, render, place)

    # --- pages -------------------------------------------------------------------------------------------------

    def _found_page(self, call: Call, kind: str = "page") -> Page:
        page_id = call.uuid(f"{kind}_id")
        self._may_read(call)
        page = self._state.page(page_id)
        if page is None or not self._state.sees(call.token, self._state.source_of(page)):
            raise object_not_found(kind, page_id, call.token)
        return page

    def _page(self, call: Call) -> Json:
        page = self._found_page(call)
        source = self._state.source_of(page)
        chosen = self._chosen(call, source)
        whole = PageRenderer(self._state, source, call.token, call.version, chosen=chosen).page(page)
        is_odd = page.id in self._state.odd_pages_alone
        return ODDITIES[self._state.odd_pages[page.id]](whole) if is_odd else whole

    def _property_item(self, call: Call) -> Json:
        page = self._found_page(call)
        source = self._state.source_of(page)
        prop = source.properties.get(call.arguments["property_id"])
        if prop is None or prop not in self._state.visible_properties(source, call.token):
            raise object_not_found("property", call.arguments["property_id"], call.token)
        return self._items.answer(page, prop, call.token, call.page_size(), call.parameter("start_cursor"))

    # --- bodies ------------------------------------------------------------------------------------------------

    def _found_block(self, call: Call, kind: str = "block") -> tuple[Page, Block | None]:
        """The block of an id with its page; no block when the id is the page's own."""
        block_id = call.uuid(f"{kind}_id")
        self._may_read(call)
        home, block = self._state.blocks.get(block_id, (block_id, None))
        page = self._state.page(home)
        if page is None or not self._state.sees(call.token, self._state.source_of(page)):
            raise object_not_found(kind, block_id, call.token)
        return page, block

    def _block(self, call: Call) -> Json:
        page, block = self._found_block(call)
        renderer = Renderer(self._state, call.token)
        if block is None:
            return page_block(renderer, page)
        return block_object(renderer, page, block, self._parent_of(page, block))

    def _parent_of(self, page: Page, block: Block) -> Block | None:
        parents = [one for home, one in self._state.blocks.values() if home == page.id and block in one.children]
        return parents[0] if parents else None

    def _children(self, call: Call) -> Json:
        page, block = self._found_block(call)
        renderer = Renderer(self._state, call.token)
        children = page.body if block is None else block.children
        asked = f"children {call.arguments['block_id']}"
        return self._paged(call, "block", asked, children, lambda one: block_object(renderer, page, one, block))

    def _markdown(self, call: Call) -> Json:
        if not self._state.settings.markdown_endpoint:
            raise invalid_request_url()
        page, block = self._found_block(call, "page")
        blocks = page.body if block is None else [block]
        object_id = page.id if block is None else block.id
        return Markdown(self._state, Renderer(self._state, call.token), blocks).answer(object_id)

    # --- common ------------------------------------------------------------------------------------------------

    def _may_read(self, call: Call) -> None:
        if not call.token.read_content:
            raise restricted_resource("Insufficient permissions for this endpoint: content is not readable.")

    def _paged(self, call: Call, kind: str, asked: str, items: list[Any], render: Callable[[Any], Json]) -> Json:
        place = _Place(f"{call.token.label} {asked}", call.page_size(), call.parameter("start_cursor"))
        return self._page_of(kind, items, render, place)

    def _page_of(self, kind: str, items: list[Any], render: Callable[[Any], Json], place: "_Place") -> Json:
        """A page of a list that is counted, not sorted: cursors by offset."""
        start = 0 if place.cursor is None else self._cursors.find(place.cursor, place.request).told
        end = start + place.size
        goes_on = None
        if end < len(items):
            goes_on = self._cursors.give(Cursor(place.request, "offset", end, (), self._state.id))
        return list_answer(kind, [render(item) for item in items[start:end]], goes_on)


@dataclass(frozen=True)
class _Place:
    """Where an answer stands in a list: the request but for its place, the page size, the cursor."""

    request: str
    size: int
    cursor: str | None
