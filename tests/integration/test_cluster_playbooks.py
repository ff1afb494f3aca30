# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks for clusters: nothing is written while anything is wrong, no activation is spent twice, one host fails at most."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.connections import UNENCRYPTED
from integration.playbooks import Run, TaskResult
from lab.client import Lab
from lab.keys import made_up_key

CLUSTER = Path(__file__).resolve().parents[1] / "lab" / "topologies" / "cluster.yml"
GUESTS = [f"VM{number:02}" for number in range(1, 13)]
NODES = ["NODE1", "NODE2", "NODE3", "NODE4"]
HOSTS_ONLY = """
- hosts: avma_hosts
  gather_facts: false
  roles:
    - hyperv.avma.host_activation
"""


def spent(lab: Lab) -> dict[str, list[str]]:
    """Which hosts spent the activations of each key."""
    return {last_five: entry["spent"] for last_five, entry in lab.keystore().items()}


def extra(**variables: Any) -> list[str]:
    return ["-e", json.dumps(variables)]


def of_hosts(run: Run) -> TaskResult:
    """The result of the task that gives all hosts their keys."""
    return next(result for result in run.results if result.action == "hyperv.avma.host_keys")


def problems(run: Run) -> str:
    """The list of problems with which it ended, each with its code after the names of its hosts."""
    return str(of_hosts(run).result.get("msg", ""))


def written(run: Run) -> list[str]:
    """The hosts that were given their key, in order."""
    return list(of_hosts(run)["written"])


def role_task(run: Run, text: str) -> TaskResult:
    return next(result for result in run.results if text in result.task)


# A cluster from nothing to all activated, and a fifth node.


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    with Lab(CLUSTER) as lab:
        yield lab


@pytest.fixture(scope="module")
def story(cluster: Lab, run_playbook: RunPlaybook) -> Mapping[str, tuple[Run, dict[str, Any], dict[str, Any]]]:
    """The runs in the life of a cluster: each with what it wrote, and what had been spent after it."""
    runs: dict[str, tuple[Run, dict[str, Any], dict[str, Any]]] = {}

    def play(name: str, playbook: str, *arguments: str) -> None:
        cluster.reset_counters()
        run = run_playbook(cluster, playbook, *arguments)
        runs[name] = run, cluster.writes(), spent(cluster)

    play("check", "hyperv.avma.activate_cluster", "--check", "-l", "!NODE5")
    play("first", "hyperv.avma.activate_cluster", "-l", "!NODE5")
    play("second", "hyperv.avma.activate_cluster", "-l", "!NODE5")
    cluster.set("NODE5", "cluster", "HVCLUSTER")
    play("node missing", "hyperv.avma.activate_cluster", "-l", "!NODE5")
    play("unnamed", "hyperv.avma.add_node")
    play("add", "hyperv.avma.add_node", "-e", "add_node_name=NODE5")
    play("third", "hyperv.avma.activate_cluster")
    return runs


def test_check_mode_says_which_activations_would_be_spent(story: Mapping[str, Any]) -> None:
    run, writes, activations = story["check"]
    assert (run.rc, writes) == (0, {})
    assert not any(activations[last_five] for last_five in ("6YPG3", "GF638", "8DF69", "7BF49"))
    assert role_task(run, "Show what there is to do")["msg"] == [
        "NODE1: install the key ending in 6YPG3, an activation would be spent",
        "NODE2: install the key ending in GF638, an activation would be spent",
        "NODE3: install the key ending in 8DF69, an activation would be spent",
        "NODE4: install the key ending in 7BF49, an activation would be spent",
    ]


def test_all_guests_are_activated_by_their_nodes(cluster: Lab, story: Mapping[str, Any]) -> None:
    run, writes, activations = story["first"]
    assert run.rc == 0
    assert written(run) == NODES
    assert set(writes) == {*NODES, *GUESTS}
    assert [activations[last_five] for last_five in ("6YPG3", "GF638", "8DF69", "7BF49")] == [[node] for node in NODES]
    for name in GUESTS:
        guest = cluster.machine(name)
        assert (guest["license"]["status"], guest["license"]["host"]) == ("licensed", f"{guest['host']}.lab.example")


def test_a_second_run_writes_nothing(story: Mapping[str, Any]) -> None:
    run, writes, activations = story["second"]
    assert (run.rc, run.changed(), writes) == (0, 0, {})
    assert activations == story["first"][2]


def test_a_node_that_is_not_in_the_play_stops_it(story: Mapping[str, Any]) -> None:
    run, writes, _ = story["node missing"]
    assert (run.rc != 0, writes) == (True, {})
    assert "NODE5: node_not_in_play: " in problems(run)


def test_add_node_asks_for_the_node(story: Mapping[str, Any]) -> None:
    run, writes, _ = story["unnamed"]
    assert (run.rc != 0, writes) == (True, {})
    assert "add_node_name=NAME" in run.stdout


def test_add_node_touches_the_new_node_only(story: Mapping[str, Any]) -> None:
    run, writes, activations = story["add"]
    assert (run.rc, written(run), list(writes)) == (0, ["NODE5"], ["NODE5"])
    assert activations == {**story["second"][2], "CF376": ["NODE5"]}


def test_the_cluster_with_its_new_node_is_as_it_should_be(story: Mapping[str, Any]) -> None:
    run, writes, _ = story["third"]
    assert (run.rc, run.changed(), writes) == (0, 0, {})


# Whatever is wrong stops the run before the first write.


def node(
    name: str, product_key: str | None = None, *, given: Mapping[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    variables = {f"host_activation_{option}": value for option, value in (given or {}).items()}
    if product_key:
        variables["host_activation_product_key"] = product_key
    return {"name": name, "core": True, "variables": variables, **spec}


def azure_local(
    name: str, product_key: str | None = None, *, given: Mapping[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    return node(
        name,
        product_key,
        given=given,
        release="Azure Local 24H2",
        edition="azure_local",
        azure_local={"shape": "nested"} | spec,
    )


def topology(*nodes: dict[str, Any], keys: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A cluster of these nodes. The keys of all are issued for 2022, or for the release that ``keys`` says."""
    issued = {item["variables"].get("host_activation_product_key") for item in nodes}
    return {
        "keys": [
            {"key": key, "release": (keys or {}).get(key, "2022"), "channel": "mak", "activations": 1}
            for key in sorted(issued - {None} | set(keys or {}))
        ],
        "hosts": list(nodes),
        "clusters": [{"name": "C", "nodes": [item["name"] for item in nodes]}],
    }


def unchanged(lab: Lab) -> bool:
    """Whether nothing was written anywhere, by WMI or by PowerShell."""
    lines = [line for report in lab.call("counters").values() for line in report["command_lines"]]
    return lab.writes() == {} and not any("Set-VMAutomaticActivation" in line for line in lines)


def test_every_problem_of_every_node_is_listed(run_playbook: RunPlaybook) -> None:
    twice = made_up_key("twice")
    nodes = (
        node("GOOD", made_up_key("good")),
        node("TWICE-1", twice),
        node("TWICE-2", twice),
        node("NO-KEY"),
        node("OTHER", made_up_key("other"), license="retail"),
        node("OTHER-RELEASE", made_up_key("of 2025"), release="2025"),
        node("STANDARD", made_up_key("standard"), edition="standard"),
        node("DOWN", made_up_key("down"), running=False),
        node("BASIC", made_up_key("basic"), listener=UNENCRYPTED),
    )
    with Lab(topology(*nodes)) as lab:
        run = run_playbook(lab, "hyperv.avma.activate_cluster")
        assert run.rc != 0
        assert unchanged(lab)
    found = problems(run)
    for line in (
        "TWICE-1, TWICE-2: duplicate_host_key: ",
        "NO-KEY: no_host_key: ",
        "OTHER: other_host_key: ",
        "mixed_os_releases: ",
        "STANDARD: host_not_datacenter: ",
        "DOWN: node_down: ",
        "BASIC: unencrypted_connection: ",
    ):
        assert line in found
    assert not any(line.startswith("GOOD:") for line in found.splitlines())


# The four errors of Windows Admin Center (vm-activate, "Troubleshoot AVMA").


def test_a_key_that_did_not_work_ends_the_run_with_the_other_keys_unspent(run_playbook: RunPlaybook) -> None:
    nodes = [node(name, made_up_key(name)) for name in ("N1", "N2", "N3")]
    cluster = topology(*nodes)
    cluster["keys"] = [key for key in cluster["keys"] if key["key"] != made_up_key("N2")]
    with Lab(cluster) as lab:
        run = run_playbook(lab, HOSTS_ONLY)
        assert list(lab.writes()) == ["N1", "N2"]
        assert spent(lab) == {made_up_key("N1")[-5:]: ["N1"], made_up_key("N3")[-5:]: []}
    assert [(item["hosts"], item["code"]) for item in of_hosts(run)["problems"]] == [(["N2"], "key_rejected")]
    assert "Check the key for typing errors" in problems(run)
    assert "Not touched after that: N3." in problems(run)


def test_a_key_of_an_older_release_than_that_of_the_other_nodes_is_refused(run_playbook: RunPlaybook) -> None:
    former, new = made_up_key("of 2025"), made_up_key("of 2022")
    nodes = (azure_local("A1", key=former), azure_local("A2", new, given={"key_release": "Windows Server 2022 "}))
    with Lab(topology(*nodes, keys={former: "2025"})) as lab:
        run = run_playbook(lab, "hyperv.avma.add_node", "-e", "add_node_name=A2")
        assert unchanged(lab)
    assert "A1, A2: key_release_mismatch: " in problems(run)
    assert "Give all nodes keys of the same release" in problems(run)


def test_a_node_that_is_down_stops_the_run(run_playbook: RunPlaybook) -> None:
    with Lab(topology(*(node(name, made_up_key(name)) for name in ("N1", "N2", "N3")))) as lab:
        lab.stop("N2")
        run = run_playbook(lab, HOSTS_ONLY)
        assert unchanged(lab)
    assert "N2: node_down: " in problems(run)
    assert [line for line in problems(run).splitlines()[1:] if not line.startswith("N2: node_down: ")] == []


def test_a_missing_update_stops_the_run(run_playbook: RunPlaybook) -> None:
    nodes = (azure_local("A1", made_up_key("A1")), azure_local("A2", made_up_key("A2"), module=None))
    with Lab(topology(*nodes)) as lab:
        run = run_playbook(lab, HOSTS_ONLY)
        assert unchanged(lab)
    assert "A2: update_missing: " in problems(run)
    assert "Install the latest update" in problems(run)


def test_a_problem_may_be_accepted(run_playbook: RunPlaybook) -> None:
    nodes = (node("N1", made_up_key("N1")), node("N2", made_up_key("N2"), release="2019"))
    with Lab(topology(*nodes, keys={made_up_key("N2"): "2019"})) as lab:
        assert "mixed_os_releases" in problems(run_playbook(lab, HOSTS_ONLY))
        run = run_playbook(lab, HOSTS_ONLY, *extra(host_activation_accepted_problems=["mixed_os_releases"]))
        assert (run.rc, written(run)) == (0, ["N1", "N2"])


def test_azure_local_nodes_get_their_keys(run_playbook: RunPlaybook) -> None:
    nodes = (azure_local("A1", made_up_key("A1")), azure_local("A2", made_up_key("A2"), module="1.0"))
    with Lab(topology(*nodes)) as lab:
        assert run_playbook(lab, HOSTS_ONLY).rc == 0
        assert spent(lab) == {made_up_key(name)[-5:]: [name] for name in ("A1", "A2")}
        run = run_playbook(lab, HOSTS_ONLY)
        assert (run.rc, run.changed(), written(run)) == (0, 0, [])


def test_what_a_host_does_not_tell_stops_nothing_and_is_shown(run_playbook: RunPlaybook) -> None:
    nodes = (azure_local("A1", made_up_key("A1"), shape="flat"), azure_local("A2", made_up_key("A2")))
    with Lab(topology(*nodes)) as lab:
        run = run_playbook(lab, HOSTS_ONLY)
        assert (run.rc, written(run)) == (0, ["A2"])
        assert "A1: AVMA may be set up" in role_task(run, "Show what there is to do")["msg"][0]
        run = run_playbook(lab, HOSTS_ONLY, *extra(host_activation_replace=True))
        assert (run.rc, written(run)) == (0, ["A1"])
        assert spent(lab) == {made_up_key(name)[-5:]: [name] for name in ("A1", "A2")}


def test_serial_makes_no_difference(run_playbook: RunPlaybook) -> None:
    with Lab(topology(*(node(name, made_up_key(name)) for name in ("N1", "N2")))) as lab:
        run = run_playbook(lab, HOSTS_ONLY.replace("  roles", "  serial: 1\n  roles"))
        assert (run.rc, written(run)) == (0, ["N1", "N2"])
        assert spent(lab) == {made_up_key(name)[-5:]: [name] for name in ("N1", "N2")}


# What happens in the middle.


@pytest.mark.parametrize("method", ["InstallProductKey", "Activate"])
def test_a_node_that_dies_in_the_middle(run_playbook: RunPlaybook, method: str) -> None:
    with Lab(topology(*(node(name, made_up_key(name)) for name in NODES))) as lab:
        lab.fault("NODE2", "stop_machine_after", match={"method": method}, times=1)
        run = run_playbook(lab, "hyperv.avma.activate_hosts")
        assert run.rc != 0
        assert run.of("NODE2").status == "unreachable"
        assert {host: (stats["changed"], stats["unreachable"]) for host, stats in run.stats.items()} == {
            "NODE1": (1, 0),
            "NODE2": (0, 1),
        }
        assert written(run) == ["NODE1", "NODE2"]
        assert [lab.machine(name)["license"]["status"] for name in ("NODE1", "NODE3", "NODE4")] == [
            "licensed",
            None,
            None,
        ]

        assert "NODE2: node_down: " in problems(run_playbook(lab, HOSTS_ONLY))
        lab.start("NODE2")
        run = run_playbook(lab, HOSTS_ONLY)
        assert run.rc == 0
        assert [lab.machine(name)["license"]["status"] for name in NODES] == ["licensed"] * 4
        assert spent(lab) == {made_up_key(name)[-5:]: [name] for name in NODES}


def test_rotation_never_leaves_two_hosts_failing(run_playbook: RunPlaybook) -> None:
    names = ["N1", "N2", "N3"]
    used_up, spare = made_up_key("used up"), made_up_key("spare")
    cluster = topology(*(node(name, made_up_key(name), license="retail") for name in names), keys={spare: "2022"})
    cluster["keys"].append({"key": used_up, "release": "2022", "channel": "mak", "activations": 0})

    def statuses(lab: Lab) -> list[str]:
        return [lab.machine(name)["license"]["status"] for name in names]

    with Lab(cluster) as lab:
        assert "N1: other_host_key: " in problems(run_playbook(lab, HOSTS_ONLY))

        # Inventory variables are those of all hosts here; extra ones would be too.
        given = Path(lab.inventory).parent / "host_vars"
        given.mkdir()
        (given / "N2.yml").write_text(f"host_activation_product_key: {used_up}\n", encoding="utf-8")
        run = run_playbook(lab, "hyperv.avma.rotate_host_keys")
        assert written(run) == ["N1", "N2"]
        assert [item["code"] for item in of_hosts(run)["problems"]] == ["activation_failed", "former_host_key_gone"]
        assert statuses(lab) == ["licensed", "notification", "licensed"]

        (given / "N2.yml").write_text(f"host_activation_product_key: {spare}\n", encoding="utf-8")
        run = run_playbook(lab, "hyperv.avma.rotate_host_keys")
        assert (run.rc, written(run)) == (0, ["N2", "N3"])
        assert statuses(lab) == ["licensed"] * 3

        lab.reset_counters()
        run = run_playbook(lab, "hyperv.avma.rotate_host_keys")
        assert (run.rc, run.changed(), unchanged(lab)) == (0, 0, True)


def test_a_host_that_fails_is_first_in_the_rotation(run_playbook: RunPlaybook) -> None:
    new = [made_up_key(name) for name in ("N1", "N2")]
    nodes = (
        node("N1", new[0], license="retail"),
        node("N2", new[1], license={"key": "retail", "status": "notification"}),
    )
    with Lab(topology(*nodes)) as lab:
        assert written(run_playbook(lab, "hyperv.avma.rotate_host_keys")) == ["N2", "N1"]


def test_add_node_reports_what_could_not_move_there(run_playbook: RunPlaybook) -> None:
    former, new = made_up_key("former"), made_up_key("new")
    guests = [
        {"name": "OLD", "release": "2016", "listen": False},
        {"name": "NEW", "release": "2022", "listen": False},
        {"name": "PINNED", "release": "2022", "listen": False, "possible_owners": ["N1"]},
    ]
    nodes = (node("N1", license=former, guests=guests), node("N2", new, release="2019"))
    with Lab(topology(*nodes, keys={former: "2022", new: "2019"})) as lab:
        accepted = extra(host_activation_accepted_problems=["mixed_os_releases"], add_node_name="N2")
        run = run_playbook(lab, "hyperv.avma.add_node", *accepted)
        assert (run.rc, list(lab.writes())) == (0, ["N2"])
    shown = role_task(run, "Show which of them").result["results"]
    assert [item["msg"].partition(":")[0] for item in shown] == ["NEW cannot move to N2"]
