"""Typed views show beside files where their bytes are kept, to whom may see it, at the expense of who asks alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import SmallWorkspace
from notion_workspace.literals import files, title
from notion_workspace.model import File

from notion_pg_sync.mirror.connection import open_pool
from notion_pg_sync.mirror.views import refresh_views
from tests.installation import Installation

pytestmark = pytest.mark.slow

PLAN = File("plan.pdf", "plan.pdf")
ELSEWHERE = "https://example.com/a.png"


@pytest.fixture
async def anna(installation: Installation, small: SmallWorkspace) -> Installation:
    """A user who wants views, with offers in the copy: one with files, hosted and elsewhere, one without."""
    workspace = installation.workspace
    offers = workspace.add_database(
        "Offers",
        {"Name": title(), "Papers": files(), "Papers kept": files()},
        [
            {
                "Name": "Boat",
                "Papers": [
                    PLAN,
                    File("a.png", ELSEWHERE, external=True),
                    File("bill.pdf", "bill.pdf"),
                ],
                "Papers kept": [PLAN],
            },
            {"Name": "Attic"},
        ],
    )
    workspace.share("anna", "Offers")
    await installation.connect("anna", small.tokens["anna"], {"Offers": offers.id})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    assert (await installation.sync_all()).failures == []
    return installation


async def keep(installation: Installation, *positions: int, property_name: str = "papers") -> None:
    """Records the hosted files of the boat's papers, those at `positions` as kept."""
    await installation.execute(
        "WITH named AS (SELECT user_id, page_id, data_source_id, position,"
        "  substring(paper.url FROM '//[^/]+(/.*)') AS path"
        "  FROM notion.offers JOIN notion.offers__papers AS paper USING (user_id, page_id) WHERE paper.url <> %s"
        "), file AS (INSERT INTO notion_sync.files (user_id, path, stored_as, sha256, bytes, fetched_at)"
        "  SELECT DISTINCT ON (path) user_id, path, kept, kept, 1, now() FROM named"
        "  LEFT JOIN LATERAL (SELECT 'anna/' || position AS kept WHERE position = ANY (%s)) AS kept ON true)"
        " INSERT INTO notion_sync.page_files (user_id, page_id, data_source_id, place, property, position, name, path)"
        " SELECT user_id, page_id, data_source_id, 'property', %s, position, 'x', path FROM named",
        ELSEWHERE,
        list(positions),
        property_name,
    )


SHOWN = "SELECT papers_kept FROM notion.offers WHERE name = 'Boat'"
IN_ROWS = "SELECT array_agg(kept ORDER BY position) AS kept FROM notion.offers__papers"


async def test_where_the_bytes_are_stands_in_the_place_of_each_file(anna: Installation) -> None:
    await anna.execute("DELETE FROM notion_sync.columns WHERE name = 'papers_kept'")
    async with open_pool(anna.settings.database_url or "", 1) as pool, pool.connection() as connection:
        assert await refresh_views(connection) == []
    assert await anna.execute(SHOWN) == [{"papers_kept": [None, None, None]}]
    await keep(anna, 3)
    assert await anna.execute(SHOWN) == [{"papers_kept": [None, None, "anna/3"]}]
    assert await anna.execute(IN_ROWS) == [{"kept": [None, None, "anna/3"]}]
    await anna.execute("UPDATE notion_sync.files SET stored_as = 'anna/1', fetched_at = now() WHERE stored_as IS NULL")
    assert await anna.execute(SHOWN) == [{"papers_kept": ["anna/1", None, "anna/3"]}]
    assert await anna.execute("SELECT papers_kept FROM notion.offers WHERE name = 'Attic'") == [{"papers_kept": []}]


async def test_a_property_of_the_name_keeps_it(anna: Installation) -> None:
    (row,) = await anna.execute(SHOWN)
    assert row["papers_kept"][0].startswith("https://")


async def test_a_file_that_another_property_or_page_names_is_not_shown_for_this_one(anna: Installation) -> None:
    await keep(anna, 1, 3, property_name="other")
    assert await anna.execute(IN_ROWS) == [{"kept": [None, None, None]}]


async def test_who_does_not_ask_for_it_pays_nothing(anna: Installation) -> None:
    def plan(columns: str) -> str:
        rows = anna.execute_at_once(f"EXPLAIN (VERBOSE) SELECT {columns} FROM notion.offers")
        return "\n".join(row["QUERY PLAN"] for row in rows)

    assert "kept_files_of" not in plan("name, papers, papers_kept")
    await anna.execute("DELETE FROM notion_sync.columns WHERE name = 'papers_kept'")
    async with open_pool(anna.settings.database_url or "", 1) as pool, pool.connection() as connection:
        await refresh_views(connection)
    assert "kept_files_of" not in plan("name, papers")
    assert "kept_files_of" not in plan("count(*)")
    assert "kept_files_of" in plan("papers_kept")


@pytest.fixture
def reader(anna: Installation) -> Iterator[psycopg.Connection[Any]]:
    """A session of a role with the rights on views and sync tables alone, for anna."""
    role = f"reader_{uuid4().hex[:12]}"
    with psycopg.connect(anna.settings.database_url or "", autocommit=True) as connection:
        connection.execute(
            f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA notion TO {role};"
            f"GRANT SELECT ON ALL TABLES IN SCHEMA notion TO {role}; GRANT SELECT ON notion_pages_sync TO {role};"
            f"SET ROLE {role}; SET app.user_id = 'anna'".encode()
        )
        yield connection
        connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


async def test_a_reader_sees_it_once_there_is_a_right_to_and_only_of_the_own_files(
    anna: Installation, reader: psycopg.Connection[Any]
) -> None:
    await keep(anna, 1, 3)
    assert reader.execute(IN_ROWS.encode()).fetchall() == [([None, None, None],)]
    (role,) = reader.execute("SELECT current_user").fetchone() or ("",)
    await anna.execute(f"GRANT SELECT ON notion_sync.page_files, notion_sync.files TO {role}")
    assert reader.execute(IN_ROWS.encode()).fetchall() == [(["anna/1", None, "anna/3"],)]
    await anna.execute(f"GRANT USAGE ON SCHEMA notion_sync TO {role}")
    (page,) = await anna.execute("SELECT DISTINCT page_id FROM notion_sync.page_files")
    (url,) = await anna.execute("SELECT url FROM notion.offers__papers WHERE position = 1")
    asking = "SELECT notion_sync.kept_files_of('anna', %s, 'papers', ARRAY[%s])"
    assert reader.execute(asking, (page["page_id"], url["url"])).fetchall() == [(["anna/1"],)]
    reader.execute("SET app.user_id = 'ben'")
    assert reader.execute(asking, (page["page_id"], url["url"])).fetchall() == [([None],)]
