"""`sql`: a question to the PostgreSQL of the copy, also to the embedded one, which no other client finds by itself."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence

import psycopg
from msgspec import Struct
from psycopg import errors, pq

from notion_pg_sync.commands.output.streams import may_be_terminal, say
from notion_pg_sync.core.errors import ExitCode, UsageError
from notion_pg_sync.core.ids import without_tokens
from notion_pg_sync.core.wording import ended
from notion_pg_sync.mirror.connection import WAITED_IN_VAIN, open_connection
from notion_pg_sync.mirror.reliance import Names
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.run.failures import is_lost

_WHICH = 'which statement? For example: notion-pg-sync sql "SELECT title, url FROM notion_pages_sync LIMIT 5"'
_LIST = """notion-pg-sync sql "SELECT viewname FROM pg_views WHERE schemaname = 'notion'\""""

# int8, int2, int4, oid, float4, float8, money, numeric
_NUMBERS = frozenset({20, 21, 23, 26, 700, 701, 790, 1700})


class Answer(Struct, frozen=True):
    """What PostgreSQL answered, as it writes it; a null is None. `done` says what a statement without rows did."""

    columns: Sequence[str]
    is_number: Sequence[bool]
    rows: Sequence[Sequence[str | None]]
    done: str

    @classmethod
    def of(cls, result: pq.abc.PGresult) -> Answer:
        """What libpq has of it, without what looks like a token of Notion."""
        columns = range(result.nfields)
        rows = [[_text(result.get_value(row, column)) for column in columns] for row in range(result.ntuples)]
        return cls(
            columns=[_text(result.fname(column)) or "" for column in columns],
            is_number=[result.ftype(column) in _NUMBERS for column in columns],
            rows=rows,
            done=_text(result.command_status) or "",
        )


async def run_sql(settings: Settings, statement: str | None, *, as_csv: bool) -> int:
    """Prints what PostgreSQL answers to `statement`, else to what stdin says: a table, in a pipe or on request CSV.

    Returns the exit code. Raises `UsageError` where there is no statement, or PostgreSQL refuses it.
    """
    asked = statement if statement is not None else _read()
    if not asked.strip():
        raise UsageError(_WHICH)
    if asked.lstrip().startswith("\\"):
        raise UsageError(f"what begins with \\ is for psql alone. To see which views there are: {_LIST}")
    if asked.lower().split(maxsplit=1)[0] == "copy":
        raise UsageError("COPY has no answer of its own: SELECT the rows, which --csv prints as CSV.")
    answer = await _ask(settings.database_url or "", asked)
    if not answer.columns:
        say(answer.done)
    elif as_csv or not may_be_terminal():
        say(in_csv(answer), end="")
    else:
        from notion_pg_sync.commands.output.answer_table import show_answer  # noqa: PLC0415 - it draws

        show_answer(answer.columns, answer.is_number, answer.rows)
    return ExitCode.OK


def in_csv(answer: Answer) -> str:
    """Pure: the answer with its heading; a null is empty."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([answer.columns, *answer.rows])
    return written.getvalue()


def _read() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(_WHICH)
    return sys.stdin.read()


async def _ask(database_url: str, statement: str) -> Answer:
    """The answer to one statement, in a transaction that only reads, with the names of the role's `search_path`."""
    async with open_connection(database_url) as connection:
        try:
            async with connection.transaction(first=Names.APPLICATION):
                await psycopg.AsyncCursor(connection).execute("SET TRANSACTION READ ONLY")
                cursor = psycopg.AsyncRawCursor(connection)
                # The protocol of a pipeline takes no second statement, such as one that ends the transaction.
                async with connection.pipeline():
                    await cursor.execute(statement.encode())
                if cursor.pgresult is None:
                    raise UsageError("the statement has no answer that can be shown.")
                return Answer.of(cursor.pgresult)
        except errors.ReadOnlySqlTransaction as error:
            raise UsageError(
                "'sql' only reads, and this statement writes: use another client, such as psql."
            ) from error
        except psycopg.Error as error:
            if is_lost(error) or isinstance(error, WAITED_IN_VAIN):
                raise
            raise UsageError(_why_refused(error)) from error


def _why_refused(error: psycopg.Error) -> str:
    # It has no SQLSTATE of its own, and its text is in the server's language.
    if isinstance(error, errors.SyntaxError) and error.diag.source_function == "exec_parse_message":
        return "these are several statements: give one at a time."
    said = ended(error.diag.message_primary or " ".join(str(error).split()))
    hint = f" {ended(error.diag.message_hint)}" if error.diag.message_hint else ""
    if not hint and isinstance(error, errors.UndefinedTable):
        hint = f" To see which views there are: {_LIST}"
    return f"PostgreSQL refuses the statement: {without_tokens(said + hint)}"


def _text(value: bytes | None) -> str | None:
    return None if value is None else without_tokens(value.decode(errors="replace"))
