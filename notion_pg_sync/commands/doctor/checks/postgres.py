"""Whether PostgreSQL is there, is reached in a good way, and holds what the tool needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address

import humanize

from notion_pg_sync.commands.doctor.checks.check import (
    EVERYTHING,
    Check,
    Examination,
    Finding,
    broken,
    of_error,
    ok,
    warning,
)
from notion_pg_sync.commands.doctor.checks.examine import held_up
from notion_pg_sync.commands.doctor.checks.wording import sentence
from notion_pg_sync.core.health import CLOCK_DIFFERENCE_BROKEN_SECONDS, CLOCK_DIFFERENCE_WARNED_OF_SECONDS
from notion_pg_sync.mirror import migrations
from notion_pg_sync.mirror.bookkeeping import Lack, find_lack
from notion_pg_sync.mirror.connection import PostgresError, fetch_value, open_pool, transaction
from notion_pg_sync.mirror.diagnosis.rights import missing_at_the_bookkeeping, missing_rights, settings_out_of_sight
from notion_pg_sync.mirror.diagnosis.server import Server, look_at_server, read_clock, replication_role
from notion_pg_sync.mirror.lock_holders import forgotten_transactions
from notion_pg_sync.mirror.read_only import ReadOnly, why_read_only
from notion_pg_sync.mirror.tables import find_schema, settings_on_path
from notion_pg_sync.mirror.trust import distrust
from notion_pg_sync.mirror.unreachable import PUBLIC_AUTHORITIES, URL_FORM

SECTION = "PostgreSQL"

# Somebody waits for the answer: no statement takes long, and none waits long for a lock.
_STATEMENT_SECONDS, _LOCK_SECONDS = 20, 2
_CONNECTIONS = 2


async def _reachable(examination: Examination) -> list[Finding]:
    if examination.no_postgres is not None:
        seen = sentence(examination.no_postgres)
        return [broken(seen, "", EVERYTHING, needs=f"set DATABASE_URL ({URL_FORM})")]
    try:
        examination.opened = await examination.resources.enter_async_context(
            open_pool(examination.settings.database_url or "", _CONNECTIONS, _STATEMENT_SECONDS, _LOCK_SECONDS)
        )
    except PostgresError as error:
        return [of_error(error, EVERYTHING)]
    server = await examination.ask(look_at_server)
    return [ok(f"PostgreSQL {server.version} answers{', behind a connection pooler' if server.behind_pooler else ''}")]


async def _settings(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        read_only = await why_read_only(connection.cursor())
        kept = await replication_role(connection)
    findings = [read_only_server(read_only)] if read_only else []
    if kept:
        seen = f"session_replication_role is replica {kept.where}: foreign keys are not enforced, triggers do not run"
        findings.append(broken(seen, kept.reset, EVERYTHING, needs="" if kept.reset else "take it out there"))
    return findings or [ok("no setting prevents the tool from working")]


def read_only_server(found: ReadOnly) -> Finding:
    """A server, or a session, that takes no changes."""
    seen, _, advice = found.sentence.rstrip(".").partition(": ")
    return broken(seen, found.fix, EVERYTHING, needs="" if found.fix else advice or "take the setting out there")


async def _locks(examination: Examination) -> list[Finding]:
    holders = await examination.ask(lambda connection: forgotten_transactions(connection.cursor()))
    return [held_up([holder]) for holder in holders] or [ok("no forgotten transaction holds a lock on the tables")]


async def _encryption(examination: Examination) -> list[Finding]:
    return [encryption(await examination.ask(look_at_server))]


def encryption(server: Server) -> Finding:
    """Whether others on the way to the server can read along, or stand in for it."""
    if is_this_machine(server):
        return ok("the connection does not leave this machine")
    needs = (
        f"add to DATABASE_URL: sslmode=verify-full&sslrootcert={PUBLIC_AUTHORITIES} (or the file of your provider's "
        "authority)"
    )
    if not server.encrypted:
        seen = f"the connection to {server.host} is not encrypted: tokens and rows can be read on the way"
        return warning(seen, needs=needs)
    seen, mode = f"the connection to {server.host} is encrypted", f"sslmode={server.sslmode}"
    match server.sslmode:
        case "verify-full":
            return ok(f"{seen} and verified ({mode})")
        case "verify-ca":
            # https://www.postgresql.org/docs/current/libpq-ssl.html, "Client Verification of Server Certificates"
            enough = "enough if its authority is your own, else use verify-full"
            return ok(f"{seen}, but the certificate's host name was not checked ({mode}: {enough})")
        case _:
            return warning(f"{seen}, but the server's identity was not verified ({mode})", needs=needs)


def is_this_machine(server: Server) -> bool:
    """Whether the server is reached by a unix socket or a loopback address."""
    if server.host.startswith(("/", "@")) or not (server.host or server.address):
        return True
    try:
        return ip_address(server.address or server.host).is_loopback
    except ValueError:
        return server.host == "localhost"


async def _clock(examination: Examination) -> list[Finding]:
    return [clock(clock_difference(*await examination.ask(read_clock)))]


def clock_difference(before: datetime, server: datetime, after: datetime) -> timedelta:
    """By how much the server's clock surely is ahead of this machine's (negative: behind).

    The server read its clock at some time between the two readings of this machine's: only what lies outside of them
    is a difference.
    """
    return server - after if server > after else min(server - before, timedelta())


def clock(difference: timedelta) -> Finding:
    """What a difference between the clocks means: ages in `status` are off, and leases look longer or shorter."""
    seconds = abs(difference).total_seconds()
    if seconds < CLOCK_DIFFERENCE_WARNED_OF_SECONDS:
        return ok("this machine's clock and the server's agree")
    seen = (
        f"the server's clock is {humanize.precisedelta(abs(difference), format='%.0f')} "
        f"{'ahead of' if difference > timedelta() else 'behind'} this machine's"
    )
    needs = "let both machines synchronise their clocks"
    told = broken if seconds > CLOCK_DIFFERENCE_BROKEN_SECONDS else warning
    return told(seen, needs=needs, look="timedatectl status")


async def _initialised(examination: Examination) -> list[Finding]:
    async with transaction(examination.pool) as connection:
        if missing := await missing_at_the_bookkeeping(connection):
            return [broken(f"the role {missing.role} may not {missing.what}", missing.grant, EVERYTHING)]
    async with transaction(examination.pool) as connection:
        lack = await find_lack(connection)
        try:
            if lack.is_empty or await migrations.applied_version(connection):
                await migrations.check_version(connection)
        except PostgresError as error:
            return [of_error(error, EVERYTHING)]
        if not lack.is_empty:
            return [lacking(lack)]
        schema = await find_schema(connection)
        distrusted = [] if schema else await settings_on_path(connection)
        hidden = None if schema or distrusted else await settings_out_of_sight(connection)
        users = await fetch_value(connection, "SELECT count(*) FROM notion_sync.accounts")
    if distrusted:
        return [of_error(distrust(distrusted[0]), EVERYTHING)]
    if hidden:
        return [broken(f"the role {hidden.role} cannot {hidden.what}", hidden.grant, EVERYTHING)]
    if schema is None and users:
        needs = "give it its name back, or restore it from a backup ('notion-pg-sync init' would make an empty one)"
        return [broken("the table user_settings is not there any more", "", EVERYTHING, needs=needs)]
    if schema is None:
        return [broken("there is no table user_settings", migrations.INIT, EVERYTHING)]
    examination.schema = schema
    return [ok(f"the tables of notion-pg-sync are up to date; user_settings is in schema {schema}")]


def lacking(lack: Lack) -> Finding:
    """What somebody dropped of the schema `notion_sync`, and what people had set there."""
    lost = [what for what, _ in lack.lost_settings]
    with_it = f"; lost with it: {', '.join(lost)} (init shows how to set that again; no row is lost)" if lost else ""
    return broken(f"{lack.sentence}{with_it}", migrations.INIT, EVERYTHING)


async def _rights(examination: Examination) -> list[Finding]:
    missing = await examination.ask(lambda connection: missing_rights(connection, examination.schema))
    return [broken(f"the role {right.role} may not: {right.what}", right.grant, EVERYTHING) for right in missing] or [
        ok("the tool may read user_settings, and write the sync tables and the typed views")
    ]


REACHABLE = Check("reachable", SECTION, _reachable)
INITIALISED = Check("initialised", SECTION, _initialised, needs=(REACHABLE,))
RIGHTS = Check("rights", SECTION, _rights, needs=(INITIALISED,))
POSTGRES_CHECKS = (
    REACHABLE,
    Check("settings", SECTION, _settings, needs=(REACHABLE,)),
    Check("locks", SECTION, _locks, needs=(REACHABLE,)),
    Check("encryption", SECTION, _encryption, needs=(REACHABLE,)),
    Check("clock", SECTION, _clock, needs=(REACHABLE,)),
    INITIALISED,
    RIGHTS,
)
