"""What `connect` asks of a person, or of a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from getpass import getpass
from pathlib import Path

import typer
from rich.table import Table

from notion_pg_sync.commands.connect.choosing import ALL, in_brackets, named, numbered
from notion_pg_sync.commands.output.layout import print_message
from notion_pg_sync.commands.output.streams import ask
from notion_pg_sync.commands.output.terminal import Screen, text_of
from notion_pg_sync.core.databases import ConfiguredDatabase
from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.ids import names_view
from notion_pg_sync.notion.client import can_be_sent
from notion_pg_sync.sync.run.configuration import LINK_OF_VIEW

WHERE_FROM = (
    "A token is the secret of a connection. Make one at",
    "https://www.notion.so/profile/integrations,",
    "and share databases with it in Notion (open each, ••• > Connections).",
)


def read_token(file: Path | None, *, may_keep: bool = False) -> str | None:
    """The token: of `file`, typed without echo, or from stdin where that is no terminal.

    None where a person only presses Enter, and so keeps the stored one, as they may. Raises `UsageError`.
    """
    if file:
        try:
            written = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError(
                f"the token cannot be read from {str(file)!r} ({why}): give a file with the token in it."
            ) from error
    elif sys.stdin.isatty():
        keep = "; Enter keeps the stored one" if may_keep else ""
        written = _typed_unseen(f"Notion token (it is not shown{keep}): ")
        if may_keep and not written.strip():
            return None
    else:
        written = sys.stdin.read()
    token = written.strip()
    if not token:
        keeping = ", or keep the stored one with --keep-token" if may_keep else ""
        raise UsageError(f"there is no token: give it on stdin, or in a file with --token-file{keeping}.")
    if not can_be_sent(token):
        raise UsageError("what was given is not a token: a token is one word of letters, digits and underscores.")
    return token


def _typed_unseen(question: str) -> str:
    """What is typed without echo. typer's own prompt shows its question first, and what is pasted at once is seen."""
    try:
        return getpass(question)
    except (KeyboardInterrupt, EOFError) as error:
        raise typer.Abort from error


def show_databases(out: Screen, shared: Sequence[ConfiguredDatabase], places: Mapping[str, str]) -> None:
    """Lists what the token sees, with numbers; `places` tell apart, by id, those of one title."""
    table = Table(show_header=False, show_edge=False, box=None, padding=(0, 1))
    table.add_column(justify="right", style="bold cyan")
    for number, database in enumerate(shared, 1):
        is_retitled = database.title and database.title != database.name
        in_notion = f" ({database.title!r} in Notion)" if is_retitled else ""
        said = f"{database.name}{in_notion}{in_brackets(database.options)}"
        known_by = places.get(database.database_id, database.database_id)
        table.add_row(str(number), text_of(said), text_of(known_by, "dim"))
    out.print(table, soft_wrap=True)


def ask_databases(
    out: Screen, shared: Sequence[ConfiguredDatabase], *, may_keep: bool
) -> list[ConfiguredDatabase] | None:
    """What a person picks: databases of the list, or ids of others; None for all, none for those configured now.

    Asks until it is understood.
    """
    keep = ", or Enter to keep the current ones" if may_keep else ""
    while True:
        question = f"Which databases to mirror? Numbers such as 1 3-5, a name or a link, or '{ALL}'{keep}"
        written = ask(question, default="" if may_keep else ALL, show_default=not may_keep).strip()
        if written.casefold() == ALL:
            return None
        if not written:
            return []
        try:
            picked = numbered(written, shared)
            picked = picked if picked is not None else [named(written, shared)]
        except UsageError as error:
            print_message(out, str(error))
            continue
        if names_view(written):
            print_message(out, f"{LINK_OF_VIEW}.")
        return picked
