# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows' licensing classes. Private to this collection.

Source: CIM-dump and slmgr.vbs (facts, section 3), which reads the same rows and calls the same methods. A method that fails
raises the HRESULT of licensing; a ReturnValue tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._avma import hresults
from .._avma.licenses import STATUSES, Activation, License, Status
from .._session.errors import FaultError
from .._session.escape import wql_literal
from .._session.instance import Instance
from .._session.session import Invoke, Query, Session

#: ApplicationID of Windows itself (slmgr.vbs, WindowsAppId).
_WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
_COLUMNS = (
    "ID, Name, Description, LicenseStatus, LicenseStatusReason, ProductKeyChannel, PartialProductKey, LicenseFamily, "
    "GracePeriodRemaining"
)
_AVMA_COLUMNS = "IAID, AutomaticVMActivationHostMachineName, AutomaticVMActivationHostDigitalPid2, AutomaticVMActivationLastActivationTime"
#: Windows Server 2012 R2, the first build whose class has the AVMA columns (facts, section 3.5).
_FIRST_AVMA_BUILD = 9600


class LicensingError(Exception):
    """Windows' licensing refused a call.

    :ivar hresult: What it said.
    """

    def __init__(self, fault: FaultError, hresult: int) -> None:
        super().__init__(fault.reason)
        self.hresult = hresult


def known_hresult(fault: FaultError) -> int | None:
    """The HRESULT of a fault that says most of what went wrong; None if it carries none."""
    return min(fault.hresults, key=hresults.vagueness, default=None)


def _license_query(columns: str) -> Query:
    return Query(
        f"SELECT {columns} FROM SoftwareLicensingProduct WHERE ApplicationID = {wql_literal(_WINDOWS)} "
        "AND PartialProductKey <> NULL AND LicenseIsAddon = FALSE"
    )


#: The key of the one instance of SoftwareLicensingService.
SERVICE = Query("SELECT Version FROM SoftwareLicensingService")
#: The row that holds the product key of Windows, of a machine that has the AVMA columns.
LICENSE = _license_query(f"{_COLUMNS}, {_AVMA_COLUMNS}")


def read_license(session: Session, build: int) -> License | None:
    """The row that holds the product key of Windows; None if no key is installed.

    :param build: The machine's build: older ones lack the AVMA columns, and asking for them is an error.
    """
    rows = license_request(build).on(session)
    return _license(rows[0]) if rows else None


def license_request(build: int) -> Query:
    """What ``read_license`` asks."""
    return LICENSE if build >= _FIRST_AVMA_BUILD else _license_query(_COLUMNS)


def _license(row: Instance) -> License:
    number = row.integer("LicenseStatus") or 0
    host = row.text("AutomaticVMActivationHostMachineName")
    return License(
        name=row.text("Name") or "",
        description=row.text("Description") or "",
        status=STATUSES[number] if number < len(STATUSES) else Status.UNLICENSED,
        reason=row.integer("LicenseStatusReason") or None,
        channel=row.text("ProductKeyChannel") or None,
        partial_product_key=row.text("PartialProductKey") or None,
        activation_id=row.text("ID") or "",
        grace_minutes=row.integer("GracePeriodRemaining") or 0,
        license_family=row.text("LicenseFamily") or None,
        activation=Activation(
            host,
            row.datetime("AutomaticVMActivationLastActivationTime"),
            row.text("IAID") or None,
            row.text("AutomaticVMActivationHostDigitalPid2") or None,
        )
        if host
        else None,
    )


def find_service(session: Session) -> Mapping[str, str]:
    """The keys that select the one instance of SoftwareLicensingService."""
    rows = SERVICE.on(session)
    return {"Version": (rows[0].text("Version") if rows else None) or ""}


def install_product_key(session: Session, service: Mapping[str, str], product_key: str) -> bool:
    """Install a product key.

    :param service: From ``find_service``.
    :returns: Whether Windows answered. If it did not in time, it may take the key later: what is read back decides.
    :raises LicensingError: Windows said no; whether it took the key all the same, only the licence tells.
    """
    return _call(session, install_request(service, product_key))


def install_request(service: Mapping[str, str], product_key: str) -> Invoke:
    """What ``install_product_key`` calls."""
    return Invoke("SoftwareLicensingService", "InstallProductKey", {"ProductKey": product_key}, service)


def refresh_license_status(session: Session, service: Mapping[str, str]) -> None:
    """Have Windows read its licences anew, as ``slmgr.vbs`` does after it has installed a key.

    :param service: From ``find_service``.
    :raises LicensingError: It does not; an installed key stands all the same.
    """
    _call(session, refresh_request(service))


def refresh_request(service: Mapping[str, str]) -> Invoke:
    """What ``refresh_license_status`` calls."""
    return Invoke("SoftwareLicensingService", "RefreshLicenseStatus", selectors=service)


def activate(session: Session, activation_id: str) -> bool:
    """Activate the product with this id.

    :returns: Whether Windows answered. If it did not in time, it may go on: what is read back decides.
    :raises LicensingError: Windows cannot activate it.
    """
    return _call(session, activate_request(activation_id))


def activate_request(activation_id: str) -> Invoke:
    """What ``activate`` calls."""
    return Invoke("SoftwareLicensingProduct", "Activate", selectors={"ID": activation_id})


def _call(session: Session, request: Invoke) -> bool:
    try:
        request.on(session)
    except FaultError as fault:
        # Windows stopped waiting, not working.
        if fault.timed_out:
            return False
        hresult = known_hresult(fault)
        if hresult is None:
            raise
        raise LicensingError(fault, hresult) from fault
    return True
