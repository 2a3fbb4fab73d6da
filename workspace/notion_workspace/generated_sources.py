"""Makes data sources whose rows are computed: which properties they have, how their creation times lie."""

from typing import Literal

from notion_workspace import generated
from notion_workspace.building import Builder
from notion_workspace.clock import milliseconds
from notion_workspace.generated import Generated, History
from notion_workspace.literals import (
    checkbox,
    date,
    email,
    files,
    multi_select,
    number,
    phone_number,
    relation,
    rich_text,
    select,
    title,
    unique_id,
    url,
)
from notion_workspace.model import Database, DataSource, Definition

_STAGES = ("Idea", "Draft", "Review", "Done")
_TAGS = ("Short", "Long", "Urgent", "Someday")
_WIDE = 200


def add(
    build: Builder,
    database: Database,
    *,
    rows: int,
    properties: int | Literal["wide"],
    history: str | History,
    seed: int,
    long_relations: float,
    with_files: float,
    sentences: int,
    start: str | None,
    block: tuple[int, int] | None,
    author: str,
) -> DataSource:
    """A generated data source.

    properties: how many, at least 8; `wide` is 200. history: `even`, `uneven` (90 % of the rows within one hour),
    `one_minute` (the rows of `block`, (first index, count), by default half of all, within one minute) or a function.
    start: the first creation time, by default three years before now. long_relations: the share of rows with a
    relation of 40 pages; above 0 a property `Related` is added. with_files: the share with a file of Notion's; above 0
    a property `Files` is added. sentences: how long texts are, of about 24 characters each. Raises ValueError on an
    unknown history.
    """
    definitions = _definitions(_WIDE if properties == "wide" else properties)
    if long_relations:
        definitions["Related"] = relation("self")
    if with_files:
        definitions["Files"] = files()
    source = build.add_source(database, database.name, definitions, author)
    now = build.state.clock.now
    first = milliseconds(start) if start else generated.default_span(now)
    made = Generated(
        source.id, build.state.seed * 1_000_003 + seed, rows, first, now, _history(history, rows, block), author
    )
    places = {"relation": round(long_relations * 1000), "files": round(with_files * 1000)}
    for position, prop in enumerate(source.properties.values(), start=1):
        place = places.get(prop.type, position)
        made.makers[prop.id] = generated.maker(prop, place, made, sentences)
    source.generated = made
    source.next_unique_id = rows + 1
    build.state.prefixes[made.prefix] = source.id
    return source


def _definitions(count: int) -> dict[str, Definition]:
    definitions = {
        "Name": title(),
        "Notes": rich_text(),
        "Amount": number(),
        "Stage": select(*_STAGES),
        "Tags": multi_select(*_TAGS),
        "Due": date(),
        "Done": checkbox(),
        "ID": unique_id("GEN"),
    }
    more = (number(), rich_text(), select(*_STAGES), date(), checkbox(), url(), email(), phone_number())
    for position in range(count - len(definitions)):
        definitions[f"Column {position + 1}"] = more[position % len(more)]
    return definitions


def _history(history: str | History, rows: int, block: tuple[int, int] | None) -> History:
    if callable(history):
        return history
    start, length = block or (rows // 4, rows // 2)
    named = {
        "even": generated.even,
        "uneven": generated.uneven,
        "one_minute": generated.one_minute(start, length),
    }
    if history not in named:
        raise ValueError(f"no history {history!r}; there are {', '.join(named)}")
    return named[history]
