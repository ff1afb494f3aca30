# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The WinRM listener of one machine: HTTP, authentication, message encryption, journal and faults around ``lab.wsman``.

Sources: [MS-WSMV] 2.2.9.1 (encryption); a default listener's refusal of unencrypted messages is HTTP 500 without a body
(diyan/pywinrm issues 129 and 208).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from weakref import WeakKeyDictionary

from aiohttp import web
from lxml import etree

from lab import auth, soap
from lab.faults import Effect, FaultRule
from lab.powershell.errors import ConnectionLost
from lab.shell import NotEnded
from lab.simulation import ListenerOptions, SimulatedMachine
from lab.wsman import ACCESS_DENIED, Operation, Service

ADDRESS = "127.0.0.1"
_SOAP_TYPE = "application/soap+xml;charset=UTF-8"
#: What Effect.HUGE sends without a value: more than any client should take.
_HUGE = 50 * 1024 * 1024
_BLOCK = 65536
_TIMED_OUT = soap.WsmanFault(
    2150858793,  # ERROR_WSMAN_OPERATION_TIMEDOUT
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout. ",
    "w:TimedOut",
)


#: MaxTimeoutms of a default server, in seconds.
_LONGEST = 60.0


class _TimedOutError(Exception):
    """OperationTimeout has passed."""


class Listener:
    """One machine on the network. A stopped one keeps its port, so that nothing else answers there."""

    def __init__(
        self,
        machine: SimulatedMachine,
        port: int,
        authenticator: auth.Authenticator,
        tls: ssl.SSLContext | None,
        stop_machine: Callable[[str], None],
    ) -> None:
        self.options: ListenerOptions = machine.listener
        self.traffic = machine.traffic
        self.journal = machine.traffic.journal
        self.service = Service(machine, self.options, self.journal)
        #: How often it was switched off.
        self.stops = 0
        self._name = machine.name
        self._tls = tls
        self._stop_machine = stop_machine
        self._authenticator = authenticator
        self._connections: WeakKeyDictionary[asyncio.BaseTransport, auth.Connection] = WeakKeyDictionary()
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._socket = bound_socket(port)
        self.port: int = self._socket.getsockname()[1]

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None

    async def start(self) -> None:
        """Accept connections."""
        if self._server is not None:
            return
        self._web = web.Server(self._handle, access_log=None)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._web, sock=self._socket, ssl=self._tls, backlog=128)

    def stop(self) -> None:
        """Refuse connections and cut those there are, at once, as a machine that loses power."""
        if self._server is None:
            return
        self.stops += 1
        self._server.close()
        self._server = None
        for handler in self._web.connections if self._web else ():
            if isinstance(handler.transport, asyncio.WriteTransport):
                handler.transport.abort()
        self.service.forget()
        # Bound but not listening: the port refuses connections and stays ours.
        self._socket = bound_socket(self.port)

    async def close(self) -> None:
        """Give the port back."""
        self.stop()
        if self._web is not None:
            # To aiohttp, 0 would be no limit.
            await self._web.shutdown(timeout=0.1)
        self._socket.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/wsman":
            return web.Response(status=HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED)
        body = await request.read()
        transport = request.transport
        if transport is None:
            return web.Response()
        connection = self._connections.setdefault(transport, auth.Connection())
        certificate = transport.get_extra_info("peercert")
        verdict = self._authenticator.authenticate(connection, request.headers.get("Authorization", ""), certificate)
        if not verdict.accepted:
            self.journal.requests["Authentication"] += 1
            return _with_challenges(web.Response(status=HTTPStatus.UNAUTHORIZED), verdict)
        if not body:
            # Clients that encrypt authenticate with an empty message first.
            self.journal.requests["Authentication"] += 1
            return _with_challenges(web.Response(), verdict)
        encrypted = auth.is_encrypted(request.headers.get("Content-Type", ""))
        if not encrypted and not self.options.tls and not self.options.allow_unencrypted:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        try:
            message = auth.decrypt(connection, body) if encrypted else body
            parsed = soap.parse(message)
        except (auth.MessageError, soap.NotSoapError):
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        operation = self.service.classify(parsed)
        self.journal.requests[operation.kind] += 1
        self.journal.soap_received += len(message)
        self.journal.wire_received += len(body) + _request_head(request)
        exchange = _Exchange(self, request, transport, connection if encrypted else None, verdict)
        return await exchange.run(parsed, operation)

    def report(self) -> dict[str, int]:
        """What is open."""
        return {"open_enumerations": self.service.open_enumerations, "open_shells": self.service.open_shells}

    def die(self) -> None:
        """Switch the machine off, from within."""
        self._stop_machine(self._name)


class _Exchange:
    """One authenticated request and its answer, faults included."""

    def __init__(
        self,
        listener: Listener,
        request: web.BaseRequest,
        transport: asyncio.BaseTransport,
        encryption: auth.Connection | None,
        verdict: auth.Verdict,
    ) -> None:
        self._listener = listener
        self._request = request
        self._transport = transport
        self._encryption = encryption
        self._verdict = verdict

    async def run(self, parsed: soap.Request, operation: Operation) -> web.StreamResponse:
        """Answer."""
        stops = self._listener.stops
        hit = self._listener.traffic.faults_for(operation.kind, operation.class_name, operation.method)
        rules = {rule.effect: rule for rule in hit}
        delay = self._listener.options.delay
        if Effect.DELAY in rules:
            delay += rules[Effect.DELAY].value or 0
        if parsed.operation_timeout is not None and delay > parsed.operation_timeout:
            await asyncio.sleep(parsed.operation_timeout)
            return await self._fail(_TIMED_OUT, parsed)
        if delay:
            await asyncio.sleep(delay)
        if self._listener.stops != stops:
            # Switched off meanwhile: what it had not done is not done.
            return web.Response()
        for effect, rule in rules.items():
            instead = await self._instead(effect, rule, parsed)
            if instead is not None:
                return instead
        if Effect.WRONG_RELATES_TO in rules:
            parsed = replace(parsed, message_id=soap.new_id())
        try:
            well, data = await self._answer(parsed)
        except ConnectionLost as lost:
            # A fault hit what a program in a shell did.
            if lost.dies:
                self._listener.die()
            return self._drop()
        except _TimedOutError:
            return await self._fail(_TIMED_OUT, parsed)
        if Effect.STOP_MACHINE_AFTER in rules:
            self._listener.die()
            return web.Response()
        if Effect.TRUNCATED in rules:
            data = data[: len(data) // 2]
        status = HTTPStatus.OK if well else HTTPStatus.INTERNAL_SERVER_ERROR
        return await self._send(status, data, cut=Effect.CUT in rules)

    async def _answer(self, parsed: soap.Request) -> tuple[bool, bytes]:
        """The answer, once a program that it waits for has ended. Raises ``_TimedOutError`` if that takes longer than OperationTimeout."""
        while True:
            try:
                return self._listener.service.answer(parsed)
            except NotEnded as running:
                limit = parsed.operation_timeout if parsed.operation_timeout is not None else _LONGEST
                if running.seconds > limit:
                    await asyncio.sleep(limit)
                    raise _TimedOutError from None
                await asyncio.sleep(running.seconds)

    def _drop(self) -> web.StreamResponse:
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.abort()
        return web.Response()

    async def _instead(self, effect: Effect, rule: FaultRule, parsed: soap.Request) -> web.StreamResponse | None:
        """What is answered in place of running the request, if the effect is of that kind."""
        value = int(rule.value or 0)
        match effect:
            case Effect.DROP:
                return self._drop()
            case Effect.STATUS:
                return web.Response(status=value)
            case Effect.MALFORMED:
                return await self._send(HTTPStatus.OK, b"<s:Envelope this is no XML")
            case Effect.HUGE | Effect.HUGE_CHUNKED:
                content = etree.Element("Filler")
                content.text = "A" * (value or _HUGE)
                context = self._listener.service.context(parsed)
                data = soap.envelope(context, parsed.action + "Response", content)
                return await self._send(HTTPStatus.OK, data, chunked=effect is Effect.HUGE_CHUNKED)
            case Effect.ACCESS_DENIED:
                return await self._fail(ACCESS_DENIED, parsed)
            case Effect.WSMAN_FAULT:
                return await self._fail(
                    soap.WsmanFault(value, "The WS-Management service cannot process the request. "), parsed
                )
            case Effect.HRESULT:
                nested = self._listener.options.fault_form == "wsman"
                return await self._fail(soap.WmiFault(value, "", nested), parsed)
        return None

    async def _fail(self, error: soap.WsmanFault | soap.WmiFault, parsed: soap.Request) -> web.StreamResponse:
        data = soap.fault(self._listener.service.context(parsed), error)
        return await self._send(HTTPStatus.INTERNAL_SERVER_ERROR, data)

    async def _send(
        self, status: HTTPStatus, data: bytes, cut: bool = False, chunked: bool = False
    ) -> web.StreamResponse:
        content_type, body = _SOAP_TYPE, data
        if self._encryption is not None:
            content_type, body = auth.encrypt(self._encryption, data, self._request.headers.get("Content-Type", ""))
        response = web.StreamResponse(status=status)
        response.headers["Content-Type"] = content_type
        _with_challenges(response, self._verdict)
        if chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = len(body)
        await response.prepare(self._request)
        journal = self._listener.journal
        journal.soap_sent += len(data)
        journal.wire_sent += len(body) + _response_head(response)
        if cut:
            body = body[: len(body) // 2]
        for start in range(0, len(body), _BLOCK):
            await response.write(body[start : start + _BLOCK])
        if cut:
            self._transport.close()
        else:
            await response.write_eof()
        return response


def bound_socket(port: int) -> socket.socket:
    """A socket at a port of 127.0.0.1, 0 being any that is free."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((ADDRESS, port))
    return bound


def _with_challenges(response: web.StreamResponse, verdict: auth.Verdict) -> web.StreamResponse:
    for challenge in verdict.challenges:
        response.headers.add("WWW-Authenticate", challenge)
    return response


def _request_head(request: web.BaseRequest) -> int:
    """Bytes of the request line and the headers."""
    line = len(request.method) + len(request.raw_path) + len(" ") * 2 + len("HTTP/1.1\r\n")
    return line + sum(len(name) + len(value) + len(": \r\n") for name, value in request.raw_headers) + len("\r\n")


def _response_head(response: web.StreamResponse) -> int:
    line = len(f"HTTP/1.1 {response.status} {response.reason}\r\n")
    return line + sum(len(f"{name}: {value}\r\n") for name, value in response.headers.items()) + len("\r\n")
