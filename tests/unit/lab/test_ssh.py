# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ssh servers of the lab, with OpenSSH's client. Numbers in parentheses are facts/powershell.md's."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab.client import Lab

HOSTS: list[dict[str, Any]] = [
    {"name": "CMD"},
    {"name": "POWERSHELL", "ssh": {"shell": "powershell"}},
    {"name": "CLERK", "account": {"administrator": False}},
    {"name": "FILTERED", "ssh": {"elevated": False}},
    {"name": "FORCED", "ssh": {"force_command": "echo no entry"}},
    {"name": "PASSWORDS", "ssh": {"authentication": ["password"]}},
    {"name": "CONSTRAINED", "ssh": {"shell": "powershell"}, "powershell": {"constrained": True}},
    {"name": "SLOW", "listener": {"delay": 600}},
    {"name": "OFF", "running": False},
]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A host for each way in which an ssh server may be."""
    with Lab({"defaults": {"all": {"listener": {"connection": "ssh"}}}, "hosts": HOSTS}) as running:
        yield running


def ssh(lab: Lab, machine: str, command: str, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command as the inventory says."""
    variables = yaml.safe_load(lab.inventory.read_text())["all"]["hosts"][machine]
    arguments = variables["ansible_ssh_common_args"].split()
    if "ansible_ssh_private_key_file" in variables:
        arguments += ["-i", variables["ansible_ssh_private_key_file"]]
    where = ["-p", str(variables["ansible_port"]), "-l", options.pop("user", variables["ansible_user"])]
    return subprocess.run(
        ["ssh", "-o", "BatchMode=yes", *arguments, *where, variables["ansible_host"], command],
        input=stdin,
        capture_output=True,
        timeout=options.pop("timeout", 30),
        check=False,
    )


def encoded(script: str) -> str:
    """The command line that runs a script."""
    return f"powershell -NoProfile -EncodedCommand {base64.b64encode(script.encode('utf-16-le')).decode()}"


@pytest.mark.parametrize("machine", ["CMD", "POWERSHELL"])
def test_a_script_gets_its_standard_input(lab: Lab, machine: str) -> None:
    """Facts 46, 48."""
    result = ssh(lab, machine, encoded("@($input) -join '+'; exit 0"), b"a\nb\n")
    assert (result.returncode, result.stdout) == (0, b"a+b\r\n")


def test_the_default_shell_shows(lab: Lab) -> None:
    """Facts 48, 54: exit codes of a child are lost in PowerShell, commands of cmd.exe are none there."""
    assert ssh(lab, "CMD", encoded("exit 7")).returncode == 7
    assert ssh(lab, "POWERSHELL", encoded("exit 7")).returncode == 1
    assert ssh(lab, "CMD", "chcp.com 65001 >nul && echo yes").stdout == b"yes\r\n"
    # 5.1 has no &&.
    assert ssh(lab, "POWERSHELL", "chcp.com 65001 && echo yes").returncode == 1
    assert ssh(lab, "CMD", "Write-Output yes").returncode == 1
    assert ssh(lab, "POWERSHELL", "Write-Output yes").stdout == b"yes\r\n"


def test_output_has_the_oem_code_page(lab: Lab) -> None:
    """Fact 47."""
    assert ssh(lab, "CMD", encoded("[char]0xe9")).stdout == b"\x82\r\n"


def test_cmd_has_its_limit_and_powershell_not(lab: Lab) -> None:
    """Fact 43."""
    long = encoded("'" + "x" * 3500 + "'")
    assert b"too long" in ssh(lab, "CMD", long).stderr
    assert len(ssh(lab, "POWERSHELL", long).stdout) == 3502


@pytest.mark.parametrize("machine", ["CLERK", "FILTERED"])
def test_wmi_is_for_administrators(lab: Lab, machine: str) -> None:
    """Facts 50, 51."""
    script = "try { Get-CimInstance Win32_Service -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }"
    assert ssh(lab, machine, encoded(script)).stdout.startswith(b"HRESULT 0x80041003,")


def test_application_control_constrains_the_shell_too(lab: Lab) -> None:
    """Fact 48: it may start programs."""
    assert ssh(lab, "CONSTRAINED", encoded("[math]::Floor(1)")).returncode == 1
    assert ssh(lab, "CONSTRAINED", encoded("'x'")).stdout == b"x\r\n"


def test_a_forced_command_runs_in_place_of_any(lab: Lab) -> None:
    """Fact 56."""
    assert ssh(lab, "FORCED", encoded("'mine'")).stdout == b"no entry\r\n"


def test_who_is_let_in(lab: Lab) -> None:
    assert ssh(lab, "CMD", "echo x", user="administrator").returncode == 0
    assert ssh(lab, "CMD", "echo x", user="nobody").returncode == 255
    assert ssh(lab, "PASSWORDS", "echo x").returncode == 255, "the client has no way to ask for a password"


def test_a_machine_that_is_off_refuses_and_one_that_dies_cuts(lab: Lab) -> None:
    assert ssh(lab, "OFF", "echo x").returncode == 255
    lab.start("OFF")
    assert ssh(lab, "OFF", "echo x").returncode == 0
    lab.fault("OFF", "stop_machine_after", match={"class": "Win32_Service"})
    assert ssh(lab, "OFF", encoded("Get-CimInstance Win32_Service")).returncode == 255
    assert lab.machine("OFF")["listening"] is False


def test_faults_hit_a_command(lab: Lab) -> None:
    lab.fault("CMD", "drop", match={"operation": "Exec"}, times=1)
    assert ssh(lab, "CMD", "echo x").returncode == 255
    assert ssh(lab, "CMD", "echo x").returncode == 0


def test_a_command_ends_with_its_session(lab: Lab) -> None:
    """Fact 55: what is left when the client goes away is nothing."""
    with pytest.raises(subprocess.TimeoutExpired):
        ssh(lab, "SLOW", "echo x", timeout=1)
    assert lab.counters("SLOW")["requests"]["Exec"] == 1


def test_the_journal_counts_commands_starts_and_bytes(lab: Lab) -> None:
    lab.reset_counters()
    ssh(lab, "CMD", encoded("$null = @($input); 'x'"), b"12345")
    report = lab.counters("CMD")
    assert report["requests"] == {"Authentication": 1, "Exec": 1}
    assert report["powershell_starts"] == 1
    assert report["wire_received"] > len("12345")
    assert report["wire_sent"] >= len("x\r\n")
    assert "$null = @($input)" in report["command_lines"][0]
