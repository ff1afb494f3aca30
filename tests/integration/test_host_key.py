# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""host_key and host_info on Windows Server: what is written, what is refused, and what is spent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.filter.cluster_problems import cluster_problems

from integration.conftest import RunPlaybook
from integration.connections import UNENCRYPTED
from integration.playbooks import Run
from lab.client import Lab
from lab.keys import made_up_key

KEYS: list[dict[str, Any]] = []


def issued(name: str, channel: str = "retail", release: str = "2022", activations: int | None = None) -> str:
    """A key that Microsoft issued in this world."""
    key = made_up_key(name)
    KEYS.append({"key": key, "channel": channel, "release": release, "activations": activations})
    return key


def host(
    name: str, product_key: str | None = None, options: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A host with what its task says: the key that is meant for it and options."""
    given = {**({"product_key": product_key} if product_key else {}), **(options or {})}
    return {"name": name, "release": "2022", "core": True, "variables": {"given": given}, **spec}


def at(method: str, effect: str, value: int | None = None, times: int | None = None) -> dict[str, Any]:
    return {"faults": [{"match": {"method": method}, "effect": effect, "value": value, "times": times}]}


FORMER = issued("former")
HOSTS = [
    host("NEW", issued("new")),
    host("NEW-2012-R2", issued("new 2012 R2", release="2012 R2"), release="2012 R2"),
    host("MAK", issued("mak", "mak", activations=1)),
    host("IN-PROGRESS", issued("in progress", "mak", activations=2), activation={"in_progress": 1}),
    host("UNACTIVATED", FORMER, license={"key": FORMER, "status": "notification"}),
    host("UNLICENSED-OTHER", issued("after grace"), license={"key": "retail", "status": "out_of_box_grace"}),
    host("REPLACED", issued("replacement"), {"replace": True}, license="mak"),
    host("INSTALL-ONLY", issued("install only"), {"activate": False}),
    host("VOLUME-1", issued("volume", "mak", activations=9), {"volume_key": True}),
    host("VOLUME-2", made_up_key("volume"), {"volume_key": True}),
    host("JAPANESE", issued("japanese"), language="ja-JP"),
    # What RefreshLicenseStatus answers says nothing of the key.
    host("NOT-REFRESHED", issued("not refreshed"), listener=at("RefreshLicenseStatus", "hresult", 0x80041001)),
    host("LATE-KEY", issued("late key"), activation={"install_polls": 2}),
    # Left alone.
    host("RIGHT", issued("right"), license=made_up_key("right")),
    host("ANY-KEY", license="oem"),
    host("BY-KMS", license="kms"),
    host("NESTED", platform="azure", license="kms"),
    # Refused.
    host("OTHER", issued("other"), license="mak"),
    *(
        host(f"OTHER-{status.upper()}", issued(f"other {status}"), license={"key": "retail", "status": status})
        for status in ("out_of_tolerance_grace", "non_genuine_grace", "extended_grace")
    ),
    host("KMS-HOST", issued("for the KMS host"), {"replace": True}, license="csvlk"),
    host("KMS-HOST-UNLICENSED", issued("for the KMS host 2"), license={"key": "csvlk", "status": "notification"}),
    host("NO-KEY"),
    host("STANDARD", issued("standard"), edition="standard"),
    host("EVALUATION", issued("evaluation"), evaluation=True),
    host("NO-ROLE", issued("no role"), hyperv=False),
    host("ANNUAL", issued("annual"), release="23H2", core=False),
    host("AVMA-KEY", "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"),
    host("KMS-KEY", "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"),
    host("MISTYPED", made_up_key("mistyped")[:-1]),
    host("UNENCRYPTED", issued("unencrypted"), listener=UNENCRYPTED),
    # Failing.
    host("REJECTED", made_up_key("never issued"), {"replace": True}, license="retail"),
    host("OTHER-RELEASE", issued("of 2019", release="2019")),
    host("USED-UP", issued("used up", "mak", activations=0)),
    host("USED-ELSEWHERE", made_up_key("right"), {"volume_key": True}),
    host("SILENT", issued("silent"), {"timeout": 1}, listener=at("Activate", "wsman_fault", 2150858793)),
    host("DENIED", issued("denied"), listener=at("InstallProductKey", "access_denied")),
    host("DENIED-BY-WMI", issued("denied by WMI"), listener=at("InstallProductKey", "hresult", 0x80041003)),
]
#: KMS clients, which are activated without a key.
KMS_CLIENTS = [
    host(f"KMS-{status.upper()}", license={"key": "kms", "status": status})
    for status in ("notification", "out_of_box_grace", "out_of_tolerance_grace")
]
#: A key that worked is replaced by one that is refused at its activation.
LOSING = [
    host("ROTATED", issued("rotated", "mak", activations=0), {"replace": True}, license="retail"),
    host("ROTATED-KMS", issued("rotated kms", "mak", activations=0), {"replace": True}, license="kms"),
    host(
        "ROTATED-BROKEN",
        issued("rotated broken"),
        {"replace": True},
        license="oem",
        listener=at("Activate", "hresult", 0x80041014),
    ),
]
#: Hosts in Azure that are to get a key, without and with a word.
IN_AZURE = [
    host("AZURE", issued("azure"), platform="azure"),
    host("AZURE-FORCED", issued("azure forced"), {"replace": True}, platform="azure"),
]
#: Stand-alone hosts, whatever they would answer if they were asked for their cluster; a node whose user may not ask; slow ones.
_NO_CLUSTER = {"faults": [{"match": {"class": "MSCluster_Cluster"}, "effect": "wsman_fault", "value": 2150858778}]}
ONLY_READ = [
    host("STAND-ALONE", license="oem", listener=_NO_CLUSTER),
    host("NODE-TO-BE", license="oem", listener=_NO_CLUSTER, services={"ClusSvc": "stopped"}),
    host("FEATURE-DISABLED", license="oem", listener=_NO_CLUSTER, services={"ClusSvc": "disabled"}),
    host(
        "NODE",
        license="oem",
        listener={"faults": [{"match": {"class": "MSCluster_Cluster"}, "effect": "hresult", "value": 0x80041003}]},
    ),
    host(
        "NODE-BROKEN",
        license="oem",
        listener={"faults": [{"match": {"class": "MSCluster_Cluster"}, "effect": "hresult", "value": 0x80041013}]},
    ),
    host(
        "SLOW",
        license="oem",
        listener={
            "faults": [
                {"match": {"operation": "Enumerate", "class": name}, "effect": "wsman_fault", "value": code, "times": 3}
                for name, code in (("SoftwareLicensingProduct", 2150858793), ("Win32_Service", 0x80041045))
            ]
        },
    ),
    # Server Core with the SKU of an installation with a desktop, and the other way round.
    host("CORE", license="oem", sku=8),
    {**host("DESKTOP", license="oem"), "core": False},
    host("EVALUATION-STANDARD-CORE", edition="standard", evaluation=True),
]
# The two of a pair come one after the other, whichever is first.
PAIR = [host(name, issued("pair") if name == "PAIR-1" else made_up_key("pair")) for name in ("PAIR-1", "PAIR-2")]
CUT_OFF = [
    host("CUT-AT-INSTALL", issued("cut 1", "mak", activations=1), listener=at("InstallProductKey", "cut", times=1)),
    host("CUT-AT-ACTIVATE", issued("cut 2", "mak", activations=1), listener=at("Activate", "cut", times=1)),
    host("DROPPED-AT-ACTIVATE", issued("cut 3", "mak", activations=1), listener=at("Activate", "drop", times=1)),
]
TOPOLOGY: dict[str, Any] = {
    "keys": KEYS,
    "hosts": [*HOSTS, *KMS_CLIENTS, *LOSING, *IN_AZURE, *ONLY_READ, *PAIR, *CUT_OFF],
    "clusters": [{"name": "HVCLUSTER", "nodes": ["NODE", "NODE-BROKEN"]}],
}
TASK = """
    - name: Key
      hyperv.avma.host_key:
        product_key: "{{ given.product_key | default(omit) }}"
        volume_key: "{{ given.volume_key | default(omit) }}"
        replace: "{{ given.replace | default(omit) }}"
        activate: "{{ given.activate | default(omit) }}"
        timeout: "{{ given.timeout | default(20) }}"
"""
PLAY = f"""
- hosts: "{{{{ target }}}}"
  gather_facts: false
  tasks:{TASK}
"""
READ = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - hyperv.avma.host_info:
"""
ALL = ":".join(item["name"] for item in [*HOSTS, *KMS_CLIENTS, *LOSING, *IN_AZURE])
WRITTEN = [item["name"] for item in HOSTS[:13]]
LEFT_ALONE = ["RIGHT", "ANY-KEY", "BY-KMS", "NESTED"]
REFUSED = {
    "OTHER": "other_host_key",
    "OTHER-OUT_OF_TOLERANCE_GRACE": "other_host_key",
    "OTHER-NON_GENUINE_GRACE": "other_host_key",
    "OTHER-EXTENDED_GRACE": "other_host_key",
    "KMS-HOST": "kms_host",
    "KMS-HOST-UNLICENSED": "kms_host",
    "NO-KEY": "no_host_key",
    "STANDARD": "host_not_datacenter",
    "EVALUATION": "evaluation_edition",
    "NO-ROLE": "hyperv_role_missing",
    "ANNUAL": "no_avma_on_host_release",
    "AVMA-KEY": "not_a_host_key",
    "KMS-KEY": "not_a_host_key",
    "MISTYPED": "invalid_argument",
    "UNENCRYPTED": "unencrypted_connection",
}
FAILING = {
    "REJECTED": ("key_rejected", "0xC004F050"),
    "OTHER-RELEASE": ("key_rejected", "0xC004E016"),
    "USED-UP": ("activation_failed", "0xC004C020"),
    "USED-ELSEWHERE": ("activation_failed", "0xC004C008"),
    "SILENT": ("host_activation_timed_out", None),
    "DENIED": ("access_denied", "0x80070005"),
    "DENIED-BY-WMI": ("access_denied", "0x80041003"),
}


def key_of(name: str) -> str:
    return next(item["variables"]["given"].get("product_key", "") for item in TOPOLOGY["hosts"] if item["name"] == name)


def given_to(name: str) -> dict[str, Any]:
    given: dict[str, Any] = next(item["variables"]["given"] for item in TOPOLOGY["hosts"] if item["name"] == name)
    return given


def spent_on(lab: Lab, name: str) -> int:
    """How many activations of its key a host has spent."""
    return lab.keystore()[key_of(name)[-5:]]["spent"].count(name)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def before(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, READ)


@pytest.fixture(scope="module")
def predicted(lab: Lab, before: Run, run_playbook: RunPlaybook) -> tuple[Run, dict[str, Any]]:
    """A run in check mode, and what was written in it."""
    lab.reset_counters()
    return run_playbook(lab, PLAY, "-e", f"target={ALL}", "--check", "--diff"), lab.writes()


@pytest.fixture(scope="module")
def done(lab: Lab, predicted: object, run_playbook: RunPlaybook) -> tuple[Run, dict[str, Any]]:
    """A run, and the method calls of it."""
    lab.reset_counters()
    run = run_playbook(lab, PLAY, "-e", f"target={ALL}", "--diff")
    return run, {name: lab.counters(name) for name in ALL.split(":")}


@pytest.fixture(scope="module")
def again(lab: Lab, done: object, run_playbook: RunPlaybook) -> tuple[Run, dict[str, Any]]:
    """A second run on the hosts that are as they should be, and what was written in it."""
    lab.reset_counters()
    return run_playbook(lab, PLAY, "-e", f"target={':'.join([*WRITTEN, *LEFT_ALONE])}"), lab.writes()


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "INSTALL-ONLY"])
def test_a_key_is_installed_and_activated(lab: Lab, done: tuple[Run, dict[str, Any]], name: str) -> None:
    result = done[0].of(name)
    assert (result.status, result["changed"]) == ("ok", True)
    assert (result["license"]["status"], result["license"]["partial_product_key"]) == ("licensed", key_of(name)[-5:])
    assert result["problems"] == []
    assert lab.machine(name)["license"]["status"] == "licensed"
    assert spent_on(lab, name) == 1


def test_a_key_can_be_installed_only(lab: Lab, done: tuple[Run, dict[str, Any]]) -> None:
    result = done[0].of("INSTALL-ONLY")
    assert (result.status, result["changed"], result["spends_activation"]) == ("ok", True, False)
    assert result["license"]["partial_product_key"] == key_of("INSTALL-ONLY")[-5:]
    assert spent_on(lab, "INSTALL-ONLY") == 0


def methods(counters: dict[str, Any]) -> list[str]:
    """The methods that may change something. Reads are others over PowerShell, which asks ahead what it may come to need."""
    return [call["method"] for call in counters["writes"]]


@pytest.mark.wsman
@pytest.mark.parametrize("name", [*WRITTEN, "IN-PROGRESS"])
def test_no_method_is_called_to_read(done: tuple[Run, dict[str, Any]], name: str) -> None:
    assert done[1][name]["invokes"] == done[1][name]["writes"]


def test_an_installed_key_is_only_activated(done: tuple[Run, dict[str, Any]]) -> None:
    assert done[0].of("UNACTIVATED")["step"] == "activate"
    assert methods(done[1]["UNACTIVATED"]) == ["Activate"]


def test_an_activation_in_progress_is_waited_for_and_not_spent_twice(done: tuple[Run, dict[str, Any]]) -> None:
    assert methods(done[1]["IN-PROGRESS"]) == ["InstallProductKey", "RefreshLicenseStatus", "Activate", "Activate"]


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_a_host_that_works_is_left_alone(done: tuple[Run, dict[str, Any]], name: str) -> None:
    result = done[0].of(name)
    assert (result.status, result["changed"], result["step"]) == ("ok", False, "nothing")
    assert done[1][name]["writes"] == []


#: The faults of these are of WS-Management's service.
OF_WS_MANAGEMENT = ("SILENT", "DENIED")


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_refused_before_any_write(done: tuple[Run, dict[str, Any]], name: str, code: str) -> None:
    result = done[0].of(name)
    assert (result.status, result["changed"]) == ("failed", False)
    assert [item["code"] for item in result["problems"]] == [code]
    assert result["problems"][0]["remedy"] in result["msg"]
    assert done[1][name]["writes"] == []


def test_nothing_is_asked_over_an_unencrypted_connection(done: tuple[Run, dict[str, Any]]) -> None:
    assert done[1]["UNENCRYPTED"]["operations"] == 0


@pytest.mark.parametrize(
    ("name", "code", "hresult"),
    [
        pytest.param(name, *expected, marks=pytest.mark.wsman if name in OF_WS_MANAGEMENT else ())
        for name, expected in FAILING.items()
    ],
)
def test_failing_with_its_cause(done: tuple[Run, dict[str, Any]], name: str, code: str, hresult: str | None) -> None:
    result = done[0].of(name)
    assert result.status == "failed"
    assert [(item["code"], item.get("hresult")) for item in result["problems"]] == [(code, hresult)]


@pytest.mark.parametrize("name", [item["name"] for item in KMS_CLIENTS])
def test_a_kms_client_is_activated_without_a_key(lab: Lab, done: tuple[Run, dict[str, Any]], name: str) -> None:
    result = done[0].of(name)
    assert (result.status, result["changed"], result["step"]) == ("ok", True, "activate")
    assert (result["spends_activation"], result["license"]["channel"]) == (False, "Volume:GVLK")
    assert "KMS client" in result["msg"]
    assert lab.machine(name)["license"]["status"] == "licensed"
    assert methods(done[1][name]) == ["Activate"]


def test_a_working_key_that_is_lost_is_told(lab: Lab, done: tuple[Run, dict[str, Any]], before: Run) -> None:
    for name, code in (("ROTATED", "0xC004C020"), ("ROTATED-BROKEN", "0x80041014")):
        result = done[0].of(name)
        former = before.of(name)["host"]["license"]["partial_product_key"]
        assert (result.status, result["changed"]) == ("failed", True)
        assert [(item["code"], item.get("hresult")) for item in result["problems"]] == [
            ("activation_failed", code),
            ("former_host_key_gone", None),
        ]
        assert f"The former key ending in {former}" in result["msg"]
        assert lab.machine(name)["license"]["status"] == "notification"


def test_a_kms_client_gets_its_key_back(lab: Lab, done: tuple[Run, dict[str, Any]], before: Run) -> None:
    result = done[0].of("ROTATED-KMS")
    assert (result.status, result["changed"]) == ("failed", False)
    assert [item["code"] for item in result["problems"]] == ["activation_failed", "former_key_put_back"]
    former = before.of("ROTATED-KMS")["host"]["license"]["partial_product_key"]
    assert lab.machine("ROTATED-KMS")["license"]["partial_product_key"] == former
    assert lab.machine("ROTATED-KMS")["license"]["status"] == "licensed"


def test_a_key_is_spent_on_a_host_in_azure_only_for_a_word(lab: Lab, done: tuple[Run, dict[str, Any]]) -> None:
    result = done[0].of("AZURE")
    assert (result.status, result["changed"], result["step"]) == ("ok", False, "nothing")
    assert [item["code"] for item in result["problems"]] == ["host_in_azure"]
    assert "AZURE: The host AZURE is a virtual machine of Azure" in done[0].stdout
    assert done[1]["AZURE"]["writes"] == []
    assert done[0].of("AZURE-FORCED")["license"]["status"] == "licensed"


def test_a_rejected_key_leaves_the_former_one(lab: Lab, before: Run, done: tuple[Run, dict[str, Any]]) -> None:
    former = before.of("REJECTED")["host"]["license"]
    assert done[0].of("REJECTED")["license"] == former
    assert done[0].of("REJECTED")["changed"] is False
    assert lab.machine("REJECTED")["license"]["partial_product_key"] == former["partial_product_key"]


def test_check_mode_predicts_what_is_done_and_spent(
    predicted: tuple[Run, dict[str, Any]], done: tuple[Run, dict[str, Any]]
) -> None:
    run, writes = predicted
    assert writes == {}
    spending = {name for name in ALL.split(":") if run.of(name).result.get("spends_activation")}
    # It cannot know what Windows will reject.
    losing = [item["name"] for item in LOSING]
    assert spending == {*WRITTEN, *FAILING, *losing, "AZURE-FORCED"} - {"INSTALL-ONLY"}
    for name in spending:
        assert f"ending in {key_of(name)[-5:]} would be spent" in run.of(name)["msg"]
    for name in [*WRITTEN, *LEFT_ALONE, *REFUSED, *(item["name"] for item in [*KMS_CLIENTS, *IN_AZURE])]:
        assert run.of(name)["changed"] == done[0].of(name)["changed"], name
        assert run.of(name)["problems"] == done[0].of(name)["problems"], name
    assert run.of("NEW")["diff"]["after"]["partial_product_key"] == key_of("NEW")[-5:]


def test_diff_mode_shows_the_change(done: tuple[Run, dict[str, Any]]) -> None:
    difference = done[0].of("NEW")["diff"]
    assert difference["before"] == {"partial_product_key": None, "channel": None, "status": None}
    assert difference["after"] == {
        "partial_product_key": key_of("NEW")[-5:],
        "channel": "Retail",
        "status": "licensed",
    }


def test_a_second_run_writes_nothing(again: tuple[Run, dict[str, Any]]) -> None:
    run, writes = again
    assert writes == {}
    assert (run.changed(), run.rc) == (0, 0)


def test_a_key_is_for_one_host(lab: Lab, done: object, run_playbook: RunPlaybook) -> None:
    run = run_playbook(lab, PLAY, "-e", "target=PAIR-1:PAIR-2")
    by_status = {run.of(name).status: run.of(name) for name in ("PAIR-1", "PAIR-2")}
    assert set(by_status) == {"ok", "failed"}
    problem = by_status["failed"]["problems"][0]
    assert (problem["code"], "PAIR-1, PAIR-2" in problem["message"]) == ("duplicate_host_key", True)
    assert by_status["failed"].host not in lab.writes()


def test_a_run_that_is_cut_off_is_taken_up_and_spends_nothing_twice(lab: Lab, run_playbook: RunPlaybook) -> None:
    names = [item["name"] for item in CUT_OFF]
    first = run_playbook(lab, PLAY, "-e", f"target={':'.join(names)}")
    assert {first.of(name).status for name in names} == {"unreachable"}
    second = run_playbook(lab, PLAY, "-e", f"target={':'.join(names)}")
    assert [second.of(name).status for name in names] == ["ok", "ok", "ok"]
    assert [second.of(name)["license"]["status"] for name in names] == ["licensed"] * 3
    assert [spent_on(lab, name) for name in names] == [1, 1, 1]


def test_no_key_is_in_any_result(predicted: tuple[Run, Any], done: tuple[Run, Any], again: tuple[Run, Any]) -> None:
    for run in (predicted[0], done[0], again[0]):
        text = run.stdout + json.dumps([result.result for result in run.results])
        assert [
            item["name"] for item in TOPOLOGY["hosts"] if key_of(item["name"]) and key_of(item["name"]) in text
        ] == []


def test_host_info(before: Run) -> None:
    host = before.of("RIGHT")["host"]
    assert host["name"] == "RIGHT"
    assert host["system"]["name"] == "Windows Server 2022"
    assert (host["backend"], host["hyperv"], host["avma"], host["cluster"]) == ("windows_server", True, None, None)
    assert host["license"]["partial_product_key"] == key_of("RIGHT")[-5:]
    assert (host["activates"], host["activates_known"]) == (["2012 R2", "2016", "2019", "2022"], True)
    assert host["problems"] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NEW", "host_not_licensed"),
        ("UNACTIVATED", "host_not_licensed"),
        ("STANDARD", "host_not_datacenter"),
        ("EVALUATION", "evaluation_edition"),
        ("NO-ROLE", "hyperv_role_missing"),
        ("ANNUAL", "no_avma_on_host_release"),
        ("KMS-NOTIFICATION", "host_not_licensed"),
    ],
)
def test_host_info_says_what_keeps_a_host_from_activating_guests(before: Run, name: str, code: str) -> None:
    host = before.of(name)["host"]
    assert [item["code"] for item in host["problems"]] == [code]
    assert (host["activates"], host["activates_known"]) == ([], True)


@pytest.mark.parametrize("name", ["STAND-ALONE", "NODE-TO-BE", "FEATURE-DISABLED", "SLOW"])
def test_a_host_without_a_cluster_is_not_asked_for_one(lab: Lab, before: Run, name: str) -> None:
    host = before.of(name)["host"]
    assert (host["cluster"], host["cluster_service"], host["problems"]) == (None, False, [])
    assert host["fqdn"] == f"{name}.lab.example"


@pytest.mark.parametrize(
    ("name", "hresult", "remedy"),
    [("NODE", "0x80041003", "Grant-ClusterAccess"), ("NODE-BROKEN", "0x80041013", "Get-ClusterNode")],
)
def test_a_node_that_does_not_tell_of_its_cluster(before: Run, name: str, hresult: str, remedy: str) -> None:
    host = before.of(name)["host"]
    assert (host["cluster"], host["cluster_service"]) == (None, True)
    assert [(item["code"], item["hresult"]) for item in host["problems"]] == [("cluster_unreadable", hresult)]
    assert remedy in host["problems"][0]["remedy"]


@pytest.mark.parametrize("name", ["NESTED", "AZURE-FORCED"])
def test_a_host_in_azure_is_not_said_to_be_ready(before: Run, name: str) -> None:
    host = before.of(name)["host"]
    assert host["azure_vm"] is True
    if name == "NESTED":
        assert (host["activates"], host["activates_known"]) == ([], False)
        assert [item["code"] for item in host["problems"]] == ["host_in_azure"]


@pytest.mark.parametrize(("name", "core"), [("CORE", True), ("DESKTOP", False), ("STAND-ALONE", True)])
def test_server_core_is_told_by_the_registry(before: Run, name: str, core: bool) -> None:
    assert before.of(name)["host"]["system"]["core"] is core


def test_an_evaluation_edition_is_told_what_it_can_become(before: Run) -> None:
    (problem,) = before.of("EVALUATION-STANDARD-CORE")["host"]["problems"]
    assert "/Set-Edition:ServerDatacenterCor " in problem["remedy"]


def test_the_filter_says_what_the_module_says(before: Run, predicted: tuple[Run, dict[str, Any]]) -> None:
    names = [name for name in ALL.split(":") if name not in ("AVMA-KEY", "KMS-KEY", "MISTYPED", "UNENCRYPTED")]
    results = {name: before.of(name).result for name in names}
    wanted = {
        name: {"product_key": key_of(name) or None, "replace": given_to(name).get("replace", False), "volume_key": True}
        for name in names
    }
    foreseen: dict[str, list[str]] = {name: [] for name in names}
    for problem in cluster_problems(results, wanted):
        for name in problem["hosts"]:
            foreseen[name].append(problem["code"])
    refused = {name: [item["code"] for item in predicted[0].of(name)["problems"]] for name in names}
    doubts = {"host_in_azure"}
    assert foreseen == {name: [code for code in refused[name] if code not in doubts] for name in names}
