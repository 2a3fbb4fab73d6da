"""A full read that is killed anywhere, while people work in Notion between any two runs.

`--full` makes the copy exact, whatever was left under way and however old that is. So does an ordinary run that begins
anew; one that carries the read on brings every edit, and leaves to the next full read only what no edit time tells and
happened after the read had begun.

`pytest tests/reliability/test_killed_full_reads.py --rounds 40 -n 0` is the long form (some minutes).
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from notion_workspace import Request, SampleWorkspace
from notion_workspace.literals import checkbox, number, relation, rich_text, rollup, select, title

from tests.reliability.conftest import UNPACED, WELL, Place
from tests.reliability.proxy import PostgresProxy

ROWS = 400
PAGE_SIZE = 10
QUERIES = ROWS // PAGE_SIZE
HOUR = 3600
STAGES = ("Idea", "Draft", "Done")
# By PostgreSQL's clock, of `data_sources`.
TIMES = ("full_as_of", "fresh_as_of", "full_read_began_at", "full_read_progress_at")


@dataclass
class People:
    """Those who work in Notion. `silent`: pages that they changed in a way that no edit time tells."""

    workspace: SampleWorkspace
    chance: random.Random
    many: str
    silent: set[str] = field(default_factory=set)
    trashed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    added_properties: list[str] = field(default_factory=list)
    number_: int = 0

    def work(self) -> None:
        """A good many changes of every kind, and now and then another schema."""
        self.workspace.clock.advance(self.chance.randrange(20, 300))
        for change in (self._edit, self._quietly, self._leave, self._come_back, self._add, self._related, self._option):
            for _ in range(self.chance.randrange(4)):
                change()
        if self.chance.random() < 0.15:
            self._schema()
        # What was edited in the minute in which a run begins is promised by the run after it.
        self.workspace.clock.advance(self.chance.randrange(120, 600))

    def _some(self, most: int) -> list[str]:
        pages = sorted(self.workspace.page_ids(self.many))
        return self.chance.sample(pages, self.chance.randrange(1, most))

    def _edit(self) -> None:
        for page in self._some(25):
            values = {"Count": self.chance.randrange(10**6), "Note": "n" * self.chance.randrange(300)}
            self.workspace.edit_page(page, values)

    def _quietly(self) -> None:
        for page in self._some(10):
            self.workspace.set_quietly(page, {"Count": -self.chance.randrange(10**6)})
            self.silent.add(page)

    def _leave(self) -> None:
        for page in self._some(4):
            self.silent.add(page)
            match self.chance.randrange(4):
                case 0:
                    self.workspace.archive_page(page)
                    self.archived.append(page)
                case 1:
                    self.workspace.move_page(page, "Spare")
                    self.moved.append(page)
                case 2:
                    self.workspace.delete_page(page)
                case _:
                    self.workspace.trash_page(page, bump=self.chance.random() < 0.5)
                    self.trashed.append(page)

    def _come_back(self) -> None:
        back: list[tuple[list[str], Callable[[str], None]]] = [
            (self.trashed, self.workspace.restore_page),
            (self.archived, self.workspace.unarchive_page),
            (self.moved, lambda page: self.workspace.move_page(page, self.many)),
        ]
        pages, come_back = self.chance.choice(back)
        if pages:
            page = pages.pop(self.chance.randrange(len(pages)))
            come_back(page)
            self.silent.add(page)

    def _add(self) -> None:
        for _ in range(self.chance.randrange(1, 6)):
            self.number_ += 1
            values = {"Name": f"new {self.number_}", "Stage": self.chance.choice(STAGES)}
            self.workspace.add_page(self.many, values)

    def _related(self) -> None:
        """A rollup changes in every row that is related to the page that is edited."""
        page = self.chance.choice(sorted(self.workspace.page_ids("Lists")))
        self.number_ += 1
        self.workspace.edit_page(page, {"Name": f"list {self.number_}"})
        truth = self.workspace.truth(self.many)
        self.silent.update(one for one, row in truth.items() if page in (row["properties"]["List"] or ()))

    def _option(self) -> None:
        """An option is renamed in every row that has it; the rows are not edited, and the schema keeps its shape."""
        stage = self.chance.choice(STAGES)
        truth = self.workspace.truth(self.many)
        self.silent.update(one for one, row in truth.items() if row["properties"]["Stage"] == stage)
        self.workspace.rename_option(self.many, "Stage", stage, "in between")
        other = self.chance.choice([name for name in STAGES if name != stage])
        self.silent.update(one for one, row in truth.items() if row["properties"]["Stage"] == other)
        self.workspace.rename_option(self.many, "Stage", other, stage)
        self.workspace.rename_option(self.many, "Stage", "in between", other)

    def _schema(self) -> None:
        if self.added_properties and self.chance.random() < 0.5:
            self.workspace.remove_property(self.many, self.added_properties.pop())
            return
        self.number_ += 1
        name = f"Extra {self.number_}"
        self.workspace.add_property(self.many, name, number())
        self.added_properties.append(name)


@dataclass
class Trial:
    """A user's databases, killed runs on them, and what must be true of them then."""

    place: Place
    chance: random.Random
    people: People
    databases: dict[str, str]
    messages: int = 0
    met: Counter[str] = field(default_factory=Counter)
    # What is called when Notion is asked for so many more answers of the many rows.
    queries_left: int = 0
    at_query: Callable[[], None] | None = None

    def count_query(self, request: Request) -> None:
        """Takes note of a request that Notion was asked."""
        if self.people.many in request.path and request.path.endswith("/query"):
            self.queries_left -= 1
            if self.queries_left == 0 and self.at_query:
                self.at_query()

    def pass_time(self, hours: float) -> None:
        """Lets the clocks of Notion and PostgreSQL go on."""
        self.people.workspace.clock.advance(hours * HOUR)
        moved = ", ".join(f"{name} = {name} - make_interval(secs => {hours * HOUR})" for name in TIMES)
        self.place.execute(f"UPDATE notion_sync.data_sources SET {moved}")

    def run(self, *arguments: str) -> None:
        """A run that nobody kills; what it made older is not silent any more where it began to read anew."""
        before = self._began()
        assert self.place.command(*self._typed(*arguments)) == WELL
        self._forgive(before)

    def run_killed(self, *arguments: str) -> None:
        """A run that is killed at a message to PostgreSQL, or as Notion is asked for rows."""
        before = self._began()
        started = threading.Event()
        processes: list[subprocess.Popen[str]] = []

        def kill() -> None:
            started.wait()
            processes[0].kill()

        self.at_query, self.queries_left = kill, self.chance.randrange(1, QUERIES + 6)
        message = self.chance.randrange(1, self.messages) if self.chance.random() < 0.5 else None
        with PostgresProxy(self.place.database_url, message, kill) as proxy:
            processes.append(self.place.start(*self._typed(*arguments), DATABASE_URL=proxy.url))
            started.set()
            processes[0].communicate()
        self.at_query = None
        self._forgive(before)
        self.met["killed in a full read" if self.is_under_way() else "killed elsewhere"] += 1

    def whole_run(self) -> None:
        """Counts the messages of a full read that nobody kills."""
        with PostgresProxy(self.place.database_url) as proxy:
            process = self.place.start(*self._typed("--full"), DATABASE_URL=proxy.url)
            assert process.communicate() == ("", "")
        self.messages = proxy.messages

    def is_under_way(self) -> bool:
        """Whether a full read of the many rows has begun and not ended."""
        ((started,),) = self._state("full_read_started_at")
        return started is not None

    def wrong(self) -> list[str]:
        """What is not as Notion has it."""
        return self.place.differences("anna", "anna", self.databases)

    def wrong_beyond_what_is_silent(self) -> list[str]:
        """The same, without what no edit time tells, and without how many rows there are, which follows from it."""
        lines = [line for line in self.wrong() if " rows instead of " not in line]
        return [line for line in lines if not any(page in line for page in self.people.silent)]

    def _typed(self, *arguments: str) -> tuple[str, ...]:
        readers = str(self.chance.randrange(1, 5))
        return ("sync-all", *UNPACED, "--page-size", str(PAGE_SIZE), "--concurrency", readers, *arguments)

    def _state(self, column: str) -> list[tuple[object, ...]]:
        return self.place.execute(
            f"SELECT {column} FROM notion_sync.data_sources WHERE data_source_id = %s", self.people.many
        )

    def _began(self) -> object:
        return self._state("full_read_began_at")

    def _forgive(self, before: object) -> None:
        """A read that began anew brings all that happened before it, once it is complete."""
        if self._began() != before:
            self.people.silent.clear()
            self.met["begun anew"] += 1


@pytest.fixture
def trial(place: Place, chance: random.Random) -> Trial:
    workspace = place.small.workspace
    lists = workspace.add_database("Lists", {"Name": title()}, [{"Name": f"list {index}"} for index in range(8)])
    ids = workspace.page_ids("Lists")
    properties = {
        "Name": title(),
        "Count": number(),
        "Note": rich_text(),
        "Done": checkbox(),
        "Stage": select(*STAGES),
        "List": relation("Lists"),
        "Names": rollup("List", "Name", "show_original"),
    }
    rows = [
        {"Name": f"row {row}", "Count": row, "Stage": STAGES[row % 3], "List": [ids[row % len(ids)]]}
        for row in range(ROWS)
    ]
    many = workspace.add_database("Many", properties, rows, pace=45.0)
    spare = workspace.add_database("Spare", {"Name": title(), "Count": number()}, [{"Name": "one"}])
    databases = {"Lists": lists.id, "Many": many.id, "Spare": spare.id}
    for name in databases:
        workspace.share("anna", name)
    place.connect("anna", place.small.tokens["anna"], json.dumps(databases))
    trial = Trial(place, chance, People(workspace, chance, many.data_source_id), databases)
    workspace.on_request(trial.count_query)
    assert place.command("sync-all", *UNPACED) == WELL
    workspace.clock.advance(HOUR)
    trial.whole_run()
    return trial


@pytest.mark.timeout(3600)
def test_after_a_killed_full_read_the_copy_is_as_it_is_promised(
    trial: Trial, chance: random.Random, rounds: int
) -> None:
    for _ in range(rounds):
        trial.people.work()
        trial.run_killed(*chance.choice([("--full",), ("--full",), ("--full-every", "0m")]))
        trial.people.work()
        if chance.random() < 0.3:
            trial.pass_time(chance.uniform(0.1, 0.9))
            trial.run_killed(*chance.choice([(), (), ("--full",)]))
            trial.people.work()
        trial.pass_time(chance.choice([0.0, chance.uniform(0.1, 0.9), chance.uniform(1.0, 6.0)]))
        if chance.random() < 0.5:
            trial.met["--full"] += 1
            trial.run("--full")
        else:
            carries_on = trial.is_under_way()
            trial.run()
            anew = not trial.people.silent
            trial.met["carried on" if carries_on and not anew else "ordinary"] += 1
            assert trial.wrong_beyond_what_is_silent() == []
            # The next full read is due a day after the last one began.
            trial.pass_time(24.0)
            trial.run()
        assert trial.wrong() == []
    print(", ".join(f"{count} {what}" for what, count in sorted(trial.met.items())))
    assert trial.met["killed in a full read"] * 3 > rounds
