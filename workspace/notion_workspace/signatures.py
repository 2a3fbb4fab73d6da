"""Signatures of addresses of hosted files: in the form of payload 40, an hour long, another at every read.

What they are made from is written in the address, so none is kept: any that was given out can be checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from notion_workspace.clock import milliseconds, to_datetime
from notion_workspace.ids import digest
from notion_workspace.state import State

SECONDS = 3600
_WRITTEN = "%Y%m%dT%H%M%SZ"
# Hexadecimal digits of the number that makes one signature differ from the next.
_NUMBER = 16


@dataclass(frozen=True)
class Refusal:
    """Why a signature does not count, in the words of Amazon's storage; `told` are further elements of its answer."""

    code: str
    message: str
    told: tuple[tuple[str, str], ...] = ()


def signed_query(state: State, path: str) -> str:
    """The query string that lets a file be fetched for an hour. `path` is the address's, not percent-encoded."""
    written = to_datetime(state.clock.now).strftime(_WRITTEN)
    number = f"{state.next_signature():0{_NUMBER}x}"
    return (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=SAMPLE"
        f"&X-Amz-Date={written}&X-Amz-Expires={SECONDS}&X-Amz-Signature={number}{_proof(state, path, written, number)}"
        "&X-Amz-SignedHeaders=host&x-id=GetObject"
    )


def refusal(state: State, path: str, query: Mapping[str, str]) -> Refusal | None:
    """Why a request with this query string may not have the file of this path; None where it may, now."""
    written, signature = query.get("X-Amz-Date", ""), query.get("X-Amz-Signature")
    if signature is None:
        return Refusal("AccessDenied", "Access Denied")
    number, proof = signature[:_NUMBER], signature[_NUMBER:]
    if query.get("X-Amz-Expires") != str(SECONDS) or proof != _proof(state, path, written, number):
        return Refusal(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        )
    given = milliseconds(datetime.strptime(written, _WRITTEN).replace(tzinfo=UTC))
    ends = given + SECONDS * 1000
    if state.clock.now < ends:
        return None
    times = (("Expires", _moment(ends)), ("ServerTime", _moment(state.clock.now)))
    return Refusal("AccessDenied", "Request has expired", (("X-Amz-Expires", str(SECONDS)), *times))


def _proof(state: State, path: str, written: str, number: str) -> str:
    return digest(state.seed, "signature", path, written, number, size=24).hex()


def _moment(moment: int) -> str:
    return to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
