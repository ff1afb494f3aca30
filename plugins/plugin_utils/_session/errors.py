# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the controller and WMI. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable

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
    :ivar hresults: Every HRESULT that the fault carries, the most specific first: WMI's and its provider's before that of
        WS-Management, codes before text.
    """

    #: WS-Management operation timed out ([MS-WSMV] 2.2.4.43, ERROR_WSMAN_OPERATION_TIMEDOUT 0x80338029).
    OPERATION_TIMED_OUT = 2150858793
    #: ERROR_WSMAN_QUOTA_MAX_OPERATIONS_USER and its kin: nothing was run, the request may be sent again.
    TOO_MANY_OPERATIONS = frozenset({2150859174})

    def __init__(self, reason: str, wsman_code: int | None = None, hresults: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wsman_code = wsman_code
        self.hresults = hresults

    @property
    def timed_out(self) -> bool:
        """Whether Windows gave up waiting; the operation itself may still go on."""
        return self.wsman_code == self.OPERATION_TIMED_OUT


def hresult_of(code: int) -> int:
    """A code as HRESULT: HRESULT_FROM_WIN32 (winerror.h) of a plain Win32 code, such as 5 for "access denied"."""
    return 0x80070000 | code if code <= 0xFFFF else code


def ordered_hresults(specific: Iterable[int | None], generic: Iterable[int | None] = ()) -> tuple[int, ...]:
    """Every code once, as HRESULT, the most specific first.

    WMI gives its own "failed" beside the provider's code: what is a facility's own (not WMI's) is the more specific.

    :param generic: Those of the protocol.
    """
    ordered = sorted((hresult_of(code) for code in specific if code), key=lambda code: code >> 12 == 0x80041)
    return tuple(dict.fromkeys([*ordered, *(hresult_of(code) for code in generic if code)]))
