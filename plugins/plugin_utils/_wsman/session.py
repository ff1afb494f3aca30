# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session by WS-Management messages. Private to this collection."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol
from xml.etree.ElementTree import Element

from .._session.errors import FaultError, TooLargeError
from .._session.instance import Instance
from .._session.session import CIMV2, DEFAULT_PATIENCE, Argument, Invoke, ProcessResult, Request, Route
from .._session.waits import Clock, Waits
from . import messages

#: Far above what a default WinRM service may send (500 KB), far below what hurts the controller.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
#: A whole enumeration; 2,000 VMs with all their KVP items are about 10 MiB.
MAX_ENUMERATION_BYTES = 64 * 1024 * 1024


class Transport(Protocol):
    """The way to the machine: one implementation for each connection plugin."""

    #: The URL of the WinRM listener.
    endpoint: str
    #: Seconds that Windows may take for one request.
    operation_timeout: int

    @property
    def encrypted(self) -> bool:
        """Whether what is sent is encrypted, by TLS or by message encryption."""

    def send(self, message: bytes) -> bytes:
        """Send an envelope; the answer's or the fault's envelope.

        :raises UnreachableError: The machine cannot be reached, cut the connection or turned the credentials down.
        :raises InvalidAnswerError: The answer is no message, or larger than ``MAX_ANSWER_BYTES``.
        """

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        """Run a program in a WinRS shell of its own.

        :raises UnreachableError: As ``send``.
        :raises ProcessError: The program could not be run to its end.
        """


class WSManSession:
    """Queries and method calls on one machine.

    Every method raises the errors of ``Transport.send``, and ``FaultError`` when Windows refuses the request.
    """

    def __init__(self, transport: Transport, machine: str, clock: Clock | None = None) -> None:
        """Talk over a transport.

        :param machine: The name by which the user knows the machine, for messages.
        """
        self._transport = transport
        self._clock = clock or Clock()
        self.machine = machine
        #: How it is reached; whoever chose the transport says it.
        self.route = Route("winrm")
        self.patience = DEFAULT_PATIENCE

    @property
    def encrypted(self) -> bool:
        """Whether a secret may be sent."""
        return self._transport.encrypted

    def expect(self, *requests: Request) -> None:
        """Nothing: a message a request is as good over a connection that is kept."""

    def query(self, wql: str, namespace: str = CIMV2, limit: int | None = None) -> list[Instance]:
        """The instances that a WQL query selects.

        :param wql: The query; put text into it with ``escape.wql_literal`` only.
        :param limit: Read no more than so many instances.
        """
        page = messages.Page([], None)

        items: list[Instance] = []
        most = messages.MAX_ELEMENTS if limit is None else min(limit, messages.MAX_ELEMENTS)

        def request(header: messages.Header) -> bytes:
            if page.context is None:
                return messages.enumerate_wql(header, namespace, wql, most)
            return messages.pull(header, namespace, page.context, most)

        size = 0
        begun_anew = False
        while True:
            try:
                content, length = self._exchange(request, reads=True)
            except FaultError as fault:
                if page.context is None or begun_anew or not fault.enumeration_lost:
                    raise
                page, items, size, begun_anew = messages.Page([], None), [], 0, True
                continue
            page = messages.read_page(content)
            items.extend(page.items)
            size += length
            if page.context is None:
                return items[:limit]
            if limit is not None and len(items) >= limit:
                self._release(namespace, page.context)
                return items[:limit]
            if size > MAX_ENUMERATION_BYTES:
                self._release(namespace, page.context)
                raise TooLargeError(f"the answer to a query is larger than {MAX_ENUMERATION_BYTES} bytes")

    def get(self, class_name: str, selectors: Mapping[str, str], namespace: str = CIMV2) -> Instance:
        """The instance of a class with these keys."""
        content, _length = self._exchange(
            lambda header: messages.get(header, namespace, class_name, selectors), reads=True
        )
        return messages.read_instance(content)

    def invoke(
        self,
        class_name: str,
        method: str,
        arguments: Mapping[str, Argument] | None = None,
        selectors: Mapping[str, str] | None = None,
        namespace: str = CIMV2,
    ) -> Instance:
        """Call a method; its out parameters, with ``ReturnValue``.

        :param selectors: The keys of the instance; none for a static method.
        """
        content, _length = self._exchange(
            lambda header: messages.invoke(header, namespace, class_name, method, arguments or {}, selectors or {}),
            reads=Invoke(class_name, method).reads,
        )
        return messages.read_output(content, method)

    def run(self, command: str, arguments: Sequence[str] = (), stdin: bytes = b"") -> ProcessResult:
        """Run a program in a WinRS shell; secrets go to its standard input, never into its arguments.

        :raises ProcessError: The program could not be run to its end.
        """
        return self._transport.run(command, arguments, stdin)

    def _release(self, namespace: str, context: str) -> None:
        # Windows ends a forgotten enumeration by itself: that this failed must not lose what was read.
        with suppress(FaultError):
            self._exchange(lambda header: messages.release(header, namespace, context), reads=False)

    def _exchange(self, write: Callable[[messages.Header], bytes], reads: bool) -> tuple[Element, int]:
        waits = Waits(self.patience, self._clock)
        while True:
            message_id = f"uuid:{uuid.uuid4()}"
            header = messages.Header(self._transport.endpoint, message_id, self._transport.operation_timeout)
            answer = self._transport.send(write(header))
            try:
                return messages.read(answer, message_id), len(answer)
            except FaultError as fault:
                again = fault.passing if reads else fault.nothing_run
                if not again or not waits.wait():
                    raise
