"""Values as a person would write them down: what the truth tells, what formulas, rollups, filters and sorts work on.

Made from the stored values alone, by no code that makes the API's JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from notion_workspace import rollups
from notion_workspace.clock import expiry_text, minute_text
from notion_workspace.model import (
    UNSUPPORTED,
    DateValue,
    Equation,
    File,
    Json,
    Mention,
    Page,
    Property,
    RichText,
    Stored,
    Text,
    Token,
    Value,
)
from notion_workspace.state import State

# Deeper chains of rollups and formulas are not computed: "nested calculations"
# (docs/notion-api.md#formulas-and-rollups).
DEEPEST = 4


def date_json(value: DateValue | None) -> Json | None:
    """A date as `{start, end, time_zone}`."""
    return None if value is None else {"start": value.start, "end": value.end, "time_zone": value.time_zone}


def bare_url(file: File, state: State) -> str:
    """A file's URL without signature: the same at every read."""
    if file.external:
        return file.url
    return f"{state.files_origin}/{state.id}/{quote(file.url)}"


class Reader:
    """Reads plain values as one token may see them.

    `limit` is how many pages of a relation formulas and rollups look at: 25 in page answers, None for all. The value
    of a relation itself is never cut here.
    """

    def __init__(self, state: State, token: Token | None = None, limit: int | None = None, depth: int = 0) -> None:
        self.state, self.token, self.limit, self.depth = state, token, limit, depth

    def value(self, page: Page, prop: Property) -> Value:
        """The plain value; UNSUPPORTED for what Notion does not compute."""
        read = _READERS.get(prop.type)
        return page.values.get(prop.id) if read is None else read(self, page, prop)

    def option(self, page: Page, prop: Property) -> str | None:
        """The name of a chosen option; None when there is none or it was removed."""
        option = prop.option(page.values.get(prop.id) or "")
        return option.name if option else None

    def options(self, page: Page, prop: Property) -> list[str]:
        """The names of chosen options."""
        return [option.name for one in page.values.get(prop.id) or () if (option := prop.option(one))]

    def unique_id(self, page: Page, prop: Property) -> str | None:
        """A unique id as people write it: `PREFIX-1`, or `1` without a prefix."""
        stored, prefix = page.values.get(prop.id), prop.definition.prefix
        return None if stored is None else f"{prefix}-{stored}" if prefix else str(stored)

    def text(self, items: tuple[RichText, ...] | None) -> str:
        """Rich text as the text one reads."""
        return "".join(self.plain_text(item) for item in items or ())

    def plain_text(self, item: RichText) -> str:
        """What one item reads as; mentions are named after what they mention, as it is called now."""
        match item:
            case Text(content=content):
                return content
            case Equation(expression=expression):
                return expression
            case Mention():
                return item.text or self._mentioned(item)

    def _mentioned(self, mention: Mention) -> str:
        match mention.kind:
            case "user":
                user = self.state.users.get(mention.target)
                return f"@{user.name}" if user and user.name else "@Anonymous"
            case "page":
                page = self.state.page(mention.target)
                return self.title(page) or "Untitled" if page else "Untitled"
            case "database":
                database = self.state.databases.get(mention.target)
                return database.name if database else "Untitled"
            case "date":
                end = f" → {mention.target.end}" if mention.target.end else ""
                return f"{mention.target.start}{end}"
            case _:
                return str(mention.target)

    def title(self, page: Page) -> str:
        """A page's title."""
        return self.text(page.values.get("title"))

    def formula(self, page: Page, prop: Property) -> Value:
        """A formula's result, computed now."""
        stored = page.values.get(prop.id)
        if stored is UNSUPPORTED or self.depth > DEEPEST:
            return UNSUPPORTED
        compute = prop.definition.compute
        return stored if compute is None else compute(Row(self._deeper(), page))

    def rollup(self, page: Page, prop: Property) -> Value:
        """A rollup's result, computed now over the related pages; see `rollups` for the rules."""
        if page.values.get(prop.id) is UNSUPPORTED or self.depth > DEEPEST:
            return UNSUPPORTED
        values = [value for _, _, value in self.rolled_up(page, prop)]
        return UNSUPPORTED if UNSUPPORTED in values else rollups.compute(prop.definition.function, values)

    def rolled_up(self, page: Page, prop: Property) -> Iterator[tuple[Page, Property, Any]]:
        """The related pages a rollup looks at, with the property rolled up and its plain value."""
        source = self.state.source_of(page)
        relation = source.properties.get(prop.relation)
        if relation is None:
            return
        deeper = self._deeper()
        for related in self.related(page, relation):
            target = self.state.source_of(related).properties.get(prop.rolled_up)
            if target is not None:
                yield related, target, deeper.value(related, target)

    def related(self, page: Page, relation: Property) -> list[Page]:
        """The pages of a relation that formulas and rollups look at."""
        pages = [self.state.page(one) for one in self.state.related_ids(page, relation, self.token)[: self.limit]]
        return [related for related in pages if related is not None]

    def _deeper(self) -> Reader:
        return Reader(self.state, self.token, self.limit, self.depth + 1)


_READERS: dict[str, Callable[[Reader, Page, Property], Value]] = {
    "title": lambda reader, page, prop: reader.text(page.values.get(prop.id)),
    "rich_text": lambda reader, page, prop: reader.text(page.values.get(prop.id)),
    "select": Reader.option,
    "status": Reader.option,
    "multi_select": Reader.options,
    "date": lambda _reader, page, prop: date_json(page.values.get(prop.id)),
    "people": lambda _reader, page, prop: list(page.values.get(prop.id) or ()),
    "relation": lambda reader, page, prop: reader.state.related_ids(page, prop, reader.token),
    "files": lambda reader, page, prop: [
        {"name": file.name, "url": bare_url(file, reader.state)} for file in page.values.get(prop.id) or ()
    ],
    "checkbox": lambda _reader, page, prop: bool(page.values.get(prop.id)),
    "unique_id": Reader.unique_id,
    "formula": Reader.formula,
    "rollup": Reader.rollup,
    "button": lambda _reader, _page, _prop: {},
    "created_time": lambda _reader, page, _prop: minute_text(page.created),
    "last_edited_time": lambda _reader, page, _prop: minute_text(page.edited),
    "created_by": lambda _reader, page, _prop: page.created_by,
    "last_edited_by": lambda _reader, page, _prop: page.edited_by,
}


class Row:
    """A page as a formula sees it: `row["Name"]`, `row.related("Relation")`, `row.now`.

    Names are those the properties had when they were made, so that a formula outlives a renaming, as Notion's do.
    """

    def __init__(self, reader: Reader, page: Page) -> None:
        self._reader, self._page = reader, page

    @property
    def now(self) -> str:
        """The present, exact, in UTC."""
        return expiry_text(self._reader.state.clock.now)

    def __getitem__(self, name: str) -> Value:
        return self._reader.value(self._page, self._property(name))

    def related(self, name: str) -> list[Row]:
        """The rows that a relation holds, at most 25 in page answers."""
        return [Row(self._reader, page) for page in self._reader.related(self._page, self._property(name))]

    def _property(self, name: str) -> Property:
        properties = self._reader.state.source_of(self._page).properties.values()
        return next(prop for prop in properties if prop.first_name == name)


def sort_value(reader: Reader, page: Page, prop: Property) -> Stored:
    """A plain value that sorts: numbers for unique ids, start for dates, None for what is empty."""
    if prop.type == "unique_id":
        return page.values.get(prop.id)
    value = reader.value(page, prop)
    if isinstance(value, dict):
        return value.get("start")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value == "" or value is UNSUPPORTED else value
