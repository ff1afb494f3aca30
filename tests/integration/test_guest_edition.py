"""guest_edition: from an evaluation edition to the full one, with what Windows refuses and what may come between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

RELEASES = ("2016", "2019", "2022", "2025")


def guest(name: str, options: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    spec = {"edition": "standard", "evaluation": True, **spec}
    return {"name": name, "variables": {"options": options or {}}, **spec}


#: Every kind of evaluation media.
MEDIA = [
    guest(f"{edition[:2].upper()}{'C' if core else 'D'}-{release}", wish, edition=edition, core=core, release=release)
    for release in RELEASES
    for edition, core, wish in (
        ("standard", False, {}),
        ("datacenter", False, {}),
        ("datacenter", True, {}),
        ("standard", True, {"edition": "Datacenter"}),
    )
]
CONVERTED = [spec for spec in MEDIA if spec["release"] == "2022"]
FULL = {"ST": "Standard", "DA": "Datacenter"}
#: Guests that are refused: why, and a part of what is said.
REFUSED = {
    "CONTROLLER": ("domain_controller", "the edition of a domain controller cannot be converted"),
    "PENDING": ("reboot_pending", "Windows waits for a reboot"),
    "NO-TARGET": ("no_target_edition", "DISM offers no edition"),
    "CORE-STANDARD": (
        "edition_not_offered",
        "DISM offers ServerDatacenterCor. If you have the licence for it and want that, say so",
    ),
    "DATACENTER-DOWN": ("edition_not_offered", "cannot be converted to Standard: DISM offers ServerDatacenter."),
    "TO-CORE": ("installation_type_fixed", "with a desktop"),
    "TO-DESKTOP": ("installation_type_fixed", "with Server Core"),
    "FULL-OTHER": ("system_mismatch", "The machine is Windows Server 2022 Standard, not Datacenter"),
    "OTHER-RELEASE": ("system_mismatch", "The machine is Windows Server 2022 Standard Evaluation, not 2025"),
    "ON-STANDARD": ("host_not_datacenter", "The host HVSTD has Windows Server Standard"),
    "NONSENSE": ("invalid_argument", "The value of edition cannot be used: 'Pro' is not one of"),
}
#: Guests of which DISM or the restart fails.
FAILED = {
    "DISM-FAILS": ("dism_failed", "DISM ended with 1168"),
    "DISM-HRESULT": (
        "dism_failed",
        "DISM ended with 0xC004F069 (the product SKU of the key is not found): Error: 0xc004f069",
    ),
    "DISM-DIES": ("dism_failed", "DISM was ended before it was done"),
    "STAYS-UP": ("edition_timed_out", "After 20 s the machine has not gone down"),
    "UNDONE": (
        "edition_unchanged",
        "and still is Windows Server 2022 Standard Evaluation: its conversion to ServerStandard did not take effect.",
    ),
    "HALF": ("edition_timed_out", "After 20 s "),
    "SLOW": ("edition_timed_out", "After 4 s DISM is still at work"),
}
OTHERS = [
    guest("CONTROLLER", domain_controller=True),
    guest("PENDING", servicing={"pending_reboot": True}),
    guest("NO-TARGET", servicing={"targets": []}),
    guest("CORE-STANDARD", core=True),
    guest("DATACENTER-DOWN", {"edition": "Standard"}, edition="datacenter"),
    guest("TO-CORE", {"edition": "ServerStandardCor"}),
    guest("TO-DESKTOP", {"edition": "Datacenter (Desktop Experience)"}, edition="datacenter", core=True),
    guest("FULL-OTHER", {"edition": "Datacenter"}, evaluation=False),
    guest("OTHER-RELEASE", {"release": "2025"}),
    guest("NONSENSE", {"edition": "Pro"}),
    guest("DISM-FAILS", servicing={"fails": 1168}),
    guest("DISM-HRESULT", servicing={"fails": 0xC004F069}),
    guest("DISM-DIES", servicing={"polls": 3, "dies": True}),
    guest("STAYS-UP", {"timeout": 20}, servicing={"stays_up": True}),
    guest("UNDONE", {"timeout": 40}, servicing={"rolls_back": 1}),
    guest("HALF", {"timeout": 20}, servicing={"restarts": 2, "between": 600}),
    guest("SLOW", {"timeout": 4}, servicing={"polls": 99}),
    guest("FULL", evaluation=False),
    guest("CLIENT", release="Windows 11", edition="pro", evaluation=False),
    guest("TO-DATACENTER", {"edition": "DATACENTER_SERVER"}),
    guest("LATE", servicing={"polls": 4, "late_boots": 3, "down": 1.5}, language="de-DE"),
    guest("TWICE", servicing={"restarts": 2}),
    guest("LATER", {"reboot": False}),
    guest("PSRP", listener={"connection": "psrp"}),
]
#: On a host that cannot activate them.
MISPLACED = [guest("ON-STANDARD"), guest("FOR-KMS", {"channel": "kms"})]
TOPOLOGY = {
    "hosts": [
        {"name": "HV01", "release": "2025", "license": "mak", "guests": [*CONVERTED, *OTHERS]},
        {"name": "HVSTD", "release": "2025", "edition": "standard", "license": "mak", "guests": MISPLACED},
    ]
}
TASK = """
    - name: Convert
      hyperv.avma.guest_edition:
        release: "{{ options.release | default(omit) }}"
        channel: "{{ options.channel | default(omit) }}"
        edition: "{{ options.edition | default(omit) }}"
        reboot: "{{ options.reboot | default(omit) }}"
        timeout: "{{ options.timeout | default(omit) }}"
"""
PLAY = f"""
- hosts: "{{{{ target }}}}"
  gather_facts: false
  tasks:
{TASK}
"""
#: What is refused is refused, and what can be predicted is predicted, before anything is done.
TWICE = f"""
- hosts: "{{{{ target }}}}"
  gather_facts: false
  tasks:
    - name: Predict
      hyperv.avma.guest_edition:
        edition: "{{{{ options.edition | default(omit) }}}}"
      check_mode: true
      diff: true
{TASK}
    - name: Again
      hyperv.avma.guest_edition:
        edition: "{{{{ options.edition | default(omit) }}}}"
"""


def names(specs: list[dict[str, Any]]) -> str:
    return ":".join(spec["name"] for spec in specs)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def converted(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, TWICE, "-e", f"target={names(CONVERTED)}", "--forks", "16")


@pytest.fixture(scope="module")
def others(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, PLAY, "-e", f"target={names([*OTHERS, *MISPLACED])}", "--forks", "20")


@pytest.mark.parametrize("name", [spec["name"] for spec in CONVERTED])
def test_every_evaluation_edition_becomes_the_full_one(lab: Lab, converted: Run, name: str) -> None:
    edition = "Datacenter" if name[2] == "C" else FULL[name[:2]]
    target = f"Server{edition}" + ("Cor" if name[2] == "C" else "")
    predicted, done, again = (converted.of(name, task) for task in ("Predict", "Convert", "Again"))
    assert (predicted["changed"], predicted["target_edition"]) == (True, target)
    assert predicted["diff"]["after"]["edition"].endswith(edition)
    assert (done["changed"], done["rebooted"], done["reboot_required"]) == (True, True, False)
    system = done["system"]
    assert (system["edition"], system["evaluation"], system["core"]) == (edition, False, name[2] == "C" or None)
    assert (again["changed"], again["rebooted"], again["target_edition"]) == (False, False, None)
    state = lab.machine(name)
    assert state["restarts"] == 1
    # Nothing was set to predict it, or again.
    assert [command for command in state["dism"] if "/Set-Edition" in command] == [
        command for command in state["dism"] if f"/Set-Edition:{target} " in command
    ]
    assert sum("/Set-Edition" in command for command in state["dism"]) == 1


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_converted_is_refused_before_anything_is_done(lab: Lab, others: Run, name: str) -> None:
    code, words = REFUSED[name]
    result = others.of(name)
    assert result.status == "failed"
    assert [problem["code"] for problem in result["problems"]] == [code]
    assert words in result["msg"]
    assert result.result.get("changed", False) is False
    state = lab.machine(name)
    assert not any("/Set-Edition" in command for command in state["dism"])
    assert state["restarts"] == 0
    assert {invoke["method"] for invoke in lab.invokes(name)} <= {"GetStringValue", "GetDWORDValue", "EnumValues"}


@pytest.mark.parametrize("name", FAILED)
def test_what_fails_says_why(others: Run, name: str) -> None:
    code, words = FAILED[name]
    result = others.of(name)
    assert result.status == "failed"
    assert [problem["code"] for problem in result["problems"]] == [code]
    assert words in result["msg"]
    # Of DISM that was ended, it is not known what it has done.
    assert result["changed"] is not words.startswith("DISM ended")


@pytest.mark.parametrize("name", ["FULL", "CLIENT"])
def test_what_is_no_evaluation_edition_is_left_alone(lab: Lab, others: Run, name: str) -> None:
    assert others.of(name)["changed"] is False
    assert (lab.machine(name)["dism"], lab.counters(name)["requests"].get("Command", 0)) == ([], 0)


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("TO-DATACENTER", "Datacenter"),
        ("FOR-KMS", "Standard"),
        ("LATE", "Standard"),
        ("TWICE", "Standard"),
        ("PSRP", "Standard"),
    ],
)
def test_converted_all_the_same(lab: Lab, others: Run, name: str, edition: str) -> None:
    result = others.of(name)
    assert (result["changed"], result["rebooted"]) == (True, True)
    assert (result["system"]["edition"], result["system"]["evaluation"]) == (edition, False)
    assert lab.machine(name)["restarts"] == (2 if name == "TWICE" else 1)


def test_progress_is_shown(others: Run) -> None:
    for words in (
        "DISM converts it to ServerStandard",
        "DISM is at",
        "restarting",
        "is back, as Windows Server 2022 Standard",
    ):
        assert f"LATE: {words}" in others.stdout


def test_no_key_is_shown(others: Run, converted: Run) -> None:
    for key in ("VDYBN-27WPP-V4HQT-9VMD4-VMK7H", "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"):
        assert key not in others.stdout + converted.stdout


def test_a_missed_reboot_is_made_up_for(lab: Lab, others: Run, run_playbook: RunPlaybook) -> None:
    first = others.of("LATER")
    assert (first["changed"], first["reboot_required"], first["rebooted"]) == (True, True, False)
    assert lab.machine("LATER")["restarts"] == 0

    again = run_playbook(lab, PLAY, "-e", "target=LATER").of("LATER")
    assert (again["changed"], again["reboot_required"]) == (False, True)

    # A run in check mode knows that only the reboot is missing.
    options = '{"target": "LATER", "options": {}}'
    checked = run_playbook(lab, PLAY, "-e", options, "--check").of("LATER")
    assert (checked["changed"], checked["target_edition"]) == (True, "ServerStandard")
    done = run_playbook(lab, PLAY, "-e", options).of("LATER")
    assert (done["changed"], done["rebooted"], done["system"]["evaluation"]) == (True, True, False)
    assert sum("/Set-Edition" in command for command in lab.machine("LATER")["dism"]) == 1


def test_what_failed_is_converted_by_the_next_run(lab: Lab, others: Run, run_playbook: RunPlaybook) -> None:
    """A run that was ended goes on; what Windows undid is begun anew."""
    assert [others.of(name).status for name in ("SLOW", "UNDONE")] == ["failed", "failed"]
    undone = others.of("UNDONE")
    assert (undone["changed"], undone["rebooted"], undone["reboot_required"]) == (True, True, False)
    lab.set("SLOW", "servicing.polls", "1")
    run = run_playbook(lab, PLAY, "-e", '{"target": "SLOW:UNDONE", "options": {}}')
    for name, conversions in (("SLOW", 1), ("UNDONE", 2)):
        done = run.of(name)
        assert (done["changed"], done["system"]["evaluation"]) == (True, False)
        assert sum("/Set-Edition" in command for command in lab.machine(name)["dism"]) == conversions


def test_new_vms_go_from_evaluation_media_to_proved(run_playbook: RunPlaybook) -> None:
    """One command, for all media at once; predicted, done, and nothing to do the second time."""
    guests = [
        {
            **spec,
            "data_exchange": False,
            "variables": {
                "build_vm_host": "HV01",
                **({"guest_activation_edition": "Datacenter"} if spec["variables"]["options"] else {}),
            },
        }
        for spec in MEDIA
    ]
    names = [spec["name"] for spec in guests]
    arguments = ("hyperv.avma.build_vm", "-e", "guest_activation_convert_evaluation=true", "--forks", "16")
    with Lab({"hosts": [{"name": "HV01", "release": "2025", "license": "mak", "guests": guests}]}) as lab:
        before = lab.writes()
        checked = run_playbook(lab, *arguments, "--check")
        assert (checked.rc, lab.writes()) == (0, before), checked.stdout
        assert all(lab.machine(name)["restarts"] == 0 for name in names)

        done = run_playbook(lab, *arguments)
        assert done.rc == 0, done.stdout
        for name in names:
            license = lab.machine(name)["license"]
            assert (license["status"], license["channel"], license["host"]) == ("licensed", "VT:IA", "HV01.lab.example")

        again = run_playbook(lab, *arguments)
        assert (again.rc, again.changed()) == (0, 0), again.stdout
        assert all(lab.machine(name)["restarts"] == 1 for name in names)


def test_a_vm_is_not_converted_on_a_host_that_cannot_activate_it(run_playbook: RunPlaybook) -> None:
    """The evaluation's licence would be gone. The guest sees that such a host is a Datacenter, and the host says the rest."""
    hosts = [
        {"name": "HV-OLD", "release": "2022", "license": "mak", "guests": [guest("NEWER", release="2025")]},
        {"name": "HV-BARE", "release": "2025", "guests": [guest("BARE", release="2022")]},
    ]
    for host in hosts:
        host["guests"][0]["variables"] = {"build_vm_host": host["name"]}
    with Lab({"hosts": hosts}) as lab:
        for arguments in (
            ("hyperv.avma.build_vm",),
            ("hyperv.avma.build_vm", "--check"),
            ("hyperv.avma.site", "--limit", "HV-OLD,NEWER"),
        ):
            refused = run_playbook(lab, *arguments, "-e", "guest_activation_convert_evaluation=true")
            assert refused.rc == 2
            assert "it activates 2012 R2, 2016, 2019, 2022, and the guest is Windows Server 2025" in refused.stdout
            if "--limit" not in arguments:
                assert "The host HV-BARE has no licence that activates guests" in refused.stdout
            for name in ("NEWER", "BARE"):
                state = lab.machine(name)
                assert (state["restarts"], state["dism"]) == (0, [])


def test_check_mode_says_that_the_host_is_not_known_to_activate_it(run_playbook: RunPlaybook) -> None:
    azure_local = {"name": "AZL01", "release": "Azure Local 24H2", "edition": "azure_local", "azure_local": {}}
    with Lab({"hosts": [{**azure_local, "guests": [guest("DOUBTFUL")]}]}) as lab:
        arguments = ("-e", "build_vm_host=AZL01", "-e", "guest_activation_convert_evaluation=true", "--check")
        checked = run_playbook(lab, "hyperv.avma.build_vm", "--limit", "DOUBTFUL", *arguments)
        assert checked.rc == 0, checked.stdout
        result = checked.of("DOUBTFUL", "Convert an evaluation edition to the full one")
        assert [problem["code"] for problem in result["problems"]] == ["host_unknown"]


def test_site_takes_a_fleet_of_evaluation_guests_to_proved(run_playbook: RunPlaybook) -> None:
    """Predicted, done once, nothing the second time; and one that cannot be converted stops no other."""
    fleet = [spec | {"variables": {}} for spec in MEDIA if spec["release"] in ("2019", "2025") and not spec["core"]]
    names = sorted(spec["name"] for spec in fleet)
    guests = [*fleet, guest("STUCK", servicing={"targets": []}), {"name": "RIGHT", "license": "avma"}]
    arguments = ("hyperv.avma.site", "-e", "guest_activation_convert_evaluation=true", "--forks", "16")
    with Lab({"hosts": [{"name": "HV01", "release": "2025", "license": "mak", "guests": guests}]}) as lab:
        before = lab.writes()
        checked = run_playbook(lab, *arguments, "--check")
        assert lab.writes() == before
        assert all(lab.machine(name)["restarts"] == 0 for name in names)
        assert {host for host, item in checked.stats.items() if item["failures"]} == {"STUCK"}
        assert checked.of("HV01", "Show what would be done")["msg"] == [
            f"would convert from an evaluation edition, then activate: 4 guests ({', '.join(names)})",
            "would fail at: 1 guest (STUCK)",
            "would leave as they are, already activated: 1 guest (RIGHT)",
        ]

        done = run_playbook(lab, *arguments)
        assert {host for host, item in done.stats.items() if item["failures"]} == {"STUCK"}
        # Why it failed, not that it could be converted.
        assert "DISM offers no edition" in done.of("STUCK")["msg"]
        assert "convert_evaluation" not in done.of("STUCK")["msg"]
        for name in names:
            license = lab.machine(name)["license"]
            assert (license["status"], license["channel"], license["host"]) == ("licensed", "VT:IA", "HV01.lab.example")
            assert lab.machine(name)["restarts"] == 1

        again = run_playbook(lab, *arguments)
        assert again.changed() == 0
        assert {host for host, item in again.stats.items() if item["failures"]} == {"STUCK"}
        assert all(lab.machine(name)["restarts"] == 1 for name in names)


def test_over_every_other_connection(run_playbook: RunPlaybook) -> None:
    """Over ssh, with either shell, and through the guest's host: nothing in it is WS-Management's own."""
    ways = {
        "SSH-CMD": {"listener": {"connection": "ssh"}},
        "SSH-PS": {"listener": {"connection": "ssh"}, "ssh": {"shell": "powershell"}},
        "DIRECT": {"listener": {"connection": "powershell_direct"}},
    }
    guests = [{**guest(name), **way} for name, way in ways.items()]
    with Lab({"hosts": [{"name": "HV01", "license": "mak", "guests": guests}]}) as lab:
        run = run_playbook(lab, PLAY, "-e", f"target={':'.join(ways)}")
        for name in ways:
            result = run.of(name)
            assert (result["changed"], result["rebooted"]) == (True, True)
            assert (result["system"]["edition"], result["system"]["evaluation"]) == ("Standard", False)
            assert lab.machine(name)["restarts"] == 1


def test_a_cut_connection_does_not_end_it(run_playbook: RunPlaybook) -> None:
    cut = {"match": {"operation": "Receive", "nth": 4}, "effect": "drop"}
    with Lab(
        {"hosts": [{"name": "HV01", "guests": [guest("CUT", servicing={"polls": 4}, listener={"faults": [cut]})]}]}
    ) as lab:
        result = run_playbook(lab, PLAY, "-e", "target=CUT").of("CUT")
        assert (result["changed"], result["system"]["evaluation"]) == (True, False)
        assert sum("/Set-Edition" in command for command in lab.machine("CUT")["dism"]) == 1
