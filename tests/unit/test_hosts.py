# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts: what is read of them, what is decided, and what is done in which order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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
from unit.fakes import FakeSession, FakeTime, Row

KEY, OTHER = made_up_key("host"), made_up_key("other")
LAST_FIVE = KEY[-5:]
WHOLE = {"Key": KEY, "Note": f"set to {KEY.lower()} by admin"}


def license(status: Status = Status.LICENSED, key: str = KEY, reason: int | None = None) -> License:
    return License(
        name="Windows(R), ServerDatacenter edition",
        description="",
        status=status,
        reason=reason,
        channel="Retail",
        partial_product_key=key[-5:],
        activation_id="id",
        grace_minutes=0,
        license_family="ServerDatacenter",
    )


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
        methods: Iterable[FaultError] = (),
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
            for fault in faults:
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


def row(status: int, key: str = KEY) -> list[Row]:
    return [{"ID": "id", "LicenseStatus": str(status), "PartialProductKey": key[-5:]}]


IN_PROGRESS = FaultError("busy", hresults=(0xC004E028,))
TIMED_OUT = FaultError("late", wsman_code=FaultError.OPERATION_TIMED_OUT)


def carry_out(machine: Machine, step: Step = Step.ACTIVATE, timeout: int = 60) -> hosts.HostOutcome:
    of = license(Status.NOTIFICATION)
    return hosts.carry_out(machine, windows_server(of=of), step, KEY, True, timeout, machine.time.clock)


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
    assert [item.code for item in outcome.problems] == ["host_activation_timed_out"]
    assert (machine.called, machine.time.now) == (["Activate"], 20.0)


def test_a_key_that_windows_took_and_does_not_hold_is_not_activated() -> None:
    machine = Machine({"SoftwareLicensingProduct": [row(5, OTHER)], "SoftwareLicensingService": [[{"Version": "1"}]]})
    outcome = carry_out(machine, Step.INSTALL)
    assert [item.code for item in outcome.problems] == ["key_not_taken"]
    assert "Activate" not in machine.called


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
    outcome = hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, KEY, True, 60)
    assert (outcome.problems, outcome.doubts) == ((), ())
    assert machine.stdin == [f"{KEY}\r\n".encode(), b""]


@pytest.mark.parametrize(
    ("said", "error", "after", "code", "hresult"),
    [
        ([], "no good 0xC004F050", [], "key_rejected", 0xC004F050),
        ([{"Message": "no good", "Code": "0xc004e016"}], None, [], "key_rejected", 0xC004E016),
        ([{"Succeeded": False}], None, [], "key_rejected", None),
        (None, "no good", ["?"], "key_rejected", None),
        (None, None, [OTHER[-5:]], "key_rejected", None),
        (None, "warned only", [LAST_FIVE], None, None),
        (None, None, ["?"], None, None),
    ],
)
def test_what_is_read_back_decides(
    said: Any, error: str | None, after: Any, code: str | None, hresult: int | None
) -> None:
    machine = Machine(NO_ROWS, programs=[{"result": said, "error": error}, {**ANSWER, "result": after}])
    outcome = hosts.carry_out(machine, on_azure_local(avma([])), Step.INSTALL, KEY, True, 60)
    assert [(item.code, item.hresult) for item in outcome.problems] == ([(code, hresult)] if code else [])
    assert [item.code for item in outcome.doubts] == (["host_key_unproved"] if after == ["?"] and not code else [])


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
