"""The report: how hosts and guests are joined, judged and written."""

from __future__ import annotations

import copy
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.fleet import Reading, readings
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.report import (
    InvalidReportError,
    build_report,
    merge,
    readings_of,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.report_formats import (
    Page,
    to_csv,
    to_html,
    to_json,
    to_junit,
)

import report_results as made

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/avma-report.schema.json").read_text())
PAGE = Page(
    '<title>@TITLE@</title><meta content="@POLICY@"><style>@STYLE@</style>@REPORT@<script>@SCRIPT@</script>',
    "p {}",
    "go()",
)
HOSTILE = "</script><!--<script>alert('@REPORT@')</script>&amp;\x00\u2028=1+1"

Results = dict[str, dict[str, Any]]


def build(results: Results) -> dict[str, Any]:
    """A report that meets its schema."""
    report = build_report(readings(results, made.GENERATED), made.GENERATED, "AVMA report")
    jsonschema.validate(report, SCHEMA)
    return report


def small(release: str = "2022", **vms: str) -> tuple[Results, dict[str, Any]]:
    """One cluster of two nodes, and a guest on the first: what was read, and what that guest tells."""
    machine = made.vm("WEB1", 1, release)
    told = made.guest(machine, "HV1", made.NOW)
    results = {
        "HV1": {"host_info": made.host("HV1", "2025", "C", ("HV1", "HV2")), "vm_info": {"vms": [machine]}},
        "HV2": {"host_info": made.host("HV2", "2019", "C", ("HV1", "HV2")), "vm_info": {"vms": []}},
        "web1": {"guest_info": told, "activation_event_info": {"events": [made.event(12309, made.NOW)]}},
    }
    return results, told


def test_a_fleet_with_all_that_can_be_wrong_meets_the_schema() -> None:
    report = build(made.fleet(8, 120, HOSTILE))
    counts = report["summary"]["guests"]
    assert counts["total"] == 121 == sum(count for name, count in counts.items() if name != "total")
    assert all(counts[verdict] for verdict in ("activated", "attention", "not_read"))
    assert report["summary"]["hosts"] == {"total": 8, "ready": 7, "attention": 1, "unknown": 0}
    assert report["summary"]["failover_gaps"] > 0
    assert [cluster["name"] for cluster in report["clusters"]] == ["PROD-A", "PROD-B"]
    assert [item["code"] for item in report["cluster_problems"]] == ["mixed_os_releases"]
    # That it is down is why it did not answer.
    assert [item["code"] for item in report["hosts"][-1]["problems"]] == ["node_down"]


def test_the_schema_forbids_what_it_does_not_name() -> None:
    def objects(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for value in schema.values():
                yield from objects(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from objects(value)

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert all(item["additionalProperties"] is False for item in objects(SCHEMA))


def test_a_guest_is_joined_by_the_id_that_its_host_gave_it() -> None:
    results, told = small()
    results["srv-4711"] = results.pop("web1")
    told["guest"]["hypervisor"]["vm_id"] = told["guest"]["hypervisor"]["vm_id"].lower()
    [guest] = build(results)["guests"]
    assert (guest["name"], guest["machine"], guest["host"], guest["verdict"]) == (
        "WEB1",
        "srv-4711",
        "HV1",
        "activated",
    )
    assert guest["activation"]["host"] == "HV1"
    assert [event["outcome"] for event in guest["events"]] == ["success"]


def test_a_name_with_another_domain_is_another_machine() -> None:
    results, told = small()
    told["guest"]["hypervisor"] = None
    results["web1.other.example"] = results.pop("web1")
    assert [(guest["name"], guest["machine"]) for guest in build(results)["guests"]] == [
        ("WEB1", None),
        ("web1.other.example", "web1.other.example"),
    ]


@pytest.mark.parametrize("machine", ["web1", "WEB1.lab.example"])
def test_a_guest_that_knows_no_id_is_joined_by_its_name(machine: str) -> None:
    results, told = small()
    told["guest"]["hypervisor"] = None
    results[machine] = results.pop("web1")
    [guest] = build(results)["guests"]
    assert (guest["name"], guest["machine"]) == ("WEB1", machine)


def test_a_name_that_two_vms_have_joins_neither() -> None:
    results, told = small()
    told["guest"]["hypervisor"] = None
    results["HV2"]["vm_info"]["vms"].append(made.vm("WEB1", 2, "2019"))
    guests = build(results)["guests"]
    assert [(guest["machine"], guest["host"]) for guest in guests] == [(None, "HV1"), (None, "HV2"), ("web1", None)]


def test_a_vm_that_two_machines_claim_to_be_is_only_one_of_them() -> None:
    results, told = small()
    results["web2"] = {"guest_info": told}
    guests = build(results)["guests"]
    assert [(guest["name"], guest["machine"], guest["cluster"]) for guest in guests] == [
        ("WEB1", "web1", "C"),
        ("web2", "web2", None),
    ]


def test_a_guest_of_no_host_in_the_report_names_its_host_itself() -> None:
    results, _told = small()
    results = {"web1": results["web1"]}
    [guest] = build(results)["guests"]
    assert (guest["name"], guest["host"], guest["cluster"], guest["verdict"]) == ("web1", "HV1", None, "attention")
    assert [item["code"] for item in guest["problems"]] == ["activation_unwitnessed"]


def test_only_the_guest_itself_proves_its_activation() -> None:
    results, _told = small()
    del results["web1"]
    [guest] = build(results)["guests"]
    assert (guest["eligible"], guest["activation"], guest["verdict"]) == (True, None, "not_read")


def test_what_is_not_known_is_not_said_to_be_wrong() -> None:
    results, _told = small()
    results["HV1"]["vm_info"]["vms"] = [made.vm("OFF1", 2, None)]
    results["web1"] = {"guest_info": {"unreachable": True, "msg": "connection refused"}}
    assert [(guest["name"], guest["verdict"]) for guest in build(results)["guests"]] == [
        ("OFF1", "not_read"),
        ("web1", "not_read"),
    ]


def test_what_the_guest_tells_settles_what_its_host_does_not_know() -> None:
    results, told = small()
    machine = results["HV1"]["vm_info"]["vms"][0]
    machine.update(system=None, avma_key=None, eligible=None, problems=[made.UNKNOWN])
    [guest] = build(results)["guests"]
    assert (guest["verdict"], guest["problems"]) == ("activated", [])
    assert guest["system"] == told["guest"]["system"]


def test_problems_of_guest_and_host_are_told_once() -> None:
    results, told = small()
    disabled = {"code": "data_exchange_disabled", "message": "Off.", "remedy": "On."}
    results["HV1"]["vm_info"]["vms"][0]["problems"] = [made.TOO_OLD, disabled]
    told["guest"].update(activation=None, problems=[made.TOO_OLD])
    [guest] = build(results)["guests"]
    assert [item["code"] for item in guest["problems"]] == ["host_release_too_old", "data_exchange_disabled"]
    assert guest["verdict"] == "attention"


def test_a_guest_that_is_not_windows_is_not_judged() -> None:
    results, _told = small()
    problem = {"code": "not_windows", "message": "The guest is Debian.", "remedy": "Leave it out."}
    results["HV1"]["vm_info"]["vms"] = [{**made.vm("LIN1", 3, None), "problems": [problem]}]
    del results["web1"]
    assert [guest["verdict"] for guest in build(results)["guests"]] == ["not_applicable"]


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        ({"unreachable": True, "msg": "connection refused"}, "unreachable"),
        ({"msg": "Access is denied."}, "not_read"),
        ({"problems": [{"code": "access_denied", "message": "No.", "remedy": "Ask."}]}, "access_denied"),
        ({}, "not_read"),
    ],
)
def test_a_machine_that_could_not_be_read_is_in_the_report(lost: dict[str, Any], code: str) -> None:
    results, _told = small()
    results["HV2"] = {"host_info": lost, "vm_info": {"skipped": True}, "activation_event_info": {"skipped": True}}
    results["web1"] = {"guest_info": lost, "activation_event_info": {"skipped": True}}
    report = build(results)
    [host] = [host for host in report["hosts"] if host["name"] == "HV2"]
    [guest] = report["guests"]
    assert [item["code"] for item in host["problems"]] == [code] == [item["code"] for item in guest["problems"]]
    assert (host["verdict"], host["cluster"]) == ("attention", "C")
    assert (guest["verdict"] == "activated", guest["machine"]) == (False, "web1")
    assert 'failures="0"' not in to_junit(report).decode().split('name="avma.guests"')[1].split(">")[0]


def test_a_host_whose_vms_cannot_be_read_is_not_ready() -> None:
    results, _told = small()
    results["HV2"]["vm_info"] = {"msg": "Generic failure."}
    hosts = {host["name"]: host for host in build(results)["hosts"]}
    assert hosts["HV2"]["verdict"] == "attention"
    assert "Generic failure" in hosts["HV2"]["problems"][0]["message"]


def test_failover_shows_each_node_that_may_own_a_guest() -> None:
    results, _told = small()
    report = build(results)
    [row] = report["failover"]
    assert [(node["name"], node["status"]) for node in row["nodes"]] == [("HV1", "activates"), ("HV2", "gap")]
    assert report["summary"]["failover_gaps"] == report["clusters"][0]["failover_gaps"] == 1
    results["HV2"]["host_info"] = {"unreachable": True, "msg": "no"}
    assert [node["status"] for node in build(results)["failover"][0]["nodes"]] == ["activates", "unknown"]


def test_names_sort_as_people_expect() -> None:
    results, _told = small()
    results["HV1"]["vm_info"]["vms"] = [
        made.vm(name, number, "2022") for number, name in enumerate(["VM10", "vm2", "VM1"])
    ]
    del results["web1"]
    assert [guest["name"] for guest in build(results)["guests"]] == ["VM1", "vm2", "VM10"]


def test_json_is_the_report() -> None:
    report = build(made.fleet(4, 20, HOSTILE))
    assert json.loads(to_json(report)) == report


def test_csv_holds_every_guest_and_no_formula() -> None:
    report = build(made.fleet(4, 20, '=HYPERLINK("http://evil.example")'))
    rows = list(csv.DictReader(to_csv(report).decode("utf-8-sig").splitlines()))
    assert len(rows) == 21
    assert [row["name"] for row in rows if "HYPERLINK" in row["name"]] == ['\'=HYPERLINK("http://evil.example")']
    proved = next(row for row in rows if row["verdict"] == "activated")
    guest = next(guest for guest in report["guests"] if guest["name"] == proved["name"])
    assert (proved["activated_by"], proved["activated_at"]) == (
        guest["activation"]["host"],
        guest["activation"]["time"],
    )
    assert proved["data_exchange"] == "true"
    assert proved["reached_by"] == "hyperv.avma.powershell_direct"
    assert proved["reached_through"] == guest["connection"]["host"]
    assert {(row["problems"], row["messages"]) for row in rows if row["problems"]} == {
        (made.UNKNOWN["code"], made.UNKNOWN["message"])
    }
    newest = [row for row in rows if row["windows"] == "Windows Server 2025" and row["cluster"] == "PROD-A"]
    assert {row["failover_gaps"] for row in newest} == {"HV02"}


def test_junit_fails_what_is_wrong_and_skips_what_is_not_judged() -> None:
    results, told = small()
    told["guest"].update(activation=None, problems=[made.KMS])
    results["HV1"]["vm_info"]["vms"].append(made.vm(HOSTILE, 2, "2022"))
    root = ElementTree.fromstring(to_junit(build(results)))
    suites = {suite.get("name"): suite for suite in root}
    guests = suites["avma.guests"]
    assert [guests.get(name) for name in ("tests", "failures", "skipped")] == ["2", "1", "1"]
    failure = guests.find("testcase[@name='WEB1']/failure")
    assert failure is not None
    assert failure.get("type") == "not_avma"
    assert "Run guest_key to install the AVMA key." in (failure.text or "")
    assert suites["avma.failover"].get("failures") == "2"
    assert suites["avma.hosts"].get("failures") == "0"
    assert suites["avma.clusters"].get("failures") == "1"
    assert HOSTILE.replace("\x00", "\ufffd") in {case.get("name") for case in root.iter("testcase")}


def unpacked(page: dict[str, Any]) -> dict[str, Any]:
    """What the page makes of what it was given."""

    def shared(place: int | None) -> Any:
        return None if place is None else page["shared"][place]

    return {
        "guests": [
            {
                **row,
                "system": shared(row["system"]),
                "license": shared(row["license"]),
                "problems": [shared(item) for item in row["problems"]],
            }
            for row in page["guests"]
        ],
        "failover": [{**row, "nodes": shared(row["nodes"])} for row in page["failover"]],
    }


def test_nothing_in_the_report_ends_its_script_element_or_is_a_mark() -> None:
    report = build(made.fleet(4, 5, HOSTILE))
    page = to_html({**report, "title": "</title>@STYLE@"}, PAGE).decode()
    embedded = page.split("</style>")[1].split("<script>")[0]
    assert "<" not in embedded
    assert unpacked(json.loads(embedded)) == {name: report[name] for name in ("guests", "failover")}
    assert page.startswith("<title>&lt;/title&gt;@STYLE@</title>")
    # The policy allows the page's own style and script, by their SHA-256, and nothing else.
    assert (
        "default-src &#x27;none&#x27;; style-src &#x27;sha256-SNJDlN1Iy2mnt7DOjQIyDb2LQE6O5PQiSZomcdzawQ4=&#x27;"
        in page
    )


def test_ten_thousand_guests_make_a_page_of_moderate_size_in_a_time_that_grows_with_their_number() -> None:
    def made_in(guests: int) -> tuple[float, int]:
        results = made.fleet(64, guests)
        begin = time.process_time()
        report = build_report(readings(results, made.GENERATED), made.GENERATED, "AVMA report")
        page = to_html(report, PAGE)
        return time.process_time() - begin, len(page)

    made_in(500)
    (few, _), (many, size) = made_in(2500), made_in(10_000)
    assert size <= 15_000_000
    # Four times as many; the rest is for a machine that does other things too.
    assert many < 8 * few


def test_reports_of_two_sites_make_one() -> None:
    """Both inventories call a host and a guest the same; they are four machines."""

    def site(domain: str, number: int, when: str) -> list[Reading]:
        machine = made.vm("WEB1", number, "2022")
        host = made.host("HV1", "2025")
        host["host"]["fqdn"] = f"hv1.{domain}"
        results = {
            "hv1": {"host_info": host, "vm_info": {"vms": [machine]}},
            "web1": {"guest_info": made.guest(machine, f"hv1.{domain}", made.NOW)},
        }
        report = json.loads(to_json(build_report(readings(results, when), when, "site")))
        jsonschema.validate(report, SCHEMA)
        return readings_of(report)

    one, two = site("a.example", 1, "2026-11-20T00:00:00Z"), site("b.example", 2, "2026-11-21T00:00:00Z")
    report = build_report(merge([one, two]), made.GENERATED, "all")
    jsonschema.validate(report, SCHEMA)
    assert [host["name"] for host in report["hosts"]] == ["hv1 (hv1.a.example)", "hv1 (hv1.b.example)"]
    assert [(guest["host"], guest["verdict"], guest["read"][:10]) for guest in report["guests"]] == [
        ("hv1 (hv1.a.example)", "activated", "2026-11-20"),
        ("hv1 (hv1.b.example)", "activated", "2026-11-21"),
    ]
    # What was merged can be merged again, and what is double is there once.
    again = merge([readings_of(json.loads(to_json(report))), one])
    assert build_report(again, made.GENERATED, "all")["guests"] == report["guests"]


def test_of_a_machine_in_two_reports_the_newer_reading_counts() -> None:
    results, told = small("2019")
    old = readings(results, "2026-11-20T00:00:00Z")
    moved = copy.deepcopy(results)
    told["guest"].update(activation=None, problems=[made.KMS])
    newer = copy.deepcopy(results["web1"])
    # The slice that read the guest anew had the other node, to which it has moved.
    slice_ = {
        "hv2.alias": {**moved["HV2"], "vm_info": {"vms": moved["HV1"]["vm_info"]["vms"]}},
        "alias": newer,
    }
    for host in (*results.values(), *slice_.values()):
        if "host_info" in host:
            host["host_info"]["host"]["fqdn"] = f"{host['host_info']['host']['name']}.lab.example"
    new = readings(slice_, "2026-11-21T00:00:00Z")
    for order in ([old, new], [new, old]):
        report = build_report(merge(order), made.GENERATED, "all")
        assert sorted(host["name"] for host in report["hosts"]) == ["HV1", "hv2.alias"]
        [guest] = report["guests"]
        assert (guest["machine"], guest["host"], guest["verdict"]) == ("alias", "hv2.alias", "attention")
        assert report["cluster_problems"][0]["code"] == "mixed_os_releases"


def test_a_machine_that_was_never_read_is_told_by_its_name() -> None:
    lost = {"host_info": {"unreachable": True, "msg": "refused"}}
    older = readings({"hv1": lost}, "2026-11-20T00:00:00Z")
    read = made.host("HV1")
    read["host"]["fqdn"] = "hv1.lab.example"
    newer = readings({"hv1": {"host_info": read, "vm_info": {"vms": []}}}, "2026-11-21T00:00:00Z")
    [host] = build_report(merge([older, newer]), made.GENERATED, "all")["hosts"]
    assert host["verdict"] == "ready"


@pytest.mark.parametrize("report", [None, [], {}, {"version": 1}, {"version": 2}, {"version": 2, "readings": [{}]}])
def test_what_is_no_report_of_this_version_is_refused(report: Any) -> None:
    with pytest.raises(InvalidReportError):
        readings_of(report)


def test_no_whole_key_is_in_a_report() -> None:
    results, _told = small()
    assert "W3GNR-8DDXR" in json.dumps(results)
    report = build(results)
    assert "W3GNR-8DDXR" not in to_json(report).decode()
    assert report["readings"][0]["modules"]["vm_info"]["vms"][0]["avma_key"] == "*****-DV9BG"
