# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with the WMI of one machine: what the layers above use. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from .instance import Instance

CIMV2 = "root/cimv2"

#: ``Session.patience``, unless a task says another one: the default of the modules' option timeout.
DEFAULT_PATIENCE = 120.0

#: What a method of WMI is given; an integer is a uint32.
Argument: TypeAlias = "str | int | bool | Sequence[str]"


@dataclass(frozen=True)
class Query:
    """What ``Session.query`` is called with."""

    wql: str
    namespace: str = CIMV2
    limit: int | None = None

    def on(self, session: Session) -> list[Instance]:
        """Ask a machine."""
        return session.query(self.wql, self.namespace, self.limit)


@dataclass(frozen=True)
class Get:
    """What ``Session.get`` is called with."""

    class_name: str
    selectors: Mapping[str, str]
    namespace: str = CIMV2


@dataclass(frozen=True)
class Invoke:
    """What ``Session.invoke`` is called with."""

    class_name: str
    method: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    selectors: Mapping[str, str] = field(default_factory=dict)
    namespace: str = CIMV2

    def on(self, session: Session) -> Instance:
        """Call it on a machine."""
        return session.invoke(self.class_name, self.method, self.arguments, self.selectors, self.namespace)

    @property
    def reads(self) -> bool:
        """Whether it changes nothing: what the names of WMI's methods tell."""
        return self.method.startswith(("Get", "Enum"))


Request: TypeAlias = Query | Get | Invoke


@dataclass(frozen=True)
class ProcessResult:
    """What a program on the machine left behind."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Route:
    """How a machine is reached.

    :ivar plugin: The connection plugin.
    :ivar host: The Hyper-V host through which a guest is reached, by its inventory name.
    """

    plugin: str
    host: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """As the modules return it."""
        return {"plugin": self.plugin, "host": self.host}


class Session(Protocol):
    """Queries and method calls on one machine.

    Every method raises ``UnreachableError`` when the machine cannot be reached, cut the connection or turned the credentials down,
    ``InvalidAnswerError`` when it answers garbage or too much, and ``FaultError`` when Windows refuses the request.
    """

    #: The name by which the user knows the machine, for messages.
    machine: str
    #: For how many seconds a read that Windows is too slow or too busy for is asked again. A change is never asked for twice, unless
    #: Windows says that it did not begin with it.
    patience: float

    @property
    def route(self) -> Route:
        """How it is reached."""

    @property
    def encrypted(self) -> bool:
        """Whether a secret may be sent."""

    def expect(self, *requests: Request) -> None:
        """Say which requests come next, beside those that are expected already, so that they may travel together.

        Where every request starts a PowerShell, one that reads brings along all that is read before the next change, and that change,
        when it is asked for, all that follows it. So a caller that gets no error must go on to ask for each change that it named; after
        an error nothing is changed, and after a change that fails nothing is asked. An answer is given out once, if it was fetched just
        now and nothing else was changed since.
        """

    def query(self, wql: str, namespace: str = CIMV2, limit: int | None = None) -> list[Instance]:
        """The instances that a WQL query selects.

        :param wql: The query; put text into it with ``escape.wql_literal`` only.
        :param limit: Read no more than so many instances.
        """

    def get(self, class_name: str, selectors: Mapping[str, str], namespace: str = CIMV2) -> Instance:
        """The instance of a class with these keys."""

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

    def run(self, command: str, arguments: Sequence[str] = (), stdin: bytes = b"") -> ProcessResult:
        """Run a program; secrets go to its standard input, never into its arguments.

        :raises ProcessError: The program could not be run to its end.
        """
