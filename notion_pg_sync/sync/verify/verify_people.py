"""Who the people of a database's rows are, compared with what is kept of them, for `sync --verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from notion_pg_sync.core.errors import ErrorCode
from notion_pg_sync.mirror.held_texts import HeldPerson, HeldTexts
from notion_pg_sync.notion.client import NotionClient
from notion_pg_sync.notion.errors import NotionError
from notion_pg_sync.sync.verify.expected_people import Person, people_in, person_of
from notion_pg_sync.sync.verify.verification import Difference, Findings, short

# So many people are asked for one by one: guests, whom the list of users leaves out.
_MOST_ASKED = 100
_NOT_TOLD = (ErrorCode.RESTRICTED_RESOURCE, ErrorCode.OBJECT_NOT_FOUND)


class People:
    """The people whom the pages of a database name."""

    def __init__(self, client: NotionClient, held: HeldTexts, found: Findings) -> None:
        self.held = held
        self._client = client
        self._found = found
        self._named: dict[str, Person] = {}

    def named_by(self, properties: Mapping[str, Any]) -> None:
        """Takes in whom a page names, as Notion gives it."""
        for person in people_in(properties):
            if person.kind is not None or person.id not in self._named:
                self._named[person.id] = person

    async def names_in(self, fields: Iterable[object]) -> dict[str, str | None]:
        """The names that are kept of everybody whose id stands in these rows' `fields`."""
        ids = {found for one in fields if isinstance(one, dict) for found in _ids_in(one.values())}
        return {person.id: person.name for person in (await self.held.people(ids)).values()}

    async def compare(self) -> None:
        """Compares what is kept of everybody who was named."""
        held = await self.held.people(self._named)
        by_id_alone = {id_ for id_, person in self._named.items() if person.kind is None}
        # Of whom nothing is kept but the id, nothing can be wrong.
        asked = {id_ for id_ in by_id_alone if (one := held.get(id_)) is not None and one.kind is not None}
        told = {**self._named, **(await self._told(asked) if asked else {})}
        for id_, person in told.items():
            if person.kind is None and id_ in asked:
                self._found.people_not_told += 1
            elif person.kind is not None or id_ not in held:
                self._found.add(_differences(person, held.get(id_)))

    async def _told(self, ids: set[str]) -> dict[str, Person]:
        """What Notion tells of people; only those of whom it tells anything."""
        told: dict[str, Person] = {}
        try:
            listed = [person_of(one) for one in await self._client.users()]
            told = {person.id: person for person in listed if person is not None and person.id in ids}
        except NotionError as error:
            if error.code not in _NOT_TOLD:
                raise
        for id_ in sorted(ids - told.keys())[:_MOST_ASKED]:
            try:
                person = person_of(await self._client.user(id_))
            except NotionError as error:
                if error.code == ErrorCode.RESTRICTED_RESOURCE:
                    break
                if error.code not in _NOT_TOLD:
                    raise
                continue
            if person is not None:
                told[id_] = person
        return told


def _differences(person: Person, held: HeldPerson | None) -> Iterator[Difference]:
    if held is None:
        yield Difference("person_differs", None, person.id, "", short(person.name), "nobody")
        return
    wanted, kept = asdict(person), asdict(held)
    for part in wanted:
        if wanted[part] != kept[part]:
            yield Difference("person_differs", None, person.id, part, short(wanted[part]), short(kept[part]))


def _ids_in(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and len(one) == 36:
                try:
                    yield str(UUID(one))
                except ValueError:
                    continue
