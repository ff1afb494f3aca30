# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The simulated hosts: Hyper-V's provider, KVP, the guests' registry, clusters (facts/avma.md §5, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from lab.cim import Reference, Value
from lab.topology import load
from lab.world import World
from unit.lab.model_client import Wmi, one_guest, refusal

V2 = "root/virtualization/v2"
MSCLUSTER = "root/MSCluster"
PARAMETERS = r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters"


def kvp(world: World, host: str = "HV") -> dict[str, str]:
    """The intrinsic items of the host's only guest; without any, nothing."""
    (row,) = Wmi(world.machines[host]).rows("Msvm_KvpExchangeComponent", V2)
    items = row["GuestIntrinsicExchangeItems"]
    found = {}
    for text in items if isinstance(items, list) else []:
        instance = ElementTree.fromstring(str(text))
        values = {item.get("NAME"): item.findtext("VALUE") or "" for item in instance}
        assert (instance.get("CLASSNAME"), values["Source"]) == ("Msvm_KvpExchangeDataItem", "2")
        found[str(values["Name"])] = str(values["Data"])
    return found


def test_kvp_tells_release_and_edition() -> None:
    items = kvp(one_guest(release="2019", edition="standard", core=True))
    assert (items["OSBuildNumber"], items["OSEditionId"], items["OSVersion"]) == ("17763", "148", "10.0.17763")
    assert items["FullyQualifiedDomainName"] == "VM.lab.example"


@pytest.mark.parametrize(
    "guest", [{"data_exchange": False}, {"running": False}, {"services": {"vmickvpexchange": "stopped"}}], ids=str
)
def test_kvp_is_silent(guest: dict[str, object]) -> None:
    assert kvp(one_guest(**guest)) == {}


def test_names_are_escaped_in_kvp() -> None:
    world = one_guest(kvp={"Owner": "<R&D>"})
    (row,) = Wmi(world.machines["HV"]).rows("Msvm_KvpExchangeComponent", V2)
    (item,) = row["GuestExchangeItems"]  # type: ignore[misc]
    assert "&lt;R&amp;D&gt;" in str(item)


def test_the_virtual_machines_and_their_host_are_computer_systems() -> None:
    world = one_guest({"language": "ja-JP"}, vm_name="O'Brien\\s VM", checkpoint=True)
    host, vm = Wmi(world.machines["HV"]).rows("Msvm_ComputerSystem", V2)
    assert (host["Name"], vm["ElementName"], vm["Caption"]) == ("HV", "O'Brien\\s VM", "仮想マシン")
    settings = Wmi(world.machines["HV"]).rows("Msvm_VirtualSystemSettingData", V2)
    realized = [row for row in settings if row["VirtualSystemType"] == "Microsoft:Hyper-V:System:Realized"]
    assert [row["VirtualSystemIdentifier"] for row in realized] == [vm["Name"]]
    assert len(settings) == 2


def setting(world: World, state: str) -> str:
    """The embedded instance that switches Data Exchange of the only guest."""
    identifier = f"Microsoft:{world.state('VM')['vm_id']}\\2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
    return (
        '<INSTANCE CLASSNAME="Msvm_KvpExchangeComponentSettingData">'
        f'<PROPERTY NAME="EnabledState" TYPE="uint16"><VALUE>{state}</VALUE></PROPERTY>'
        f'<PROPERTY NAME="InstanceID" TYPE="string"><VALUE>{identifier}</VALUE></PROPERTY></INSTANCE>'
    )


def modify(world: World, text: str | list[str], method: str = "ModifyGuestServiceSettings") -> tuple[int, Any]:
    """Return value and job of a change."""
    parameter = method.removeprefix("Modify")
    result = Wmi(world.machines["HV"]).invoke("Msvm_VirtualSystemManagementService", method, {}, {parameter: text}, V2)
    return result.return_value, result.out.get("Job")


def test_data_exchange_is_switched_on() -> None:
    world = one_guest(data_exchange=False)
    assert modify(world, setting(world, "2")) == (0, None)
    assert kvp(world)["OSBuildNumber"] == "20348"


def test_a_slow_job_applies_the_change_at_its_end() -> None:
    world = one_guest({"jobs": {"polls": 1}}, data_exchange=False)
    code, job = modify(world, [setting(world, "2")])
    assert code == 4096
    assert isinstance(job, Reference)
    host = Wmi(world.machines["HV"])

    def state() -> Value:
        (row,) = host.rows("Msvm_ConcreteJob", V2)
        assert row["InstanceID"] == job.keys["InstanceID"]
        return row["JobState"]

    assert (state(), world.state("VM")["data_exchange"]) == (4, False)
    assert (state(), world.state("VM")["data_exchange"]) == (7, True)


def test_a_failing_job_changes_nothing() -> None:
    world = one_guest({"jobs": {"fails": True}}, data_exchange=False)
    assert modify(world, setting(world, "2"))[0] == 4096
    (row,) = Wmi(world.machines["HV"]).rows("Msvm_ConcreteJob", V2)
    assert (row["JobState"], row["ErrorCode"], world.state("VM")["data_exchange"]) == (10, 32768, False)


@pytest.mark.parametrize("text", ["", "<a/>", '<INSTANCE CLASSNAME="Msvm_KvpExchangeComponentSettingData"/>'])
def test_settings_that_name_nothing_are_refused(text: str) -> None:
    assert modify(one_guest(), text)[0] == 4


def test_2012_r2_has_no_modify_guest_service_settings() -> None:
    world = one_guest({"release": "2012 R2"}, release="2012 R2", data_exchange=False)
    assert refusal(lambda: modify(world, setting(world, "2"))) == 0x8004102E
    assert modify(world, setting(world, "2"), "ModifyResourceSettings")[0] == 0
    assert world.state("VM")["data_exchange"]


def registry(world: World, method: str, name: str = "", path: str = PARAMETERS) -> tuple[int, Mapping[str, Value]]:
    """Ask StdRegProv of the guest."""
    arguments = {"hDefKey": "2147483650", "sSubKeyName": path, "sValueName": name}
    result = Wmi(world.machines["VM"]).invoke("StdRegProv", method, {}, arguments, "root/default")
    return result.return_value, result.out


class TestRegistry:
    r"""Guest\Parameters describes the host as long as Data Exchange works."""

    def world(self, **guest: object) -> World:
        hosts = [{"name": "A", "license": "mak", "guests": [{"name": "VM", **guest}]}, {"name": "B", "release": "2025"}]
        return load({"hosts": hosts})

    def test_the_guest_knows_its_host(self) -> None:
        world = self.world()
        assert registry(world, "GetStringValue", "PhysicalHostNameFullyQualified") == (0, {"sValue": "A.lab.example"})
        assert registry(world, "GetDWORDValue", "hostingsystemeditionid") == (0, {"uValue": 8})
        assert "VirtualMachineId" in (registry(world, "EnumValues")[1]["sNames"] or ())  # type: ignore[operator]

    def test_it_learns_of_a_migration_through_data_exchange_only(self) -> None:
        world = self.world()
        world.migrate("VM", "B")
        world.set("VM", "data_exchange", "false")
        world.migrate("VM", "A")
        assert registry(world, "GetStringValue", "PhysicalHostName")[1] == {"sValue": "B"}

    def test_without_data_exchange_there_is_nothing(self) -> None:
        assert registry(self.world(data_exchange=False), "GetStringValue", "HostName") == (2, {"sValue": None})

    def test_values_of_the_guests_pool(self) -> None:
        world = self.world(kvp={"Owner": "R&D", "Stage": "test"})
        path = PARAMETERS.rsplit("\\", 1)[0]
        assert registry(world, "EnumValues", path=path)[1] == {"sNames": ["Owner", "Stage"], "Types": [1, 1]}
        assert registry(world, "DeleteValue", "OWNER", path)[0] == 0
        assert registry(world, "DeleteValue", "OWNER", path)[0] == 2
        assert registry(world, "EnumValues", path=path)[1]["sNames"] == ["Stage"]
        assert registry(world, "GetStringValue", "HostName")[0] == 0
        assert registry(world, "EnumKey", path=path)[1] == {"sNames": ["Parameters"]}


def cluster(**options: object) -> World:
    """A cluster of two nodes with a guest on the first, and a host that is no node."""
    return load(
        {
            "hosts": [
                {"name": "N1", "release": "2022", "guests": [{"name": "VM", **options}]},
                {"name": "N2", "release": "2019"},
                {"name": "N3", "release": "2022"},
            ],
            "clusters": [{"name": "CL", "nodes": ["N1", "N2"]}],
        }
    )


class TestCluster:
    """root/MSCluster on the nodes."""

    def nodes(self, world: World, ask: str = "N1") -> dict[Value, Value]:
        return {row["Name"]: row["State"] for row in Wmi(world.machines[ask]).rows("MSCluster_Node", MSCLUSTER)}

    def owners(self, world: World) -> set[str]:
        rows = Wmi(world.machines["N1"]).rows("MSCluster_ResourceToPossibleOwner", MSCLUSTER)
        return {row["PartComponent"].keys["Name"] for row in rows}  # type: ignore[union-attr]

    def test_states_of_nodes(self) -> None:
        world = cluster()
        assert self.nodes(world) == {"N1": 0, "N2": 0}
        world.stop("N2")
        assert self.nodes(world) == {"N1": 0, "N2": 1}
        world.start("N2")
        world.set("N2", "node_state", "paused")
        assert self.nodes(world) == {"N1": 0, "N2": 2}

    def test_the_guests_are_groups(self) -> None:
        rows = Wmi(cluster(vm_name="Ödön").machines["N2"]).rows("MSCluster_ResourceGroup", MSCLUSTER)
        assert [(row["Name"], row["GroupType"], row["OwnerNode"]) for row in rows][1:] == [("Ödön", 111, "N1")]

    def test_possible_owners(self) -> None:
        assert self.owners(cluster()) == {"N1", "N2"}
        assert self.owners(cluster(possible_owners=["N1"])) == {"N1"}

    def test_guests_of_a_node_that_dies_fail_over(self) -> None:
        world = cluster()
        world.stop("N1")
        assert (world.state("VM")["host"], world.state("VM")["running"]) == ("N2", True)

    def test_guests_that_may_not_move_stop_with_their_node(self) -> None:
        for world in (cluster(possible_owners=["N1"]), cluster(clustered=False)):
            world.stop("N1")
            assert (world.state("VM")["host"], world.state("VM")["running"]) == ("N1", False)

    def test_a_host_joins_and_leaves(self) -> None:
        world = cluster()
        assert refusal(lambda: self.nodes(world, "N3")) == 0x8004100E
        world.set("N3", "cluster", "CL")
        assert self.nodes(world, "N3") == {"N1": 0, "N2": 0, "N3": 0}
        assert world.groups["CL"] == ["N1", "N2", "N3"]
        world.set("N3", "cluster", "none")
        assert refusal(lambda: self.nodes(world, "N3")) == 0x8004100E

    def test_a_stopped_host_takes_no_guest(self) -> None:
        world = cluster()
        world.stop("N2")
        with pytest.raises(ValueError, match="N2"):
            world.migrate("VM", "N2")


def test_namespaces_and_classes_that_are_not_there() -> None:
    guest = one_guest().machines["VM"]
    assert refusal(lambda: guest.cim_class(V2, "Msvm_ComputerSystem")) == 0x8004100E
    assert refusal(lambda: guest.cim_class("root/cimv2", "Win32_Nothing")) == 0x80041010
    assert guest.cim_class("ROOT\\CIMV2", "win32_operatingsystem").name == "Win32_OperatingSystem"


@pytest.mark.parametrize(
    ("guest", "sku", "build"),
    [
        ({"release": "2025"}, 8, "26100"),
        ({"release": "2016", "edition": "essentials"}, 50, "14393"),
        ({"release": "2022", "edition": "azure", "core": True}, 408, "20348"),
        ({"release": "2012 R2", "core": True}, 12, "9600"),
        ({"release": "1909", "edition": "standard"}, 146, "18363"),
        ({"release": "2019", "evaluation": True}, 80, "17763"),
        ({"release": "Windows 11", "edition": "pro"}, 48, "26100"),
        ({"release": "2019", "core": True, "sku": 12}, 12, "17763"),
    ],
)
def test_what_the_operating_system_says(guest: dict[str, Any], sku: int, build: str) -> None:
    (system,) = Wmi(one_guest(**guest).machines["VM"]).rows("Win32_OperatingSystem")
    assert (system["OperatingSystemSKU"], system["BuildNumber"]) == (sku, build)


def test_where_a_machine_runs() -> None:
    world = one_guest(activation_component=False)
    (system,) = Wmi(world.machines["VM"]).rows("Win32_ComputerSystem")
    assert system["Model"] == "Virtual Machine"
    devices = [str(row["DeviceID"]).lower() for row in Wmi(world.machines["VM"]).rows("Win32_PnPEntity")]
    assert not any("3375baf4" in device for device in devices)
    devices = [str(row["DeviceID"]).lower() for row in Wmi(one_guest().machines["VM"]).rows("Win32_PnPEntity")]
    assert any("3375baf4-9e15-4b30-b765-67acb10d607b" in device for device in devices)
    (system,) = Wmi(world.machines["HV"]).rows("Win32_ComputerSystem")
    assert system["Model"] != "Virtual Machine"
    assert system["HypervisorPresent"] is True


def test_only_hyper_v_hosts_have_its_service() -> None:
    for hyperv in (True, False):
        services = Wmi(one_guest({"hyperv": hyperv, "guests": []}).machines["HV"]).rows("Win32_Service")
        assert ("vmms" in {row["Name"] for row in services}) is hyperv


def test_old_events_are_made_as_they_are_asked_for() -> None:
    world = one_guest(old_events=100_000)
    machine = world.machines["VM"]
    rows = iter(machine.instances(machine.cim_class("root/cimv2", "Win32_NTLogEvent")))
    assert next(rows).values["RecordNumber"] == 100_000
