# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""The scripts, which are constant, and the form of their data. Private to this collection.

They run in Constrained Language Mode: no types but the core ones, no methods but theirs, no property set, no ``[pscustomobject]``.

A script never holds data: Windows writes scripts to its event log. Data is lines of pure ASCII on standard input, whatever the code
page; a line is fields with a blank between them, each with ``\`` and what is no printable ASCII as ``\uXXXX``, which
``[regex]::Unescape`` reads. No cmdlet gets a secret as the value of a parameter, since module logging would write that to the event
log too (4103): hence neither ConvertFrom-Json nor ConvertTo-SecureString, but operators and methods.

An answer is one string of ASCII, a JSON document between two markers: what else is printed around it does not matter, nor do the exit
code and standard error. It is written by hand, since ConvertTo-Json of 5.1 changes dates, arrays and strings that came through remoting.

Sources: Microsoft, about_Language_Modes; PowerShell's source of 2016 for how standard input is read and how errors are made.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence

#: What powershell.exe is started with: its standard input is the number of the first line of data, a script, and the data. ``$input``
#: must stand outside of any block, or PowerShell does not read it. cmd.exe takes 8,191 characters, of which this, encoded, is few.
BOOTSTRAP = """\
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
$first = [int]$lines[0]
$data = $lines[$first..($lines.Count - 1)]
Invoke-Expression ($lines[1..($first - 1)] -join "`n")
exit 0
"""

#: Windows PowerShell by its name, whatever the default shell is.
COMMAND = (
    "powershell.exe",
    "-NoProfile",
    "-NonInteractive",
    "-EncodedCommand",
    base64.b64encode(BOOTSTRAP.encode("utf-16-le")).decode(),
)

_PRELUDE = r"""
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
function Quote([string]$text) {
    $text = $text.Replace('\', '\\').Replace('"', '\"')
    $codes = @{}
    foreach ($match in [regex]::Matches($text, '[^ -~]')) { $codes[[int][char]$match.Value] = $true }
    foreach ($code in @($codes.Keys)) { $text = $text.Replace([string][char]$code, ('\u{0:x4}' -f $code)) }
    '"' + $text + '"'
}
function Encode($value) {
    if ($null -eq $value) { 'null' }
    elseif ($value -is [array]) {
        $items = foreach ($item in $value) { Encode $item }
        '[' + ($items -join ',') + ']'
    }
    elseif ($value -is [bool]) { if ($value) { '"true"' } else { '"false"' } }
    elseif ($value -is [datetime]) { Quote ($value.ToUniversalTime().ToString('o')) }
    elseif ($value -is [timespan]) {
        Quote ('P{0}DT{1}H{2}M{3}S' -f $value.Days, $value.Hours, $value.Minutes, $value.Seconds)
    }
    elseif ($value -is [ciminstance]) { Describe $value }
    else { Quote $value }
}
function Describe($instance, $columns) {
    $values = foreach ($property in $instance.CimInstanceProperties) {
        if (-not $columns -or $columns -contains $property.Name) {
            (Quote $property.Name) + ':' + (Encode $property.Value)
        }
    }
    '{"class":' + (Quote $instance.CimSystemProperties.ClassName) +
        ',"namespace":' + (Quote $instance.CimSystemProperties.Namespace) +
        ',"values":{' + ($values -join ',') + '}}'
}
function Explain($record) {
    $exception = $record.Exception
    '{"id":' + (Quote $record.FullyQualifiedErrorId) +
        ',"type":' + (Quote $record.CategoryInfo.Reason) +
        ',"message":' + (Quote $exception.Message) +
        ',"message_id":' + (Quote $exception.MessageId) +
        ',"error_code":' + (Quote $exception.ErrorData.error_Code) +
        ',"hresult":' + (Quote $exception.HResult) +
        ',"status_code":' + (Quote $exception.StatusCode) +
        ',"inner_hresult":' + (Quote $exception.InnerException.HResult) +
        ',"native_code":' + (Quote $exception.NativeErrorCode) + '}'
}
function Split-Fields($line) {
    foreach ($field in $line.Split(' ')) { [regex]::Unescape($field) }
}
"""

#: Does requests, one a line, in their order. The first line of data is the marker.
REQUESTS = (
    _PRELUDE
    + r"""
$failed = $false
$ended = $false
$answers = foreach ($line in $data[1..($data.Count - 1)]) {
    $f = @(Split-Fields $line)
    $changes = $f[0] -eq 'change' -or $f[0] -eq 'run'
    if ($ended -or ($failed -and $changes)) { '{"skipped":true}'; continue }
    try {
        if ($f[0] -eq 'query') {
            $columns = if ($f[4]) { $f[4].Split(',') }
            $found = if ($f[3] -eq '0') { Get-CimInstance -Namespace $f[1] -Query $f[2] }
            else { Get-CimInstance -Namespace $f[1] -Query $f[2] | Select-Object -First $f[3] }
            $rows = foreach ($instance in $found) { Describe $instance $columns }
            '{"rows":[' + ($rows -join ',') + ']}'
        }
        elseif ($f[0] -ne 'run') {
            $arguments = @{}
            for ($i = 5; $i -lt $f.Count; $i += 3) {
                $name, $kind, $text = $f[$i..($i + 2)]
                if ($kind -eq 'integer') { $arguments[$name] = [uint32]$text }
                elseif ($kind -eq 'boolean') { $arguments[$name] = $text -eq 'true' }
                elseif ($kind -eq 'list') { $arguments[$name] = [string[]]@(Split-Fields $text) }
                else { $arguments[$name] = $text }
            }
            $target = if ($f[4]) { Get-CimInstance -Namespace $f[1] -Query $f[4] }
            if ($f[4] -and -not $target) {
                $failed = $true
                $ended = $changes
                '{"missing":true}'
                continue
            }
            $output = if ($target) { Invoke-CimMethod -InputObject $target -MethodName $f[3] -Arguments $arguments }
            else { Invoke-CimMethod -Namespace $f[1] -ClassName $f[2] -MethodName $f[3] -Arguments $arguments }
            $values = foreach ($property in $output.PSObject.Properties) {
                if ($property.Name -ne 'PSComputerName') { (Quote $property.Name) + ':' + (Encode $property.Value) }
            }
            '{"output":{' + ($values -join ',') + '}}'
        }
        else {
            $arguments = @(for ($i = 3; $i -lt $f.Count; $i++) { $f[$i] })
            $command = $f[1]
            $ErrorActionPreference = 'Continue'
            $printed = $f[2] | & $command @arguments 2>$null
            '{"exit_code":' + (Quote $LASTEXITCODE) + ',"stdout":' + (Quote (@($printed) -join "`n")) + '}'
        }
    }
    catch {
        $failed = $true
        $ended = $changes
        '{"error":' + (Explain $_) + '}'
    }
    finally { $ErrorActionPreference = 'Stop' }
}
$data[0] + '{"mode":' + (Quote $ExecutionContext.SessionState.LanguageMode) +
    ',"wow64":' + (Quote $env:PROCESSOR_ARCHITEW6432) + ',"answers":[' + ($answers -join ',') + ']}' + $data[0]
"""
)

#: Has a virtual machine of this host do ``REQUESTS``. The first line of data is the marker; the second has the WQL that finds the VM,
#: the user and password in the guest, the seconds that it may take, and the number of lines of the guest's script, which follow; the
#: rest is the guest's data.
THROUGH_HOST = (
    _PRELUDE
    + r"""
$f = @(Split-Fields $data[1])
$vms = @()
$version = ''
$answer = ''
$ended = $false
$failure = 'null'
try {
    $vms = @(Get-CimInstance -Namespace root/virtualization/v2 -Query $f[0])
    if ($vms.Count -eq 1 -and $vms[0].EnabledState -eq 2) {
        $id = $vms[0].Name
        $exchange = Get-CimInstance -Namespace root/virtualization/v2 -Query (
            "SELECT GuestIntrinsicExchangeItems FROM Msvm_KvpExchangeComponent WHERE SystemName = '$id'")
        foreach ($item in $exchange.GuestIntrinsicExchangeItems) {
            if ($item -match '<VALUE>OSVersion</VALUE>' -and $item -match 'NAME="Data"[^>]*><VALUE>(\d{1,3})\.') {
                $version = $Matches[1]
            }
        }
        if (-not $version -or [int]$version -ge 10) {
            $secret = New-Object System.Security.SecureString
            foreach ($character in $f[2].ToCharArray()) { $secret.AppendChar($character) }
            $credential = New-Object System.Management.Automation.PSCredential $f[1], $secret
            $last = [int]$f[4] + 1
            $code = $data[2..$last] -join "`n"
            $lines = $data[($last + 1)..($data.Count - 1)] -join "`n"
            $job = Invoke-Command -VMId $id -Credential $credential -AsJob -ScriptBlock {
                $data = $using:lines -split "`n"
                Invoke-Expression $using:code
            }
            if (Wait-Job -Job $job -Timeout $f[3]) {
                $ended = $true
                $answer = (Receive-Job -Job $job) -join ''
            }
        }
    }
}
catch { $failure = Explain $_ }
$found = foreach ($vm in $vms) { Describe $vm @('Name', 'ElementName', 'EnabledState') }
$data[0] + '{"mode":' + (Quote $ExecutionContext.SessionState.LanguageMode) + ',"vms":[' + ($found -join ',') +
    '],"version":' + (Quote $version) + ',"ended":' + (Encode $ended) + ',"error":' + $failure + '}' + $data[0] + $answer
"""
)

_ESCAPED = re.compile(r"[^!-\[\]-~]")


def field(text: str) -> str:
    """Text as one field of a line of data."""

    def escape(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[index : index + 2].hex()}" for index in range(0, len(units), 2))

    return _ESCAPED.sub(escape, text)


def line(fields: Iterable[str]) -> str:
    """Texts as a line of data."""
    return " ".join(map(field, fields))


def stdin(script: str, data: Sequence[str]) -> bytes:
    """A script and the lines of its data as ``BOOTSTRAP`` reads them."""
    lines = script.strip().split("\n")
    return "\n".join([str(len(lines) + 1), *lines, *data, ""]).encode("ascii")
