"""The figures as they were last measured, `bench/results.json`: what `docs/performance.md` is made of."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from bench.environments import REPOSITORY
from bench.stand import Line, Measured

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Taken:
    """When and on what something was measured; `commit` ends in `+` where files differed from it."""

    day: str
    version: str
    commit: str
    processors: int
    python: str
    postgresql: str


@dataclass(frozen=True)
class Result:
    """How one contender read the rows: the least of each time, the most memory, and the relations that came whole.

    `measured` is None for one that did not run, `reason` says why then.
    """

    name: str
    measured: Measured | None = None
    whole: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Peers:
    """A first read of the same rows by everybody; `long` relations are longer than Notion's answers hold."""

    taken: Taken
    rows: int
    long: int
    results: list[Result]


@dataclass(frozen=True)
class Target:
    """A target, and what was measured."""

    what: str
    goal: str
    got: str
    is_met: bool


@dataclass(frozen=True)
class Targets:
    """The targets that the peers' read does not tell; the tool's run with nothing changed, and a daily full read."""

    taken: Taken
    targets: list[Target]
    rows: int
    unchanged: Measured
    full: Measured


@dataclass(frozen=True)
class Case:
    """The lines of one case."""

    taken: Taken
    lines: list[Line]


@dataclass
class Results:
    """All that was measured; None for what never was."""

    peers: Peers | None = None
    targets: Targets | None = None
    cases: dict[str, Case] = field(default_factory=dict)

    def save(self) -> None:
        """Writes the file."""
        RESULTS.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def load() -> Results:
    """Reads the file."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    peers, targets = found.get("peers"), found.get("targets")
    return Results(_peers(peers) if peers else None, _targets(targets) if targets else None, _cases(found))


def _peers(found: dict[str, Any]) -> Peers:
    results = [
        Result(**one | {"measured": Measured(**one["measured"]) if one["measured"] else None})
        for one in found["results"]
    ]
    return Peers(**found | {"taken": Taken(**found["taken"]), "results": results})


def _targets(found: dict[str, Any]) -> Targets:
    return Targets(
        Taken(**found["taken"]),
        [Target(**one) for one in found["targets"]],
        found["rows"],
        Measured(**found["unchanged"]),
        Measured(**found["full"]),
    )


def _cases(found: dict[str, Any]) -> dict[str, Case]:
    return {
        name: Case(
            Taken(**case["taken"]),
            [Line(**line | {"measured": Measured(**line["measured"])}) for line in case["lines"]],
        )
        for name, case in found.get("cases", {}).items()
    }


def taken_now(postgres_url: str) -> Taken:
    """What is measured now, and with which PostgreSQL."""
    with psycopg.connect(postgres_url) as connection:
        number = connection.info.server_version
    git = ("git", "-C", str(REPOSITORY))
    commit = subprocess.run([*git, "rev-parse", "--short=7", "HEAD"], check=True, capture_output=True, text=True).stdout
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], check=True, capture_output=True, text=True).stdout
    # The figures themselves change as they are measured.
    others = [line for line in changed.splitlines() if not line.endswith(("bench/results.json", "docs/performance.md"))]
    return Taken(
        day=datetime.now(UTC).date().isoformat(),
        version=version("notion-pg-sync"),
        commit=commit.strip() + ("+" if others else ""),
        processors=os.cpu_count() or 1,
        python=platform.python_version(),
        postgresql=f"{number // 10000}.{number % 10000}",
    )


def best(runs: list[Measured]) -> Measured:
    """What several runs of the same come to: the least of each time, since others only add to it, the most memory."""
    postgres = [one.postgres_cpu_seconds for one in runs if one.postgres_cpu_seconds is not None]
    return Measured(
        seconds=min(one.seconds for one in runs),
        cpu_seconds=min(one.cpu_seconds for one in runs),
        server_cpu_seconds=min(one.server_cpu_seconds for one in runs),
        peak_megabytes=max(one.peak_megabytes for one in runs),
        requests=max(one.requests for one in runs),
        postgres_cpu_seconds=min(postgres) if postgres else None,
    )
