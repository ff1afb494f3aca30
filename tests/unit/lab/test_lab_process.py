# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab as a process: command line, control endpoint, inventory, client."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypsrp.wsman import WSMan
from winrm.exceptions import InvalidCredentialsError
from winrm.protocol import Protocol

from lab.client import Lab
from lab.control import Control, ControlError
from unit.lab.wire_client import query, sender

TESTS = Path(__file__).resolve().parents[2]
TOPOLOGY = TESTS / "lab" / "topologies" / "demo.yml"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(TOPOLOGY, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def clean(lab: Lab) -> Iterator[Lab]:
    """The lab, with its journals new and its faults cleared."""
    lab.reset_counters()
    yield lab
    lab.clear_faults()


def hosts(lab: Lab) -> dict[str, dict[str, Any]]:
    inventory: dict[str, Any] = yaml.safe_load(lab.inventory.read_text())
    return inventory["all"]["hosts"]  # type: ignore[no-any-return]


def first_guest(lab: Lab) -> str:
    return next(iter(yaml.safe_load(lab.inventory.read_text())["all"]["children"]["avma_guests"]["hosts"]))


def ask(lab: Lab, name: str, plugin: str = "winrm", **changed: Any) -> list[dict[str, list[str | None]]]:
    """The operating system of a machine, by what the inventory says of it for one of the connection plugins."""
    host = hosts(lab)[name] | changed
    client: Protocol | WSMan
    if plugin == "winrm":
        client = Protocol(
            f"{host['ansible_winrm_scheme']}://{host['ansible_host']}:{host['ansible_port']}/wsman",
            transport=host["ansible_winrm_transport"],
            username=host["ansible_user"],
            password=host["ansible_password"],
            ca_trust_path=host.get("ansible_winrm_ca_trust_path"),
            cert_pem=host.get("ansible_winrm_cert_pem"),
            cert_key_pem=host.get("ansible_winrm_cert_key_pem"),
            proxy=None,
        )
    else:
        client = WSMan(
            host["ansible_host"],
            port=host["ansible_port"],
            ssl=host["ansible_psrp_protocol"] == "https",
            auth=host["ansible_psrp_auth"],
            username=host["ansible_user"],
            password=host["ansible_password"],
            encryption=host.get("ansible_psrp_message_encryption", "auto"),
            cert_validation=host.get("ansible_psrp_ca_cert", True),
            certificate_pem=host.get("ansible_psrp_certificate_pem"),
            certificate_key_pem=host.get("ansible_psrp_certificate_key_pem"),
            no_proxy=True,
        )
    rows, _ = query(sender(client), "SELECT BuildNumber, CSName FROM Win32_OperatingSystem")
    return rows


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("plugin", ["winrm", "psrp"])
def test_the_inventory_reaches_every_machine(tmp_path: Path, plugin: str) -> None:
    listeners: dict[str, dict[str, Any]] = {
        "DEFAULT": {},
        "NTLM-TLS": {"tls": True},
        "BASIC-TLS": {"tls": True, "authentication": ["basic"]},
        "CERTIFICATE": {"tls": True, "authentication": ["certificate"]},
        "IN-THE-CLEAR": {"authentication": ["basic"], "allow_unencrypted": True},
    }
    guests = [{"name": name, "release": "2022", "listener": options} for name, options in listeners.items()]
    with Lab({"hosts": [{"name": "HV", "release": "2022", "guests": guests}]}, tmp_path) as lab:
        for name in hosts(lab):
            (row,) = ask(lab, name, plugin)
            assert row["CSName"] == [name]


def test_the_inventory_is_one_of_ansible(clean: Lab) -> None:
    ansible = Path(sys.executable).with_name("ansible-inventory")
    listed = subprocess.run([ansible, "-i", clean.inventory, "--list"], capture_output=True, text=True, check=True)
    content = json.loads(listed.stdout)
    assert set(content["_meta"]["hostvars"]) == set(hosts(clean))
    assert first_guest(clean) in content["avma_guests"]["hosts"]


def test_files_with_secrets_are_private(clean: Lab) -> None:
    for path in (clean.inventory, clean.directory / "lab.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_counters(clean: Lab) -> None:
    name = first_guest(clean)
    ask(clean, name)
    assert clean.counters(name)["requests"] == {"Authentication": 3, "Enumerate": 1}
    assert clean.invokes(name) == []
    assert clean.writes() == {}


def test_wrong_password(clean: Lab) -> None:
    with pytest.raises(InvalidCredentialsError):
        ask(clean, first_guest(clean), ansible_password="wrong")


def test_stop_and_start(clean: Lab) -> None:
    name = first_guest(clean)
    port = hosts(clean)[name]["ansible_port"]
    clean.stop(name)
    assert clean.machine(name)["listening"] is False
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    clean.start(name)
    assert ask(clean, name)


def test_fault_and_clear(clean: Lab) -> None:
    name = first_guest(clean)
    clean.fault(name, "wsman_fault", value=2150859174, match={"class": "Win32_OperatingSystem"})
    with pytest.raises(Exception, match="cannot process the request"):
        ask(clean, name)
    clean.clear_faults()
    assert ask(clean, name)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("state", {"machine": "nobody"}),
        ("migrate", {"vm": "nobody", "host": "nobody"}),
        ("fault", {"machine": "nobody", "rule": {"effect": "cut"}}),
        ("fault", {"machine": None, "rule": {"effect": "nonsense"}}),
        ("stop", {}),
        ("nonsense", {}),
    ],
)
def test_refused_verbs(clean: Lab, verb: str, arguments: dict[str, Any]) -> None:
    given = {key: value or first_guest(clean) for key, value in arguments.items()}
    with pytest.raises(ControlError):
        clean.call(verb, **given)


def test_the_token_is_needed(clean: Lab) -> None:
    url = json.loads((clean.directory / "lab.json").read_text())["url"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/status", data=b"{}")
    assert caught.value.code == 403


def test_command_line(clean: Lab) -> None:
    name = first_guest(clean)
    at = ("--directory", clean.directory)
    assert json.loads(run("ctl", *at, "status").stdout)[name]["listening"] is True
    rule = '{"effect": "status", "value": 503, "times": 1}'
    assert run("ctl", *at, "fault", name, rule).returncode == 0
    with pytest.raises(Exception, match="503"):
        ask(clean, name)
    assert json.loads(run("ctl", *at, "counters").stdout)[name]["operations"] == 1
    assert run("ctl", *at, "writes").stdout == "{}\n"
    refused = run("ctl", *at, "state", "nobody")
    assert refused.returncode == 1
    assert refused.stderr == "lab: there is no 'nobody'\n"


def test_a_second_lab_in_the_same_directory_is_refused(clean: Lab) -> None:
    second = run("up", TOPOLOGY, "--directory", clean.directory)
    assert second.returncode == 1
    assert "a lab runs already" in second.stderr
    assert clean.call("status")


def test_detach_and_down(tmp_path: Path) -> None:
    assert run("up", TOPOLOGY, "--directory", tmp_path, "--detach", timeout=30).returncode == 0
    assert Control(tmp_path).call("status")
    assert run("down", "--directory", tmp_path).returncode == 0
    assert not (tmp_path / "lab.json").exists()
    assert run("down", "--directory", tmp_path).stderr == f"lab: no lab runs in {tmp_path}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "lab", "up", str(TOPOLOGY), "--directory", str(tmp_path), "--port-base", "23000"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        ports = [machine["port"] for machine in Control(tmp_path).call("status").values()]
        assert ports == list(range(23000, 23000 + len(ports)))
        process.send_signal(number)
        assert process.wait(30) == 0
    assert not (tmp_path / "lab.json").exists()


def test_a_topology_with_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ControlError), Lab({"hosts": [{"nonsense": 1}]}, tmp_path):
        pass
    result = run("up", tmp_path / "topology.yml", "--directory", tmp_path, timeout=30)
    assert result.returncode == 1
    assert "nonsense" in result.stderr
    assert "Traceback" not in result.stderr


def test_guide_lists_machines_and_commands_that_can_be_pasted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lab", "up", str(TOPOLOGY), "--directory", str(tmp_path / "a lab"), "--guide"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--stop-at-eof"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = []
        while not lines or "license=none" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        said = "".join(lines)
        assert "  HV02           Hyper-V host, Windows Server 2022 Datacenter\n" in said
        assert "    APP02        Windows Server 2019 Standard Core\n" in said
        assert "    DMZ01        Windows Server 2022 Datacenter, without a network: not in the inventory\n" in said
        # In a terminal of its own, and another folder.
        commands = [line for line in lines if line.startswith("  ") and "ansible-playbook" not in line][-3:]
        listed = f"ansible-inventory -i '{tmp_path}/a lab/inventory' --list"
        assert f"ansible-playbook -i '{tmp_path}/a lab/inventory' hyperv.avma.site\n" in said
        shell = subprocess.run(
            ["bash", "-euc", "".join([*commands, listed])],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert '"release": "2012 R2"' in shell.stdout
        assert "avma_guests" in shell.stdout
        process.stdin.close()
    assert process.returncode == 0
