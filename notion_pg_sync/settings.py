"""Environment and flags become one frozen `Settings`, which has every default; nothing else reads the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.health import LEASE_SECONDS, STALE_AFTER_MINUTES
from notion_pg_sync.core.installing import installing
from notion_pg_sync.core.loopback import is_loopback

NOTION_BASE_URL = "https://api.notion.com"
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
# Where an S3 store is, other than at AWS; the first that is set wins.
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
TOKEN_KEY_BYTES = 32
# How long the scheduled command reads page contents, so that a run ends before the next one begins.
BODIES_FOR_OF_SYNC_ALL = timedelta(minutes=10)
# How many of the latest runs `status` shows.
SHOWN_RUNS = 5
# How long the scheduled command fetches files, as with page contents.
FILES_FOR_OF_SYNC_ALL = timedelta(minutes=10)
# Notion's storage (docs/notion-api.md#files); the second as older files have it.
FILE_HOSTS = ("prod-files-secure.s3.us-west-2.amazonaws.com", "s3.us-west-2.amazonaws.com/secure.notion-static.com")
# The stores that files can be kept in, beside folders. Only s3 is tried by tests.
STORES = ("s3", "gs", "az")

# PostgreSQL counts bytes in 64 bits.
_MOST_DIGITS = 9
_SIZES = {"GB": 10**9, "MB": 10**6, "kB": 10**3}
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


class SettingsError(UsageError):
    """A setting cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Settings:
    """All that a person can set.

    `database_url` is a libpq connection string; empty when libpq's own `PG*` variables say where PostgreSQL is;
    None when nothing says it. `notion_proxy` is the URL of the proxy by which Notion is reached, with the user and
    password that it may want. `token_key` opens encrypted tokens: 32 bytes; from the environment only. `files` is the
    place that keeps the bytes of files: a folder, or the address of a store, None: nowhere; `stores_in_clear`: that
    store may be spoken to unencrypted. Times are in seconds unless they are a `timedelta`, sizes in bytes.
    """

    database_url: str | None = field(default=None, repr=False)
    notion_base_url: str = NOTION_BASE_URL
    notion_proxy: str | None = field(default=None, repr=False)
    token_key: bytes | None = field(default=None, repr=False)
    data_folder: Path | None = None
    page_size: int = 100
    requests_per_minute: int = 180
    concurrency: int = 12
    jobs: int = 40
    full: bool = False
    full_every: timedelta = timedelta(days=1)
    allow_removal: bool = False
    adopt_name: bool = False
    include: Sequence[str] | None = None
    bodies: bool = False
    full_bodies: bool = False
    full_bodies_every: timedelta = timedelta(days=7)
    bodies_for: timedelta | None = None
    files: str | None = None
    files_for: timedelta | None = None
    largest_file: int = 10**9
    file_hosts: Sequence[str] = FILE_HOSTS
    stores_in_clear: bool = False
    dry_run: bool = False
    strict: bool = False
    max_age: timedelta = timedelta(minutes=STALE_AFTER_MINUTES)
    verify: bool = False
    timeout: timedelta | None = None
    ping_url: str | None = field(default=None, repr=False)
    lease_seconds: float = LEASE_SECONDS
    lease_wait_seconds: float = 60.0
    account_wait_seconds: float = 3600.0
    statement_seconds: float = 300.0
    lock_seconds: float = 60.0
    first_back_off: float = 1.0


DEFAULTS = Settings()


def read_settings(environment: Mapping[str, str], typed: Settings = DEFAULTS) -> Settings:
    """Makes the settings of one command.

    `environment` is the process environment, which alone says where PostgreSQL and Notion are, and has the token key;
    `typed` has what the person typed, and defaults for the rest. Raises `SettingsError` when one cannot be used.
    """
    notion_base_url = _notion_base_url(environment.get("NOTION_BASE_URL") or NOTION_BASE_URL)
    _check_authorities(environment.get("SSL_CERT_FILE"))
    if typed.verify and typed.dry_run:
        raise SettingsError("--verify compares what a sync wrote, and --dry-run writes nothing: use one of them.")
    if typed.include and typed.dry_run:
        raise SettingsError("--include records what is copied again, and --dry-run writes nothing: use one of them.")
    folder = environment.get("NOTION_PG_SYNC_DATA_DIR")
    # How syncs go is not told by a run that is none.
    ping_url = None if typed.dry_run else typed.ping_url or environment.get("NOTION_PG_SYNC_PING_URL")
    return replace(
        typed,
        database_url=_database_url(environment),
        notion_base_url=notion_base_url,
        notion_proxy=_notion_proxy(environment, notion_base_url),
        token_key=_token_key(environment.get("NOTION_TOKEN_KEY")),
        data_folder=Path(folder) if folder else None,
        ping_url=_ping_url(ping_url),
        files=_place(typed.files or environment.get("NOTION_PG_SYNC_FILES")),
        file_hosts=_file_hosts(environment.get("NOTION_PG_SYNC_FILE_HOSTS")),
        stores_in_clear=_may_store_in_clear(environment),
    )


def read_duration(written: str) -> timedelta:
    """A time such as `90s`, `45m`, `12h` or `7d`. Raises `SettingsError` for anything else."""
    if written.isascii() and written.isdigit():
        units = f"{written}s, {written}m, {written}h or {written}d"
        raise SettingsError(f"{written!r} has no unit: write {units} (seconds, minutes, hours, days).")
    number, unit = written[:-1], written[-1:]
    if unit not in _UNITS or not number.isascii() or not number.isdigit():
        raise SettingsError(f"{written!r} is not a time: write a number and s, m, h or d, such as 45m or 12h.")
    try:
        return int(number) * _UNITS[unit]
    except (OverflowError, ValueError) as error:
        raise SettingsError(f"{written!r} is longer than any time can be: write a shorter one, such as 45m.") from error


def written_duration(duration: timedelta) -> str:
    """A time of whole seconds as `read_duration` reads it, in the largest unit that gives a whole number."""
    unit, length = next((unit, length) for unit, length in _UNITS.items() if not duration % length)
    return f"{duration // length}{unit}"


def read_size(written: str) -> int:
    """A size such as `500kB`, `50MB` or `2GB`, in bytes. Raises `SettingsError` for anything else."""
    number, unit = written[:-2], written[-2:]
    if unit not in _SIZES or not number.isascii() or not number.isdigit():
        raise SettingsError(f"{written!r} is not a size: write a number and kB, MB or GB, such as 50MB or 2GB.")
    if len(number) > _MOST_DIGITS:
        raise SettingsError(f"{written!r} is larger than any file can be: write a smaller size, such as 2GB.")
    return int(number) * _SIZES[unit]


def written_size(size: int) -> str:
    """A size of whole kilobytes as `read_size` reads it, in the largest unit that gives a whole number."""
    unit, length = next((unit, length) for unit, length in _SIZES.items() if not size % length)
    return f"{size // length}{unit}"


def _database_url(environment: Mapping[str, str]) -> str | None:
    if url := environment.get("DATABASE_URL"):
        return url
    libpq = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT", "PGUSER")
    return "" if any(environment.get(name) for name in libpq) else None


def _token_key(passphrase: str | None) -> bytes | None:
    if not passphrase:
        return None
    # The bytes that the environment holds, whatever they are.
    written = passphrase.encode("utf-8", "surrogateescape")
    if len(written) < TOKEN_KEY_BYTES:
        raise SettingsError(
            f"NOTION_TOKEN_KEY is too short to open tokens with: it needs {TOKEN_KEY_BYTES} bytes or more, the "
            "passphrase with which the application encrypts."
        )
    if find_spec("cryptography") is None:
        raise SettingsError(
            f"NOTION_TOKEN_KEY is set, but what opens encrypted tokens is not installed: {installing('encryption')}."
        )
    return written[:TOKEN_KEY_BYTES]


def _check_authorities(file: str | None) -> None:
    """Whether what httpx, and OpenSSL for libpq, take their trusted authorities from can be used."""
    if not file:
        return
    import ssl  # noqa: PLC0415 - only where needed: `--help` imports this module

    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        raise SettingsError(
            f"SSL_CERT_FILE {file!r} cannot be read, or holds no certificate: name a file with the certificates of "
            "authorities in PEM form, or unset it."
        ) from error


def _ping_url(url: str | None) -> str | None:
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("the address to ping is not a web address: write it as https://host/check.")
    return url.rstrip("/")


def _place(where: str | None) -> str | None:
    """The place that keeps files, a folder by its full path."""
    if not where:
        return None
    scheme, colon, _ = where.partition("://")
    # One letter is a drive.
    if not colon or len(scheme) == 1:
        where = str(Path(where).expanduser().absolute())
    elif scheme not in STORES:
        raise SettingsError(
            f"files cannot be kept at {scheme}://: name a folder, or a bucket such as s3://bucket/prefix."
        )
    elif "@" in where or "?" in where or "#" in where or not urlsplit(where).hostname:
        raise SettingsError(
            f"the place to keep files at is not the address of a bucket: write it as {scheme}://bucket/prefix "
            "(credentials are taken from the environment)."
        )
    if find_spec("obstore") is None:
        raise SettingsError(
            f"a place to keep files at is named, but what writes there is not installed: {installing('files')}."
        )
    return where.rstrip("/") or "/"


def _file_hosts(written: str | None) -> Sequence[str]:
    hosts = tuple(host.strip() for host in (written or "").split(",") if host.strip())
    for host in hosts:
        name, _, _ = host.partition("/")
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name):
            raise SettingsError(
                f"NOTION_PG_SYNC_FILE_HOSTS: {host!r} is not the name of a host: write names in small letters with "
                f"commas between, such as {FILE_HOSTS[0]}."
            )
    return hosts or FILE_HOSTS


def _may_store_in_clear(environment: Mapping[str, str]) -> bool:
    """Whether a store may be spoken to unencrypted: one on this machine, or where a person allows it."""
    if environment.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true"):
        return True
    endpoints = [environment.get(name) for name in ENDPOINT_VARIABLES]
    parts = urlsplit(next(filter(None, endpoints), ""))
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise SettingsError(
            f"the store at {parts.hostname} would be spoken to unencrypted: use https in AWS_ENDPOINT_URL, or set "
            "AWS_ALLOW_HTTP=true if nobody else is on that network."
        )
    return parts.scheme == "http"


def _notion_base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"NOTION_BASE_URL {url!r} is not a web address: write it as https://host.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingsError(
            f"NOTION_BASE_URL {url!r} would send tokens over the network unencrypted: use https "
            "(plain http is allowed to this machine only)."
        )
    return url.rstrip("/").removesuffix("/v1")


def _notion_proxy(environment: Mapping[str, str], base_url: str) -> str | None:
    """The proxy by which Notion is to be reached, by the variables that curl goes by; none for plain http."""
    name = next((name for name in PROXY_VARIABLES if environment.get(name)), None)
    if name is None or urlsplit(base_url).scheme != "https":
        return None
    if _is_exempt(urlsplit(base_url).hostname or "", environment.get("no_proxy") or environment.get("NO_PROXY") or ""):
        return None
    url = environment[name] if "://" in environment[name] else f"http://{environment[name]}"
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SettingsError(f"{name} is not the address of a proxy that the tool can use: write http://host:port.")
    return url


def _is_exempt(host: str, no_proxy: str) -> bool:
    """Whether `no_proxy`, names with commas between, has the host, a domain that it is in, or an asterisk for all."""
    names = [name.strip().lower().lstrip(".") for name in no_proxy.split(",") if name.strip()]
    return any(name in ("*", host) or host.endswith(f".{name}") for name in names)
