"""Broken states, made for real: doctor names the cause on one screen, its fix is typed, and then all is well.

`pytest -n 0 tests/commands/test_broken_states.py --table FILE` writes what came of each as a table in Markdown.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from notion_workspace import WorkspaceServer, small_workspace
from psycopg import sql
from psycopg.conninfo import make_conninfo

from notion_pg_sync.settings import Settings
from tests.commands.broken_states import STATES
from tests.commands.sick import ROUNDS, Sick, State, causes_of, held, lines_at
from tests.conftest import DatabaseMaker
from tests.installation import Installation

SCREEN_LINES = 24
ONLY_READS = re.compile("(SELECT|pg_isready|getent|curl|openssl|timedatectl|ps|psql|notion-pg-sync doctor) ")
HEAD = (
    "| broken state | cause named | fix typed | healed | data kept | lines |\n| --- | --- | --- | --- | --- | --- |\n"
)


async def set_up(installation: Installation, tokens: dict[str, str], databases: dict[str, str]) -> None:
    await installation.init()
    for label, names in {"anna": ("Worlds", "Characters", "Three"), "ben": ("Tasks",)}.items():
        await installation.connect(label, tokens[label], {name: databases[name] for name in names})
    await installation.execute("INSERT INTO notion_sync.accounts (user_id, views) VALUES ('anna', true)")
    await installation.sync_all(requests_per_minute=100_000)


def fill(database_url: str) -> None:
    small = small_workspace()
    with WorkspaceServer(small.workspace) as server:
        settings = Settings(database_url=database_url, notion_base_url=server.url)
        asyncio.run(set_up(Installation(settings, small.workspace), small.tokens, small.databases))


def give_all_to(role: str, url: str) -> None:
    """Lets a role of the tool's own have all that is the tool's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        found = connection.execute(
            "SELECT relname, nspname, relkind FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname IN ('notion_sync', 'notion', 'public') AND relkind IN ('r', 'v')"
        )
        for name, schema, kind in found.fetchall():
            change = "ALTER TABLE {} OWNER TO {}" if kind == "r" else "ALTER VIEW {} OWNER TO {}"
            connection.execute(sql.SQL(change).format(sql.Identifier(schema, name), sql.Identifier(role)))
        for schema in ("notion_sync", "notion"):
            connection.execute(
                sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(sql.Identifier(schema), sql.Identifier(role))
            )
        functions = connection.execute(
            "SELECT pg_proc.oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'notion_sync'::regnamespace"
            " OR proname LIKE 'sync%notion_database%'"
        )
        for (function,) in functions.fetchall():
            connection.execute(f'ALTER FUNCTION {function} OWNER TO "{role}"'.encode())


def bring_up_to_date(sick: Sick) -> None:
    """Syncs once more where all tests together last so long that the run of what was copied would be overdue."""
    with psycopg.connect(sick.url) as connection:
        is_old = connection.execute(
            "SELECT max(start_time) < now() - interval '8 minutes' FROM notion_sync.job_run_details"
        ).fetchone()
    if is_old == (True,):
        assert (ended := sick.command("sync-all")).code == 0, ended.err


@pytest.fixture
def sick(request: pytest.FixtureRequest, database_maker: DatabaseMaker) -> Iterator[Sick]:
    state: State = request.param
    small = small_workspace()
    with database_maker.filled(fill) as url, WorkspaceServer(small.workspace) as server, ExitStack() as stack:
        role = f"tool_{uuid4().hex}" if state.as_role else ""
        if role:
            give_all_to(role, url)
        tools = make_conninfo(url, user=role) if role else url
        made = Sick(url, small, {"DATABASE_URL": tools, "NOTION_BASE_URL": server.url}, stack, role)
        bring_up_to_date(made)
        yield made
        stack.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            if role:
                for change in ("REASSIGN OWNED BY {} TO CURRENT_USER", "DROP OWNED BY {}", "DROP ROLE {}"):
                    connection.execute(sql.SQL(change).format(sql.Identifier(role)))


PARAMETERS = [
    pytest.param(state, id=state.name, marks=[] if state.is_sampled else pytest.mark.slow) for state in STATES
]


@pytest.mark.parametrize("sick", PARAMETERS, indirect=True)
def test_doctor_names_the_cause_and_its_fix_heals(sick: Sick, request: pytest.FixtureRequest) -> None:
    state: State = request.node.callspec.params["sick"]
    before = held(sick)
    sick.do(state.breaks)
    if state.after_a_run:
        sick.command("sync-all")
    findings = sick.findings()
    first, *others = causes_of(findings)
    assert all(ONLY_READS.match(one["look"]) for one in findings if one["look"]), findings
    assert not (state.is_one_cause and others), others
    assert first["check"] == state.check
    assert state.says in first["message"]
    screen = sick.screen()
    assert (bool(first["fix"]), bool(first["needs"])) == (state.heals is None, state.heals is not None)
    if not others:
        assert lines_at(80, screen) <= SCREEN_LINES
    rounds = heal(sick, state)
    assert (ended := sick.command("sync-all")).code == 0, ended.err
    assert sick.screen()[0] == "All is well."
    assert before.lost_in(held(sick), with_tokens=state.heals is None) == []
    if table := request.config.getoption("--table"):
        write(Path(table), state, rounds, lines_at(80, screen))


@pytest.mark.parametrize(
    "sick", [State("nothing", "", "", ""), State("a role's", "", "", "", as_role=True)], indirect=True
)
def test_before_anything_is_broken_all_is_well(sick: Sick) -> None:
    assert causes_of(sick.findings()) == []
    assert sick.screen()[0] == "All is well."


def heal(sick: Sick, state: State) -> int:
    """Does what doctor says, the first thing first; returns how often it had to be asked."""
    for rounds in range(1, ROUNDS + 1):
        causes = causes_of(sick.findings())
        if not causes:
            return rounds - 1
        first = causes[0]
        if first["fix"]:
            sick.type(first["fix"], first["fix_language"])
        else:
            assert state.heals is not None, first
            sick.do(state.heals)
    assert causes_of(sick.findings()) == []
    return ROUNDS


def write(table: Path, state: State, rounds: int, lines: int) -> None:
    if not table.exists():
        table.write_text(HEAD, encoding="utf-8")
    typed = "by a person" if state.heals is not None else f"yes, {rounds}"
    with table.open("a", encoding="utf-8") as file:
        file.write(f"| {state.name} | {state.check} | {typed} | yes | yes | {lines} |\n")


def test_there_are_enough_of_them() -> None:
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names) >= 60
    assert sum(state.is_sampled for state in STATES) == 6
