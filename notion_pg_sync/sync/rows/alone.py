"""Pages that are asked for one by one, since a listing has them in part only or Notion did not give them before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.notion.answered_pages import AnsweredPage
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.notion.pages import Listed, read_listed
from notion_pg_sync.sync.gathering import by_turns
from notion_pg_sync.sync.rows.left_so_far import LeftSoFar
from notion_pg_sync.sync.rows.removing import Verdicts, ask_for

# Where more pages of a data source come in part only, it is no odd page.
MAX_IN_PART = 200

# Where so many were asked for, nothing but listings is believed any more: each is a request.
TIRED_AFTER = 500


class PagesAlone:
    """Asks for pages of one data source; `left` takes in what Notion does not give of them.

    `is_wiki`: pages of the data source may lie in one another.
    """

    def __init__(self, client: NotionClient, data_source_id: str, left: LeftSoFar) -> None:
        self._client = client
        self._data_source_id = data_source_id
        self._left = left
        self.is_wiki = False
        self.in_part: set[str] = set()
        self._asked = 0

    @property
    def is_tired(self) -> bool:
        """Whether so many were asked for that no more should be, but where nothing else will do."""
        return self._asked >= TIRED_AFTER

    async def ask(self, page_ids: Collection[str], minutes: Mapping[str, datetime] | None = None) -> Verdicts:
        """What becomes of pages; those in `minutes` no listing gives (see `LeftSoFar.add_pages`).

        Raises `NotionError`.
        """
        self._asked += len(page_ids)
        verdicts = await ask_for(self._client, self._data_source_id, page_ids, is_wiki=self.is_wiki)
        self._left.add_pages(verdicts.unanswered, minutes)
        return verdicts

    async def listed(self, pages: Iterable[AnsweredPage], hashes: Mapping[str, str]) -> Listed:
        """Pages of answers; those that came in part only are asked for, once, and are whole where they come.

        `hashes`: of the answers, by page id. Raises `NotionError`, also where too many come in part only.
        """
        listed = Listed([], [])
        for some in await by_turns(list(pages), lambda few: read_listed(few, hashes)):
            listed.whole.extend(some.whole)
            listed.in_part.extend(some.in_part)
        new = [page_id for page_id in listed.in_part if page_id not in self.in_part]
        if not new:
            return listed
        self.in_part.update(new)
        if len(self.in_part) > MAX_IN_PART:
            raise NotionError(
                f"Notion answered {len(self.in_part)} pages in part only, such as {new[0]}: run the sync again.",
                code=ErrorCode.MALFORMED,
            )
        verdicts = await self.ask(new)
        return Listed([*listed.whole, *verdicts.still_there], [*verdicts.unanswered])
