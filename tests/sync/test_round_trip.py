"""Whatever Notion may answer: no crash, and what is read back from PostgreSQL is what went in.

Save what PostgreSQL refuses, which is worked out here anew: NUL, lone surrogates, numbers that are not finite.

`pytest tests/sync/test_round_trip.py --hypothesis-profile thorough` tries 2,200 pages instead of 400.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notion_pg_sync.mirror.connection import open_pool, transaction
from notion_pg_sync.mirror.rows import write_rows
from notion_pg_sync.mirror.sent_rows import RowOwner
from notion_pg_sync.mirror.tables import general_table
from notion_pg_sync.notion.pages import read_page
from notion_pg_sync.notion.schema import assign_columns
from notion_pg_sync.sync.rows.conversion import Conversion
from tests.installation import Installation, register
from tests.notion.arbitrary_json import page_properties_without_files

pytestmark = pytest.mark.slow

PAGES_AN_EXAMPLE = 20
EXAMPLES = settings.default.max_examples // 5 if settings.default else 20
TABLE = general_table("public")
OWNER = RowOwner("anna", "11111111-1111-4111-8111-111111111111", "Any", "22222222-2222-4222-8222-222222222222")


def expected(value: object) -> object:
    """What can be stored of a value, with numbers as PostgreSQL and Python agree on them."""
    match value:
        case str():
            return re.sub("[\x00\ud800-\udfff]", "", value)
        case bool() | None:
            return value
        case Decimal():
            return None
        case int() | float():
            return float(value) if abs(value) > 2**53 else value
        case list():
            return [expected(item) for item in value]
        case dict():
            return {expected(key): expected(item) for key, item in value.items()}
    raise AssertionError(type(value))


def is_told_apart(value: object) -> bool:
    """Whether no two keys become one, and no file loses its signature: those have tests of their own."""
    if isinstance(value, list):
        return all(is_told_apart(item) for item in value)
    if isinstance(value, dict):
        keys = {expected(key) for key in value}
        is_file = any(expected(key) == "type" and expected(item) == "file" for key, item in value.items())
        return len(keys) == len(value) and not is_file and all(is_told_apart(item) for item in value.values())
    return True


def page(number: int, properties: dict[str, object]) -> dict[str, object]:
    return {
        "object": "page",
        "id": str(UUID(int=number)),
        "created_time": "2026-06-27T17:01:00.000Z",
        "last_edited_time": "2026-06-27T17:01:00.000Z",
        "properties": properties,
        "url": "https://www.notion.so/x",
    }


@pytest.fixture
def connection(installation: Installation) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(installation.settings.database_url or "", autocommit=True) as opened:
        yield opened


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(page_properties_without_files.filter(is_told_apart), min_size=PAGES_AN_EXAMPLE, max_size=PAGES_AN_EXAMPLE)
)
async def test_any_page_is_read_back_as_it_was(
    installation: Installation,
    connection: psycopg.Connection[tuple[object, ...]],
    given_properties: list[dict[str, object]],
) -> None:
    schema = {name: {"id": name, "name": name, "type": "rich_text"} for name in given_properties[0]}
    conversion = Conversion(assign_columns(schema, []), TABLE)
    pages = [read_page(page(number, properties)) for number, properties in enumerate(given_properties)]
    conversion.settle_types(pages)
    async with open_pool(installation.settings.database_url or "", 1) as pool, transaction(pool) as writing:
        await register(writing, OWNER)
        await write_rows(writing, TABLE, OWNER, conversion.rows_of(pages))
    found = connection.execute("SELECT notion_page_id, properties FROM notion_pages_sync")
    stored = {str(page_id): properties for page_id, properties in found}
    for number, properties in enumerate(given_properties):
        assert expected(stored[str(UUID(int=number))]) == expected(properties)
