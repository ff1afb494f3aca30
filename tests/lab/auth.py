# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may talk to a machine, and the encryption of messages: [MS-WSMV] 2.2.9.1, [MS-NTHT], RFC 7617, DSP0226 annex (secprofile).

Negotiate is bound to its connection, as on Windows: the handshake authenticates the TCP connection, and its keys encrypt what follows.
Channel binding tokens are not checked (CbtHardeningLevel is Relaxed by default, which accepts clients that send none).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import spnego
from spnego.exceptions import SpnegoError

from lab.simulation import Account, ListenerOptions

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_BOUNDARY = b"--Encrypted Boundary"
_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_DATA_HEADER = b"\tContent-Type: application/octet-stream\r\n"


class MessageError(Exception):
    """An encrypted message cannot be decrypted: HTTP 400."""


@dataclass
class Connection:
    """What the listener remembers of one TCP connection."""

    context: spnego.ContextProxy | None = None
    authenticated: bool = False

    @property
    def encrypts(self) -> bool:
        """Whether messages can be encrypted with the keys of this connection."""
        return self.authenticated and self.context is not None


@dataclass(frozen=True)
class Verdict:
    """The outcome for a request: let in, or 401 with ``challenges``. When let in, ``challenges`` may hold the last token."""

    accepted: bool
    challenges: tuple[str, ...] = ()


class Authenticator:
    """The authentication of one machine's listener."""

    def __init__(self, machine: str, account: Account, options: ListenerOptions, directory: Path) -> None:
        self._account = account
        self._options = options
        self._users = directory / f"{machine}.users"
        # pyspnego's acceptor reads the accounts from a file. A user may name the machine, a dot, or no domain.
        lines = [f"{domain}:{account.name}:{account.password}\n" for domain in ("", ".", machine)]
        self._users.touch(mode=0o600)
        self._users.write_text("".join(lines), encoding="utf-8")

    def authenticate(
        self, connection: Connection, authorization: str, client_certificate: Mapping[str, object] | None
    ) -> Verdict:
        """Judge a request by its Authorization header and the connection's past."""
        scheme, _, value = authorization.partition(" ")
        allowed = self._options.authentication
        if scheme.lower() in {"negotiate", "ntlm"} and "negotiate" in allowed:
            return self._negotiate(connection, scheme, value)
        if scheme.lower() == "basic" and self._basic_allowed and self._basic(value):
            connection.authenticated, connection.context = True, None
            return Verdict(True)
        if authorization == MUTUAL and "certificate" in allowed and client_certificate:
            connection.authenticated, connection.context = True, None
            return Verdict(True)
        if not authorization and connection.encrypts:
            return Verdict(True)
        return Verdict(False, self._offers)

    @property
    def _basic_allowed(self) -> bool:
        return "basic" in self._options.authentication and (self._options.tls or self._options.allow_unencrypted)

    @property
    def _offers(self) -> tuple[str, ...]:
        offers = []
        if "negotiate" in self._options.authentication:
            offers.append("Negotiate")
        if self._basic_allowed:
            offers.append('Basic realm="WSMAN"')
        return tuple(offers)

    def _basic(self, value: str) -> bool:
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            return False
        # Clients encode the pair in UTF-8 or, as requests does, in Latin-1.
        expected = f"{self._account.name}:{self._account.password}"
        return any(
            hmac.compare_digest(given, expected.encode(encoding, errors="replace")) for encoding in ("utf-8", "latin-1")
        )

    def _negotiate(self, connection: Connection, scheme: str, value: str) -> Verdict:
        # Process-wide, and read at every step of the handshake: each machine has accounts of its own.
        os.environ["NTLM_USER_FILE"] = str(self._users)
        if connection.authenticated or connection.context is None:
            connection.context = spnego.server(protocol="negotiate", service="http")
            connection.authenticated = False
        try:
            token = connection.context.step(base64.b64decode(value, validate=True))
        except (SpnegoError, binascii.Error):
            # A wrong password, an unknown user, or no token at all.
            connection.context = None
            return Verdict(False, self._offers)
        challenges = (f"{scheme} {base64.b64encode(token).decode()}",) if token else ()
        connection.authenticated = connection.context.complete
        return Verdict(connection.authenticated, challenges)


def is_encrypted(content_type: str) -> bool:
    """Whether a body of this Content-Type is an encrypted message."""
    return content_type.startswith("multipart/encrypted")


def decrypt(connection: Connection, data: bytes) -> bytes:
    """The message inside a ``multipart/encrypted`` body. Raises ``MessageError``."""
    _, found, payload = data.partition(_DATA_HEADER)
    payload, closed, _ = payload.rpartition(_BOUNDARY + b"--")
    if connection.context is None or not connection.authenticated or not found or not closed or len(payload) < 4:
        raise MessageError
    (length,) = struct.unpack_from("<I", payload)
    try:
        return connection.context.unwrap_winrm(payload[4 : 4 + length], payload[4 + length :])
    except SpnegoError as error:
        raise MessageError from error


def encrypt(connection: Connection, message: bytes) -> tuple[str, bytes]:
    """Content-Type and body of an encrypted message."""
    assert connection.context is not None
    wrapped = connection.context.wrap_winrm(message)
    length = len(message) + wrapped.padding_length
    head = (
        _BOUNDARY + b"\r\n"
        b"\tContent-Type: " + _PROTOCOL.encode() + b"\r\n"
        b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
        + str(length).encode()
        + b"\r\n"
        + _BOUNDARY
        + b"\r\n"
    )
    body = struct.pack("<I", len(wrapped.header)) + wrapped.header + wrapped.data
    content_type = f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="Encrypted Boundary"'
    return content_type, head + _DATA_HEADER + body + _BOUNDARY + b"--\r\n"
