"""Makes and changes content, given ids: the rules that keep it whole, such as the two sides of a dual relation.

Nothing here locks, and nothing moves a page's last-edited time unless it says so.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from notion_workspace.ids import parse_uuid
from notion_workspace.literals import DERIVED, definition, store
from notion_workspace.model import Database, DataSource, Definition, Option, Page, Property, Token
from notion_workspace.plain import Reader
from notion_workspace.state import State

Properties = Mapping[str, Definition | Mapping[str, Any]]
Values = Mapping[str, Any]

_COLORS = ("default", "blue", "green", "purple", "yellow", "red", "pink", "brown", "orange", "gray")


class Builder:
    """Content by id and name. Lookups raise LookupError when there is no such thing."""

    def __init__(self, state: State) -> None:
        self.state = state

    # --- finding -----------------------------------------------------------------------------------------------

    def token(self, label_or_secret: str) -> Token:
        """The token of this label or secret."""
        for token in self.state.tokens.values():
            if label_or_secret in (token.label, token.secret):
                return token
        raise LookupError(f"no token {label_or_secret!r}")

    def database(self, name_or_id: str) -> Database:
        """The database of this id or, if only one has it, name."""
        if name_or_id in self.state.databases:
            return self.state.databases[name_or_id]
        named = [one for one in self.state.databases.values() if one.name == name_or_id]
        if len(named) != 1:
            raise LookupError(f"{len(named)} databases are called {name_or_id!r}")
        return named[0]

    def source(self, name_or_id: str) -> DataSource:
        """The data source of this id, or the only one of the database of this name or id."""
        if name_or_id in self.state.data_sources:
            return self.state.data_sources[name_or_id]
        sources = self.database(name_or_id).data_source_ids
        if len(sources) != 1:
            raise LookupError(f"database {name_or_id!r} has {len(sources)} data sources")
        return self.state.data_sources[sources[0]]

    def property(self, source: DataSource, name_or_id: str) -> Property:
        """The property of this name or id."""
        prop = source.find_property(name_or_id)
        if prop is None:
            raise LookupError(f"{source.name!r} has no property {name_or_id!r}")
        return prop

    def page(self, page_id: str) -> Page:
        """The page of this id, stored from now on if it was generated, so that it can be changed."""
        page = self.state.page(page_id)
        if page is None:
            raise LookupError(f"no page {page_id}")
        source = self.state.source_of(page)
        source.stored[page.id] = page
        self.state.homes[page.id] = source.id
        return page

    def user_id(self, label_or_id: str) -> str:
        """The user of this name or id."""
        if label_or_id in self.state.users:
            return label_or_id
        for user in self.state.users.values():
            if user.name == label_or_id:
                return user.id
        raise LookupError(f"no user {label_or_id!r}")

    def option_named(self, prop: Property, name: str) -> Option:
        """The option of this name, made when there is none."""
        for option in prop.options:
            if option.name == name:
                return option
        made = Option(self.state.ids.uuid("option"), name, _COLORS[len(prop.options) % len(_COLORS)])
        prop.options.append(made)
        return made

    def related_id(self, prop: Property, title_or_id: str) -> str:
        """The page of this id, or of this title in the relation's target."""
        if parse_uuid(title_or_id) == title_or_id:
            return title_or_id
        target = self.state.data_sources[prop.target or ""]
        reader = Reader(self.state)
        for page in target.stored.values():
            if reader.title(page) == title_or_id:
                return page.id
        raise LookupError(f"{target.name!r} has no page {title_or_id!r}")

    # --- tables ------------------------------------------------------------------------------------------------

    def add_source(self, database: Database, name: str, properties: Properties, author: str) -> DataSource:
        """A data source with these properties; a title `Name` is added when none is given."""
        now = self.state.clock.now
        source = DataSource(self.state.ids.uuid("data source"), database.id, name, now, now, author)
        self.state.data_sources[source.id] = source
        database.data_source_ids.append(source.id)
        given = {key: definition(literal) for key, literal in properties.items()}
        if not any(one.type == "title" for one in given.values()):
            given = {"Name": Definition("title"), **given}
        for key, one in given.items():
            self.add_property(source, key, one)
        return source

    def add_property(self, source: DataSource, name: str, literal: Definition | Mapping[str, Any]) -> Property:
        """A property. Raises ValueError on a second title or a name that is taken."""
        given = definition(literal)
        if any(prop.name == name for prop in source.properties.values()):
            raise ValueError(f"{source.name!r} has a property {name!r}")
        property_id = "title"
        if given.type != "title":
            property_id = self.state.ids.property_id(source.id, set(source.properties))
        elif "title" in source.properties:
            raise ValueError(f"{source.name!r} has a title")
        prop = Property(property_id, name, given)
        source.properties[prop.id] = prop
        self._configure(source, prop)
        return prop

    def _configure(self, source: DataSource, prop: Property) -> None:
        """Gives a new or retyped property what its definition asks for."""
        given = prop.definition
        for option in given.options:
            self.option_named(prop, option)
        prop.groups = [
            (group, [self.option_named(prop, option).id for option in options]) for group, options in given.groups
        ]
        if given.type == "relation":
            target = source if given.target == "self" else self.source(given.target or "")
            prop.target = target.id
            if given.dual:
                far = Property(self.state.ids.property_id(target.id, set(target.properties)), given.dual, given)
                target.properties[far.id] = far
                far.target, far.synced, prop.synced = source.id, prop.id, far.id
        elif given.type == "rollup":
            relation = self.property(source, given.relation)
            target = self.state.data_sources[relation.target or ""]
            prop.relation, prop.rolled_up = relation.id, self.property(target, given.rolled_up).id
        elif given.type == "unique_id":
            for page in source.stored.values():
                page.values[prop.id] = self._next_number(source)

    def retype(self, source: DataSource, prop: Property, literal: Definition | Mapping[str, Any]) -> None:
        """Another type under the same id; values that the new type cannot hold are dropped."""
        texts = ("title", "rich_text")
        choices = ("select", "status")
        given = definition(literal)
        kept = (
            prop.type == given.type or {prop.type, given.type} <= set(choices) or {prop.type, given.type} <= set(texts)
        )
        self._detach(prop)
        prop.definition = given
        prop.target = prop.synced = None
        if not kept:
            prop.options = []
            self._drop_values(source, prop)
        self._configure(source, prop)

    def remove_property(self, source: DataSource, prop: Property) -> None:
        """Takes a property away, with its values and the far side of a dual relation."""
        self._detach(prop)
        del source.properties[prop.id]
        self._drop_values(source, prop)

    def _drop_values(self, source: DataSource, prop: Property) -> None:
        for page in source.stored.values():
            page.values.pop(prop.id, None)
        if source.generated is not None:
            source.generated.makers.pop(prop.id, None)

    def _detach(self, prop: Property) -> None:
        """Takes the far side of a dual relation away."""
        target = self.state.data_sources.get(prop.target or "")
        if target is not None and prop.synced in target.properties:
            del target.properties[prop.synced]

    # --- pages -------------------------------------------------------------------------------------------------

    def add_page(self, source: DataSource, values: Values, author: str) -> Page:
        """A page, made now. Raises LookupError on unknown property names."""
        now = self.state.clock.now
        page = Page(self.state.ids.uuid("page"), source.id, now, now, author, author, {})
        source.stored[page.id] = page
        self.state.homes[page.id] = source.id
        for prop in source.properties.values():
            if prop.type == "unique_id":
                page.values[prop.id] = self._next_number(source)
        self.set_values(page, values)
        return page

    def _next_number(self, source: DataSource) -> int:
        source.next_unique_id += 1
        return source.next_unique_id - 1

    def set_values(self, page: Page, values: Values) -> None:
        """Stores plain values by property name or id."""
        source = self.state.source_of(page)
        for name, literal in values.items():
            prop = self.property(source, name)
            stored = store(prop, literal, self)
            if prop.type == "relation":
                self._relate(page, prop, stored)
            page.values[prop.id] = stored

    def _relate(self, page: Page, prop: Property, ids: Iterable[str]) -> None:
        """Brings the far side of a dual relation in line; the far pages count as unedited."""
        if prop.synced is None:
            return
        before, after = tuple(page.values.get(prop.id) or ()), tuple(ids)
        for other in {*before, *after}:
            if self.state.page(other) is None or (other in before) == (other in after):
                continue
            far = self.page(other)
            linked = tuple(one for one in far.values.get(prop.synced) or () if one != page.id)
            far.values[prop.synced] = (*linked, page.id) if other in after else linked

    def delete_page(self, page: Page) -> None:
        """Takes a page away for good."""
        self._leave(page)
        for block_id in [one for one, (home, _) in self.state.blocks.items() if home == page.id]:
            del self.state.blocks[block_id]

    def _leave(self, page: Page) -> None:
        source = self.state.source_of(page)
        del source.stored[page.id]
        del self.state.homes[page.id]
        if source.generated is not None:
            index = source.generated.index_of(page.id)
            if index is not None:
                source.removed.add(index)

    def move_page(self, page: Page, target: DataSource) -> None:
        """Moves a page; values go along where the target has a property of the same name and type."""
        old = {prop.name: prop for prop in self.state.source_of(page).properties.values()}
        self._leave(page)
        moved = {}
        for prop in target.properties.values():
            same = old.get("title") if prop.id == "title" else old.get(prop.name)
            if prop.id == "title":
                moved[prop.id] = page.values.get("title")
            elif same is not None and same.type == prop.type and prop.type not in DERIVED:
                moved[prop.id] = page.values.get(same.id)
            if prop.type == "unique_id":
                moved[prop.id] = self._next_number(target)
        page.values, page.data_source_id, page.parent_page_id = moved, target.id, None
        target.stored[page.id] = page
        self.state.homes[page.id] = target.id
