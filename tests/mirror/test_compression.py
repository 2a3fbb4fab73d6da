"""What the tool writes is compressed by lz4 where the server can, and nobody chose otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notion_pg_sync.mirror.connection import fetch_value, open_pool, transaction
from tests.debian_postgres import DebianPostgres

LONG = "abc " * 5000


@pytest.fixture(scope="module")
def server() -> Iterator[DebianPostgres]:
    with DebianPostgres("postgresql") as server:
        server.execute("CREATE TABLE kept (content text)")
        yield server


async def compression(server: DebianPostgres) -> object:
    async with open_pool(server.socket_url()) as pool, transaction(pool) as connection:
        await connection.execute("INSERT INTO public.kept VALUES (%s)", [LONG])
        return await fetch_value(connection, "SELECT pg_column_compression(content) FROM public.kept LIMIT 1")


async def test_by_lz4_where_nothing_is_set(server: DebianPostgres) -> None:
    assert await compression(server) == "lz4"


async def test_as_somebody_set_it(server: DebianPostgres) -> None:
    server.execute("TRUNCATE kept")
    server.execute("ALTER DATABASE postgres SET default_toast_compression = 'pglz'")
    try:
        assert await compression(server) == "pglz"
    finally:
        server.execute("ALTER DATABASE postgres RESET default_toast_compression; TRUNCATE kept")
