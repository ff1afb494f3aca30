# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verify over hosts with all that shares a name or an id, or is not for AVMA: what is right is green, and what is forged is red."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from lab.client import Lab

WEB01 = "8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11"


def quiet(name: str, **spec: Any) -> dict[str, Any]:
    """A VM that only its host knows."""
    return {"name": name, "listen": False, **spec}


TOPOLOGY = {
    "clusters": [{"name": "HVC", "nodes": ["HV1", "HV2"]}],
    "hosts": [
        {
            "name": "HV1",
            "release": "2022",
            "license": "mak",
            "guests": [
                {"name": "WEB01", "vm_id": WEB01, "replication": "primary", "license": "avma"},
                # The word of the guest, for a host that is none.
                {"name": "FORGED", "license": {"key": "avma", "activated_by": "AVMA4K"}},
                quiet("WIN11", release="Windows 11", edition="pro"),
                quiet("OLD", release="2012"),
                quiet("LINUX", linux=True),
                quiet("APPLIANCE", linux=True, data_exchange=False),
            ],
        },
        {
            "name": "HV2",
            "release": "2019",
            "license": "mak",
            "guests": [
                quiet("WEB01-REPLICA", vm_name="WEB01", vm_id=WEB01, replication="replica", running=False),
                quiet("LOCAL", release="2016", clustered=False),
            ],
        },
    ],
}
#: The nodes differ, which is what makes a failover gap of each clustered guest of 2022.
ACCEPTED = "verification_accepted_problems=mixed_os_releases,failover_gap"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as running:
        yield running


def test_what_avma_is_not_for_is_listed_and_green(lab: Lab, run_playbook: RunPlaybook) -> None:
    # A relative folder is one of where the user is.
    arguments = ["-e", ACCEPTED, "-e", "verification_report_dest=here", "--limit", "all,!FORGED"]
    run = run_playbook(lab, "hyperv.avma.verify", *arguments)
    assert run.rc == 0, run.stdout
    [files] = [item["files"] for item in run.results if "files" in item.result]
    [path] = [Path(file) for file in files if file.endswith(".json")]
    assert (path.parent.name, (path.parent.parent / "ansible.cfg").exists()) == ("here", True)
    report = json.loads(path.read_text())
    assert sorted((row["name"], row["host"], row["machine"], row["verdict"]) for row in report["guests"]) == [
        ("APPLIANCE", "HV1", None, "not_read"),
        ("FORGED", "HV1", None, "not_read"),
        ("LINUX", "HV1", None, "not_applicable"),
        ("LOCAL", "HV2", None, "not_read"),
        ("OLD", "HV1", None, "not_applicable"),
        ("WEB01", "HV1", "WEB01", "activated"),
        ("WEB01", "HV2", None, "not_applicable"),
        ("WIN11", "HV1", None, "not_applicable"),
    ]
    assert {row["name"] for row in report["failover"]} == {"WEB01", "FORGED"}
    assert [host["fqdn"] for host in report["hosts"]] == ["HV1.lab.example", "HV2.lab.example"]


def test_a_guest_that_names_a_host_which_is_none_is_red(lab: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(lab, "hyperv.avma.verify", "-e", ACCEPTED)
    assert run.rc != 0
    assert "FORGED: unexpected_host: The guest was activated by AVMA4K" in run.stdout.replace("\\n", "\n")


def test_the_user_says_whose_word_counts(lab: Lab, run_playbook: RunPlaybook) -> None:
    expected = json.dumps({"verification_expected_hosts": ["AVMA4K"]})
    run = run_playbook(lab, "hyperv.avma.verify", "-e", ACCEPTED, "-e", expected, "--limit", "HV1,HV2,FORGED,WEB01")
    assert {name: stats["failures"] for name, stats in run.stats.items() if name in ("FORGED", "WEB01")} == {"WEB01": 1}
    assert "WEB01: unexpected_host: The guest was activated by HV1" in run.stdout.replace("\\n", "\n")


@pytest.fixture(scope="module")
def renamed() -> Iterator[Lab]:
    """A host that was called HVOLD when it activated its guest, and a KMS client on it."""
    guests = [
        {"name": "GUEST", "license": {"key": "avma", "activated_by": "HVOLD.lab.example"}},
        {"name": "CLIENT", "license": "kms"},
    ]
    defaults = {"all": {"release": "2022"}}
    with Lab({"defaults": defaults, "hosts": [{"name": "HVNEW", "license": "mak", "guests": guests}]}) as running:
        yield running


def test_the_role_lists_every_problem_with_what_to_do(renamed: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(renamed, "- hosts: all\n  gather_facts: false\n  roles: [hyperv.avma.verification]\n")
    assert run.rc == 2
    (failed,) = [result["msg"] for result in run.results if result.status == "failed"]
    client, guest = sorted(failed.splitlines())
    assert guest.startswith("GUEST: unexpected_host: The guest was activated by HVOLD.lab.example")
    assert "Run the role hyperv.avma.guest_activation on it to have it activated anew" in guest
    assert client.startswith("CLIENT: not_avma: ")


def test_site_has_a_guest_of_a_renamed_host_activated_anew(renamed: Lab, run_playbook: RunPlaybook) -> None:
    check = run_playbook(renamed, "hyperv.avma.site", "--check")
    assert "would activate: 2 guests (CLIENT, GUEST)" in check.stdout
    assert renamed.writes() == {}
    site = run_playbook(renamed, "hyperv.avma.site")
    assert site.rc == 0, site.stdout
    assert [call["method"] for call in renamed.writes()["GUEST"]] == ["Activate"]
    again = run_playbook(renamed, "hyperv.avma.site")
    assert (again.rc, again.changed()) == (0, 0)
