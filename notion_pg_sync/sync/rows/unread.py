"""Which pages of a batch of answers need not be read, since they are as they were when they were read last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from msgspec import Struct, field

from notion_pg_sync.notion.answer_hash import answer_hash, users_named
from notion_pg_sync.notion.answered_pages import AnsweredPage
from notion_pg_sync.sync.rows.row_sink import RowSink


class Hashed(Struct, frozen=True):
    """Pages of answers: the hashes of their answers by page id, and of which `unchanged` is known that they are."""

    hashes: dict[str, str]
    unchanged: set[str]


class UnreadPages(Struct):
    """Tells them for one data source. `read_always`: pages that are read whatever comes, since something is missing.

    Whoever a page names has to be known: the first page that names somebody who is not is read, and tells who it is.
    """

    destination: RowSink
    keeps_emails: bool
    has_notes: bool = False
    read_always: Collection[str] = ()
    known_users: set[str] = field(default_factory=set)

    async def hashed(self, pages: Sequence[AnsweredPage], key: bytes) -> Hashed:
        """`key`: what their rows hang on beside the pages (`answer_hash.conversion_key`).

        A page that came twice has no hash: it may have been edited in between, and its parts be written one by one.
        """
        often = {id_ for id_, count in Counter(page.id for page in pages).items() if count > 1}
        texts = {
            page.id: page.text
            for page in pages
            if page.is_live and page.id is not None and page.text is not None and page.id not in often
        }
        hashed = {id_: answer_hash(key, text, keeps_emails=self.keeps_emails) for id_, text in texts.items()}
        hashes = {id_: one for id_, one in hashed.items() if one is not None}
        if not (hashes and self.has_notes):
            return Hashed(hashes, set())
        users = {id_: users_named(texts[id_]) for id_ in hashes}
        asked = set().union(*users.values()) - self.known_users
        noted = await self.destination.as_noted(hashes, asked)
        self.known_users |= noted.users
        return Hashed(hashes, self._unchanged(noted.pages - set(self.read_always), users))

    def _unchanged(self, as_noted: set[str], users: dict[str, set[str]]) -> set[str]:
        unchanged = set()
        for page_id, named in users.items():
            if page_id in as_noted and named <= self.known_users:
                unchanged.add(page_id)
            else:
                self.known_users |= named
        return unchanged
