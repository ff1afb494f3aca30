# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cluster view, by the examples of its filters, on a cluster in the middle of an upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.filter import cluster_problems, failover_gaps

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

TOPOLOGY: dict[str, Any] = {
    "hosts": [
        {
            "name": "NODE1",
            "release": "2022",
            "license": "mak",
            "guests": [
                {"name": "NEW", "release": "2022", "listen": False},
                {"name": "OLD", "release": "2019", "listen": False},
                {"name": "STAYS", "release": "2022", "listen": False, "possible_owners": ["NODE1"]},
                {"name": "OFF", "release": "2022", "listen": False, "running": False},
            ],
        },
        {"name": "NODE2", "release": "2019", "license": "mak"},
        {"name": "NODE3", "release": "2022"},
        {"name": "NODE4", "release": "2022", "license": "mak", "node_state": "down"},
    ],
    "clusters": [{"name": "HVCLUSTER", "nodes": ["NODE1", "NODE2", "NODE3", "NODE4"]}],
}


def play(examples: str) -> str:
    return f"- hosts: avma_hosts:!NODE4\n  gather_facts: false\n  tasks:\n{indent(examples, '    ')}"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


def test_what_is_wrong_across_the_cluster_stops_the_play(lab: Lab, run_playbook: RunPlaybook) -> None:
    run: Run = run_playbook(lab, play(cluster_problems.EXAMPLES))
    result = run.of("NODE1", "Stop if a host or cluster cannot activate its guests")
    assert result.status == "failed"
    assert sorted(result["msg"]) == [
        "The host NODE3 has no licence that activates guests: no product key is installed.",
        "The node NODE4 of the cluster HVCLUSTER is down.",
        (
            "The nodes of the cluster HVCLUSTER run different releases: Windows Server 2019 on NODE2; "
            "Windows Server 2022 on NODE1, NODE3."
        ),
    ]


def test_shows_where_each_vm_would_lose_its_activation(lab: Lab, run_playbook: RunPlaybook) -> None:
    run: Run = run_playbook(lab, play(failover_gaps.EXAMPLES))
    shown = run.of("NODE1", "Show which virtual machines must not move where")["results"]
    assert [(item["item"]["vm"], item["item"]["node"], item["item"]["code"]) for item in shown] == [
        ("NEW", "NODE2", "host_release_too_old"),
        ("NEW", "NODE3", "host_not_licensed"),
        ("NEW", "NODE4", "not_read"),
        ("OLD", "NODE3", "host_not_licensed"),
        ("OLD", "NODE4", "not_read"),
    ]
