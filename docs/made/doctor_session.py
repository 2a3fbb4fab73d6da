"""The recorded session of `doctor` in docs/doctor-session.md: `python -m docs.made.doctor_session` records it again.

For real: a PostgreSQL with passwords, the sample workspace, and a host of its own with Debian's cron, as root.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import psycopg
from notion_workspace import WorkspaceServer, small_workspace

from notion_pg_sync.embedded.server import EmbeddedPostgres
from tests.private_host import PrivateHost

PAGE = Path(__file__).parents[1] / "doctor-session.md"
BIN = Path(sys.executable).parent
ADDRESS = "127.54.32.1"

HEAD = """# A session with doctor

A set-up that is broken in four places, fixed one after the other by what `doctor` says. Recorded by
`python -m docs.made.doctor_session`: PostgreSQL, its password, the sample Notion workspace, the crontab and cron are
real.
"""


class Session:
    """A terminal on a host, of which everything is kept."""

    def __init__(self, host: PrivateHost, environment: dict[str, str]) -> None:
        self._host = host
        self.environment = environment
        self.kept: list[str] = [HEAD]

    def tell(self, heading: str, *sentences: str) -> None:
        """Keeps what the page says between the commands."""
        self.kept += [f"## {heading}\n", *(f"{sentence}\n" for sentence in sentences)]

    def type(self, *commands: str) -> None:
        """Types commands and keeps what they show, without this machine's folders."""
        lines = []
        for command in commands:
            ended = self._host.run("sh", "-c", command, environment=self.environment)
            lines += [f"$ {command}", *(ended.stdout + ended.stderr).splitlines()]
        shown = "\n".join(lines).replace(str(BIN), "/usr/local/bin")
        self.kept.append(f"```text\n{shown}\n```\n")


def recorded() -> str:
    """The session, as Markdown."""
    small = small_workspace()
    folder = Path(tempfile.mkdtemp(prefix="notion-pg-sync-session-"))
    try:
        with (
            EmbeddedPostgres(folder, {"listen_addresses": ADDRESS}) as postgres,
            WorkspaceServer(small.workspace) as notion,
            PrivateHost() as host,
        ):
            with psycopg.connect(postgres.url, autocommit=True) as connection:
                connection.execute("CREATE ROLE sync LOGIN PASSWORD 'right'")
                connection.execute("CREATE DATABASE app OWNER sync")
                rules = folder / "data" / "pg_hba.conf"
                rules.write_text("local all all trust\nhost all all samehost scram-sha-256\n", encoding="utf-8")
                connection.execute("SELECT pg_reload_conf()")
            session = Session(
                host,
                {
                    "PATH": f"{BIN}:/usr/sbin:/usr/bin:/bin",
                    "HOME": "/root",
                    "COLUMNS": "100",
                    "NOTION_BASE_URL": notion.url,
                    "DATABASE_URL": f"postgresql://sync:wrong@{ADDRESS}/app",
                },
            )
            record(session, small.tokens["anna"], small.databases["Worlds"], small.databases["Notes"], host)
            small.workspace.share("anna", small.databases["Notes"])
            session.tell(
                "Nobody starts it", "Somebody shares the database in Notion. What is left is the schedule, and cron:"
            )
            session.type("notion-pg-sync sync-all", "notion-pg-sync doctor")
            line = f"*/15 * * * * {BIN}/notion-pg-sync sync-all"
            settings = [f"{name}={session.environment[name]}" for name in ("DATABASE_URL", "NOTION_BASE_URL")]
            host.install_crontab("\n".join([*settings, line, ""]))
            session.tell("cron is not running", "The crontab is loaded, and nothing reads it:")
            session.type("crontab -l", "notion-pg-sync doctor")
            host.start_cron()
            session.tell("All is well", "cron is started:")
            session.type("notion-pg-sync doctor")
            return "\n".join(session.kept)
    finally:
        shutil.rmtree(folder)


def record(session: Session, token: str, worlds: str, notes: str, host: PrivateHost) -> None:
    """The first three fixes."""
    session.tell("The password is wrong")
    session.type("notion-pg-sync doctor --no-cron-check")
    session.environment["DATABASE_URL"] = session.environment["DATABASE_URL"].replace("wrong", "right")
    session.tell("Nothing is set up yet", "With the right password in `DATABASE_URL`:")
    session.type("notion-pg-sync doctor --no-cron-check", "notion-pg-sync init")
    host.write("/run/token", token, mode=0o600)
    with psycopg.connect(session.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES ('anna', %s, %s)",
            (token, f'{{"Worlds": "{worlds}", "Notes": "{notes}"}}'),
        )
    session.tell("A database is not shared", "A user connects Notion and asks for two databases:")
    session.type("notion-pg-sync doctor --no-cron-check")


if __name__ == "__main__":
    PAGE.write_text(recorded(), encoding="utf-8")
