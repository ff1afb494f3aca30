# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All hosts get their keys in one task, whatever the strategy, the forks, the order and the batches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab
from lab.keys import made_up_key

HOSTS = ["N1", "N10", "N2"]
NEW = {name: made_up_key(f"new {name}") for name in HOSTS}
OLD = {name: made_up_key(f"old {name}") for name in HOSTS}
#: The role, as in a play of the user's own.
ROLE = "- hosts: avma_hosts\n  gather_facts: false\n  roles: [hyperv.avma.host_activation]\n"


def topology(given: Mapping[str, str], held: Mapping[str, str] | None = None, **variables: Any) -> dict[str, Any]:
    """Hosts with the keys that they hold, and those that they are given."""
    issued = sorted({*NEW.values(), *OLD.values()})
    return {
        "keys": [{"key": key, "release": "2022", "channel": "mak", "activations": 2} for key in issued],
        "hosts": [
            {
                "name": name,
                "core": True,
                **({"license": held[name]} if held else {}),
                "variables": {"host_activation_product_key": key, **variables.get(name, {})},
            }
            for name, key in given.items()
        ],
    }


def extra(**variables: Any) -> list[str]:
    return ["-e", json.dumps(variables)]


def codes(run: Run) -> list[tuple[list[str], str]]:
    result = next(result for result in run.results if result.action == "hyperv.avma.host_keys")
    return [(item.get("hosts", []), item["code"]) for item in result["problems"]]


def recap(run: Run) -> dict[str, tuple[int, int, int]]:
    """By host, how often it was changed, failed, and unreachable; those that were not are left out."""
    told = {host: (item["changed"], item["failures"], item["unreachable"]) for host, item in run.stats.items()}
    return {host: counts for host, counts in told.items() if any(counts)}


@pytest.mark.parametrize("forks", ["1", "50"])
@pytest.mark.parametrize("strategy", ["linear", "free", "host_pinned"])
def test_a_rotation_stops_at_the_first_failure_under_any_strategy(
    run_playbook: RunPlaybook, strategy: str, forks: str
) -> None:
    with Lab(topology(NEW, OLD)) as lab:
        for name in HOSTS:
            lab.fault(name, "hresult", value=0xC004C008, match={"method": "Activate"})
        run = run_playbook(lab, "hyperv.avma.rotate_host_keys", "--forks", forks, ANSIBLE_STRATEGY=strategy)
        assert run.rc == 2
        assert list(lab.writes()) == ["N1"]
        assert [lab.machine(name)["license"]["status"] for name in HOSTS[1:]] == ["licensed", "licensed"]
    assert recap(run) == {"N1": (0, 1, 0)}
    assert "0xC004C008" in run.of("N1")["msg"]


def test_the_role_is_refused_under_a_strategy_that_would_run_it_for_each_host(run_playbook: RunPlaybook) -> None:
    with Lab(topology(NEW)) as lab:
        run = run_playbook(lab, ROLE, ANSIBLE_STRATEGY="free")
        assert run.rc != 0
        assert "bypasses the host loop" in run.stdout
        assert sum(report["operations"] for report in lab.call("counters").values()) == 0


def test_one_host_after_the_other_and_the_recap_says_which(run_playbook: RunPlaybook) -> None:
    with Lab(topology(NEW, {**OLD, "N2": NEW["N2"]})) as lab:
        check = run_playbook(lab, "hyperv.avma.rotate_host_keys", "--check", "--diff")
        assert (check.rc, lab.writes()) == (0, {})
        run = run_playbook(lab, "hyperv.avma.rotate_host_keys", "--diff")
        assert (run.rc, list(lab.writes())) == (0, ["N1", "N10"])
        assert recap(check) == recap(run) == {"N1": (1, 0, 0), "N10": (1, 0, 0)}
        for shown in (check, run):
            assert f'"partial_product_key": "{OLD["N10"][-5:]}"' in shown.stdout
            assert f'"partial_product_key": "{NEW["N10"][-5:]}"' in shown.stdout
        again = run_playbook(lab, "hyperv.avma.rotate_host_keys")
        assert (again.rc, recap(again)) == (0, {})


def test_the_keys_that_are_accepted_on_one_host_count_there_only(run_playbook: RunPlaybook) -> None:
    """Also where that host is the first, with whose variables Ansible evaluates the task."""
    # N1 and N10 are given no key, and have none.
    given = {"N1": "", "N10": "", "N2": NEW["N2"]}
    accepting = {"host_activation_accepted_problems": ["no_host_key"]}
    for name in ("N1", "N10"):
        with Lab(topology(given, **{name: accepting})) as lab:
            other = {"N1": "N10", "N10": "N1"}[name]
            assert codes(run_playbook(lab, ROLE)) == [([other], "no_host_key")]
            assert lab.writes() == {}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"targets": "N100"}, "The inventory has no host or group N100. Did you mean N10 or N1?"),
        ({"targets": [""]}, "The inventory has no host or group of an empty name."),
        ({"targets": "N1,G1"}, "Not among the hosts of this play: G1."),
        ({"accepted_problems": "no_host_keys"}, "no problem"),
        ({"accepted_problems": "no_host_keys"}, "no_host_key"),
        ({"key_release": "2016"}, "host_activation_key_release cannot be used: '2016' is another release"),
    ],
)
def test_what_is_not_there_is_an_error(run_playbook: RunPlaybook, variables: dict[str, Any], message: str) -> None:
    with Lab({**topology(NEW), "guests": [{"name": "G1"}]}) as lab:
        given = {f"host_activation_{name}": value for name, value in variables.items()}
        run = run_playbook(lab, "hyperv.avma.activate_hosts", *extra(**given))
        assert run.rc != 0
        assert message in run.stdout
        assert lab.writes() == {}


def test_a_list_may_be_given_as_text(run_playbook: RunPlaybook) -> None:
    with Lab(topology(NEW)) as lab:
        run = run_playbook(lab, "hyperv.avma.activate_hosts", "-e", "host_activation_targets=N10")
        assert (run.rc, list(lab.writes())) == (0, ["N10"])
        run = run_playbook(lab, "hyperv.avma.activate_hosts", "-e", "host_activation_targets='N1, N2'")
        assert (run.rc, list(lab.writes())) == (0, HOSTS)


@pytest.mark.wsman
def test_an_unreachable_host_is_asked_once(run_playbook: RunPlaybook) -> None:
    hosts = topology(NEW)
    hosts["hosts"][1]["listener"] = {"authentication": ["negotiate"]}
    hosts["hosts"][1]["variables"]["ansible_password"] = "wrong"
    with Lab(hosts) as lab:
        run = run_playbook(lab, "hyperv.avma.activate_hosts")
        assert lab.writes() == {}
    assert recap(run) == {"N10": (0, 0, 1)}
    assert run.of("N10")["msg"].count("rejected the credentials") == 1


@pytest.mark.parametrize("given", [{"N1": "N2", "N2": "N1"}, {"N1": "N2", "N2": "new"}])
def test_a_key_that_another_host_holds_is_taken(run_playbook: RunPlaybook, given: dict[str, str]) -> None:
    """Whatever that host is to get: overwriting its key refunds nothing."""
    keys = {name: NEW["N2"] if key == "new" else OLD[key] for name, key in given.items()}
    with Lab(topology(keys, OLD)) as lab:
        run = run_playbook(lab, "hyperv.avma.rotate_host_keys")
        assert (run.rc, lab.writes()) == (2, {})
        assert [lab.machine(name)["license"]["status"] for name in given] == ["licensed"] * 2
    found = codes(run)
    assert (["N1", "N2"], "duplicate_host_key") in found
    assert {code for _hosts, code in found} == {"duplicate_host_key"}
