"""What goes wrong, as every part of the tool says it: a sentence for people, a code for programs, an exit code."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """How a command ends (docs/commands.md); stopped by signal n, it ends with 128 + n."""

    OK = 0
    FAILED = 1
    WRONG_USAGE = 2
    NOTHING_ATTEMPTED = 3


class ErrorCode(StrEnum):
    """The codes of the tool's records and JSON that it compares with or gives itself.

    Beside them stand Notion's other codes and PostgreSQL's SQLSTATEs, as they came (docs/troubleshooting.md).
    """

    # Notion's own (docs/notion-api.md#errors)
    UNAUTHORIZED = "unauthorized"
    RESTRICTED_RESOURCE = "restricted_resource"
    OBJECT_NOT_FOUND = "object_not_found"
    RATE_LIMITED = "rate_limited"
    REQUEST_BLOCKED = "public_api_request_blocked"
    VALIDATION_ERROR = "validation_error"
    INVALID_REQUEST_URL = "invalid_request_url"

    # How Notion's answers fail
    CURSOR_REJECTED = "invalid_cursor"
    MALFORMED = "malformed"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    CIRCLE = "circle"
    TIMEOUT = "timeout"
    NETWORK = "network"

    # What a database or its copy is not
    IN_TRASH = "in_trash"
    NO_DATA_SOURCE = "no_data_source"
    NEVER_SYNCED = "never_synced"
    INCOMPLETE = "incomplete"
    REMOVAL_HELD_BACK = "removal_held_back"
    UNFIT_TABLE = "unfit_table"
    ROWS_BLOCKED = "rows_blocked"
    UNFIT_EXCLUSION = "unfit_exclusion"

    # What happens to a run
    LEASE_LOST = "lease_lost"
    INTERRUPTED = "interrupted"
    POSTGRESQL = "postgresql"
    FILE_STORE = "file_store"
    INTERNAL = "internal"


class ToolError(Exception):
    """An error whose message is one sentence for people: what is wrong, then what to do. It holds no token.

    `fix` is what heals it, typed as it stands; `needs` is what a person has to do or to supply, where nothing that can
    be typed heals it; `look` is what to type to find out more; each is empty where there is none. `code` is for records
    and JSON. `exit_code` is how a command ends that it stops.
    """

    exit_code: int = ExitCode.NOTHING_ATTEMPTED
    code: str = ErrorCode.INTERNAL

    def __init__(self, message: str, fix: str = "", *, needs: str = "", look: str = "") -> None:
        super().__init__(message)
        self.fix = fix
        self.needs = needs
        self.look = look


class NothingAttemptedError(ToolError):
    """Nothing could be tried at all."""


class UsageError(ToolError):
    """What was asked for cannot be."""

    exit_code = ExitCode.WRONG_USAGE


def unknown_user(user_id: str) -> UsageError:
    """Nothing is known of a user that somebody names."""
    return UsageError(f"user {user_id!r} is neither in user_settings nor known from before: check the spelling.")
