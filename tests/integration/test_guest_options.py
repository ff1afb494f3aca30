"""The options of guest_key and guest_info, and what happens when things change between two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.connections import UNENCRYPTED
from integration.playbooks import Run
from lab.client import Lab


def guest(name: str, options: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"name": name, "release": "2022", "variables": {"options": options or {}}, **spec}


def at(method: str, effect: str, value: int | None = None, times: int | None = None) -> dict[str, Any]:
    return {"faults": [{"match": {"method": method}, "effect": effect, "value": value, "times": times}]}


#: A MAK, and an AVMA key that the collection does not know.
MAK, NEW_KEY = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79", "RTX8M-DK4VB-NQ6GJ-HPW39-F2CY7"
MANUAL = {"automatic": False}
#: Guests whose options are theirs alone, all of them in one run.
OPTIONS = [
    guest("KEY", {"product_key": " w3gnr–8ddxr–2tfrp–h8p33–dv9bg "}),
    guest("KEY-OF-2019", {"product_key": "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"}),
    guest("KEY-OF-STANDARD", {"product_key": "YDFWN-MJ9JR-3DYRK-FXXRW-78VHK"}),
    guest("KEY-OF-KMS", {"product_key": "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"}),
    guest("KEY-MISTYPED", {"product_key": "W3GNR-8DDXR-2TFRP-H8P33"}),
    guest("SYSTEM", {"release": "2022", "edition": "Datacenter"}),
    guest("SYSTEM-BY-NAME", {"release": "Microsoft Windows Server 2022 Datacenter"}),
    guest("SYSTEM-BY-ID", {"release": 20348.169, "edition": "ServerDatacenterCor"}),
    guest("SYSTEM-OF-2019", {"release": "2019"}),
    guest("SYSTEM-OF-ANOTHER-BUILD", {"release": "Windows Server, version 1909"}),
    guest("SYSTEM-CONTRADICTING", {"release": "Windows Server 2022 Standard", "edition": "Datacenter"}),
    guest("SYSTEM-OF-STANDARD", {"edition": "Standard"}),
    guest("SYSTEM-UNKNOWN", {"release": "2023"}),
    guest("OVERRIDE", {"key_overrides": {"20H2": {"Datacenter": "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"}}}, release="20H2"),
    guest("OVERRIDE-BY-NUMBER", {"key_overrides": {19042: {8: "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"}}}, release="20H2"),
    guest("OVERRIDE-UNKNOWN", {"key_overrides": {"2025 R2": {"Datacenter": "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"}}}),
    guest("OVERRIDE-KMS", {"key_overrides": {"2022": {"Datacenter": "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"}}}),
    guest("INSTALL-ONLY", {"activate": False}, activation=MANUAL),
    guest("ANY-OF-THESE", {"expected_hosts": ["HV09", "hv01"]}),
    guest("OTHER-HOST", {"expected_hosts": ["HV01.other.example", "HV02"]}),
    guest("ALWAYS-THROTTLED", {"timeout": 2}, activation={**MANUAL, "throttled": 99}),
    guest("TOO-SLOW", {"timeout": 2}, activation={**MANUAL, "polls": 99}),
    guest("NO-KMS", activation=MANUAL, listener=at("Activate", "hresult", 0xC004F074)),
    # Windows gave up waiting for the provider, and the provider went on: the key is there, and activated.
    guest("TIMED-OUT", listener=at("Activate", "wsman_fault", 2150858793)),
    # Windows answers too late, and takes the key after that.
    guest("LATE-KEY", license="kms", activation={"install_polls": 2}),
    guest("NOT-READ-ANEW", listener=at("RefreshLicenseStatus", "hresult", 0x80041001)),
    guest("MAK-GIVEN", {"product_key": MAK}),
    guest("MAK-GIVEN-ACTIVATED", {"product_key": MAK}, license="avma"),
    guest("MAK-IN-OVERRIDES", {"key_overrides": {"2022": {"Datacenter": MAK}}}, license="kms"),
    guest("MAK-IN-THE-CLEAR", {"product_key": MAK}, listener=UNENCRYPTED),
    guest("NEW-KEY", {"product_key": NEW_KEY, "replace": True}, license="kms"),
    guest("BUSY", listener=at("Activate", "wsman_fault", 2150859174, times=1), activation=MANUAL),
]
TOPOLOGY = {
    "keys": [
        {"key": MAK, "release": "2022", "channel": "mak", "activations": 5},
        {"key": NEW_KEY, "release": "2022", "channel": "avma"},
    ],
    "hosts": [
        {
            "name": "HV01",
            "release": "2025",
            "license": "mak",
            "guests": [
                *OPTIONS,
                guest("KILLED", activation=MANUAL, listener=at("InstallProductKey", "stop_machine_after", times=1)),
                guest("MOVING"),
                guest("MOVING-SLOWLY"),
                guest("DELEGATED"),
                guest("BECOMING"),
                guest("LEAST", license="avma"),
            ],
        },
        {"name": "HV02", "release": "2025", "license": "mak"},
    ],
    "clusters": [{"name": "HVC", "nodes": ["HV01", "HV02"]}],
}
PLAY = """
- hosts: "{{ target }}"
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
        product_key: "{{ options.product_key | default(omit) }}"
        release: "{{ options.release | default(omit) }}"
        edition: "{{ options.edition | default(omit) }}"
        key_overrides: "{{ options.key_overrides | default(omit) }}"
        activate: "{{ options.activate | default(omit) }}"
        expected_hosts: "{{ options.expected_hosts | default(omit) }}"
        replace: "{{ options.replace | default(omit) }}"
        timeout: "{{ options.timeout | default(omit) }}"
"""
MIGRATED = """
- hosts: "{{ target }}"
  gather_facts: false
  module_defaults:
    group/hyperv.avma.proof:
      expected_hosts: [HV02]
  tasks:
    - name: Before
      hyperv.avma.guest_info:
    - name: Predict
      hyperv.avma.guest_key:
      check_mode: true
    - name: Activate
      hyperv.avma.guest_key:
    - name: After
      hyperv.avma.guest_info:
"""

Activate = Callable[..., Run]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def activate(lab: Lab, run_playbook: RunPlaybook) -> Activate:
    """Runs guest_key on a guest, with a fresh journal."""

    def run(target: str, *arguments: str, playbook: str = PLAY) -> Run:
        lab.reset_counters()
        return run_playbook(lab, playbook, "-e", f"target={target}", *arguments)

    return run


Written = dict[str, list[str]]


@pytest.fixture(scope="module")
def run_and_written(activate: Activate, lab: Lab) -> tuple[Run, Written]:
    run = activate(":".join(spec["name"] for spec in OPTIONS))
    return run, {name: [call["method"] for call in calls] for name, calls in lab.writes().items()}


@pytest.fixture(scope="module")
def run(run_and_written: tuple[Run, Written]) -> Run:
    return run_and_written[0]


@pytest.fixture(scope="module")
def written(run_and_written: tuple[Run, Written]) -> Written:
    """The methods that this run called and that may have changed something, by guest."""
    return run_and_written[1]


def methods(lab: Lab, name: str) -> list[str]:
    """The methods that were called and may have changed something."""
    return [invoke["method"] for invoke in lab.counters(name)["writes"]]


@pytest.mark.parametrize("name", ["LATE-KEY", "NOT-READ-ANEW"])
def test_what_windows_did_counts_not_what_it_answered(run: Run, name: str, written: Written) -> None:
    assert run.of(name).status == "ok"
    assert run.of(name)["activation"]["host"] == "HV01.lab.example"
    assert written[name].count("InstallProductKey") == 1


def test_a_mak_is_noticed_and_never_activated(run: Run, lab: Lab, activate: Activate) -> None:
    first = run.of("MAK-GIVEN")
    assert [problem["code"] for problem in first["problems"]] == ["not_an_avma_key"]
    assert "ending in 2JF79 is a Multiple Activation Key (MAK), no AVMA key" in first["msg"]
    assert first["changed"] is True

    again = activate("MAK-GIVEN").of("MAK-GIVEN")
    assert [problem["code"] for problem in again["problems"]] == ["not_an_avma_key"]
    assert again["changed"] is False
    assert methods(lab, "MAK-GIVEN") == []

    right = activate("MAK-GIVEN", "-e", "{options: {}}").of("MAK-GIVEN")
    assert (right.status, right["license"]["avma"]) == ("ok", True)
    assert lab.keystore()["2JF79"]["spent"] == []


@pytest.mark.parametrize("name", ["MAK-GIVEN-ACTIVATED", "MAK-IN-OVERRIDES"])
def test_a_key_that_is_not_known_takes_no_licence_that_works(run: Run, lab: Lab, name: str) -> None:
    result = run.of(name)
    assert [problem["code"] for problem in result["problems"]] == ["unknown_product_key"]
    assert "2JF79" in result["msg"]
    assert MAK[:-6] not in str(result.result)
    assert lab.machine(name)["license"]["status"] == "licensed"
    assert result["changed"] is False


def test_a_key_that_is_not_known_goes_over_an_encrypted_connection_only(run: Run, lab: Lab) -> None:
    assert [problem["code"] for problem in run.of("MAK-IN-THE-CLEAR")["problems"]] == ["unencrypted_connection"]
    assert lab.machine("MAK-IN-THE-CLEAR")["license"]["status"] is None


def test_an_avma_key_that_is_not_known_is_taken_on_the_users_word(run: Run) -> None:
    result = run.of("NEW-KEY")
    assert result.status == "ok"
    assert (result["license"]["partial_product_key"], result["license"]["avma"]) == ("F2CY7", True)
    assert result["former_license"]["channel"] == "Volume:GVLK"


@pytest.mark.parametrize(
    "name", ["KEY", "SYSTEM", "SYSTEM-BY-NAME", "SYSTEM-BY-ID", "ANY-OF-THESE", "TIMED-OUT", "BUSY"]
)
def test_activated(run: Run, name: str) -> None:
    result = run.of(name)
    assert result.status == "ok"
    assert result["changed"] is True
    assert result["activation"]["host"] == "HV01.lab.example"
    assert result["license"]["partial_product_key"] == "DV9BG"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("KEY-OF-2019", "key_release_mismatch", "WMBMW is the AVMA key of Windows Server 2019 Datacenter"),
        ("KEY-OF-STANDARD", "key_release_mismatch", "this is Windows Server 2022 Datacenter"),
        ("KEY-OF-KMS", "kms_client_key", "6VM33 is the KMS client key of Windows Server 2022 Datacenter"),
        ("KEY-MISTYPED", "invalid_argument", "five groups of five"),
        ("SYSTEM-OF-2019", "system_mismatch", "The machine is Windows Server 2022 Datacenter, not 2019"),
        ("SYSTEM-OF-STANDARD", "system_mismatch", "not Standard"),
        ("SYSTEM-OF-ANOTHER-BUILD", "system_mismatch", "not build 18363"),
        ("SYSTEM-CONTRADICTING", "invalid_argument", "and edition 'Datacenter' contradict each other"),
        ("SYSTEM-UNKNOWN", "invalid_argument", "Releases are 2012 R2, 2016, 2019, 2022, 2025"),
        ("OVERRIDE-UNKNOWN", "invalid_argument", "'2025 R2' is not a release"),
        ("OVERRIDE-KMS", "invalid_argument", "is a KMS client key"),
    ],
)
def test_refused_before_any_write(run: Run, written: Written, name: str, code: str, words: str) -> None:
    result = run.of(name)
    assert result.status == "failed"
    assert [problem["code"] for problem in result["problems"]] == [code]
    assert words in result["msg"]
    assert result["changed"] is False
    assert name not in written


def test_a_mistyped_key_is_not_repeated(run: Run) -> None:
    assert "W3GNR" not in run.of("KEY-MISTYPED")["msg"]


def test_an_unknown_release_is_an_argument_error(run: Run, lab: Lab) -> None:
    result = run.of("SYSTEM-UNKNOWN")
    assert result.status == "failed"
    assert "'2023' is not a release, a SAC version or a build number of Windows Server" in result["msg"]
    assert lab.counters("SYSTEM-UNKNOWN")["operations"] == 0


def test_an_override_is_installed_where_no_key_is_documented(run: Run, written: Written) -> None:
    # Windows has the last word: 20H2 takes no key of 2019.
    assert written["OVERRIDE"] == written["OVERRIDE-BY-NUMBER"] == ["InstallProductKey"]
    result = run.of("OVERRIDE-BY-NUMBER")
    assert [problem["code"] for problem in result["problems"]] == ["key_rejected"]
    assert "0xC004E016 (SL_E_PKEY_INVALID_CONFIG)" in result["msg"]
    assert "WMBMW" in result["msg"]
    assert "H3RNG" not in result["msg"]
    assert result["changed"] is False


def test_activated_by_a_host_that_is_not_expected(run: Run) -> None:
    result = run.of("OTHER-HOST")
    assert result.status == "failed"
    assert [problem["code"] for problem in result["problems"]] == ["unexpected_host"]
    assert "HV01.lab.example, which is not one of HV01.other.example, HV02" in result["msg"]
    # It is activated all the same.
    assert result["changed"] is True
    assert result["license"]["status"] == "licensed"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("ALWAYS-THROTTLED", "activation_throttled", "did not come round to this guest in 2 s: 0xC004FD00"),
        ("TOO-SLOW", "activation_not_bound", "0xC004FD04"),
        ("NO-KMS", "activation_failed", "0xC004F074 (SL_E_VL_BINDING_SERVICE_UNAVAILABLE)"),
    ],
)
def test_not_activated_in_time(run: Run, name: str, code: str, words: str) -> None:
    result = run.of(name)
    assert result.status == "failed"
    assert result["problems"][0]["code"] == code
    assert words in result["msg"]
    assert result["changed"] is True
    assert result["activation"] is None


def test_install_only(run: Run, lab: Lab, activate: Activate) -> None:
    result = run.of("INSTALL-ONLY")
    assert (result.status, result["changed"]) == ("ok", True)
    assert result["license"]["avma"] is True
    assert result["activation"] is None

    again = activate("INSTALL-ONLY")
    assert again.of("INSTALL-ONLY")["changed"] is False
    assert methods(lab, "INSTALL-ONLY") == []

    activated = activate("INSTALL-ONLY", "-e", "{options: {activate: true}}")
    assert activated.of("INSTALL-ONLY")["activation"]["host"] == "HV01.lab.example"
    assert methods(lab, "INSTALL-ONLY") == ["Activate"]


def test_killed_between_install_and_activate(lab: Lab, activate: Activate) -> None:
    assert activate("KILLED").of("KILLED").status == "unreachable"
    assert lab.machine("KILLED")["running"] is False
    assert lab.machine("KILLED")["license"]["partial_product_key"] == "DV9BG"
    assert lab.machine("KILLED")["license"]["status"] != "licensed"

    lab.start("KILLED")
    result = activate("KILLED").of("KILLED")
    assert (result.status, result["changed"]) == ("ok", True)
    assert result["activation"]["host"] == "HV01.lab.example"
    assert methods(lab, "KILLED") == ["Activate"]


def test_expected_hosts_after_a_live_migration(lab: Lab, activate: Activate) -> None:
    activate("MOVING")
    lab.migrate("MOVING", "HV02")
    run = activate("MOVING", playbook=MIGRATED)

    before = run.of("MOVING", "Before")["guest"]
    assert [problem["code"] for problem in before["problems"]] == ["unexpected_host"]
    assert before["hypervisor"]["host"] == "HV02"
    assert run.of("MOVING", "Predict")["changed"] is True
    result = run.of("MOVING", "Activate")
    assert (result.status, result["changed"]) == ("ok", True)
    assert result["activation"]["host"] == "HV02.lab.example"
    assert run.of("MOVING", "After")["guest"]["problems"] == []
    assert [invoke["method"] for invoke in lab.writes()["MOVING"]] == ["Activate"]


def test_a_new_activation_is_waited_for_after_a_live_migration(lab: Lab, activate: Activate) -> None:
    activate("MOVING-SLOWLY")
    lab.migrate("MOVING-SLOWLY", "HV02")
    lab.set("MOVING-SLOWLY", "polls", "2")
    result = activate("MOVING-SLOWLY", "-e", "{options: {expected_hosts: [HV02]}}").of("MOVING-SLOWLY")
    assert (result.status, result["changed"]) == ("ok", True)
    assert result["activation"]["host"] == "HV02.lab.example"


def test_delegate_to(lab: Lab, activate: Activate) -> None:
    run = activate(
        "HV02",
        playbook="""
- hosts: "{{ target }}"
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
      delegate_to: DELEGATED
    - name: Refused
      hyperv.avma.guest_key:
        release: '2016'
      delegate_to: DELEGATED
""",
    )
    assert run.results[0]["activation"]["host"] == "HV01.lab.example"
    assert list(lab.writes()) == ["DELEGATED"]
    assert run.of("HV02", "Refused")["msg"].startswith(
        "DELEGATED: The machine is Windows Server 2022 Datacenter, not 2016"
    )


def test_become_does_not_apply_and_says_so(activate: Activate) -> None:
    run = activate("BECOMING", "--become", "--become-method", "runas", "--become-user", "SYSTEM")
    assert run.of("BECOMING").status == "ok"
    assert run.of("BECOMING")["changed"] is True
    assert "BECOMING: become does not apply to" in run.stdout.replace("\n", " ")
    assert "become does not apply" not in activate("LEAST").stdout.replace("\n", " ")


def test_the_least_that_guest_info_reads(lab: Lab, activate: Activate) -> None:
    run = activate(
        "LEAST",
        playbook="""
- hosts: "{{ target }}"
  gather_facts: false
  tasks:
    - hyperv.avma.guest_info:
        gather_subset: [min]
""",
    )
    guest = run.of("LEAST")["guest"]
    assert guest["activation"]["host"] == "HV01.lab.example"
    assert guest["hypervisor"] is None
    assert guest["events"] == []
    assert lab.counters("LEAST")["operations"] <= 3
    assert methods(lab, "LEAST") == []
