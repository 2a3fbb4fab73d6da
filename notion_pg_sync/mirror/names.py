"""Names of any kind in composed statements: a percent sign in one is no placeholder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from psycopg import AsyncCursor, sql
from psycopg.abc import Params
from psycopg.rows import TupleRow


class NamingCursor(AsyncCursor[TupleRow]):
    """A cursor that reads names and literals as they are, in statements with parameters too.

    psycopg looks for placeholders in the whole text of a composed statement, the names in it included.
    """

    async def execute(self, query: Any, params: Params | None = None, **options: Any) -> Self:
        """See `psycopg.AsyncCursor.execute`."""
        return await super().execute(query if params is None else with_names_kept(query), params, **options)

    async def executemany(self, query: Any, params_seq: Iterable[Params], **options: Any) -> None:
        """See `psycopg.AsyncCursor.executemany`."""
        await super().executemany(with_names_kept(query), params_seq, **options)


def with_names_kept(query: Any) -> Any:
    """The statement with every percent sign of a name or a literal doubled, for execution with parameters."""
    if isinstance(query, sql.Composed):
        return sql.Composed([with_names_kept(part) for part in query])
    if isinstance(query, sql.Identifier | sql.Literal):
        return sql.SQL(query.as_string().replace("%", "%%"))
    return query
