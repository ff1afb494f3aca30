# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a guest to be activated by its host. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass

from .._avma.events import GUEST_EVENT, Event
from .._avma.guests import (
    Hypervisor,
    Plan,
    Step,
    Wish,
    activation_problem,
    assess,
    key_not_taken_problem,
    rejected_key_problem,
)
from .._avma.licenses import License
from .._avma.problems import Problem
from .._session.errors import FaultError
from .._session.session import Session
from .._session.waits import Clock
from . import licensing
from .attempts import Attempts
from .events import read_events
from .hypervisor import read_hypervisor

#: How many of the last events tell of a failure.
DIAGNOSED_EVENTS = 3


@dataclass(frozen=True)
class Outcome:
    """What came of a plan.

    :ivar license: The licence read back at the end.
    :ivar problems: Why the guest is not as it should be; none if it is.
    :ivar key_installed: Whether another key was put in the place of the former one.
    :ivar hypervisor: After a failed activation, what the guest sees of its host.
    :ivar events: After a failed activation, the guest's last events 12309.
    """

    license: License | None
    problems: tuple[Problem, ...] = ()
    key_installed: bool = False
    hypervisor: Hypervisor | None = None
    events: tuple[Event, ...] = ()


def carry_out(
    session: Session, plan: Plan, wish: Wish, build: int, timeout: int, clock: Clock | None = None
) -> Outcome:
    """Install the key and activate, as planned, until the licence proves it or the time is out.

    :param timeout: In seconds.
    :raises SessionError: The machine cannot be talked to; what was done stands, and the next run goes on from there.
    """
    attempts = Attempts(timeout, clock or Clock())
    key = plan.product_key or ""
    installing = plan.step is Step.INSTALL
    if installing:
        service = licensing.find_service(session)
        hresult = attempts.call(lambda: licensing.install_product_key(session, service, key))
        if hresult is not None:
            return Outcome(licensing.read_license(session, build), (rejected_key_problem(hresult, key),))
        # The key stands whether or not this works.
        attempts.call(lambda: licensing.refresh_license_status(session, service))
    license = licensing.read_license(session, build)
    if license is None or not license.has_key(key):
        return Outcome(license, (key_not_taken_problem(key),))
    if not wish.activate:
        return Outcome(license, key_installed=installing)
    activation_id = license.activation_id
    hresult = attempts.call(lambda: licensing.activate(session, activation_id))
    license = licensing.read_license(session, build)
    while hresult is None and not (license and license.proved) and attempts.wait():
        license = licensing.read_license(session, build)
    if license and license.proved:
        problems = assess(license, key, wish.expected_hosts)
        # Activated by a former host, while the present one refuses: that refusal is what the user must know.
        if hresult is None or not problems:
            return Outcome(license, tuple(problems), installing)
    hypervisor, events = _diagnose(session)
    problem = activation_problem(license, hresult, hypervisor.host if hypervisor else None, timeout)
    return Outcome(license, (problem, *(hypervisor.problems() if hypervisor else ())), installing, hypervisor, events)


def _diagnose(session: Session) -> tuple[Hypervisor | None, tuple[Event, ...]]:
    """What the guest knows of its failure. That this cannot be read must not hide the failure itself."""
    try:
        hypervisor = read_hypervisor(session)
    except FaultError:
        hypervisor = None
    try:
        events = tuple(read_events(session, [GUEST_EVENT], DIAGNOSED_EVENTS))
    except FaultError:
        events = ()
    return hypervisor, events
