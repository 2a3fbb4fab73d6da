"""Steers what tables there are: databases, data sources, properties."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from notion_workspace import generated_sources
from notion_workspace.building import Properties, Values
from notion_workspace.generated import History
from notion_workspace.model import UNSUPPORTED, Database, Definition, Json
from notion_workspace.steered import Steered, steered


@dataclass(frozen=True)
class DatabaseHandle:
    """A database just made: its id, its only data source's id, its name."""

    id: str
    data_source_id: str
    name: str


class Tables(Steered):
    """Databases, data sources and properties.

    A data source is named by its id, or by the name or id of a database that has no other; a property by name or id.
    """

    @steered
    def add_database(
        self,
        name: str,
        properties: Properties | None = None,
        rows: Iterable[Values] = (),
        *,
        author: str | None = None,
        wiki: str | None = None,
        pace: float = 0.0,
    ) -> DatabaseHandle:
        """Adds a database with one data source of the same name.

        `properties` are built with `literals`, or JSON such as `{"type": "number"}`; each row maps property names to
        plain values (see the builders). `wiki` is the database within which this one stands.
        `pace` is how many seconds the clock moves on before each row.
        """
        database = self._new_database(name, wiki)
        source_id = self.add_data_source(database.id, name, properties, rows, author=author, pace=pace)
        return DatabaseHandle(database.id, source_id, name)

    def _new_database(self, name: str, wiki: str | None = None) -> Database:
        parent: Json = {"type": "page_id", "page_id": self.state.root_page_id}
        if wiki:
            parent = {"type": "database_id", "database_id": self._build.database(wiki).id}
        now = self.clock.now
        database = Database(self.state.ids.uuid("database"), name, now, now, parent)
        self.state.databases[database.id] = database
        return database

    @steered
    def add_data_source(
        self,
        database: str,
        name: str,
        properties: Properties | None = None,
        rows: Iterable[Values] = (),
        *,
        author: str | None = None,
        pace: float = 0.0,
    ) -> str:
        """Adds a data source to a database, with rows as for `add_database`. Returns its id."""
        home = self._build.database(database)
        author_id = self._author(author)
        source = self._build.add_source(home, name, properties or {}, author_id)
        home.edited = self.clock.now
        for row in rows:
            self.clock.advance(pace)
            self._build.add_page(source, row, author_id)
        return source.id

    @steered
    def add_generated_database(
        self,
        name: str,
        rows: int,
        properties: int | Literal["wide"] = 8,
        history: str | History = "even",
        *,
        seed: int = 0,
        long_relations: float = 0.0,
        with_files: float = 0.0,
        sentences: int = 1,
        start: str | None = None,
        block: tuple[int, int] | None = None,
    ) -> DatabaseHandle:
        """Adds a database whose rows are computed, not held; see `generated_sources.add` for the arguments."""
        database = self._new_database(name)
        source = generated_sources.add(
            self._build,
            database,
            rows=rows,
            properties=properties,
            history=history,
            seed=seed,
            long_relations=long_relations,
            with_files=with_files,
            sentences=sentences,
            start=start,
            block=block,
            author=self.owner_id,
        )
        return DatabaseHandle(database.id, source.id, name)

    @steered
    def trash_data_source(self, data_source: str) -> None:
        """Puts a data source in the trash: its database names it still, and queries of it find nothing."""
        self._build.source(data_source).in_trash = True

    @steered
    def restore_data_source(self, data_source: str) -> None:
        """Takes a data source out of the trash."""
        self._build.source(data_source).in_trash = False

    @steered
    def remove_data_source(self, data_source: str) -> None:
        """Deletes a data source for good."""
        source = self._build.source(data_source)
        database = self.state.database_of(source)
        database.data_source_ids.remove(source.id)
        database.edited = self.clock.now
        del self.state.data_sources[source.id]

    @steered
    def rename_database(self, database: str, name: str) -> None:
        """Renames a database and, if it has but one, its data source."""
        found = self._build.database(database)
        found.name, found.edited = name, self.clock.now
        if len(found.data_source_ids) == 1:
            source = self.state.data_sources[found.data_source_ids[0]]
            source.name, source.edited = name, self.clock.now

    @steered
    def rename_data_source(self, data_source: str, name: str) -> None:
        """Renames a data source; its database keeps its title."""
        source = self._build.source(data_source)
        source.name, source.edited = name, self.clock.now

    @steered
    def trash_database(self, database: str) -> None:
        """Puts a database in the trash: it still answers, with in_trash true; queries find nothing."""
        self._set_database_trash(database, in_trash=True)

    @steered
    def restore_database(self, database: str) -> None:
        """Takes a database out of the trash."""
        self._set_database_trash(database, in_trash=False)

    def _set_database_trash(self, database: str, *, in_trash: bool) -> None:
        found = self._build.database(database)
        found.in_trash, found.edited = in_trash, self.clock.now

    @steered
    def delete_database(self, database: str) -> None:
        """Deletes a database for good."""
        found = self._build.database(database)
        for source_id in found.data_source_ids:
            del self.state.data_sources[source_id]
        del self.state.databases[found.id]

    # --- properties --------------------------------------------------------------------------------------------

    @steered
    def add_property(self, data_source: str, name: str, definition: Definition | Mapping[str, Any]) -> str:
        """Adds a property. Returns its id, not encoded."""
        source = self._build.source(data_source)
        source.edited = self.clock.now
        return self._build.add_property(source, name, definition).id

    @steered
    def rename_property(self, data_source: str, prop: str, name: str) -> None:
        """Renames a property; its id stays."""
        source = self._build.source(data_source)
        self._build.property(source, prop).name = name
        source.edited = self.clock.now

    @steered
    def remove_property(self, data_source: str, prop: str) -> None:
        """Removes a property with its values."""
        source = self._build.source(data_source)
        self._build.remove_property(source, self._build.property(source, prop))
        source.edited = self.clock.now

    @steered
    def retype_property(self, data_source: str, prop: str, definition: Definition | Mapping[str, Any]) -> None:
        """Gives a property another type; its id stays, values that do not fit are dropped."""
        source = self._build.source(data_source)
        self._build.retype(source, self._build.property(source, prop), definition)
        source.edited = self.clock.now

    @steered
    def rename_option(self, data_source: str, prop: str, option: str, name: str) -> None:
        """Renames an option: values change without an edit of any page; the option's id stays."""
        source = self._build.source(data_source)
        self._build.option_named(self._build.property(source, prop), option).name = name
        source.edited = self.clock.now

    @steered
    def recolor_option(self, data_source: str, prop: str, option: str, color: str) -> None:
        """Gives an option another color: values change without an edit of any page."""
        source = self._build.source(data_source)
        self._build.option_named(self._build.property(source, prop), option).color = color
        source.edited = self.clock.now

    @steered
    def remove_option(self, data_source: str, prop: str, option: str) -> None:
        """Removes an option: pages that had it have it no longer, without an edit."""
        source = self._build.source(data_source)
        found = self._build.property(source, prop)
        found.options.remove(self._build.option_named(found, option))
        source.edited = self.clock.now

    @steered
    def set_unsupported(
        self, data_source: str, prop: str, *, unsupported: bool = True, page_id: str | None = None
    ) -> None:
        """Makes a formula or rollup `unsupported` on one page or on all stored ones; no page counts as edited."""
        source = self._build.source(data_source)
        found = self._build.property(source, prop)
        pages = [self._build.page(page_id)] if page_id else list(source.stored.values())
        for page in pages:
            page.values[found.id] = UNSUPPORTED if unsupported else None
