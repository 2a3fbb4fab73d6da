"""Typed views of an earlier version: what stays of them, what comes, and how they get the order of a new view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.initialise import carry_out, plan_init
from notion_pg_sync.mirror.view_columns import FIXED
from notion_pg_sync.mirror.views import refresh_views
from tests.conftest import DatabaseMaker
from tests.mirror.freezing import UPGRADES

Connection = psycopg.Connection[Any]

VIEWS = ("characters", "characters__world", "notes", "worlds")
ON_IT = """
    SELECT relname, relowner::regrole::text,
           ARRAY(SELECT granted::text FROM aclexplode(relacl) AS granted WHERE grantee <> relowner ORDER BY 1),
           reloptions, obj_description(pg_class.oid, 'pg_class'),
           ARRAY(SELECT concat_ws(' ', attname, attacl) FROM pg_attribute
                 WHERE attrelid = pg_class.oid AND attacl IS NOT NULL),
           (SELECT col_description(attrelid, attnum) FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attname = 'page_id')
    FROM pg_class WHERE relnamespace = 'notion'::regnamespace AND relname = ANY (%s) ORDER BY relname
"""


@pytest.fixture
def database(database_maker: DatabaseMaker) -> Iterator[tuple[str, Connection]]:
    """A database of version 0.1.0 with views on which people have rights, and of which they said something."""
    with database_maker.empty() as url, psycopg.connect(url, autocommit=True) as owner:
        owner.execute((UPGRADES / "0.1.0.sql").read_text(encoding="utf-8").encode())
        owner.execute("SELECT set_config('search_path', 'public', false)")
        role = f"reader_{uuid4().hex[:12]}"
        owner.execute(f"CREATE ROLE {role}".encode())
        for view in VIEWS:
            owner.execute(
                f"""
                GRANT SELECT ON notion.{view} TO {role} WITH GRANT OPTION;
                GRANT UPDATE (page_id) ON notion.{view} TO PUBLIC;
                COMMENT ON COLUMN notion.{view}.page_id IS 'ours';
                ALTER VIEW notion.{view} SET (security_barrier = true)
                """.encode()
            )
        owner.execute("COMMENT ON VIEW notion.notes IS 'of mine'")
        owner.execute(f"ALTER VIEW notion.notes OWNER TO {role}".encode())
        yield url, owner
        owner.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}".encode())


async def upgrade(url: str) -> list[str]:
    """What init and the next refresh say."""
    async with open_pool(url) as pool, pool.connection() as connection:
        said = await carry_out(connection, await plan_init(connection, presets=["story-app"]))
        return [*said, *await refresh_views(connection)]


async def refresh(url: str) -> list[str]:
    async with open_pool(url) as pool, pool.connection() as connection:
        return await refresh_views(connection)


def columns_of(owner: Connection, view: str) -> list[str]:
    found = owner.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        (f"notion.{view}",),
    )
    return [name for (name,) in found]


def rows_of(owner: Connection, view: str, columns: list[str]) -> list[Any]:
    return sorted(map(repr, owner.execute(f"SELECT {', '.join(columns)} FROM notion.{view}".encode()).fetchall()))


async def test_views_of_an_earlier_version_stay_and_get_new_columns_at_their_end(
    database: tuple[str, Connection],
) -> None:
    url, owner = database
    owner.execute("CREATE VIEW public.mine AS SELECT page_id, name, age FROM notion.characters")
    oids = "SELECT relname, oid FROM pg_class WHERE relnamespace = 'notion'::regnamespace AND relname = ANY (%s)"
    before, kept = owner.execute(oids, (list(VIEWS),)).fetchall(), owner.execute(ON_IT, (list(VIEWS),)).fetchall()
    had = {view: columns_of(owner, view) for view in VIEWS}
    shown = {view: rows_of(owner, view, had[view]) for view in VIEWS}
    assert await upgrade(url) == []
    assert owner.execute(oids, (list(VIEWS),)).fetchall() == before
    now = owner.execute(ON_IT, (list(VIEWS),)).fetchall()
    told = "Notion: Characters, a row for each value of world (kept by notion-pg-sync)"
    assert now == [(*row[:4], told if row[0] == "characters__world" else row[4], *row[5:]) for row in kept]
    for view in VIEWS:
        assert columns_of(owner, view)[: len(had[view])] == had[view]
        assert rows_of(owner, view, had[view]) == shown[view]
    new = ["world_titles", *(name for name in FIXED if name not in had["characters"])]
    assert columns_of(owner, "characters")[len(had["characters"]) :] == new
    assert owner.execute("SELECT count(*) FROM public.mine").fetchall() == [(4,)]
    assert await refresh(url) == []


async def test_a_view_gets_the_order_of_a_new_one_on_request_once_nothing_depends_on_it(
    database: tuple[str, Connection],
) -> None:
    url, owner = database
    assert await upgrade(url) == []
    kept, had = owner.execute(ON_IT, (list(VIEWS),)).fetchall(), columns_of(owner, "characters")
    owner.execute("CREATE VIEW public.mine AS SELECT name FROM notion.characters")
    owner.execute("UPDATE notion_sync.views SET reorder = true WHERE view_name IN ('characters', 'notes')")
    for _ in range(2):
        (said,) = await refresh(url)
        assert "mine depends on the view notion.characters, so its columns stay in their order" in said
        assert columns_of(owner, "characters") == had
    assert columns_of(owner, "notes") == ["name", *FIXED]
    owner.execute("DROP VIEW public.mine")
    assert await refresh(url) == []
    assert columns_of(owner, "characters")[0] == "name"
    assert columns_of(owner, "characters")[-len(FIXED) :] == [*FIXED]
    assert sorted(columns_of(owner, "characters")) == sorted(had)
    assert owner.execute(ON_IT, (list(VIEWS),)).fetchall() == kept
    assert owner.execute("SELECT count(*) FROM notion_sync.views WHERE reorder").fetchall() == [(0,)]
    assert await refresh(url) == []
