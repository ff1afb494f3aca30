# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PowerShell Direct in the lab. Numbers in parentheses are facts/powershell.md's."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from lab.cim import ProcessResult
from lab.machine import GuestMachine
from lab.topology import load
from lab.world import World

SECRET = "Lab-Passw0rd!"
INVOKE = ",Microsoft.PowerShell.Commands.InvokeCommandCommand"


def world(guest: dict[str, Any] | None = None, **host: Any) -> World:
    """Two hosts, ``HV1`` with the guest ``VM``, in one cluster."""
    one = {"name": "HV1", "guests": [{"name": "VM", "vm_name": "The VM", **(guest or {})}], **host}
    return load({"hosts": [one, {"name": "HV2"}], "clusters": [{"name": "CL", "nodes": ["HV1", "HV2"]}]})


def guest_of(where: World) -> GuestMachine:
    """The guest."""
    guest = where.machine("VM")
    assert isinstance(guest, GuestMachine)
    return guest


PRELUDE = """\
$id, $user, $password = @($input)
$secret = ConvertTo-SecureString $password -AsPlainText -Force
$credential = New-Object System.Management.Automation.PSCredential $user, $secret
"""


def start(
    where: World, script: str, user: str = "Administrator", password: str = SECRET, host: str = "HV1"
) -> ProcessResult:
    """Run a script on a host, with ``$id`` of the guest and ``$credential`` from standard input."""
    encoded = base64.b64encode((PRELUDE + script).encode("utf-16-le")).decode()
    given = f"{guest_of(where).vm_id}\n{user}\n{password}\n"
    return where.machine(host).execute("powershell.exe", ["-NoProfile", "-EncodedCommand", encoded], given.encode())


def lines(where: World, script: str, **options: str) -> list[str]:
    """What a script prints."""
    result = start(where, script, **options)
    assert b"LabUnsupported" not in result.stderr
    return result.stdout.decode().splitlines()


CALL = "Invoke-Command -VMId $id -Credential $credential"
CAUGHT = "catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Reason }"


def failure(where: World, **login: str) -> list[str]:
    """FullyQualifiedErrorId and exception type of a call that fails."""
    return lines(where, f"try {{ {CALL} -ScriptBlock {{ 1 }} -ErrorAction Stop }} {CAUGHT}", **login)


def test_a_script_block_runs_in_the_guest() -> None:
    where = world()
    assert lines(where, f"{CALL} -ScriptBlock {{ $env:COMPUTERNAME }}") == ["VM"]
    assert lines(where, f"{CALL} -ScriptBlock {{ param($a, $b) $a + $b }} -ArgumentList 2, 3") == ["5"]
    assert lines(where, f"$x = 'a', 'b'; {CALL} -ScriptBlock {{ $using:x -join '-' }}") == ["a-b"]
    assert guest_of(where).traffic.journal.powershell_starts == 3


@pytest.mark.parametrize("user", ["administrator", ".\\Administrator", "VM\\Administrator"])
def test_forms_of_a_users_name(user: str) -> None:
    """Fact 65."""
    assert lines(world(), f"{CALL} -ScriptBlock {{ 1 }}", user=user) == ["1"]


@pytest.mark.parametrize(
    "login",
    [
        {"password": "wrong"},
        {"user": "nobody"},
        {"user": "Administrator@lab.example"},
        {"user": "OTHER\\Administrator"},
    ],
)
def test_credentials_that_the_guest_refuses(login: dict[str, str]) -> None:
    """Facts 61, 65."""
    where = world()
    assert failure(where, **login) == ["PSSessionStateBroken", "PSDirectException"]
    assert guest_of(where).traffic.journal.powershell_starts == 0


BROKEN = ["PSSessionStateBroken", "PSRemotingDataStructureException"]
GUESTS = [
    ({"release": "2012 R2"}, BROKEN),  # 73
    ({"linux": True, "listen": False}, BROKEN),
    ({"services": {"vmicvmsession": "disabled"}}, BROKEN),  # 60
    ({"direct": "no_accounts"}, ["PSSessionStateBroken", "PSDirectException"]),  # 64
    ({"direct": "unequal_patches"}, ["PSSessionStateBroken", "PSDirectException"]),  # 72
    ({"running": False}, [f"InvalidVMState{INVOKE}", "ArgumentException"]),  # 62
    ({"paused": True}, [f"InvalidVMState{INVOKE}", "ArgumentException"]),
]  # fmt: skip


@pytest.mark.parametrize(("guest", "expected"), GUESTS)
def test_guests_that_cannot_be_entered(guest: dict[str, Any], expected: list[str]) -> None:
    assert failure(world(guest)) == expected


HOSTS = [
    ({"hyperv_module": False}, [f"HyperVModuleNotAvailable{INVOKE}", "InvalidOperationException"]),  # 63
    ({"account": {"administrator": False}}, [f"InvalidVMIdNotSingle{INVOKE}", "ArgumentException"]),  # 63
    ({"release": "2012 R2"}, [f"NamedParameterNotFound{INVOKE}", "ParameterBindingException"]),  # 73, UNVERIFIED
]  # fmt: skip


@pytest.mark.parametrize(("host", "expected"), HOSTS)
def test_hosts_that_cannot_enter_a_guest(host: dict[str, Any], expected: list[str]) -> None:
    assert failure(world(**host)) == expected


def test_a_guest_is_entered_where_it_runs() -> None:
    """Fact 63."""
    where = world()
    where.migrate("VM", "HV2")
    assert failure(where) == [f"InvalidVMIdNotSingle{INVOKE}", "ArgumentException"]
    assert lines(where, f"{CALL} -ScriptBlock {{ 1 }}", host="HV2") == ["1"]


def test_a_name_must_be_the_only_one() -> None:
    twins = {
        "hosts": [{"name": "HV1", "guests": [{"name": "VM", "vm_name": "same"}, {"name": "VM2", "vm_name": "same"}]}]
    }
    script = (
        "try { Invoke-Command -VMName same -Credential $credential -ScriptBlock { 1 } -ErrorAction Stop }"
        " catch { $_.FullyQualifiedErrorId }"
    )
    assert lines(load(twins), script) == [f"InvalidVMNameNotSingle{INVOKE}"]


def test_errors_end_nothing_without_stop() -> None:
    """Fact 62."""
    assert lines(world({"running": False}), f"{CALL} -ScriptBlock {{ 1 }}; 'after'") == ["after"]


def test_credentials_are_not_asked_for() -> None:
    """Fact 65."""
    script = f"try {{ Invoke-Command -VMId $id -ScriptBlock {{ 1 }} }} {CAUGHT}"
    assert lines(world(), script)[0] == "MissingMandatoryParameter,Microsoft.PowerShell.Commands.InvokeCommandCommand"


def test_a_guest_in_mid_boot_never_answers() -> None:
    """Fact 64: only a job can be waited for with an end."""
    where = world({"direct": "booting"})
    waited = f"$j = {CALL} -AsJob -ScriptBlock {{ 1 }}; if (Wait-Job -Job $j -Timeout 20) {{ 'answered' }} else {{ 'gave up' }}; exit 0"
    assert lines(where, waited) == ["gave up"]
    assert start(where, waited).elapsed == 20
    assert start(where, f"{CALL} -ScriptBlock {{ 1 }}").elapsed == float("inf")


def test_a_job_has_the_results_and_the_errors() -> None:
    where = world()
    job = f"$j = {CALL} -AsJob -ScriptBlock"
    assert lines(where, f"{job} {{ 'a'; 'b' }}; $d = Wait-Job -Job $j; $d.State; Receive-Job -Job $j") == [
        "Completed",
        "a",
        "b",
    ]
    assert lines(
        where, f"{job} {{ Start-Sleep 5; 'a' }}; (Wait-Job $j -Timeout 3) -eq $null; Receive-Job -Wait $j"
    ) == ["True", "a"]
    refused = f"{job} {{ 1 }}; $null = Wait-Job $j; try {{ Receive-Job $j -ErrorAction Stop }} {CAUGHT}"
    assert lines(where, refused, password="wrong") == ["PSSessionStateBroken", "PSDirectException"]


def test_results_carry_notes_that_show_in_json() -> None:
    """Fact 20: and not when they are made plain."""
    where = world()
    (text,) = lines(where, f"{CALL} -ScriptBlock {{ 'x' }} | ConvertTo-Json -Compress")
    assert text.startswith('{"value":"x","PSComputerName":"The VM","RunspaceId":"')
    assert lines(where, f"\"$({CALL} -ScriptBlock {{ 'x' }})\" | ConvertTo-Json -Compress") == ['"x"']


def test_what_comes_back_is_not_what_was_there() -> None:
    """Fact 69: deep objects become text, exceptions lose their members, identifiers stay."""
    where = world()
    deep = f"$r = {CALL} -ScriptBlock {{ @{{ a = @{{ b = @{{ c = 1 }} }} }} }}; $r.a.b"
    assert lines(where, deep) == ["System.Collections.Hashtable"]
    call = f"{CALL} -ScriptBlock {{ Get-CimInstance NoClass }} -ErrorAction Stop"
    error = f"try {{ {call} }} {CAUGHT[:-1]}; $_.Exception.MessageId -eq $null }}"
    identifier = "HRESULT 0x80041010,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
    assert lines(where, error) == [identifier, "RemoteException", "True"]


@pytest.mark.parametrize(("on_host", "in_guest"), [(True, False), (False, True)])
def test_the_language_mode_is_each_machines_own(on_host: bool, in_guest: bool) -> None:
    """Fact 67."""
    where = world({"powershell": {"constrained": in_guest}}, powershell={"constrained": on_host})
    mode = "$ExecutionContext.SessionState.LanguageMode"
    shown = ["ConstrainedLanguage" if constrained else "FullLanguage" for constrained in (on_host, in_guest)]
    assert lines(where, f'{mode}; "$({CALL} -ScriptBlock {{ {mode} }})"') == shown


def test_a_guest_that_dies_takes_the_session_with_it() -> None:
    """Fact 62."""
    where = world(
        {"listener": {"faults": [{"effect": "stop_machine_after", "match": {"class": "Win32_OperatingSystem"}}]}}
    )
    script = f"try {{ {CALL} -ScriptBlock {{ Get-CimInstance Win32_OperatingSystem }} -ErrorAction Stop }} {CAUGHT}"
    assert lines(where, script) == ["2100,PSSessionStateBroken", "PSRemotingTransportException"]
    assert not guest_of(where).running


def test_the_guest_s_journal_keeps_its_scripts_but_no_secret_is_in_one() -> None:
    where = world()
    lines(where, f"$t = \"'inner'\"; {CALL} -ScriptBlock {{ Invoke-Expression $using:t }}")
    assert guest_of(where).traffic.journal.scripts == [" Invoke-Expression $using:t ", "'inner'"]
    assert not any(SECRET in text for text in where.machine("HV1").traffic.journal.scripts)


def test_a_listenerless_guest_is_in_the_inventory_with_its_host() -> None:
    where = load(
        {"hosts": [{"name": "HV1", "guests": [{"name": "VM", "listener": {"connection": "powershell_direct"}}]}]}
    )
    variables = where.variables["VM"]
    assert variables["ansible_powershell_direct_host"] == "HV1"
    assert variables["ansible_powershell_direct_vm_id"].upper() == guest_of(where).vm_id
    with pytest.raises(ValueError, match="is not on a host of the lab"):
        load({"guests": [{"name": "VM", "listener": {"connection": "powershell_direct"}}]})
