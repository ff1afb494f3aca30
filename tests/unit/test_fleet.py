"""Hosts and guests joined by who they are, and the verdict over them: nothing false is green, nothing that AVMA is not for is red."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import Kind, problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.fleet import Fleet, build_fleet
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.verdict import Verdict, judge
from hypothesis import given
from hypothesis import strategies as st

import report_results as made

Results = dict[str, dict[str, Any]]
NODES = ("HV1", "HV2")
LINUX = problem("not_windows", vm="WEB01", system="Ubuntu").to_dict()
UNREACHABLE = {"unreachable": True, "msg": "web01: connection refused"}


def host(
    name: str, *vms: dict[str, Any], domain: str = "lab.example", nodes: tuple[str, ...] = (), **facts: Any
) -> Any:
    """A host with its full name and its VMs."""
    info = made.host(name, "2025", f"{domain.partition('.')[0]}-cluster" if nodes else None, nodes)
    info["host"] |= {"fqdn": f"{name.lower()}.{domain}"} | facts
    return {"host_info": info, "vm_info": {"vms": list(vms)}}


def vm(name: str, number: int, release: str | None = "2022", **facts: Any) -> dict[str, Any]:
    return made.vm(name, number, release) | {"clustered": None, "replication_mode": "none"} | facts


def guest(machine: dict[str, Any], by: str = "HV1", **told: Any) -> dict[str, Any]:
    """A guest that is activated, with what it sees of its host."""
    info = copy.deepcopy(made.guest(machine, by, made.NOW))
    info["guest"] |= told
    return {"guest_info": info}


def no_id(read: dict[str, Any]) -> dict[str, Any]:
    read["guest_info"]["guest"]["hypervisor"] = None
    return read


def look(results: Results, accepted: tuple[str, ...] = (), **how: Any) -> tuple[Fleet, Verdict]:
    fleet = build_fleet(results, time=made.GENERATED, **how)
    return fleet, judge(fleet, accepted)


def codes(verdict: Verdict) -> dict[str, list[str]]:
    """The machines of each problem that counts."""
    found: dict[str, list[str]] = {}
    for item in verdict.problems:
        found.setdefault(item["code"], []).extend(item["machines"])
    return found


def rows(fleet: Fleet) -> list[tuple[str, str | None, str | None, str]]:
    return [(row["name"], row["machine"], row["host"], row["verdict"]) for row in fleet.guests]


WEB01 = vm("WEB01", 1)


def test_all_is_well() -> None:
    fleet, verdict = look({"hv1": host("HV1", WEB01), "web01": guest(WEB01)})
    assert rows(fleet) == [("WEB01", "web01", "hv1", "activated")]
    assert (verdict.ok, verdict.line) == (True, "2 machines, 1 guest proved, 0 problems")


# What a host knows by Data Exchange proves nothing of a guest that was asked.


def test_a_guest_that_says_it_is_not_activated_is_red_whatever_its_host_has_of_it() -> None:
    linux = vm("WEB01", 1, None, problems=[LINUX], eligible=False)
    told = guest(WEB01, activation=None, problems=[made.KMS])
    for read in (told, no_id(copy.deepcopy(told))):
        fleet, verdict = look({"hv1": host("HV1", linux), "web01": read})
        assert rows(fleet) == [("WEB01", "web01", "hv1", "attention")]
        assert codes(verdict) == {"not_avma": ["web01"]}


def test_nobody_is_told_to_run_what_another_problem_would_stop() -> None:
    refused = vm("WEB01", 1, problems=[problem("data_exchange_disabled", vm="WEB01").to_dict()], eligible=False)
    for name, told in (("web01", refused), ("web02", vm("WEB01", 1))):
        read = guest(told, activation=None, problems=[made.KMS])
        _fleet, verdict = look({"hv1": host("HV1", told), name: read})
        remedy = next(item["remedy"] for item in verdict.problems if item["code"] == "not_avma")
        assert (remedy == "Put the other problem right first.") == (told is refused)


def test_a_guest_that_cannot_be_read_does_not_vanish_behind_a_vm_of_its_name() -> None:
    linux = vm("WEB01", 1, None, problems=[LINUX], eligible=False)
    fleet, verdict = look({"hv1": host("HV1", linux), "web01": {"guest_info": UNREACHABLE}})
    assert [row["verdict"] for row in fleet.guests] == ["not_read"]
    assert codes(verdict) == {"unreachable": ["web01"]}


@pytest.mark.parametrize("lost", [{}, {"guest": None}, {"failed": True, "msg": "no"}, {"skipped": True}])
def test_a_guest_of_which_nothing_is_known_is_red(lost: dict[str, Any]) -> None:
    _fleet, verdict = look({"hv1": host("HV1"), "web01": {"guest_info": lost}})
    assert codes(verdict) == {"not_read": ["web01"]}


def test_a_machine_that_was_lost_does_not_vanish() -> None:
    results = {"hv1": host("HV1", WEB01), "web01": guest(WEB01), "web02": {}}
    assert codes(look(results)[1]) == {"not_read": ["web02"]}


def test_a_licence_that_proves_nothing_is_red_though_nothing_is_said_to_be_wrong() -> None:
    bare = made.license("DV9BG", "VT:IA", "notification")
    for told in (
        {"activation": None},
        {"license": None},
        {"license": bare},
        {"license": made.license("X", "Volume:MAK")},
    ):
        _fleet, verdict = look({"hv1": host("HV1", WEB01), "web01": guest(WEB01, **told)})
        assert codes(verdict) == {"not_activated": ["web01"]}
    blank = {"host": " ", "time": made.GENERATED, "iaid": None, "host_pid": None}
    assert not look({"hv1": host("HV1", WEB01), "web01": guest(WEB01, activation=blank)})[1].ok


def test_a_host_whose_vms_cannot_be_read_is_red_whatever_else_is_not_known_of_it() -> None:
    unknown = problem("host_avma_unknown", host="HV1").to_dict()
    results = {"hv1": host("HV1", problems=[unknown]), "web01": guest(WEB01)}
    assert look(results)[1].ok
    assert look(results)[1].unknown == [f"hv1: host_avma_unknown: {unknown['message']} {unknown['remedy']}"]
    results["hv1"]["vm_info"] = {"unreachable": True, "msg": "timed out"}
    assert set(codes(look(results)[1])) == {"host_avma_unknown", "unreachable"}


# Two things with one name are two things.


def test_the_proof_of_one_vm_does_not_count_for_another_of_its_name() -> None:
    """WEB01 on HV1 was not asked; the one that answered is on a host outside the run."""
    elsewhere = vm("WEB01", 2)
    fleet, verdict = look({"hv1": host("HV1", WEB01), "web01": guest(elsewhere, by="HV9")})
    assert rows(fleet) == [("WEB01", None, "hv1", "not_read"), ("web01", "web01", "HV9", "attention")]
    assert codes(verdict) == {"unexpected_host": ["web01"]}


def test_a_copy_that_answers_in_place_of_a_vm_proves_neither_twice() -> None:
    """Two machines of the inventory have one address, that of the copy."""
    clone = vm("WEB01-CLONE", 2, fqdn="web01.lab.example")
    results = {"hv1": host("HV1", WEB01, clone), "WEB01": guest(clone), "WEB01-CLONE": guest(clone)}
    fleet, verdict = look(results)
    assert codes(verdict) == {"other_vm": ["WEB01"]}
    assert ("WEB01-CLONE", "WEB01-CLONE", "hv1", "activated") in rows(fleet)
    assert ("WEB01", None, "hv1", "not_read") in rows(fleet)
    # The inventory plugin knows which VM each is.
    fleet, verdict = look(results, vm_ids={"WEB01": WEB01["id"], "WEB01-CLONE": clone["id"].lower()})
    assert rows(fleet) == [
        ("WEB01", "WEB01", "hv1", "attention"),
        ("WEB01-CLONE", "WEB01-CLONE", "hv1", "activated"),
    ]
    assert codes(verdict) == {"duplicate_fqdn": ["WEB01"], "other_vm": ["WEB01"]}
    assert "inventory says that it is" in verdict.messages[1]
    assert fleet.guests[0]["activation"] is None


def test_one_machine_that_answers_as_another_vm_than_the_inventory_says_is_red() -> None:
    other = vm("WEB02", 2)
    _fleet, verdict = look({"hv1": host("HV1", WEB01, other), "web01": guest(other)}, vm_ids={"web01": WEB01["id"]})
    assert codes(verdict) == {"other_vm": ["web01"]}
    # The inventory plugin's own name of a VM says the same.
    named = f"web01_{WEB01['id']}"
    assert set(codes(look({"hv1": host("HV1", WEB01, other), named: guest(other)})[1])) == {"other_vm"}
    assert look({"hv1": host("HV1", WEB01, other), named: guest(WEB01)})[1].ok


def test_clones_with_one_full_name_are_told_apart_by_their_ids_only() -> None:
    clone = vm("CLONE", 2, fqdn=WEB01["fqdn"])
    hosts = {"hv1": host("HV1", WEB01, clone)}
    fleet, verdict = look({**hosts, "web01": guest(WEB01)})
    assert rows(fleet) == [("CLONE", None, "hv1", "not_read"), ("WEB01", "web01", "hv1", "activated")]
    assert verdict.ok
    assert [line.split(":")[1].strip() for line in verdict.unknown] == ["duplicate_fqdn"]
    # Without its id, the guest that answered to that name can be either.
    _fleet, verdict = look({**hosts, "web01.lab.example": no_id(guest(WEB01))})
    assert codes(verdict) == {"ambiguous_name": ["web01.lab.example"]}
    assert "the VM WEB01 on hv1, the VM CLONE on hv1" in verdict.messages[0]


@pytest.mark.parametrize("machine", ["10.0.0.7", "192.0.2.17", "srv-4711", "web01.mgmt.example"])
def test_a_guest_by_any_name_is_the_vm_whose_id_it_tells(machine: str) -> None:
    fleet, verdict = look({"hv1": host("HV1", WEB01), machine: guest(WEB01)})
    assert rows(fleet) == [("WEB01", machine, "hv1", "activated")]
    assert (verdict.ok, verdict.not_read) == (True, [])


@pytest.mark.parametrize(
    ("machine", "fqdn", "joined"),
    [
        ("web01", None, True),
        ("192.0.2.17", None, True),
        ("192.0.2.18", None, False),
        ("alias", "web01.lab.example", True),
        ("web01", "web01.other.example", False),
    ],
)
def test_a_guest_that_tells_no_id_is_joined_by_a_name_that_fits_one_vm(
    machine: str, fqdn: str | None, joined: bool
) -> None:
    read = no_id(guest(WEB01))
    read["guest_info"]["guest"]["fqdn"] = fqdn
    fleet, _verdict = look({"hv1": host("HV1", WEB01), machine: read})
    assert (len(fleet.guests) == 1) is joined


def test_guests_that_are_listed_twice_are_not_counted_twice() -> None:
    _fleet, verdict = look({"hv1": host("HV1", WEB01), "web01": guest(WEB01), "alias": guest(WEB01)})
    assert codes(verdict) == {"other_vm": ["alias"]}
    assert verdict.counts["proved"] == 1


# One VM on two hosts.


def test_a_replica_is_listed_as_such_and_the_guest_is_its_primary() -> None:
    primary = vm("WEB01", 1, replication_mode="primary")
    replica = vm("WEB01", 1, None, replication_mode="replica", problems=[made.UNKNOWN])
    for order in ((primary, replica), (replica, primary)):
        results = {f"hv{index}": host(f"HV{index}", machine) for index, machine in enumerate(order, 1)}
        fleet, verdict = look({**results, "web01": guest(WEB01)})
        assert sorted((row["replication_mode"], row["machine"], row["verdict"]) for row in fleet.guests) == [
            ("primary", "web01", "activated"),
            ("replica", None, "not_applicable"),
        ]
        assert (verdict.ok, verdict.not_read) == (True, [])
        assert "is a replica of Hyper-V Replica" in verdict.not_applicable[0]


@pytest.mark.parametrize("mode", ["test_replica", "extended_replica"])
def test_other_copies_of_hyper_v_replica_are_listed_too(mode: str) -> None:
    copied = vm("WEB01 - Test", 2, fqdn=WEB01["fqdn"], replication_mode=mode)
    fleet, verdict = look({"hv1": host("HV1", WEB01), "hv2": host("HV2", copied), "web01": no_id(guest(WEB01))})
    assert [row["verdict"] for row in fleet.guests] == ["activated", "not_applicable"]
    assert verdict.ok


@pytest.mark.parametrize("state", ["other", "off", "starting", "paused"])
def test_a_vm_that_moves_is_where_it_runs(state: str) -> None:
    arriving = vm("WEB01", 1, None, state=state, problems=[made.UNKNOWN])
    for first, second, there in ((arriving, WEB01, "hv2"), (WEB01, arriving, "hv1")):
        fleet, verdict = look({"hv1": host("HV1", first), "hv2": host("HV2", second), "web01": guest(WEB01)})
        assert ("WEB01", "web01", there, "activated") in rows(fleet)
        assert (verdict.ok, verdict.counts["not_applicable"], verdict.not_read) == (True, 1, [])
        assert f"is on {there} too" in verdict.not_applicable[0]


def test_two_running_vms_with_one_id_are_red() -> None:
    results = {"hv1": host("HV1", WEB01), "hv2": host("HV2", copy.deepcopy(WEB01)), "web01": guest(WEB01, by="HV2")}
    fleet, verdict = look(results)
    assert rows(fleet) == [("WEB01", None, "hv1", "attention"), ("WEB01", "web01", "hv2", "attention")]
    assert codes(verdict) == {"duplicate_vm_id": ["WEB01 on hv1", "web01"]}


def test_a_host_that_is_listed_twice_tells_each_vm_once() -> None:
    fleet, verdict = look({"hv1": host("HV1", WEB01), "10.0.0.1": host("HV1", WEB01), "web01": guest(WEB01)})
    assert len(fleet.guests) == 1
    assert codes(verdict) == {"same_host": ["10.0.0.1", "hv1"]}


# What AVMA is not for is listed, and green.


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("no_avma_key_for_edition", {"name": "Windows 11", "edition": "", "sku": 48, "documented": "x"}),
        ("no_avma_key_for_release", {"name": "Windows Server 2012", "documented": "x"}),
        ("not_windows", {"vm": "X", "system": "Ubuntu"}),
    ],
)
def test_what_avma_is_not_for_is_green(code: str, facts: dict[str, Any]) -> None:
    said = problem(code, **facts).to_dict()
    off = problem("data_exchange_disabled", vm="X").to_dict()
    other = vm("X", 2, None, state="running", data_exchange=False, problems=[off, said], eligible=False)
    _fleet, verdict = look({"hv1": host("HV1", WEB01, other), "web01": guest(WEB01)})
    assert (verdict.ok, verdict.not_applicable) == (True, [f"X on hv1: {said['message']}"])
    assert verdict.line == "2 machines, 1 guest proved, 0 problems (1 not for AVMA)"
    if code != "not_windows":
        # Such a guest that says so itself, among those that were asked.
        _fleet, verdict = look(
            {"hv1": host("HV1", WEB01), "web01": guest(WEB01), "x": guest(vm("X", 2), problems=[said])}
        )
        assert (verdict.ok, verdict.not_applicable) == (True, [f"x: {said['message']}"])


def test_an_appliance_that_tells_nothing_is_not_known_and_green() -> None:
    off = problem("data_exchange_disabled", vm="X").to_dict()
    appliance = vm("X", 2, None, data_exchange=False, problems=[off], eligible=False)
    _fleet, verdict = look({"hv1": host("HV1", WEB01, appliance), "web01": guest(WEB01)})
    assert (verdict.ok, verdict.not_read) == (True, ["X on hv1"])
    assert verdict.unknown == [f"X on hv1: data_exchange_disabled: {off['message']} {off['remedy']}"]
    # That of a Windows Server guest is wrong.
    server = vm("X", 2, data_exchange=False, problems=[off], eligible=False)
    assert codes(look({"hv1": host("HV1", WEB01, server), "web01": guest(WEB01)})[1]) == {
        "data_exchange_disabled": ["X on hv1"]
    }


def old_node(*vms: dict[str, Any]) -> Results:
    """A cluster of which one node is too old for new guests."""
    results = {"hv1": host("HV1", *vms, nodes=NODES), "hv2": host("HV2", nodes=NODES), "web01": guest(WEB01)}
    results["hv2"]["host_info"]["host"] |= {"system": made.system("2025", core=True), "activates": ["2016"]}
    results["hv2"]["host_info"]["host"]["license"]["status"] = "notification"
    return results


@pytest.mark.parametrize(("clustered", "red"), [(False, False), (True, True), (None, True)])
def test_a_vm_that_is_no_role_of_the_cluster_has_no_failover(clustered: bool | None, red: bool) -> None:
    fleet, verdict = look(old_node(WEB01 | {"clustered": clustered}))
    assert ("failover_gap" in codes(verdict)) is red
    assert bool(fleet.failover) is red


# Sites.


def test_two_sites_with_the_same_short_names_are_two() -> None:
    one, two = vm("WEB01", 1), vm("WEB01", 2)
    results = {
        "hv1.a.example": host("HV1", one, domain="a.example", nodes=NODES),
        "hv2.a.example": host("HV2", domain="a.example", nodes=NODES),
        "hv1.b.example": host("HV1", two, domain="b.example", nodes=NODES),
        "web01.a.example": guest(one, by="HV1.a.example"),
        "web01.b.example": guest(two, by="HV1.c.example"),
    }
    fleet, verdict = look(results)
    assert [(row["cluster"], row["machine"]) for row in fleet.guests] == [
        ("a-cluster", "web01.a.example"),
        ("b-cluster", "web01.b.example"),
    ]
    assert codes(verdict) == {"node_not_in_play": ["HV2"], "unexpected_host": ["web01.b.example"]}


def test_a_cluster_that_tells_no_nodes_is_there_all_the_same() -> None:
    results = {"hv1": host("HV1", WEB01, nodes=NODES), "web01": guest(WEB01)}
    results["hv1"]["host_info"]["host"]["cluster"]["nodes"] = []
    fleet, verdict = look(results)
    assert fleet.clusters[0]["nodes"] == []
    assert verdict.ok


# Whose word counts.


@pytest.mark.parametrize(
    ("by", "how", "code"),
    [
        ("HV1", {}, None),
        ("hv1.lab.example", {}, None),
        ("HV2.lab.example", {}, None),  # a node of the cluster that was not asked
        ("HV1.other.example", {}, "unexpected_host"),
        ("AVMA4K", {}, "unexpected_host"),
        ("AVMA4K", {"known_hosts": ["avma4k.lab.example"]}, None),
        ("HV1", {"expected_hosts": ["hv1"]}, None),
        ("HV1", {"expected_hosts": ["HV1.lab.example"]}, None),
        ("HV1.other.example", {"expected_hosts": ["hv1"]}, "unexpected_host"),
        ("HV2", {"expected_hosts": ["hv1"]}, "unexpected_host"),
        ("HV9", {"expected_hosts": ["HV9.far.example"]}, None),
        ("HV9", {"expected_hosts": []}, "unexpected_host"),
    ],
)
def test_whose_word_counts(by: str, how: dict[str, Any], code: str | None) -> None:
    results = {"hv1": host("HV1", WEB01, nodes=NODES), "web01": guest(WEB01, by=by)}
    _fleet, verdict = look(results, ("node_not_in_play",), **how)
    assert codes(verdict) == ({code: ["web01"]} if code else {})


def test_a_short_name_of_two_hosts_proves_nothing_of_one() -> None:
    results = {
        "hv1.a.example": host("HV1", WEB01, domain="a.example"),
        "hv1.b.example": host("HV1", domain="b.example"),
        "web01": guest(WEB01, by="HV1"),
    }
    assert look(results)[1].ok
    _fleet, verdict = look(results, expected_hosts=["hv1.a.example"])
    assert codes(verdict) == {"ambiguous_name": ["web01"]}
    assert "HV1 can be hv1.a.example, hv1.b.example" in verdict.messages[0]


def test_without_any_host_nobody_bears_a_guest_out() -> None:
    results = {"web01": guest(WEB01)}
    assert codes(look(results)[1]) == {"activation_unwitnessed": ["web01"]}
    assert look(results, expected_hosts=["HV1"])[1].ok
    assert look(results, known_hosts=["hv1.lab.example"])[1].ok


# Accepted is accepted everywhere.


def test_a_node_that_is_down_is_one_problem_and_accepted_as_one() -> None:
    results = {
        "hv1": host("HV1", WEB01, nodes=NODES),
        "hv2": {"host_info": {"unreachable": True, "msg": "no route"}, "vm_info": {"skipped": True}},
        "web01": guest(WEB01),
    }
    results["hv1"]["host_info"]["host"]["cluster"]["nodes"][1]["state"] = "down"
    assert codes(look(results)[1]) == {"node_down": ["hv2"]}
    _fleet, verdict = look(results, ("node_down",))
    assert verdict.ok
    assert [item["code"] for item in verdict.accepted] == ["node_down"]


@pytest.mark.parametrize("code", ["failover_gap", "host_not_licensed"])
def test_what_is_behind_a_failover_gap_is_accepted_there_too(code: str) -> None:
    _fleet, verdict = look(old_node(WEB01), (code,))
    assert "failover_gap" not in codes(verdict)


def test_what_each_machine_accepts_counts_for_it_alone_and_in_any_order() -> None:
    bad = guest(WEB01, activation=None, problems=[made.KMS])
    off = problem("data_exchange_disabled", vm="X").to_dict()
    server = vm("X", 2, data_exchange=False, problems=[off], eligible=False)
    results = {"hv1": host("HV1", server), "web01": bad, "web02": copy.deepcopy(no_id(bad))}
    fleet = build_fleet(results)
    for accepted in ({"web01": {"not_avma"}, "hv1": ()}, {"hv1": (), "web01": {"not_avma"}}):
        verdict = judge(fleet, accepted)
        assert codes(verdict) == {"not_avma": ["web02"], "data_exchange_disabled": ["X on hv1"]}
        assert [(item["code"], item["at"]) for item in verdict.accepted] == [("not_avma", ["web01"])]
        assert [item["at"] for item in verdict.problems] == [["web02"], ["hv1"]]
    # Of a VM that is not in the inventory, its host decides.
    assert "data_exchange_disabled" not in codes(judge(fleet, {"hv1": {"data_exchange_disabled"}, "web01": ()}))


def test_what_is_about_no_machine_of_the_inventory_is_accepted_by_all_or_not() -> None:
    fleet = build_fleet({"hv1": host("HV1", WEB01, nodes=NODES), "web01": guest(WEB01)})
    assert set(codes(judge(fleet, {"hv1": {"node_not_in_play"}, "web01": ()}))) == {"node_not_in_play"}
    assert judge(fleet, {"hv1": {"node_not_in_play"}, "web01": {"node_not_in_play"}}).ok


def test_each_guest_has_its_own_hosts() -> None:
    results = {"hv1": host("HV1", WEB01), "hv2": host("HV2"), "web01": guest(WEB01)}
    assert look(results, expected_hosts={"web01": ["hv1"]})[1].ok
    assert set(codes(look(results, expected_hosts={"web01": ["hv2"]})[1])) == {"unexpected_host"}
    assert look(results, expected_hosts={"web01": [], "other": ["hv2"]})[1].ok


# Nothing looked at is not green.


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ({}, "nothing_read"),
        ({"hv1": host("HV1", WEB01)}, "nothing_proved"),
        ({"hv1": host("HV1")}, "nothing_proved"),
    ],
)
def test_nothing_looked_at_is_not_green(results: Results, code: str) -> None:
    _fleet, verdict = look(results)
    assert codes(verdict) == {code: []}
    assert not verdict.ok
    assert look(results, (code,))[1].ok


# The verdict itself.


def test_each_problem_is_told_once_with_all_its_machines() -> None:
    guests = {
        f"web{number:03}": guest(vm(f"WEB{number:03}", number), activation=None, problems=[made.KMS])
        for number in range(30)
    }
    _fleet, verdict = look({"hv1": host("HV1"), **guests})
    [message] = verdict.messages
    assert message.startswith("web000, web001, ")
    assert "web009 and 20 more: not_avma: " in message
    assert len(verdict.problems[0]["machines"]) == 30
    assert verdict.line == "31 machines, 0 guests proved, 1 problem"


def test_every_problem_has_the_kind_of_its_definition() -> None:
    fleet, _verdict = look(made.fleet(8, 120))
    kinds = {item["kind"] for row in (*fleet.hosts, *fleet.guests) for item in row["problems"]}
    assert kinds == {str(Kind.WRONG), str(Kind.UNKNOWN)}


def test_what_a_guest_is_goes_before_what_its_host_has_of_it() -> None:
    """Data Exchange is what whoever administers the guest wrote: it makes no failover gap, and hides none."""
    results = old_node(vm("WEB01", 1, "2016"))
    results["web01"] = guest(vm("WEB01", 1, "2025"))
    fleet, _verdict = look(results)
    assert fleet.guests[0]["system"]["release"] == "2025"
    assert [node["status"] for node in fleet.failover[0]["nodes"]] == ["activates", "gap"]


AZURE = {"edition": "Azure Edition", "sku": 407}


def on_azure_local(known: str | None, interface: bool | None, edition: dict[str, Any]) -> Fleet:
    """A guest on an Azure Local host that takes it for another system (``known``), or knows nothing of it."""
    azure_local = {
        "system": made.system("2025") | {"edition": None, "sku": 406, "name": "Azure Local"},
        "avma": {"module": "1.1", "subscription": "Active", "result": None, "error": None},
    }
    web01 = vm("WEB01", 1, known, guest_service_interface=interface)
    told = made.system("2022") | edition
    read = guest(vm("WEB01", 1), system=told)
    return look({"hv1": host("HV1", web01, **azure_local), "web01": read})[0]


@pytest.mark.parametrize("known", [None, "2022", "2019"])
@pytest.mark.parametrize(
    ("interface", "edition", "missing"),
    [(False, AZURE, True), (True, AZURE, False), (None, AZURE, False), (False, {}, False)],
)
def test_an_azure_edition_guest_needs_the_guest_service_interface_whatever_its_host_takes_it_for(
    known: str | None, interface: bool | None, edition: dict[str, Any], missing: bool
) -> None:
    row = on_azure_local(known, interface, edition).guests[0]
    assert [item["code"] for item in row["problems"]] == ["guest_service_interface_disabled"] * missing
    assert (row["eligible"], row["verdict"]) == (not missing, "attention" if missing else "activated")


def test_a_host_that_does_not_tell_whether_it_activates_a_guest_it_does_not_know_is_no_yes() -> None:
    unknown = problem("host_in_azure", host="HV1").to_dict()
    web01 = vm("WEB01", 1, None)
    results = {"hv1": host("HV1", web01, azure_vm=True, problems=[unknown]), "web01": guest(vm("WEB01", 1))}
    assert [row["eligible"] for row in look(results)[0].guests] == [None]


@given(st.data())
def test_nothing_is_green_that_did_not_prove_itself_and_nothing_vanishes(data: st.DataObject) -> None:
    """Whatever shares names and ids, whoever answers in whose place, and whatever could not be read."""
    pick = data.draw
    results: Results = {}
    for number in range(pick(st.integers(1, 3))):
        clustered = pick(st.booleans())
        info = made.host(f"HV{pick(st.integers(1, 2))}", cluster="C" if clustered else None, nodes=NODES)
        info["host"]["fqdn"] = pick(st.sampled_from([None, f"hv{number}.lab.example", "hv1.lab.example"]))
        machines = [
            vm(
                pick(st.sampled_from(["WEB1", "WEB2"])),
                pick(st.integers(1, 3)),
                pick(st.sampled_from(["2022", "2016", None])),
                clustered=pick(st.sampled_from([True, False, None])),
                replication_mode=pick(st.sampled_from(["none", "replica", "primary", None])),
                state=pick(st.sampled_from(["running", "off"])),
            )
            for _ in range(pick(st.integers(0, 3)))
        ]
        results[f"h{number}"] = {"host_info": info, "vm_info": {"vms": machines}}
    right: dict[str, bool] = {}
    for name in pick(st.lists(st.sampled_from(["web1", "web2", "web1.lab.example", "alias"]), unique=True)):
        machine = vm("WEB1", pick(st.integers(1, 3)))
        word = pick(st.sampled_from(["right", "not activated", "another host", "silent"]))
        read = guest(machine, "HV9" if word == "another host" else "HV1.lab.example")
        if word == "not activated":
            read["guest_info"]["guest"].update(activation=None, problems=[made.KMS])
        if pick(st.booleans()):
            no_id(read)
        results[name] = {"guest_info": UNREACHABLE} if word == "silent" else read
        right[name] = word == "right"
    fleet, verdict = look(results)
    assert sorted(row["machine"] for row in fleet.guests if row["machine"]) == sorted(right)
    red = {name for item in verdict.problems for name in item["at"]}
    assert {name for name, good in right.items() if not good} <= red
    assert right or not verdict.ok
