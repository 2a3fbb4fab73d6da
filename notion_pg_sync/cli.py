"""What a person types: options in, exit code out; no logic.

Modules are imported where a command needs them, so that `--help` starts quickly.
"""

from __future__ import annotations

import gc
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from notion_pg_sync import __version__
from notion_pg_sync.core.variables import in_help
from notion_pg_sync.settings import (
    BODIES_FOR_OF_SYNC_ALL,
    DEFAULTS,
    FILES_FOR_OF_SYNC_ALL,
    SHOWN_RUNS,
    Settings,
    SettingsError,
    read_duration,
    read_settings,
    read_size,
    written_duration,
    written_size,
)

if TYPE_CHECKING:
    from notion_pg_sync.commands.output.ping import Pings

# As a person needs them, one after the other.
_ORDER_OF_USE = ("init", "connect", "sync-all", "sync", "status", "doctor", "history", "sql")


class _InOrderOfUse(TyperGroup):
    """The commands as the help lists them: those named first, then the others as they stand below."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        first = [name for name in _ORDER_OF_USE if name in self.commands]
        self.commands = {name: self.commands[name] for name in dict.fromkeys([*first, *self.commands])}


class _ForEveryUser(TyperCommand):
    """A command for all users, or for one who is named by --user."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does; who names a user as `sync` takes one is told how."""
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            user, *more = ctx.args
            of_one = ["sync", user, more[0]] if more and self.name == "sync-all" else [str(self.name), "--user", user]
            advice = shlex.join(["notion-pg-sync", *of_one])
            ctx.fail(f"Got unexpected extra argument ({' '.join(ctx.args)}): for one user, type '{advice}'.")
        return rest


app = typer.Typer(
    cls=_InOrderOfUse,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keeps an exact, queryable copy of Notion databases in PostgreSQL.",
    epilog=f"\b\nEnvironment:\n{in_help()}\n\n"
    "Exit codes: 0 success; 1 failing; 2 wrong usage; 3 nothing could be attempted; "
    "128 + n stopped by signal n.",
)

UserArgument = Annotated[str, typer.Argument(metavar="USER_ID", help="The user, as in user_settings.")]
DatabaseArgument = Annotated[
    str, typer.Argument(metavar="DATABASE", help="Its name in notion_databases, its id, or its link.")
]
UserOption = Annotated[str | None, typer.Option("--user", metavar="USER_ID", help="Only this user.")]
AllowRemovalOption = Annotated[
    bool, typer.Option("--allow-removal", help="Allow removing more than half of a data source's rows.")
]
AdoptNameOption = Annotated[
    bool, typer.Option("--adopt-name", help="Give the database the name that it has in Notion now, in SQL too.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be written; write only the run's record.")
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Afterwards read everything again and compare; exit 1 on any difference.")
]
FullEveryOption = Annotated[
    str, typer.Option("--full-every", metavar="TIME", help="Read everything again after this time, such as 12h or 7d.")
]
FullOption = Annotated[bool, typer.Option("--full", help="Read everything, not only what was edited.")]
BodiesOption = Annotated[
    bool, typer.Option("--bodies", help="Also copy page contents (one request per changed page, after the rows).")
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="PROPERTY", help="Copy a property again that was excluded; may be repeated."),
]
FullBodiesOption = Annotated[
    bool, typer.Option("--full-bodies", help="Read the contents of all pages, not only of edited ones.")
]
FullBodiesEveryOption = Annotated[
    str,
    typer.Option("--full-bodies-every", metavar="TIME", help="Read the contents of each page again within this time."),
]
BodiesForOption = Annotated[
    str | None,
    typer.Option(
        "--bodies-for",
        metavar="TIME",
        help="Stop reading page contents after this time; the next run continues. 0s: no limit.",
    ),
]
FilesOption = Annotated[
    str | None,
    typer.Option(
        "--files",
        metavar="WHERE",
        help="Also keep the files that Notion hosts, in this folder or at s3://BUCKET/PREFIX.",
        show_default="NOTION_PG_SYNC_FILES",
    ),
]
FilesForOption = Annotated[
    str | None,
    typer.Option(
        "--files-for", metavar="TIME", help="Begin no file after this time; the next run continues. 0s: no limit."
    ),
]
LargestFileOption = Annotated[
    str, typer.Option("--largest-file", metavar="SIZE", help="Leave out larger files; such as 50MB or 2GB.")
]
PlaceOption = Annotated[
    str | None,
    typer.Option(
        "--files",
        metavar="WHERE",
        help="Where files are kept: a folder, or s3://BUCKET/PREFIX.",
        show_default="NOTION_PG_SYNC_FILES",
    ),
]
RequestedOption = Annotated[
    bool,
    typer.Option(
        "--requested",
        help="Sync only what applications ask for from SQL, and end at once where that is nothing: for every minute.",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Exit 1 on what is degraded too, such as suspended databases.")
]
MaxAgeOption = Annotated[
    str, typer.Option("--max-age", metavar="TIME", help="Copies older than this are stale, such as 45m or 1d.")
]
PageSizeOption = Annotated[int, typer.Option("--page-size", metavar="N", min=1, max=100, help="Rows per request.")]
RateOption = Annotated[
    int,
    typer.Option("--requests-per-minute", metavar="N", min=1, help="Notion's limit per token; larger plans have 600."),
]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, help="Parallel requests per token.")
]
JobsOption = Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="Databases synced in parallel.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="TIME", help="Stop cleanly after this time, such as 14m; what was written is kept."
    ),
]
PingOption = Annotated[
    str | None,
    typer.Option(
        "--ping-url",
        metavar="URL",
        help="Tell a service such as healthchecks.io about the run: URL/start, then URL or URL/fail.",
        show_default="NOTION_PG_SYNC_PING_URL",
    ),
]
LogJsonOption = Annotated[bool, typer.Option("--log-json", help="Log to stderr, one JSON object per line.")]
VerboseOption = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, show_default=False, help="Log more to stderr; twice (-vv) for everything."
    ),
]


def main() -> None:
    """The command `notion-pg-sync`."""
    from notion_pg_sync.commands.output.streams import OutputClosedError, OutputError, complain, protect_streams

    # Looking for what could be freed takes a fifth of the start, and finds nothing: commands import, and keep it all.
    gc.disable()
    protect_streams()
    try:
        app()
    except OutputClosedError as error:
        sys.exit(error.exit_code)
    except OutputError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    finally:
        # Nor need Python look for it at its end.
        gc.freeze()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"notion-pg-sync {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def sync(
    user_id: UserArgument,
    database: DatabaseArgument,
    dry_run: DryRunOption = DEFAULTS.dry_run,
    verify: VerifyOption = DEFAULTS.verify,
    full: FullOption = DEFAULTS.full,
    full_every: FullEveryOption = written_duration(DEFAULTS.full_every),
    allow_removal: AllowRemovalOption = DEFAULTS.allow_removal,
    adopt_name: AdoptNameOption = DEFAULTS.adopt_name,
    include: IncludeOption = None,
    bodies: BodiesOption = DEFAULTS.bodies,
    full_bodies: FullBodiesOption = DEFAULTS.full_bodies,
    full_bodies_every: FullBodiesEveryOption = written_duration(DEFAULTS.full_bodies_every),
    bodies_for: BodiesForOption = None,
    files: FilesOption = None,
    files_for: FilesForOption = None,
    largest_file: LargestFileOption = written_size(DEFAULTS.largest_file),
    page_size: PageSizeOption = DEFAULTS.page_size,
    requests_per_minute: RateOption = DEFAULTS.requests_per_minute,
    concurrency: ConcurrencyOption = DEFAULTS.concurrency,
    timeout: TimeoutOption = None,
    ping_url: PingOption = None,
    as_json: JsonOption = False,
    log_json: LogJsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Sync one database of a user now.

    Example: notion-pg-sync sync user-1 Characters
    """
    from notion_pg_sync.commands.output.console import show_run
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of
    from notion_pg_sync.sync.run.run import sync_one

    with ending_process(verbose, log_json=log_json) as ending:
        typed = Settings(
            dry_run=dry_run,
            verify=verify,
            full=full or verify,
            full_every=read_duration(full_every),
            allow_removal=allow_removal,
            adopt_name=adopt_name,
            include=include,
            bodies=bodies or full_bodies,
            full_bodies=full_bodies,
            full_bodies_every=read_duration(full_bodies_every),
            bodies_for=read_duration(bodies_for) if bodies_for is not None else None,
            files=files,
            files_for=read_duration(files_for) if files_for is not None else None,
            largest_file=read_size(largest_file),
            page_size=page_size,
            requests_per_minute=requests_per_minute,
            concurrency=concurrency,
            timeout=read_duration(timeout) if timeout is not None else None,
            ping_url=ping_url,
        )
        settings = read_settings(os.environ, typed)
        pings = ending.pings = _pings(settings)
        with postgres_of(settings) as settings:
            ending.code = show_run(
                lambda listener: sync_one(settings, listener, _typed(), user_id, database, begins=pings.begin),
                as_json=as_json,
                report=ending.report,
                is_dry=settings.dry_run,
            )


@app.command(cls=_ForEveryUser)
def sync_all(
    user: UserOption = None,
    requested: RequestedOption = False,
    dry_run: DryRunOption = DEFAULTS.dry_run,
    verify: VerifyOption = DEFAULTS.verify,
    full: FullOption = DEFAULTS.full,
    full_every: FullEveryOption = written_duration(DEFAULTS.full_every),
    bodies: BodiesOption = DEFAULTS.bodies,
    full_bodies: FullBodiesOption = DEFAULTS.full_bodies,
    full_bodies_every: FullBodiesEveryOption = written_duration(DEFAULTS.full_bodies_every),
    bodies_for: BodiesForOption = written_duration(BODIES_FOR_OF_SYNC_ALL),
    files: FilesOption = None,
    files_for: FilesForOption = written_duration(FILES_FOR_OF_SYNC_ALL),
    largest_file: LargestFileOption = written_size(DEFAULTS.largest_file),
    page_size: PageSizeOption = DEFAULTS.page_size,
    requests_per_minute: RateOption = DEFAULTS.requests_per_minute,
    concurrency: ConcurrencyOption = DEFAULTS.concurrency,
    jobs: JobsOption = DEFAULTS.jobs,
    strict: StrictOption = DEFAULTS.strict,
    timeout: TimeoutOption = None,
    ping_url: PingOption = None,
    as_json: JsonOption = False,
    log_json: LogJsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Sync every database of every connected user: for cron.

    Example, in a crontab: */15 * * * * notion-pg-sync sync-all
    """
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of

    with ending_process(verbose, log_json=log_json) as ending:
        typed = Settings(
            dry_run=dry_run,
            verify=verify,
            full=full or verify,
            full_every=read_duration(full_every),
            bodies=bodies or full_bodies,
            full_bodies=full_bodies,
            full_bodies_every=read_duration(full_bodies_every),
            bodies_for=read_duration(bodies_for) if bodies_for is not None else None,
            files=files,
            files_for=read_duration(files_for) if files_for is not None else None,
            largest_file=read_size(largest_file),
            page_size=page_size,
            requests_per_minute=requests_per_minute,
            concurrency=concurrency,
            jobs=jobs,
            strict=strict,
            timeout=read_duration(timeout) if timeout is not None else None,
            ping_url=ping_url,
        )
        settings = read_settings(os.environ, typed)
        if requested:
            from notion_pg_sync.commands.requested import refuse_beside_requested, run_requested

            refuse_beside_requested(settings)
            # NOTION_PG_SYNC_PING_URL is of a service that waits for the other line: this one must not speak for it.
            if ping_url is not None:
                ending.pings = _pings(settings)
            with postgres_of(settings) as settings:
                ending.code = run_requested(
                    settings,
                    _typed(),
                    user,
                    as_json=as_json,
                    report=ending.report,
                    begins=ending.pings.begin if ending.pings else None,
                )
            return
        from notion_pg_sync.commands.output.console import show_run
        from notion_pg_sync.sync.run.run import sync_all as sync_everything

        pings = ending.pings = _pings(settings)
        with postgres_of(settings) as settings:
            ending.code = show_run(
                lambda listener: sync_everything(settings, listener, _typed(), user, begins=pings.begin),
                as_json=as_json,
                report=ending.report,
                is_dry=settings.dry_run,
            )


@app.command(cls=_ForEveryUser)
def status(
    user: UserOption = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="DATABASE", help="Only databases with this name, id or link.")
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option("--runs", metavar="N", min=0, help="Show everything, with so many of the latest runs."),
    ] = None,
    max_age: MaxAgeOption = written_duration(DEFAULTS.max_age),
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Print metrics for node_exporter's textfile collector.")
    ] = False,
    strict: StrictOption = False,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, show_default=False, help="Show every database and the latest runs."
        ),
    ] = 0,
) -> None:
    """Show what is fresh, degraded or failing (then exit 1).

    One screen, whatever the number of databases. Fast and read-only: usable as a monitoring probe.

    Example: notion-pg-sync status --user user-1 --database Characters
    """
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of
    from notion_pg_sync.commands.status.asking import Question
    from notion_pg_sync.commands.status.command import run_status
    from notion_pg_sync.sync.run.signals import run_until_done

    with ending_process(verbose) as ending:
        if as_json and prometheus:
            raise SettingsError("--json and --prometheus are two forms of one answer: use one of them.")
        form: Literal["screen", "json", "prometheus"] = "json" if as_json else "prometheus" if prometheus else "screen"
        settings = read_settings(os.environ, Settings(strict=strict, max_age=read_duration(max_age)))
        with postgres_of(settings) as settings:
            question = Question(user, database, SHOWN_RUNS if runs is None else runs)
            in_full = verbose > 0 or runs is not None
            ending.code = run_until_done(run_status(settings, question, form=form, in_full=in_full))


@app.command()
def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Change existing tables without asking.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")] = False,
    no_transaction: Annotated[
        bool, typer.Option("--no-transaction", help="With --sql: print it for a migration tool's transaction.")
    ] = False,
    row_security: Annotated[
        bool, typer.Option("--row-security", help="Enable row level security on existing sync tables.")
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="ROLE",
            help="Also use tables that this role owns; their triggers run with the tool's rights.",
        ),
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option("--preset", metavar="NAME", help="Create all tables of this preset now: story-app."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="Let this role of the application's tenants read what is theirs."),
    ] = None,
    verbose: VerboseOption = 0,
) -> None:
    """Create or upgrade what the tool needs in PostgreSQL.

    Safe to repeat. Tables that an application made are adopted after you confirm; those of a role that was not trusted
    before need --trust. A table of a preset is created when a database of its name is first connected or synced, where
    the role may; --preset creates them all at once.

    Example: DATABASE_URL=postgresql://user@host/name notion-pg-sync init
    """
    from notion_pg_sync.commands.init import run_init
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of
    from notion_pg_sync.sync.run.signals import run_until_done

    with ending_process(verbose) as ending, postgres_of(read_settings(os.environ)) as settings:
        ending.code = run_until_done(
            run_init(
                settings,
                yes=yes,
                only_sql=sql,
                no_transaction=no_transaction,
                row_security=row_security,
                trusted=trust or [],
                presets=preset or [],
                roles=role or [],
            )
        )


@app.command()
def connect(
    user_id: Annotated[
        str | None, typer.Argument(metavar="USER_ID", help="The user, as in user_settings; asked for on a terminal.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="Read the token from this file.")
    ] = None,
    database: Annotated[
        list[str] | None,
        typer.Option("--database", metavar="DATABASE", help="A database to mirror: its name, id or link."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Mirror everything shared with the token, now and later.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Replace the user's token and databases without asking.")
    ] = False,
    keep_token: Annotated[
        bool, typer.Option("--keep-token", help="Pick other databases; the stored token stays.")
    ] = False,
    views: Annotated[bool, typer.Option("--views/--no-views", help="Keep typed views for the user.")] = True,
    sync_now: Annotated[
        bool | None, typer.Option("--sync/--no-sync", help="Sync now; asked on a terminal.", show_default=False)
    ] = None,
    verbose: VerboseOption = 0,
) -> None:
    """Connect a user: check a token, pick databases, store both.

    Both go into user_settings. The token is asked for without echo, or read from
    stdin when that is not a terminal; it is never an argument. For a user who has
    one, Enter keeps it, and only the databases change.

    Example: notion-pg-sync connect me
    """
    from notion_pg_sync.commands.connect.command import ConnectOptions, run_connect
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of

    options = ConnectOptions(
        user_id,
        token_file,
        database or [],
        everything,
        replace=yes,
        keep_token=keep_token,
        views=views,
        sync=sync_now,
    )
    with ending_process(verbose) as ending:
        settings = read_settings(os.environ)
        is_embedded = settings.database_url is None
        with postgres_of(settings) as settings:
            ending.code = run_connect(settings, options, _typed(), set_up=is_embedded)


@app.command()
def forget(
    user_id: UserArgument,
    database: Annotated[
        str | None,
        typer.Argument(
            metavar="DATABASE", help="Only this database: its name in notion_databases, its id, or its link."
        ),
    ] = None,
    disconnect: Annotated[
        bool, typer.Option("--disconnect", help="Also remove the token and databases (or the one) from user_settings.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    files: PlaceOption = None,
    verbose: VerboseOption = 0,
) -> None:
    """Remove every trace of a user, or of one database.

    Example: notion-pg-sync forget user-1 --disconnect
    """
    from notion_pg_sync.commands.forget import run_forget
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of

    with (
        ending_process(verbose) as ending,
        postgres_of(read_settings(os.environ, Settings(files=files))) as settings,
    ):
        ending.code = run_forget(settings, user_id, database, disconnect=disconnect, yes=yes)


@app.command()
def history(
    user_id: UserArgument,
    database: DatabaseArgument,
    page: Annotated[
        str | None, typer.Option("--page", metavar="PAGE", help="Only this page: its title, its id, or its link.")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Show what changed within this time, such as 12h or 30d.")
    ] = "7d",
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show what people changed in a database, newest first.

    One screen; --json prints all of it.

    Example: notion-pg-sync history user-1 Characters --since 30d
    """
    from notion_pg_sync.commands.history import run_history
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of
    from notion_pg_sync.sync.run.signals import run_until_done

    with ending_process(verbose) as ending, postgres_of(read_settings(os.environ)) as settings:
        asked = run_history(settings, user_id, database, page=page, within=read_duration(since), as_json=as_json)
        ending.code = run_until_done(asked)


@app.command()
def sql(
    statement: Annotated[
        str | None, typer.Argument(metavar="STATEMENT", help="One statement; without it, stdin is read.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, as in a pipe, and all of each value.")] = False,
    verbose: VerboseOption = 0,
) -> None:
    """Ask PostgreSQL for rows, the embedded one too.

    Prints a table on a terminal, CSV in a pipe. It only reads, and prints no token.

    Example: notion-pg-sync sql "SELECT title, url FROM notion_pages_sync LIMIT 5"
    """
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of
    from notion_pg_sync.commands.sql import run_sql
    from notion_pg_sync.sync.run.signals import run_until_done

    with ending_process(verbose) as ending, postgres_of(read_settings(os.environ)) as settings:
        ending.code = run_until_done(run_sql(settings, statement, as_csv=as_csv))


@app.command()
def grant_reader(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="The role, which has to exist.")],
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="USER_ID", help="Only this user's rows, whatever a session sets."),
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take back all that the role was given.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")] = False,
    verbose: VerboseOption = 0,
) -> None:
    """Let a role read the views and nothing else, for BI tools.

    It sees everybody's rows, or one user's.

    It may read the typed views, the sync tables, search and what these need; no token and no record of runs. What is
    created later is granted too. Safe to repeat; with another --user it changes whose rows the role sees.

    Example: notion-pg-sync grant-reader analyst --user user-1
    """
    from notion_pg_sync.commands.grant_reader import run_grant_reader
    from notion_pg_sync.commands.output.ending import ending_process, postgres_of
    from notion_pg_sync.sync.run.signals import run_until_done

    with ending_process(verbose) as ending, postgres_of(read_settings(os.environ)) as settings:
        ending.code = run_until_done(run_grant_reader(settings, role, user, revoke=revoke, only_sql=sql))


@app.command(cls=_ForEveryUser)
def doctor(
    user: UserOption = None,
    max_age: MaxAgeOption = written_duration(DEFAULTS.max_age),
    as_json: Annotated[bool, typer.Option("--json", help="Print every finding as JSON.")] = False,
    no_cron_check: Annotated[
        bool, typer.Option("--no-cron-check", help="Skip the schedule: for hosts that do not run it.")
    ] = False,
    files: PlaceOption = None,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, show_default=False, help="Show every check; twice (-vv): log everything too."
        ),
    ] = 0,
) -> None:
    """Check everything from cron to the rows; say how to fix it.

    Example: notion-pg-sync doctor --user user-1
    """
    from notion_pg_sync.commands.doctor.checks.all_checks import ALL_CHECKS
    from notion_pg_sync.commands.doctor.command import run_doctor
    from notion_pg_sync.commands.output.ending import ending_process
    from notion_pg_sync.sync.run.signals import run_until_done

    checks = [check for check in ALL_CHECKS if not (no_cron_check and check.section == "Scheduling")]
    on_terminal = sys.stderr.isatty()
    with ending_process(verbose if verbose > 1 else 0) as ending:
        settings = read_settings(os.environ, Settings(max_age=read_duration(max_age), files=files))
        ending.code = run_until_done(
            run_doctor(
                settings,
                os.environ,
                checks,
                user_id=user,
                as_json=as_json,
                show_all=verbose > 0,
                on_terminal=on_terminal,
            )
        )


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave PostgreSQL and the workspace running.")] = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show the whole tool; no account needed.

    Uses an embedded PostgreSQL and a sample Notion workspace, and leaves nothing behind.

    Example: notion-pg-sync demo
    """
    from notion_pg_sync.commands.demo.requirements import require_what_it_shows
    from notion_pg_sync.commands.output.ending import ending_process
    from notion_pg_sync.commands.output.streams import say

    with ending_process(verbose) as ending:
        require_what_it_shows()
        say("Starting a PostgreSQL and a sample Notion workspace: this takes a few seconds.")
        from notion_pg_sync.commands.demo.command import run_demo

        ending.code = run_demo(keep=keep)


def _pings(settings: Settings) -> Pings:
    from notion_pg_sync.commands.output.ping import Pings

    return Pings(settings.ping_url)


def _typed() -> str:
    """What was typed, for the record: without the address to ping, since who knows it can say that all is well."""
    words = list(sys.argv[1:])
    for number, word in enumerate(words):
        if word == "--ping-url" and number + 1 < len(words):
            words[number + 1] = "URL"
        elif word.startswith("--ping-url="):
            words[number] = "--ping-url=URL"
    return shlex.join(["notion-pg-sync", *words])
