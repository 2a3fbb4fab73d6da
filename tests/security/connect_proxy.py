"""A proxy that lets TLS through, as companies have them between their hosts and the world (RFC 9110, CONNECT)."""

from __future__ import annotations

import base64
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class ConnectProxy:
    """Listens on loopback while the block lasts; `asked` has what it was asked for. It may want `user:password`."""

    def __init__(self, credentials: str | None = None) -> None:
        asked: list[str] = []
        wanted = credentials and f"Basic {base64.b64encode(credentials.encode()).decode()}"

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                asked.append(self.path)
                if wanted and self.headers.get("Proxy-Authorization") != wanted:
                    self.send_error(407)
                    return
                host, port = self.path.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as beyond:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(target=_hand_on, args=(beyond, self.connection))
                    back.start()
                    _hand_on(self.connection, beyond)
                    back.join()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.asked = asked
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> ConnectProxy:
        threading.Thread(target=self._server.serve_forever).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _hand_on(origin: socket.socket, destination: socket.socket) -> None:
    """Hands on what comes until the origin has no more, and says so."""
    try:
        while said := origin.recv(65536):
            destination.sendall(said)
        destination.shutdown(socket.SHUT_WR)
    except OSError:
        # Either side may go away at any time; the other is told by the end of the connection.
        destination.close()
