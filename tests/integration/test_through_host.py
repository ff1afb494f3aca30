# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Guests without any listener, through their Hyper-V hosts: found where they run, and every obstacle told by its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.connections import UNENCRYPTED
from integration.playbooks import Run
from lab.client import Lab

DIRECT = {"listener": {"connection": "powershell_direct"}}
INFO = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_info:
        gather_subset: [min]
"""


def guest(name: str, **spec: Any) -> dict[str, Any]:
    return {"name": name, **DIRECT, **spec}


#: As long as Hyper-V lets a name be, with wildcards of WQL and letters beyond the first plane of Unicode.
ANY_LETTERS = "%_[a]*? 日本語 \u202e\U0001f389".ljust(100, "é")
#: What stands in the way, the code that tells it, and whether the guest is unreachable for it; None where nothing does.
GUESTS: dict[str, tuple[dict[str, Any], str | None, bool]] = {
    "PLAIN": ({}, None, False),
    "CONSTRAINED": ({"powershell": {"constrained": True}, "language": "ja-JP"}, None, False),
    "OVER-PSRP": ({"on": "HV-PSRP"}, None, False),
    "OVER-SSH": ({"on": "HV-SSH"}, None, False),
    "OVER-SSH-PS": ({"on": "HV-SSH-PS"}, None, False),
    "QUOTES": (
        {
            "vm_name": 'it\'s "the" $vm; `x` \\ 100% (é)',
            "variables": {
                "ansible_powershell_direct_vm_id": None,
                "ansible_powershell_direct_vm_name": 'it\'s "the" $vm; `x` \\ 100% (é)',
            },
        },
        None,
        False,
    ),
    "ANY-LETTERS": (
        {
            "vm_name": ANY_LETTERS,
            "variables": {
                "ansible_powershell_direct_vm_id": None,
                "ansible_powershell_direct_vm_name": ANY_LETTERS,
            },
        },
        None,
        False,
    ),
    "DOTTED": ({"variables": {"ansible_user": ".\\Administrator"}}, None, False),
    "OFF": ({"running": False}, "vm_not_running", True),
    "PAUSED": ({"paused": True}, "vm_not_running", True),
    "WRONG": ({"variables": {"ansible_password": "wrong"}}, "guest_credentials_refused", True),
    "NO-ACCOUNTS": ({"direct": "no_accounts"}, "guest_credentials_refused", True),
    "UNEQUAL": ({"direct": "unequal_patches"}, "guest_credentials_refused", True),
    "BOOTING": ({"direct": "booting", "variables": {"ansible_powershell_direct_timeout": 5}}, "guest_silent", True),
    "DISABLED": ({"services": {"vmicvmsession": "disabled"}}, "guest_not_ready", True),
    "TWIN1": (
        {
            "vm_name": "Twin",
            "variables": {"ansible_powershell_direct_vm_id": None, "ansible_powershell_direct_vm_name": "twin"},
        },
        "vm_ambiguous",
        False,
    ),
    "TWIN2": ({"vm_name": "Twin"}, None, False),
    "OLD": ({"release": "2012 R2"}, "guest_too_old_for_powershell_direct", False),
    "OLD-SILENT": ({"release": "2012 R2", "data_exchange": False}, "guest_not_ready", True),
    "UPN": ({"variables": {"ansible_user": "admin@lab.example"}}, "powershell_direct_user", False),
    "NOWHERE": (
        {"variables": {"ansible_powershell_direct_vm_id": "11111111-2222-3333-4444-555555555555"}},
        "vm_not_on_host",
        False,
    ),
    "UNLISTED": ({"variables": {"ansible_powershell_direct_host": "hv99"}}, "vm_host_unlisted", False),
    "SELF-HOSTED": ({"variables": {"ansible_powershell_direct_host": "PLAIN"}}, "vm_host_unsuitable", False),
    "NO-TIME": ({"variables": {"ansible_powershell_direct_timeout": -100}}, "invalid_argument", False),
    "NO-PASSWORD": ({"variables": {"ansible_password": ""}}, "powershell_direct_incomplete", False),
    "ON-DOWN": ({"on": "HV-DOWN"}, "vm_host_unreachable", True),
    "ON-OLD": ({"on": "HV-OLD"}, "host_too_old_for_powershell_direct", False),
    "ON-BARE": ({"on": "HV-BARE"}, "hyperv_module_missing", False),
    "ON-PLAIN-USER": ({"on": "HV-USER"}, "vm_host_access_denied", False),
    "ON-CLEAR": ({"on": "HV-CLEAR"}, "vm_host_unencrypted", False),
    "ON-LOCKED": ({"on": "HV-LOCKED"}, "powershell_refuses", False),
}
HOSTS: dict[str, dict[str, Any]] = {
    "HV": {},
    "HV-PSRP": {"listener": {"connection": "psrp"}, "powershell": {"constrained": True}},
    "HV-SSH": {"listener": {"connection": "ssh"}, "powershell": {"constrained": True}},
    "HV-SSH-PS": {"listener": {"connection": "ssh"}, "ssh": {"shell": "powershell"}},
    "HV-DOWN": {},
    "HV-OLD": {"release": "2012 R2"},
    "HV-BARE": {"hyperv_module": False},
    "HV-USER": {"account": {"administrator": False}, "listener": {"connection": "ssh"}},
    "HV-CLEAR": {"listener": UNENCRYPTED},
    "HV-LOCKED": {"powershell": {"constrained": True, "cim_module": "blocked"}, "listener": {"connection": "ssh"}},
}


def topology() -> dict[str, Any]:
    hosts = []
    for name, spec in HOSTS.items():
        guests = [
            guest(item, **{key: value for key, value in options.items() if key != "on"})
            for item, (options, *_) in GUESTS.items()
            if options.get("on", "HV") == name
        ]
        hosts.append({"name": name, "release": "2022", "license": "mak", **spec, "guests": guests})
    return {"hosts": hosts}


@pytest.fixture(scope="module")
def obstacles(run_playbook: RunPlaybook) -> Iterator[Run]:
    with Lab(topology()) as lab:
        lab.stop("HV-DOWN")
        yield run_playbook(lab, INFO)


@pytest.mark.parametrize("name", GUESTS)
def test_guest_is_read_or_its_obstacle_has_a_code(obstacles: Run, name: str) -> None:
    options, code, unreachable = GUESTS[name]
    result = obstacles.of(name)
    if code is None:
        assert result.status == "ok", result.result["msg"]
        assert result["guest"]["connection"] == {
            "plugin": "hyperv.avma.powershell_direct",
            "host": options.get("on", "HV"),
        }
        return
    assert result.status == ("unreachable" if unreachable else "failed"), result.result["msg"]
    (found,) = result["problems"]
    assert found["code"] == code
    assert name in result["msg"]


HIDDEN = {"listen": False, "account": {"password": "Gäste-Passw0rd!"}}
NODES: dict[str, dict[str, Any]] = {
    "N1": {},
    "N2": {"listener": {"connection": "ssh"}},
    "N3": {"listener": {"connection": "psrp"}},
}
CLUSTER: dict[str, Any] = {
    "defaults": {"hosts": {"release": "2025", "license": "mak"}},
    "hosts": [
        {
            "name": "N1",
            "guests": [
                guest("MOVES"),
                {"name": "DMZ01", "vm_name": "DMZ 01", "release": "2022", **HIDDEN},
                {"name": "DMZ02", "release": "2025", "edition": "standard", "license": "kms", **HIDDEN},
                {"name": "PLAIN"},
            ],
        },
        {"name": "N2", "guests": [{"name": "DMZ03", "release": "2019", "core": True, **HIDDEN}], **NODES["N2"]},
        {"name": "N3", **NODES["N3"]},
    ],
    "clusters": [{"name": "HVC", "nodes": list(NODES)}],
}
MOVING = """
- hosts: MOVES
  gather_facts: false
  tasks:
    - &look
      name: On N1
      hyperv.avma.guest_info: {gather_subset: [min]}
    - ansible.builtin.command:
        argv: ["{{ ansible_playbook_python }}", -m, lab, ctl, --directory, "{{ lab_directory }}", migrate, MOVES, N3]
      environment: {PYTHONPATH: "{{ lab_path }}"}
      delegate_to: localhost
      vars: {ansible_connection: local}
    - <<: *look
      name: On N3
    - hyperv.avma.guest_key:
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    with Lab(CLUSTER) as lab:
        yield lab


def test_guest_that_migrates_in_mid_play_is_found_on_its_new_node(cluster: Lab, run_playbook: RunPlaybook) -> None:
    paths = {"lab_directory": str(cluster.directory), "lab_path": str(Path(__file__).resolve().parents[1])}
    run = run_playbook(cluster, MOVING, "-e", yaml.safe_dump(paths, default_flow_style=True, width=10_000))
    assert run.stats["MOVES"]["failures"] + run.stats["MOVES"]["unreachable"] == 0, run.stdout
    assert [run.of("MOVES", f"On {node}")["guest"]["connection"]["host"] for node in ("N1", "N3")] == ["N1", "N3"]
    assert run.of("MOVES")["activation"]["host"] == "N3.lab.example"


OTHERS = """
- hosts: MOVES
  gather_facts: true
  ignore_errors: true
  tasks:
    - ansible.builtin.raw: whoami
    - ansible.builtin.setup:
    - ansible.builtin.copy: {content: x, dest: 'C:\\x'}
    - ansible.builtin.fetch: {src: 'C:\\x', dest: fetched}
    - ansible.builtin.wait_for_connection: {timeout: 1, sleep: 1}
"""


def test_other_modules_are_told_that_they_cannot_be_carried(cluster: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(cluster, OTHERS)
    assert [result.status for result in run.results] == ["failed"] * 6, run.stdout
    for result in run.results:
        assert "only the modules of hyperv.avma work over hyperv.avma.powershell_direct" in result["msg"]
        assert "gather_facts: false" in result["msg"]


@pytest.fixture
def sources(cluster: Lab, tmp_path: Path) -> list[str]:
    """An inventory of the hosts, their guests as the inventory plugin finds them, and the guests' credentials."""
    known = yaml.safe_load(cluster.inventory.read_text(encoding="utf-8"))["all"]["hosts"]
    source = {"plugin": "hyperv.avma.guests", "hosts": {name: known[name] for name in NODES}, "through_host": True}
    (tmp_path / "guests.avma.yml").write_text(yaml.safe_dump(source), encoding="utf-8")
    account = {"ansible_user": "Administrator", "ansible_password": HIDDEN["account"]["password"]}  # type: ignore[index]
    (tmp_path / "credentials.yml").write_text(yaml.safe_dump({"avma_guests": {"vars": account}}), encoding="utf-8")
    return ["-i", str(tmp_path / "guests.avma.yml"), "-i", str(tmp_path / "credentials.yml")]


def test_site_activates_guests_that_have_no_listener(
    cluster: Lab, run_playbook: RunPlaybook, sources: list[str]
) -> None:
    hidden = ["DMZ_01", "DMZ02", "DMZ03"]
    limit = ["--limit", ":".join([*NODES, *hidden])]
    site = run_playbook(cluster, "hyperv.avma.site", *sources, *limit)
    assert site.rc == 0, site.stdout
    again = run_playbook(cluster, "hyperv.avma.site", *sources, *limit)
    assert (again.rc, again.changed()) == (0, 0), again.stdout
    proof = run_playbook(cluster, INFO, *sources, *limit)
    found = {name: proof.of(name)["guest"] for name in hidden}
    assert {name: guest["activation"]["host"] for name, guest in found.items()} == {
        "DMZ_01": "N1.lab.example",
        "DMZ02": "N1.lab.example",
        "DMZ03": "N2.lab.example",
    }
    assert {guest["connection"]["plugin"] for guest in found.values()} == {"hyperv.avma.powershell_direct"}
