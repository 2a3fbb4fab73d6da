"""Answers POST data_sources/{id}/query: filters, sorts, paging and the cap (docs/notion-api.md#queries)."""

import orjson

from notion_workspace.cursors import Cursor, Cursors
from notion_workspace.errors import validation_error
from notion_workspace.filters import parse
from notion_workspace.kept_pages import Kept, KeptPages
from notion_workspace.listing import Entry, Listing, parse_sorts
from notion_workspace.model import DataSource, Json, Page, Token, Value
from notion_workspace.objects import PageRenderer, data_source_object
from notion_workspace.odd_pages import ODDITIES
from notion_workspace.plain import Reader
from notion_workspace.state import State
from notion_workspace.values import CUT

LARGEST_PAGE = 100
_KNOWN = {"filter", "sorts", "start_cursor", "page_size", "result_type", "is_archived"}
# Listings kept between answers, for clients that read windows side by side; each is read no further than the cap.
_KEPT = 24


def page_size(given: Value) -> int:
    """A request's page size, 100 by default. Raises ApiError (400) outside 1 to 100."""
    if given is None:
        return LARGEST_PAGE
    if not isinstance(given, int) or isinstance(given, bool):
        raise validation_error("body failed validation: body.page_size should be a number.")
    if given > LARGEST_PAGE:
        raise validation_error(
            f"body failed validation: body.page_size should be ≤ `{LARGEST_PAGE}`, instead was `{given}`."
        )
    if given < 1:
        raise validation_error(f"body failed validation: body.page_size should be ≥ `1`, instead was `{given}`.")
    return given


def start_cursor(body: Json) -> str | None:
    """A request's cursor; None when there is none. Raises ApiError (400) when it is no string, null included."""
    given = body.get("start_cursor", "")
    if not isinstance(given, str):
        raise validation_error("body failed validation: body.start_cursor should be a string or `undefined`.")
    return given or None


def list_answer(kind: str, results: list[Value], next_cursor: str | None) -> Json:
    """The envelope of every list; `has_more` goes with the cursor."""
    return {
        "object": "list",
        "results": results,
        "next_cursor": next_cursor,
        "has_more": next_cursor is not None,
        "type": kind,
        kind: {},
    }


class Queries:
    """Answers queries; keeps the latest listings as long as nothing changed."""

    def __init__(self, state: State, cursors: Cursors) -> None:
        self._state, self._cursors = state, cursors
        self._listings: dict[str, Listing] = {}
        self._moment: tuple[int, int] = (-1, 0)
        self._short = 0
        self._kept = KeptPages(state)

    def answer(self, source: DataSource, token: Token, body: Json, chosen: set[str] | None, version: str) -> Json:
        """One answer. Raises ApiError (400) for a request that Notion would refuse, a stale cursor included."""
        if unknown := body.keys() - _KNOWN:
            raise validation_error(f"body failed validation: body.{min(unknown)} should be not present.")
        size = page_size(body.get("page_size"))
        text = start_cursor(body)
        kind = body.get("result_type")
        if kind not in (None, "page", "data_source"):
            raise validation_error("body failed validation: body.result_type should be page or data_source.")
        if kind == "data_source":
            return list_answer("page_or_data_source", self._children(source, token, version), None)
        request = self._request(source, token, body)
        listing = self._listing(request, source, token, body)
        start, told = 0, 0
        if text is not None:
            cursor = self._cursors.find(text, request)
            start, told = self._cursors.place(text, cursor, listing), cursor.told
        left = self._state.settings.query_cap - told
        entries = listing.slice(start, min(size, left) + 1)
        page, after = self._cut(entries, min(size, left))
        ends = bool(after) and len(page) == left
        goes_on = None if ends or not after else self._next(request, page, after[0], told)
        renderer = PageRenderer(self._state, source, token, version, chosen=chosen)
        kept = self._kept.of(token.label, version, chosen)
        results: list[Value] = [
            one for entry in page if (one := self._result(renderer, entry.page_id, kept)) is not None
        ]
        if kind is None and not after:
            results += self._children(source, token, version)[: size - len(results)]
        answer = list_answer("page_or_data_source", results, goes_on)
        if self._is_marked(listing, start + left, is_first=text is None, is_last=ends):
            answer["request_status"] = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
        return answer

    def _result(self, renderer: PageRenderer, page_id: str, kept: Kept) -> Json | orjson.Fragment | None:
        """A page as it is answered, None when it is deleted for good."""
        if (fragment := kept.find(page_id)) is not None:
            return fragment
        page = self._state.page(page_id)
        return kept.keep(page_id, self._answered(renderer, page)) if page else None

    def _answered(self, renderer: PageRenderer, page: Page) -> Json:
        oddity = self._state.odd_pages.get(page.id)
        whole = renderer.page(page)
        return ODDITIES[oddity](whole) if oddity else whole

    def _is_marked(self, listing: Listing, cut_at: int, *, is_first: bool, is_last: bool) -> bool:
        """Whether an answer says that its query is cut, which is where the listing goes on beyond `cut_at`."""
        mark = self._state.settings.incomplete_mark
        if mark == "last":
            return is_last
        return (is_first or mark == "every") and bool(listing.slice(cut_at, 1))

    def _request(self, source: DataSource, token: Token, body: Json) -> str:
        """What tells a listing from others: all of the request but where it stands."""
        asked = {key: body[key] for key in ("filter", "sorts", "is_archived") if key in body}
        return f"{token.label} {source.id} {orjson.dumps(asked, option=orjson.OPT_SORT_KEYS).decode()}"

    def _listing(self, request: str, source: DataSource, token: Token, body: Json) -> Listing:
        """The listing of a request, kept as long as nothing changed; the one not used longest makes room."""
        state = self._state
        moment = (state.version, state.clock.now if state.settings.index_lag else 0)
        if moment != self._moment:
            self._moment = moment
            self._listings.clear()
        listing = self._listings.pop(request, None) or self._new_listing(source, token, body)
        if len(self._listings) >= _KEPT:
            del self._listings[next(iter(self._listings))]
        self._listings[request] = listing
        return listing

    def _new_listing(self, source: DataSource, token: Token, body: Json) -> Listing:
        reader = Reader(self._state, token, CUT)
        condition = parse(body["filter"], source, reader) if "filter" in body else None
        sorts = parse_sorts(body.get("sorts", []), source)
        archived = body.get("is_archived", False)
        if not isinstance(archived, bool):
            raise validation_error("body failed validation: body.is_archived should be a boolean.")
        return Listing(source, reader, condition=condition, sorts=sorts, archived=archived)

    def _cut(self, entries: list[Entry], size: int) -> tuple[list[Entry], list[Entry]]:
        """Splits entries into this answer's and those after; with short_pages fewer than asked, never none."""
        if self._state.settings.short_pages and len(entries) > size > 1:
            self._short += 1
            size -= self._short * 7 % size
        return entries[:size], entries[size:]

    def _next(self, request: str, page: list[Entry], after: Entry, told: int) -> str:
        kind = self._state.settings.cursor_kind
        return self._cursors.give(Cursor(request, kind, told + len(page), page[-1].key, after.page_id))

    def _children(self, source: DataSource, token: Token, version: str) -> list[Json]:
        """The data sources within a wiki, which come behind its pages: those of databases whose parent it is."""
        inside = [one for one in self._state.databases.values() if one.parent.get("database_id") == source.database_id]
        sources = [self._state.data_sources[one] for database in inside for one in database.data_source_ids]
        return [data_source_object(self._state, one, token, version) for one in sources if self._state.sees(token, one)]
