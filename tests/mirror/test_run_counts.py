"""What parts of a sync did adds up, every count of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from notion_pg_sync.mirror.runs import Counts, DatabaseRun

counts = st.builds(Counts, **dict.fromkeys(Counts.__struct_fields__, st.integers(0, 10**6)))


@given(st.lists(counts, max_size=5))
def test_parts_add_up(parts: list[Counts]) -> None:
    total = asdict(sum(parts, Counts()))
    assert total == {name: sum(asdict(part)[name] for part in parts) for name in total}


@given(counts)
def test_a_run_has_the_counts_of_its_rows_and_none_of_bodies_before_they_are_read(done: Counts) -> None:
    run = asdict(DatabaseRun.of_rows(done, "full", None, "well"))
    of_bodies = {name for name in run if name.startswith("bodies_")}
    assert {name: run[name] for name in asdict(done).keys() - of_bodies} == {
        name: count for name, count in asdict(done).items() if name not in of_bodies
    }
    assert {run[name] for name in of_bodies} == {0}
