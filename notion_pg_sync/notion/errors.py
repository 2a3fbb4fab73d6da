"""What goes wrong with Notion: in plain words, and whether asking again can help.

The table behind it: docs/notion-api.md#errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from math import isfinite

import httpx
from msgspec import Struct
from notion_client.errors import HTTPResponseError, InvalidPathParameterError, RequestTimeoutError

from notion_pg_sync.core.errors import ErrorCode, ToolError
from notion_pg_sync.core.printable import printable
from notion_pg_sync.notion.clock import read_date
from notion_pg_sync.notion.network import why_unreachable


class RetryPolicy(Enum):
    """What can help against an error."""

    NOTHING = "nothing"
    WAIT = "wait"  # as long as Notion says, with every request of the token
    TRY_AGAIN = "try again"  # a few times
    BACK_OFF = "back off"  # longer each time
    ASK_FOR_LESS = "ask for less"  # with a smaller page, where the request has one


class NotionError(ToolError):
    """Notion could not be read; the message is one sentence for a person, without any token.

    `code` is Notion's own error code, or one of `ErrorCode` where Notion did not answer, or not as it should.
    `status` is the HTTP status, if there was one. `wait_seconds` is what Notion asked to wait; `ends_minute`: whether
    the minute in which it counts the token's requests is over then (docs/notion-api.md#rate-limit).
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int | None = None,
        remedy: RetryPolicy = RetryPolicy.NOTHING,
        wait_seconds: float | None = None,
        ends_minute: bool = False,
        look: str = "",
    ) -> None:
        super().__init__(message, look=look)
        self.code = code
        self.status = status
        self.remedy = remedy
        self.wait_seconds = wait_seconds
        self.ends_minute = ends_minute

    @property
    def is_about_one_thing(self) -> bool:
        """Whether what was asked for may be all that is wrong: neither the token, nor the network, nor the limit."""
        return self.code in _OF_ONE_THING or (self.status or 0) >= 500

    @property
    def may_be_a_page(self) -> bool:
        """Whether an answer with many pages may have failed for one of them."""
        return self.remedy is not RetryPolicy.WAIT and (self.code in _OF_A_PAGE or (self.status or 0) >= 500)


# However Notion answers for a thing that it cannot give, or not any more.
_OF_ONE_THING = frozenset(
    {
        ErrorCode.OBJECT_NOT_FOUND,
        ErrorCode.VALIDATION_ERROR,
        ErrorCode.INVALID_REQUEST_URL,
        ErrorCode.MALFORMED,
        ErrorCode.NOT_JSON,
        ErrorCode.TOO_LARGE,
        ErrorCode.CIRCLE,
        ErrorCode.INCOMPLETE,
        ErrorCode.TIMEOUT,
    }
)

# However an answer fails for one of the pages that it would hold.
_OF_A_PAGE = frozenset({ErrorCode.NOT_JSON, ErrorCode.TOO_LARGE, ErrorCode.TIMEOUT})


class AnswerTooLargeError(Exception):
    """An answer was larger than is accepted."""


class StrangerError(Exception):
    """Somebody else answered for Notion; the message says how, in a few words."""

    @classmethod
    def of(cls, response: httpx.Response) -> StrangerError:
        """What an answer is like that is not Notion's."""
        kind = response.headers.get("content-type", "").partition(";")[0]
        how = f"it answered {response.status_code}" + (f" with {kind}" if kind else "")
        if location := response.headers.get("location"):
            how = f"it sends to {_host_of(location)}"
        server = response.headers.get("server", "")
        return cls(printable(how[:_MOST_SAID] + (f", by {server[:_MOST_SAID]}" if server else "")))


class _ErrorBody(Struct, frozen=True):
    code: str
    message: str
    details: Mapping[str, object]
    from_notion: bool


_SENTENCES: Mapping[str, str] = {
    ErrorCode.UNAUTHORIZED: "Notion does not accept the token (it was revoked, has expired or is wrong): "
    "connect Notion again, or store a new token in user_settings.",
    ErrorCode.RESTRICTED_RESOURCE: "the Notion connection may not read this: "
    "enable its capability 'Read content' in Notion's developer settings.",
    ErrorCode.RATE_LIMITED: "Notion's rate limit delayed this for too long: "
    "pause other programs that use the token, or sync less often.",
    ErrorCode.REQUEST_BLOCKED: "Notion blocks the requests of this token: ask Notion's support why.",
}

REQUEST_ID_HEADER = "x-notion-request-id"

# Why a token is to wait that has spent its own limit.
_OF_THE_TOKEN = "public_api_request_rate_limit"

# Of what a stranger says of itself.
_MOST_SAID = 80

_BY_STATUS = {
    409: RetryPolicy.TRY_AGAIN,
    429: RetryPolicy.WAIT,
    529: RetryPolicy.WAIT,
}


def explain(
    error: Exception, what: str, proxy: httpx.URL | None = None, base_url: str = "https://api.notion.com"
) -> NotionError:
    """Says what `error`, raised by notion-client or httpx while reading `what` at `base_url`, through `proxy`, means.

    Raises `error` itself where it is not about Notion or the network.
    """
    match error:
        case HTTPResponseError():
            return _explain_answer(error, what)
        case RequestTimeoutError() | TimeoutError():
            return NotionError(
                f"Notion did not answer in time for {what}: run the sync again later.",
                code=ErrorCode.TIMEOUT,
                remedy=RetryPolicy.BACK_OFF,
            )
        case httpx.TransportError():
            trouble = why_unreachable(error, proxy)
            return NotionError(
                f"Notion cannot be reached: {trouble.sentence}",
                code=ErrorCode.NETWORK,
                remedy=RetryPolicy.NOTHING if trouble.lasts else RetryPolicy.BACK_OFF,
                look=trouble.look,
            )
        case AnswerTooLargeError():
            return NotionError(
                f"Notion's answer for {what} is too large ({error}).",
                code=ErrorCode.TOO_LARGE,
                remedy=RetryPolicy.ASK_FOR_LESS,
            )
        case StrangerError():
            return NotionError(
                f"what answers at {httpx.URL(base_url).host} is not Notion ({error}): log in to the network, let this "
                "host past the proxy, or correct NOTION_BASE_URL.",
                code=ErrorCode.NETWORK,
                remedy=RetryPolicy.TRY_AGAIN,
                look=f"curl -sv {base_url}/v1/users/me",
            )
        case InvalidPathParameterError():
            return NotionError(f"{what} has an id that cannot be used in a request.", code=ErrorCode.VALIDATION_ERROR)
        case ValueError() | RecursionError() | httpx.DecodingError():
            return NotionError(
                f"Notion's answer for {what} is not valid JSON: run the sync again later.",
                code=ErrorCode.NOT_JSON,
                remedy=RetryPolicy.BACK_OFF,
            )
        case _:
            raise error


def _explain_answer(error: HTTPResponseError, what: str) -> NotionError:
    body = _read_body(error)
    status = error.status
    if status == 429 and body.details.get("rate_limit_reason") == ErrorCode.REQUEST_BLOCKED:
        code = ErrorCode.REQUEST_BLOCKED
        return NotionError(_SENTENCES[code], code=code, status=status)
    remedy = _BY_STATUS.get(status, RetryPolicy.BACK_OFF if status >= 500 else RetryPolicy.NOTHING)
    wait_seconds = _retry_after(error.headers, body.details)
    return NotionError(
        _sentence(body, status, what),
        code=_code(body, status),
        status=status,
        remedy=remedy,
        wait_seconds=wait_seconds,
        ends_minute=wait_seconds is not None and body.details.get("rate_limit_reason") == _OF_THE_TOKEN,
    )


def _sentence(body: _ErrorBody, status: int, what: str) -> str:
    if status == 403 and not body.from_notion:
        return (
            f"a network rule before Notion refused {what} (403): let this host reach Notion, or ask Notion's support."
        )
    if status == 407:
        return f"a proxy before Notion requires a login for {what} (407): let this host through without it."
    if body.code == ErrorCode.OBJECT_NOT_FOUND:
        return (
            f"{what} is not there or not shared with the connection: in Notion, open it and add the connection "
            "under ••• > Connections, or correct its id in user_settings."
        )
    if body.code in _SENTENCES:
        return _SENTENCES[body.code]
    said = f": {body.message[:200]}" if body.message else ""
    return f"Notion answered {status} ({body.code}) for {what}{said}"


def _code(body: _ErrorBody, status: int) -> str:
    if status == 407 or (status == 403 and not body.from_notion):
        return ErrorCode.NETWORK
    if body.code == ErrorCode.VALIDATION_ERROR and body.message.startswith("The start_cursor provided is invalid"):
        return ErrorCode.CURSOR_REJECTED
    return body.code


def _host_of(location: str) -> str:
    try:
        return httpx.URL(location).host or "another path"
    except httpx.InvalidURL:
        return "an address that is not valid"


def _read_body(error: HTTPResponseError) -> _ErrorBody:
    """What the answer says; the SDK leaves codes that it does not know in the raw body alone."""
    try:
        body = json.loads(error.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {}
    details = body.get("additional_data")
    return _ErrorBody(
        code=str(body.get("code") or f"http_{error.status}"),
        message=str(body.get("message") or ""),
        details=details if isinstance(details, dict) else {},
        from_notion=REQUEST_ID_HEADER in error.headers or "request_id" in body,
    )


def _retry_after(headers: httpx.Headers, details: Mapping[str, object]) -> float | None:
    said = headers.get("retry-after") or details.get("retry_after")
    if said is None:
        return None
    with suppress(ValueError):
        seconds = float(str(said))
        return max(0.0, seconds) if isfinite(seconds) else None
    until = read_date(str(said))
    # By the clock of whoever said until when.
    now = read_date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds()) if until else None
