"""Serves a sample workspace over HTTP on 127.0.0.1: the API under /v1, steering under /_workspace."""

import asyncio
import itertools
import ssl
import threading
import zlib
from dataclasses import asdict, is_dataclass
from types import TracebackType

import orjson
from aiohttp import web

from notion_workspace.api import Answer, Request
from notion_workspace.faults import Fault
from notion_workspace.hosted_files import FileAnswer
from notion_workspace.model import Value
from notion_workspace.steering import call
from notion_workspace.workspace import SampleWorkspace

HOST = "127.0.0.1"
_LARGEST_BODY = 16 * 1024 * 1024
_PIECE = 64 * 1024
_LATENCY_LOOKED_AT_EVERY = 0.1
# What zlib calls a gzip header round its largest window.
_GZIP = 31


class _Handlers:
    """What answers HTTP requests; nothing is decided here."""

    def __init__(self, workspace: SampleWorkspace) -> None:
        self._workspace = workspace
        self._held: asyncio.Event | None = None

    def application(self) -> web.Application:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_get("/_workspace/truth", self._truth)
        application.router.add_post("/_workspace/{method}", self._steer)
        application.router.add_route("*", f"/{self._workspace.state.id}/{{path:(?s:.*)}}", self._file)
        application.router.add_route("*", "/{path:.*}", self._api)
        return application

    async def _api(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except ConnectionError:  # the client is gone
            return web.Response(status=499)
        await self._take_time()
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = request.rel_url
        asked = Request(request.method, url.raw_path, list(url.query.items()), url.raw_query_string, headers, body)
        answer = self._workspace.answer(asked)
        if answer.fault is not None:
            return await self._spoiled(request, answer, answer.fault)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.payload)

    async def _take_time(self) -> None:
        """Waits as long as an answer takes; where that becomes less meanwhile, no longer than that."""
        loop, settings = asyncio.get_running_loop(), self._workspace.state.settings
        began_at = loop.time()
        while True:
            left = began_at + settings.latency - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, _LATENCY_LOOKED_AT_EVERY))

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """Sends a hosted file, piece by piece, as its fault has it."""
        files, url = self._workspace.files, request.rel_url
        headers = {name.lower(): value for name, value in request.headers.items()}
        files.begin()
        try:
            await asyncio.sleep(self._workspace.state.settings.file_latency)
            with self._workspace.lock:
                answer = files.answer(request.method, url.raw_path, url.query, headers)
            return await self._send(request, answer)
        except ConnectionError:  # the client is gone
            return web.Response(status=499)
        finally:
            files.end()

    async def _send(self, request: web.Request, answer: FileAnswer) -> web.StreamResponse:
        fault, length, most = answer.fault, answer.length, answer.length
        match fault.kind if fault else "":
            case "cut":
                return self._cut(request)
            case "slow" if fault:
                await asyncio.sleep(fault.seconds)
            case "cut_body" | "stall":
                most = length // 2
            case "too_long":
                length += 1 + length // 2
            case "too_short":
                length = most = length // 2
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        if fault is None or fault.kind != "unmeasured":
            response.content_length = length
        await response.prepare(request)
        left = most
        for piece in answer.pieces:
            sent, left = piece[:left], left - len(piece[:left])
            answer.logged.sent += len(sent)
            await response.write(sent)
            if not left:
                break
        if fault and fault.kind in ("cut_body", "stall", "too_long"):
            await asyncio.sleep(fault.seconds if fault.kind == "stall" else 0)
            return self._cut(request)
        return response

    async def _spoiled(self, request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
        """Sends an answer as the fault has it."""
        payload, status = answer.payload, answer.status
        match fault.kind:
            case "slow":
                await asyncio.sleep(fault.seconds)
            case "stall":
                await asyncio.sleep(fault.seconds)
                return self._cut(request)
            case "pair":
                if not await self._is_paired(fault.seconds):
                    return self._cut(request)
            case "cut":
                return self._cut(request)
            case "cut_body":
                return await self._cut_in_body(request, answer)
            case "truncated_json":
                payload, status = payload[: len(payload) // 2], 200
            case "not_json":
                payload, status = b"upstream connect error", 200
            case "big" | "big_packed":
                return await self._stream_big(request, answer, fault)
        return web.Response(status=status, headers=answer.headers, body=payload)

    async def _is_paired(self, seconds: float) -> bool:
        """Holds an answer until another is held at the same time; False where none is within so many seconds."""
        if self._held is not None:
            self._held.set()
            self._held = None
            return True
        self._held = held = asyncio.Event()
        try:
            await asyncio.wait_for(held.wait(), seconds)
        except TimeoutError:
            self._held = None
        return held.is_set()

    def _cut(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499)

    async def _cut_in_body(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.payload)
        await response.prepare(request)
        await response.write(answer.payload[: len(answer.payload) // 2])
        return self._cut(request)

    async def _stream_big(self, request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
        """The answer with so many megabytes of padding, which are never in memory at once."""
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        packer = zlib.compressobj(wbits=_GZIP) if fault.kind == "big_packed" else None
        if packer:
            response.headers["Content-Encoding"] = "gzip"
        padding = (b"x" * _PIECE for _ in range(round(fault.megabytes * 1024 * 1024 / _PIECE)))
        try:
            await response.prepare(request)
            for piece in itertools.chain([answer.payload[:-1] + b',"padding":"'], padding, [b'"}']):
                await response.write(packer.compress(piece) if packer else piece)
            if packer:
                await response.write(packer.flush())
        except ConnectionError:  # the client has seen enough
            return web.Response(status=499)
        return response

    async def _steer(self, request: web.Request) -> web.Response:
        """Calls a steering method with the JSON body's keyword arguments."""
        body = await request.read()
        try:
            result = call(self._workspace, request.match_info["method"], orjson.loads(body) if body else {})
        except (LookupError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.Response(body=orjson.dumps(result, default=_to_json), content_type="application/json")

    async def _truth(self, request: web.Request) -> web.StreamResponse:
        """The truth as one JSON object a line: `?data_source=…&token=…`."""
        try:
            rows = self._workspace.iter_truth(**dict(request.query))
        except (LookupError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        while True:
            with self._workspace.lock:
                row = next(rows, None)
            if row is None:
                break
            await response.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        await response.write_eof()
        return response


def _to_json(value: Value) -> Value:
    """What steering methods return besides JSON: dataclasses and sets."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set):
        return sorted(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


class WorkspaceServer:
    """Serves a workspace from a thread of its own, as a context manager; `port` 0 takes a free one.

    With `tls`, which holds a certificate, it is served over HTTPS.
    """

    def __init__(self, workspace: SampleWorkspace, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.workspace = workspace
        self._tls = tls
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sample-workspace", daemon=True)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL, without /v1."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self._port}"

    def __enter__(self) -> "WorkspaceServer":
        """Begins to listen. Raises OSError when the port is taken or may not be used."""
        self._thread.start()
        try:
            self._port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except OSError:
            self._end()
            raise
        self.workspace.state.origin = self.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.workspace.state.origin = None
        self._end()

    def _end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> int:
        runner = web.AppRunner(_Handlers(self.workspace).application(), access_log=None, shutdown_timeout=0.1)
        self._runner = runner
        await runner.setup()
        await web.TCPSite(runner, HOST, self._port, ssl_context=self._tls).start()
        return int(runner.addresses[0][1])

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        # Answers that a fault holds up have lost their connection; they are given up.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
