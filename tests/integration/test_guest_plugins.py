"""Lookup, filters and test of the guest side, through Ansible's own templating."""

from __future__ import annotations

from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run

GUEST = "{license: {avma: true, status: licensed}, activation: {host: HV01.lab.example, time: '2026-11-22T08:15:30Z'}}"
#: Name → expression and its value.
VALUES: dict[str, tuple[str, Any]] = {
    "key": ("lookup('hyperv.avma.key', 'Windows Server 2022', edition='Datacenter')", "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"),
    "keys": (
        "query('hyperv.avma.key', '2019', '1909', 14393, edition='Standard')",
        ["TNK62-RXVTB-4P47B-2D623-4GF74", "TNK62-RXVTB-4P47B-2D623-4GF74", "C3RCX-M6NRP-6CXC9-TW2F2-4RHYD"],
    ),
    "key_override_of_a_number": (
        "lookup('hyperv.avma.key', '29500', overrides={29500: {'Datacenter': 'YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67'}})",
        "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67",
    ),
    "key_override": (
        "lookup('hyperv.avma.key', 29500, overrides={'29500': {'Datacenter': 'YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67'}})",
        "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67",
    ),
    "key_as_a_fact": (
        "lookup('hyperv.avma.key', 'Microsoft Windows Server 2022 Standard')",
        "YDFWN-MJ9JR-3DYRK-FXXRW-78VHK",
    ),
    "key_by_edition_id": (
        "lookup('hyperv.avma.key', 2022, edition='ServerTurbineCor')",
        "F7TB6-YKN8Y-FCC6R-KQ484-VMK3J",
    ),
    "kms_keys": (
        "query('hyperv.avma.key', '2025', 'Windows Server, version 1809', '10.0.17763.1', channel='kms')",
        ["D764K-2NDRG-47T6Q-P8T8W-YP6DF", "6NMRW-2C8FM-D24W7-TQWMY-CWH2D", "WMDGN-G9PQG-XVVXX-R3X43-63DFG"],
    ),
    "identify_masked": (
        "'*****-*****-*****-*****-DV9BG' | hyperv.avma.identify_key",
        {"release": "2022", "edition": "Datacenter", "channel": "VT:IA", "kind": "avma"},
    ),
    "explain_sentence": ("('Error: 0xC004F069 On a computer running' | hyperv.avma.explain).hresult", "0xC004F069"),
    "identify_avma": (
        "'DV9BG' | hyperv.avma.identify_key",
        {"release": "2022", "edition": "Datacenter", "channel": "VT:IA", "kind": "avma"},
    ),
    "identify_kms": (
        "'WX4NM-KYWYW-QJJR4-XV3QB-6VM33' | hyperv.avma.identify_key",
        {"release": "2022", "edition": "Datacenter", "channel": "Volume:GVLK", "kind": "kms_client"},
    ),
    "identify_unknown": (
        "'2JF79' | hyperv.avma.identify_key",
        {"release": None, "edition": None, "channel": None, "kind": None},
    ),
    "explain_text": ("('0xC004FD02' | hyperv.avma.explain).symbol", "SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED"),
    "explain_signed": ("(-1073414912 | hyperv.avma.explain).retryable", True),
    "explain_unknown": ("('0xC004ABCD' | hyperv.avma.explain).symbol is none", True),
    "activated": ("guest is hyperv.avma.activated_by('hv01')", True),
    "activated_by_none": ("guest is hyperv.avma.activated_by(['HV02', 'HV01.other.example'])", False),
    "not_activated": (
        "guest | combine({'activation': none}) is hyperv.avma.activated_by('HV01')",
        False,
    ),
}
#: Name → expression and what the error must hold.
ERRORS = {
    "no_such_release": ("lookup('hyperv.avma.key', '2024 R2')", "is not a release, a SAC version or a build number"),
    "no_key": ("lookup('hyperv.avma.key', '20H2')", "Microsoft documents no AVMA key for Windows Server, version 20H2"),
    "no_essentials": ("lookup('hyperv.avma.key', '2025', edition='Essentials')", "Windows Server 2025 Essentials"),
    "no_such_edition": ("lookup('hyperv.avma.key', '2025', edition='Pro')", "'Pro' is not one of Datacenter, Standard"),
    "no_kms_key": (
        "lookup('hyperv.avma.key', '23H2', channel='kms')",
        "Microsoft documents no KMS client key for Windows Server, version 23H2 Datacenter",
    ),
    "contradiction": (
        "lookup('hyperv.avma.key', 'Windows Server 2022 Datacenter', edition='Standard')",
        "release 'Windows Server 2022 Datacenter' and edition 'Standard' contradict each other",
    ),
    "nearest": ("lookup('hyperv.avma.key', 'Windows Sever 2022')", "Did you mean Windows Server 2022?"),
    "bad_override": ("lookup('hyperv.avma.key', 2022, overrides={2022: 'x'})", "a dictionary is needed, of editions"),
    "no_key_at_all": ("'nonsense' | hyperv.avma.identify_key", "neither a product key nor the last five"),
    "no_hresult": ("'nonsense' | hyperv.avma.explain", "'nonsense' is not an HRESULT"),
    "no_guest": ("42 is hyperv.avma.activated_by('HV01')", "give it the guest of guest_info"),
}


def play() -> str:
    lines = ["- hosts: localhost", "  gather_facts: false", "  vars:", f"    guest: {GUEST}", "  tasks:"]
    for name, expression in [(name, value[0]) for name, value in (VALUES | ERRORS).items()]:
        lines += [f"    - name: {name}", "      ansible.builtin.set_fact:", f'        value: "{{{{ {expression} }}}}"']
        lines += ["      ignore_errors: true"]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def run(run_playbook: RunPlaybook) -> Run:
    return run_playbook(None, play())


@pytest.mark.parametrize("name", VALUES)
def test_value(run: Run, name: str) -> None:
    result = run.of("localhost", name)
    assert result.status == "ok", result.result
    assert result["ansible_facts"]["value"] == VALUES[name][1]


@pytest.mark.parametrize("name", ERRORS)
def test_error(run: Run, name: str) -> None:
    result = run.of("localhost", name)
    assert result.status == "failed"
    assert ERRORS[name][1] in result["msg"]
