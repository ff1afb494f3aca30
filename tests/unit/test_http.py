"""What the HTTP libraries do on a bad day becomes plain words."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import InvalidAnswerError, UnreachableError
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.failures import WINRM, Login
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.session import MAX_ANSWER_BYTES


class Server:
    """Answers each connection with the same bytes, and counts what it could send."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self.sent = 0
        self._parts = parts
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _address = self._socket.accept()
        with connection:
            connection.recv(65536)
            for part in self._parts:
                try:
                    connection.sendall(part)
                except OSError:
                    return
                self.sent += len(part)

    def close(self) -> None:
        self._thread.join(timeout=10)
        self._socket.close()


def get(*parts: bytes) -> tuple[bytes, int]:
    """The answer through a limited session, and how much the server could send."""
    server = Server(iter(parts))
    try:
        login = attempt(server.url)
        with requests.Session() as session, login.errors():
            session.trust_env = False
            login.watch.over(session)
            return session.get(server.url, timeout=10).content, server.sent
    finally:
        server.close()


def attempt(endpoint: str) -> Login:
    return Login(endpoint, "ntlm", "LAB\\admin", WINRM)


CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def test_an_answer_within_the_limit_is_read() -> None:
    assert get(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"hello")[0] == b"hello"
    chunked = get(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK, b"0\r\n\r\n")
    assert len(chunked[0]) == 0x10000


def test_an_answer_that_says_it_is_too_large_is_not_read() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_ANSWER_BYTES + 1}\r\n\r\n".encode()
    with pytest.raises(InvalidAnswerError, match=f"larger than {MAX_ANSWER_BYTES} bytes"):
        get(head)


def test_an_answer_of_unknown_size_is_read_up_to_the_limit() -> None:
    parts = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[CHUNK] * 1600]
    server = Server(iter(parts))
    with requests.Session() as session:
        session.trust_env = False
        attempt(server.url).watch.over(session)
        with pytest.raises(InvalidAnswerError, match="larger than"):
            session.get(server.url, timeout=10)
    server.close()
    # The rest is what the sockets hold.
    assert server.sent < 4 * MAX_ANSWER_BYTES


def test_a_cut_connection_is_told_in_plain_words() -> None:
    with pytest.raises(UnreachableError) as error:
        get(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"half")
    message = str(error.value)
    assert message.startswith("no connection to http://127.0.0.1")
    assert "it was cut" in message
    assert "ConnectionPool" not in message


def test_a_refused_connection_is_told_in_plain_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(UnreachableError) as error, attempt(url).errors():
            session.get(url, timeout=10)
    assert str(error.value) == f"no connection to {url}, or it was cut (Connection refused)"


def test_a_timeout_is_told_in_plain_words() -> None:
    with (
        pytest.raises(UnreachableError, match=r"^no answer from http://hv01/ in time"),
        attempt("http://hv01/").errors(),
    ):
        raise requests.exceptions.ReadTimeout("Read timed out.")


@pytest.mark.parametrize(
    "error", [ValueError("bad boundary"), LookupError("unknown encoding"), io.UnsupportedOperation()]
)
def test_after_the_login_an_answer_that_cannot_be_decoded_is_invalid(error: Exception) -> None:
    login = attempt("http://hv01/")
    login.watch.answered = True
    with pytest.raises(InvalidAnswerError, match="could not be decrypted"), login.errors():
        raise error
