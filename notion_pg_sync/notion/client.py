"""One token's way to Notion: paced, retried, and with errors in plain words.

notion-client makes the requests; its own retrying is off, since it leaves out most of what can be retried
(docs/notion-api.md#what-notion-client-does), and a request must never be retried twice over.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import httpx
from msgspec import Struct, field
from msgspec.structs import replace
from notion_client import AsyncClient
from tenacity import AsyncRetrying, RetryCallState, before_sleep_nothing, retry_if_exception, wait_random_exponential

from notion_pg_sync import __version__
from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.answered_pages import (
    AnsweredPage,
    Taken,
    Unread,
    answered_pages,
    other_objects,
    read_list,
)
from notion_pg_sync.notion.clock import asked_at, read_date
from notion_pg_sync.notion.connections import Connections
from notion_pg_sync.notion.errors import (
    REQUEST_ID_HEADER,
    AnswerTooLargeError,
    NotionError,
    RetryPolicy,
    StrangerError,
    explain,
)
from notion_pg_sync.notion.exclusion import Named, Selection, named, without, without_emails
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.json_text import read_json
from notion_pg_sync.notion.pacer import Pacer
from notion_pg_sync.notion.page_size import LARGEST_LIST_BYTES
from notion_pg_sync.notion.properties import plain_text
from notion_pg_sync.notion.schema import is_schema, is_wiki
from notion_pg_sync.notion.token_in_use import Stored, TokenInUse
from notion_pg_sync.notion.transport import Transport

NOTION_VERSION = "2026-03-11"
LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
# An address that is longer may be refused on its way (docs/notion-api.md#queries).
LONGEST_ADDRESS = 2000

# Notion gives up on its own after about 60 seconds; waiting a little longer lets its answer arrive.
TIMEOUT_SECONDS = 75.0
# However slowly an answer trickles in, it ends here.
LONGEST_ANSWER_SECONDS = 300.0

# What headers say of a body as it is sent, and no longer once it is unpacked.
_TRANSPORT_HEADERS = ("content-encoding", "content-length", "transfer-encoding")
# No list of Notion's is longer; beyond it the server is leading us in a circle.
MOST_ANSWERS_A_LIST = 2000
MOST_FRUITLESS_ANSWERS = 100

# What these mean is clear whoever says it: a network rule, a proxy's login, a conflict, a limit.
_ALSO_OF_THE_NETWORK = (403, 407, 409, 429)

# By name or decoded id, each a parameter of its own.
_ASKED_FOR = "filter_properties"

# A gateway gave up, or Notion did: a page of fewer rows is answered sooner.
_OVERLOADED = (502, 503, 504)

JsonObject = dict[str, Any]

log = logging.getLogger(__name__)

_answered_at: ContextVar[datetime | None] = ContextVar("answered_at", default=None)


class Retries(Struct, frozen=True):
    """How often an error may come in a row, by its remedy, and how long to back off (seconds)."""

    waits: int = 30
    tries_again: int = 4
    backs_off: int = 7
    # A page of 100 is halved so often until it has one row.
    asks_for_less: int = 7
    first_back_off: float = 1.0
    longest_back_off: float = 60.0

    @property
    def when_it_has_failed(self) -> Retries:
        """What is enough where the same has failed before."""
        return replace(
            self,
            backs_off=min(2, self.backs_off),
            asks_for_less=1,
            longest_back_off=min(2.0, self.longest_back_off),
        )

    def allowed(self, remedy: RetryPolicy) -> int:
        """How many attempts an error with this remedy may use up in all."""
        return {
            RetryPolicy.NOTHING: 1,
            RetryPolicy.WAIT: self.waits,
            RetryPolicy.TRY_AGAIN: self.tries_again,
            RetryPolicy.BACK_OFF: self.backs_off,
            RetryPolicy.ASK_FOR_LESS: self.asks_for_less,
        }[remedy]


class QueryAnswer(Struct, frozen=True):
    """One answer to a query; `page_size` is how many rows it was asked for, which may be less than was wanted.

    `in_time`: how many rows Notion may be asked for, since it does not answer more in time. `databases`: the data
    sources that a wiki holds beside its pages.
    """

    pages: list[AnsweredPage]
    next_cursor: str | None
    has_more: bool
    capped: bool
    page_size: int
    in_time: int
    databases: list[JsonObject] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many bytes its pages have."""
        return sum(page.size for page in self.pages)


class DataSourceAnswer(Struct, frozen=True):
    """A data source: its name, its schema (properties by name), and when it was asked for (see `clock.asked_at`).

    `excluded`: the properties that its `Selection` keeps out of the schema. `is_wiki`: see `schema.is_wiki`, by all of
    its properties.
    """

    name: str
    schema: JsonObject
    asked_at: datetime
    in_trash: bool = False
    excluded: Named = field(default_factory=dict)
    is_wiki: bool = False


class Bot(Struct, frozen=True):
    """Whom a token acts as, and in which workspace; the name of a personal token is that of its person.

    None where Notion does not say it (docs/notion-api.md#own-user).
    """

    name: str | None
    workspace_name: str | None


class MarkdownAnswer(Struct, frozen=True):
    """A page's or block's Markdown; `unknown` are the ids of blocks that are not in it, to be asked for in their turn.

    `truncated`: there is more than the Markdown holds. `asked_at`: when it was asked for (see `clock.asked_at`).
    """

    markdown: str
    truncated: bool
    unknown: list[str]
    asked_at: datetime


class BlocksAnswer(Struct, frozen=True):
    """The blocks that lie in a page or block, one level of them, and when they were asked for (see `clock.asked_at`).

    `truncated`: there are more than Notion gave.
    """

    blocks: list[JsonObject]
    truncated: bool
    asked_at: datetime


class SharedDataSources(Struct, frozen=True):
    """The data sources that search finds for a token. `is_complete`: Notion did not say that it cut the result."""

    found: list[JsonObject]
    is_complete: bool


class Traffic(Struct):
    """Counts what went over the wire."""

    requests: int = 0
    retries: int = 0


class _Halvings(NamedTuple):
    """How often the page of a request is to be halved: since Notion was too slow, and since it was too large."""

    slow: int = 0
    large: int = 0


class _Request(Struct, frozen=True):
    """What is asked for, whatever the body; `what` it is in words."""

    method: str
    path: str
    what: str
    parameters: JsonObject | None
    retries: Retries


class NotionClient:
    """Reads Notion with one token. Every method raises `NotionError`.

    Use as an async context manager. `proxy` is the URL of a proxy on the way. At most `concurrency` requests are under
    way at once; `pacer` says when one may begin, and is the same for all clients of a token. Where Notion refuses the
    token, the one that is `stored` by then is used, if it is another. Its requests go over `connections`, which others
    use too; None: over its own.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        pacer: Pacer,
        proxy: str | None = None,
        concurrency: int = 12,
        retries: Retries | None = None,
        stored: Stored | None = None,
        connections: Connections | None = None,
    ) -> None:
        self.pacer = pacer
        self.traffic = Traffic()
        self._token = TokenInUse(token, stored)
        self._proxy = httpx.URL(proxy) if proxy else None
        self._base_url = base_url
        self._slots = asyncio.Semaphore(concurrency)
        self._retries = retries or Retries()
        self._selections: Mapping[str, Selection] = {}
        self.keeps_emails = True
        self._shares_connections = connections is not None
        self._connections = connections or Connections()
        self._notion = AsyncClient(
            base_url=base_url,
            notion_version=NOTION_VERSION,
            timeout_ms=int(TIMEOUT_SECONDS * 1000),
            retry=False,
            logger=_sdk_log(),
            log_level=logging.CRITICAL,
            client=httpx.AsyncClient(transport=_BoundedTransport(Transport(self._connections, self._proxy))),
        )
        self._notion.client.headers["User-Agent"] = f"notion-pg-sync/{__version__}"

    async def __aenter__(self) -> NotionClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._notion.aclose()
        if not self._shares_connections:
            await self._connections.close()

    def with_own_traffic(self) -> NotionClient:
        """The same token, pace and connections, with counts of its own."""
        client = copy.copy(self)
        client.traffic = Traffic()
        return client

    def selecting(self, selections: Mapping[str, Selection]) -> NotionClient:
        """The same, which takes of these data sources, by id, what is selected: nobody else sees anything of the rest.

        All that is known when a query is made is in the selection, so that it may come from an earlier schema.
        """
        client = copy.copy(self)
        client._selections = {**self._selections, **selections}
        return client

    def without_emails(self) -> NotionClient:
        """The same, which takes no e-mail addresses of people."""
        client = copy.copy(self)
        client.keeps_emails = False
        return client

    def excludes(self, data_source_id: str, property_id: str) -> bool:
        """Whether nothing is taken of a property (decoded id) of a data source."""
        selection = self._selections.get(data_source_id)
        return selection is not None and selection.exclusion.covers(property_id, "")

    async def me(self) -> Bot:
        """Whom the token acts as; needs no capability, and so tells whether Notion accepts the token."""
        answer = await self._get("users/me", "the token's user")
        return Bot(_optional_text(answer.get("name")), _optional_text(get_path(answer, "bot", "workspace_name")))

    async def database(self, database_id: str) -> JsonObject:
        """A database: the container, which names its data sources. The id of one of these stands for it, too."""
        what = f"database {database_id}"
        try:
            return await self._get(f"databases/{database_id}", what)
        except NotionError as error:
            if error.code != ErrorCode.OBJECT_NOT_FOUND:
                raise
            parent_id = await self._parent_of_data_source(database_id)
            if parent_id is None:
                raise
        return await self._get(f"databases/{parent_id}", what)

    async def _parent_of_data_source(self, data_source_id: str) -> str | None:
        """The id of the database that a data source lies in; None where it may not be read, or lies in none."""
        try:
            answer = await self._get(f"data_sources/{data_source_id}", f"data source {data_source_id}")
        except NotionError as error:
            if error.code != ErrorCode.OBJECT_NOT_FOUND:
                raise
            return None
        return _optional_text(get_path(answer, "parent", "database_id"))

    async def data_source(self, data_source_id: str) -> DataSourceAnswer:
        """A data source with its schema."""
        what = f"data source {data_source_id}"
        began = time.monotonic()
        answer = await self._get(f"data_sources/{data_source_id}", what)
        schema = answer.get("properties")
        if not is_schema(schema):
            raise NotionError(
                f"Notion's answer for {what} has no properties: run the sync again.", code=ErrorCode.MALFORMED
            )
        selection = self._selections.get(data_source_id)
        kept, excluded = schema, {}
        if selection is not None:
            kept = without(schema, selection.exclusion)
            ids_kept = named(kept).keys()
            excluded = {id_: name for id_, name in named(schema).items() if id_ not in ids_kept}
        return DataSourceAnswer(
            plain_text(answer.get("title")),
            kept,
            _began_at(began),
            in_trash=answer.get("in_trash") is True,
            excluded=excluded,
            is_wiki=is_wiki(schema),
        )

    async def page(self, page_id: str, data_source_id: str | None = None) -> JsonObject:
        """A page, wherever it is, trashed or not; `data_source_id`: where it is expected, if that is known."""
        path, what = f"pages/{page_id}", f"page {page_id}"
        selection = self._selections.get(data_source_id) if data_source_id else None
        answer = await self._selected(path, selection, lambda parameters: self._get(path, what, parameters))
        return self._taken(answer, selection).page

    async def block(self, block_id: str) -> JsonObject:
        """A block, without what lies in it."""
        return await self._get(f"blocks/{block_id}", f"block {block_id}")

    async def markdown(self, page_id: str) -> MarkdownAnswer:
        """The body of a page, or one of its blocks, as Markdown."""
        what = f"the body of page {page_id}"
        began = time.monotonic()
        answer = await self._get(f"pages/{page_id}/markdown", what)
        markdown, unknown = answer.get("markdown"), answer.get("unknown_block_ids") or []
        if not isinstance(markdown, str) or not isinstance(unknown, list):
            raise NotionError(
                f"Notion's answer for {what} is not Markdown: run the sync again.", code=ErrorCode.MALFORMED
            )
        return MarkdownAnswer(markdown, bool(answer.get("truncated")), [str(id_) for id_ in unknown], _began_at(began))

    async def blocks(self, parent_id: str) -> BlocksAnswer:
        """What lies directly in a page or block."""
        what = f"the blocks of {parent_id}"
        began = time.monotonic()
        began_at: datetime | None = None
        truncated = False
        blocks: list[JsonObject] = []
        async for answer in _all_pages(
            lambda position: self._get(f"blocks/{parent_id}/children", what, position), what
        ):
            began_at = began_at or _began_at(began)
            truncated = truncated or _is_incomplete(answer)
            blocks.extend(_list(answer, "results", what))
        return BlocksAnswer(blocks, truncated, began_at or _began_at(began))

    async def query(
        self,
        data_source_id: str,
        body: Mapping[str, object],
        page_size: int,
        only: str | None = None,
        *,
        has_failed: bool = False,
    ) -> QueryAnswer:
        """One request of a data source's rows; where the page is too much for Notion or for us, with smaller ones.

        `only` is the decoded id of the one property that the pages are to have. `has_failed`: Notion has failed for
        these rows, so that not much patience is had. notion-client's own method drops what it does not know, so the
        request is made directly.
        """
        what = f"the rows of data source {data_source_id}"
        asked = in_time = page_size

        def make_body(halvings: _Halvings) -> JsonObject:
            nonlocal asked, in_time
            in_time = max(1, page_size >> halvings.slow)
            asked = max(1, in_time >> halvings.large)
            return {**body, "page_size": asked}

        path = f"data_sources/{data_source_id}/query"
        retries = self._retries.when_it_has_failed if has_failed else None

        async def ask(parameters: JsonObject | None) -> JsonObject:
            return await self._request("POST", path, what, make_body, parameters, retries=retries)

        selection = self._selections.get(data_source_id)
        if only is None:
            answer = await self._selected(path, selection, ask)
        else:
            answer = await ask({_ASKED_FOR: only})
        results = _results(answer, what)
        return QueryAnswer(
            pages=answered_pages(results, lambda page: self._taken(page, selection)),
            databases=other_objects(results, "data_source"),
            next_cursor=_optional_text(answer.get("next_cursor")),
            has_more=bool(answer.get("has_more")),
            capped=_is_capped(answer, what),
            page_size=asked,
            in_time=in_time,
        )

    async def property_items(self, page_id: str, property_id: str) -> tuple[list[JsonObject], JsonObject]:
        """Everything that a property of a page holds: its items, and the last answer's `property_item`.

        `property_id` goes into the path as Notion gave it (docs/notion-api.md#property-items). Raises
        `NotionError`, also where Notion says that it does not give everything.
        """
        path = f"pages/{page_id}/properties/{property_id}"
        what = f"a property of page {page_id}"
        items: list[JsonObject] = []
        last: object = None
        async for answer in _all_pages(lambda position: self._get(path, what, position), what):
            if _is_incomplete(answer):
                raise _incomplete(answer, what)
            items.extend(_typed(_list(answer, "results", what), what))
            last = answer.get("property_item")
        if not self.keeps_emails:
            items, last = without_emails(items), without_emails(last)
        return items, last if isinstance(last, dict) else {}

    async def data_sources_shared(self) -> SharedDataSources:
        """The data sources that search finds for this token; search is not exhaustive (docs/notion-api.md#search)."""
        what = "the shared databases"
        filtered = {"filter": {"property": "object", "value": "data_source"}}

        async def ask(position: JsonObject) -> JsonObject:
            return await self._request("POST", "search", what, lambda _: {**filtered, **position})

        found: list[JsonObject] = []
        is_complete = True
        async for answer in _all_pages(ask, what):
            found.extend(_list(answer, "results", what))
            is_complete = is_complete and not _is_incomplete(answer)
        return SharedDataSources(found, is_complete)

    async def users(self) -> list[JsonObject]:
        """Members and bots of the workspace; no guests, and not for every token (docs/notion-api.md#people).

        Notion may give only some of them: who is not in the list may still be asked for by id.
        """
        what = "the workspace's users"
        answers = _all_pages(lambda position: self._get("users", what, position), what)
        found = [one async for answer in answers for one in _list(answer, "results", what)]
        return found if self.keeps_emails else [without_emails(one) for one in found]

    async def user(self, user_id: str) -> JsonObject:
        """A person or bot, guests too."""
        answer = await self._get(f"users/{user_id}", f"user {user_id}")
        return answer if self.keeps_emails else cast(JsonObject, without_emails(answer))

    async def _selected(
        self,
        path: str,
        selection: Selection | None,
        ask: Callable[[JsonObject | None], Awaitable[JsonObject]],
    ) -> JsonObject:
        """What Notion answers, asked for what is selected; for all where it knows one of the properties no longer."""
        parameters = self._filter(path, selection.property_ids if selection else None)
        try:
            return await ask(parameters)
        except NotionError as error:
            if parameters is None or error.code != ErrorCode.VALIDATION_ERROR:
                raise
            log.info("%s: asked for without filter_properties, which Notion refuses", path)
        return await ask(None)

    def _filter(self, path: str, property_ids: Sequence[str] | None) -> JsonObject | None:
        """The parameters that ask for these properties alone; None: for all, also where the address is too long."""
        if property_ids is None:
            return None
        parameters = {_ASKED_FOR: list(property_ids)}
        address = httpx.URL(f"{self._base_url}/v1/{path}", params=parameters)
        return parameters if len(str(address)) <= LONGEST_ADDRESS else None

    def _taken(self, page: JsonObject, selection: Selection | None) -> Taken:
        """What is taken of a page that Notion answers."""
        has_excluded = False
        properties = page.get("properties")
        if selection is not None and isinstance(properties, dict):
            kept = without(properties, selection.exclusion)
            has_excluded = len(kept) < len(properties)
            page = {**page, "properties": kept}
        return Taken(page if self.keeps_emails else without_emails(page), has_excluded)

    async def _get(self, path: str, what: str, parameters: Mapping[str, object] | None = None) -> JsonObject:
        return await self._request("GET", path, what, None, parameters)

    async def _request(
        self,
        method: str,
        path: str,
        what: str,
        make_body: Callable[[_Halvings], JsonObject] | None,
        parameters: Mapping[str, object] | None = None,
        *,
        retries: Retries | None = None,
    ) -> JsonObject:
        """One request, retried, and made again with a token that is newer than the one that Notion refused.

        `make_body` is told how often the page that it asks for is to be halved.
        """
        asked = _Request(method, path, what, dict(parameters) if parameters else None, retries or self._retries)
        while True:
            token = self._token.current
            try:
                return await self._request_with(token, asked, make_body)
            except NotionError as error:
                if error.code != ErrorCode.UNAUTHORIZED or not await self._token.is_renewed(token):
                    raise
            log.info("%s %s: made again with the token that is stored by now", method, path)

    async def _request_with(
        self, token: str, asked: _Request, make_body: Callable[[_Halvings], JsonObject] | None
    ) -> JsonObject:
        if not can_be_sent(token):
            raise NotionError(
                "the stored token has characters that are not allowed in a token: store it again in user_settings.",
                code=ErrorCode.UNAUTHORIZED,
            )
        attempts = _Attempts(asked.retries, has_pages=make_body is not None)
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(attempts.may_go_on),
            wait=attempts.wait,
            before_sleep=before_sleep_nothing,
            reraise=True,
        ):
            with attempt:
                body = make_body(attempts.halvings) if make_body else None
                try:
                    return await self._request_once(token, asked, body)
                except NotionError as error:
                    if error.remedy is not RetryPolicy.NOTHING:
                        self.traffic.retries += 1
                        log.info("%s %s: %s", asked.method, asked.path, error)
                    raise
        raise AssertionError("tenacity returns or raises")

    async def _request_once(self, token: str, asked: _Request, body: JsonObject | None) -> JsonObject:
        async with self._slots, self.pacer.turn() as turn:
            self.traffic.requests += 1
            _answered_at.set(None)
            try:
                async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                    answer = await self._notion.request(
                        path=asked.path, method=asked.method, query=asked.parameters, body=body, auth=token
                    )
            except Exception as error:
                explained = explain(error, asked.what, self._proxy, self._base_url)
                if explained.remedy is RetryPolicy.WAIT:
                    seconds = explained.wait_seconds or asked.retries.first_back_off
                    self.pacer.refuse(turn, seconds, ends_minute=explained.ends_minute)
                raise explained from error
        if not isinstance(answer, dict):
            raise explain(ValueError("not an object"), asked.what)
        return answer


def can_be_sent(token: str) -> bool:
    """Whether a token can stand in a request: of one that cannot, the libraries' errors would tell it."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


class _Attempts:
    """What one request went through, and so whether and when it is made again."""

    def __init__(self, retries: Retries, *, has_pages: bool) -> None:
        self._retries = retries
        self._has_pages = has_pages
        self._back_off = wait_random_exponential(retries.first_back_off, retries.longest_back_off)
        self._by_remedy: dict[RetryPolicy, int] = dict.fromkeys(RetryPolicy, 0)
        self._overloads = 0

    @property
    def halvings(self) -> _Halvings:
        """How often the page is to be halved. One answer that Notion did not give in time may be an accident."""
        return _Halvings(max(0, self._overloads - 1), self._by_remedy[RetryPolicy.ASK_FOR_LESS])

    def may_go_on(self, error: BaseException) -> bool:
        if not isinstance(error, NotionError):
            return False
        if error.remedy is RetryPolicy.ASK_FOR_LESS and not self._has_pages:
            return False
        self._by_remedy[error.remedy] += 1
        self._overloads += error.status in _OVERLOADED or error.code == ErrorCode.TIMEOUT
        return self._by_remedy[error.remedy] < self._retries.allowed(error.remedy)

    def wait(self, state: RetryCallState) -> float:
        """Seconds to wait; where Notion said how long, the pacer holds back every request of the token instead."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, NotionError) and error.remedy in (RetryPolicy.WAIT, RetryPolicy.ASK_FOR_LESS):
            return 0.0
        return self._back_off(state)


class _BoundedTransport(httpx.AsyncBaseTransport):
    """Refuses answers that are too large, and notes Notion's clock. Does not close what it goes over."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        _answered_at.set(read_date(response.headers.get("date")))
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _TRANSPORT_HEADERS]
        is_query = request.url.path.endswith("/query")
        kind = _ListAnswer if is_query else _Answer
        most = LARGEST_LIST_BYTES if is_query and _asks_for_several(request) else LARGEST_ANSWER_BYTES
        stream = _BoundedStream(response, most)
        return kind(response.status_code, headers=headers, stream=stream, extensions=response.extensions)


def _asks_for_several(query: httpx.Request) -> bool:
    return bool(read_json(query.content)["page_size"] > 1)


class _Answer(httpx.Response):
    """An answer whose JSON is read as quickly as it can be, and which raises `StrangerError` where it is not Notion's.

    Notion's sign stands in the headers and in the body (docs/notion-api.md#endpoints).
    """

    def json(self, **_options: Any) -> Any:
        return self._read(self.content) if REQUEST_ID_HEADER in self.headers else self._signed()

    def raise_for_status(self) -> httpx.Response:
        is_final = self.is_client_error and self.status_code not in _ALSO_OF_THE_NETWORK
        if (self.is_redirect or is_final) and REQUEST_ID_HEADER not in self.headers:
            self._signed()
        return super().raise_for_status()

    def _read(self, body: bytes) -> Any:
        return read_json(body)

    def _signed(self) -> Any:
        body: object = None
        with suppress(ValueError):
            body = read_json(self.content)
        if not isinstance(body, dict) or "request_id" not in body:
            raise StrangerError.of(self)
        return body


class _ListAnswer(_Answer):
    """An answer that is a list of many pages, which are left unread."""

    def _read(self, body: bytes) -> Any:
        return read_list(body)


class _BoundedStream(httpx.AsyncByteStream):
    """The body, of `most` bytes, unpacked here: little that was sent may be much that is unpacked."""

    def __init__(self, packed: httpx.Response, most: int) -> None:
        self._packed = packed
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._packed.aiter_bytes():
            received += len(chunk)
            if received > self._most:
                raise AnswerTooLargeError(f"over {self._most // 1024 // 1024} MB")
            yield chunk

    async def aclose(self) -> None:
        await self._packed.aclose()


def _sdk_log() -> logging.Logger:
    """A logger that keeps the SDK's own handler off stderr."""
    return logging.getLogger("notion_pg_sync.notion.sdk")


def _began_at(began: float) -> datetime:
    """When what began at `began` (monotonic seconds) and was just answered began (see `clock.asked_at`)."""
    return asked_at(_answered_at.get(), datetime.now(UTC), timedelta(seconds=time.monotonic() - began))


async def _all_pages(ask: Callable[[JsonObject], Awaitable[JsonObject]], what: str) -> AsyncIterator[JsonObject]:
    """Every answer of a list, by its cursors; `ask` is given the page size and the cursor."""
    position: JsonObject = {"page_size": 100}
    cursors: set[str] = set()
    fruitless, last = 0, None
    while True:
        answer = await ask(position)
        yield answer
        if not answer.get("has_more"):
            return
        results = answer.get("results")
        fruitless = fruitless + 1 if not results or results == last else 0
        last = results
        cursor = _optional_text(answer.get("next_cursor"))
        is_circle = cursor in cursors or len(cursors) >= MOST_ANSWERS_A_LIST or fruitless > MOST_FRUITLESS_ANSWERS
        if cursor is None or is_circle:
            raise NotionError(
                f"Notion's answers for {what} repeat without end: run the sync again.", code=ErrorCode.CIRCLE
            )
        cursors.add(cursor)
        position = {**position, "start_cursor": cursor}


def _list(answer: JsonObject, key: str, what: str) -> list[JsonObject]:
    found = answer.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise NotionError(
            f"Notion's answer for {what} does not have the form of a list: run the sync again.",
            code=ErrorCode.MALFORMED,
        )
    return found


def _results(answer: JsonObject, what: str) -> Sequence[Unread | JsonObject]:
    """The results of a list, which may be `Unread`."""
    found = answer.get("results")
    if isinstance(found, list) and all(isinstance(item, Unread) for item in found):
        return found
    return _list(answer, "results", what)


def _typed(items: list[JsonObject], what: str) -> list[JsonObject]:
    if not all(isinstance(item.get("type"), str) for item in items):
        raise NotionError(
            f"Notion's answer for {what} holds something that is no value: run the sync again.",
            code=ErrorCode.MALFORMED,
        )
    return items


def _is_incomplete(answer: JsonObject) -> bool:
    """Whether Notion says of a list, on any one of its answers, that it does not give all of it."""
    return get_path(answer, "request_status", "type") == "incomplete"


def _is_capped(answer: JsonObject, what: str) -> bool:
    """Whether a query's result ends at Notion's limit: then the rows before the end are all there.

    Raises `NotionError` where it is incomplete for another reason, since nobody knows which rows are missing.
    """
    if not _is_incomplete(answer):
        return False
    if get_path(answer, "request_status", "incomplete_reason") not in (None, "query_result_limit_reached"):
        raise _incomplete(answer, what)
    return True


def _incomplete(answer: JsonObject, what: str) -> NotionError:
    reason = get_path(answer, "request_status", "incomplete_reason")
    return NotionError(
        f"Notion says that its answer for {what} is incomplete ({str(reason)[:80]}): run the sync again later.",
        code=ErrorCode.INCOMPLETE,
    )


def _optional_text(value: object) -> str | None:
    return value if isinstance(value, str) else None
