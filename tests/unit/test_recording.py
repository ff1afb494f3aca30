"""Recording what goes over the wire: nothing that tells whose machines they are, and all that the parser needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.keys import last_five
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import ProcessResult
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.waits import Clock
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows import (
    azure_local,
    events,
    hosts,
    hyperv,
    kvp,
    licensing,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.attempts import Attempts
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.cluster import read_cluster
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.hypervisor import read_hypervisor
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.system import read_operating_system, read_platform
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.recording import RecordingTransport, scrub
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.session import WSManSession

from lab import soap
from lab.counters import Journal
from lab.machine import GuestMachine, WindowsMachine
from lab.topology import load
from lab.world import World
from lab.wsman import Service
from unit.replay import recorded, replay, sessions

KEY = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
PROBE = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
TOPOLOGY = {
    "domain": "contoso.example",
    "keys": [{"key": KEY, "release": "2025", "channel": "mak", "activations": 5}],
    "defaults": {"all": {"account": {"name": "Svc-Avma", "password": "Pa55-w0rd"}}},
    "hosts": [
        {
            "name": "BERLIN-HV1",
            "release": "2025",
            "language": "de-DE",
            "license": KEY,
            "jobs": {"polls": 2},
            "listener": {"fault_form": "wsman", "prefixes": "shuffled", "page_size": 1},
            "guests": [
                {"name": "PAYROLL", "vm_name": "Payroll (Müller's)", "addresses": ["10.20.30.40", "fe80::1234"]},
                {"name": "4711", "vm_name": "4711", "release": "2019", "kvp": {"CostCentre": "Geheim 99"}},
                {"name": "TUX", "linux": True, "listen": False},
            ],
        },
        {"name": "BERLIN-HV2", "release": "2025", "license": "mak", "listener": {"optimize_enumeration": False}},
        {"name": "AZL-MUC", "release": "Azure Local 24H2", "edition": "azure_local", "azure_local": {"key": KEY}},
    ],
    "clusters": [{"name": "KRONOS", "nodes": ["BERLIN-HV1", "BERLIN-HV2"]}],
}


class ModelTransport:
    """The way to a machine of the lab, without the network."""

    encrypted = True
    operation_timeout = 20

    def __init__(self, machine: WindowsMachine, address: str = "192.0.2.77") -> None:
        self.endpoint = f"http://{address}:5985/wsman"
        self._machine = machine
        self._service = Service(machine, machine.listener, Journal())

    def send(self, message: bytes) -> bytes:
        _well, answer = self._service.answer(soap.parse(message))
        return answer

    def run(self, command: str, arguments: Any, stdin: bytes) -> ProcessResult:
        result = self._machine.execute(command, list(arguments), stdin)
        return ProcessResult(result.exit_code, result.stdout, result.stderr)


def record_everything(world: World, folder: Path) -> None:
    """Whatever this collection asks machines for, and its changes."""
    clock = Clock(lambda: 0.0, lambda _seconds: None)
    # Guests first: they need the Data Exchange that is switched off at their hosts.
    for name in sorted(world.machines, key=lambda name: not isinstance(world.machine(name), GuestMachine)):
        session = WSManSession(RecordingTransport(ModelTransport(world.machine(name)), folder), name)
        build = read_operating_system(session).build
        read_platform(session)
        licensing.read_license(session, build)
        events.read_events(session, [12309, 12310], 5)
        with suppress(FaultError):
            read_hypervisor(session)
        with suppress(FaultError):
            read_cluster(session)
        if isinstance(world.machine(name), GuestMachine):
            with suppress(licensing.LicensingError):
                licensing.install_product_key(session, licensing.find_service(session), PROBE)
            license = licensing.read_license(session, build)
            if license:
                with suppress(licensing.LicensingError):
                    licensing.activate(session, license.activation_id)
            licensing.read_license(session, build)
            events.read_events(session, [12309, 12310], 5)
            kvp.read_pool(session)
            kvp.remove_from_pool(session, ["CostCentre"])
        else:
            hosts.read_host(session)
            with suppress(licensing.LicensingError):
                licensing.install_product_key(session, licensing.find_service(session), KEY)
            hyperv.read_vms(session, ["Payroll (Müller's)"])
            vms = hyperv.read_vms(session)
            hyperv.switch_service(session, hyperv.DATA_EXCHANGE, vms, False, build, Attempts(9, clock))
    session = WSManSession(RecordingTransport(ModelTransport(world.machine("AZL-MUC")), folder), "AZL-MUC")
    azure_local.set_product_key(session, KEY)


def secrets_of(world: World) -> set[str]:
    """What must be in no recording."""
    found = {"contoso", "192.0.2.77", "10.20.30.40", "fe80", "1234", "Müller", "CostCentre", "Geheim", "KRONOS"}
    found |= {KEY, last_five(KEY), PROBE, last_five(PROBE)}
    found |= {key.key for key in world.key_store} | {key.last_five for key in world.key_store}
    for host in world.machines:
        machine = world.machine(host)
        found |= {machine.name, machine.system.fqdn, machine.account.name, machine.account.password}
        if isinstance(machine, GuestMachine):
            found |= {machine.vm_id, machine.vm_name}
    return found | {"TUX", "BERLIN", "PAYROLL", "4711"}


@pytest.fixture(scope="module")
def world() -> World:
    return load(TOPOLOGY)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recording") / "made" / "here"
    record_everything(world, folder)
    return folder


def texts(folder: Path) -> Iterator[str]:
    return (path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())


def test_nothing_tells_whose_machines_they_are(world: World, folder: Path) -> None:
    everything = "\n".join(texts(folder)).lower()
    # Hexadecimal digits may be a part of a pseudonym, by chance.
    words = set(re.findall(r"\w+", re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", everything)))
    for secret in map(str.lower, secrets_of(world)):
        assert secret not in (words if re.fullmatch("[0-9a-f]+", secret) else everything), secret


def test_what_the_recording_is_made_for_is_there(folder: Path) -> None:
    everything = "\n".join(texts(folder))
    for kept in (
        "<ProductKeyChannel>VT:IA</ProductKeyChannel>",
        "SELECT BuildNumber, OperatingSystemSKU",
        "ServerDatacenter",
        "VIRTUAL_MACHINE_ACTIVATION",
        "0xc004e016",
        "Microsoft-Windows-Security-SPP",
        r"SOFTWARE\Microsoft\Virtual Machine\Guest\Parameters",
        "2A34B1C2-FD73-4043-8A5B-DD2159BC743F",
        "OSBuildNumber",
        "20348",
    ):
        assert kept in everything, kept


def test_the_same_word_has_the_same_pseudonym_in_every_session(folder: Path) -> None:
    # The two keys that the machines were given, each in a session of its own.
    keys = [key for text in texts(folder) for key in re.findall("<p:ProductKey>(.*?)</p:ProductKey>", text)]
    assert len(keys) > 3
    assert len(set(keys)) == 2


def test_what_is_run_is_recorded_by_its_size(folder: Path) -> None:
    processes = [path.read_text(encoding="utf-8") for path in folder.rglob("*-process.txt")]
    inputs = sorted(re.findall("standard input: ([0-9]+) bytes, exit code: 0", text)[0] for text in processes)
    assert inputs == ["0", str(len(KEY) + 2)]


@pytest.mark.parametrize("wrong", [b"", b"<html>HV01", b'<!DOCTYPE a [<!ENTITY b "HV01">]><a>&b;</a>'])
def test_what_is_no_xml_is_recorded_by_its_size(wrong: bytes) -> None:
    assert scrub(wrong) == f"not XML: {len(wrong)} bytes"


def test_only_what_is_listed_stays() -> None:
    message = (
        '<a:Fault xmlns:a="http://schemas.example/a" xmlns:b="urn:HV01" Code="5" Machine="HV01.x"><!-- HV01 --><?HV01 HV01?>'
        "<a:ResourceURI>http://HV01/wmi</a:ResourceURI><a:Unheard>17</a:Unheard><a:BuildNumber>20348</a:BuildNumber>"
        "<a:When>2026-01-02T03:04:05Z</a:When><a:Filter>SELECT a FROM b WHERE c = 'HV01 \\'x\\\\HV01' AND d = 7</a:Filter></a:Fault>"
    )
    scrubbed = scrub(message.encode())
    assert "HV01" not in scrubbed
    assert ">17<" not in scrubbed
    for kept in ('Code="5"', "20348", "2026-01-02T03:04:05Z", "SELECT a FROM b WHERE c = '", "AND d = 7"):
        assert kept in scrubbed


def test_recording_can_be_replayed(folder: Path) -> None:
    outcomes = [outcome for session in sessions(folder) for outcome in replay(session)]
    requests = len(list(folder.rglob("*-request.xml")))
    assert requests / 3 < len(outcomes) < requests
    assert any(isinstance(outcome, FaultError) for outcome in outcomes)
    rows = [row for outcome in outcomes if not isinstance(outcome, FaultError) for row in outcome]
    assert {row.integer("BuildNumber") for row in rows if "BuildNumber" in row} == {26100, 20348, 17763}
    assert any(row.text("ProductKeyChannel") == "VT:IA" and row.integer("LicenseStatus") == 1 for row in rows)
    assert any(row.datetime("AutomaticVMActivationLastActivationTime") for row in rows if "IAID" in row)
    assert any(row.reference("Job") for row in rows if "Job" in row)


def test_replay_notices_another_request(folder: Path, tmp_path: Path) -> None:
    session = tmp_path / "session"
    session.mkdir()
    option = "<w:OptimizeEnumeration></w:OptimizeEnumeration>"
    # Those of one second are in no order, and not every session asks a query.
    queried = next(made for made in sessions(folder) if any(option in path.read_text() for path in made.iterdir()))
    for path in queried.iterdir():
        (session / path.name).write_text(path.read_text(encoding="utf-8").replace(option, ""), encoding="utf-8")
    with pytest.raises(AssertionError, match="another request than"):
        replay(session)


@pytest.mark.parametrize("session", recorded(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_recordings_of_real_machines(session: Path) -> None:
    """Every request is still the same, and every answer is still understood."""
    for outcome in replay(session):
        assert isinstance(outcome, FaultError) or all(isinstance(row, Instance) for row in outcome)
