"""All that the workspace holds, and how to find it. No HTTP, no locking, no JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Literal

from notion_workspace.clock import Clock
from notion_workspace.ids import IdMaker
from notion_workspace.model import Block, Database, DataSource, Page, Property, Token, User, Value


@dataclass
class Settings:
    """How the workspace behaves where notion-api.md leaves it open, or where a test wants it otherwise.

    cursor_kind: how a listing continues (see `cursors`). filter_precision: whether timestamp filters compare exact or
    rounded times. query_cap: most rows of one query. incomplete_mark: which answers of a query beyond it say so.
    short_pages: answers hold fewer rows than asked while has_more.
    rate_limit: requests a window and token, None for no limit; workspace_limit: the same for all tokens together,
    with workspace_retry_after seconds told. rate_window: seconds. rate_windows, rate_phase: see `limits`.
    latency: seconds each answer takes.
    unshared_relations: whether a relation to an unshared database is `empty` or `absent` in page values.
    index_lag: seconds (of the clock) until queries find a new page, and go by the time of an edit.
    empty_items: whether an empty title (text, people, relation) has an item in a rollup's property items.
    markdown_blocks: most blocks a markdown answer renders. markdown_endpoint: whether there is one.
    spelling: how answers are written (see `spelling.SPELLINGS`).
    serve_files: whether files hosted by Notion are at the workspace's own address, where they can be fetched, or at
    Notion's, where there are none. file_size: how many bytes each has, None for some that follow from its name.
    file_latency: seconds until one begins.
    kept_pages: most pages that queries render once and keep while nothing changes, but for those with signed files:
    a benchmark measures its reader then, and not this workspace. Faults and oddities of such pages are left out.
    """

    cursor_kind: Literal["key", "offset", "anchor"] = "key"
    filter_precision: Literal["exact", "minute"] = "exact"
    query_cap: int = 10_000
    incomplete_mark: Literal["first", "last", "every"] = "last"
    short_pages: bool = False
    rate_limit: int | None = None
    workspace_limit: int | None = None
    workspace_retry_after: int = 300
    rate_window: float = 60.0
    rate_windows: Literal["fixed", "by_request", "sliding"] = "fixed"
    rate_phase: float | Literal["random"] = 0.0
    latency: float = 0.0
    unshared_relations: Literal["empty", "absent"] = "empty"
    index_lag: float = 0.0
    empty_items: bool = False
    markdown_blocks: int = 20_000
    markdown_endpoint: bool = True
    spelling: str = "compact"
    serve_files: bool = False
    file_size: int | None = None
    file_latency: float = 0.0
    kept_pages: int = 0

    def change(self, **changes: Value) -> None:
        """Sets some of them. Raises TypeError on an unknown name."""
        unknown = changes.keys() - {item.name for item in fields(self)}
        if unknown:
            raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass
class State:
    """The workspace's content. `version` grows with every change, so that listings can be kept between changes.

    `odd_pages`: how queries answer pages that they do not answer whole (see `odd_pages.ODDITIES`), by id;
    `odd_pages_alone`: those that are answered so too where they are asked for alone. `origin`: where the workspace is
    served, if it is: scheme, host and port.
    """

    seed: int
    name: str = "Sample workspace"
    clock: Clock = field(default_factory=Clock)
    settings: Settings = field(default_factory=Settings)
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    data_sources: dict[str, DataSource] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    prefixes: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, tuple[str, Block]] = field(default_factory=dict)
    odd_pages: dict[str, str] = field(default_factory=dict)
    odd_pages_alone: set[str] = field(default_factory=set)
    version: int = 0
    signatures: int = 0
    origin: str | None = None

    def __post_init__(self) -> None:
        self.ids = IdMaker(self.seed)
        self.id = self.ids.uuid("workspace")
        self.root_page_id = self.ids.uuid("page")

    @property
    def files_origin(self) -> str:
        """Where hosted files are: scheme, host and port."""
        served = self.origin if self.settings.serve_files else None
        return served or "https://prod-files-secure.s3.us-west-2.amazonaws.com"

    def page(self, page_id: str) -> Page | None:
        """The page of this id, in whatever state; None once it is deleted for good."""
        home = self.homes.get(page_id) or self.prefixes.get(page_id[:24])
        source = self.data_sources.get(home) if home else None
        return source.page(page_id) if source else None

    def source_of(self, page: Page) -> DataSource:
        """The data source that a page stands in."""
        return self.data_sources[page.data_source_id]

    def database_of(self, source: DataSource) -> Database:
        """The database that a data source belongs to."""
        return self.databases[source.database_id]

    def sees(self, token: Token | None, source: DataSource) -> bool:
        """Whether a token may see a data source: access is granted by database. No token sees everything."""
        return token is None or source.database_id in token.shared

    def sees_relation(self, token: Token | None, prop: Property) -> bool:
        """Whether a relation's target is there and shared with the token (docs/notion-api.md#data-sources)."""
        target = self.data_sources.get(prop.target or "")
        return target is not None and self.sees(token, target)

    def related_ids(self, page: Page, prop: Property, token: Token | None) -> list[str]:
        """The ids a relation holds, in order, without pages in the trash or deleted; none if the target is unshared."""
        if not self.sees_relation(token, prop):
            return []
        ids = page.values.get(prop.id) or ()
        return [other for other in ids if (related := self.page(other)) is not None and not related.in_trash]

    def visible_properties(self, source: DataSource, token: Token | None) -> list[Property]:
        """The properties that the schema shows to a token, in the API's order."""
        return [
            prop for prop in source.ordered_properties() if prop.type != "relation" or self.sees_relation(token, prop)
        ]

    def in_trash(self, source: DataSource) -> bool:
        """Whether a data source or its database is in the trash, and all its pages with it."""
        return source.in_trash or self.database_of(source).in_trash

    def live_pages(self, source: DataSource) -> Iterator[Page]:
        """The pages that a default query returns."""
        pages = iter(()) if self.in_trash(source) else source.pages()
        return (page for page in pages if not page.in_trash and not page.is_archived)

    def is_indexed(self, moment: int) -> bool:
        """Whether queries know of what happened at a moment."""
        lag = self.settings.index_lag
        return not lag or self.clock.now - moment >= lag * 1000

    def indexed_time(self, page: Page, stamp: str) -> int:
        """The page's `created` or `edited` time by which queries filter and sort."""
        if stamp == "created" or page.edited_before is None or self.is_indexed(page.edited):
            moment: int = getattr(page, stamp)
            return moment
        return page.edited_before

    def touch(self, page: Page) -> None:
        """Moves a page's last-edited time to now."""
        page.edited_before = self.indexed_time(page, "edited")
        page.edited = self.clock.now

    def next_signature(self) -> int:
        """A number never given before, for what must differ at every read."""
        self.signatures += 1
        return self.signatures
