# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two controllers, or two people, at once on one cluster.

WMI has nothing to lock a host with: between a controller's last look and its Activate, the other may have activated, and a host is
then activated by both. A key is never used on another host, and both runs end well.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab
from soak.checks import assert_plain, with_shuffled_answers

_TOPOLOGY = Path(__file__).resolve().parent.parent / "lab" / "topologies" / "molecule" / "cluster.yml"
#: With it, both are between reading and writing at the same time.
DELAY = 0.1


@pytest.mark.parametrize("second_begins", ["with the first", "when the first has begun to write"])
def test_two_controllers(second_begins: str, run_playbook: RunPlaybook) -> None:
    topology = with_shuffled_answers(yaml.safe_load(_TOPOLOGY.read_text(encoding="utf-8")))
    topology["defaults"]["hosts"]["listener"] = {"delay": DELAY}
    keys = {host["variables"]["host_activation_product_key"]: host["name"] for host in topology["hosts"]}
    with Lab(topology) as lab, ThreadPoolExecutor(2) as pool:

        def activate() -> Run:
            return run_playbook(lab, "hyperv.avma.activate_cluster", timeout=600)

        first = pool.submit(activate)
        while second_begins != "with the first" and not (lab.writes() or first.done()):
            time.sleep(DELAY)
        for run in (pool.submit(activate).result(), first.result()):
            assert_plain(run, keys)
            assert run.rc == 0, run.stdout[-3000:]

        again = activate()
        assert (again.rc, again.changed()) == (0, 0)
        assert {lab.machine(name)["license"]["status"] for name in again.stats} == {"licensed"}
        for key, host in keys.items():
            assert lab.keystore()[key[-5:]]["spent"] in ([host], [host, host])
