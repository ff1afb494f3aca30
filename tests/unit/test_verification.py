"""The verdict over many hosts and guests."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.fleet import build_fleet
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.verdict import accepted_codes, judge

SYSTEM = {
    "release": "2022",
    "edition": "Datacenter",
    "core": False,
    "evaluation": False,
    "build": 20348,
    "sku": 8,
    "name": "Windows Server 2022",
}
LICENSE = {
    "name": "Windows(R), ServerDatacenter edition",
    "status": "licensed",
    "reason": None,
    "channel": "VT:IA",
    "avma": True,
    "partial_product_key": "DV9BG",
    "activation_id": "21c56779-b449-4d20-adfc-eece0e1ad74b",
    "grace_minutes": 10080,
}
ACTIVATION = {"host": "NODE1.lab.example", "time": "2026-11-22T08:15:30Z", "iaid": "1", "host_pid": "2"}
PROBLEM = {"code": "not_avma", "message": "It is not.", "remedy": "Make it so."}


def guest(**changes: Any) -> dict[str, Any]:
    told = {
        "system": SYSTEM,
        "license": LICENSE,
        "activation": ACTIVATION,
        "hypervisor": None,
        "events": [],
        "problems": [],
    }
    return {"guest_info": {"guest": told | changes}}


def host(
    name: str, *vms: dict[str, Any], activates: tuple[str, ...] = ("2019", "2022"), **changes: Any
) -> dict[str, Any]:
    nodes = [{"name": node, "state": "up"} for node in ("NODE1", "NODE2")]
    facts = {
        "name": name,
        "system": SYSTEM | {"release": activates[-1]},
        "backend": "windows_server",
        "hyperv": True,
        "license": LICENSE | {"channel": "Volume:MAK", "avma": False, "partial_product_key": name[-5:]},
        "avma": None,
        "cluster": {"name": "CL1", "nodes": nodes},
        "activates": list(activates),
        "activates_known": True,
        "problems": [],
    }
    return {"host_info": {"host": facts | changes}, "vm_info": {"vms": list(vms)}}


def vm(name: str, **changes: Any) -> dict[str, Any]:
    known = {
        "name": name,
        "id": f"id-of-{name}",
        "state": "running",
        "system": SYSTEM,
        "fqdn": f"{name}.lab.example",
        "addresses": [],
        "rdp_addresses": [],
        "service_pack": None,
        "architecture": None,
        "kvp": {},
        "avma_key": "W3GNR-8DDXR-2TFRP-H8P33-DV9BG",
        "possible_owners": [],
        "data_exchange": True,
        "eligible": True,
        "problems": [],
    }
    return known | changes


def verification_summary(
    results: dict[str, Any], accepted: str | list[str] = (), expected_hosts: list[str] | None = None
) -> dict[str, Any]:
    """The verdict over what was read."""
    return judge(build_fleet(results, expected_hosts=expected_hosts), accepted_codes(accepted)).to_dict()


HOST = {"NODE1": host("NODE1"), "NODE2": host("NODE2")}


def test_an_activated_guest_is_proved_and_no_problem() -> None:
    summary = verification_summary({**HOST, "WEB01": guest()})
    assert summary["problems"] == []
    assert summary["messages"] == []
    assert summary["ok"] is True
    assert summary["line"] == "3 machines, 1 guest proved, 0 problems"
    assert summary["activated"] == [
        "WEB01: Windows Server 2022 Datacenter, activated by NODE1.lab.example at 2026-11-22T08:15:30Z"
    ]


def test_a_problem_is_listed_with_its_machines_and_remedy() -> None:
    bad = guest(activation=None, problems=[PROBLEM])
    summary = verification_summary({"WEB01": bad, "WEB02": bad})
    assert summary["problems"] == [
        {**PROBLEM, "kind": "wrong", "machines": ["WEB01", "WEB02"], "at": ["WEB01", "WEB02"]}
    ]
    assert summary["messages"] == ["WEB01, WEB02: not_avma: It is not. Make it so."]
    assert summary["line"] == "2 machines, 0 guests proved, 1 problem"


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({}, "not_read"),
        ({"unreachable": True, "msg": "refused"}, "unreachable"),
        ({"failed": True, "msg": "denied"}, "not_read"),
        ({"failed": True, "msg": "x", "problems": [PROBLEM]}, "not_avma"),
    ],
)
def test_a_machine_that_could_not_be_read_is_a_problem(result: dict[str, Any], code: str) -> None:
    for results in ({"WEB01": {"guest_info": result}}, {"NODE1": {"host_info": result}}):
        summary = verification_summary(results)
        assert code in {item["code"] for item in summary["problems"]}
        assert summary["activated"] == []


def test_accepted_problems_do_not_count() -> None:
    results = {"WEB01": guest(activation=None, problems=[PROBLEM])}
    for accepted in (["not_avma"], "not_avma", "node_down, not_avma"):
        summary = verification_summary(results, accepted)
        assert summary["problems"] == []
        assert summary["accepted"] == ["WEB01: not_avma: It is not. Make it so."]
        assert summary["line"] == "1 machine, 0 guests proved, 0 problems (1 accepted)"
    assert verification_summary(results, ["node_down"])["problems"] != []


def test_a_code_that_is_none_is_an_error_that_names_those_like_it() -> None:
    with pytest.raises(ValueError, match=r"there is no problem not_avm to accept .*Did you mean not_avma"):
        verification_summary({}, ["not_avm"])
    # A code that is part of another one is not that one.
    with pytest.raises(ValueError, match="host_activation_timed"):
        verification_summary({}, "host_activation_timed, node_down")


def test_a_vm_that_only_its_host_knows_is_told_and_is_no_problem() -> None:
    unknown = vm("VM02", system=None, avma_key=None, eligible=None, problems=[PROBLEM | {"code": "guest_unknown"}])
    summary = verification_summary({"NODE1": host("NODE1", vm("VM01"), unknown), "NODE2": host("NODE2")})
    assert [item["code"] for item in summary["problems"]] == ["nothing_proved"]
    assert [line.split(":")[0] for line in summary["unknown"]] == ["VM02 on NODE1"]
    assert summary["not_read"] == ["VM01 on NODE1", "VM02 on NODE1"]


def test_a_problem_that_a_host_has_with_a_vm_counts() -> None:
    off = vm("VM01", data_exchange=False, eligible=False, problems=[PROBLEM | {"code": "data_exchange_disabled"}])
    summary = verification_summary({"NODE1": host("NODE1", off), "NODE2": host("NODE2")})
    assert [(item["machines"], item["code"]) for item in summary["problems"]] == [
        (["VM01 on NODE1"], "data_exchange_disabled"),
        ([], "nothing_proved"),
    ]


def test_a_node_that_would_not_activate_a_guest_is_a_problem() -> None:
    results = {"NODE1": host("NODE1", vm("VM01")), "NODE2": host("NODE2", activates=("2016", "2019"))}
    found = [item for item in verification_summary(results)["problems"] if item["code"] == "failover_gap"]
    assert [item["machines"] for item in found] == [["VM01"]]
    for accepted in ("failover_gap", "host_release_too_old"):
        codes = {item["code"] for item in verification_summary(results, accepted)["problems"]}
        assert "failover_gap" not in codes
    assert "NODE2" in found[0]["message"]


def test_what_is_wrong_across_the_cluster_is_a_problem_of_its_hosts() -> None:
    summary = verification_summary({"NODE1": host("NODE1", vm("VM01"))})
    assert any("NODE2" in item["machines"] and "NODE2" in item["message"] for item in summary["problems"])


@pytest.mark.parametrize("first", ["WEB01", "WEB02"])
def test_what_one_machine_accepts_counts_for_that_machine_only(first: str) -> None:
    bad = guest(activation=None, problems=[PROBLEM])
    fleet = build_fleet({"WEB01": bad, "WEB02": bad})
    (other,) = {"WEB01", "WEB02"} - {first}
    verdict = judge(fleet, {"": frozenset(), first: {"not_avma"}, other: frozenset()})
    assert [(item["code"], item["machines"]) for item in verdict.problems] == [("not_avma", [other])]
    assert [(item["code"], item["machines"]) for item in verdict.accepted] == [("not_avma", [first])]
    assert judge(fleet, {"": frozenset(), first: {"not_avma"}, other: {"not_avma"}}).ok


def test_what_is_about_no_machine_must_be_accepted_by_all() -> None:
    fleet = build_fleet({"NODE1": host("NODE1"), "NODE2": host("NODE2")})
    nothing = {"nothing_proved"}
    assert [item["code"] for item in judge(fleet, {"": nothing, "NODE1": frozenset()}).problems] == ["nothing_proved"]
    assert judge(fleet, {"": nothing, "NODE1": nothing}).ok


def test_a_problem_says_where_in_the_inventory_it_is() -> None:
    off = vm("VM01", data_exchange=False, eligible=False, problems=[PROBLEM | {"code": "data_exchange_disabled"}])
    results = {"NODE1": host("NODE1", off, vm("WEB01")), "NODE2": host("NODE2", activates=("2016",)), "WEB01": guest()}
    places = {item["code"]: item["at"] for item in judge(build_fleet(results)).problems}
    assert places["data_exchange_disabled"] == ["NODE1"]
    assert places["failover_gap"] == ["NODE1", "WEB01"]
