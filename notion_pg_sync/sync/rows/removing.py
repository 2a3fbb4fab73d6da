"""Rows that a complete full read did not see: confirmed, and removed.

A listing is no proof: a row may be missing from it for many reasons (docs/notion-api.md#disappearance). Up to
`MAX_CONFIRMED_ONE_BY_ONE` are asked for one by one; more are removed when a second complete listing does not see them
either. What Notion itself says was trashed, archived or moved is removed however much it is; of the rest no more than
half of the data source, without somebody's permission.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.core.ids import looks_like_id, same_id
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.mirror.removal import Reason
from notion_pg_sync.notion.client import JsonObject, NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.json_access import get_path
from notion_pg_sync.notion.pages import Page, read_page
from notion_pg_sync.sync.gathering import gather_or_cancel

MAX_CONFIRMED_ONE_BY_ONE = 200
# Where the rest would be held back, so many more are asked for, six minutes of Notion's limit: each full read confirms
# as many, until what is left is no longer too much.
MAX_CONFIRMED_OF_TOO_MUCH = 1000

# So many pages and blocks that lie in one another are asked for, to find what holds them all.
MAX_NESTING = 50

# A data source of which more than half is gone has more likely been cut off than emptied.
ALWAYS_REMOVABLE_ROWS = 20


# Each failure costs its retries. Where Notion fails for more of the pages that are asked for, it is no odd page.
MAX_UNANSWERED = 10


class HeldBackError(ToolError):
    """The removal exceeds the safety threshold; the message says how to allow it."""

    code = ErrorCode.REMOVAL_HELD_BACK


class Verdicts(Struct):
    """What became of pages: why they left, or that they are still there.

    `unanswered`: those of which Notion does not tell, and why; nothing follows for these.
    """

    left: dict[str, Reason] = field(default_factory=dict)
    still_there: list[Page] = field(default_factory=list)
    unanswered: dict[str, NotionError] = field(default_factory=dict)

    def without(self, page_ids: Collection[str]) -> Verdicts:
        """The same, with nothing said of these pages that left."""
        kept = set(page_ids)
        return replace(self, left={page_id: why for page_id, why in self.left.items() if page_id not in kept})


_CONFIRMED: frozenset[Reason] = frozenset({"trashed", "archived", "moved"})


def unconfirmed(left: Mapping[str, Reason]) -> list[str]:
    """The pages that left of which Notion does not itself say where they are."""
    return [page_id for page_id, reason in left.items() if reason not in _CONFIRMED]


def is_too_much(unseen: int, row_count: int) -> bool:
    """Whether removing `unseen` of `row_count` rows needs permission."""
    return unseen > ALWAYS_REMOVABLE_ROWS and unseen * 2 > row_count


def held_back(user_id: str, database: str, rows: int) -> HeldBackError:
    """The error that says so."""
    command = shell_command("notion-pg-sync", "sync", user_id, database, "--allow-removal")
    return HeldBackError(
        f"{rows} rows were not found in Notion, more than half of the data source, and are kept: look there whether "
        f"they are gone, and decide. To take these {rows} rows out of the table (notion_sync.removed_pages keeps "
        f"them), type: {command}"
    )


async def verdicts_on(
    client: NotionClient,
    data_source_id: str,
    unseen: list[str],
    row_count: int,
    *,
    is_allowed: bool,
    is_wiki: bool = False,
) -> tuple[Verdicts, int]:
    """What is to become of pages that no listing saw, of a data source that has `row_count` rows in its table.

    Returns how many rows are held back too, since removing them `is_allowed` only with permission. `is_wiki`: pages of
    the data source may lie in one another. Raises `NotionError`, also where more than `MAX_UNANSWERED` answers tell
    nothing.
    """
    most = _most_to_ask_for(len(unseen), too_much=not is_allowed and is_too_much(len(unseen), row_count))
    verdicts = await ask_for(client, data_source_id, unseen[:most], is_wiki=is_wiki)
    verdicts.left.update(dict.fromkeys(unseen[most:], "missing"))
    doubtful = unconfirmed(verdicts.left)
    if is_allowed or not is_too_much(len(doubtful), row_count):
        return verdicts, 0
    return verdicts.without(doubtful), len(doubtful)


def _most_to_ask_for(unseen: int, *, too_much: bool) -> int:
    if too_much:
        return MAX_CONFIRMED_OF_TOO_MUCH
    return unseen if unseen <= MAX_CONFIRMED_ONE_BY_ONE else 0


async def ask_for(
    client: NotionClient, data_source_id: str, page_ids: Collection[str], *, is_wiki: bool = False
) -> Verdicts:
    """Asks Notion for each page; of what is no id to Notion there is no verdict.

    `is_wiki`: a page of the data source may lie in another. Raises `NotionError`, also where more than
    `MAX_UNANSWERED` answers tell nothing.
    """
    verdicts = Verdicts()
    await gather_or_cancel(
        _ask_for_one(client, data_source_id, page_id, verdicts, is_wiki=is_wiki) for page_id in page_ids
    )
    return verdicts


def why_it_left(page: JsonObject | None, page_id: str, data_source_id: str) -> Reason | None:
    """Pure: why a page is no longer among the live rows of a data source; None when it still is.

    `page` is as Notion answers it, None where Notion says that there is none. Raises `NotionError` where the answer
    does not say plainly where the page is: a row is not removed for an answer that is none.
    """
    if page is None:
        return "not_found"
    in_trash, is_archived = page.get("in_trash"), page.get("is_archived", False)
    plain = (
        page.get("object") == "page"
        and same_id(page.get("id"), page_id)
        and isinstance(in_trash, bool)
        and isinstance(is_archived, bool)
        and _names_a_parent(page)
    )
    if not plain:
        raise NotionError(
            f"Notion answered something for page {page_id} that does not say where the page is: run the sync again.",
            code=ErrorCode.MALFORMED,
        )
    if in_trash:
        return "trashed"
    if is_archived:
        return "archived"
    return None if same_id(get_path(page, "parent", "data_source_id"), data_source_id) else "moved"


def _names_a_parent(page: JsonObject) -> bool:
    """Whether the page says in what it lies: a data source, a page or a block by its id, or the workspace."""
    kind = get_path(page, "parent", "type")
    if not isinstance(kind, str):
        return False
    parent = get_path(page, "parent", kind)
    return parent is True if kind == "workspace" else isinstance(parent, str) and looks_like_id(parent)


async def _ask_for_one(
    client: NotionClient, data_source_id: str, page_id: str, verdicts: Verdicts, *, is_wiki: bool
) -> None:
    """Takes in why a page left, or that it is still there; nothing where Notion calls the id malformed.

    It does so for some ids of the right form (docs/notion-api.md#pages): an application may have rows of its own with
    such a one.
    """
    try:
        page = await page_or_none(client, page_id, data_source_id)
        reason = await why_it_is_not_in(client, page, page_id, data_source_id, is_wiki=is_wiki)
        if reason is not None:
            verdicts.left[page_id] = reason
        elif page is not None:
            verdicts.still_there.append(read_page(page))
    except NotionError as error:
        if error.code == ErrorCode.VALIDATION_ERROR:
            return
        verdicts.unanswered[page_id] = error
        if not error.is_about_one_thing or len(verdicts.unanswered) > MAX_UNANSWERED:
            raise


async def why_it_is_not_in(
    client: NotionClient, page: JsonObject | None, page_id: str, data_source_id: str, *, is_wiki: bool
) -> Reason | None:
    """The same as `why_it_left`, where a page of a wiki may lie in another of it, which is asked for."""
    reason = why_it_left(page, page_id, data_source_id)
    if is_wiki and reason == "moved" and page is not None:
        return await _why_it_left_wiki(client, data_source_id, page)
    return reason


async def page_or_none(client: NotionClient, page_id: str, data_source_id: str) -> JsonObject | None:
    """A page that is expected in a data source; None where Notion says that there is none. Raises `NotionError`."""
    try:
        return await client.page(page_id, data_source_id)
    except NotionError as error:
        if error.code != ErrorCode.OBJECT_NOT_FOUND:
            raise
    return None


async def _why_it_left_wiki(client: NotionClient, data_source_id: str, page: JsonObject) -> Reason | None:
    """Why a page that may lie in another one left a wiki; None where what holds them all lies in it."""
    ask: Mapping[str, Callable[[str], Awaitable[JsonObject]]] = {"page_id": client.page, "block_id": client.block}
    for _ in range(MAX_NESTING):
        parent = get_path(page, "parent")
        kind = str(get_path(parent, "type"))
        if kind not in ask:
            return None if same_id(get_path(parent, "data_source_id"), data_source_id) else "moved"
        try:
            page = await ask[kind](str(get_path(parent, kind)))
        except NotionError as error:
            if error.code != ErrorCode.OBJECT_NOT_FOUND:
                raise
            return "not_found"
    return "not_found"
