"""A first read of the same rows by the tool, by the tool as it was, and by its peers, in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg

from bench.environments import NotMadeError
from bench.peers.contenders import PEERS, Contender, Source, bare_loop, baseline, ours
from bench.results import Peers, Result, best, taken_now
from bench.stand import Measured, Stand, stand

ROWS, TURNS, BASELINE = 5_000, 3, "fbc7bda"
# 27 properties, with files and relations, 5 kB a page.
SHAPE = {"properties": 25, "with_files": 0.05, "sentences": 8}
LONG_RELATIONS = 0.023
# As many as an answer holds of a relation.
_CUT = 25
OURS, EARLIER, BARE_LOOP = "notion-pg-sync", "the tool at ", "bare loop, pipelined"

Tell = Callable[[str], None]
# Makes a contender by its name in the table. Raises NotMadeError.
Makers = Mapping[str, Callable[[], Contender]]


@dataclass
class _Entry:
    """A contender, or why there is none."""

    name: str
    contender: Contender | None
    reason: str = ""


def everybody(commit: str) -> Makers:
    """The tool, the tool as it was at a commit, and the peers."""
    return {
        OURS: ours,
        f"{EARLIER}{commit}": lambda: baseline(commit),
        BARE_LOOP: bare_loop,
        **PEERS,
    }


def compare(postgres_url: str, tell: Tell, makers: Makers, *, rows: int, turns: int) -> Peers:
    """Everybody reads the rows as often as there are turns; one that fails is not asked again."""
    entries = list(_entries(makers))
    runs: dict[str, list[Measured]] = {}
    whole: dict[str, int] = {}
    with stand(postgres_url) as made:
        source = generated(made, rows, LONG_RELATIONS)
        long = _long_relations(made)
        for turn in range(turns):
            for entry in entries:
                if entry.contender is None:
                    continue
                try:
                    measured, right = _read(made, entry.contender, source, rows, long)
                except (RuntimeError, ValueError, LookupError, psycopg.Error) as error:
                    entry.contender, entry.reason = None, str(error)
                    tell(f"{entry.name}: not run: {entry.reason}")
                    continue
                runs.setdefault(entry.name, []).append(measured)
                whole[entry.name] = right
                tell(f"{entry.name}, turn {turn + 1}: {measured.seconds:.1f} s, {measured.cpu_seconds:.1f} s CPU")
    return Peers(taken_now(postgres_url), rows, len(long), [_result(one, runs, whole) for one in entries])


def _entries(makers: Makers) -> Iterator[_Entry]:
    """Makes environments where there are none yet."""
    for name, make in makers.items():
        try:
            yield _Entry(name, make())
        except NotMadeError as error:
            yield _Entry(name, None, str(error))


def generated(stand: Stand, rows: int, long_relations: float) -> Source:
    """The rows, which the workspace has rendered once, so that what it takes to render them is nobody's."""
    token = stand.add_token("bench")
    ids = stand.add_database("Rows", "bench", rows=rows, long_relations=long_relations, **SHAPE)
    stand.render(token, ids[1], rows)
    return Source(token, *ids)


def _long_relations(stand: Stand) -> dict[str, int]:
    """How many pages each relation names that an answer does not hold whole."""
    truth = stand.steer("truth", data_source="Rows")
    assert isinstance(truth, dict)
    found = {page_id: len(row["properties"]["Related"]) for page_id, row in truth.items()}
    return {page_id: count for page_id, count in found.items() if count > _CUT}


def _read(stand: Stand, contender: Contender, source: Source, rows: int, long: dict[str, int]) -> tuple[Measured, int]:
    """One read, and how many long relations are whole. Raises RuntimeError when it fails, ValueError for lost rows."""
    with stand.beside(contender.initialises) as own:
        measured = contender.read(own, source)
        found = contender.relations(own)
    if len(found) != rows:
        raise ValueError(f"{len(found):,} of {rows:,} rows came")
    return measured, sum(found.get(page_id) == count for page_id, count in long.items())


def _result(entry: _Entry, runs: dict[str, list[Measured]], whole: dict[str, int]) -> Result:
    if entry.contender is None:
        return Result(entry.name, reason=entry.reason)
    return Result(entry.name, best(runs[entry.name]), whole[entry.name])
