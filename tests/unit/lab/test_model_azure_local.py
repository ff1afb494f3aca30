# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Azure Local hosts and their PowerShell (facts/avma.md §1; about_Language_Modes)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lab.cim import ProcessResult
from lab.topology import load
from lab.world import World
from unit.lab.model_client import GUEST_AVMA_KEYS, Wmi, refusal

KEY_2019 = "JX8CD-K3QRN-V6WMT-PB9GH-Y2F74"
KEY_2022 = "C7RMP-WX4GT-NKH9B-2QJYV-D8F36"
KEY_2025 = "M9GYJ-TCX6P-4VNQK-H2WRB-F8D73"
KEY_2016 = "PB3TK-6MVGN-JW8XC-RH4QY-F7D29"


def azure_local(release: str = "2022", **options: Any) -> World:
    """A host ``AZ`` with a guest ``VM``."""
    keys = [
        {"key": KEY_2016, "release": "2016", "channel": "retail"},
        {"key": KEY_2019, "release": "2019", "channel": "retail"},
        {"key": KEY_2022, "release": "2022", "channel": "mak", "activations": 2},
        {"key": KEY_2025, "release": "2025", "channel": "retail"},
    ]
    guest = {"name": "VM", "release": release}
    host = {
        "name": "AZ",
        "release": "Azure Local 24H2",
        "edition": "azure_local",
        "azure_local": options,
        "guests": [guest],
    }
    return load({"keys": keys, "hosts": [host]})


def powershell(world: World, script: str, stdin: str = "") -> ProcessResult:
    """Run a script as WinRM would."""
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    arguments = ["-NoProfile", "-NonInteractive", "-EncodedCommand", encoded]
    return world.machines["AZ"].execute("powershell.exe", arguments, stdin.encode())


def output(world: World, script: str, stdin: str = "") -> list[str]:
    """The lines that a script writes."""
    return powershell(world, script, stdin).stdout.decode().splitlines()


def set_key(world: World, key: str) -> ProcessResult:
    """Set a key that comes on standard input."""
    return powershell(
        world, "$key = $input | Select-Object -First 1; Set-VMAutomaticActivation -ProductKey $key", f"{key}\n"
    )


SHAPES = ["flat", "nested", "opaque", "license_row"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_key_is_set_and_spends_an_activation(shape: str) -> None:
    world = azure_local(shape=shape)
    assert set_key(world, KEY_2022).exit_code == 0
    assert world.state("AZ")["azure_local"]["key"] == "D8F36"
    assert world.keystore()["D8F36"]["spent"] == ["AZ"]
    set_key(world, KEY_2022)
    assert world.keystore()["D8F36"]["spent"] == ["AZ", "AZ"], "each Set is an activation"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shapes_differ_and_only_some_tell_the_key(shape: str) -> None:
    world = azure_local(shape=shape, key=KEY_2022)
    (text,) = output(world, "Get-VMAutomaticActivation | ConvertTo-Json -Depth 5 -Compress")
    shown = [row["PartialProductKey"] for row in Wmi(world.machines["AZ"]).rows("SoftwareLicensingProduct")]
    assert ("D8F36" in text) is (shape in ("flat", "nested"))
    assert ("D8F36" in shown) is (shape == "license_row")
    assert KEY_2022 not in text


@pytest.mark.parametrize("bad", [KEY_2016, "BCDFG-HJKMP-QRTVW-XY234-67892", "nonsense", KEY_2019])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_key_that_does_not_work_leaves_the_last_one(shape: str, bad: str) -> None:
    """2016 keys are refused, and a downgrade is (§1.3)."""
    world = azure_local(shape=shape, key=KEY_2022)
    result = set_key(world, bad)
    assert b"didn't work" in result.stdout + result.stderr
    assert world.state("AZ")["azure_local"]["key"] == "D8F36"
    assert world.keystore()["D8F36"]["spent"] == ["AZ"]


def test_2016_keys_are_refused_on_a_new_host_too() -> None:
    world = azure_local()
    set_key(world, KEY_2016)
    assert world.state("AZ")["azure_local"]["key"] is None
    assert world.keystore()["F7D29"]["spent"] == []


@pytest.mark.parametrize(
    ("options", "release", "hresult"),
    [
        ({}, "2022", 0xC004FD02),
        ({"key": KEY_2019}, "2022", 0xC004FD03),
        ({"key": KEY_2019}, "2019", None),
        ({"key": KEY_2025}, "2022", None),
        ({"subscription": True}, "2022", None),
        ({"subscription": True}, "2012 R2", 0xC004FD03),
    ],
)
def test_key_or_subscription_decides_what_is_activated(
    options: dict[str, Any], release: str, hresult: int | None
) -> None:
    world = azure_local(release, **options)
    world.set("VM", "license", "none")
    guest = Wmi(world.machines["VM"])
    guest.install(GUEST_AVMA_KEYS.get(release, "Y4TGP-NPTV9-HTC2H-7MGQ3-DV4TW"))
    if hresult is None:
        assert guest.primary()["LicenseStatus"] == 1
    else:
        assert refusal(guest.activate) == hresult


def test_the_module_and_its_version() -> None:
    script = 'Get-Module -Name ServerAVMAManager -ListAvailable | ForEach-Object { "$($_.Version)" }'
    assert output(azure_local(), script) == ["1.1"]
    assert output(azure_local(module="1.0"), script) == ["1.0"]
    assert output(azure_local(module=None), script) == []
    missing = powershell(azure_local(module=None), "Import-Module ServerAVMAManager -ErrorAction Stop; 'after'")
    assert (missing.exit_code, missing.stdout) == (1, b"")
    assert b"Modules_ModuleNotFound" in missing.stderr


@pytest.mark.parametrize(("shape", "name"), [("status", "Status"), ("subscription_status", "SubscriptionStatus")])
def test_subscription_status_has_two_property_names(shape: str, name: str) -> None:
    world = azure_local(subscription=True, subscription_shape=shape)
    (text,) = output(world, "Get-AzureStackHCISubscriptionStatus | ConvertTo-Json -Compress")
    assert [row[name] for row in json.loads(text)] == [1, 1]
    script = f"(Get-AzureStackHCISubscriptionStatus | Where-Object SubscriptionName -like 'windows*').{name}.value__"
    assert output(world, script) == ["1"]


REFUSED = [
    "[Console]::In.ReadLine()",
    "[System.IO.File]::ReadAllText('x')",
    "[Environment]::GetEnvironmentVariable('x')",
    "(Get-Module -ListAvailable -Name AzureStackHCI).GetHashCode()",
    "[pscustomobject]@{ a = 1 }",
    "New-Object System.Net.WebClient",
    "New-Object -TypeName System.Text.StringBuilder",
    "Add-Type -TypeDefinition 'class X {}'",
    "$m = Get-Module -ListAvailable -Name AzureStackHCI; $m.Name = 'x'",
    "try { nothing } catch { $_.Exception.GetType() }",
]


@pytest.mark.parametrize("script", REFUSED)
def test_constrained_language_refuses(script: str) -> None:
    result = powershell(azure_local(), script)
    assert result.stdout == b""
    assert b"in this language mode" in result.stderr


@pytest.mark.parametrize("script", [REFUSED[4], REFUSED[6], REFUSED[8]])
def test_full_language_does_not(script: str) -> None:
    assert b"in this language mode" not in powershell(azure_local(constrained=False), script).stderr


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("'it''s'; \"a`tb\"; @'\nx\ny\n'@", ["it's", "a\tb", "x", "y"]),
        ('$a = 1; "$a $($a + 1) `$a"', ["1 2 $a"]),
        ("$h = @{ One = 1 }; $h.two = 2; $h['three'] = 3; $h.ONE; $h.two + $h['three']", ["1", "5"]),
        ("if ($null) { 'no' } elseif ('A' -eq 'a') { 'yes' } else { 'no' }", ["yes"]),
        ("foreach ($x in 'a', 'b') { $x.ToUpper() }", ["A", "B"]),
        ("@($null).Count; @().Count; @('x').Count", ["1", "0", "1"]),
        ("try { throw 'boom' } catch { \"caught $($_.Exception.Message)\" } finally { 'end' }", ["caught boom", "end"]),
        ("try { nothing } catch { $_.FullyQualifiedErrorId }", ["CommandNotFoundException"]),
        ("Write-Error 'x'; 'after'", ["after"]),
        ("try { Write-Error 'x'; 'after' } catch { 'caught' }", ["after"]),
        ("try { Write-Error 'x' -ErrorAction Stop; 'after' } catch { 'caught' }", ["caught"]),
        ("$ErrorActionPreference = 'Stop'; try { Write-Error 'x'; 'after' } catch { 'caught' }", ["caught"]),
        ("$null -eq (Get-Command Nothing -ErrorAction SilentlyContinue)", ["True"]),
        ("'b', 'a' | Sort-Object | Select-Object -First 1", ["a"]),
        ("'a1', 'b2' | Where-Object { $_ -match '\\d' -and $_ -notlike 'a*' }", ["b2"]),
        (
            "$r = @{ list = @(1); text = 'ü<>' }; ConvertTo-Json -InputObject $r -Compress",
            ['{"list":[1],"text":"ü\\u003c\\u003e"}'],
        ),
        ('\'{"a": {"b": [1, 2]}}\' | ConvertFrom-Json | ForEach-Object { $_.a.b }', ["1", "2"]),
        (
            "$o = @{ a = @{ b = @{ c = @{ d = 1 } } } } | ConvertTo-Json -Compress; $o",
            ['{"a":{"b":{"c":"System.Collections.Hashtable"}}}'],
        ),
        ("$p = @{ Name = 'AzureStackHCI'; ListAvailable = $true }; (Get-Module @p).Name", ["AzureStackHCI"]),
        ("& { 'x' }; return; 'y'", ["x"]),
        ("$ExecutionContext.SessionState.LanguageMode", ["ConstrainedLanguage"]),
        ("Nothing 2>$null; 'a' -is [string]; !('a' -eq 'b')", ["True", "True"]),
    ],
)
def test_the_language(script: str, lines: list[str]) -> None:
    assert output(azure_local(), script) == lines


def test_the_script_may_come_on_standard_input_or_as_text() -> None:
    machine = azure_local().machines["AZ"]
    assert machine.execute("powershell -NoProfile -Command -", [], b"'x'").stdout == b"x\r\n"
    assert machine.execute("powershell.exe", ["-ExecutionPolicy", "Bypass", "-Command", "'y'"], b"").stdout == b"y\r\n"
    assert machine.execute("nothing.exe", [], b"").exit_code == 1


@pytest.mark.parametrize("script", ["while ($true) { }", "'x'.Foo()", "[int]::Parse('1')", "Get-Service"])
def test_what_the_lab_does_not_know_is_an_error(script: str) -> None:
    result = powershell(azure_local(), script)
    assert result.exit_code == 1
    assert b"LabUnsupported" in result.stderr


def test_exit_status() -> None:
    world = azure_local()
    assert powershell(world, "exit 3").exit_code == 3
    assert powershell(world, "throw 'x'").exit_code == 1
    assert powershell(world, "Nothing").exit_code == 1
    assert powershell(world, "Nothing; 'x'").exit_code == 0
    assert powershell(world, "if (").exit_code == 1


def test_standard_error_is_clixml_even_when_all_is_well() -> None:
    assert powershell(azure_local(), "'x'").stderr.startswith(b"#< CLIXML")


def test_ansibles_own_modules_are_answered_at_once() -> None:
    """For benchmarks: the runner that Ansible sends is not interpreted."""
    result = powershell(
        azure_local(), 'foreach ($in in $input) { if ([string]::Equals($in, "`0`0`0`0")) { break } }', "x"
    )
    assert (result.exit_code, json.loads(result.stdout)["rc"]) == (0, 0)
