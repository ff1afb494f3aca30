# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host, read as a whole, and given its key. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._avma.guests import Step, key_not_taken_problem, rejected_key_problem
from .._avma.hosts import Backend, HostFacts, host_activation_problem, refused_by_azure_local
from .._avma.keys import last_five
from .._avma.problems import Problem, problem
from .._session.session import Session
from .._session.waits import Clock
from . import azure_local, licensing
from .attempts import Attempts
from .machine import read_machine
from .system import read_platform

#: The Hyper-V Virtual Machine Management service, which comes with the role (facts, section 7.4), and the cluster service, which comes
#: with the feature and runs on nodes only.
_HYPERV_SERVICE, _CLUSTER_SERVICE = "vmms", "clussvc"


def read_host(session: Session) -> HostFacts:
    """What a host is and has: four to six requests, and on Azure Local one PowerShell process.

    :raises ProcessError: On Azure Local, PowerShell could not be run.
    """
    machine = read_machine(session, installation_type=True)
    platform = read_platform(session)
    services = {
        (row.text("Name") or "").lower(): row.text("State")
        for row in session.query(
            f"SELECT Name, State FROM Win32_Service WHERE Name = '{_HYPERV_SERVICE}' OR Name = '{_CLUSTER_SERVICE}'"
        )
    }
    return HostFacts(
        name=machine.name,
        system=machine.system,
        hyperv=_HYPERV_SERVICE in services,
        license=machine.license,
        avma=azure_local.read_avma(session) if machine.system.azure_local else None,
        fqdn=platform.fqdn,
        azure_vm=platform.azure,
        cluster_service=services.get(_CLUSTER_SERVICE) == "Running",
    )


@dataclass(frozen=True)
class HostOutcome:
    """What came of giving a host its key.

    :ivar host: As read back.
    :ivar problems: Why it is not as it should be; none if it is.
    :ivar doubts: What could not be proved.
    """

    host: HostFacts
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()


def carry_out(
    session: Session,
    host: HostFacts,
    step: Step,
    product_key: str,
    activate: bool,
    timeout: int,
    clock: Clock | None = None,
) -> HostOutcome:
    """Give a host its key and have it activated, until what is read back proves it or the time is out.

    :param activate: On Windows Server, whether to activate, not only to install the key.
    :param timeout: In seconds.
    :raises SessionError: The machine cannot be talked to; what was done stands, and the next run goes on from there.
    """
    if host.backend is Backend.AZURE_LOCAL:
        return _set_up_azure_local(session, host, product_key)
    return _license_windows_server(
        session, host, step, product_key, activate, Attempts(timeout, clock or Clock()), timeout
    )


def _license_windows_server(
    session: Session, host: HostFacts, step: Step, product_key: str, activate: bool, attempts: Attempts, timeout: int
) -> HostOutcome:
    def read() -> HostFacts:
        return replace(host, license=licensing.read_license(session, host.system.build))

    if step is Step.INSTALL:
        service = licensing.find_service(session)
        hresult = attempts.call(lambda: licensing.install_product_key(session, service, product_key))
        if hresult is not None:
            return HostOutcome(read(), (rejected_key_problem(hresult, product_key),))
        # The key stands whether or not this works.
        attempts.call(lambda: licensing.refresh_license_status(session, service))
    host = read()
    if host.license is None or not host.license.has_key(product_key):
        return HostOutcome(host, (key_not_taken_problem(product_key),))
    if not activate:
        return HostOutcome(host)

    def activate_once() -> None:
        # A former attempt may have got through, and some keys pay for every activation.
        license = read().license
        if license is not None and not license.licensed:
            licensing.activate(session, license.activation_id)

    hresult = attempts.call(activate_once)
    host = read()
    while hresult is None and not host.licensed and attempts.wait():
        host = read()
    if host.licensed:
        return HostOutcome(host)
    return HostOutcome(host, (host_activation_problem(host.license, hresult, timeout),))


def _set_up_azure_local(session: Session, host: HostFacts, product_key: str) -> HostOutcome:
    said, error = azure_local.set_product_key(session, product_key)
    avma = azure_local.read_avma(session)
    host = replace(host, avma=avma)
    present = avma.has_key(product_key)
    if present:
        return HostOutcome(host)
    if error is not None or present is False:
        return HostOutcome(host, (refused_by_azure_local(product_key, error or said),))
    return HostOutcome(host, doubts=(problem("host_key_unproved", last_five=last_five(product_key)),))
