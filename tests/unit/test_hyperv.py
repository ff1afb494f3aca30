"""Reading the VMs of a host, whatever their guests wrote into KVP, and switching their Data Exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.vms import Vm
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance, Reference
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.waits import Clock
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.attempts import Attempts
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.hyperv import (
    DATA_EXCHANGE,
    read_vms,
    switch_service,
)
from hypothesis import given
from hypothesis import strategies as st

from lab import embedded

ID = "8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11"
OTHER = "00000000-0000-4000-8000-00000000000A"
WS2016, WS2012R2 = 14393, 9600
JOB = Reference(
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ConcreteJob", {"InstanceID": "J"}
)
VM = Vm(ID, "web01", "running", data_exchange=False)


class FakeSession:
    """Answers from tables, and keeps what it was asked."""

    def __init__(
        self,
        rows: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        output: Mapping[str, Any] | Exception | None = None,
        jobs: Sequence[Mapping[str, Any] | Exception] = (),
    ) -> None:
        self.rows = {
            "Msvm_VirtualSystemManagementService": [{"Name": "vmms"}],
            "Msvm_GuestNetworkAdapterConfiguration": [],
            **(rows or {}),
        }
        self.output = output or {"ReturnValue": "0"}
        self.jobs = list(jobs)
        self.queries: list[str] = []
        self.invoked: list[tuple[str, Mapping[str, Any]]] = []

    def expect(self, *requests: object) -> None:
        """Nothing travels together here."""

    def query(self, wql: str, namespace: str, limit: int | None = None) -> list[Instance]:
        self.queries.append(wql)
        name = re.findall(r"FROM (\w+)", wql)[0]
        return [Instance(name, row) for row in self.rows[name]]

    def invoke(self, class_name: str, method: str, arguments: Any, selectors: Any, namespace: str) -> Instance:
        self.invoked.append((method, arguments))
        if isinstance(self.output, Exception):
            raise self.output
        return Instance(class_name, self.output)

    def get(self, class_name: str, selectors: Any, namespace: str) -> Instance:
        row = self.jobs.pop(0)
        if isinstance(row, Exception):
            raise row
        return Instance(class_name, row)


class FakeClock:
    """Time that passes only while one waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def host(systems: Sequence[Mapping[str, Any]], kvp: Mapping[str, Sequence[str]]) -> FakeSession:
    return FakeSession(
        {
            "Msvm_ComputerSystem": systems,
            "Msvm_KvpExchangeComponentSettingData": [
                {"InstanceID": rf"Microsoft:{row['Name']}\2A34B1C2-FD73-4043-8A5B-DD2159BC743F", "EnabledState": "2"}
                for row in systems
            ],
            "Msvm_KvpExchangeComponent": [
                {"SystemName": vm, "GuestIntrinsicExchangeItems": list(items)} for vm, items in kvp.items()
            ],
        }
    )


def system(name: str, element_name: str = "web01", state: str = "2") -> dict[str, str]:
    return {"Name": name, "ElementName": element_name, "EnabledState": state}


def read(session: Any, *names: str) -> list[Vm]:
    return read_vms(session, names)


def switch(session: Any, build: int = WS2016, timeout: int = 60, enabled: bool = True) -> dict[str, str]:
    clock = FakeClock()
    attempts = Attempts(timeout, Clock(lambda: clock.now, clock.sleep))
    return {
        vm: str(error) for vm, error in switch_service(session, DATA_EXCHANGE, [VM], enabled, build, attempts).items()
    }


BUILD = embedded.kvp_item("OSBuildNumber", "20348", 2)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "no XML",
        "<INSTANCE",
        "<INSTANCE/>",
        '<!DOCTYPE x [<!ENTITY e "boom">]><INSTANCE><PROPERTY NAME="Name"><VALUE>&e;</VALUE></PROPERTY></INSTANCE>',
        "<a>" * 1000 + "</a>" * 1000,
        '<?xml version="1.0" encoding="nonsense"?><INSTANCE/>',
        '<INSTANCE><PROPERTY NAME="Data"><VALUE>without a name</VALUE></PROPERTY></INSTANCE>',
    ],
)
def test_a_broken_item_loses_neither_the_others_nor_the_other_vms(broken: str) -> None:
    session = host([system(ID), system(OTHER, "web02")], {ID: [broken, BUILD], OTHER: [BUILD]})
    assert [vm.kvp for vm in read(session)] == [{"OSBuildNumber": "20348"}] * 2


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"])))
def test_whatever_data_an_item_holds_comes_through(data: str) -> None:
    session = host([system(ID)], {ID: [embedded.kvp_item("Role", data, 2)]})
    assert read(session)[0].kvp == {"Role": data}


def test_the_system_goes_before_what_programs_of_the_guest_claim() -> None:
    session = host([system(ID)], {ID: [BUILD]})
    session.rows["Msvm_KvpExchangeComponent"] = [
        {
            "SystemName": ID.lower(),
            "GuestExchangeItems": [embedded.kvp_item("OSBuildNumber", "1", 1), embedded.kvp_item("Role", "web", 1)],
            "GuestIntrinsicExchangeItems": [BUILD],
        }
    ]
    assert read(session)[0].kvp == {"OSBuildNumber": "20348", "Role": "web"}


def test_the_host_itself_is_no_vm() -> None:
    assert [vm.id for vm in read(host([system("HV01", "HV01"), system(ID)], {}))] == [ID]


@pytest.mark.parametrize(
    ("state", "word"),
    [("2", "running"), ("3", "off"), ("6", "saved"), ("9", "paused"), ("32773", "saving"), ("4711", "other")],
)
def test_the_state_is_a_word(state: str, word: str) -> None:
    assert read(host([system(ID, state=state)], {}))[0].state == word


def test_a_vm_without_the_service_has_no_data_exchange() -> None:
    session = host([system(ID)], {})
    session.rows["Msvm_KvpExchangeComponentSettingData"] = [
        {"InstanceID": r"Microsoft:Definition\2A34B1C2-FD73-4043-8A5B-DD2159BC743F\Default", "EnabledState": "2"}
    ]
    assert not read(session)[0].data_exchange


def test_a_vm_is_found_by_its_name_or_id_in_any_case() -> None:
    session = host([system(ID, "O'Brien\\s"), system(OTHER, "web02")], {})
    assert [vm.id for vm in read(session, "o'brien\\S")] == [ID]
    assert [vm.id for vm in read(session, ID.lower())] == [ID]
    assert read(session, "nowhere") == []


def test_only_the_named_vms_are_asked_for() -> None:
    session = host([system(ID), system(OTHER, "web02")], {})
    read(session, "web01")
    assert session.queries[1].endswith(rf"WHERE InstanceID = 'Microsoft:{ID}\\2A34B1C2-FD73-4043-8A5B-DD2159BC743F'")
    assert session.queries[2].endswith(f"WHERE SystemName = '{ID}'")


def test_very_many_named_vms_make_no_endless_condition() -> None:
    names = [f"VM{number}" for number in range(100)]
    session = host([system(f"{number:08X}-0000-4000-8000-000000000000", name) for number, name in enumerate(names)], {})
    assert len(read(session, *names)) == 100
    assert not [query for query in session.queries if "WHERE" in query]


@pytest.mark.parametrize(
    ("build", "enabled", "method", "parameter", "state"),
    [
        (WS2016, True, "ModifyGuestServiceSettings", "GuestServiceSettings", "2"),
        (WS2016, False, "ModifyGuestServiceSettings", "GuestServiceSettings", "3"),
        (WS2012R2, True, "ModifyResourceSettings", "ResourceSettings", "2"),
    ],
)
def test_a_setting_is_sent_as_an_embedded_instance(
    build: int, enabled: bool, method: str, parameter: str, state: str
) -> None:
    session = FakeSession()
    assert switch(session, build, enabled=enabled) == {}
    [(invoked, arguments)] = session.invoked
    [text] = arguments[parameter]
    assert invoked == method
    assert embedded.parse(text) == (
        "Msvm_KvpExchangeComponentSettingData",
        {"InstanceID": rf"Microsoft:{ID}\2A34B1C2-FD73-4043-8A5B-DD2159BC743F", "EnabledState": state},
    )


def running(state: str = "4") -> dict[str, str]:
    return {"JobState": state}


@pytest.mark.parametrize(
    ("jobs", "error"),
    [
        ([running(), running(), running("7")], None),
        ([running("32768")], None),
        ([{"JobState": "10", "ErrorCode": "32768", "ErrorDescription": "Fehler"}], "Fehler (error 32768)"),
        ([running("9")], "no reason given (error None)"),
        ([running()] * 100, "its job has not ended in time"),
        # Windows stopped waiting for the answer, not working on the job.
        ([FaultError("timed out", FaultError.OPERATION_TIMED_OUT)], None),
        ([FaultError("denied", 5, (0x80070005,))], "denied - 0x80070005 (E_ACCESSDENIED): access is denied"),
    ],
)
def test_waits_for_the_job_to_end(jobs: list[Any], error: str | None) -> None:
    session = FakeSession(output={"ReturnValue": "4096", "Job": JOB}, jobs=jobs)
    assert switch(session) == ({ID: error} if error else {})


def test_a_refusal_is_told_by_its_return_value() -> None:
    assert switch(FakeSession(output={"ReturnValue": "32775"})) == {ID: "Hyper-V returned 32775"}


def test_the_id_of_a_vm_cannot_break_out_of_the_setting() -> None:
    session = FakeSession()
    clock = FakeClock()
    hostile = Vm('"/><x a="', "web01", "running", data_exchange=False)
    switch_service(session, DATA_EXCHANGE, [hostile], True, WS2016, Attempts(1, Clock(lambda: clock.now, clock.sleep)))  # type: ignore[arg-type]
    assert escape(hostile.id, {'"': "&quot;"}) in session.invoked[0][1]["GuestServiceSettings"][0]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("0", "none"),
        ("1", "primary"),
        ("2", "replica"),
        ("3", "test_replica"),
        ("4", "extended_replica"),
        ("9", None),
        (None, None),
    ],
)
def test_the_part_of_a_vm_in_replication(mode: str | None, expected: str | None) -> None:
    [found] = read(host([{**system(ID), "ReplicationMode": mode}], {}))
    assert found.replication_mode == expected == found.to_dict()["replication_mode"]


PROSE = "The following Msvm_KvpExchangeDataItem.Name keys are deprecated; use NetworkAddressIPv4 instead"


def adapters(*addresses: str, vm_id: str = ID) -> list[dict[str, Any]]:
    return [{"InstanceID": rf"Microsoft:GuestNetwork\{vm_id.lower()}\C9D2", "IPAddresses": list(addresses)}]


def test_an_address_that_is_prose_is_none_and_the_adapters_tell() -> None:
    items = [
        embedded.kvp_item(name, PROSE, 2) for name in ("NetworkAddressIPv4", "NetworkAddressIPv6", "RDPAddressIPv4")
    ]
    session = host([system(ID)], {ID: items})
    session.rows["Msvm_GuestNetworkAdapterConfiguration"] = [
        *adapters("2001:db8::7%5", "192.0.2.7", "nonsense"),
        *adapters("192.0.2.8", vm_id=OTHER),
    ]
    shown = read(session)[0].to_dict()
    assert shown["addresses"] == ["192.0.2.7", "2001:db8::7"]
    assert shown["rdp_addresses"] == []
    assert shown["kvp"]["RDPAddressIPv4"] == PROSE


def test_the_adapters_are_asked_only_where_a_guest_tells_no_address() -> None:
    session = host([system(ID)], {ID: [embedded.kvp_item("NetworkAddressIPv4", "192.0.2.17;fe80::1%3", 2)]})
    assert read(session)[0].addresses == ["192.0.2.17", "fe80::1"]
    assert not [query for query in session.queries if "Adapter" in query]
    session = host([system(ID, state="3")], {})
    assert read(session)[0].addresses == []
    assert not [query for query in session.queries if "Adapter" in query]
