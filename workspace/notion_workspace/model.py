"""What the workspace is made of: tokens, users, databases, data sources, properties, pages, blocks.

A page stores each value in a form of its own (see `Stored`), from which the API's JSON and the plain truth are made
separately. Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from notion_workspace.ids import encode_property_id

if TYPE_CHECKING:
    from notion_workspace.generated import Generated

Json = dict[str, Any]
# Any JSON or plain value.
Value = Any

# How each property type is stored on a page:
#   title, rich_text                tuple[RichText, ...]
#   number, checkbox, url, email, phone_number    the plain value or None
#   select, status                  option id or None;   multi_select: tuple of option ids
#   date                            DateValue or None
#   people, relation                tuple of ids
#   files                           tuple[File, ...]
#   unique_id                       the number or None
#   formula, rollup                 UNSUPPORTED, or (formula without a function) the plain result
#   verification, place, others     Notion's JSON
Stored = Any


class Unsupported:
    """The marker of a value that Notion did not compute (docs/notion-api.md#formulas-and-rollups)."""

    def __repr__(self) -> str:
        return "UNSUPPORTED"


UNSUPPORTED = Unsupported()


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text; `style` holds names of annotations that are on."""

    content: str
    link: str | None = None
    style: frozenset[str] = frozenset()
    color: str = "default"


@dataclass(frozen=True, slots=True)
class Equation:
    """An inline equation."""

    expression: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A mention: `target` is an id, a URL, a DateValue or a template word, by kind; `text` a fixed plain text."""

    kind: Literal["user", "page", "database", "date", "link_preview", "template_mention", "custom_emoji"]
    target: Any
    text: str = ""


RichText = Text | Equation | Mention


@dataclass(frozen=True, slots=True)
class DateValue:
    """A date as Notion writes it: day or date-time, optional end, optional zone name."""

    start: str
    end: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file: hosted by Notion (its URL has a new signature at every read) or external (a plain URL)."""

    name: str
    url: str
    external: bool = False


@dataclass(slots=True)
class Option:
    """An option of a select, multi-select or status property."""

    id: str
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What a property is, as given when it is made. `notion_workspace.literals` has a builder a type."""

    type: str
    format: str = "number"
    options: tuple[str, ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    prefix: str | None = None
    target: str | None = None
    dual: str | None = None
    relation: str = ""
    rolled_up: str = ""
    function: str = ""
    expression: str = ""
    result: str = "string"
    compute: Callable[[Any], Any] | None = None


@dataclass(slots=True)
class Property:
    """A column. `target`, `synced`, `relation` and `rolled_up` are ids; `first_name` is what formulas call it.

    `groups` are those of a status: name and option ids.
    """

    id: str
    name: str
    definition: Definition
    options: list[Option] = field(default_factory=list)
    groups: list[tuple[str, list[str]]] = field(default_factory=list)
    target: str | None = None
    synced: str | None = None
    relation: str = ""
    rolled_up: str = ""
    encoded_id: str = field(init=False)
    first_name: str = field(init=False)

    def __post_init__(self) -> None:
        self.encoded_id = encode_property_id(self.id)
        self.first_name = self.name

    @property
    def type(self) -> str:
        """Notion's name of the property's type."""
        return self.definition.type

    def option(self, option_id: str) -> Option | None:
        """The option of this id; None once it is removed."""
        for option in self.options:
            if option.id == option_id:
                return option
        return None


@dataclass(slots=True)
class Block:
    """A block of a page's body; `content` is what stands under the block's type."""

    id: str
    type: str
    content: Json
    created: int
    edited: int
    author: str
    children: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """A row. `values` is keyed by property id; `edited_before` is the edit that queries may still go by.

    `parent_page_id` is the page that a page of a wiki lies in; None where it lies in the wiki itself.
    """

    id: str
    data_source_id: str
    created: int
    edited: int
    created_by: str
    edited_by: str
    values: dict[str, Stored]
    in_trash: bool = False
    is_archived: bool = False
    is_locked: bool = False
    public_url: str | None = None
    icon: Json | File | Mention | None = None
    cover: Json | File | None = None
    body: list[Block] = field(default_factory=list)
    edited_before: int | None = None
    parent_page_id: str | None = None


@dataclass(slots=True)
class DataSource:
    """A table. Its rows are `stored`, and those of `generated` that are neither stored nor removed."""

    id: str
    database_id: str
    name: str
    created: int
    edited: int
    author: str
    properties: dict[str, Property] = field(default_factory=dict)
    stored: dict[str, Page] = field(default_factory=dict)
    generated: Generated | None = None
    removed: set[int] = field(default_factory=set)
    in_trash: bool = False
    next_unique_id: int = 1

    def page(self, page_id: str) -> Page | None:
        """The row of this id, in whatever state; None when it is not here."""
        page = self.stored.get(page_id)
        if page is None and self.generated is not None:
            index = self.generated.index_of(page_id)
            if index is not None and index not in self.removed:
                return self.generated.page(index)
        return page

    def pages(self) -> Iterator[Page]:
        """Every row, in whatever state: stored ones first, then generated ones."""
        yield from list(self.stored.values())
        if self.generated is not None:
            for index in range(self.generated.rows):
                if self.is_generated(index):
                    yield self.generated.page(index)

    def is_generated(self, index: int) -> bool:
        """Whether the row of this index is still as it was generated."""
        if self.generated is None or index in self.removed:
            return False
        return not self.stored or self.generated.page_id(index) not in self.stored

    def ordered_properties(self) -> list[Property]:
        """The properties in the order of the API's answers: by id, the title last (as all payloads have it)."""
        return sorted(self.properties.values(), key=lambda prop: (prop.id == "title", prop.id))

    def find_property(self, name_or_id: str) -> Property | None:
        """The property of this name, id or percent-encoded id."""
        for prop in self.properties.values():
            if name_or_id in (prop.name, prop.id, prop.encoded_id):
                return prop
        return None


@dataclass(slots=True)
class Database:
    """A container of data sources. `parent` is Notion's JSON."""

    id: str
    name: str
    created: int
    edited: int
    parent: Json
    data_source_ids: list[str] = field(default_factory=list)
    in_trash: bool = False


@dataclass(slots=True)
class User:
    """Somebody or something that acts.

    `partial` is one of whom nothing but the id is told, `agent` one of a kind that no documentation names.
    """

    id: str
    kind: Literal["person", "bot", "group", "partial", "agent"]
    name: str | None
    email: str | None = None
    guest: bool = False


@dataclass(slots=True)
class Token:
    """A bearer token: whom it acts as, what it may see.

    `user_id` is the bot, or for a personal token its human creator; `owner_id` who authorised an OAuth token.
    """

    label: str
    secret: str
    kind: Literal["internal", "oauth", "personal"]
    user_id: str
    owner_id: str | None
    integration_id: str
    integration_name: str
    read_content: bool = True
    read_users: bool = True
    read_emails: bool = True
    revoked: bool = False
    shared: set[str] = field(default_factory=set)
