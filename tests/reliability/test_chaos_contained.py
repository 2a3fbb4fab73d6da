"""Things go bad in twos and threes, and come back: a cell, a page, a row, a data source, a database, a token.

After every run all else is as Notion has it, and `status --json` names what is left out and nothing more. One full run
after the last of them is well again, so is everything.

`pytest tests/reliability/test_chaos_contained.py --rounds 100 -n 0` is the long form (some minutes).
"""

from __future__ import annotations

import asyncio
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from notion_workspace import SampleWorkspace
from notion_workspace.literals import number, relation, title

from tests.reliability.conftest import Place

USERS = ("anna", "ben", "cora")
LONG, PAIR = "Long", "Pair"
# More than an answer holds; and with a relation of more entries than a page has.
ROWS, FRIENDS, WITH_FRIENDS = 130, 30, 6
SMALL = 12
MOST_BAD = 3
LEFT_OUT = "SELECT page_id::text, property FROM notion_sync.left_out WHERE user_id = %s AND data_source_id = %s"
TROUBLE = ("500", "not_json", "wrong_types")


@dataclass(frozen=True)
class Source:
    """A data source of a user's database; `long`: its pages that have a long relation."""

    user: str
    database: str
    database_id: str
    id: str
    long: tuple[str, ...] = ()


@dataclass
class World:
    """Three users with two databases each, one of them with two data sources."""

    place: Place
    chance: random.Random
    sources: list[Source] = field(default_factory=list)
    trashed: set[str] = field(default_factory=set)

    @property
    def workspace(self) -> SampleWorkspace:
        return self.place.small.workspace

    def populate(self) -> None:
        for user in USERS:
            long = self.workspace.add_database(
                f"{LONG} of {user}",
                {"Name": title(), "Count": number(), "Friends": relation("self")},
                [{"Name": f"Row {row}", "Count": row} for row in range(ROWS)],
                pace=40.0,
            )
            pages = self.workspace.page_ids(long.data_source_id)
            for page in pages[:WITH_FRIENDS]:
                self.workspace.edit_page(page, {"Friends": pages[:FRIENDS]})
            pair = self.workspace.add_database(
                f"{PAIR} of {user}", {"Name": title(), "Count": number()}, _few(), pace=9.0
            )
            second = self.workspace.add_data_source(
                f"{PAIR} of {user}", f"Second of {user}", {"Name": title(), "Count": number()}, _few()
            )
            for handle in (long, pair):
                self.workspace.share(user, handle.id)
            self.sources += [
                Source(user, LONG, long.id, long.data_source_id, tuple(pages[:WITH_FRIENDS])),
                Source(user, PAIR, pair.id, pair.data_source_id),
                Source(user, PAIR, pair.id, second),
            ]
            self.place.connect(user, self.place.small.tokens[user], json.dumps({LONG: long.id, PAIR: pair.id}))

    def pages(self, source: Source) -> list[str]:
        return [page for page in self.workspace.page_ids(source.id) if page not in self.trashed]

    def known(self, source: Source) -> list[str]:
        """Pages that have a row, and no long relation."""
        return sorted(self.rows(source) & set(self.pages(source)) - set(source.long))

    def edit(self) -> None:
        """What people do, an hour after they did the last; what is suspended may be tried again."""
        self.workspace.clock.advance(3600)
        for table in ("databases", "accounts"):
            self.place.execute(f"UPDATE notion_sync.{table} SET next_try_at = next_try_at - interval '2 days'")
        for source in self.sources:
            pages = self.pages(source)
            # Nobody edits what is in the trash with its database.
            if not pages:
                continue
            for page in self.chance.sample(pages, 3):
                self.touch(page)
            self.workspace.add_page(source.id, {"Name": "new", "Count": self.chance.randrange(10**6)})
            # A removal shows in a full read alone, as every read of a small data source is.
            if source.database == PAIR:
                page = self.chance.choice(self.pages(source))
                self.workspace.trash_page(page)
                self.trashed.add(page)

    def touch(self, page: str) -> None:
        self.workspace.edit_page(page, {"Count": self.chance.randrange(10**6)})

    def rows(self, source: Source) -> set[str]:
        return set(asyncio.run(self.place.installation.mirrored(source.user, source.id)))


def _few() -> list[dict[str, object]]:
    return [{"Name": f"Row {row}", "Count": row} for row in range(SMALL)]


@dataclass
class Harm(ABC):
    """Something that is bad for a while; `source` is where."""

    world: World
    source: Source

    @abstractmethod
    def begin(self) -> None:
        """Makes it bad, as far as it is no fault of answers."""

    def end(self) -> None:
        """Makes that well."""
        return

    @property
    def fault(self) -> tuple[str, str] | None:
        """The kind of the workspace's fault that it is, and the paths that this strikes."""
        return None

    def blinds(self, source: Source) -> bool:
        """Whether the data source cannot be read."""
        return False

    @property
    def left_out(self) -> tuple[str, str] | None:
        """The page and the property that are left out, where that is all."""
        return None


@dataclass
class BadCell(Harm):
    """A value that Notion does not give whole."""

    page: str = ""
    kind: str = ""

    def begin(self) -> None:
        self.page, self.kind = self.world.chance.choice(self.source.long), self.world.chance.choice(TROUBLE)
        self.world.touch(self.page)

    @property
    def fault(self) -> tuple[str, str]:
        return self.kind, f"/pages/{self.page}/properties/"

    @property
    def left_out(self) -> tuple[str, str]:
        return self.page, "Friends"


@dataclass
class BadPage(Harm):
    """A page that Notion does not list, or not whole; where it gives it alone, nothing is left out."""

    page: str = ""
    is_given_alone: bool = False

    def begin(self) -> None:
        chance = self.world.chance
        self.page = chance.choice(self.world.known(self.source))
        oddity = chance.choice(("fails", "without_properties", "id_only"))
        # Where listings fail, nobody knows what else they would give: then nothing proves that nothing is left out.
        self.is_given_alone = oddity != "fails" and chance.random() < 0.5
        self.world.workspace.spoil_page(self.page, oddity, alone=not self.is_given_alone)
        self.world.touch(self.page)

    def end(self) -> None:
        self.world.workspace.heal_page(self.page)

    @property
    def left_out(self) -> tuple[str, str] | None:
        return None if self.is_given_alone else (self.page, "")


@dataclass
class BadRow(Harm):
    """A row that a constraint refuses."""

    page: str = ""

    def begin(self) -> None:
        self.page = self.world.chance.choice(self.world.known(self.source))
        self.world.place.execute(
            f"ALTER TABLE notion_pages_sync ADD CONSTRAINT \"no {self.page}\" CHECK (notion_page_id <> '{self.page}')"
            " NOT VALID"
        )
        self.world.touch(self.page)

    def end(self) -> None:
        self.world.place.execute(f'ALTER TABLE notion_pages_sync DROP CONSTRAINT "no {self.page}"')

    @property
    def left_out(self) -> tuple[str, str]:
        return self.page, ""


@dataclass
class BadSource(Harm):
    """A data source that Notion does not answer for."""

    kind: str = ""
    path: str = ""

    def begin(self) -> None:
        self.kind = self.world.chance.choice((*TROUBLE, "403_html", "504"))
        self.path = f"/data_sources/{self.source.id}" + self.world.chance.choice(("", "$", "/query$"))

    @property
    def fault(self) -> tuple[str, str]:
        return self.kind, self.path

    def blinds(self, source: Source) -> bool:
        return source.id == self.source.id


@dataclass
class BadDatabase(Harm):
    """A database that is in the trash, or no longer shared."""

    is_trashed: bool = False

    def begin(self) -> None:
        self.is_trashed = self.world.chance.random() < 0.5
        workspace, database = self.world.workspace, self.source.database_id
        if self.is_trashed:
            workspace.trash_database(database)
        else:
            workspace.unshare(self.source.user, database)

    def end(self) -> None:
        workspace, database = self.world.workspace, self.source.database_id
        if self.is_trashed:
            workspace.restore_database(database)
        else:
            workspace.share(self.source.user, database)

    def blinds(self, source: Source) -> bool:
        return source.database_id == self.source.database_id


@dataclass
class BadToken(Harm):
    """A token that Notion refuses."""

    def begin(self) -> None:
        self.world.workspace.revoke_token(self.source.user)

    def end(self) -> None:
        self.world.workspace.reinstate_token(self.source.user)

    def blinds(self, source: Source) -> bool:
        return source.user == self.source.user


HARMS = (BadCell, BadPage, BadRow, BadSource, BadDatabase, BadToken)


@dataclass
class Chaos:
    """What is bad at the moment, and what must be true all the same."""

    world: World
    harms: list[Harm] = field(default_factory=list)
    kept: dict[str, set[str]] = field(default_factory=dict)
    failed: set[tuple[str, str]] = field(default_factory=set)

    def change(self) -> None:
        """Ends some of what is bad, and begins as much as makes two or three."""
        chance = self.world.chance
        for harm in [harm for harm in self.harms if chance.random() < 0.4]:
            self.end(harm)
        for _ in range(chance.randint(2, MOST_BAD) - len(self.harms)):
            self.begin(chance.choice(HARMS))
        self.strike()

    def begin(self, kind: type[Harm]) -> None:
        """Begins one where nothing of its kind is bad; a cell or a row only where that shows."""
        taken = {(harm.source.user, type(harm)) for harm in self.harms}
        free = [source for source in self.world.sources if (source.user, kind) not in taken]
        if kind in (BadCell, BadPage, BadRow):
            free = [source for source in free if source.database == LONG and not self._is_blind(source)]
        if free:
            harm = kind(self.world, self.world.chance.choice(free))
            harm.begin()
            self.harms.append(harm)

    def end(self, harm: Harm) -> None:
        self.harms.remove(harm)
        harm.end()

    def end_all(self) -> None:
        for harm in list(self.harms):
            self.end(harm)
        self.strike()

    def strike(self) -> None:
        """Has the workspace in the trouble of what is bad now, and no other."""
        self.world.workspace.faults.clear()
        for kind, path in [harm.fault for harm in self.harms if harm.fault]:
            self.world.workspace.faults.add(kind, path=path)

    def sync(self, *, full: bool = False) -> None:
        self.kept = {source.id: self.world.rows(source) for source in self.world.sources}
        installation = self.world.place.installation
        outcome = asyncio.run(installation.sync_all(first_back_off=0.001, page_size=50, full=full))
        self.failed = {
            (account.user_id, name)
            for account in outcome.accounts
            for name, run in account.databases.items()
            if run.error_code
        }

    def wrong(self) -> list[str]:
        """All that is not as it must be after a run."""
        return [*self._wrong_rows(), *self._wrong_records(), *self._wrong_status()]

    def _is_blind(self, source: Source) -> bool:
        return any(harm.blinds(source) for harm in self.harms)

    def _left_out(self, source: Source) -> set[tuple[str, str]]:
        return {harm.left_out for harm in self.harms if harm.left_out and harm.source == source}

    def _wrong_rows(self) -> Iterator[str]:
        installation, workspace = self.world.place.installation, self.world.workspace
        for source in self.world.sources:
            rows = asyncio.run(installation.mirrored(source.user, source.id))
            if self._is_blind(source):
                if rows.keys() != self.kept[source.id]:
                    yield f"{source}: rows came or went though it could not be read"
                continue
            pages = set(self.world.pages(source))
            if rows.keys() != pages:
                yield f"{source}: {len(rows.keys() - pages)} rows too many, {len(pages - rows.keys())} missing"
            bad = dict(self._left_out(source))
            for page in pages & rows.keys() - {page for page, property_ in bad.items() if not property_}:
                whole = workspace.complete_page(page, source.user)["properties"]
                for name in whole.keys() - {bad.get(page)}:
                    if rows[page]["properties"].get(name) != whole[name]:
                        yield f"{source}: {name} of {page} differs"

    def _wrong_records(self) -> Iterator[str]:
        for source in self.world.sources:
            found = set(self.world.place.execute(LEFT_OUT, source.user, source.id))
            if not self._is_blind(source) and found != self._left_out(source):
                yield f"{source}: {found} is left out, not {self._left_out(source)}"

    def _wrong_status(self) -> Iterator[str]:
        told = json.loads(self.world.place.command("status", "--json", "--max-age", "1d").out)
        named = {(one["user_id"], one["database"]) for one in told["not_fresh"]}
        bad = {
            (source.user, source.database)
            for source in self.world.sources
            if self._is_blind(source) or self._left_out(source)
        }
        if named != bad:
            yield f"status names {sorted(named)}, not {sorted(bad)}"
        if not self.failed <= bad:
            yield f"the run failed at {sorted(self.failed - bad)}"
        for one in told["databases"]:
            (source, *others) = [
                each for each in self.world.sources if (each.user, each.database) == (one["user_id"], one["database"])
            ]
            expected = len(self._left_out(source))
            if not self._is_blind(source) and not others and one["left_out"] != expected:
                yield f"status counts {one['left_out']} left out of {source}, not {expected}"


@pytest.mark.timeout(3600)
def test_whatever_goes_bad_stops_nothing_else(place: Place, chance: random.Random, rounds: int) -> None:
    world = World(place, chance)
    world.populate()
    chaos = Chaos(world)
    chaos.sync()
    assert chaos.wrong() == []
    for round_ in range(rounds):
        world.edit()
        chaos.change()
        full = chance.random() < 0.3
        chaos.sync(full=full)
        bad = [(type(harm).__name__, harm.source.user, harm.source.database, harm.left_out) for harm in chaos.harms]
        assert chaos.wrong() == [], (round_, full, bad)
    chaos.end_all()
    world.edit()
    chaos.sync(full=True)
    assert chaos.wrong() == []
    assert place.command("status", "--max-age", "1d").code == 0
