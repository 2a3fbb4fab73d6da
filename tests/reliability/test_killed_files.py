"""A run that is killed while it keeps files, anywhere: nothing is half there, lost, or fetched twice for nothing.

`pytest tests/reliability/test_killed_files.py --kills 60 -n 0` is the long form.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from notion_workspace import File

from notion_pg_sync.sync.files.keeping import AT_ONCE
from tests.cli.conftest import BARE
from tests.files.conftest import UNPACED, WELL, BucketPart, FileSite, Folder, Store, make_site
from tests.reliability.conftest import Place
from tests.reliability.proxy import PostgresProxy
from tests.s3_server import S3Server

FILES = 60
# Larger than what S3 takes in one part, and than what is read at once.
LARGE = 12 * 1024 * 1024


@dataclass
class Target:
    """A user who adds pages with files, and takes files off others, between any two runs."""

    site: FileSite
    chance: random.Random
    source: str = ""
    rounds: int = 0
    # What was looked at once is not read again after every kill.
    known: set[str] = field(default_factory=set)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def prepare(self) -> None:
        """What people do, and that a month goes by for what no page names."""
        workspace, self.rounds = self.site.workspace, self.rounds + 1
        workspace.clock.advance(20 * 60)
        given = [File(f"{number}.bin", f"{self.rounds:08}-{number:04}/{number}.bin") for number in range(FILES)]
        workspace.files.describe(given[0].url, size=LARGE)
        workspace.files.describe(given[1].url, size=700_000)
        groups = [given[number : number + 4] for number in range(0, FILES, 4)]
        if not self.source:
            self.source = self.site.add_albums(groups)
            return
        for number, group in enumerate(groups):
            workspace.add_page(self.source, {"Name": f"Round {self.rounds}, {number}", "Files": group})
        for page in self.chance.sample(workspace.page_ids(self.source), 5):
            workspace.edit_page(page, {"Files": []})
        self.site.execute("UPDATE notion_sync.files SET unused_since = unused_since - interval '31 days'")

    def run(self, database_url: str, *arguments: str) -> int:
        """Runs `sync-all --files`; returns its exit code."""
        files = ("--files", self.site.store.where)
        process = subprocess.Popen(
            [sys.executable, "-m", "notion_pg_sync", "sync-all", *UNPACED, *files, *arguments],
            env={**BARE, **self.site.command.environment, "DATABASE_URL": database_url},
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        process.communicate()
        self._processes.clear()
        return process.returncode

    def kill(self) -> None:
        """Kills the run that there is."""
        for process in list(self._processes):
            process.kill()

    def run_killed_before_message(self, number: int, *arguments: str) -> None:
        """Kills it instead of passing its `number`-th message on to PostgreSQL."""
        with PostgresProxy(self.site.database_url, number, self.kill) as proxy:
            self.run(proxy.url, *arguments)

    def run_killed_after_file(self, number: int, seconds: float) -> None:
        """Kills it so long after it asked for its `number`-th file."""
        left = iter(range(number - 1, -1, -1))

        def count(_path: str) -> None:
            if next(left, None) == 0:
                threading.Timer(seconds, self.kill).start()

        self.site.workspace.files.on_request(count)
        self.run(self.site.database_url)
        self.site.workspace.files.callbacks.remove(count)

    def asked(self) -> list[str]:
        return [one.path for one in self.site.workspace.files.all()]


@pytest.fixture
def target(place: Place, chance: random.Random, request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """Of a folder or of a bucket, by the parameter."""
    store: Store = Folder(tmp_path / "kept")
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        store = BucketPart(server.bucket())
    url = place.command.environment["NOTION_BASE_URL"]
    return Target(make_site(place.database_url, place.small, url, store), chance)


def whole_run(target: Target) -> int:
    """How many messages a run sends that nobody kills."""
    target.prepare()
    with PostgresProxy(target.site.database_url) as proxy:
        assert target.run(proxy.url) == 0
    assert target.site.problems(target.source) == []
    return proxy.messages


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("target", ["folder", "s3"], indirect=True)
def test_after_a_kill_the_next_run_keeps_the_rest(target: Target, kills: int) -> None:
    whole_run(target)
    messages, chance, site = whole_run(target), target.chance, target.site
    share, unfinished, again, in_parts = -(-kills // 2), 0, 0, 0
    for kill in range(share):
        target.prepare()
        site.workspace.files.clear()
        if kill % 2:
            target.run_killed_after_file(1 + int((kill + chance.random()) * FILES / share), chance.random() * 0.1)
        else:
            # Spread over the whole run, and by chance within each stretch of it.
            target.run_killed_before_message(1 + int((kill + chance.random()) * messages / share))
        assert site.half(target.known) == []
        asked, recorded = set(target.asked()), site.kept().keys()
        unfinished += len(asked - recorded) > 0
        in_parts = max(in_parts, len(site.store.unfinished()))
        site.workspace.files.clear()
        assert site.command("sync-all", *UNPACED, "--files", site.store.where) == WELL
        assert site.problems(target.source, known=target.known) == []
        target.known.update(site.kept())
        twice = asked & set(target.asked())
        assert not twice & recorded
        assert len(target.asked()) == len(set(target.asked()))
        assert len(twice) <= AT_ONCE
        again += len(twice)
    assert site.problems(target.source) == []
    print(
        f"{share} kills of runs of {messages} messages, {unfinished} of them while files were under way: {again} files"
        f" fetched twice; {in_parts} uploads in parts left over at the most"
    )
    assert unfinished * 4 > share


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("target", ["folder"], indirect=True)
def test_after_a_kill_while_another_place_is_taken_one_place_keeps_every_file(target: Target, kills: int) -> None:
    """Runs that ask for no other place go on at the old one, or at the new one."""
    site, chance = target.site, target.chance
    site.add_albums([[File(f"{number}.txt", f"0f00ba12-{number:04}/{number}.txt")] for number in range(5)])
    assert site.sync() == WELL

    def full(number: int) -> tuple[str, ...]:
        return "--full", "--files", f"{site.store.where}-{number}"

    with PostgresProxy(site.database_url) as proxy:
        assert target.run(proxy.url, *full(0)) == 0
    present, is_taken = f"{site.store.where}-0", 0
    for kill in range(1, kills + 1):
        site.workspace.clock.advance(20 * 60)
        target.run_killed_before_message(int((kill - 1 + chance.random()) * proxy.messages / kills) + 1, *full(kill))
        places = [present, f"{site.store.where}-{kill}"]
        ended = {place: site.command("sync-all", *UNPACED, "--files", place) for place in places}
        (present,) = [place for place, end in ended.items() if end == WELL]
        is_taken += present == places[1]
        assert all((Path(present) / key).is_file() for key, *_ in site.kept().values())
        assert len(site.kept()) == 5
    print(f"{kills} kills of runs of {proxy.messages} messages: {is_taken} times the place was taken by then")
    assert 0 < is_taken < kills
