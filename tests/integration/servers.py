"""Servers that are no WinRM listeners, for what may stand in their place or in between."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Server:
    """Answers each request with the same bytes, and keeps what it was sent."""

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.received: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            # The handshake fails on either side, as it is to.
            with connection, suppress(OSError), self._spoken(connection) as spoken:
                self.received.append(spoken.recv(65536))
                spoken.sendall(self._answer)

    def _spoken(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def close(self) -> None:
        """Stop accepting."""
        self._socket.close()


@contextmanager
def server(status: str, *headers: str, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers with a status line and headers, and no body."""
    answer = "\r\n".join([f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close", "", ""])
    running = Server(answer.encode(), tls)
    try:
        yield running
    finally:
        running.close()


def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
