# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may talk to a machine, and the encryption of messages: [MS-WSMV] 2.2.9.1, [MS-NTHT], RFC 7617, DSP0226 annex (secprofile).

Negotiate is bound to its connection, as on Windows: the handshake authenticates the TCP connection, and its keys encrypt what follows.
CbtHardeningLevel is Relaxed by default, which accepts clients that send no channel binding token: here, none is looked at unless the
listener asks for it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import importlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from lab.active_directory import ActiveDirectory
from lab.kerberos import Domain
from lab.simulation import SimulatedMachine
from lab.tls import Certificates

#: Schemes of HTTP → as the options of a listener name them; the challenges that a listener sends.
_PROTOCOLS = {"negotiate": "negotiate", "ntlm": "negotiate", "kerberos": "kerberos", "credssp": "credssp"}
_CHALLENGES = {"negotiate": "Negotiate", "kerberos": "Kerberos", "credssp": "CredSSP"}
_NTLM = b"NTLMSSP\x00"
#: DER of 1.2.840.113554.1.2.2 (RFC 4121) and 1.3.6.1.5.5.2 (RFC 4178).
_KERBEROS_OID = bytes.fromhex("06092a864886f712010202")
_SPNEGO_OID = bytes.fromhex("06062b0601050502")
#: Seconds that clocks may differ (RFC 4120, 3.2.3; Windows' default).
_CLOCK_SKEW = 300
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_BOUNDARY = b"--Encrypted Boundary"
#: The protocols of [MS-WSMV] 2.2.9.1; the first is Negotiate's.
_PROTOCOL_TYPES = tuple(f"application/HTTP-{name}-session-encrypted" for name in ("SPNEGO", "Kerberos", "CredSSP"))
#: CredSSP encrypts in pieces ([MS-WSMV] 2.2.9.1.3).
_CREDSSP_CHUNK = 16384
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

    def __init__(
        self,
        machine: SimulatedMachine,
        directory: Path,
        domain: Domain | ActiveDirectory | None,
        certificates: Certificates | None,
    ) -> None:
        """Let in the machine's administrator and, if it is a member of a domain, those of the domain.

        :param directory: Where the accounts are written to.
        :param certificates: Of a listener with TLS.
        """
        self._account = machine.account
        self._options = machine.listener
        self._users = directory / f"{machine.name}.users"
        self._machine = machine.name
        self._domain = domain
        self._keytab = domain.keytab(machine.name) if domain else None
        self._binding = (
            GssChannelBindings(application_data=certificates.binding)
            if certificates and self._options.channel_binding
            else None
        )
        self.write_accounts()

    def write_accounts(self) -> None:
        """Take the passwords that there are now."""
        # pyspnego's acceptor reads the accounts from a file. A user may name the machine, a dot, or no domain.
        names = [(prefix, self._account.name, self._account.password) for prefix in ("", ".", self._machine)]
        domain = self._domain
        for user in domain.users if domain else ():
            if domain and user.state == "enabled":
                prefixes = (domain.domain, domain.realm, domain.domain.partition(".")[0].upper())
                names += [(prefix, user.name, user.password) for prefix in prefixes]
                names.append(("", f"{user.name}@{domain.realm}", user.password))
        self._users.touch(mode=0o600)
        self._users.write_text("".join(":".join(item) + "\n" for item in names), encoding="utf-8")

    def authenticate(
        self, connection: Connection, authorization: str, client_certificate: Mapping[str, object] | None
    ) -> Verdict:
        """Judge a request by its Authorization header and the connection's past."""
        scheme, _, value = authorization.partition(" ")
        allowed = self._options.authentication
        protocol = _PROTOCOLS.get(scheme.lower())
        if protocol is not None and protocol in allowed:
            return self._exchange(connection, scheme, value)
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
        offers = [_CHALLENGES[scheme] for scheme in self._options.authentication if scheme in _CHALLENGES]
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

    def _exchange(self, connection: Connection, scheme: str, value: str) -> Verdict:
        # Process-wide, and read at every step of the handshake: each machine has accounts and keys of its own.
        os.environ["NTLM_USER_FILE"] = str(self._users)
        os.environ["KRB5_KTNAME"] = f"FILE:{self._keytab or '/nonexistent'}"
        try:
            token = base64.b64decode(value, validate=True)
            if connection.authenticated or connection.context is None:
                connection.context = self._acceptor(scheme.lower(), token)
                connection.authenticated = False
            answer = connection.context.step(token)
        except (SpnegoError, ImportError, AttributeError, binascii.Error):
            # A wrong password, an unknown user, a ticket for another machine (for which pyspnego raises AttributeError: it looks at the
            # flags of the login that failed), or no token at all.
            connection.context = None
            told = self._error_token(token) if self._options.tells_kerberos_errors else None
            return Verdict(False, (f"{scheme} {base64.b64encode(told).decode()}",) if told else self._offers)
        challenges = (f"{scheme} {base64.b64encode(answer).decode()}",) if answer else ()
        connection.authenticated = connection.context.complete
        if connection.authenticated and not self._accepts(connection.context):
            connection.context, connection.authenticated = None, False
            return Verdict(False, self._offers)
        return Verdict(connection.authenticated, challenges)

    def _acceptor(self, scheme: str, token: bytes) -> spnego.ContextProxy:
        """What answers to the first token of a handshake."""
        if scheme == "credssp":
            return spnego.server(protocol="credssp")
        if _KERBEROS_OID in token[:64] and not token.startswith(_NTLM) and _SPNEGO_OID not in token[:32]:
            # Kerberos without Negotiate around it, as pywinrm sends it under either scheme.
            return spnego.server(protocol="kerberos", channel_bindings=self._binding)
        return spnego.server(protocol="negotiate", service="http", channel_bindings=self._binding)

    def _error_token(self, token: bytes) -> bytes | None:
        """A KRB_ERROR (RFC 4121, 4.1): what is wrong with a ticket. None if the token has none."""
        # It is there where there is a domain.
        gssapi = importlib.import_module("gssapi")
        try:
            # It raises what went wrong when it is asked for anything else.
            told: bytes | None = gssapi.SecurityContext(usage="accept").step(token)
        except gssapi.exceptions.GSSError:
            return None
        return told

    def _accepts(self, context: spnego.ContextProxy) -> bool:
        """What a machine of a domain looks at beside the token."""
        return context.negotiated_protocol != "kerberos" or abs(self._options.clock) <= _CLOCK_SKEW


def is_encrypted(content_type: str) -> bool:
    """Whether a body of this Content-Type is an encrypted message."""
    return content_type.startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def decrypt(connection: Connection, data: bytes) -> bytes:
    """The message inside a ``multipart/encrypted`` body, or in the chunks of CredSSP. Raises ``MessageError``."""
    body, closed, _ = data.rpartition(_BOUNDARY + b"--")
    # Parts are heads and payloads in turn; a payload is binary, but whatever stands in it is not followed by the head of a payload.
    payloads = body.split(_BOUNDARY + b"\r\n" + _DATA_HEADER)[1:]
    if connection.context is None or not connection.authenticated or not closed or not payloads:
        raise MessageError
    message = b""
    for number, payload in enumerate(payloads, 1):
        if number < len(payloads):
            payload = payload.rpartition(_BOUNDARY + b"\r\n\tContent-Type: ")[0]
        if len(payload) < 4:
            raise MessageError
        (length,) = struct.unpack_from("<I", payload)
        try:
            message += connection.context.unwrap_winrm(payload[4 : 4 + length], payload[4 + length :])
        except SpnegoError as error:
            raise MessageError from error
    return message


def encrypt(connection: Connection, message: bytes, asked: str) -> tuple[str, bytes]:
    """Content-Type and body of an encrypted message.

    :param asked: The Content-Type of the request: the answer is encrypted by the same protocol.
    """
    assert connection.context is not None
    protocol = next((name for name in _PROTOCOL_TYPES if name in asked), _PROTOCOL_TYPES[0])
    size = _CREDSSP_CHUNK if "CredSSP" in protocol else max(len(message), 1)
    chunks = [message[start : start + size] for start in range(0, len(message), size)]
    body = b""
    for chunk in chunks:
        wrapped = connection.context.wrap_winrm(chunk)
        length = len(chunk) + wrapped.padding_length
        body += (
            _BOUNDARY + b"\r\n"
            b"\tContent-Type: " + protocol.encode() + b"\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
            + str(length).encode()
            + b"\r\n"
            + _BOUNDARY
            + b"\r\n"
            + _DATA_HEADER
            + struct.pack("<I", len(wrapped.header))
            + wrapped.header
            + wrapped.data
        )
    kind = "multipart/x-multi-encrypted" if len(chunks) > 1 else "multipart/encrypted"
    return f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"', body + _BOUNDARY + b"--\r\n"
