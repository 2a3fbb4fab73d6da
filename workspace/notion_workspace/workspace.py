"""The sample workspace: content, and every method by which tests and the demo steer it.

Steering methods take names where there is one or ids, and raise LookupError for what does not exist. Each holds the
workspace's lock; all times are taken from its clock.
"""

from collections.abc import Callable, Iterator, Sequence

from notion_workspace import truth
from notion_workspace.api import Answer, Api, Request
from notion_workspace.cursors import Cursors
from notion_workspace.events import make_event
from notion_workspace.faults import Faults
from notion_workspace.hosted_files import HostedFiles
from notion_workspace.limits import Limits
from notion_workspace.markdown import Markdown
from notion_workspace.model import Json, Value
from notion_workspace.objects import PageRenderer
from notion_workspace.pages import Pages
from notion_workspace.people import People
from notion_workspace.requests import RequestLog
from notion_workspace.state import Settings, State
from notion_workspace.steered import steered
from notion_workspace.steering import steering
from notion_workspace.tables import Tables
from notion_workspace.truth import TruthRow
from notion_workspace.values import Renderer


class SampleWorkspace(People, Tables, Pages):
    """A Notion workspace in memory; same seed, same ids and values. `settings` are those of `state.Settings`.

    `clock`, `faults`, `requests` and `files` are steered by their own methods.
    """

    def __init__(self, seed: int = 0, **settings: Value) -> None:
        super().__init__(State(seed, settings=Settings(**settings)))
        self.faults = Faults()
        self.requests = RequestLog()
        self.files = HostedFiles(self.state)
        self._limits = Limits(self.state.settings, self.state.seed)
        self._cursors = Cursors(self.state)
        self._api = Api(self.state, self._cursors, self._limits, self.faults, self.requests)
        self.owner_id = self.add_user("Workspace Owner", email="owner@example.com")

    # --- the API -----------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        """Answers a request of the API. Never raises for what a client may send."""
        with self.lock:
            return self._api.answer(request)

    def on_request(self, callback: Callable[[Request], None]) -> None:
        """Calls back before each answer, under the lock: the callback may steer, and edit between two answers."""
        self._api.callbacks.append(callback)

    # --- how it behaves ----------------------------------------------------------------------------------------

    @steered
    def configure(self, **settings: Value) -> None:
        """Changes settings (see `state.Settings`). Raises TypeError on an unknown one."""
        self.state.settings.change(**settings)

    @steered
    def expire_cursors(self) -> None:
        """Makes every cursor given out so far invalid."""
        self._cursors.expire()

    @steered
    def block_token(self, token: str) -> None:
        """Answers everything of a token with 429 `public_api_request_blocked`."""
        self._limits.block(self._build.token(token).label)

    @steered
    def unblock_token(self, token: str) -> None:
        """Ends that."""
        self._limits.unblock(self._build.token(token).label)

    # --- the truth ---------------------------------------------------------------------------------------------

    @steering
    def page_ids(self, data_source: str) -> list[str]:
        """The ids of the pages that are neither in the trash nor archived, in no particular order."""
        with self.lock:
            return [page.id for page in self.state.live_pages(self._build.source(data_source))]

    @steering
    def truth(self, data_source: str, token: str | None = None) -> dict[str, TruthRow]:
        """Every live page by id, complete and plain (see `truth`); with a token only what it may see."""
        with self.lock:
            return {row["id"]: row for row in self.iter_truth(data_source, token)}

    def iter_truth(self, data_source: str, token: str | None = None) -> Iterator[TruthRow]:
        """The same, one row at a time, for large data sources."""
        found = self._build.token(token) if token else None
        return truth.iterate(self.state, self._build.source(data_source), found)

    @steering
    def complete_page(self, page_id: str, token: str | None = None) -> Json:
        """The page as the API would give it if nothing were ever cut: from the stored values, has_more false, rollups
        and formulas over all related pages, file URLs without signature, no expiry_time.
        """
        with self.lock:
            page = self.state.page(page_id)
            if page is None:
                raise LookupError(f"no page {page_id}")
            found = self._build.token(token) if token else None
            source = self.state.source_of(page)
            return PageRenderer(self.state, source, found, "2026-03-11", whole=True).page(page)

    @steering
    def complete_body(self, page_id: str) -> str:
        """The page's body as markdown if nothing were ever cut, file URLs without signature."""
        with self.lock:
            page = self.state.page(page_id)
            if page is None:
                raise LookupError(f"no page {page_id}")
            return Markdown(self.state, Renderer(self.state, None, signed=False), page.body, whole=True).text

    # --- webhooks ----------------------------------------------------------------------------------------------

    @steering
    def webhook_event(
        self, kind: str, entity_id: str, *, author: str | None = None, attempt: int = 1, updated: Sequence[str] = ()
    ) -> Json:
        """What Notion would send of a page, data source or database to a webhook (see `events.make_event`).

        It is sent to nobody: `events.signature` signs it.
        """
        with self.lock:
            by = self._author(author)
            return make_event(self.state, kind, entity_id, author=by, attempt=attempt, updated=updated)
