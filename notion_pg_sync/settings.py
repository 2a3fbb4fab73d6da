"""Environment and flags become one frozen `Settings`, which has every default; nothing else reads the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from notion_pg_sync.core.errors import UsageError
from notion_pg_sync.core.health import LEASE_SECONDS, STALE_AFTER_MINUTES

NOTION_BASE_URL = "https://api.notion.com"
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
TOKEN_KEY_BYTES = 32
# How long the scheduled command reads page contents, so that a run ends before the next one begins.
BODIES_FOR_OF_SYNC_ALL = timedelta(minutes=10)
# How many of the latest runs `status` shows.
SHOWN_RUNS = 5

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


class SettingsError(UsageError):
    """A setting cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Settings:
    """All that a person can set.

    `database_url` is a libpq connection string; empty when libpq's own `PG*` variables say where PostgreSQL is;
    None when nothing says it. `notion_proxy` is the URL of the proxy by which Notion is reached, with the user and
    password that it may want. `token_key` opens encrypted tokens: 32 bytes; from the environment only. Times are in
    seconds unless they are a `timedelta`.
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
    )


def read_duration(written: str) -> timedelta:
    """A time such as `90s`, `45m`, `12h` or `7d`. Raises `SettingsError` for anything else."""
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
            "NOTION_TOKEN_KEY is set, but what opens encrypted tokens is not installed: "
            "pip install 'notion-pg-sync[encryption]'."
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


def _notion_base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"NOTION_BASE_URL {url!r} is not a web address: write it as https://host.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
