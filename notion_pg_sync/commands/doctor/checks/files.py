"""Whether the place that keeps the bytes of files can be written and read, and has room."""

from __future__ import annotations

from functools import partial

import humanize

from notion_pg_sync.commands.doctor.checks.check import Check, Examination, Finding, of_error, ok, skipped, warning
from notion_pg_sync.commands.doctor.checks.postgres import INITIALISED
from notion_pg_sync.commands.doctor.checks.wording import sentence
from notion_pg_sync.commands.status.files import files_told
from notion_pg_sync.core.printable import shell_command
from notion_pg_sync.core.wording import plural
from notion_pg_sync.mirror.connection import Connection
from notion_pg_sync.mirror.file_places import KnownPlaces, known_places
from notion_pg_sync.mirror.files import FileTotals, file_totals, usual_failure
from notion_pg_sync.settings import Settings
from notion_pg_sync.sync.files.folders import can_be_made

# A disk that is full keeps PostgreSQL's neighbours from writing too.
LEAST_FREE_BYTES = 2_000_000_000


FAILED_FILES = (
    "SELECT user_id, path, failure, next_try_at FROM notion_sync.files WHERE stored_as IS NULL AND failure IS NOT NULL"
)


async def _files(examination: Examination) -> list[Finding]:
    async def known(connection: Connection) -> tuple[FileTotals, KnownPlaces]:
        return await file_totals(connection, examination.user_id), await known_places(connection)

    totals, places = await examination.ask(known)
    findings = await try_place(examination.settings, totals, places)
    if totals.failed:
        usual = await examination.ask(partial(usual_failure, user_id=examination.user_id))
        findings.append(of_failures(totals, usual or ""))
    return findings


async def try_place(settings: Settings, totals: FileTotals, known: KnownPlaces) -> list[Finding]:
    """Writes, reads and removes something in the place of the settings, which is to be the one that is known."""
    if settings.files is None:
        return [without_place(totals)]
    if known.present is None and not known.keeps_any and can_be_made(settings.files):
        return [ok(f"{settings.files} is not there yet: the first run that keeps a file makes it")]
    from notion_pg_sync.sync.files.marks import require_ours, standing  # noqa: PLC0415 - needs the extra `files`
    from notion_pg_sync.sync.files.place import PlaceError, open_place  # noqa: PLC0415

    try:
        place = open_place(settings.files, in_clear=settings.stores_in_clear, may_be_new=False)
        require_ours(place.where, standing(await place.mark(), known))
        await place.check()
        free = place.free_bytes()
    except PlaceError as error:
        return [of_error(error)]
    return [with_room(settings.files, free, max(settings.largest_file, LEAST_FREE_BYTES), totals)]


def of_failures(totals: FileTotals, usual: str) -> Finding:
    """Pure: files that could not be fetched, most of them for the reason `usual`."""
    failed = f"{totals.failed:,} of {plural(totals.wanted, 'file')} could not be fetched"
    return warning(
        f"{failed}, most of them for this reason: {usual.rstrip('.')}",
        needs="see the others; each is tried again by itself, and in Notion you can replace a file that is gone",
        look=shell_command("notion-pg-sync", "sql", FAILED_FILES),
    )


def without_place(totals: FileTotals) -> Finding:
    """Pure: what it means that no place is known here."""
    if not totals.wanted:
        return ok("no files are kept (--files)")
    return skipped(
        f"{sentence(files_told(totals))}; the place is not known here: name it by --files or NOTION_PG_SYNC_FILES to "
        "have it tried"
    )


def with_room(where: str, free: int | None, least: int, totals: FileTotals) -> Finding:
    """Pure: a place that can be written and read, with so many bytes `free`, of which there should be the `least`."""
    if free is not None and free < least:
        return warning(
            f"the disk of {where} has {humanize.naturalsize(free)} left",
            needs="free some space there, or let --files name another place and move there what it has",
        )
    room = "" if free is None else f", with {humanize.naturalsize(free)} free"
    told = f"; {sentence(files_told(totals))}" if totals.wanted else ""
    return ok(f"{where} can be written and read{room}{told}")


FILE_CHECKS = (Check("files", "Files", _files, needs=(INITIALISED,)),)
