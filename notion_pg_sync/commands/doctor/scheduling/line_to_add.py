"""The line that makes cron start the sync, ready to be typed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from notion_pg_sync.commands.doctor.scheduling.command_line import TOOL
from notion_pg_sync.commands.doctor.scheduling.crontab import setting_line
from notion_pg_sync.embedded.server import EmbeddedPostgresError, default_folder, exists

_EVERY_QUARTER, _EVERY_MINUTE = "*/15 * * * *", "* * * * *"


def line_to_add(environment: Mapping[str, str], command: str | None = None, *, for_requests: bool = False) -> str:
    """The shell command that adds a line to this user's crontab, with the variables that it needs, no password.

    `command` is how the tool is started, None: as it was now. The line syncs everything or, `for_requests`, what is
    asked for.
    """
    when, what = (_EVERY_MINUTE, "sync-all --requested") if for_requests else (_EVERY_QUARTER, "sync-all")
    lines = [*settings_to_add(environment), f"{when} {command or own_command()} {what}"]
    return rf"(crontab -l 2>/dev/null; printf '%s\n' {shlex.join(lines)}) | crontab -"


def has_password(environment: Mapping[str, str]) -> bool:
    """Whether the environment has a password, which the line leaves out."""
    try:
        of_url = conninfo_to_dict(environment.get("DATABASE_URL", "")).get("password")
    except ProgrammingError:
        return False
    return bool(of_url or environment.get("PGPASSWORD"))


def own_command() -> str:
    """How this very installation is started from anywhere."""
    beside = Path(sys.executable).with_name(TOOL)
    return shlex.quote(str(beside)) if beside.exists() else f"{shlex.quote(sys.executable)} -m notion_pg_sync"


def settings_to_add(environment: Mapping[str, str]) -> list[str]:
    """The lines of a crontab that say where PostgreSQL is, as `environment` does, without a password; and Notion."""
    base_url = environment.get("NOTION_BASE_URL")
    # Without it, tokens that are for somebody else would go to Notion.
    return [*_postgres_to_add(environment), *([setting_line("NOTION_BASE_URL", base_url)] if base_url else [])]


def _postgres_to_add(environment: Mapping[str, str]) -> list[str]:
    url = environment.get("DATABASE_URL")
    if url:
        return [setting_line("DATABASE_URL", _without_password(url))]
    names = [name for name in environment if re.fullmatch("PG[A-Z]+", name) and name != "PGPASSWORD"]
    if of_libpq := [setting_line(name, environment[name]) for name in sorted(names) if environment[name]]:
        return of_libpq
    if not has_embedded(environment):
        return ["DATABASE_URL=postgresql://user@host:5432/name"]
    folder = environment.get("NOTION_PG_SYNC_DATA_DIR")
    return [setting_line("NOTION_PG_SYNC_DATA_DIR", folder)] if folder else []


def _without_password(url: str) -> str:
    try:
        parameters = conninfo_to_dict(url)
    except ProgrammingError:
        return "postgresql://user@host:5432/name"
    if "password" not in parameters:
        return url
    kept = {name: str(value) for name, value in parameters.items() if name != "password"}
    shorter = re.sub(r"^(\w+://[^:@/]*):[^@/]*@", r"\1@", url)
    return shorter if conninfo_to_dict(shorter) == kept else make_conninfo(**kept)


def has_embedded(environment: Mapping[str, str]) -> bool:
    """Whether the embedded PostgreSQL is there, which serves where nothing else is named."""
    try:
        return exists(default_folder(environment))
    except EmbeddedPostgresError:
        return False
