"""Answers requests of the API: token, version, limits, faults, then the endpoint. Knows no sockets."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

from notion_workspace.cursors import Cursors
from notion_workspace.endpoints import Call, Endpoints
from notion_workspace.errors import (
    ApiError,
    invalid_request_url,
    unauthorized,
    validation_error,
)
from notion_workspace.faults import Fault, Faults
from notion_workspace.ids import stable_uuid
from notion_workspace.limits import Limits
from notion_workspace.model import Json, Token, Value
from notion_workspace.requests import LoggedRequest, RequestLog
from notion_workspace.spelling import spelled
from notion_workspace.state import State

VERSIONS = ("2022-06-28", "2025-09-03", "2026-03-11")


@dataclass(frozen=True)
class Request:
    """A request as it came in. `path` is as sent, still percent-encoded; header names are in lower case."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    query_string: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What to send back, and the fault that spoils it on its way, if any."""

    status: int
    headers: dict[str, str]
    payload: bytes
    fault: Fault | None = None


@dataclass(frozen=True)
class _Route:
    kind: str
    method: str
    pattern: re.Pattern[str]
    run: Callable[[Call], Json]


class Api:
    """The API in front of the workspace's state. `callbacks` are called before each answer."""

    def __init__(self, state: State, cursors: Cursors, limits: Limits, faults: Faults, log: RequestLog) -> None:
        self._state, self._limits, self._faults, self._log = state, limits, faults, log
        self.callbacks: list[Callable[[Request], None]] = []
        self._answers = 0
        endpoints = Endpoints(state, cursors)
        self._routes = [
            _Route(kind, method, re.compile(pattern), run) for kind, method, pattern, run in endpoints.routes()
        ]

    def answer(self, request: Request) -> Answer:
        """One answer; errors are answers too."""
        for callback in self.callbacks:
            callback(request)
        self._answers += 1
        request_id = stable_uuid(self._state.seed, "request", self._answers)
        token = self._token(request)
        label = token.label if token else ""
        fault = self._faults.meet(label, request.path)
        route, arguments = self._route(request)
        kind = route.kind if route else "unknown"
        if fault is not None and fault.stranger is not None:
            answer = Answer(*fault.stranger)
        elif fault is not None and fault.html_status is not None:
            answer = self._html(fault.html_status, request_id)
        else:
            answer = self._json(lambda: self._run(request, token, route, arguments), fault, request_id)
        status = 0 if fault is not None and fault.kind in ("cut", "stall") else answer.status
        shown = f"{request.path}?{request.query_string}" if request.query_string else request.path
        logged = LoggedRequest(label, kind, request.method, shown, _loads(request.body), status, self._state.clock.now)
        self._log.add(logged)
        return answer

    def _json(self, run: Callable[[], Json], fault: Fault | None, request_id: str) -> Answer:
        """Notion's own answer, an error too, as the fault has it."""
        headers = {"Content-Type": "application/json; charset=utf-8", "x-notion-request-id": request_id}
        status = 200
        try:
            if fault is not None:
                fault.raise_error()
            body: Any = run()
            if fault is not None:
                body = fault.rewritten(body)
        except ApiError as error:
            status, body = error.status, error.body()
            if error.additional_data and "retry_after" in error.additional_data:
                headers["Retry-After"] = error.additional_data["retry_after"]
            elif status == 529:
                headers["Retry-After"] = "1"
        if isinstance(body, dict):
            body["request_id"] = request_id
        headers["Date"] = self._state.clock.http_date if fault is None or fault.date is None else fault.date
        headers["cf-ray"] = request_id[-12:]
        return Answer(status, headers, spelled(body, self._state.settings.spelling), fault)

    def _html(self, status: int, request_id: str) -> Answer:
        """What Cloudflare answers in Notion's place: HTML, `cf-ray`, no `x-notion-request-id`."""
        page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body>cloudflare</body></html>"
        headers = {
            "Content-Type": "text/html; charset=UTF-8",
            "cf-ray": request_id[-12:],
            "Date": self._state.clock.http_date,
        }
        return Answer(status, headers, page.encode())

    def _run(self, request: Request, token: Token | None, route: _Route | None, arguments: dict[str, str]) -> Json:
        if route is None:
            raise invalid_request_url()
        if token is None or token.revoked:
            raise unauthorized()
        version = request.headers.get("notion-version")
        if version is None:
            raise ApiError(400, "missing_version", "Notion-Version header should be defined, instead was `undefined`.")
        if version not in VERSIONS:
            raise validation_error(
                f'Notion-Version header should be one of {", ".join(VERSIONS)}, instead was "{version}".'
            )
        self._limits.check(token.label)
        body = _loads(request.body) if request.body else {}
        if not isinstance(body, dict):
            raise ApiError(400, "invalid_json", "Error parsing JSON body.")
        return route.run(Call(token, version, arguments, request.query, body))

    def _token(self, request: Request) -> Token | None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        return self._state.tokens.get(secret) if scheme.lower() == "bearer" else None

    def _route(self, request: Request) -> tuple[_Route | None, dict[str, str]]:
        for route in self._routes:
            match = route.pattern.fullmatch(request.path)
            if match is not None and route.method == request.method:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None, {}


def _loads(body: bytes) -> Value:
    """A request's JSON body; None when there is none or it is no JSON."""
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None
