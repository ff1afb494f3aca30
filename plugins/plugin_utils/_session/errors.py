# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the controller and WMI. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable

from .._avma import hresults as known
from .._avma.problems import Problem


class SessionError(Exception):
    """Base of all errors of a session."""


class UnsupportedConnectionError(SessionError):
    """The play's connection plugin is none that this collection knows a session for."""


class UnreachableError(SessionError):
    """The machine could not be reached, cut the connection, or turned the credentials down."""


class RejectedError(UnreachableError):
    """The credentials were turned down. To try them again, here or at another machine, may lock the account."""


class RouteError(SessionError):
    """The way to the machine lacks what it needs.

    :ivar problem: What, and what to do about it.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class RouteUnreachableError(RouteError, UnreachableError):
    """The machine cannot be reached on this way now, or it turned the credentials down."""


class RouteRejectedError(RouteUnreachableError, RejectedError):
    """The credentials of a machine on the way were turned down."""


class GuestRejectedError(RouteUnreachableError, RejectedError):
    """The guest at the end of the way turned its credentials down."""


class InvalidAnswerError(SessionError):
    """The machine answered garbage, too much, or the answer to another request."""


class TooLargeError(InvalidAnswerError):
    """The machine answered more than this collection reads."""


class ProcessError(SessionError):
    """A program on the machine could not be run to its end."""


class FaultError(SessionError):
    """The machine answered a fault.

    :ivar reason: The text of the fault, in the machine's language: to show, never to decide on.
    :ivar wsman_code: ``Code`` of ``f:WSManFault`` (an unsigned 32-bit HRESULT or Win32 code), if there is one.
    :ivar hresults: Every HRESULT that the fault carries, the one that says most first (``ordered_hresults``).
    """

    #: ERROR_WSMAN_OPERATION_TIMEDOUT ([MS-WSMV] 2.2.4.43).
    OPERATION_TIMED_OUT = 0x80338029
    #: That, and WBEM_E_TIMED_OUT, WBEM_E_PROVIDER_TIMED_OUT, ERROR_TIMEOUT.
    TIMED_OUT = frozenset({OPERATION_TIMED_OUT, 0x80041069, 0x80041088, 0x800705B4})
    #: ERROR_WSMAN_QUOTA_* (wsmerror.h): nothing was run, any request may be sent again.
    TOO_MANY_OPERATIONS = frozenset(
        {0x8033803F, 0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB, *range(0x803381E4, 0x803381EA)}
    )
    #: Windows has too much to do: the pull before is still going on, the enumeration is being prepared (wsmerror.h);
    #: WBEM_E_SERVER_TOO_BUSY, WBEM_E_QUOTA_VIOLATION, WBEM_E_RETRY_LATER, WBEM_E_RESOURCE_CONTENTION (wbemcli.h);
    #: RPC_S_SERVER_TOO_BUSY, RPC_E_SERVERCALL_RETRYLATER, ERROR_SERVICE_REQUEST_TIMEOUT: a service that does not start in time
    #: (winerror.h).
    BUSY = TOO_MANY_OPERATIONS | {
        0x80338006,
        0x80338078,
        0x80041045,
        0x8004106C,
        0x80043001,
        0x80043002,
        0x800706BB,
        0x8001010A,
        0x8007041D,
    }
    #: The enumeration is not there any more: it was closed, has timed out, or its context is not known (wsmerror.h).
    ENUMERATION_LOST = frozenset({0x80338007, 0x8033801B, 0x8033801C})

    def __init__(self, reason: str, wsman_code: int | None = None, hresults: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wsman_code = wsman_code
        self.hresults = hresults

    @property
    def codes(self) -> frozenset[int]:
        """All codes, in no order."""
        return frozenset({*self.hresults, *([] if self.wsman_code is None else [self.wsman_code])})

    @property
    def timed_out(self) -> bool:
        """Whether Windows gave up waiting; the operation itself may still go on."""
        return bool(self.codes & self.TIMED_OUT)

    @property
    def nothing_run(self) -> bool:
        """Whether Windows did not begin with the request, so that even a change may be asked for again."""
        return bool(self.codes & self.TOO_MANY_OPERATIONS)

    @property
    def passing(self) -> bool:
        """Whether the same may be *read* a moment later: a slow or busy machine is not a broken one."""
        return self.timed_out or bool(self.codes & self.BUSY)

    @property
    def enumeration_lost(self) -> bool:
        """Whether an enumeration cannot be read on, and must begin anew."""
        return bool(self.codes & self.ENUMERATION_LOST)


def hresult_of(code: int) -> int:
    """A code as HRESULT: HRESULT_FROM_WIN32 (winerror.h) of a plain Win32 code, such as 5 for "access denied"."""
    return 0x80070000 | code if code <= 0xFFFF else code


def ordered_hresults(specific: Iterable[int | None], generic: Iterable[int | None] = ()) -> tuple[int, ...]:
    """Every code once, as HRESULT, the one that says most first; of two that say as much, the inner one.

    :param generic: Those of the protocol.
    """
    found = (hresult_of(code) for code in [*specific, *generic] if code)
    return tuple(dict.fromkeys(sorted(found, key=known.vagueness)))
