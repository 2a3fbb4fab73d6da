"""A way to PostgreSQL that counts what a client says, and does something at its n-th message."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_CHUNK = 1 << 16
# Of the protocol: a message is a letter, a length that counts itself, and so much; the first one has no letter.
_LENGTH = 4


class PostgresProxy:
    """Listens on loopback and passes everything on to the PostgreSQL of `database_url`, as a context manager.

    The client's messages of all connections are counted from 1. Before the one with the number `at` is passed on,
    `then` is called; neither that message nor any after it reaches PostgreSQL.
    """

    def __init__(self, database_url: str, at: int | None = None, then: Callable[[], None] = lambda: None) -> None:
        self._target = conninfo_to_dict(database_url)
        self._at, self._then = at, then
        self._lock = threading.Lock()
        self._messages = 0
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = make_conninfo(
            database_url,
            host="127.0.0.1",
            port=self._listener.getsockname()[1],
            sslmode="disable",
            gssencmode="disable",
        )

    @property
    def messages(self) -> int:
        """How many messages the client has sent so far."""
        return self._messages

    def __enter__(self) -> PostgresProxy:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=20)

    def cut(self) -> None:
        """Breaks every connection there is; new ones are taken."""
        with self._lock:
            broken, self._sockets = self._sockets, []
        for one in broken:
            _close(one)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            with self._lock:
                self._sockets += [client, server]
            self._start(self._pass_messages, client, server)
            self._start(self._pass_answers, server, client)

    def _connect(self) -> socket.socket:
        host, port = str(self._target["host"]), int(str(self._target.get("port") or 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_messages(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            for message in _messages(client):
                with self._lock:
                    self._messages += 1
                    number = self._messages
                if self._at is not None and number >= self._at:
                    if number == self._at:
                        self._then()
                    break
                server.sendall(message)
        _close(client)
        _close(server)

    def _pass_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while chunk := server.recv(_CHUNK):
                client.sendall(chunk)
        _close(client)
        _close(server)


def _messages(client: socket.socket) -> Iterator[bytes]:
    """The messages of one connection, each as its bytes."""
    received = bytearray()
    letter = 0
    while chunk := client.recv(_CHUNK):
        received += chunk
        while len(received) >= letter + _LENGTH:
            size = letter + int.from_bytes(received[letter : letter + _LENGTH], "big")
            if len(received) < size:
                break
            yield bytes(received[:size])
            del received[:size]
            letter = 1


def _close(one: socket.socket) -> None:
    # Shutting down wakes the thread that reads from it; closing alone does not.
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
