"""Carrying out a plan, on a guest of a few lines, with a clock that goes only when someone waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import Plan, Step, Wish
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.licenses import License
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import identify_system
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    FaultError,
    InvalidAnswerError,
    RejectedError,
    SessionError,
    UnreachableError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import Session
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.activation import Outcome, carry_out
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.licensing import read_license

from unit.fakes import FakeSession, FakeTime, Row, refusal

KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
OTHER_RELEASE = "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"
KMS_CLIENT = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"
KMS_2019 = "WMDGN-G9PQG-XVVXX-R3X43-63DFG"
MAK = "RTX8M-DK4VB-NQ6GJ-HPW39-F2CY7"
NEW_AVMA = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
CHANNELS = {
    KEY: "VT:IA",
    OTHER_RELEASE: "VT:IA",
    NEW_AVMA: "VT:IA",
    KMS_CLIENT: "Volume:GVLK",
    KMS_2019: "Volume:GVLK",
    MAK: "Volume:MAK",
}
INSTALL = Plan(Step.INSTALL, product_key=KEY)
ACTIVATE = Plan(Step.ACTIVATE, product_key=KEY)
TIMED_OUT = FaultError("Zeitüberschreitung.", FaultError.OPERATION_TIMED_OUT, (FaultError.OPERATION_TIMED_OUT,))
#: The same, and Windows has not begun.
IN_VAIN = FaultError("Zeitüberschreitung.", FaultError.OPERATION_TIMED_OUT, (FaultError.OPERATION_TIMED_OUT,))
LICENSED, NOTIFICATION = "1", "5"


@dataclass
class Guest:
    """A guest: its key, who activated it, and what its methods and queries raise, by name (the last one for ever)."""

    key: str | None = KMS_CLIENT
    host: str | None = None
    status: str = NOTIFICATION
    #: Reads of the licence until an accepted activation shows.
    polls: int = 0
    #: Reads of the licence until a key shows whose installation timed out.
    late: int = 0
    faults: dict[str, list[Exception | None]] = field(default_factory=dict)
    registry: bool = True
    #: What its host answers; None activates it.
    answer: int | None = None
    kms: bool = True
    #: Whether Windows activates with an AVMA key by itself.
    automatic: bool = False
    #: Keys that Windows does not take.
    foreign: tuple[str, ...] = ()
    #: How often a key was activated with that pays for it.
    spent: int = 0
    #: Sessions that were made anew.
    sessions: int = 0
    _pending: bool = False
    _coming: str | None = None
    _time: int = 0

    def __post_init__(self) -> None:
        self.session = FakeSession(self._rows, self._call)

    def methods(self) -> list[str]:
        return [name.partition(".")[2] for name, _arguments, _selectors in self.session.calls if ".Get" not in name]

    def installed(self) -> list[str]:
        """The last five of each key that was given to it."""
        return [arguments["ProductKey"][-5:] for name, arguments, _ in self.session.calls if "InstallP" in name]

    def reconnect(self) -> Session:
        self.sessions += 1
        return self.session

    def license(self) -> License | None:
        """As a run reads it."""
        return read_license(FakeSession(lambda _class_name: self._row()), 20348)

    def _raise(self, name: str) -> Exception | None:
        faults = self.faults.get(name, [])
        return (faults.pop(0) if len(faults) > 1 else faults[0]) if faults else None

    def _rows(self, class_name: str) -> Sequence[Row]:
        fault = self._raise(class_name)
        if fault:
            raise fault
        if class_name == "SoftwareLicensingService":
            return [{"Version": "10.0.20348.1"}]
        if class_name == "SoftwareLicensingProduct":
            return self._licenses()
        if class_name == "Win32_PnPEntity":
            return [{"DeviceID": r"VMBUS\{3375BAF4-9E15-4B30-B765-67ACB10D607B}"}]
        if class_name == "Win32_Service":
            return [{"State": "Running"}]
        assert class_name == "Win32_NTLogEvent"
        return [{"EventCode": "12309", "RecordNumber": "7", "InsertionStrings": ["0xC004FD02", ""]}]

    def _licenses(self) -> Sequence[Row]:
        if self._coming:
            self.late -= 1
            if self.late < 0:
                self._hold(self._coming)
        if self._pending:
            self.polls -= 1
            if self.polls < 0:
                self._activated()
        return self._row()

    def _row(self) -> Sequence[Row]:
        if self.key is None:
            return []
        return [
            {
                "ID": f"id of {self.key[-5:]}",
                "LicenseStatus": self.status,
                "LicenseStatusReason": "0",
                "ProductKeyChannel": CHANNELS[self.key],
                "PartialProductKey": self.key[-5:],
                "GracePeriodRemaining": "0",
                "AutomaticVMActivationHostMachineName": self.host,
                "AutomaticVMActivationLastActivationTime": f"2026-11-22T08:15:{self._time:02}Z",
            }
        ]

    def _activated(self) -> None:
        self._pending, self.host, self.status = False, "HV01", LICENSED
        self._time += 1

    def _call(self, method: str, arguments: Mapping[str, Any]) -> Row | None:
        fault = self._raise(method)
        # What Windows no longer waits for goes on all the same.
        if fault is None or fault is TIMED_OUT or isinstance(fault, LostAnswerError):
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
            if arguments["ProductKey"] in self.foreign:
                raise refusal(0xC004E016)
            if self.late:
                self._coming = arguments["ProductKey"]
                raise TIMED_OUT
            self._hold(arguments["ProductKey"])
        elif method == "Activate":
            assert self.key
            channel = CHANNELS[self.key]
            if channel == "VT:IA" and self.answer:
                raise refusal(self.answer)
            if channel == "Volume:GVLK" and not self.kms:
                raise refusal(0xC004F074)
            self.spent += channel == "Volume:MAK"
            self._pending = channel == "VT:IA"
            if not self._pending:
                self.status = LICENSED

    def _hold(self, key: str) -> None:
        self.key, self._coming, self.host, self.status = key, None, None, NOTIFICATION
        self._pending = self.automatic and CHANNELS[key] == "VT:IA"


class LostAnswerError(UnreachableError):
    """The machine did as asked, and the answer was lost."""


def run(guest: Guest, plan: Plan = INSTALL, wish: Wish | None = None, timeout: int = 60) -> tuple[Outcome, FakeTime]:
    time = FakeTime()
    outcome = carry_out(
        guest.session,
        plan,
        wish or Wish(),
        guest.license(),
        identify_system(20348, 8),
        timeout,
        guest.reconnect,
        time.clock,
    )
    return outcome, time


def codes(outcome: Outcome) -> list[str]:
    return [problem.code for problem in outcome.problems]


def test_install_and_activate() -> None:
    guest = Guest()
    outcome, time = run(guest)
    assert codes(outcome) == []
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
    guest = Guest(key=KEY)
    outcome, _ = run(guest, ACTIVATE)
    assert codes(outcome) == []
    assert guest.methods() == ["Activate"]


def test_install_only() -> None:
    guest = Guest()
    outcome, _ = run(guest, wish=Wish(activate=False))
    assert codes(outcome) == []
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


HUNG_UP, GARBAGE = UnreachableError("cut"), InvalidAnswerError("no XML")


@pytest.mark.parametrize("fault", [HUNG_UP, GARBAGE, RejectedError("401"), TIMED_OUT, FaultError("?")])
@pytest.mark.parametrize("place", ["Win32_PnPEntity", "Win32_Service", "GetStringValue", "Win32_NTLogEvent"])
def test_whatever_the_diagnosis_meets_hides_no_failure(place: str, fault: SessionError) -> None:
    outcome, _ = run(Guest(answer=0xC004FD02, faults={place: [fault]}))
    assert codes(outcome) == ["host_not_licensed"]
    assert outcome.error is None
    assert outcome.license
    assert outcome.license.partial_product_key == "DV9BG"


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
    fault = FaultError("?")
    outcome, _ = run(Guest(faults={"Activate": [fault]}))
    assert (outcome.error, codes(outcome)) == (fault, [])


def test_a_lost_connection_is_not_tried_again() -> None:
    guest = Guest(faults={"InstallProductKey": [HUNG_UP]})
    outcome, _ = run(guest)
    assert outcome.error is HUNG_UP
    assert guest.methods() == ["InstallProductKey"]


@pytest.mark.parametrize("place", ["SoftwareLicensingService"])
def test_an_error_before_anything_was_written_is_just_that(place: str) -> None:
    guest = Guest(faults={place: [HUNG_UP]})
    with pytest.raises(UnreachableError):
        run(guest)
    assert guest.methods() == []


@pytest.mark.parametrize("method", ["InstallProductKey", "RefreshLicenseStatus", "Activate"])
def test_what_was_written_is_told_after_the_connection_was_lost(method: str) -> None:
    guest = Guest(faults={method: [LostAnswerError("cut"), None]})
    outcome, _ = run(guest)
    assert isinstance(outcome.error, LostAnswerError)
    assert outcome.known
    assert outcome.license
    assert outcome.license.partial_product_key == "DV9BG"
    assert guest.sessions == 1


def test_a_machine_that_is_gone_leaves_what_it_has_unknown() -> None:
    outcome, _ = run(Guest(faults={"Activate": [HUNG_UP], "SoftwareLicensingProduct": [None, HUNG_UP]}))
    assert outcome.error is HUNG_UP
    assert not outcome.known


# A licence that works.


def licensed(key: str = KMS_CLIENT, **guest: Any) -> Guest:
    return Guest(key=key, status=LICENSED, host="HV09" if CHANNELS[key] == "VT:IA" else None, **guest)


def test_a_kms_client_is_put_back_when_its_host_does_not_activate_it() -> None:
    guest = licensed(answer=0xC004FD02)
    outcome, _ = run(guest)
    assert codes(outcome) == ["host_not_licensed", "former_key_put_back"]
    assert "6VM33, a KMS client key, is installed again" in outcome.problems[1].message
    assert outcome.license == guest.license()
    assert (guest.key, guest.status) == (KMS_CLIENT, LICENSED)
    assert guest.installed() == ["DV9BG", "6VM33"]


def test_after_an_upgrade_the_client_key_of_the_new_release_takes_the_place_of_the_former_one() -> None:
    guest = licensed(KMS_2019, answer=0xC004FD02, foreign=[KMS_2019])
    outcome, _ = run(guest)
    assert codes(outcome) == ["host_not_licensed", "former_key_put_back"]
    assert "63DFG, a KMS client key, is installed again as the one of this release, ending in 6VM33" in str(
        outcome.problems[1]
    )
    assert (guest.key, guest.status) == (KMS_CLIENT, LICENSED)


def test_a_guest_that_cannot_leave_gets_the_avma_key_of_its_release() -> None:
    guest = licensed(OTHER_RELEASE, kms=False, foreign=[OTHER_RELEASE])
    outcome, _ = run(guest, Plan(Step.INSTALL, product_key=KMS_CLIENT), Wish(channel="Volume:GVLK"))
    assert codes(outcome) == ["kms_not_activated", "former_key_put_back"]
    assert (guest.key, guest.status) == (KEY, LICENSED)


def test_an_activation_that_does_not_come_is_put_back_too() -> None:
    guest = licensed(polls=999)
    outcome, time = run(guest, timeout=40)
    assert codes(outcome) == ["activation_timed_out", "former_key_put_back"]
    assert (guest.key, guest.status) == (KMS_CLIENT, LICENSED)
    assert time.now == 40


@pytest.mark.parametrize(
    ("guest", "words", "remedy"),
    [
        (licensed(answer=0xC004FD02, kms=False), "0xC004F074", "It is installed"),
        (licensed(answer=0xC004FD02, foreign=(KMS_CLIENT,)), "0xC004E016", "Install it again"),
        (
            licensed(answer=0xC004FD02, faults={"Activate": [None, refusal(0xC004F042)]}),
            "0xC004F042",
            "It is installed",
        ),
    ],
)
def test_what_cannot_be_put_back_is_named(guest: Guest, words: str, remedy: str) -> None:
    outcome, time = run(guest)
    assert codes(outcome) == ["host_not_licensed", "former_key_not_put_back"]
    assert "ending in 6VM33" in outcome.problems[1].message
    assert words in outcome.problems[1].message
    assert remedy in outcome.problems[1].remedy
    assert time.now <= 60
    assert outcome.license == guest.license()


@pytest.mark.parametrize(
    "fault", [HUNG_UP, GARBAGE, RejectedError("401"), FaultError("?"), refusal(0x80041001), TIMED_OUT, IN_VAIN]
)
@pytest.mark.parametrize(
    ("place", "before"),
    [
        ("SoftwareLicensingService", 1),
        ("InstallProductKey", 1),
        ("RefreshLicenseStatus", 1),
        ("Activate", 1),
        ("SoftwareLicensingProduct", 2),
        ("SoftwareLicensingProduct", 3),
    ],
)
def test_putting_back_survives_a_fault_at_any_of_its_requests(place: str, before: int, fault: SessionError) -> None:
    guest = licensed(answer=0xC004FD02, faults={place: [*[None] * before, fault, None]})
    outcome, _ = run(guest)
    assert codes(outcome)[-1] == "former_key_put_back"
    assert (guest.key, guest.status) == (KMS_CLIENT, LICENSED)


@pytest.mark.parametrize("fault", [HUNG_UP, LostAnswerError("cut"), GARBAGE, RejectedError("401"), FaultError("?")])
@pytest.mark.parametrize("method", ["InstallProductKey", "RefreshLicenseStatus", "Activate"])
def test_a_licence_outlives_the_connection(method: str, fault: SessionError) -> None:
    guest = licensed(faults={method: [fault, None]})
    outcome, _ = run(guest)
    assert outcome.error is fault
    assert guest.status == LICENSED
    assert outcome.license == guest.license()


def test_a_login_that_is_turned_down_is_not_tried_for_ever() -> None:
    guest = licensed(
        faults={"Activate": [RejectedError("401")], "SoftwareLicensingProduct": [None, RejectedError("401")]}
    )
    outcome, _ = run(guest)
    assert codes(outcome) == ["former_key_not_put_back"]
    assert guest.sessions == 1


def test_a_key_of_somebody_else_is_left_alone() -> None:
    guest = licensed(answer=0xC004FD02)
    work = guest._work

    def another(method: str, arguments: Mapping[str, Any]) -> None:
        if method == "Activate":
            guest._hold(MAK)
            raise refusal(0xC004F014)
        work(method, arguments)

    guest._work = another  # type: ignore[method-assign]
    outcome, _ = run(guest)
    assert codes(outcome) == ["activation_failed"]
    assert (guest.key, guest.spent) == (MAK, 0)


def test_a_key_of_its_own_is_named_when_it_is_gone() -> None:
    outcome, _ = run(licensed(MAK, answer=0xC004FD02), wish=Wish(replace=True))
    assert codes(outcome) == ["host_not_licensed", "former_key_gone"]
    assert "F2CY7, a Multiple Activation Key (MAK)," in outcome.problems[1].message


def test_a_key_of_its_own_that_still_stands_is_not_gone() -> None:
    guest = licensed(MAK, foreign=(KEY,))
    outcome, _ = run(guest, wish=Wish(replace=True))
    assert codes(outcome) == ["key_rejected"]
    assert (guest.key, guest.status) == (MAK, LICENSED)


@pytest.mark.parametrize("hresult", [0xC004FD01, 0xC004FD02, 0xC004FD03, 0xC004FD04])
def test_a_host_is_asked_before_an_activated_avma_key_goes(hresult: int) -> None:
    guest = licensed(OTHER_RELEASE, answer=hresult)
    outcome, _ = run(guest)
    assert outcome.problems[0].hresult == hresult
    assert guest.methods() == ["Activate"]
    assert (guest.key, guest.status) == (OTHER_RELEASE, LICENSED)


def test_an_avma_key_of_another_release_is_replaced() -> None:
    guest = licensed(OTHER_RELEASE)
    outcome, _ = run(guest)
    assert codes(outcome) == []
    assert guest.key == KEY
    assert guest.methods() == ["Activate", "InstallProductKey", "RefreshLicenseStatus", "Activate"]


@pytest.mark.parametrize("fault", [refusal(0xC004F015), refusal(0x80070005)])
def test_an_activated_avma_key_is_kept_if_its_host_gives_no_clear_answer(fault: Exception) -> None:
    guest = licensed(OTHER_RELEASE, faults={"Activate": [fault, None]})
    outcome, _ = run(guest)
    assert codes(outcome)[1:] == ["licensed_by_other_key"]
    assert (guest.key, guest.status) == (OTHER_RELEASE, LICENSED)
    # On the user's word nothing is asked.
    guest = licensed(OTHER_RELEASE)
    assert codes(run(guest, wish=Wish(replace=True))[0]) == []
    assert guest.methods() == ["InstallProductKey", "RefreshLicenseStatus", "Activate"]


def test_an_activated_avma_key_is_kept_if_no_new_activation_comes() -> None:
    guest = licensed(OTHER_RELEASE, polls=999)
    outcome, time = run(guest, timeout=20)
    assert codes(outcome) == ["activation_timed_out", "licensed_by_other_key"]
    assert guest.methods() == ["Activate"]
    assert time.now == 20


# Keys that are none of AVMA.


def test_a_mak_is_never_activated() -> None:
    guest = Guest(key=None)
    outcome, _ = run(guest, Plan(Step.INSTALL, product_key=MAK))
    assert codes(outcome) == ["not_an_avma_key"]
    assert "F2CY7 is a Multiple Activation Key (MAK), no AVMA key" in outcome.problems[0].message
    assert guest.methods() == ["InstallProductKey"]
    assert guest.spent == 0


@pytest.mark.parametrize("former", [KEY, KMS_CLIENT])
def test_what_a_mak_took_is_put_back(former: str) -> None:
    guest = licensed(former)
    outcome, _ = run(guest, Plan(Step.INSTALL, product_key=MAK), Wish(replace=True))
    assert codes(outcome) == ["not_an_avma_key", "former_key_put_back"]
    assert (guest.key, guest.status, guest.spent) == (former, LICENSED, 0)


def test_a_new_avma_key_that_no_table_has() -> None:
    guest = Guest(key=None)
    outcome, _ = run(guest, Plan(Step.INSTALL, product_key=NEW_AVMA))
    assert codes(outcome) == []
    assert outcome.license
    assert outcome.license.proved


# What Windows did, not what it answered.


@pytest.mark.parametrize("hresult", [0x80041001, 0xC004F015, 0xC004F075])
def test_a_key_is_not_rejected_because_the_licences_are_not_read_anew(hresult: int) -> None:
    guest = Guest(faults={"RefreshLicenseStatus": [refusal(hresult)]})
    outcome, _ = run(guest)
    assert codes(outcome) == []
    assert guest.installed() == ["DV9BG"]


def test_a_key_that_is_there_was_not_rejected() -> None:
    guest = Guest(faults={"InstallProductKey": [refusal(0x80041001)]})
    guest.session = FakeSession(guest._rows, guest._call)
    work = guest._call

    def taken(method: str, arguments: Mapping[str, Any]) -> Row | None:
        if method == "InstallProductKey":
            guest._hold(arguments["ProductKey"])
        return work(method, arguments)

    guest.session = FakeSession(guest._rows, taken)
    outcome, _ = run(guest)
    assert codes(outcome) == []


def test_a_key_that_shows_when_the_licences_were_read_anew() -> None:
    guest = Guest()
    call = guest._call

    def lagging(method: str, arguments: Mapping[str, Any]) -> Row | None:
        if method == "InstallProductKey":
            guest._coming, guest.late = arguments["ProductKey"], 99
            return None
        if method == "RefreshLicenseStatus":
            guest.late = 0
        return call(method, arguments)

    guest.session = FakeSession(guest._rows, lagging)
    outcome, _ = run(guest)
    assert codes(outcome) == []
    assert guest.installed() == ["DV9BG"]


def test_a_key_that_comes_late_is_waited_for() -> None:
    guest = Guest(late=3)
    outcome, time = run(guest)
    assert codes(outcome) == []
    assert guest.installed() == ["DV9BG"]
    assert time.pauses == [1.0, 2.0, 4.0]


def test_a_key_that_does_not_come_is_not_said_to_be_taken() -> None:
    guest = licensed(late=999)
    outcome, time = run(guest, timeout=30)
    assert codes(outcome) == ["key_install_timed_out"]
    assert "still holds the key ending in 6VM33" in outcome.problems[0].message
    assert time.now == 30
    assert (guest.key, guest.status) == (KMS_CLIENT, LICENSED)


def test_a_key_that_ends_alike_is_not_the_one() -> None:
    guest = Guest(key=KEY)
    guest._row = lambda: [
        {"ID": "id", "LicenseStatus": "5", "ProductKeyChannel": "Volume:MAK", "PartialProductKey": "DV9BG"}
    ]  # type: ignore[method-assign]
    outcome, _ = run(guest)
    assert codes(outcome) == ["key_not_taken"]
    assert "Activate" not in guest.methods()


def test_a_former_activation_proves_nothing() -> None:
    guest = Guest(key=KEY, host="HV09", status=LICENSED, polls=3)
    outcome, time = run(guest, ACTIVATE, Wish(expected_hosts=("HV01",)))
    assert codes(outcome) == []
    assert outcome.license
    assert outcome.license.activation
    assert outcome.license.activation.host == "HV01"
    assert time.pauses == [1.0, 2.0, 4.0]


def test_a_new_activation_that_never_comes() -> None:
    guest = Guest(key=KEY, host="HV09", status=LICENSED, polls=999)
    outcome, time = run(guest, ACTIVATE, Wish(expected_hosts=("HV01",)), timeout=20)
    assert codes(outcome) == ["unexpected_host"]
    assert time.now == 20


def test_a_present_host_that_refuses_comes_before_a_former_one_that_did_not() -> None:
    guest = Guest(key=KEY, host="HV09", status=LICENSED, faults={"Activate": [refusal(0xC004FD02)]})
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
    assert read_license(Guest(key=None).session, 20348) is None
