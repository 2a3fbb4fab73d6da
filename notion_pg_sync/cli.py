"""What a person types: options in, exit code out; no logic.

Modules are imported where a command needs them, so that `--help` starts quickly.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from notion_pg_sync import __version__
from notion_pg_sync.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from notion_pg_sync.settings import Settings
    from notion_pg_sync.sync.run.listener import Listener
    from notion_pg_sync.sync.run.run import RunOutcome

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Keeps an exact, queryable copy of Notion databases in PostgreSQL.",
    epilog="Exit codes: 0 all well; 1 some database failed; 2 wrong usage; 3 nothing could be attempted; "
    "128 + n stopped by signal n.",
)

UserArgument = Annotated[str, typer.Argument(metavar="USER_ID", help="The user, as in user_settings.")]
DatabaseArgument = Annotated[
    str, typer.Argument(metavar="DATABASE", help="Its name in notion_databases, its id, or its link.")
]
UserOption = Annotated[str | None, typer.Option("--user", metavar="USER_ID", help="Only this user.")]
AllowRemovalOption = Annotated[
    bool, typer.Option("--allow-removal", help="Remove rows that left Notion even where they are more than half.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be written; write nothing but the run's record.")
]
VerifyOption = Annotated[
    bool, typer.Option("--verify", help="Read it all once more afterwards and compare; exit 1 on any difference.")
]
FullEveryOption = Annotated[
    str, typer.Option("--full-every", metavar="TIME", help="Read everything anew after this time, such as 12h or 7d.")
]
FullOption = Annotated[bool, typer.Option("--full", help="Read everything from the start, not only what was edited.")]
BodiesOption = Annotated[
    bool, typer.Option("--bodies", help="Keep the bodies of pages too: a request each that changed, after the rows.")
]
FullBodiesOption = Annotated[bool, typer.Option("--full-bodies", help="Read every body, not only what was edited.")]
BodiesForOption = Annotated[
    str | None,
    typer.Option("--bodies-for", metavar="TIME", help="Leave bodies that are not read by then to the next run."),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Count databases that are suspended for want of access as failures too.")
]
PageSizeOption = Annotated[int, typer.Option("--page-size", metavar="N", min=1, max=100, help="Rows a request.")]
RateOption = Annotated[
    int,
    typer.Option(
        "--requests-per-minute", metavar="N", min=1, help="Notion's limit for a token; larger plans have 600."
    ),
]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, help="Requests under way at once, a token.")
]
JobsOption = Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="Databases at once.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="TIME", help="Stop cleanly after this time, such as 14m; what was written stays."
    ),
]
PingOption = Annotated[
    str | None,
    typer.Option(
        "--ping-url",
        metavar="URL",
        help="Tell a service such as healthchecks.io of the run: URL/start, then URL or URL/fail.",
        show_default="NOTION_PG_SYNC_PING_URL",
    ),
]
LogJsonOption = Annotated[bool, typer.Option("--log-json", help="Log to stderr, a JSON object a line.")]
VerboseOption = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, show_default=False, help="Say more on stderr; twice for everything."),
]


def main() -> None:
    """The command `notion-pg-sync`."""
    from notion_pg_sync.commands.output.streams import protect_streams

    protect_streams()
    app()


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
    dry_run: DryRunOption = False,
    verify: VerifyOption = False,
    full: FullOption = False,
    full_every: FullEveryOption = "1d",
    allow_removal: AllowRemovalOption = False,
    bodies: BodiesOption = False,
    full_bodies: FullBodiesOption = False,
    bodies_for: BodiesForOption = None,
    page_size: PageSizeOption = 100,
    requests_per_minute: RateOption = 180,
    concurrency: ConcurrencyOption = 12,
    timeout: TimeoutOption = None,
    ping_url: PingOption = None,
    as_json: JsonOption = False,
    log_json: LogJsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Sync one database of a user now.

    Example: notion-pg-sync sync user-1 Characters
    """
    from notion_pg_sync.sync.run.run import sync_one

    _sync(
        lambda settings, listener: sync_one(settings, listener, _typed(), user_id, database),
        as_json=as_json,
        log_json=log_json,
        verbose=verbose,
        timeout=timeout,
        ping_url=ping_url,
        dry_run=dry_run,
        verify=verify,
        full=full or verify,
        full_every=full_every,
        bodies=bodies or full_bodies,
        full_bodies=full_bodies,
        bodies_for=bodies_for,
        allow_removal=allow_removal,
        page_size=page_size,
        requests_per_minute=requests_per_minute,
        concurrency=concurrency,
    )


@app.command()
def sync_all(
    user: UserOption = None,
    dry_run: DryRunOption = False,
    full: FullOption = False,
    full_every: FullEveryOption = "1d",
    bodies: BodiesOption = False,
    full_bodies: FullBodiesOption = False,
    bodies_for: BodiesForOption = "10m",
    page_size: PageSizeOption = 100,
    requests_per_minute: RateOption = 180,
    concurrency: ConcurrencyOption = 12,
    jobs: JobsOption = 40,
    strict: StrictOption = False,
    timeout: TimeoutOption = None,
    ping_url: PingOption = None,
    as_json: JsonOption = False,
    log_json: LogJsonOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Sync every database of every connected user: for cron.

    Example, in a crontab: */15 * * * * notion-pg-sync sync-all
    """
    from notion_pg_sync.sync.run.run import sync_all as sync_everything

    _sync(
        lambda settings, listener: sync_everything(settings, listener, _typed(), user),
        as_json=as_json,
        log_json=log_json,
        verbose=verbose,
        timeout=timeout,
        ping_url=ping_url,
        dry_run=dry_run,
        full=full,
        full_every=full_every,
        bodies=bodies or full_bodies,
        full_bodies=full_bodies,
        bodies_for=bodies_for,
        page_size=page_size,
        requests_per_minute=requests_per_minute,
        concurrency=concurrency,
        jobs=jobs,
        strict=strict,
    )


@app.command()
def status(
    user: UserOption = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="DATABASE", help="Only databases of this name, id or link.")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=0, help="How many of the latest runs to show.")] = 5,
    max_age: Annotated[
        str, typer.Option("--max-age", metavar="TIME", help="What is older is stale, such as 45m or 1d.")
    ] = "45m",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Print metrics for node_exporter's textfile collector.")
    ] = False,
    strict: StrictOption = False,
    verbose: VerboseOption = 0,
) -> None:
    """Say what is fresh, stale or failing; exit 1 unless all is well.

    Then the latest runs, as cron.job_run_details shows them. Quick and read-only: fit for a monitoring probe.

    Example: notion-pg-sync status --user user-1 --database Characters
    """

    def tell(settings: Settings) -> int:
        from notion_pg_sync.commands.status.asking import Question
        from notion_pg_sync.commands.status.command import run_status
        from notion_pg_sync.settings import SettingsError
        from notion_pg_sync.sync.run.signals import run_until_done

        if as_json and prometheus:
            raise SettingsError("--json and --prometheus are two forms of one answer: use one of them.")
        form: Literal["screen", "json", "prometheus"] = "json" if as_json else "prometheus" if prometheus else "screen"
        question = Question(user, database, runs)
        return _with_postgres(settings, lambda settings: run_until_done(run_status(settings, question, form=form)))

    _run(tell, verbose=verbose, needs_postgres=False, flags={"strict": strict, "max_age": max_age})


@app.command()
def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Change existing tables without asking.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")] = False,
    row_security: Annotated[
        bool, typer.Option("--row-security", help="Switch row level security on for existing sync tables.")
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="ROLE", help="Use tables of this role too: its triggers run as this role."),
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option("--preset", metavar="NAME", help="Create all tables of this preset now: story-app."),
    ] = None,
    verbose: VerboseOption = 0,
) -> None:
    """Create or upgrade what the tool needs in PostgreSQL.

    Safe to repeat. Tables that an application made before are adopted, once you said yes; those of a role that has not
    been trusted before need --trust. A table of a preset is made when a database of its name is first connected or
    synced, where the role may; --preset makes them all at once.

    Example: DATABASE_URL=postgresql://user@host/name notion-pg-sync init
    """
    from notion_pg_sync.commands.init import run_init

    def initialise(settings: Settings) -> int:
        from notion_pg_sync.sync.run.signals import run_until_done

        return run_until_done(
            run_init(
                settings,
                yes=yes,
                only_sql=sql,
                row_security=row_security,
                trusted=trust or [],
                presets=preset or [],
            )
        )

    _run(initialise, verbose=verbose)


@app.command()
def connect(
    user_id: Annotated[
        str | None, typer.Argument(metavar="USER_ID", help="The user, as in user_settings; asked for on a terminal.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="Read the token from this file.")
    ] = None,
    database: Annotated[
        list[str] | None, typer.Option("--database", metavar="DATABASE", help="Mirror this: a name, an id or a link.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Mirror all that is shared with the token, now and later.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Replace what a user has without asking.")] = False,
    views: Annotated[bool, typer.Option("--views/--no-views", help="Keep typed views for the user.")] = True,
    sync_now: Annotated[
        bool | None, typer.Option("--sync/--no-sync", help="Sync now; asked on a terminal.", show_default=False)
    ] = None,
    verbose: VerboseOption = 0,
) -> None:
    """Connect a user: check a token, pick databases, store both.

    Both go into user_settings. The token is asked for without echo, or read from
    stdin where that is no terminal; it is never an argument.

    Example: notion-pg-sync connect me
    """

    def start(settings: Settings) -> int:
        from notion_pg_sync.commands.connect.command import ConnectOptions, run_connect

        wish = ConnectOptions(user_id, token_file, database or [], everything, replace=yes, views=views, sync=sync_now)
        made = settings.database_url is None
        return _with_postgres(settings, lambda settings: run_connect(settings, wish, _typed(), set_up=made))

    _run(start, verbose=verbose, needs_postgres=False)


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
        bool, typer.Option("--disconnect", help="Take the token and databases (or the one) out of user_settings too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    verbose: VerboseOption = 0,
) -> None:
    """Remove every trace of a user, or of one database, here.

    Example: notion-pg-sync forget user-1 --disconnect
    """
    from notion_pg_sync.commands.forget import run_forget

    _run(
        lambda settings: run_forget(settings, user_id, database, disconnect=disconnect, yes=yes),
        verbose=verbose,
    )


@app.command()
def doctor(
    user: UserOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every finding as JSON.")] = False,
    no_cron_check: Annotated[
        bool, typer.Option("--no-cron-check", help="Leave out the schedule: for hosts that are not to run it.")
    ] = False,
    verbose: VerboseOption = 0,
) -> None:
    """Check every link from cron to the rows; say how to fix it.

    Example: notion-pg-sync doctor --user user-1
    """

    def examine(settings: Settings) -> int:
        from notion_pg_sync.commands.doctor.checks.all_checks import ALL_CHECKS
        from notion_pg_sync.commands.doctor.command import run_doctor
        from notion_pg_sync.sync.run.signals import run_until_done

        checks = [check for check in ALL_CHECKS if not (no_cron_check and check.section == "Scheduling")]
        on_terminal = sys.stderr.isatty()
        return run_until_done(
            run_doctor(settings, os.environ, checks, user_id=user, as_json=as_json, on_terminal=on_terminal)
        )

    _run(examine, verbose=verbose, needs_postgres=False)


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave PostgreSQL and the workspace running.")] = False,
    verbose: VerboseOption = 0,
) -> None:
    """Show the whole tool, no account needed.

    On an embedded PostgreSQL and a sample Notion workspace, of which nothing is left behind.

    Example: notion-pg-sync demo
    """

    def show(_: Settings) -> int:
        from notion_pg_sync.commands.demo.requirements import require_workspace_and_postgres

        require_workspace_and_postgres()
        from notion_pg_sync.commands.demo.command import run_demo

        return run_demo(keep=keep)

    _run(show, verbose=verbose, needs_postgres=False)


def _sync(
    start: Callable[[Settings, Listener], Coroutine[None, None, RunOutcome]],
    *,
    as_json: bool,
    log_json: bool,
    verbose: int,
    **flags: bool | int | str | None,
) -> NoReturn:
    """Runs a sync as `_run` does, and tells of it whoever is to be pinged."""
    from notion_pg_sync.commands.output.ping import Pings

    pings = Pings()

    def work(settings: Settings) -> int:
        from notion_pg_sync.commands.output.console import show_run

        pings.begin(settings.ping_url)
        return _with_postgres(
            settings,
            lambda settings: show_run(lambda listener: start(settings, listener), as_json=as_json, report=pings.report),
        )

    code = _exit_code_of(work, verbose=verbose, log_json=log_json, flags=flags, report=pings.report)
    pings.end(code)
    sys.exit(code)


def _run(
    work: Callable[[Settings], int],
    *,
    verbose: int,
    needs_postgres: bool = True,
    flags: Mapping[str, bool | int | str | None] | None = None,
) -> NoReturn:
    """Runs a command and ends the process with its exit code; what goes wrong becomes one sentence on stderr."""
    started = (lambda settings: _with_postgres(settings, work)) if needs_postgres else work
    sys.exit(_exit_code_of(started, verbose=verbose, flags=flags))


def _exit_code_of(
    work: Callable[[Settings], int],
    *,
    verbose: int,
    log_json: bool = False,
    flags: Mapping[str, bool | int | str | None] | None = None,
    report: list[str] | None = None,
) -> int:
    from notion_pg_sync.commands.output.logs import switch_on_logs
    from notion_pg_sync.commands.output.streams import complain
    from notion_pg_sync.core.errors import ExitCode, ToolError
    from notion_pg_sync.settings import read_settings

    switch_on_logs(verbose, as_json=log_json)
    # Outside of a run, which has its own handler: so that an embedded server is stopped and nothing is left behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return work(read_settings(os.environ, **(flags or {})))
    except typer.Abort:
        code, sentence = 128 + signal.SIGINT, "cancelled; nothing was changed."
    except ToolError as error:
        code, sentence = error.exit_code, _sentence(error, verbose)
    except Exception as error:  # noqa: BLE001 - the one place where everything ends as a sentence
        code, sentence = ExitCode.FAILED, _sentence(error, verbose)
    complain(sentence)
    if report is not None:
        report.append(sentence)
    return code


def _with_postgres(settings: Settings, work: Callable[[Settings], int]) -> int:
    from dataclasses import replace

    from notion_pg_sync.embedded.fallback import chosen_postgres

    on_terminal = sys.stderr.isatty()
    with chosen_postgres(settings, dict(os.environ), on_terminal=on_terminal) as (url, says):
        if says and on_terminal:
            typer.echo(printable(says), err=True)
        return work(replace(settings, database_url=url))


def _sentence(error: Exception, verbose: int) -> str:
    if verbose >= 2:
        from notion_pg_sync.commands.output.logs import traceback_of

        typer.echo(traceback_of(error), err=True)
    from notion_pg_sync.sync.run.failures import failure_of

    return failure_of(error).sentence


def _typed() -> str:
    """What was typed, for the record: without the address to ping, since who knows it can say that all is well."""
    words = list(sys.argv[1:])
    for number, word in enumerate(words):
        if word == "--ping-url" and number + 1 < len(words):
            words[number + 1] = "URL"
        elif word.startswith("--ping-url="):
            words[number] = "--ping-url=URL"
    return shlex.join(["notion-pg-sync", *words])
