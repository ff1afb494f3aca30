"""The scripts, run by the lab's Windows PowerShell, give what WMI has, whatever the machine's language, code page and policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell.session import PowerShellSession
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell.winrs import WinrsInterpreter
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError, ProcessError, RouteError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import ProcessResult, Route
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows import hyperv, kvp, licensing
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.cluster import read_cluster, with_roles
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.events import read_events
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.hypervisor import read_hypervisor
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.machine import read_machine

from lab.simulation import SimulatedMachine
from lab.topology import load
from lab.world import World

AVMA_2022, AVMA_2019 = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG", "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"

MACHINES: dict[str, dict[str, Any]] = {
    "plain": {},
    "constrained": {"powershell": {"constrained": True}},
    "Japanese": {"language": "ja-JP", "powershell": {"code_page": 932, "constrained": True}},
    "noisy profile": {"powershell": {"profile": ["Welcome", "to VM"], "utc_offset": -480}},
}


class Console:
    """The programs of a machine of the lab, over its own code page."""

    encrypted = True

    def __init__(self, machine: SimulatedMachine) -> None:
        self.machine = machine
        self.starts = 0

    def run(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        assert stdin.isascii()
        self.starts += 1
        result = self.machine.console(self.machine.processes.code_page).cmd(" ".join([command, *arguments]), stdin)
        assert self.machine.traffic.journal.unsupported == []
        return ProcessResult(result.exit_code, result.stdout, result.stderr)


def world(**guest: Any) -> World:
    nodes = [
        {
            "name": "N1",
            "release": "2025",
            "license": "mak",
            "guests": [{"name": "VM", "vm_name": "Söhne 'x'", **guest}],
        },
        {"name": "N2", "release": "2025", "license": "mak"},
    ]
    return load({"hosts": nodes, "clusters": [{"name": "HVC", "nodes": ["N1", "N2"]}]})


def session(machine: SimulatedMachine) -> tuple[PowerShellSession, Console]:
    console = Console(machine)
    return PowerShellSession(WinrsInterpreter(console, Route("winrm")), machine.name), console


@pytest.mark.parametrize("name", MACHINES)
def test_a_guest_is_read_and_activated(name: str) -> None:
    talk, console = session(world(**MACHINES[name]).machines["VM"])
    machine = read_machine(talk)
    assert console.starts == 1
    assert (machine.name, machine.system.build, machine.license) == ("VM", 20348, None)
    service = licensing.find_service(talk)
    assert licensing.install_product_key(talk, service, AVMA_2022)
    licensing.refresh_license_status(talk, service)
    installed = licensing.read_license(talk, 20348)
    assert installed
    assert licensing.activate(talk, installed.activation_id)
    license = licensing.read_license(talk, 20348)
    assert license
    assert license.proved
    assert license.activation
    now = console.machine.surroundings.clock()
    assert license.activation.time
    assert abs((license.activation.time - now).total_seconds()) < 60
    assert {event.hresult for event in read_events(talk, [12309], 2)} == {0}
    hypervisor = read_hypervisor(talk)
    assert (hypervisor.host, hypervisor.vm_name, hypervisor.activation_component) == ("N1", "Söhne 'x'", True)


PLACES = ["id", "error_data", "hresult", "status_code", "inner", "message"]


@pytest.mark.parametrize("place", PLACES)
def test_the_code_of_a_failed_method_is_found_wherever_it_stands(place: str) -> None:
    talk, _ = session(world(powershell={"hresult_in": [place], "constrained": True}, language="ja-JP").machines["VM"])
    with pytest.raises(licensing.LicensingError) as caught:
        licensing.install_product_key(talk, licensing.find_service(talk), AVMA_2019)
    assert caught.value.hresult == 0xC004E016


def test_a_class_that_is_not_there_is_a_fault_with_its_code() -> None:
    talk, _ = session(world().machines["VM"])
    with pytest.raises(FaultError) as caught:
        talk.query("SELECT * FROM NoSuchThing")
    assert caught.value.hresults[0] == 0x80041010


def test_a_host_and_its_cluster_are_read() -> None:
    talk, _ = session(world(powershell={"constrained": True}).machines["N1"])
    (vm,) = hyperv.read_vms(talk)
    assert (vm.name, vm.state, vm.data_exchange) == ("Söhne 'x'", "running", True)
    assert vm.system
    assert vm.system.build == 20348
    cluster = read_cluster(talk)
    assert cluster
    assert [(node.name, node.state) for node in cluster.nodes] == [("N1", "up"), ("N2", "up")]
    [role] = [vm for vm in with_roles(talk, hyperv.read_vms(talk), "N1") if vm.clustered]
    assert (role.name.lower(), role.possible_owners) == ("söhne 'x'", ("N1", "N2"))


def test_values_of_the_registry_are_listed_read_and_removed() -> None:
    talk, _ = session(world(kvp={"Note": "für\nalle"}).machines["VM"])
    assert kvp.read_pool(talk)["Note"] == "für\nalle"
    assert kvp.remove_from_pool(talk, ["Note"]) == []
    assert "Note" not in kvp.read_pool(talk)


def test_no_secret_is_in_a_command_line_or_a_script() -> None:
    talk, console = session(world().machines["VM"])
    licensing.install_product_key(talk, licensing.find_service(talk), AVMA_2022)
    journal = console.machine.traffic.journal
    assert journal.scripts
    for text in (*journal.command_lines, *journal.scripts):
        assert "DV9BG" not in text


def test_cim_cmdlets_that_the_policy_lets_nobody_load_are_said() -> None:
    talk, _ = session(world(powershell={"constrained": True, "cim_module": "blocked"}).machines["VM"])
    with pytest.raises(RouteError) as caught:
        read_machine(talk)
    assert caught.value.problem.code == "powershell_refuses"


def test_programs_run_and_those_that_are_not_there_do_not() -> None:
    talk, _ = session(world().machines["VM"])
    with pytest.raises(ProcessError):
        talk.run("no-such-program.exe")
