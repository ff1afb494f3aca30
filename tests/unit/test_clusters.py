"""What is wrong across clusters, and where a failover would lose an activation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hyperv.avma.plugins.filter.cluster_problems import cluster_problems
from ansible_collections.hyperv.avma.plugins.filter.failover_gaps import failover_gaps
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hosts import Avma, HostFacts, assess_host
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.licenses import License, Status
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import identify_system
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.vms import Activator, Vm, assess_vm
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.host_keys import HostKey, validate_host_keys
from hypothesis import given
from hypothesis import strategies as st

KEY_1, KEY_2 = "F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3", "9YDTR-C4PHW-KNM2J-XQ7VB-GF638"
PUBLIC_KEY = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"
DATACENTER_CORE, STANDARD, DATACENTER, AZURE_LOCAL, AZURE_EDITION = 147, 7, 8, 406, 407
WS2019, WS2022, WS2025 = 17763, 20348, 26100
NODES = ("NODE1", "NODE2")


def license(last_five: str, status: Status) -> License:
    return License("Windows(R), ServerDatacenter edition", "", status, None, "Volume:MAK", last_five, "ID", 0, None)


def result(
    name: str = "NODE1",
    *,
    build: int = WS2022,
    sku: int = DATACENTER_CORE,
    last_five: str | None = None,
    avma: Avma | None = None,
    nodes: Mapping[str, str] | Sequence[str] | None = NODES,
    hyperv: bool = True,
    problems: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """What ``host_info`` returns, of a host that is licensed if it has a key."""
    facts = HostFacts(
        name,
        identify_system(build, sku, caption="Microsoft Azure Stack HCI"),
        hyperv,
        license(last_five, Status.LICENSED) if last_five else None,
        avma,
    )
    states = nodes if isinstance(nodes, Mapping) else dict.fromkeys(nodes or (), "up")
    cluster = {"name": "HVCLUSTER", "nodes": [{"name": node, "state": state} for node, state in states.items()]}
    found = [*(item.to_dict() for item in assess_host(facts)), *problems]
    return {"host": {**facts.to_dict(), "cluster": cluster if nodes else None, "problems": found}}


def azure_local(
    name: str, release: str | None = None, *, subscription: str | None = None, **facts: Any
) -> dict[str, Any]:
    shown = [{"KeyVersion": f"Windows Server {release}"}] if release else None
    avma = Avma("1.1", subscription, shown, None)
    return result(name, sku=AZURE_LOCAL, build=26100, avma=replace(avma, **facts))


def found(results: Mapping[str, Any], host_keys: Mapping[str, Any] | None = None) -> dict[str, list[str]]:
    """The hosts of each problem, by its code."""
    hosts: dict[str, list[str]] = {}
    for item in cluster_problems(dict(results), None if host_keys is None else dict(host_keys)):
        hosts.setdefault(item["code"], []).extend(item["hosts"])
    return hosts


def key(product_key: str | None = None, **options: Any) -> dict[str, Any]:
    return {"product_key": product_key, **options}


LICENSED = {"NODE1": result("NODE1", last_five="6YPG3"), "NODE2": result("NODE2", last_five="GF638")}
BARE = {"NODE1": result("NODE1"), "NODE2": result("NODE2")}


def test_a_host_comes_back_from_what_the_module_returned() -> None:
    reason = replace(license("6YPG3", Status.NOTIFICATION), reason=0xC004FD02)
    for facts in (
        HostFacts("NODE1", identify_system(WS2022, DATACENTER), True, reason, None),
        HostFacts("NODE1", identify_system(WS2025, AZURE_LOCAL), False, None, Avma("1.0", "Active", ["x"], "e")),
    ):
        assert HostFacts.from_dict(json.loads(json.dumps(facts.to_dict()))) == facts


def test_a_sound_cluster_has_no_problem() -> None:
    assert found(LICENSED) == {}
    assert found(LICENSED, {"NODE1": key(KEY_1), "NODE2": key(KEY_2)}) == {}
    assert found(LICENSED, {}) == {}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (BARE, {"host_not_licensed": ["NODE1", "NODE2"]}),
        (
            {"NODE1": result(last_five="6YPG3", nodes={"NODE1": "up", "NODE2": "down"}), "NODE2": LICENSED["NODE2"]},
            {"node_down": ["NODE2"]},
        ),
        ({"NODE1": LICENSED["NODE1"]}, {"node_not_in_play": ["NODE2"]}),
        (
            {"NODE1": LICENSED["NODE1"], "NODE2": {"unreachable": True, "msg": "timed out"}},
            {"unreachable": ["NODE2"]},
        ),
        ({"NODE1": LICENSED["NODE1"], "node2.lab.example": {}}, {"not_read": ["node2.lab.example"]}),
        (
            {
                "NODE1": result(last_five="6YPG3", nodes={"NODE1": "up", "NODE2": "down"}),
                "node2.lab.example": {"unreachable": True},
            },
            {"node_down": ["node2.lab.example"]},
        ),
        (
            {
                "NODE1": LICENSED["NODE1"],
                "NODE2": {"failed": True, "problems": [problem("hyperv_role_missing").to_dict()]},
            },
            {"hyperv_role_missing": ["NODE2"]},
        ),
        (
            {"NODE1": LICENSED["NODE1"], "NODE2": result("NODE2", build=WS2019, last_five="GF638")},
            {"mixed_os_releases": ["NODE1", "NODE2"]},
        ),
        (
            {"NODE1": LICENSED["NODE1"], "NODE2": result("NODE2", sku=STANDARD, last_five="GF638")},
            {"host_not_datacenter": ["NODE2"]},
        ),
        (
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2", module=None)},
            {"update_missing": ["NODE2"]},
        ),
        (
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2", "2025")},
            {"key_release_mismatch": ["NODE1", "NODE2"]},
        ),
        (
            # What is left of a key under a subscription does not matter.
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2", "2025", subscription="Active")},
            {},
        ),
    ],
)
def test_what_is_wrong_across_a_cluster(results: Mapping[str, Any], expected: dict[str, list[str]]) -> None:
    assert found(results) == expected


@pytest.mark.parametrize(
    ("results", "host_keys", "expected"),
    [
        (BARE, {"NODE1": key(KEY_1), "NODE2": key(KEY_2)}, {}),
        (BARE, {"NODE1": key(KEY_1)}, {"no_host_key": ["NODE2"]}),
        (BARE, {}, {"no_host_key": ["NODE1", "NODE2"]}),
        (BARE, {"NODE1": key(KEY_1), "NODE2": key(KEY_1)}, {"duplicate_host_key": ["NODE1", "NODE2"]}),
        (BARE, {"NODE1": key("6YPG3"), "NODE2": key("6ypg3")}, {"duplicate_host_key": ["NODE1", "NODE2"]}),
        (
            BARE,
            {"NODE1": key(KEY_1, volume_key=True), "NODE2": key(KEY_1)},
            {"duplicate_host_key": ["NODE1", "NODE2"]},
        ),
        (BARE, {"NODE1": key(KEY_1, volume_key=True), "NODE2": key(KEY_1, volume_key=True)}, {}),
        # A key that another host has already, and keeps.
        (
            {"NODE1": LICENSED["NODE1"], "NODE2": BARE["NODE2"]},
            {"NODE2": key(KEY_1)},
            {"duplicate_host_key": ["NODE1", "NODE2"]},
        ),
        (LICENSED, {"NODE1": key(KEY_1, replace=True), "NODE2": key(KEY_2)}, {}),
        # Keys that change places, or go on to the next: each is taken by the host that holds it now.
        (
            LICENSED,
            {"NODE1": key(KEY_2, replace=True), "NODE2": key(KEY_1, replace=True)},
            {"duplicate_host_key": ["NODE1", "NODE2", "NODE1", "NODE2"]},
        ),
        (
            LICENSED,
            {"NODE1": key("HNB7W-3MQTX-PJG2K-4RCYV-8DF69", replace=True), "NODE2": key(KEY_1, replace=True)},
            {"duplicate_host_key": ["NODE1", "NODE2"]},
        ),
        (
            LICENSED,
            {
                "NODE1": key(KEY_2, replace=True, volume_key=True),
                "NODE2": key(KEY_1, replace=True, volume_key=True),
            },
            {},
        ),
        (
            {"NODE1": azure_local("NODE1", result=["6YPG3", "2022"]), "NODE2": azure_local("NODE2", "2022")},
            {"NODE2": key(KEY_1, replace=True, release="2022")},
            {"duplicate_host_key": ["NODE1", "NODE2"]},
        ),
        ({"NODE1": LICENSED["NODE1"], "NODE2": BARE["NODE2"]}, {"NODE2": key(KEY_1, volume_key=True)}, {}),
        (LICENSED, {"NODE1": key("HNB7W-3MQTX-PJG2K-4RCYV-8DF69")}, {"other_host_key": ["NODE1"]}),
        (LICENSED, {"NODE1": key("HNB7W-3MQTX-PJG2K-4RCYV-8DF69", replace=True)}, {}),
        (BARE, {"NODE1": key(KEY_1), "NODE2": key(PUBLIC_KEY)}, {"not_a_host_key": ["NODE2"]}),
        (BARE, {"NODE1": key(KEY_1), "NODE2": key("F2K7M")}, {}),
        (BARE, {"NODE1": key(KEY_1), "NODE2": key("no key")}, {"invalid_argument": ["NODE2"]}),
        (BARE, {"NODE1": key(KEY_1), "NODE2": key(KEY_2, release="2003")}, {"invalid_argument": ["NODE2"]}),
        (BARE, {"NODE1": key(KEY_1), "NODE2": key(KEY_2, release="2016")}, {"invalid_argument": ["NODE2"]}),
        (BARE, {"NODE1": key(KEY_1, release=""), "NODE2": key(KEY_2, release=" ws2022 ")}, {}),
        (
            {"NODE1": result("NODE1"), "NODE2": result("NODE2", sku=STANDARD)},
            {"NODE1": key(KEY_1), "NODE2": key(KEY_2)},
            {"host_not_datacenter": ["NODE2"]},
        ),
        (
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2")},
            {"NODE2": key(KEY_2, release="2025")},
            {"key_release_mismatch": ["NODE1", "NODE2"]},
        ),
        (
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2")},
            {"NODE2": key(KEY_2, release=2022)},
            {},
        ),
        (
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2")},
            {"NODE2": key(KEY_2, release="Windows Server 2025 Datacenter")},
            {"key_release_mismatch": ["NODE1", "NODE2"]},
        ),
        ({"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2")}, {"NODE2": key(KEY_2)}, {}),
        (
            {"NODE1": azure_local("NODE1", "2022"), "NODE2": azure_local("NODE2", error="denied")},
            {"NODE2": key(KEY_2)},
            {"avma_unreadable": ["NODE2"]},
        ),
    ],
)
def test_what_would_go_wrong_with_keys(
    results: Mapping[str, Any], host_keys: Mapping[str, Any], expected: dict[str, list[str]]
) -> None:
    assert found(results, host_keys) == expected


def test_the_same_problem_of_many_hosts_is_told_once() -> None:
    same = {"code": "cluster_unreadable", "message": "The host does not tell.", "remedy": "Look."}
    results = {name: result(name, last_five="6YPG3", problems=[same]) for name in NODES}
    assert cluster_problems(results) == [{**same, "hosts": ["NODE1", "NODE2"]}]


def test_hosts_without_a_cluster_may_differ() -> None:
    results = {
        "A": result("A", build=WS2019, last_five="6YPG3", nodes=None),
        "B": result("B", build=WS2025, last_five="GF638", nodes=None),
    }
    assert found(results) == {}


@given(st.lists(st.sampled_from([KEY_1, KEY_2, KEY_1[:-1], KEY_1.lower(), PUBLIC_KEY, "", "F2K7M-QXW9C"]), min_size=2))
def test_no_key_is_shown(keys: list[str]) -> None:
    results = {f"NODE{number}": result(f"NODE{number}") for number in range(len(keys))}
    shown = json.dumps(cluster_problems(results, {f"NODE{n}": key(value) for n, value in enumerate(keys)})).upper()
    assert not [value for value in keys if len(value) > 5 and value.upper() in shown]


def test_an_error_of_the_filter_shows_no_key() -> None:
    with pytest.raises(AnsibleFilterError) as error:
        cluster_problems({"NODE1": BARE["NODE1"]}, {"NODE1": KEY_1})  # type: ignore[dict-item]
    assert KEY_1 not in str(error.value)
    assert error.value.__suppress_context__


def vms(*machines: Vm) -> dict[str, Any]:
    """What ``vm_info`` returns for a host that activates them all."""
    host = Activator("NODE1", True, HostFacts.from_dict(azure_local("X", "2025")["host"]).activates, ())
    return {"vms": [{**vm.to_dict(), **assess_vm(vm, host).to_dict()} for vm in machines]}


def vm(name: str, build: int = WS2022, sku: int = DATACENTER, owners: tuple[str, ...] = ()) -> Vm:
    return Vm(f"ID-{name}", name, "running", True, {"OSBuildNumber": str(build), "OSEditionId": str(sku)}, owners)


def gaps(machines: Mapping[str, Any], hosts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["vm"], row["node"], row["code"]) for row in failover_gaps(dict(machines), dict(hosts))]


OLD_AND_NEW = {
    "hv1.lab.example": result("NODE1", last_five="6YPG3"),
    "hv2.lab.example": result("NODE2", build=WS2019, last_five="GF638"),
}


def test_a_guest_must_be_activated_by_every_node_that_may_own_it() -> None:
    machines = {"hv1.lab.example": vms(vm("NEW"), vm("OLD", WS2019), vm("STAYS", owners=("NODE1",)))}
    assert gaps(machines, OLD_AND_NEW) == [("NEW", "hv2.lab.example", "host_release_too_old")]
    [row] = failover_gaps(machines, OLD_AND_NEW)
    assert (row["id"], row["owner"]) == ("ID-NEW", "hv1.lab.example")
    assert "2012 R2, 2016, 2019" in row["reason"]


def test_the_present_owner_counts_too() -> None:
    assert gaps({"hv2.lab.example": vms(vm("NEW", owners=("NODE1",)))}, OLD_AND_NEW) == [
        ("NEW", "hv2.lab.example", "host_release_too_old")
    ]


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (result("NODE2"), "host_not_licensed"),
        (result("NODE2", sku=STANDARD, last_five="GF638"), "host_unsuitable"),
        (result("NODE2", hyperv=False, last_five="GF638"), "host_unsuitable"),
        ({"unreachable": True}, "not_read"),
    ],
)
def test_a_node_that_activates_none_is_a_gap_for_all(node: Mapping[str, Any], code: str) -> None:
    hosts = {"NODE1": LICENSED["NODE1"], "NODE2": node}
    assert gaps({"NODE1": vms(vm("A"), vm("B"))}, hosts) == [("A", "NODE2", code), ("B", "NODE2", code)]


def test_azure_edition_must_stay_on_azure_local() -> None:
    hosts = {"NODE1": azure_local("NODE1", "2025"), "NODE2": LICENSED["NODE2"]}
    assert gaps({"NODE1": vms(vm("A", sku=AZURE_EDITION))}, hosts) == [
        ("A", "NODE2", "azure_edition_needs_azure_local")
    ]


def test_what_an_azure_local_node_activates_may_not_be_known() -> None:
    hosts = {"NODE1": LICENSED["NODE1"], "NODE2": azure_local("NODE2", None, result=["something"])}
    assert gaps({"NODE1": vms(vm("A"))}, hosts) == [("A", "NODE2", "host_avma_unknown")]


def test_a_node_outside_the_run_cannot_be_told() -> None:
    assert gaps({"NODE1": vms(vm("A"))}, {"NODE1": LICENSED["NODE1"]}) == [("A", "NODE2", "not_read")]


def test_guests_that_take_no_key_are_left_out() -> None:
    unknown = Vm("ID", "OFF", "off", True)
    assert gaps({"NODE1": vms(unknown, vm("EVAL", sku=80)), "NODE2": {}}, BARE) == []


def test_a_vm_without_a_cluster_stays_where_it_is() -> None:
    hosts = {"A": result("A", last_five="6YPG3", nodes=None), "B": result("B", nodes=None)}
    assert gaps({"A": vms(vm("X"))}, hosts) == []


def test_wrong_input_is_said_to_be_so() -> None:
    with pytest.raises(AnsibleFilterError, match="what vm_info and what host_info returned"):
        failover_gaps({"NODE1": {"vms": [{"name": "x"}]}}, {})
    with pytest.raises(AnsibleFilterError, match="what host_info returned"):
        cluster_problems({"NODE1": {"host": {"system": {}}}})


def test_what_stops_the_first_write() -> None:
    unknown = {"NODE1": LICENSED["NODE1"], "NODE2": {"unreachable": True, "msg": "refused"}}
    [found] = validate_host_keys(unknown, {"NODE1": key(KEY_1)})
    assert (found["code"], found["kind"], found["stops"], found["hosts"]) == ("unreachable", "unknown", True, ["NODE2"])
    [found] = validate_host_keys(LICENSED, {"NODE1": HostKey("GF638", replace=True)})
    assert (found["code"], found["kind"], found["stops"]) == ("duplicate_host_key", "wrong", True)


@pytest.mark.parametrize("code", ["cluster_unreadable", "avma_unreadable"])
def test_what_could_not_be_read_stops_the_first_write(code: str) -> None:
    unread = {"code": code, "message": "It does not tell.", "remedy": "Look."}
    shown = {**LICENSED["NODE1"]["host"], "problems": [unread]}
    found = validate_host_keys({"NODE1": {"host": shown}}, {})
    assert [(item["kind"], item["stops"]) for item in found if item["code"] == code] == [("unknown", True)]


def test_a_machine_that_the_inventory_lists_twice_gets_no_key() -> None:
    host = result("NODE1", last_five="6YPG3", nodes=None)
    host["host"]["fqdn"] = "node1.lab.example"
    found = validate_host_keys({"node1": host, "10.0.0.1": host}, {"node1": key(KEY_1), "10.0.0.1": key(KEY_2)})
    assert {(item["code"], *item["hosts"]) for item in found if item["stops"]} >= {("same_host", "10.0.0.1", "node1")}


def test_two_sites_with_nodes_of_the_same_names_are_judged_each_by_its_own() -> None:
    results = {
        "node1.a.example": result("NODE1", last_five="6YPG3"),
        "node2.a.example": result("NODE2", last_five="GF638"),
        "node1.b.example": result("NODE1", build=WS2019, last_five="6YPG4"),
        "node2.b.example": result("NODE2", build=WS2019, last_five="GF639"),
    }
    assert found(results) == {}
    machines = {"node1.a.example": vms(vm("NEW")), "node1.b.example": vms(vm("OLD", WS2019))}
    assert gaps(machines, results) == []


def test_a_vm_that_is_no_role_of_the_cluster_stays_where_it_is() -> None:
    machines = {"hv1.lab.example": vms(replace(vm("NEW"), clustered=False))}
    assert gaps(machines, OLD_AND_NEW) == []
    assert gaps({"hv1.lab.example": vms(replace(vm("NEW"), clustered=None))}, OLD_AND_NEW) != []


def test_a_cluster_that_tells_no_nodes() -> None:
    alone = result("NODE1", last_five="6YPG3")
    alone["host"]["cluster"]["nodes"] = []
    assert found({"NODE1": alone}) == {}
    assert gaps({"NODE1": vms(vm("A"))}, {"NODE1": alone}) == []
