# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a guest to be activated by its host. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from .._avma import hresults, keys
from .._avma.events import GUEST_EVENT, Event
from .._avma.guests import (
    Plan,
    Step,
    Wish,
    activation_problem,
    assess,
    client_problem,
    former_key_problem,
    key_problem,
    key_to_put_back,
    not_an_avma_key_problem,
    not_renewable_problem,
)
from .._avma.licenses import License
from .._avma.preflight import Hypervisor
from .._avma.problems import Problem, problem
from .._avma.releases import System
from .._avma.words import say
from .._session.errors import FaultError, RejectedError, SessionError
from .._session.session import Session
from .._session.waits import Clock
from . import licensing
from .attempts import Attempts
from .events import read_events
from .hypervisor import read_hypervisor

_T = TypeVar("_T")

#: How many of the last events tell of a failure.
DIAGNOSED_EVENTS = 3
#: What to do about a former key that is installed again, and not activated. KMS clients ask every VLActivationInterval (120 minutes).
_AFTER_AVMA = "It is installed. See that its host can activate it. {run_guest_key}."
_AFTER_KMS = (
    "It is installed. See that its KMS host or Active Directory answers: Windows asks again every two hours by itself."
)
#: How often a former key is tried to be put back: what made the activation fail may meet that too.
_TRIES = 3
#: Answers of a host by which it is known not to activate the guest.
_REFUSALS = frozenset(
    {
        hresults.IA_INVALID_VIRTUALIZATION_PLATFORM,
        hresults.IA_PARENT_PARTITION_NOT_ACTIVATED,
        hresults.IA_ID_MISMATCH,
        hresults.IA_MACHINE_NOT_BOUND,
    }
)


@dataclass(frozen=True)
class Outcome:
    """What came of a plan.

    :ivar license: The licence read back at the end.
    :ivar known: Whether it could be read back.
    :ivar problems: Why the guest is not as it should be, and what became of its former key; none if it is.
    :ivar hypervisor: After a failed activation, what the guest sees of its host.
    :ivar events: After a failed activation, the guest's last events 12309.
    :ivar error: What ended it, after something was written.
    """

    license: License | None
    problems: tuple[Problem, ...] = ()
    hypervisor: Hypervisor | None = None
    events: tuple[Event, ...] = ()
    error: SessionError | None = None
    known: bool = True


def carry_out(
    session: Session,
    plan: Plan,
    wish: Wish,
    before: License | None,
    system: System,
    timeout: int,
    reconnect: Callable[[], Session],
    clock: Clock | None = None,
) -> Outcome:
    """Install the key and activate, as planned, until the licence proves it or the time is out; put back what a failure broke.

    :param before: The licence that the plan was made of.
    :param timeout: In seconds; the same again to put the former key back.
    :param reconnect: Makes a new session with the machine; may raise SessionError.
    :raises SessionError: The machine cannot be talked to, and nothing was written.
    """
    run = _ClientRun if wish.channel == keys.KMS_CHANNEL else _Run
    return run(session, plan, wish, before, system, timeout, reconnect, clock or Clock()).carry_out()


class _Installed(NamedTuple):
    """The licence after a key was installed, and why it does not hold the key."""

    license: License | None
    failure: Problem | None


class _Run:
    def __init__(
        self,
        session: Session,
        plan: Plan,
        wish: Wish,
        before: License | None,
        system: System,
        timeout: int,
        reconnect: Callable[[], Session],
        clock: Clock,
    ) -> None:
        self._session = session
        self._key = plan.product_key or ""
        self._installing = plan.step is Step.INSTALL
        self._wish = wish
        self._before = before
        self._build = system.build
        self._system = system
        self._timeout = timeout
        self._reconnect = reconnect
        self._clock = clock
        #: The activation that proves nothing, since it was there before.
        self._known = before.activation if before and before.proved else None
        self._wrote = False
        self._broken: SessionError | None = None
        self._rejections = 0

    def carry_out(self) -> Outcome:
        attempts = Attempts(self._timeout, self._clock)
        try:
            outcome = self._install(attempts) if self._installing else self._activate(self._before, attempts)
        except SessionError as error:
            if not self._wrote:
                raise
            outcome = self._look_again(error)
        if self._installing and (outcome.problems or outcome.error):
            return self._put_back(outcome)
        return outcome

    def _read(self) -> License | None:
        return licensing.read_license(self._session, self._build)

    def _install(self, attempts: Attempts) -> Outcome:
        refusal = self._ask_host(attempts)
        if refusal:
            return refusal
        service = licensing.find_service(self._session)
        license, failure = self._install_key(service, self._key, attempts)
        if failure or license is None:
            return Outcome(license, (failure,) if failure else ())
        if not self._is_right(license):
            return Outcome(license, (not_an_avma_key_problem(license),))
        if self._wish.activate:
            activation = (licensing.activate_request(license.activation_id), licensing.license_request(self._build))
            self._session.expect(licensing.refresh_request(service), *activation)
        refreshed = self._refresh(service, attempts)
        return self._activate(license, attempts, refreshed) if self._wish.activate else Outcome(license)

    def _is_right(self, license: License) -> bool:
        return license.avma

    def _ask_host(self, attempts: Attempts) -> Outcome | None:
        """Have a guest that is activated with another AVMA key activated once more with that one.

        It costs nothing, and tells whether its host activates it before that key, which may not be taken again, is gone.
        """
        before = self._before
        if before is None or not before.avma or not before.licensed or self._wish.replace:
            return None
        hresult, license = self._ask_for_activation(before.activation_id, attempts)
        if license and self._renewed(license):
            self._known = license.activation
            return None
        outcome = self._diagnose(license, hresult)
        if hresult in _REFUSALS:
            return outcome
        kept = problem("licensed_by_other_key", last_five=before.partial_product_key, kind=before.key_name)
        return replace(outcome, problems=(*outcome.problems, kept))

    def _ask_for_activation(self, activation_id: str, attempts: Attempts) -> tuple[int | None, License | None]:
        """Activate, and wait for what comes of it: Windows' answer, None if that is no error, and the licence."""
        self._wrote = True

        def activate() -> None:
            self._session.expect(licensing.activate_request(activation_id), licensing.license_request(self._build))
            licensing.activate(self._session, activation_id)

        hresult = attempts.call(activate)
        license = self._read()
        while hresult is None and not self._renewed(license) and attempts.wait():
            license = self._read()
        return hresult, license

    def _install_key(self, service: Mapping[str, str], key: str, attempts: Attempts) -> _Installed:
        answered = True

        def install() -> None:
            nonlocal answered
            answered = licensing.install_product_key(self._session, service, key)

        self._wrote = True
        self._session.expect(licensing.install_request(service, key), licensing.license_request(self._build))
        hresult = attempts.call(install)
        license = self._read()
        while not answered and not _holds(license, key) and attempts.wait():
            license = self._read()
        if answered and hresult is None and not _holds(license, key):
            # Nothing documents that Windows shows a key before it has read its licences anew.
            self._refresh(service, attempts)
            license = self._read()
        if _holds(license, key):
            return _Installed(license, None)
        return _Installed(license, key_problem(license, hresult, answered, key, self._timeout))

    def _refresh(self, service: Mapping[str, str], attempts: Attempts) -> int | None:
        """Have Windows read its licences anew. That it does not changes nothing of the key: what is read back decides."""
        return attempts.call(lambda: licensing.refresh_license_status(self._session, service))

    def _activate(self, license: License | None, attempts: Attempts, refreshed: int | None = None) -> Outcome:
        hresult, license = self._ask_for_activation(license.activation_id if license else "", attempts)
        if license and license.proved:
            problems = assess(license, self._key, self._wish.expected_hosts)
            # Activated by a former host, while the present one refuses: that refusal is what the user must know.
            if problems and hresult is None:
                return Outcome(license, tuple(problems))
            if not problems and self._renewed(license):
                return Outcome(license)
        return self._diagnose(license, refreshed if hresult is None else hresult)

    def _renewed(self, license: License | None) -> bool:
        """Whether a host has activated the guest since the plan was made."""
        return license is not None and license.proved and license.activation != self._known

    def _diagnose(self, license: License | None, hresult: int | None) -> Outcome:
        """Why the guest is not activated, as far as it tells. Whatever is met here must not hide the failure itself."""
        hypervisor = self._if_told(lambda: read_hypervisor(self._session))
        events = self._if_told(lambda: read_events(self._session, [GUEST_EVENT], DIAGNOSED_EVENTS))
        problems = [activation_problem(license, hresult, hypervisor.host if hypervisor else None, self._timeout)]
        if hypervisor and hypervisor.activation_component is False:
            problems.append(problem("no_activation_component"))
        return Outcome(license, tuple(problems), hypervisor, tuple(events or ()))

    def _if_told(self, read: Callable[[], _T]) -> _T | None:
        try:
            self._heal()
            return read()
        except SessionError as error:
            self._note(error)
            return None

    # Errors of the session.

    def _note(self, error: SessionError) -> None:
        """Remember whether the session is of use after an error: a connection that was cut, or mixes answers up, is not."""
        if not isinstance(error, FaultError):
            self._broken = error
        self._rejections += isinstance(error, RejectedError)

    def _heal(self) -> None:
        """Have a session that is of use. A login that is turned down is tried once more and no oftener: that may lock the account."""
        if self._broken is None:
            return
        if self._rejections > 1:
            raise self._broken
        self._session = self._reconnect()
        self._broken = None

    def _look_again(self, error: SessionError) -> Outcome:
        """What is on the machine after an error ended it all."""
        self._note(error)
        try:
            self._heal()
            return Outcome(self._read(), error=error)
        except SessionError as another:
            self._note(another)
            return Outcome(None, error=error, known=False)

    # What was there before.

    def _put_back(self, outcome: Outcome) -> Outcome:
        """Put the former key back where a failure took it, if it worked and is public; else say that it is gone."""
        before, license = self._before, outcome.license
        if before is None:
            return outcome
        if outcome.known and license and license.licensed:
            return outcome
        if (
            outcome.known
            and license
            and license.partial_product_key
            not in (
                keys.last_five(self._key),
                before.partial_product_key,
            )
        ):
            # Of somebody else, who came in between.
            return outcome
        if before.public_key is None:
            gone = outcome.known and not (license and license.partial_product_key == before.partial_product_key)
            return _add(outcome, license, former_key_problem("former_key_gone", before)) if gone else outcome
        key = key_to_put_back(before, self._system)
        if key == self._key:
            # That one has just failed.
            key = before.public_key
        return self._restore(before, key, outcome) if before.licensed and key else outcome

    def _restore(self, before: License, key: str, outcome: Outcome) -> Outcome:
        license, reason = None, ""
        for number in range(_TRIES):
            # Each has its share of the time: a write that is not answered takes all of it.
            attempts = Attempts(self._timeout / _TRIES, self._clock)
            if number:
                attempts.wait()
            try:
                self._heal()
                license, reason = self._restore_once(key, attempts)
            except SessionError as error:
                self._note(error)
                reason = str(error)
                continue
            if license and license.licensed:
                return _add(
                    outcome,
                    license,
                    former_key_problem("former_key_put_back", before, put_back=key) if _holds(license, key) else None,
                )
        installed = _holds(license, key)
        remedy = say(_AFTER_KMS if before.kms_client else _AFTER_AVMA) if installed else ""
        return _add(
            outcome, license, former_key_problem("former_key_not_put_back", before, detail=reason, remedy=remedy)
        )

    def _restore_once(self, key: str, attempts: Attempts) -> tuple[License | None, str]:
        """Install the former key and activate with it; the licence after that, and why it is not activated."""
        license = self._read()
        if license and license.licensed:
            return license, ""
        if license is None or not _holds(license, key):
            service = licensing.find_service(self._session)
            license, failure = self._install_key(service, key, attempts)
            if failure or license is None:
                return license, failure.message.rstrip(".") if failure else ""
            self._refresh(service, attempts)
        activation_id = license.activation_id
        hresult = attempts.call(lambda: licensing.activate(self._session, activation_id))
        license = self._read()
        while hresult is None and not (license and license.licensed) and attempts.wait():
            license = self._read()
        return license, str(hresults.explain(hresult)) if hresult else "its activation did not come in time"


class _ClientRun(_Run):
    """Makes a KMS client of a guest, which needs nothing of its host."""

    def _is_right(self, license: License) -> bool:
        return license.kms_client

    def _ask_host(self, attempts: Attempts) -> Outcome | None:
        """Only an AVMA activation that the host gives again can be put back where no KMS host answers."""
        refusal = super()._ask_host(attempts) if self._wish.activate else None
        if refusal is None or self._before is None:
            return None
        return replace(refusal, problems=(not_renewable_problem(self._before, refusal.problems[0]),))

    def _activate(self, license: License | None, attempts: Attempts, refreshed: int | None = None) -> Outcome:
        activation_id = license.activation_id if license else ""
        self._wrote = True
        hresult = attempts.call(lambda: licensing.activate(self._session, activation_id))
        license = self._read()
        while hresult is None and not (license and license.licensed) and attempts.wait():
            license = self._read()
        if license and license.licensed and license.kms_client and _holds(license, self._key):
            return Outcome(license)
        return Outcome(license, (client_problem(license, refreshed if hresult is None else hresult, self._timeout),))


def _holds(license: License | None, key: str) -> bool:
    """Whether a key is the installed one. Of a public key also its channel must be right: another one may end alike."""
    if license is None or not license.has_key(key):
        return False
    return license.public_key == key or keys.identify_key(key) is None


def _add(outcome: Outcome, license: License | None, found: Problem | None) -> Outcome:
    problems = (*outcome.problems, found) if found else outcome.problems
    return replace(outcome, license=license, known=license is not None, problems=problems)
