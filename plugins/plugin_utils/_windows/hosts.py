# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host, read as a whole, and given its key. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from .._avma import hresults
from .._avma.guests import (
    Step,
    former_key_problem,
    key_not_taken_problem,
    key_to_put_back,
    rejected_key_problem,
)
from .._avma.hosts import (
    Backend,
    HostFacts,
    HostWish,
    changed_meanwhile,
    former_key_lost,
    host_activation_problem,
    judge_azure_local,
)
from .._avma.keys import last_five
from .._avma.licenses import License
from .._avma.preflight import HYPER_V_MODEL
from .._avma.problems import Problem, problem
from .._session.errors import FaultError, SessionError
from .._session.session import Query, Session
from .._session.waits import Clock
from . import azure_local, licensing
from .attempts import Attempts
from .machine import read_machine
from .system import COMPUTER_SYSTEM, read_asset_tag, read_platform

#: The Hyper-V Virtual Machine Management service, which comes with the role (facts, section 7.4), and the cluster service, which comes
#: with the feature and runs on nodes only.
_HYPERV_SERVICE, _CLUSTER_SERVICE = "vmms", "clussvc"
_SERVICES = Query(
    f"SELECT Name, Started FROM Win32_Service WHERE Name = '{_HYPERV_SERVICE}' OR Name = '{_CLUSTER_SERVICE}'"
)


def read_host(session: Session) -> HostFacts:
    """What a host is and has: four to six requests, and on Azure Local one PowerShell process.

    :raises ProcessError: On Azure Local, PowerShell could not be run.
    """
    session.expect(COMPUTER_SYSTEM, _SERVICES)
    machine = read_machine(session, installation_type=True)
    platform = read_platform(session, asset_tag=False)
    services = {(row.text("Name") or "").lower(): row.boolean("Started") for row in _SERVICES.on(session)}
    if platform.model == HYPER_V_MODEL:
        platform = replace(platform, asset_tag=read_asset_tag(session))
    return HostFacts(
        name=machine.name,
        system=machine.system,
        hyperv=_HYPERV_SERVICE in services,
        license=machine.license,
        avma=azure_local.read_avma(session) if machine.system.azure_local else None,
        fqdn=platform.fqdn,
        azure_vm=platform.azure,
        cluster_service=services.get(_CLUSTER_SERVICE) is True,
    )


@dataclass(frozen=True)
class HostOutcome:
    """What came of giving a host its key.

    :ivar host: As read back.
    :ivar known: Whether it could be read back.
    :ivar problems: Why it is not as it should be, and what became of its former key; none if it is.
    :ivar doubts: What could not be proved.
    :ivar error: What ended it, after something was written.
    """

    host: HostFacts
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()
    error: SessionError | None = None
    known: bool = True


def carry_out(
    session: Session, host: HostFacts, step: Step, wish: HostWish, timeout: int, clock: Clock | None = None
) -> HostOutcome:
    """Give a host its key and have it activated, until what is read back proves it or the time is out.

    :param host: As it was read for the plan.
    :param timeout: In seconds.
    :raises SessionError: The machine cannot be talked to, and nothing was written.
    """
    if host.backend is Backend.AZURE_LOCAL:
        return _set_up_azure_local(session, host, wish.product_key or "")
    run = _WindowsServer(session, host, wish, timeout, clock or Clock())
    try:
        outcome = run.install() if step is Step.INSTALL else run.activate()
    except SessionError as error:
        if not run.wrote:
            raise
        outcome = run.look_again(error)
    return run.restore(outcome)


class _WindowsServer:
    """Installs and activates the key of a Windows Server. What Windows did counts, not what it answered."""

    def __init__(self, session: Session, host: HostFacts, wish: HostWish, timeout: int, clock: Clock) -> None:
        self._session = session
        self._before = host
        self._wish = wish
        self._timeout = timeout
        self._clock = clock
        self._attempts = Attempts(timeout, clock)
        former = host.license.partial_product_key if host.license else None
        #: What the key ends in that the row must hold before and after the activation.
        self._last_five = last_five(wish.product_key) if wish.product_key else former or ""
        self._refused = False
        self.wrote = False

    def _read(self) -> License | None:
        return licensing.read_license(self._session, self._before.system.build)

    def _holds(self, license: License | None) -> bool:
        return license is not None and license.partial_product_key == self._last_five

    def _outcome(self, license: License | None, *problems: Problem) -> HostOutcome:
        return HostOutcome(replace(self._before, license=license), problems)

    def install(self) -> HostOutcome:
        """Install the key, and go on to activate it."""
        service = licensing.find_service(self._session)
        license, failure = self._install(service, self._wish.product_key or "", self._attempts)
        return self._outcome(license, failure) if failure else self._activate(license)

    def _install(
        self, service: Mapping[str, str], product_key: str, attempts: Attempts
    ) -> tuple[License | None, Problem | None]:
        """The licence after that, and why it does not hold the key."""
        answered = True

        def once() -> None:
            nonlocal answered
            # A former attempt may have got through.
            if not self.wrote or not self._holds(self._read()):
                self.wrote = True
                answered = licensing.install_product_key(self._session, service, product_key)

        hresult = attempts.call(once)
        license = self._read()
        while not answered and not self._holds(license) and attempts.wait():
            license = self._read()
        if self._holds(license) or (hresult is None and answered):
            # The key stands whether or not this works.
            attempts.call(lambda: licensing.refresh_license_status(self._session, service))
            license = self._read()
        if self._holds(license):
            return license, None
        if hresult is not None:
            return license, rejected_key_problem(hresult, product_key)
        former = self._before.license
        if license is not None and (former is None or license.partial_product_key != former.partial_product_key):
            return license, changed_meanwhile(license, self._last_five)
        if answered:
            return license, key_not_taken_problem(product_key)
        held = f"the key ending in {license.partial_product_key}" if license else "none"
        timeout = self._timeout
        return license, problem("host_key_install_timed_out", timeout=timeout, last_five=self._last_five, held=held)

    def activate(self) -> HostOutcome:
        """Activate the key that the row must hold."""
        return self._activate(self._read())

    def _activate(self, license: License | None) -> HostOutcome:
        if not self._holds(license):
            return self._outcome(license, changed_meanwhile(license, self._last_five))
        if not self._wish.activate:
            return self._outcome(license)

        def once() -> None:
            # A former attempt may have got through, and some keys pay for every activation; and the key may be another one by now.
            license = self._read()
            if license is not None and self._holds(license) and not license.licensed:
                self.wrote = True
                licensing.activate(self._session, license.activation_id)

        hresult = self._attempts.call(once)
        license = self._read()
        while hresult is None and self._waited_for(license) and self._attempts.wait():
            license = self._read()
        if not self._holds(license):
            return self._outcome(license, changed_meanwhile(license, self._last_five))
        if license is not None and license.licensed:
            return self._outcome(license)
        self._refused = hresult is not None
        return self._outcome(license, host_activation_problem(license, hresult, self._timeout))

    def _waited_for(self, license: License | None) -> bool:
        return license is not None and self._holds(license) and not license.licensed

    def look_again(self, error: SessionError) -> HostOutcome:
        """What is on the machine after an error ended it all."""
        try:
            return replace(self._outcome(self._read()), error=error)
        except SessionError:
            return replace(self._outcome(self._before.license), error=error, known=False)

    def restore(self, outcome: HostOutcome) -> HostOutcome:
        """After a failure: put a KMS client key back that was licensed, as it is public; of another one that worked say that it is gone."""
        former, failed = self._before.license, bool(outcome.problems or outcome.error)
        lost = former_key_lost(former, outcome.host.license) if failed and outcome.known else None
        if lost is None or former is None:
            return outcome
        public = key_to_put_back(former, self._before.system) if former.licensed and self._refused else None
        if public is None:
            return replace(outcome, problems=(*outcome.problems, lost))
        try:
            license, why = self._put_back(public)
        except SessionError as error:
            license, why = outcome.host.license, str(error)
        code = "former_key_put_back" if license and license.licensed else "former_key_not_put_back"
        found = former_key_problem(code, former, detail=why, put_back=public)
        return replace(outcome, host=replace(outcome.host, license=license), problems=(*outcome.problems, found))

    def _put_back(self, product_key: str) -> tuple[License | None, str]:
        """The licence after that, and why it is not activated with the key."""
        self._last_five, self.wrote = last_five(product_key), False
        attempts = Attempts(self._timeout, self._clock)
        license, failure = self._install(licensing.find_service(self._session), product_key, attempts)
        if failure or license is None:
            return license, failure.message.rstrip(".") if failure else "no product key is installed"
        activation_id = license.activation_id
        hresult = attempts.call(lambda: licensing.activate(self._session, activation_id))
        license = self._read()
        while hresult is None and self._waited_for(license) and attempts.wait():
            license = self._read()
        return license, str(hresults.explain(hresult)) if hresult else "its activation did not come in time"


def _set_up_azure_local(session: Session, host: HostFacts, product_key: str) -> HostOutcome:
    azure_local.remember(session, product_key, answered=False)
    try:
        said, error = azure_local.set_product_key(session, product_key)
        # Before it is read back: that may fail, too.
        azure_local.remember(session, product_key, answered=True)
        avma = azure_local.read_avma(session)
    except SessionError as interruption:
        return HostOutcome(host, error=interruption, known=False)
    verdict = judge_azure_local(avma, product_key, said, error)
    if verdict.told:
        # That the host remembers too long costs nothing that it tells of.
        with suppress(FaultError):
            azure_local.forget(session)
            avma = replace(avma, asked_for=None, answered=False)
    return HostOutcome(
        replace(host, avma=avma),
        (verdict.problem,) if verdict.problem else (),
        (verdict.doubt,) if verdict.doubt else (),
    )
