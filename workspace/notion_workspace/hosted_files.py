"""The bytes of files that Notion hosts: what they are, what is answered to who asks, and what was asked.

A file is called by its `File.url` (`photos/photo 1.png`), or by its address's path (`/…/photos/photo%201.png`). Its
bytes, where none were given, follow from that and its size alone, and are made while they are sent: large files need no
memory.
"""

import hashlib
import mimetypes
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from notion_workspace.clock import to_datetime
from notion_workspace.faults import Fault, Faults
from notion_workspace.ids import digest
from notion_workspace.signatures import Refusal, refusal
from notion_workspace.state import State
from notion_workspace.steering import steering

# What may go wrong with a file, instead of the kinds that answers of the API know.
FILE_KINDS = frozenset(
    {"403", "404", "503", "redirect", "slow", "stall", "cut", "cut_body", "too_long", "too_short", "unmeasured"}
)
PIECE = 64 * 1024
# Files of which no size is set are smaller than this.
_SMALL = 4096
_ERRORS = {
    "403": (403, Refusal("AccessDenied", "Access Denied")),
    "404": (404, Refusal("NoSuchKey", "The specified key does not exist.")),
    "503": (503, Refusal("SlowDown", "Please reduce your request rate.")),
}
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class FileRequest:
    """A request for a file: its path as sent, the status, the bytes sent so far of how many, the time.

    The status is 0 when the connection was cut before an answer; `time` is the clock's, in milliseconds since 1970.
    """

    path: str
    status: int
    size: int
    time: int
    sent: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of the file was sent."""
        return self.status == 200 and self.sent == self.size


@dataclass(frozen=True)
class FileAnswer:
    """What to send back: of a file its length and its bytes, piece by piece; and the fault that spoils it, if any."""

    status: int
    headers: dict[str, str]
    length: int
    pieces: Iterator[bytes]
    logged: FileRequest
    fault: Fault | None = None


@dataclass
class _Described:
    """What was set of a file."""

    size: int | None = None
    media_type: str | None = None
    gone: bool = False
    content: bytes | None = None


@dataclass
class HostedFiles:
    """All files that the workspace hosts. `faults` are theirs alone, of FILE_KINDS; `callbacks`: see `on_request`."""

    state: State
    faults: Faults = field(default_factory=lambda: Faults(FILE_KINDS))
    callbacks: list[Callable[[str], None]] = field(default_factory=list)
    _described: dict[str, _Described] = field(default_factory=dict)
    _requests: list[FileRequest] = field(default_factory=list)
    _under_way: int = 0
    _most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what they are -----------------------------------------------------------------------------------------

    @steering
    def describe(self, file: str, size: int | None = None, media_type: str | None = None) -> None:
        """Sets how many bytes a file has, and as what it is served; what is not given stays as it is."""
        described = self._described.setdefault(self._key(file), _Described())
        if size is not None:
            described.size, described.content = size, None
        described.media_type = media_type or described.media_type

    def put(self, file: str, content: bytes) -> None:
        """Sets the very bytes of a file, such as a picture that is to be looked at."""
        described = self._described.setdefault(self._key(file), _Described())
        described.content, described.size = content, len(content)

    @steering
    def remove(self, file: str) -> None:
        """Lets a file be gone: 404, also where the signature is valid."""
        self._described.setdefault(self._key(file), _Described()).gone = True

    @steering
    def restore(self, file: str) -> None:
        """Ends that."""
        self._described.setdefault(self._key(file), _Described()).gone = False

    @steering
    def size(self, file: str) -> int:
        """How many bytes a file has: as set of it, else of all (`file_size`), else as follows from its name."""
        key = self._key(file)
        described = self._described.get(key, _Described())
        for given in (described.size, self.state.settings.file_size):
            if given is not None:
                return given
        return 1 + int.from_bytes(digest(self.state.seed, "size", key, size=4)) % (_SMALL - 1)

    @steering
    def media_type(self, file: str) -> str:
        """As what a file is served: what was set, else what its name says."""
        key = self._key(file)
        guessed = mimetypes.guess_type(key)[0] or "application/octet-stream"
        return self._described.get(key, _Described()).media_type or guessed

    @steering
    def sha256(self, file: str) -> str:
        """The SHA-256 of a file's bytes, in hexadecimal digits."""
        hashed = hashlib.sha256()
        for piece in self.pieces(file):
            hashed.update(piece)
        return hashed.hexdigest()

    def pieces(self, file: str, start: int = 0) -> Iterator[bytes]:
        """A file's bytes, from the one of this number on; no two pieces are alike."""
        key, size = self._key(file), self.size(file)
        content = self._described.get(key, _Described()).content
        if content is not None:
            yield content[start:]
            return
        rest = random.Random(f"{self.state.seed} {key}").randbytes(PIECE)[8:]
        for number in range(start // PIECE, -(-size // PIECE)):
            piece = number.to_bytes(8) + rest
            first = number * PIECE
            yield piece[max(0, start - first) : size - first]

    def on_request(self, callback: Callable[[str], None]) -> None:
        """Calls back before each answer, with the path that is asked for, as `SampleWorkspace.on_request` does."""
        self.callbacks.append(callback)

    # --- what is asked of them ---------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> FileAnswer:
        """The answer to a request for a file; `path` is as sent, header names are in lower case."""
        for callback in list(self.callbacks):
            callback(path)
        fault = self.faults.meet("", path)
        if method != "GET":
            return self._refused(path, 403, Refusal("AccessDenied", "Access Denied"))
        if fault is not None and fault.kind in _ERRORS:
            return self._refused(path, *_ERRORS[fault.kind])
        if fault is not None and fault.kind == "redirect":
            return self._without_bytes(path, 302, {"Location": f"{self.state.origin}/elsewhere{path}"})
        refused = refusal(self.state, unquote(path), query)
        if refused is not None:
            return self._refused(path, 403, refused)
        if self._described.get(self._key(path), _Described()).gone:
            return self._refused(path, *_ERRORS["404"])
        return self._found(path, headers, fault)

    def _found(self, path: str, headers: Mapping[str, str], fault: Fault | None) -> FileAnswer:
        size = self.size(path)
        asked = _RANGE.fullmatch(headers.get("range", ""))
        start = int(asked[1]) if asked else 0
        if start and start >= size:
            return self._refused(path, 416, Refusal("InvalidRange", "The requested range is not satisfiable"))
        told = self._headers(self.media_type(path))
        told |= {"ETag": f'"{digest(self.state.seed, path, size).hex()}"', "Accept-Ranges": "bytes"}
        if asked:
            told["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        is_cut = fault is not None and fault.kind == "cut"
        logged = self._note(path, 0 if is_cut else 206 if asked else 200, size - start)
        return FileAnswer(206 if asked else 200, told, size - start, self.pieces(path, start), logged, fault)

    def _refused(self, path: str, status: int, why: Refusal) -> FileAnswer:
        elements = (("Code", why.code), ("Message", why.message), *why.told, ("RequestId", "SAMPLE"))
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements)
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
        return self._without_bytes(path, status, {"Content-Type": "application/xml"}, document)

    def _without_bytes(self, path: str, status: int, headers: dict[str, str], document: bytes = b"") -> FileAnswer:
        """An answer that brings nothing of the file."""
        told = {**self._headers("text/plain"), **headers}
        return FileAnswer(status, told, len(document), iter([document]), self._note(path, status, 0))

    def _headers(self, media_type: str) -> dict[str, str]:
        edited = format_datetime(to_datetime(self.state.clock.now).replace(microsecond=0), usegmt=True)
        return {"Content-Type": media_type, "Server": "AmazonS3", "Date": edited}

    def _key(self, file: str) -> str:
        """A file's `File.url`, from that or from its address's path."""
        start = f"/{self.state.id}/"
        return unquote(file.removeprefix(start)) if file.startswith(start) else file

    # --- what was asked ----------------------------------------------------------------------------------------

    def _note(self, path: str, status: int, size: int) -> FileRequest:
        noted = FileRequest(path, status, size, self.state.clock.now)
        self._requests.append(noted)
        return noted

    def begin(self) -> None:
        """Counts a request that is under way from now on."""
        with self._lock:
            self._under_way += 1
            self._most_at_once = max(self._most_at_once, self._under_way)

    def end(self) -> None:
        """Counts that it is over."""
        with self._lock:
            self._under_way -= 1

    def all(self) -> list[FileRequest]:
        """Every request for a file since the last clearing, in the order of the answers."""
        return list(self._requests)

    @steering
    def listed(self) -> list[dict[str, Any]]:
        """The same as JSON."""
        return [{**asdict(one), "is_whole": one.is_whole} for one in self.all()]

    @steering
    def counts(self) -> dict[str, int]:
        """How many requests for files were answered with each status."""
        return dict(Counter(str(one.status) for one in self.all()))

    @steering
    def most_at_once(self) -> int:
        """The most requests for files that were under way at the same time."""
        return self._most_at_once

    @steering
    def clear(self) -> None:
        """Forgets the requests."""
        self._requests.clear()
        self._most_at_once = 0
