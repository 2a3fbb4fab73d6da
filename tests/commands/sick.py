"""A set-up that can be broken for real, doctor as a person and a program see it, and somebody who types its fixes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from notion_workspace import SmallWorkspace
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.cli.conftest import BARE, Command

BIN = Path(sys.executable).parent
ROUNDS = 4


@dataclass(frozen=True)
class State:
    """A broken state: what breaks it, the check that names the cause, and words that it says.

    `breaks` and `heals` are SQL, or do something. `heals` is what a person does whom doctor tells what is needed: there
    is then no fix to type. `as_role`: the tool works as a role of its own. `after_a_run`: a sync meets it before doctor
    does. `causes`: how many doctor tells. `is_sampled`: it is one of the few that are tried with every change.
    """

    name: str
    check: str
    says: str
    breaks: str | Callable[[Sick], object]
    heals: str | Callable[[Sick], object] | None = None
    as_role: bool = False
    after_a_run: bool = False
    causes: int = 1
    is_sampled: bool = False


@dataclass
class Sick:
    """A database with two users' copies, their Notion, and the command."""

    url: str
    small: SmallWorkspace
    environment: dict[str, str]
    stack: ExitStack
    role: str = ""
    left: dict[str, Any] = field(default_factory=dict)

    def execute(self, statements: str, *parameters: object) -> list[tuple[Any, ...]]:
        """As the owner of everything; of several statements, the answer of the last. `{role}` is the tool's role."""
        text = statements.replace("{role}", self.role).replace("{database}", self.database)
        path = make_conninfo(self.url, options="-c search_path=public,app")
        with psycopg.connect(path, autocommit=True) as connection:
            cursor = connection.execute(text.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def do(self, change: str | Callable[[Sick], object]) -> None:
        if isinstance(change, str):
            self.execute(change)
        else:
            change(self)

    @property
    def database(self) -> str:
        with psycopg.connect(self.url) as connection:
            return connection.info.dbname

    @property
    def command(self) -> Command:
        return Command(self.environment)

    def findings(self) -> list[dict[str, Any]]:
        ended = self.command("doctor", "--no-cron-check", "--json")
        found: list[dict[str, Any]] = json.loads(ended.out)["findings"]
        return found

    def screen(self) -> list[str]:
        return self.command("doctor", "--no-cron-check").out.splitlines()

    def type(self, fix: str, language: str) -> None:
        """Runs a fix as it stands."""
        if language == "sql":
            with psycopg.connect(self.url, autocommit=True) as connection:
                for line in fix.splitlines():
                    connection.execute(line.encode())
            return
        environment = {**BARE, **self.environment, "PATH": f"{BIN}:{os.environ['PATH']}"}
        ended = subprocess.run(["sh", "-ec", fix], env=environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, (fix, ended.stdout, ended.stderr)

    @contextmanager
    def session(self, statement: str) -> Iterator[None]:
        """A session that does something and forgets to commit."""
        connection = psycopg.connect(make_conninfo(self.url, application_name="forgotten"))
        connection.execute(statement.encode())
        yield
        connection.close()

    def forget_to_commit(self, statement: str) -> None:
        self.stack.enter_context(self.session(statement))


def causes_of(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong, without what only follows from it."""
    return [one for one in findings if one["verdict"] in ("broken", "warning") and one["follows_from"] is None]


def lines_at(width: int, lines: list[str]) -> int:
    """How many lines these take on a terminal of that width."""
    return sum(max(1, math.ceil(len(line) / width)) for line in lines)


@dataclass(frozen=True)
class Held:
    """What must not be lost: users with their tokens and databases, and rows by user and page."""

    users: dict[str, tuple[str, str]]
    rows: frozenset[tuple[str, str, str]]
    removed: frozenset[tuple[str, str]]

    def lost_in(self, later: Held, *, with_tokens: bool) -> list[str]:
        """What of it is not there later."""
        lines = []
        for user, (token, ids) in self.users.items():
            there, there_ids = later.users.get(user, ("", ""))
            lines += [] if there == token or not with_tokens else [f"the token of {user}"]
            lines += [] if all(one in there_ids for one in ids.split()) else [f"the databases of {user}"]
        kept = {*later.rows}
        lines += [
            f"row {page} of {user}"
            for user, page, content in self.rows
            if (user, page, content) not in kept and (user, page) not in later.removed
        ]
        return lines


def held(sick: Sick) -> Held:
    """What there is now."""
    edges = "\n\r\t \u00a0\u200b\ufeff\u3000"
    users = {
        user: (str(token or "").strip(edges), " ".join(sorted(ids or [])))
        for user, token, ids in sick.execute(
            "SELECT user_id, coalesce(notion_access_token, notion_token), (SELECT array_agg(one[1]) FROM"
            " regexp_matches(replace((to_jsonb(u) - 'id' - 'notion_token')::text, '-', ''), '[0-9a-f]{32}', 'g') one)"
            " FROM user_settings AS u"
        )
    }
    tables = sick.execute("SELECT relname FROM pg_class WHERE relname ~ '^notion_.*_sync$' AND relkind = 'r'")
    rows = {
        row
        for (table,) in tables
        for row in sick.execute(
            sql.SQL("SELECT user_id, notion_page_id, md5(properties::text) FROM {}")
            .format(sql.Identifier(table))
            .as_string()
        )
    }
    removed = {*sick.execute("SELECT user_id, page_id::text FROM notion_sync.removed_pages")}
    return Held(users, frozenset(rows), frozenset(removed))
