# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's Windows PowerShell 5.1. Numbers in parentheses are facts/powershell.md's; the language is that of the about_* pages."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.cim import ProcessResult
from lab.methods import declaration
from lab.powershell import ParseError, Unsupported, parse
from lab.topology import load
from lab.world import World


def world(**host: Any) -> World:
    """A host ``HV`` with a guest ``VM``."""
    return load({"hosts": [{"name": "HV", "guests": [{"name": "VM"}], **host}]})


PLAIN = world()
CONSTRAINED = world(powershell={"constrained": True})


def start(where: World, script: str, stdin: str = "", options: tuple[str, ...] = ("-NoProfile",)) -> ProcessResult:
    """Start PowerShell on the host with a script, as WinRM does."""
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    arguments = [*options, "-EncodedCommand", encoded]
    result: ProcessResult = where.machine("HV").execute("powershell.exe", arguments, stdin.encode())
    return result


def lines(script: str, where: World = PLAIN, stdin: str = "") -> list[str]:
    """What a script prints. It must be one that the lab knows."""
    result = start(where, script, stdin)
    assert b"LabUnsupported" not in result.stderr
    return result.stdout.decode().splitlines()


def identifiers(result: ProcessResult) -> list[str]:
    """The FullyQualifiedErrorId of each error that was shown."""
    return re.findall(r"FullyQualifiedErrorId : (.*?)_x000D_", result.stderr.decode())


LANGUAGE: list[tuple[str, list[str]]] = [
    # Numbers.
    ("2147483647 + 1; (2147483647 + 1) -is [double]; 2147483648 -is [int64]", ["2147483648", "True", "True"]),
    ("0x80041003; 0xFFFFFFFF; 0x1FFFFFFFF", ["-2147217405", "-1", "8589934591"]),
    ("[uint32]2147483650 -is [uint32]; [uint32]'2147483650'", ["True", "2147483650"]),
    ("7 / 2; 6 / 2; 7 % 4; -7 % 4", ["3.5", "3", "3", "-3"]),
    ("[int]'0x10'; [int]2.5; [int]3.5; [int]'4.6'", ["16", "2", "4", "5"]),
    ("'{0:x8}' -f 0x80041003; '{0:x4}|{0:D6}|{0,6}|{0,-6}|' -f 255", ["80041003", "00ff|000255|   255|255   |"]),
    ("1kb; 2MB; 0xff -band 0x0f; 1 -shl 4", ["1024", "2097152", "15", "16"]),
    # Strings.
    ("'a,b;c'.Split(',;') -join '|'; ('a b  c' -split ' ') -join '|'", ["a|b|c", "a|b||c"]),
    ("(-split ' a  b ') -join '|'; -join ('a', 'b')", ["a|b", "ab"]),
    ("'abc'.Substring(1); 'abc'.Substring(0, 2); 'abc'[1]; 'abc'[-1]", ["bc", "ab", "b", "c"]),
    ("'A' -ceq 'a'; 'A' -eq 'a'; 'a' -lt 'B'", ["False", "True", "True"]),
    ("'a1b22' -replace '\\d+', '<$0>'; 'abc' -replace 'B'", ["a<1>b<22>", "ac"]),
    ("'key=value' -match '(\\w+)=(?<v>\\w+)'; $Matches[1]; $Matches['v']", ["True", "key", "value"]),
    ('"$(1 + 1) $env:COMPUTERNAME `$x"; "$h.x"', ["2 HV $x", ".x"]),
    ("[string]::Join('-', @(1, 2)); [string]::IsNullOrEmpty('')", ["1-2", "True"]),
    ("[int][char]'A'; [char]66", ["65", "B"]),
    ("[regex]::Unescape('a\\u0020b\\\\'); [regex]::Matches('a1b2', '\\d').Count", ["a b\\", "2"]),
    ("[regex]::Matches('\U0001f389', '.').Count; '<\U0001f389>'.Replace([string][char]0xd83c, 'a').Length", ["2", "4"]),
    ("$a = 'x'; $b = @'\n$a\n'@; $c = @\"\n$a\n\"@; $b; $c", ["$a", "x"]),
    # Arrays and their unrolling.
    ("@($null).Count; @().Count; @(1).Count; (, @(1, 2)).Count", ["1", "0", "1", "1"]),
    ("$x = @(1, 2); $x += 3; $x.Count; $x[-1]; $x[0..1] -join ','; $x[5] -eq $null", ["3", "3", "1,2", "True"]),
    ("function f { , @(1, 2) }; (f).Count; @(f).Count", ["2", "1"]),
    ("$none = & { }; @($none).Count; $none | ForEach-Object { 'never' }; $null -eq $none", ["0", "True"]),
    ("$a, $b = 1, 2, 3; $a; $b -join ','", ["1", "2,3"]),
    ("1, 2, 3 | Where-Object { $_ -gt 1 } | ForEach-Object { $_ * 2 }", ["4", "6"]),
    ("(1, 2, 3 -eq 2).Count; 1, 2, 3 -ne 2", ["1", "1", "3"]),
    ("2 -in 1, 2; 1, 2 -contains 3; 1, 2 -notcontains 3", ["True", "False", "True"]),
    ("foreach ($x in $null) { 'never' }; $null | ForEach-Object { 'once' }", ["once"]),
    ("1..3 | Select-Object -First 2; 'a', 'b', 'c' | Select-Object -Skip 1 -First 1", ["1", "2", "b"]),
    ("1..5 | ForEach-Object { $n = $_; $_ } | Select-Object -First 2; $n", ["1", "2", "2"]),
    # Hashtables.
    ("$h = @{ A = 1 }; $h.a; $h['a']; $h.b = 2; $h.ContainsKey('B'); $h.Count", ["1", "1", "True", "2"]),
    ("$o = [ordered]@{ z = 1; a = 2 }; $o.Keys -join ','; @{ x = @{ y = 3 } }.x.y", ["z,a", "3"]),
    ("$h = @{ }; $h[1] = 'one'; $h['1'] -eq $null; $h[1]", ["True", "one"]),
    # Statements.
    ("for ($i = 0; $i -lt 3; $i++) { if ($i -eq 1) { continue }; $i }", ["0", "2"]),
    ("$i = 0; while ($true) { $i++; if ($i -gt 2) { break } }; $i; do { $n++ } until ($n -ge 2); $n", ["3", "2"]),
    ("switch (2) { 1 { 'one' } 2 { 'two' } default { 'other' } }; switch (9) { 1 { } default { 'other' } }", ["two", "other"]),
    ("switch -Regex ('abc') { '^a' { 'A'; break } 'c$' { 'C' } }", ["A"]),
    ("$x = if ($false) { 1 } else { 2 }; $x; $y = foreach ($i in 1..3) { $i * $i }; $y -join ','", ["2", "1,4,9"]),
    ("function add($a, [int]$b = 2) { $a + $b }; add 1; add 1 -b 5; add -b 1 -a 1", ["3", "6", "2"]),
    ('function f { param([switch]$on, $x) "$on $x" }; f -on 1; f 1', ["True 1", "False 1"]),
    ('function g { process { "<$_>" } }; 1, 2 | g; function h { $input.Count }; 1, 2, 3 | h', ["<1>", "<2>", "3"]),
    ('$p = @{ a = 1; b = 2 }; function f($a, $b) { "$a$b" }; f @p; $q = 3, 4; f @q', ["12", "34"]),
    ("& { param($a) $a * 2 } 4; function r { return 1; 2 }; r", ["8", "1"]),
    ("function f { $x = 1 }; $x = 0; f; $x; 1 | ForEach-Object { $x = 5 }; $x; & { $x = 6 }; $x", ["0", "5", "5"]),
    ("function f([string]$t) { $t = 5; $t -is [string] }; f x; [int]$n = '3'; $n = '4'; $n -is [int]", ["True", "True"]),
    ("0 -eq ''; '' -eq 0; $null -eq ''; '10' -eq 10; 10 -eq '10'", ["True", "False", "False", "True", "True"]),
    ("Invoke-Expression '$y = 3; $y + 1'; $y", ["4", "3"]),
    ("@{ n = 'a' }, @{ n = 'b' } | ForEach-Object { $_.n }; (@{ n = 1 }, @{ n = 2 }).n -join ','", ["a", "b", "1,2"]),
    ("Select-Object -InputObject @{ } Keys, Count | ForEach-Object { $_.Count }", ["0"]),
    # Errors (33).
    ("try { 1 } finally { 2 }", ["1", "2"]),
    ("try { throw 'x' } catch [System.Management.Automation.RuntimeException] { 'rt' } catch { 'other' }", ["rt"]),
    ("try { try { throw 'in' } catch { throw } } catch { \"$_ $($_.FullyQualifiedErrorId)\" }", ["in in"]),
    ("try { Write-Error 'x'; 'after' } catch { 'caught' }", ["after"]),
    ("try { Write-Error 'x' -ErrorAction Stop; 'after' } catch { 'caught' }", ["caught"]),
    ("$ErrorActionPreference = 'Stop'; try { Write-Error 'x' } catch { $_.CategoryInfo.Reason }", ["WriteErrorException"]),
    ("$ErrorActionPreference = 'SilentlyContinue'; Nothing; $Error.Count; $?", ["1", "True"]),
    ("function f { Nothing; 'after' }; f 2>$null; try { f } catch { 'caught' }", ["after", "caught"]),
    # Dates. The machine is two hours east of UTC.
    ("([datetime]'2026-03-01T00:00:00Z').Kind; ([datetime]'2026-03-01T00:00:00Z').Hour", ["Local", "2"]),
    ("([datetime]'2026-03-01T00:00:00Z').ToUniversalTime().ToString('o')", ["2026-03-01T00:00:00.0000000Z"]),
    ("([datetime]'2026-03-01').ToString('o'); \"$([datetime]'2026-03-01')\"", ["2026-03-01T00:00:00.0000000", "03/01/2026 00:00:00"]),
    ("([datetime]'2026-01-02' - [datetime]'2026-01-01').TotalHours", ["24"]),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), LANGUAGE)
def test_the_language(script: str, expected: list[str]) -> None:
    assert lines(script) == expected


REFUSED_BY_THE_PARSER = ["if (", "1 | 2", "foo && bar", "'a", "@{ a 1 }", "1 = 2", "$x -foo 1", "function { }", "foo &"]


@pytest.mark.parametrize("script", REFUSED_BY_THE_PARSER)
def test_what_is_no_powershell_runs_not_at_all(script: str) -> None:
    result = start(PLAIN, f"'before'\n{script}")
    assert (result.exit_code, result.stdout) == (1, b"")
    assert identifiers(result) == ["ParserError"]


_PIECES = st.sampled_from([
    "$x", "@(", ")", "{", "}", "[int]", "'", '"', "`", "$(", ",", ";", "|", "&", ".", "-f", "-eq", "-not", "1", "0x1F", "1..2", "if",
    "else", "foreach", "in", "try", "catch", "function", "f", "param", "@{", "=", "+=", "@'", "'@", "\n", "#", "<#", "#>", ".y", "::", "$_",
    "${a", "b}",
])  # fmt: skip


@given(st.text() | st.lists(_PIECES).map(" ".join) | st.lists(_PIECES).map("".join))
def test_the_parser_reads_or_refuses_any_text(text: str) -> None:
    with suppress(ParseError, Unsupported):
        parse(text)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(Unsupported):
        parse("(" * 10_000)


UNKNOWN = ["class X { }", "[Text.Encoding]::UTF8.GetBytes('x')", "Get-Service", "'x'.Foo()", "$x = [math]::Sin(1)", "Get-Date -Year 1",
           "(Get-Date).ToString('HH:mm')", "try { Get-Content x } catch { }", "foo > file.txt"]  # fmt: skip


@pytest.mark.parametrize("script", UNKNOWN)
def test_what_the_lab_does_not_know_fails_loudly(script: str) -> None:
    """No catch of a script sees it, and a test's lab ends with an error (lab.client)."""
    other = world()
    result = start(other, f"try {{ {script} }} catch {{ 'caught' }}; 'after'")
    assert result.exit_code == 1
    assert result.stdout == b""
    assert other.machine("HV").traffic.journal.unsupported


# Constrained Language Mode (2 to 13)

CLM_REFUSES = [
    ("[pscustomobject]@{ a = 1 }", "ConversionSupportedOnlyToCoreTypes"),  # 4
    ("[Convert]::ToBase64String((1, 2))", "MethodInvocationNotSupportedInConstrainedLanguage"),  # 6
    ("[math]::Floor(1.5)", "MethodInvocationNotSupportedInConstrainedLanguage"),
    ("[scriptblock]::Create('1')", "MethodInvocationNotSupportedInConstrainedLanguage"),
    ("([ordered]@{ }).Add('a', 1)", "MethodInvocationNotSupportedInConstrainedLanguage"),  # 5
    ("$e = try { nothing } catch { $_ }; $e.Exception.GetType()", "MethodInvocationNotSupportedInConstrainedLanguage"),
    ("$PSVersionTable.PSVersion.CompareTo([version]'5.0'); (Get-Command Get-Date).Equals(1)", None),
    ("New-Object System.Text.StringBuilder", "CannotCreateTypeConstrainedLanguage,Microsoft.PowerShell.Commands.NewObjectCommand"),
    ("[Collections.ArrayList]::new()", "CannotCreateTypeConstrainedLanguage"),
    ("[Collections.ArrayList]@()", "ConversionSupportedOnlyToCoreTypes"),
    ("Add-Type -TypeDefinition 'class X {}'", "CannotDefineNewType,Microsoft.PowerShell.Commands.AddTypeCommand"),
    ("$p = (Get-CimInstance Win32_OperatingSystem).CimInstanceProperties['BuildNumber']; $p.Value = 1",
     "PropertySetterNotSupportedInConstrainedLanguage"),
    ("function f([scriptblock]$b) { }; f 'text'", "ConversionSupportedOnlyToCoreTypes"),  # 8
]  # fmt: skip


@pytest.mark.parametrize(("script", "identifier"), [case for case in CLM_REFUSES if case[1]])
def test_constrained_language_refuses(script: str, identifier: str) -> None:
    """An ordinary error: inside try it lands in the script's own catch (13)."""
    assert lines(f"try {{ {script} }} catch {{ $_.FullyQualifiedErrorId }}", CONSTRAINED) == [identifier]


CLM_ALLOWS: list[tuple[str, list[str]]] = [
    ("$ExecutionContext.SessionState.LanguageMode", ["ConstrainedLanguage"]),  # 1
    ("[datetime]::UtcNow.Kind; [guid]::Empty.ToString(); [int]::MaxValue", ["Utc", "00000000-0000-0000-0000-000000000000", "2147483647"]),
    ("$o = [ordered]@{ }; $o['k'] = 1; $o.l = 2; $o.Keys -join ','", ["k,l"]),  # 5
    ("(New-Object psobject -Property @{ a = 1 }).a; ('x' | Select-Object Length).Length", ["1", "1"]),  # 4
    ("try { nothing } catch { $_.CategoryInfo.Reason; $_.ToString().Length -gt 5 }", ["CommandNotFoundException", "True"]),  # 2, 6
    ("(New-Object System.Management.Automation.PSCredential 'u', (ConvertTo-SecureString 'p' -AsPlainText -Force)).UserName", ["u"]),  # 9
    ("$s = New-Object Security.SecureString; 'ab'.ToCharArray() | ForEach-Object { $s.AppendChar($_) }; $s.Length", ["2"]),
    ("[pscredential]::new('u', (ConvertTo-SecureString 'p' -AsPlainText -Force)).UserName", ["u"]),
    ("function f { param($a) $a }; f 1; Invoke-Expression '2'; 'a' -replace 'a', 'b'; [string[]](1, 2) -join ','", ["1", "2", "b", "1,2"]),
    ("(Get-CimInstance Win32_OperatingSystem).CimInstanceProperties['BuildNumber'].Value", ["20348"]),  # 2
    ("@{ a = 1 } | ConvertTo-Json -Compress", ['{"a":1}']),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), CLM_ALLOWS)
def test_constrained_language_allows(script: str, expected: list[str]) -> None:
    assert lines(script, CONSTRAINED) == expected


def test_application_control_of_azure_local_constrains_unless_told_otherwise() -> None:
    azure = {"release": "Azure Local 24H2", "edition": "azure_local"}
    script = "$ExecutionContext.SessionState.LanguageMode"
    assert lines(script, world(**azure)) == ["ConstrainedLanguage"]
    assert lines(script, world(**azure, powershell={"constrained": False})) == ["FullLanguage"]
    assert lines(script) == ["FullLanguage"]


def test_old_builds_cannot_load_the_cim_cmdlets_in_constrained_language() -> None:
    """(10), UNVERIFIED for which updates."""
    script = "try { Get-CimInstance Win32_OperatingSystem -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }"
    assert lines(script, world(powershell={"constrained": True, "cim_module": "blocked"})) == ["DotSourceNotSupported"]


# JSON (16 to 25)

JSON: list[tuple[str, str]] = [
    ("@(1, @(2, 3), 4) | ConvertTo-Json -Compress", '[1,{"value":[2,3],"Count":2},4]'),  # 19
    ("ConvertTo-Json -Compress -InputObject @(1, @(2, 3), 4)", "[1,[2,3],4]"),
    ("Remove-TypeData -TypeName System.Array; @(1, @(2, 3), 4) | ConvertTo-Json -Compress", "[1,[2,3],4]"),
    ("@('a') | ConvertTo-Json -Compress", '"a"'),  # 21
    ("ConvertTo-Json -Compress -InputObject @('a')", '["a"]'),
    ("@{ a = @('x') } | ConvertTo-Json -Compress", '{"a":["x"]}'),
    ("$null | ConvertTo-Json; @() | ConvertTo-Json", ""),
    ("@{ a = @{ b = @{ c = @{ d = 1 } } } } | ConvertTo-Json -Compress", '{"a":{"b":{"c":"System.Collections.Hashtable"}}}'),  # 17
    ("@{ a = @{ b = @{ c = @(1, 2) } } } | ConvertTo-Json -Compress", '{"a":{"b":{"c":"1 2"}}}'),
    ("@{ a = @{ b = @{ c = @{ d = 1 } } } } | ConvertTo-Json -Compress -Depth 3", '{"a":{"b":{"c":{"d":1}}}}'),
    ("@{ d = [datetime]'2026-03-01T00:00:00.1234Z' } | ConvertTo-Json -Compress", r'{"d":"\/Date(1772323200123)\/"}'),  # 18
    ("@{ d = [datetime]'2026-03-01' } | ConvertTo-Json -Compress", r'{"d":"\/Date(1772316000000)\/"}'),  # 18: Unspecified is local
    ("@{ n = 18446744073709551615 -is [double]; i = [uint64]'18446744073709551615' } | ForEach-Object { $_.i } | ConvertTo-Json",
     "18446744073709551615"),  # 22
    ("@{ k = [datetime]::UtcNow.Kind } | ConvertTo-Json -Compress", '{"k":1}'),  # 22
    ("[ordered]@{ c = [char]'x'; b = [byte[]](1, 2); t = $true; n = $null } | ConvertTo-Json -Compress",
     '{"c":"x","b":[1,2],"t":true,"n":null}'),
    ("ConvertTo-Json -Compress \"<>&'`\"\\`t$([char]233)$([char]0x2028)\"", '"\\u003c\\u003e\\u0026\\u0027\\"\\\\\\té\\u2028"'),  # 23
    ("[version]'1.2' | ConvertTo-Json -Compress", '{"Major":1,"Minor":2,"Build":-1,"Revision":-1,"MajorRevision":-1,"MinorRevision":-1}'),
    ("('{\"a\": [1, 2]}' | ConvertFrom-Json).a.Count; ('[1, 2]' | ConvertFrom-Json | Measure-Object).Count", "2\r\n1"),  # 21
    (r"""('{"d": "\/Date(0)\/"}' | ConvertFrom-Json).d.ToString('o')""", "1970-01-01T00:00:00.0000000Z"),  # 18
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), JSON)
def test_json_is_that_of_windows_powershell(script: str, expected: str) -> None:
    result = start(PLAIN, script)
    assert result.stdout.decode().removesuffix("\r\n") == expected
    assert identifiers(result) == []


def test_json_of_a_date_out_of_a_pipeline_carries_its_words() -> None:
    """Fact 18."""
    (text,) = lines("Get-Date | ConvertTo-Json -Compress")
    assert set(json.loads(text)) == {"value", "DateTime"}


def test_json_without_compress_has_its_own_indentation() -> None:
    result = start(PLAIN, "[ordered]@{ a = 1; b = @{ c = @(1) } } | ConvertTo-Json")
    expected = [
        "{",
        '    "a":  1,',
        '    "b":  {',
        '              "c":  [',
        "                        1",
        "                    ]",
        "          }",
        "}",
    ]
    assert [line for line in result.stdout.decode().splitlines() if line] == expected


JSON_ERRORS = [
    ("@{ 1 = 2 } | ConvertTo-Json", "NonStringKeyInDictionary,Microsoft.PowerShell.Commands.ConvertToJsonCommand"),  # 22
    ("'{\"a\": 1, \"A\": 2}' | ConvertFrom-Json", "DuplicateKeysInJsonString,Microsoft.PowerShell.Commands.ConvertFromJsonCommand"),  # 24
    ("'{\"\": 1}' | ConvertFrom-Json", "EmptyKeyInJsonString,Microsoft.PowerShell.Commands.ConvertFromJsonCommand"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "identifier"), JSON_ERRORS)
def test_json_refuses(script: str, identifier: str) -> None:
    assert identifiers(start(PLAIN, script)) == [identifier]


def test_the_order_of_a_hashtable_is_not_that_of_the_script() -> None:
    """Fact 22."""
    assert lines("(@{ a = 1; b = 2; c = 3; d = 4; e = 5 }).Keys -join ','") != ["a,b,c,d,e"]


def test_json_of_an_instance_is_full_of_other_things() -> None:
    """(16): unselected properties are there as null, and CLR properties come first."""
    (text,) = lines(
        "Get-CimInstance -Query 'SELECT Caption FROM Win32_OperatingSystem' | ConvertTo-Json -Compress -Depth 1"
    )
    found = json.loads(text)
    assert list(found)[:3] == ["CimClass", "CimInstanceProperties", "CimSystemProperties"]
    assert list(found)[-1] == "PSComputerName"
    assert found["Caption"].startswith("Microsoft Windows Server")
    assert found["BuildNumber"] is None


# The CIM cmdlets (27 to 36, 75 to 79)

REGISTRY = "@{ hDefKey = [uint32]2147483650; sSubKeyName = 'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'; sValueName = 'EditionID' }"
REFRESH = "Invoke-CimMethod -MethodName RefreshLicenseStatus"
READ = "Invoke-CimMethod -ClassName StdRegProv -MethodName GetStringValue -Arguments"

CIM: list[tuple[str, list[str]]] = [
    ("(Get-CimInstance Win32_OperatingSystem).BuildNumber", ["20348"]),
    ("(Get-CimInstance -Query 'SELECT * FROM Win32_OperatingSystem' -Namespace root\\cimv2).BuildNumber", ["20348"]),
    ("(Get-CimInstance Win32_Service -Filter \"Name = 'sppsvc'\" -Property Name, State).State", ["Stopped"]),
    ("(Get-CimInstance Win32_Service -Filter \"Name = 'nothing'\") -eq $null", ["True"]),
    ("(Get-CimInstance Win32_OperatingSystem).InstallDate.Kind", ["Local"]),  # 27
    ("(Get-CimInstance Win32_OperatingSystem -Property BuildNumber).Caption -eq $null", ["True"]),  # 79
    ("$i = Get-CimInstance Win32_OperatingSystem; $i -is [ciminstance]; $i.CimSystemProperties.ClassName",
     ["True", "Win32_OperatingSystem"]),
    ("(Get-CimInstance SoftwareLicensingProduct | Select-Object -First 1).LicenseStatus -is [uint32]", ["True"]),
    (f"$r = {READ} {REGISTRY}; $r.sValue; $r.ReturnValue; $r.ReturnValue -is [uint32]", ["ServerDatacenter", "0", "True"]),  # 34
    (f"({READ} {REGISTRY}).PSObject.Properties | ForEach-Object {{ $_.Name }}", ["sValue", "ReturnValue", "PSComputerName"]),
    (f"{REFRESH} -Query \"SELECT Version FROM SoftwareLicensingService WHERE Version = 'x'\"", []),  # 35
    (f"({REFRESH} -InputObject (Get-CimInstance SoftwareLicensingService -Property Version)).ReturnValue", ["0"]),
    ("(Get-CimInstance -InputObject (Get-CimInstance Win32_Service -Filter \"Name = 'sppsvc'\" -KeyOnly)).State", ["Stopped"]),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), CIM)
def test_the_cim_cmdlets(script: str, expected: list[str]) -> None:
    assert lines(script) == expected


_GET = ",Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
_INVOKE = ",Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand"
INSTALL = (
    "Invoke-CimMethod -InputObject (Get-CimInstance SoftwareLicensingService) -MethodName InstallProductKey -Arguments"
)
CIM_ERRORS = [
    ("Get-CimInstance NoClass", f"HRESULT 0x80041010{_GET}"),  # 28
    ("Get-CimInstance NoClass -Namespace root/none", f"HRESULT 0x8004100e{_GET}"),
    ("Get-CimInstance -Query 'SELECT Nothing FROM Win32_Service'", f"HRESULT 0x80041017{_GET}"),
    (f"{INSTALL} @{{ ProductKey = 'nonsense' }}", f"HRESULT 0xc004f050{_INVOKE}"),  # 29
    (f"{INSTALL} @{{ Wrong = 'x' }}", f"CimCmdlet_ArgumentException{_INVOKE}"),  # 36
    (f"{READ} @{{ hDefKey = 2147483650; sSubKeyName = 'x'; sValueName = 'y' }}", f"HRESULT 0x80041005{_INVOKE}"),  # 36
    (f"{REFRESH} -InputObject (Get-CimInstance SoftwareLicensingService -Property IsKeyManagementServiceMachine)",
     f"HRESULT 0x80041008{_INVOKE}"),  # 36
]  # fmt: skip


@pytest.mark.parametrize(("script", "identifier"), CIM_ERRORS)
def test_errors_of_the_cim_cmdlets(script: str, identifier: str) -> None:
    """They end nothing without -ErrorAction Stop (33)."""
    result = start(PLAIN, f"{script}; 'after'")
    assert (result.stdout, identifiers(result)) == (b"after\r\n", [identifier])
    caught = f"try {{ {script} -ErrorAction Stop; 'after' }} catch {{ $_.FullyQualifiedErrorId }}"
    if "(Get" not in script:
        assert lines(caught) == [identifier]


def test_what_an_error_record_of_wmi_has() -> None:
    """Fact 30."""
    script = (
        "try { Get-CimInstance NoClass -ErrorAction Stop } catch { $e = $_.Exception; $_.CategoryInfo.Reason; $_.CategoryInfo.Category;"
        " $e.NativeErrorCode; $e.MessageId; $e.ErrorData.error_Code; $e.HResult; $e.StatusCode; $e.InnerException -eq $null }"
    )
    expected = [
        "CimException",
        "MetadataError",
        "InvalidClass",
        "HRESULT 0x80041010",
        "2147749904",
        "-2146233088",
        "5",
        "True",
    ]
    assert lines(script) == expected


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("error_data", ["MI RESULT 1", "3221549136", "-2146233088", "1", ""]),
        ("hresult", ["MI RESULT 1", "", "-1073418160", "1", ""]),
        ("status_code", ["MI RESULT 1", "", "-2146233088", "3221549136", ""]),
        ("inner", ["MI RESULT 1", "", "-2146233088", "1", "-1073418160"]),
    ],
)
def test_a_topology_chooses_where_the_hresult_stands(place: str, shown: list[str]) -> None:
    """(29, 31): what 5.1 fills is UNVERIFIED, so nobody may depend on one place."""
    script = (
        f"try {{ {INSTALL} @{{ ProductKey = 'nonsense' }} -ErrorAction Stop }} catch {{ $e = $_.Exception; $e.MessageId;"
        ' "$($e.ErrorData.error_Code)"; $e.HResult; $e.StatusCode; "$($e.InnerException.HResult)" }'
    )
    assert lines(script, world(powershell={"hresult_in": [place]})) == shown


def test_wmi_refuses_who_is_no_administrator() -> None:
    """Fact 51."""
    other = world(account={"name": "clerk", "administrator": False})
    assert identifiers(start(other, "Get-CimInstance Win32_OperatingSystem")) == [f"HRESULT 0x80041003{_GET}"]


def test_faults_hit_wmi_whatever_the_way() -> None:
    other = world(
        listener={"faults": [{"effect": "hresult", "value": "0xC004FD00", "match": {"method": "EnumKey"}, "times": 1}]}
    )
    script = READ.replace("GetStringValue", "EnumKey") + " @{ hDefKey = [uint32]2147483650; sSubKeyName = 'SOFTWARE' }"
    assert identifiers(start(other, script)) == [f"HRESULT 0xc004fd00{_INVOKE}"]
    assert identifiers(start(other, script)) == []
    assert [call["method"] for call in other.machine("HV").traffic.journal.invokes] == ["EnumKey"]


@pytest.mark.parametrize("release", ["2022", "2012 R2"])
def test_every_method_of_the_model_has_its_parameters_declared(release: str) -> None:
    where = load({"hosts": [{"name": "HV", "release": release, "guests": [{"name": "VM"}]}]})
    found = [*where.machine("HV").methods(), *where.machine("VM").methods()]
    assert [method for method in found if declaration(*method) is None] == []


def test_a_local_call_returns_when_windows_is_done() -> None:
    """Fact 75: the time limit is WS-Management's."""
    slow = world(activation={"install_polls": 3})
    shown = "(Get-CimInstance SoftwareLicensingProduct | Where-Object PartialProductKey).PartialProductKey"
    script = f"({INSTALL} @{{ ProductKey = 'WX4NM-KYWYW-QJJR4-XV3QB-6VM33' }}).ReturnValue; {shown} -contains '6VM33'"
    assert lines(script, slow) == ["0", "True"]


# Standard input and output (37 to 43)

STDIN: list[tuple[str, str, list[str]]] = [
    ("@($input).Count", "a\nb\r\nc", ["3"]),  # 38
    ("try { foreach ($l in $input) { $l } } catch { }", "a\nb\n", ["a", "b"]),  # 37
    ("& { @($input).Count }", "a\nb\n", ["0"]),
    ("function f { @($input).Count }; f", "a\n", ["0"]),
    ("1 | ForEach-Object { @($input).Count }", "a\n", ["0"]),
    ("'x'", "ignored\n", ["x"]),
    ("$lines = @($input); $lines[0] -is [string]; $lines[1]", "1\n{}\n", ["True", "{}"]),
]  # fmt: skip


@pytest.mark.parametrize(("script", "stdin", "expected"), STDIN)
def test_standard_input_is_read_for_input_at_the_top_alone(script: str, stdin: str, expected: list[str]) -> None:
    assert lines(script, stdin=stdin) == expected


EXIT_CODES = [
    ("exit 3", 3),
    ("throw 'x'", 1),
    ("Nothing", 1),
    ("Nothing; 'x'", 0),
    ("if (", 1),
    ("$x = 1", 0),
    ("exit 70000", 70000),
]


@pytest.mark.parametrize(("script", "code"), EXIT_CODES)
def test_exit_codes(script: str, code: int) -> None:
    """Fact 42."""
    assert start(PLAIN, script).exit_code == code


def test_bad_base64_has_an_exit_code_whose_low_byte_is_zero() -> None:
    """Fact 42."""
    assert PLAIN.machine("HV").execute("powershell -EncodedCommand !", [], b"").exit_code == 0xFFFD0000


def test_standard_error_is_clixml_with_progress_though_all_is_well() -> None:
    """Fact 41."""
    result = start(PLAIN, "'x'; Write-Warning 'mind'")
    assert result.stderr.startswith(b"#< CLIXML\r\n<Objs")
    assert b"Preparing modules" in result.stderr
    assert b'<S S="warning">mind</S>' in result.stderr
    assert result.stdout == b"x\r\n"


def test_with_command_warnings_go_to_standard_output() -> None:
    """Fact 40."""
    result = PLAIN.machine("HV").execute("powershell -NoProfile -Command Write-Warning 'mind'", [], b"")
    assert (result.stdout, result.stderr) == (b"WARNING: mind\r\n", b"")


def test_a_console_has_an_oem_code_page_until_it_is_switched() -> None:
    """Fact 39, 40, 47."""
    machine = PLAIN.machine("HV")
    script = 'powershell -NoProfile -Command "[char]233 + [char]0x263a"'
    assert machine.console().cmd(script, b"").stdout == b"\x82?\r\n"
    assert machine.console().cmd(f"chcp.com 65001 >nul 2>&1 && {script}", b"").stdout == "é☺\r\n".encode()


def test_what_does_not_read_standard_input_leaves_it_to_the_next() -> None:
    """Fact 44: so Ansible before 2.18 puts chcp before a script."""
    script = base64.b64encode("@($input)[0]".encode("utf-16-le")).decode()
    line = f"chcp.com 65001 >nul 2>&1 && PowerShell -NoProfile -NonInteractive -EncodedCommand {script}"
    assert PLAIN.machine("HV").console().cmd(line, b"a\nb\n").stdout == b"a\r\n"


def test_cmd_takes_8191_characters() -> None:
    """Fact 43."""
    result = PLAIN.machine("HV").console().cmd("powershell -EncodedCommand " + "A" * 8200, b"")
    assert (result.exit_code, result.stderr) == (1, b"The command line is too long.\r\n")


def test_a_profile_prints_where_it_is_not_forbidden() -> None:
    noisy = world(powershell={"profile": ["Welcome!"]})
    assert start(noisy, "'x'").stdout == b"x\r\n"
    assert start(noisy, "'x'", options=()).stdout == b"Welcome!\r\nx\r\n"


def test_powershell_starts_powershell() -> None:
    """(48): the child shares standard input, its exit code is in $LASTEXITCODE."""
    inner = base64.b64encode("@($input)[0]; exit 7".encode("utf-16-le")).decode()
    console = PLAIN.machine("HV").console()
    result = console.powershell(f"powershell -NoProfile -EncodedCommand {inner}; exit $LASTEXITCODE", b"hello\n")
    assert (result.exit_code, result.stdout) == (7, b"hello\r\n")
    assert console.powershell(f"powershell -NoProfile -EncodedCommand {inner}", b"x\n").exit_code == 1


def test_what_runs_is_in_the_journal_but_for_keys() -> None:
    """Script block logging keeps every text (9), starts are counted."""
    other = world()
    start(other, "Invoke-Expression '$k = \"AAAAA-BBBBB-CCCCC-DDDDD-EEEEE\"'")
    journal = other.machine("HV").traffic.journal
    assert journal.powershell_starts == 1
    assert journal.scripts[1] == '$k = "*****-*****-*****-*****-EEEEE"'


def test_what_cmdlets_are_given_is_in_the_journal() -> None:
    """Fact 9: module logging writes parameters, those of the pipeline too, but none of methods and operators."""
    other = world()
    start(other, "$s = ConvertTo-SecureString 'one' -AsPlainText -Force; 'two' | Out-Null; 'three'.Trim() + 'four'")
    given = other.machine("HV").traffic.journal.parameters
    assert {"ConvertTo-SecureString string=one", "Out-Null inputobject=two"} <= given
    assert not any("three" in text or "four" in text for text in given)


def test_sleeping_takes_no_time_in_the_model() -> None:
    assert start(PLAIN, "Start-Sleep -Seconds 30; Start-Sleep -Milliseconds 500").elapsed == 30.5
