"""Carrying out a plan, on a guest of a few lines, with a clock that goes only when someone waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import Plan, Step, Wish
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError, UnreachableError
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.activation import Outcome, carry_out
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.licensing import read_license

from unit.fakes import FakeSession, FakeTime, Row, refusal

KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
INSTALL = Plan(Step.INSTALL, product_key=KEY)
ACTIVATE = Plan(Step.ACTIVATE, product_key=KEY)
TIMED_OUT = FaultError("Zeitüberschreitung.", FaultError.OPERATION_TIMED_OUT, (FaultError.OPERATION_TIMED_OUT,))


@dataclass
class Guest:
    """A guest: its key, who activated it, and what its methods raise (the last one for ever)."""

    partial: str | None = "6VM33"
    host: str | None = None
    status: str = "5"
    #: Reads of the licence until an accepted activation shows.
    polls: int = 0
    faults: dict[str, list[Exception | None]] = field(default_factory=dict)
    registry: bool = True
    _pending: bool = False

    def __post_init__(self) -> None:
        self.session = FakeSession(self._rows, self._call)

    def methods(self) -> list[str]:
        return [name.partition(".")[2] for name, _arguments, _selectors in self.session.calls]

    def _rows(self, class_name: str) -> Sequence[Row]:
        if class_name == "SoftwareLicensingService":
            return [{"Version": "10.0.20348.1"}]
        if class_name == "SoftwareLicensingProduct":
            return self._licenses()
        if class_name == "Win32_PnPEntity":
            return [{"DeviceID": "VMBUS"}]
        assert class_name == "Win32_NTLogEvent"
        return [{"EventCode": "12309", "RecordNumber": "7", "InsertionStrings": ["0xC004FD02", ""]}]

    def _licenses(self) -> Sequence[Row]:
        if self._pending:
            self.polls -= 1
            if self.polls < 0:
                self._activated()
        if self.partial is None:
            return []
        return [
            {
                "ID": f"id of {self.partial}",
                "LicenseStatus": self.status,
                "LicenseStatusReason": "0",
                "ProductKeyChannel": "VT:IA",
                "PartialProductKey": self.partial,
                "GracePeriodRemaining": "0",
                "AutomaticVMActivationHostMachineName": self.host,
                "AutomaticVMActivationLastActivationTime": "2026-11-22T08:15:30Z",
            }
        ]

    def _activated(self) -> None:
        self._pending, self.host, self.status = False, "HV01", "1"

    def _call(self, method: str, arguments: Mapping[str, Any]) -> Row | None:
        faults = self.faults.get(method, [])
        fault = (faults.pop(0) if len(faults) > 1 else faults[0]) if faults else None
        # What Windows no longer waits for goes on all the same.
        if fault is None or fault is TIMED_OUT:
            self._work(method, arguments)
        if fault:
            raise fault
        if method.startswith("Get"):
            if not self.registry:
                raise refusal(0x80070005)
            return {"sValue": "HV01", "uValue": "10"}
        return None

    def _work(self, method: str, arguments: Mapping[str, Any]) -> None:
        if method == "InstallProductKey":
            self.partial, self.host, self.status = arguments["ProductKey"][-5:], None, "5"
        elif method == "Activate":
            self._pending = True


def run(guest: Guest, plan: Plan = INSTALL, wish: Wish | None = None, timeout: int = 60) -> tuple[Outcome, FakeTime]:
    time = FakeTime()
    return carry_out(guest.session, plan, wish or Wish(), 20348, timeout, time.clock), time


def codes(outcome: Outcome) -> list[str]:
    return [problem.code for problem in outcome.problems]


def test_install_and_activate() -> None:
    guest = Guest()
    outcome, time = run(guest)
    assert codes(outcome) == []
    assert outcome.key_installed
    assert outcome.license
    assert outcome.license.proved
    assert guest.session.calls == [
        ("SoftwareLicensingService.InstallProductKey", {"ProductKey": KEY}, {"Version": "10.0.20348.1"}),
        ("SoftwareLicensingService.RefreshLicenseStatus", {}, {"Version": "10.0.20348.1"}),
        # The row is found anew: another key is in another row.
        ("SoftwareLicensingProduct.Activate", {}, {"ID": "id of DV9BG"}),
    ]
    assert time.pauses == []


def test_activate_only() -> None:
    guest = Guest(partial="DV9BG")
    outcome, _ = run(guest, ACTIVATE)
    assert codes(outcome) == []
    assert not outcome.key_installed
    assert guest.methods() == ["Activate"]


def test_install_only() -> None:
    guest = Guest()
    outcome, _ = run(guest, wish=Wish(activate=False))
    assert codes(outcome) == []
    assert outcome.key_installed
    assert guest.methods() == ["InstallProductKey", "RefreshLicenseStatus"]


def test_an_activation_that_takes_time_is_waited_for() -> None:
    outcome, time = run(Guest(polls=3))
    assert codes(outcome) == []
    assert time.pauses == [1.0, 2.0, 4.0]


def test_an_activation_that_never_comes_is_given_up_when_the_time_is_out() -> None:
    outcome, time = run(Guest(polls=999), timeout=40)
    assert codes(outcome) == ["activation_timed_out"]
    assert "After 40 s" in outcome.problems[0].message
    assert time.pauses == [1.0, 2.0, 4.0, 8.0, 15.0, 10.0]
    assert time.now == 40


@pytest.mark.parametrize("hresult", [0xC004FD00, 0xC004E028, 0xC004F075])
@pytest.mark.parametrize("method", ["InstallProductKey", "RefreshLicenseStatus", "Activate"])
def test_what_may_be_tried_again_is_tried_again(method: str, hresult: int) -> None:
    guest = Guest(faults={method: [refusal(hresult), refusal(hresult), None]})
    outcome, time = run(guest)
    assert codes(outcome) == []
    assert guest.methods().count(method) == 3
    assert time.pauses == [1.0, 2.0]


def test_trying_again_ends_with_the_time() -> None:
    guest = Guest(faults={"Activate": [refusal(0xC004FD00)]})
    outcome, time = run(guest, timeout=20)
    assert codes(outcome) == ["activation_throttled"]
    assert time.now == 20
    assert "in 20 s" in outcome.problems[0].message


def test_without_time_everything_is_tried_once() -> None:
    guest = Guest(faults={"Activate": [refusal(0xC004FD00)]})
    outcome, time = run(guest, timeout=0)
    assert codes(outcome) == ["activation_throttled"]
    assert guest.methods().count("Activate") == 1
    assert time.pauses == []


@pytest.mark.parametrize(("hresult", "code"), [(0xC004FD02, "host_not_licensed"), (0xC004FD03, "host_release_too_old")])
def test_what_may_not_be_tried_again_ends_at_once_with_what_the_guest_knows(hresult: int, code: str) -> None:
    guest = Guest(faults={"Activate": [refusal(hresult)]})
    outcome, time = run(guest)
    assert codes(outcome) == [code]
    assert time.pauses == []
    assert outcome.problems[0].hresult == hresult
    assert "The host HV01" in outcome.problems[0].message
    assert outcome.hypervisor
    assert outcome.hypervisor.host == "HV01"
    assert [event.hresult for event in outcome.events] == [0xC004FD02]


def test_that_the_guest_tells_nothing_of_its_host_hides_no_failure() -> None:
    guest = Guest(faults={"Activate": [refusal(0xC004FD02)]}, registry=False)
    outcome, _ = run(guest)
    assert codes(outcome) == ["host_not_licensed"]
    assert outcome.hypervisor is None
    assert outcome.events


def test_a_rejected_key_ends_it_before_activation() -> None:
    guest = Guest(faults={"InstallProductKey": [refusal(0xC004F069)]})
    outcome, _ = run(guest)
    assert codes(outcome) == ["key_rejected"]
    assert "DV9BG" in outcome.problems[0].message
    assert KEY not in str(outcome)
    assert outcome.license
    assert outcome.license.partial_product_key == "6VM33"
    assert guest.methods() == ["InstallProductKey"]


def test_a_key_that_windows_took_without_taking_it() -> None:
    guest = Guest()
    guest.session = FakeSession(guest._rows)
    outcome, _ = run(guest)
    assert codes(outcome) == ["key_not_taken"]
    assert guest.methods() == ["InstallProductKey", "RefreshLicenseStatus"]


@pytest.mark.parametrize("method", ["InstallProductKey", "RefreshLicenseStatus", "Activate"])
def test_that_windows_no_longer_waits_is_not_the_end(method: str) -> None:
    guest = Guest(faults={method: [TIMED_OUT]}, polls=2)
    outcome, _ = run(guest)
    assert codes(outcome) == []
    assert outcome.license
    assert outcome.license.proved


def test_a_fault_without_a_code_is_not_licensings() -> None:
    guest = Guest(faults={"Activate": [FaultError("?")]})
    with pytest.raises(FaultError):
        run(guest)


def test_a_lost_connection_is_not_tried_again() -> None:
    guest = Guest(faults={"InstallProductKey": [UnreachableError("cut")]})
    with pytest.raises(UnreachableError):
        run(guest)
    assert guest.methods() == ["InstallProductKey"]


def test_a_present_host_that_refuses_comes_before_a_former_one_that_did_not() -> None:
    guest = Guest(partial="DV9BG", host="HV09", status="1", faults={"Activate": [refusal(0xC004FD02)]})
    outcome, _ = run(guest, ACTIVATE, Wish(expected_hosts=("HV01",)))
    assert codes(outcome) == ["host_not_licensed"]


def test_activated_by_a_host_that_is_not_expected() -> None:
    outcome, _ = run(Guest(), wish=Wish(expected_hosts=("HV02",)))
    assert codes(outcome) == ["unexpected_host"]
    assert outcome.license
    assert outcome.license.proved


def test_columns_that_a_build_lacks_are_not_asked_for() -> None:
    guest = Guest()
    read_license(guest.session, 9200)
    read_license(guest.session, 9600)
    before, since = guest.session.queries
    assert "AutomaticVMActivation" not in before
    assert "AutomaticVMActivationHostMachineName" in since
    assert "WHERE ApplicationID = '55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey <> NULL" in since
    assert "LicenseIsAddon = FALSE" in since


def test_a_machine_without_a_key_has_no_licence() -> None:
    assert read_license(Guest(partial=None).session, 20348) is None
