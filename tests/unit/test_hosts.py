# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts: what is read of them, what is decided, and what is done in which order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import Step
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hosts import (
    Avma,
    HostFacts,
    HostWish,
    assess_host,
    plan_host,
    spends_activation,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.licenses import License, Status
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import Kind
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import (
    Edition,
    Release,
    System,
    identify_system,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError, ProcessError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import ProcessResult
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows import azure_local, cluster, hosts
from hypothesis import given
from hypothesis import strategies as st

from lab.keys import made_up_key
from unit.fakes import FakeSession, FakeTime, Row, refusal

KEY, OTHER = made_up_key("host"), made_up_key("other")
LAST_FIVE = KEY[-5:]
WHOLE = {"Key": KEY, "Note": f"set to {KEY.lower()} by admin"}


GVLK = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"


def license(
    status: Status = Status.LICENSED, key: str = KEY, reason: int | None = None, channel: str = "Retail"
) -> License:
    return License(
        name="Windows(R), ServerDatacenter edition",
        description="",
        status=status,
        reason=reason,
        channel=channel,
        partial_product_key=key[-5:],
        activation_id="id",
        grace_minutes=0,
        license_family="ServerDatacenter",
    )


def kms_client(status: Status = Status.LICENSED) -> License:
    return license(status, GVLK, channel="Volume:GVLK")


def windows_server(build: int = 20348, sku: int = 8, hyperv: bool = True, of: License | None = None) -> HostFacts:
    return HostFacts("HV01", identify_system(build, sku), hyperv, of, None)


def avma(result: Any, subscription: str | None = None, module: str | None = "1.1", **more: Any) -> Avma:
    return Avma(module, subscription, result, more.pop("error", None), **more)


def on_azure_local(state: Avma) -> HostFacts:
    return HostFacts("AZL1", identify_system(26100, 406), True, None, state)


LICENSES = st.builds(
    License,
    name=st.text(),
    description=st.text(),
    status=st.sampled_from(Status),
    reason=st.none() | st.integers(1, 2**32 - 1),
    channel=st.none() | st.text(),
    partial_product_key=st.none() | st.just("D8F36"),
    activation_id=st.text(),
    grace_minutes=st.integers(0, 2**32 - 1),
    license_family=st.none() | st.text(),
)
SYSTEMS = st.builds(
    System,
    release=st.none() | st.sampled_from(Release),
    edition=st.none() | st.sampled_from(Edition),
    core=st.none() | st.booleans(),
    evaluation=st.booleans(),
    build=st.integers(0, 2**32 - 1),
    sku=st.none() | st.integers(0, 2**32 - 1),
    name=st.text(),
)
AVMAS = st.builds(
    Avma,
    module=st.none() | st.just("1.1"),
    subscription=st.none() | st.text(),
    result=st.none() | st.lists(st.dictionaries(st.text(), st.text() | st.booleans())),
    error=st.none() | st.text(),
    license_last_fives=st.frozensets(st.just("D8F36")),
    asked_for=st.none() | st.just("D8F36"),
    answered=st.booleans(),
)
HOST_FACTS: dict[str, Any] = {
    "name": st.text(),
    "system": SYSTEMS,
    "hyperv": st.booleans(),
    "license": st.none() | LICENSES,
    "avma": st.none() | AVMAS,
    "fqdn": st.none() | st.text(),
    "azure_vm": st.booleans(),
    "cluster_service": st.booleans(),
}
NESTED = HostFacts("HV01", identify_system(20348, 8), True, license(), None, azure_vm=True)

# What Azure Local says, in shapes that nobody has seen.


@pytest.mark.parametrize(
    ("result", "set_up", "has_key"),
    [
        ([], False, False),
        (None, False, False),
        ([None], False, False),
        ([{"Enabled": False, "Key": None, "Keys": [], "Name": "", "Count": 0}], False, False),
        ([{"Enabled": True}], None, None),
        ([{"Status": "NotConfigured"}], None, None),
        ("Configured", None, None),
        (1, None, None),
        (LAST_FIVE, True, True),
        ([{"A": {"B": [f"XXXXX-XXXXX-XXXXX-XXXXX-{LAST_FIVE}"]}}], True, True),
        ([f"*****-{LAST_FIVE}"], True, True),
        ([{"PartialKey": f" {OTHER[-5:]} "}], True, False),
        ([{"Node": f"HV-{LAST_FIVE}"}], None, None),
        ([{LAST_FIVE: True}], None, None),
    ],
)
def test_a_key_is_found_in_any_shape(result: Any, set_up: bool | None, has_key: bool | None) -> None:
    state = avma(result)
    assert (state.set_up, state.has_key(KEY)) == (set_up, has_key)


@pytest.mark.parametrize(
    ("result", "release"),
    [
        ([{"Version": "2022"}], "2022"),
        ([{"Version": 2022}], "2022"),
        ([{"Release": "Windows Server 2025"}], "2025"),
        ([{"Product": "Microsoft Windows Server 2019 Datacenter"}], "2019"),
        ([{"Version": "WS2022"}], "2022"),
        ([{"Set": "2025-03-01T08:00:00Z"}], None),
        ([{"Build": "10.0.20348.2025"}], None),
        ([{"Version": "2012"}], None),
        ([{"Keys": ["2022", "2025"]}], None),
        ([{"Keys": ["2022", "Windows Server 2022"]}], "2022"),
        ([], None),
    ],
)
def test_the_release_of_a_key_is_found_in_any_shape(result: Any, release: str | None) -> None:
    found = avma(result).key_release
    assert (str(found) if found else None) == release


def test_a_key_may_also_be_in_the_licences() -> None:
    state = avma([{"Enabled": True}], license_last_fives=frozenset({LAST_FIVE}))
    assert (state.has_key(KEY), state.has_key(OTHER)) == (True, None)


@pytest.mark.parametrize(
    ("state", "activates"),
    [
        (avma([], "Active"), ["2016", "2019", "2022", "2025"]),
        (avma([], "active", module=None), ["2016", "2019", "2022", "2025"]),
        (avma([LAST_FIVE, "2022"], "Disabled"), ["2016", "2019", "2022"]),
        (avma([LAST_FIVE, "2019"]), ["2016", "2019"]),
        (avma([LAST_FIVE]), None),
        (avma([LAST_FIVE, "2016"]), []),
        (avma([{"Enabled": True}]), None),
        (avma(None, error="no"), None),
        (avma([]), []),
        (avma(None, module=None), []),
    ],
)
def test_what_azure_local_activates(state: Avma, activates: list[str] | None) -> None:
    found = on_azure_local(state).activates
    assert (found if found is None else [str(release) for release in found]) == activates


# What Windows Server activates, and what keeps it from that.


@pytest.mark.parametrize(
    ("host", "activates", "codes"),
    [
        (windows_server(9600, of=license()), ["2012 R2"], []),
        (windows_server(14393, of=license()), ["2012 R2", "2016"], []),
        (windows_server(20348, 147, of=license()), ["2012 R2", "2016", "2019", "2022"], []),
        (windows_server(26100, 12, of=license()), ["2012 R2", "2016", "2019", "2022", "2025"], []),
        (windows_server(of=license(Status.EXTENDED_GRACE)), [], ["host_not_licensed"]),
        (windows_server(of=license(Status.NOTIFICATION, reason=0xC004F034)), [], ["host_not_licensed"]),
        (windows_server(), [], ["host_not_licensed"]),
        (windows_server(hyperv=False, of=license()), [], ["hyperv_role_missing"]),
        (windows_server(sku=7, of=license()), [], ["host_not_datacenter"]),
        (windows_server(sku=80, of=license()), [], ["evaluation_edition"]),
        (windows_server(sku=407, of=license()), [], ["host_not_datacenter"]),
        (windows_server(25398, 145, of=license()), [], ["no_avma_on_host_release"]),
        (windows_server(sku=7, hyperv=False), [], ["hyperv_role_missing", "host_not_datacenter"]),
    ],
)
def test_what_windows_server_activates(host: HostFacts, activates: list[str], codes: list[str]) -> None:
    assert [str(release) for release in host.activates or ()] == activates
    assert [item.code for item in assess_host(host)] == codes


def test_a_host_in_azure_is_not_known_to_activate_guests() -> None:
    assert NESTED.activates is None
    assert [(item.code, item.kind) for item in assess_host(NESTED)] == [("host_in_azure", Kind.UNKNOWN)]
    # What is wrong is said before what is not known.
    unlicensed = replace(NESTED, license=kms_client(Status.NOTIFICATION))
    assert unlicensed.activates == ()
    assert [item.code for item in assess_host(unlicensed)] == ["host_not_licensed"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (windows_server(of=kms_client(Status.NOTIFICATION)), "KMS host must answer"),
        (windows_server(of=license(Status.NOTIFICATION)), "with a product key of its own"),
        (windows_server(), "with a product key of its own"),
    ],
)
def test_the_remedy_for_a_host_without_a_licence(host: HostFacts, words: str) -> None:
    (found,) = assess_host(host)
    assert words in found.remedy


@given(st.builds(HostFacts, **HOST_FACTS))
def test_nothing_of_a_host_is_lost_on_the_way_through_a_result(host: HostFacts) -> None:
    shown = json.loads(json.dumps(host.to_dict()))
    assert HostFacts.from_dict(shown) == host


# What to do.


@pytest.mark.parametrize(
    ("host", "wish", "step", "code"),
    [
        (windows_server(), HostWish(KEY), Step.INSTALL, None),
        (windows_server(), HostWish(None), Step.NOTHING, "no_host_key"),
        (windows_server(of=license()), HostWish(KEY), Step.NOTHING, None),
        (windows_server(of=license()), HostWish(KEY, replace=True), Step.NOTHING, None),
        (windows_server(of=license(Status.NOTIFICATION)), HostWish(KEY), Step.ACTIVATE, None),
        (windows_server(of=license(Status.NOTIFICATION)), HostWish(KEY, activate=False), Step.NOTHING, None),
        (windows_server(of=license(Status.NOTIFICATION)), HostWish(None), Step.NOTHING, "no_host_key"),
        (windows_server(of=license(key=OTHER)), HostWish(KEY), Step.NOTHING, "other_host_key"),
        (windows_server(of=license(key=OTHER)), HostWish(KEY, replace=True), Step.INSTALL, None),
        (windows_server(of=license(key=OTHER)), HostWish(None), Step.NOTHING, None),
        (windows_server(of=license(Status.NOTIFICATION, OTHER)), HostWish(KEY), Step.INSTALL, None),
        (windows_server(sku=7), HostWish(KEY, replace=True), Step.NOTHING, "host_not_datacenter"),
        # A KMS client is activated without a key.
        (windows_server(of=kms_client()), HostWish(None), Step.NOTHING, None),
        (windows_server(of=kms_client(Status.NOTIFICATION)), HostWish(None), Step.ACTIVATE, None),
        (windows_server(of=kms_client(Status.OUT_OF_BOX_GRACE)), HostWish(None), Step.ACTIVATE, None),
        (windows_server(of=kms_client(Status.OUT_OF_TOLERANCE_GRACE)), HostWish(None), Step.ACTIVATE, None),
        (windows_server(of=kms_client(Status.NOTIFICATION)), HostWish(None, activate=False), Step.NOTHING, None),
        (windows_server(of=kms_client(Status.NOTIFICATION)), HostWish(KEY), Step.INSTALL, None),
        (windows_server(of=kms_client()), HostWish(KEY), Step.NOTHING, "other_host_key"),
        (windows_server(of=kms_client()), HostWish(KEY, replace=True), Step.INSTALL, None),
        # Every grace period that follows an activation is one of a key that works.
        *(
            (windows_server(of=license(status, OTHER)), HostWish(KEY, replace=replace_), step, code)
            for status in (Status.OUT_OF_TOLERANCE_GRACE, Status.NON_GENUINE_GRACE, Status.EXTENDED_GRACE)
            for replace_, step, code in ((False, Step.NOTHING, "other_host_key"), (True, Step.INSTALL, None))
        ),
        (windows_server(of=license(Status.OUT_OF_BOX_GRACE, OTHER)), HostWish(KEY), Step.INSTALL, None),
        (windows_server(of=license(Status.EXTENDED_GRACE)), HostWish(KEY), Step.ACTIVATE, None),
        # The key of a KMS host is never replaced, whatever its status.
        *(
            (
                windows_server(of=license(status, OTHER, channel="Volume:CSVLK")),
                HostWish(KEY, replace=True),
                Step.NOTHING,
                "kms_host",
            )
            for status in Status
        ),
        (windows_server(of=license(channel="Volume:CSVLK")), HostWish(KEY), Step.NOTHING, None),
        # In Azure no key is spent without a word.
        (NESTED, HostWish(None), Step.NOTHING, None),
        (NESTED, HostWish(KEY), Step.NOTHING, None),
        (replace(NESTED, license=None), HostWish(KEY, replace=True), Step.INSTALL, None),
        (on_azure_local(avma([])), HostWish(KEY), Step.INSTALL, None),
        (on_azure_local(avma([])), HostWish(None), Step.NOTHING, "no_host_key"),
        (on_azure_local(avma([LAST_FIVE])), HostWish(KEY, replace=True), Step.NOTHING, None),
        (on_azure_local(avma([OTHER[-5:]])), HostWish(KEY), Step.NOTHING, "other_host_key"),
        (on_azure_local(avma([OTHER[-5:]])), HostWish(KEY, replace=True), Step.INSTALL, None),
        (on_azure_local(avma([OTHER[-5:]])), HostWish(None), Step.NOTHING, None),
        (on_azure_local(avma(["?"])), HostWish(KEY, replace=True), Step.INSTALL, None),
        (on_azure_local(avma(["?"], "Active")), HostWish(KEY, replace=True), Step.NOTHING, None),
        (on_azure_local(avma(None, "Active", module=None)), HostWish(KEY), Step.NOTHING, None),
        (on_azure_local(avma(None, module=None)), HostWish(KEY), Step.NOTHING, "update_missing"),
    ],
)
def test_plan(host: HostFacts, wish: HostWish, step: Step, code: str | None) -> None:
    plan = plan_host(host, wish)
    assert (plan.step, [item.code for item in plan.problems]) == (step, [code] if code else [])
    assert plan.doubts == ()


@pytest.mark.parametrize("of", [None, license(Status.NOTIFICATION), license(Status.NOTIFICATION, OTHER)])
def test_no_key_is_spent_on_a_host_in_azure_without_a_word(of: License | None) -> None:
    plan = plan_host(replace(NESTED, license=of), HostWish(KEY))
    assert (plan.step, plan.problems, [item.code for item in plan.doubts]) == (Step.NOTHING, (), ["host_in_azure"])


@pytest.mark.parametrize("result", [["?"], [], None])
@pytest.mark.parametrize("replaces", [False, True])
def test_what_azure_local_was_asked_for_is_not_asked_for_again(result: Any, replaces: bool) -> None:
    host = on_azure_local(avma(result, asked_for=LAST_FIVE, answered=True))
    plan = plan_host(host, HostWish(KEY, replace=replaces))
    assert (plan.step, plan.problems, [item.code for item in plan.doubts]) == (Step.NOTHING, (), ["host_key_asked_for"])
    # Another key is another matter.
    assert plan_host(host, HostWish(OTHER, replace=True)).step is Step.INSTALL


@pytest.mark.parametrize("status", [Status.OUT_OF_TOLERANCE_GRACE, Status.NON_GENUINE_GRACE, Status.EXTENDED_GRACE])
def test_a_host_that_must_be_activated_anew_is_not_told_to_take_another_key(status: Status) -> None:
    """Which would be refused, since its own works."""
    host = windows_server(of=license(status, OTHER))
    [found] = plan_host(host, HostWish(None)).problems
    assert (found.code, plan_host(host, HostWish(OTHER)).step) == ("no_host_key", Step.ACTIVATE)
    assert f"ending in {OTHER[-5:]}, works, and must be activated anew: give that key" in found.remedy
    assert [item.code for item in plan_host(host, HostWish(KEY)).problems] == ["other_host_key"]


def test_what_azure_local_did_not_answer_is_asked_again_if_nothing_is_set_up() -> None:
    assert plan_host(on_azure_local(avma([], asked_for=LAST_FIVE)), HostWish(KEY)).step is Step.INSTALL
    plan = plan_host(on_azure_local(avma(["?"], asked_for=LAST_FIVE)), HostWish(KEY, replace=True))
    assert (plan.step, [item.code for item in plan.doubts]) == (Step.NOTHING, ["host_key_asked_for"])


def test_what_azure_local_shows_goes_before_what_it_was_asked_for() -> None:
    host = on_azure_local(avma([OTHER[-5:]], asked_for=LAST_FIVE))
    assert plan_host(host, HostWish(KEY, replace=True)).step is Step.INSTALL
    assert [item.code for item in plan_host(host, HostWish(KEY)).problems] == ["other_host_key"]


@pytest.mark.parametrize("state", [avma(["?"]), avma(None, error="no")])
def test_where_azure_local_does_not_tell_nothing_is_planned_and_doubted(state: Avma) -> None:
    plan = plan_host(on_azure_local(state), HostWish(KEY))
    assert (plan.step, plan.problems, [item.code for item in plan.doubts]) == (Step.NOTHING, (), ["host_key_unknown"])


@pytest.mark.parametrize(
    ("host", "activate", "step", "spends"),
    [
        (windows_server(), True, Step.INSTALL, True),
        (windows_server(), False, Step.INSTALL, False),
        (windows_server(), True, Step.ACTIVATE, True),
        (windows_server(), True, Step.NOTHING, False),
        (windows_server(of=kms_client(Status.NOTIFICATION)), True, Step.ACTIVATE, False),
        (windows_server(of=kms_client(Status.NOTIFICATION)), True, Step.INSTALL, True),
        (on_azure_local(avma([])), False, Step.INSTALL, True),
    ],
)
def test_what_spends_an_activation(host: HostFacts, activate: bool, step: Step, spends: bool) -> None:
    assert spends_activation(host, HostWish(KEY, activate=activate), step) is spends


# What is done, on a machine that plays a script.


class Machine(FakeSession):
    """Answers queries by the class that they name, method calls and programs, each in turn."""

    def __init__(
        self,
        rows: Mapping[str, Sequence[list[Row] | FaultError]] | None = None,
        methods: Iterable[FaultError | None] = (),
        programs: Iterable[object] = (),
    ) -> None:
        answers = {name: iter(each) for name, each in (rows or {}).items()}
        faults = iter(methods)

        def select(class_name: str) -> list[Row]:
            answer = next(answers[class_name])
            if isinstance(answer, FaultError):
                raise answer
            return answer

        def call(_method: str, _arguments: Mapping[str, Any]) -> None:
            fault = next(faults, None)
            if fault is not None:
                raise fault

        super().__init__(select, call)
        self._programs = iter(programs)
        self.time = FakeTime()
        self.stdin: list[bytes] = []

    @property
    def called(self) -> list[str]:
        return [method.rpartition(".")[2] for method, _arguments, _selectors in self.calls]

    def run(self, command: str, arguments: Sequence[str] = (), stdin: bytes = b"") -> ProcessResult:
        self.stdin.append(stdin)
        answer = next(self._programs)
        stdout = answer if isinstance(answer, str) else json.dumps(answer)
        return ProcessResult(0, stdout.encode(), b"#< CLIXML")


def row(status: int, key: str = KEY, channel: str = "Retail") -> list[Row]:
    return [{"ID": "id", "LicenseStatus": str(status), "PartialProductKey": key[-5:], "ProductKeyChannel": channel}]


IN_PROGRESS = FaultError("busy", hresults=(0xC004E028,))
TIMED_OUT = FaultError("late", wsman_code=FaultError.OPERATION_TIMED_OUT)


SERVICE: dict[str, Any] = {"SoftwareLicensingService": [[{"Version": "1"}]] * 9}


def licences(*rows: list[Row] | FaultError) -> dict[str, Any]:
    return {"SoftwareLicensingProduct": list(rows), **SERVICE}


def carry_out(
    machine: Machine,
    step: Step = Step.ACTIVATE,
    timeout: int = 60,
    of: License | None = None,
    wish: HostWish | None = None,
) -> hosts.HostOutcome:
    host = windows_server(of=of or license(Status.NOTIFICATION))
    return hosts.carry_out(machine, host, step, wish or HostWish(KEY), timeout, machine.time.clock)


def codes(outcome: hosts.HostOutcome) -> list[str]:
    return [item.code for item in outcome.problems]


def test_an_activation_that_got_through_is_not_asked_for_again() -> None:
    # Windows says that it is busy, and when it is asked again, it is licensed.
    machine = Machine({"SoftwareLicensingProduct": [row(5), row(5), row(1), row(1)]}, [IN_PROGRESS])
    outcome = carry_out(machine)
    assert (outcome.problems, machine.called) == ((), ["Activate"])


def test_an_activation_that_takes_its_time_is_waited_for() -> None:
    machine = Machine({"SoftwareLicensingProduct": [row(5), row(5), row(5), row(5), row(1)]}, [TIMED_OUT])
    outcome = carry_out(machine)
    assert (outcome.problems, machine.called, machine.time.now) == ((), ["Activate"], 3.0)


def test_an_activation_that_never_comes_is_told() -> None:
    machine = Machine({"SoftwareLicensingProduct": [row(5)] * 99}, [TIMED_OUT])
    outcome = carry_out(machine, timeout=20)
    assert codes(outcome) == ["host_activation_timed_out"]
    assert (machine.called, machine.time.now) == (["Activate"], 20.0)


def test_a_key_that_windows_took_and_does_not_hold_is_not_activated() -> None:
    machine = Machine(licences(*[row(5, OTHER)] * 9))
    outcome = carry_out(machine, Step.INSTALL, of=license(Status.NOTIFICATION, OTHER))
    assert codes(outcome) == ["key_not_taken"]
    assert "Activate" not in machine.called


def test_a_key_that_windows_is_slow_to_take_is_waited_for() -> None:
    rows = [row(1, OTHER), row(1, OTHER), *[row(5)] * 3, row(1)]
    machine = Machine(licences(*rows), [TIMED_OUT])
    outcome = carry_out(machine, Step.INSTALL, of=license(key=OTHER), wish=HostWish(KEY, replace=True))
    assert (outcome.problems, machine.time.now) == ((), 3.0)
    assert machine.called == ["InstallProductKey", "RefreshLicenseStatus", "Activate"]


def test_a_key_that_windows_never_takes_is_not_said_to_be_rejected() -> None:
    machine = Machine(licences(*[row(1, OTHER)] * 99), [TIMED_OUT])
    outcome = carry_out(machine, Step.INSTALL, 20, license(key=OTHER), HostWish(KEY, replace=True))
    assert (codes(outcome), machine.called, machine.time.now) == (
        ["host_key_install_timed_out"],
        ["InstallProductKey"],
        20,
    )


@pytest.mark.parametrize("hresult", [0x80041001, 0xC004F015, 0xC004F075])
def test_licences_that_cannot_be_read_anew_do_not_reject_a_key(hresult: int) -> None:
    # The key is installed once, whatever RefreshLicenseStatus says.
    machine = Machine(licences(*[row(5)] * 3, row(1), row(1)), methods=[None, *[refusal(hresult)] * 9][:8])
    outcome = carry_out(machine, Step.INSTALL, timeout=5, of=license(Status.NOTIFICATION, OTHER))
    assert machine.called.count("InstallProductKey") == 1
    assert "key_rejected" not in codes(outcome)


def test_a_refused_key_that_windows_holds_all_the_same_counts() -> None:
    machine = Machine(licences(*[row(5)] * 4, row(1)), [refusal(0x80041001)])
    outcome = carry_out(machine, Step.INSTALL, of=license(Status.NOTIFICATION, OTHER))
    assert outcome.problems == ()


# Another controller, or a person, at the same time.


def test_another_key_that_came_in_between_is_not_activated() -> None:
    rows = [row(5), row(5), row(5, OTHER), row(5, OTHER)]
    machine = Machine(licences(*rows))
    outcome = carry_out(machine, Step.INSTALL, of=license(Status.NOTIFICATION, made_up_key("former")))
    assert (codes(outcome), "Activate" in machine.called) == (["host_key_changed"], False)
    assert OTHER[-5:] in outcome.problems[0].message


def test_another_key_that_was_activated_is_not_taken_for_ours() -> None:
    machine = Machine({"SoftwareLicensingProduct": [row(5), row(5), row(1, OTHER)]})
    outcome = carry_out(machine)
    assert (codes(outcome), machine.called) == (["host_key_changed"], ["Activate"])


def test_another_key_that_came_before_anything_was_done() -> None:
    machine = Machine({"SoftwareLicensingProduct": [row(1, OTHER)]})
    assert (codes(carry_out(machine)), machine.called) == (["host_key_changed"], [])


def test_the_key_of_a_kms_client_must_be_the_one_that_was_there() -> None:
    machine = Machine({"SoftwareLicensingProduct": [row(5, OTHER, "Volume:MAK")]})
    outcome = carry_out(machine, of=kms_client(Status.NOTIFICATION), wish=HostWish(None))
    assert (codes(outcome), machine.called) == (["host_key_changed"], [])


def test_a_kms_client_is_activated_without_a_key() -> None:
    client = row(5, GVLK, "Volume:GVLK")
    machine = Machine({"SoftwareLicensingProduct": [client, client, row(1, GVLK, "Volume:GVLK")]})
    outcome = carry_out(machine, of=kms_client(Status.NOTIFICATION), wish=HostWish(None))
    assert (outcome.problems, machine.called) == ((), ["Activate"])


# What a failure leaves behind.

REPLACE = HostWish(KEY, replace=True)


def test_a_key_that_is_refused_after_it_took_the_place_of_one_that_worked() -> None:
    machine = Machine(licences(*[row(5)] * 5), methods=[None, None, refusal(0xC004C008)])
    outcome = carry_out(machine, Step.INSTALL, of=license(key=OTHER), wish=REPLACE)
    assert codes(outcome) == ["activation_failed", "former_host_key_gone"]
    assert OTHER[-5:] in outcome.problems[1].message
    assert "activates no guests" in outcome.problems[1].message


@pytest.mark.parametrize("status", [Status.NOTIFICATION, Status.UNLICENSED, Status.OUT_OF_BOX_GRACE])
def test_a_key_that_did_not_work_is_no_loss(status: Status) -> None:
    machine = Machine(licences(*[row(5)] * 5), methods=[None, None, refusal(0xC004C008)])
    outcome = carry_out(machine, Step.INSTALL, of=license(status, OTHER), wish=REPLACE)
    assert codes(outcome) == ["activation_failed"]


def test_a_key_that_is_not_activated_in_time_after_it_took_the_place_of_one_that_worked() -> None:
    machine = Machine(licences(*[row(5)] * 99))
    outcome = carry_out(machine, Step.INSTALL, 20, license(key=OTHER), REPLACE)
    assert codes(outcome) == ["host_activation_timed_out", "former_host_key_gone"]


def test_a_rejected_key_is_no_loss() -> None:
    machine = Machine(licences(*[row(1, OTHER)] * 5), [refusal(0xC004F050)])
    outcome = carry_out(machine, Step.INSTALL, of=license(key=OTHER), wish=REPLACE)
    assert codes(outcome) == ["key_rejected"]


def test_a_kms_client_gets_its_key_back() -> None:
    client = row(1, GVLK, "Volume:GVLK")
    machine = Machine(licences(*[row(5)] * 5, *[client] * 9), methods=[None, None, refusal(0xC004C008)])
    outcome = carry_out(machine, Step.INSTALL, of=kms_client(), wish=REPLACE)
    assert codes(outcome) == ["activation_failed", "former_key_put_back"]
    assert [arguments["ProductKey"] for name, arguments, _ in machine.calls if "InstallProductKey" in name] == [
        KEY,
        GVLK,
    ]
    assert outcome.host.licensed


def test_a_kms_client_that_does_not_get_its_key_back_is_told() -> None:
    client = row(5, GVLK, "Volume:GVLK")
    faults = [None, None, refusal(0xC004C008), None, None, refusal(0xC004F074)]
    machine = Machine(licences(*[row(5)] * 5, *[client] * 99), methods=faults)
    outcome = carry_out(machine, Step.INSTALL, of=kms_client(), wish=REPLACE)
    assert codes(outcome) == ["activation_failed", "former_key_not_put_back"]
    assert "0xC004F074" in outcome.problems[1].message


def test_an_error_after_a_write_is_not_taken_for_nothing_done() -> None:
    fault = FaultError("broken", hresults=(0x80041014,))
    machine = Machine(licences(fault, row(5)))
    outcome = carry_out(machine, Step.INSTALL, of=license(key=OTHER), wish=REPLACE)
    assert (outcome.error, outcome.known, codes(outcome)) == (fault, True, ["former_host_key_gone"])
    machine = Machine(licences(fault, fault))
    outcome = carry_out(machine, Step.INSTALL, of=license(key=OTHER), wish=REPLACE)
    assert (outcome.error, outcome.known, codes(outcome)) == (fault, False, [])


def test_an_error_before_any_write_is_one() -> None:
    with pytest.raises(FaultError):
        carry_out(Machine({"SoftwareLicensingService": [FaultError("broken")]}), Step.INSTALL)


@pytest.mark.parametrize("hresult", [0x80041003, 0x80070005, 0xC004F025, 0xC0000022])
def test_a_user_without_rights_is_told_so(hresult: int) -> None:
    machine = Machine(licences(*[row(5, OTHER)] * 5), [refusal(hresult)])
    outcome = carry_out(machine, Step.INSTALL, of=license(Status.NOTIFICATION, OTHER))
    assert [(item.code, item.hresult) for item in outcome.problems] == [("access_denied", hresult)]
    machine = Machine({"SoftwareLicensingProduct": [row(5)] * 5}, [refusal(hresult)])
    assert codes(carry_out(machine)) == ["access_denied"]


ANSWER = {"module": "1.1", "result": [WHOLE], "error": None, "subscription": "Disabled"}
NO_ROWS: dict[str, Any] = {"SoftwareLicensingProduct": [[{"PartialProductKey": "AAAAA"}]] * 9}


def test_what_azure_local_answers_holds_no_whole_key() -> None:
    machine = Machine(NO_ROWS, programs=[{**ANSWER, "error": f"bad {KEY}"}])
    state = azure_local.read_avma(machine)
    shown = json.dumps(state.to_dict())
    assert KEY not in shown
    assert KEY.lower() not in shown
    assert state.has_key(KEY) is True


def test_warnings_before_the_answer_are_passed_over() -> None:
    machine = Machine(NO_ROWS, programs=["\ufeffWARNING: {not this}\r\n" + json.dumps(ANSWER) + "\r\n"])
    assert azure_local.read_avma(machine).module == "1.1"


@pytest.mark.parametrize("answer", ["", "Get-Module: no such thing\r\n", "[]", "null", '{"module": '])
def test_an_answer_that_is_none_is_an_error(answer: str) -> None:
    with pytest.raises(ProcessError):
        azure_local.read_avma(Machine(NO_ROWS, programs=[answer]))


def test_a_key_is_set_from_standard_input() -> None:
    machine = Machine(NO_ROWS, programs=[{"result": [], "error": None}, {**ANSWER, "result": [LAST_FIVE]}])
    outcome = hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, HostWish(KEY), 60)
    assert (outcome.problems, outcome.doubts) == ((), ())
    assert machine.stdin == [f"{KEY}\r\n".encode(), b""]


def test_the_host_remembers_what_it_is_asked_for_until_that_is_known() -> None:
    machine = Machine(NO_ROWS, programs=[{"result": [], "error": None}, {**ANSWER, "result": [LAST_FIVE]}])
    hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, HostWish(KEY), 60)
    writing = ["CreateKey", "SetStringValue"]
    assert machine.called == [*writing, *writing, "GetStringValue", "DeleteValue"]
    assert [arguments.get("sValue") for _, arguments, _ in machine.calls[1:4:2]] == [LAST_FIVE, f"{LAST_FIVE} answered"]
    untold = Machine(NO_ROWS, programs=[{"result": [], "error": None}, {**ANSWER, "result": ["?"]}])
    hosts.carry_out(untold, on_azure_local(avma([])), Step.INSTALL, HostWish(KEY), 60)
    assert "DeleteValue" not in untold.called


def test_a_host_that_cannot_remember_is_not_asked() -> None:
    machine = Machine(NO_ROWS, methods=[refusal(0x80041003)])
    with pytest.raises(FaultError):
        hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, HostWish(KEY), 60)
    assert machine.stdin == []


def test_a_key_that_was_cut_off_while_it_was_set_is_remembered() -> None:
    machine = Machine(NO_ROWS, programs=["cut off"])
    outcome = hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, HostWish(KEY), 60)
    assert isinstance(outcome.error, ProcessError)
    assert (outcome.known, "DeleteValue" in machine.called) == (False, False)


def test_the_licence_of_the_hosts_own_windows_is_not_asked_for() -> None:
    machine = Machine(NO_ROWS, programs=[ANSWER])
    azure_local.read_avma(machine)
    assert machine.queries[0].endswith("LicenseIsAddon = TRUE")


@pytest.mark.parametrize(
    ("said", "error", "after", "code", "hresult"),
    [
        ([], "no good 0xC004F050", [], "key_rejected", 0xC004F050),
        ([{"Message": "no good", "Code": "0xc004e016"}], None, [], "key_rejected", 0xC004E016),
        ([{"Succeeded": False}], None, [], "key_rejected", None),
        (None, "no good", ["?"], "key_rejected", None),
        (None, None, [OTHER[-5:]], "key_rejected", None),
        # A host that never says anything may well have taken it.
        ([], None, [], None, None),
        (None, "warned only", [LAST_FIVE], None, None),
        (None, None, ["?"], None, None),
    ],
)
def test_what_is_read_back_decides(
    said: Any, error: str | None, after: Any, code: str | None, hresult: int | None
) -> None:
    machine = Machine(NO_ROWS, programs=[{"result": said, "error": error}, {**ANSWER, "result": after}])
    outcome = hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, HostWish(KEY), 60)
    assert [(item.code, item.hresult) for item in outcome.problems] == ([(code, hresult)] if code else [])
    doubtful = after in (["?"], []) and not code
    assert [item.code for item in outcome.doubts] == (["host_key_unproved"] if doubtful else [])


# The cluster.


def test_a_host_without_failover_clustering_is_in_no_cluster() -> None:
    fault = FaultError("Invalid namespace", hresults=(0x8004100E,))
    assert cluster.read_cluster(Machine({"MSCluster_Cluster": [fault]})) is None


def test_a_host_that_has_joined_no_cluster_is_in_none() -> None:
    assert cluster.read_cluster(Machine({"MSCluster_Cluster": [[]]})) is None


def test_a_cluster_that_cannot_be_read_is_an_error() -> None:
    fault = FaultError("RPC", hresults=(0x800706BA,))
    with pytest.raises(FaultError):
        cluster.read_cluster(Machine({"MSCluster_Cluster": [fault]}))


def test_the_state_of_nodes() -> None:
    states = {"N1": "0", "N2": "1", "N3": "2", "N4": "3", "N5": "4294967295"}
    nodes = [{"Name": name, "State": state} for name, state in states.items()] + [{"Name": "N6"}]
    found = cluster.read_cluster(Machine({"MSCluster_Cluster": [[{"Name": "C"}]], "MSCluster_Node": [nodes]}))
    assert found is not None
    assert [node.state for node in found.nodes] == ["up", "down", "paused", "joining", "unknown", "unknown"]
