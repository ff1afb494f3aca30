"""Who a machine is, and who is meant by a name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.names import matches_any, names_match
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.identity import (
    Hosts,
    host_identity,
    node_address,
    usable_address,
    vm_identity,
)

import report_results as made


def read(name: str, fqdn: str | None = None, cluster: str | None = None, *nodes: str) -> dict[str, Any]:
    """What ``host_info`` returns of a host that tells its full name."""
    told = made.host(name, cluster=cluster, nodes=nodes)
    told["host"]["fqdn"] = fqdn
    return told


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("HV01", "hv01", True),
        ("HV01", "hv01.lab.example", True),
        ("HV01.lab.example.", "hv01.LAB.example", True),
        ("HV01.lab.example", "HV01.other.example", False),
        ("HV01", "HV011", False),
        (" HV01 ", "HV01", True),
        # A NetBIOS name holds 15 characters.
        ("HYPERVISORHOST-", "hypervisorhost-01.lab.example", True),
        ("HYPERVISORHOST-", "hypervisorhost-02", True),
        ("HYPERVISORHOST", "hypervisorhost-01", False),
        ("HYPERVISORHOST-01", "hypervisorhost-02", False),
        # An address is no name.
        ("10.0.0.1", "10", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("", "", False),
        ("", "HV01", False),
    ],
)
def test_when_two_names_can_be_one_machine(one: str, other: str, same: bool) -> None:
    assert names_match(one, other) is same
    assert matches_any(other, ["HV99", one]) is same


@pytest.mark.parametrize(
    ("machine", "name", "fqdn", "identity"),
    [
        ("anything", "HV01", "HV01.Lab.Example", "hv01.lab.example"),
        ("hv01.lab.example", "HV01", None, "hv01.lab.example"),
        ("hypervisorhost-01.lab.example", "HYPERVISORHOST-", None, "hypervisorhost-01.lab.example"),
        ("other.lab.example", "HV01", None, "hv01"),
        ("10.0.0.1", "HV01", None, "hv01"),
        ("hv01", "HV01", None, "hv01"),
    ],
)
def test_a_host_is_its_full_name(machine: str, name: str, fqdn: str | None, identity: str) -> None:
    assert host_identity(machine, {"name": name, "fqdn": fqdn}) == identity


def test_a_vm_is_its_id() -> None:
    assert vm_identity("{8b0f3a0e-51e4-4a3b-8e66-2e6c5a6b5e11}") == "8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11"


def names(hosts: Hosts, name: str) -> list[str]:
    return [host.machine for host in hosts.find(name)]


def test_a_full_name_means_one_host_and_a_short_one_may_mean_two() -> None:
    hosts = Hosts(
        {"a": read("HV01", "hv01.a.example"), "b": read("HV01", "hv01.b.example"), "c": {"unreachable": True}}
    )
    assert names(hosts, "HV01.a.example") == ["a"]
    assert names(hosts, "hv01") == ["a", "b"]
    assert names(hosts, "hv01.c.example") == []
    assert names(hosts, "c") == ["c"]
    assert [host.machine for host in hosts.named("b")] == ["b"]


def test_a_netbios_name_is_looked_up() -> None:
    hosts = Hosts(
        {
            "one": read("HYPERVISORHOST-", "hypervisorhost-01.lab.example"),
            "two": read("HYPERVISORHOST-", "hypervisorhost-02.lab.example"),
        }
    )
    assert names(hosts, "hypervisorhost-02.lab.example") == ["two"]
    assert names(hosts, "hypervisorhost-02") == ["one", "two"]


def test_clusters_of_two_domains_with_nodes_of_the_same_names_are_two() -> None:
    hosts = Hosts(
        {
            "node1.a.example": read("NODE1", None, "HV", "NODE1", "NODE2"),
            "node2.a.example": read("NODE2", None, "HV", "NODE1", "NODE2"),
            "node1.b.example": read("NODE1", None, "HV", "NODE1", "NODE2"),
            "node2.b.example": {"unreachable": True},
        }
    )
    found = {
        name: {node.name: node.host and node.host.machine for node in cluster.nodes.values()}
        for name, cluster in hosts.clusters.items()
    }
    assert found == {
        "hv.a.example": {"NODE1": "node1.a.example", "NODE2": "node2.a.example"},
        "hv.b.example": {"NODE1": "node1.b.example", "NODE2": "node2.b.example"},
    }


def test_a_short_name_that_fits_nodes_of_two_clusters_is_none_of_them() -> None:
    hosts = Hosts(
        {
            "one": read("NODE1", "node1.a.example", "HVA", "NODE1", "NODE2"),
            "two": read("NODE1", "node1.b.example", "HVB", "NODE1", "NODE2"),
            "NODE2": {"unreachable": True},
        }
    )
    assert [
        node.host for cluster in hosts.clusters.values() for node in cluster.nodes.values() if node.host is None
    ] == [
        None,
        None,
    ]


def test_a_cluster_whose_nodes_do_not_all_tell_their_domain_is_one() -> None:
    hosts = Hosts(
        {
            "one": read("NODE1", "node1.lab.example", "HV", "NODE1", "NODE2"),
            "two": read("NODE2", None, "HV", "NODE1", "NODE2"),
        }
    )
    [cluster] = hosts.clusters.values()
    assert [host.machine for host in cluster.members] == ["one", "two"]


def test_one_machine_that_is_listed_twice_is_told() -> None:
    hosts = Hosts({"hv01": read("HV01", "hv01.lab.example"), "10.0.0.1": read("HV01", "HV01.lab.example")})
    assert [[host.machine for host in same] for same in hosts.doubles()] == [["hv01", "10.0.0.1"]]
    # A name without a domain says nothing of two machines.
    assert Hosts({"a": read("HV01"), "b": read("HV01")}).doubles() == []


@pytest.mark.parametrize(
    ("cluster", "address"),
    [
        ("hv.lab.example", "NODE1.lab.example"),
        ("hv", "NODE1"),
        ("10.0.0.5", "NODE1"),
        ("2001:db8::5", "NODE1"),
    ],
)
def test_a_node_is_reached_in_the_domain_of_its_cluster(cluster: str, address: str) -> None:
    assert node_address("NODE1", cluster) == address


@pytest.mark.parametrize(
    ("fqdn", "addresses", "address"),
    [
        ("web01.lab.example", ["192.0.2.7"], "web01.lab.example"),
        (None, ["fe80::1%5", "2001:db8::7%5"], "2001:db8::7"),
        (None, ["The following keys are deprecated", "192.0.2.7"], "192.0.2.7"),
        ("192.0.2.9", ["192.0.2.7"], "192.0.2.7"),
        ("localhost.localdomain", ["127.0.0.1", "::1"], None),
    ],
)
def test_where_a_guest_says_that_it_is(fqdn: str | None, addresses: list[str], address: str | None) -> None:
    assert usable_address(fqdn, addresses) == address
