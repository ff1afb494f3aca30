"""The way out: from AVMA to a KMS client and back, with what may go wrong in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

CLIENT_KEYS = {
    "2012 R2": "Q3VJ9",
    "2016": "8XDDG",
    "2019": "63DFG",
    "2022": "6VM33",
    "2025": "YP6DF",
}


def guest(name: str, **spec: Any) -> dict[str, Any]:
    return {"name": name, "license": "avma", "kvp": {"Activation": "HV01", "Other": "1"}, **spec}


LEAVING = [guest(f"WS-{release.replace(' ', '')}", release=release) for release in CLIENT_KEYS]
OTHERS = [
    guest("STANDARD", edition="standard"),
    guest("CLIENT", license="kms"),
    guest("CLIENT-IDLE", license={"key": "kms", "status": "notification"}),
    guest("BARE", license="none"),
    guest("MAK", license="mak"),
    guest("KMS-HOST", license="csvlk"),
    guest("EVALUATION", evaluation=True, license="none"),
    guest("UNKNOWN", release="23H2", license="none"),
    guest("ON-VMWARE", license="none"),
]


def host(name: str, guests: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "release": "2025", "license": "mak", "guests": guests}


PLAY = """
- hosts: "{{ target }}"
  gather_facts: false
  tasks:
    - name: Leave
      hyperv.avma.guest_key:
        channel: kms
        activate: "{{ activate | default(omit) }}"
        product_key: "{{ product_key | default(omit) }}"
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab({"hosts": [host("HV01", LEAVING), host("HV02", OTHERS)]}) as lab:
        yield lab


@pytest.fixture(scope="module")
def others(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, PLAY, "-e", f"target={':'.join(spec['name'] for spec in OTHERS)}")


def row(lab: Lab, name: str) -> tuple[str, str, str | None]:
    license = lab.machine(name)["license"]
    return license["status"], license["channel"], license["partial_product_key"]


def test_there_and_back(lab: Lab, run_playbook: RunPlaybook) -> None:
    """Predicted, done, nothing to do the second time; then the AVMA key again, proved by the host."""
    names = [spec["name"] for spec in LEAVING]
    arguments = (
        "hyperv.avma.leave_avma",
        "--limit",
        ",".join(names),
        "-e",
        # The product key is not for this way, so it does not matter that its variable is not there.
        '{"guest_activation_remove_kvp": ["Activation"], "guest_activation_edition": "{{ omit }}"}',
        "-e",
        '{"guest_activation_product_key": "{{ not_defined }}"}',
    )
    before = lab.writes()
    checked = run_playbook(lab, *arguments, "--check", "--diff")
    assert (checked.rc, lab.writes()) == (0, before), checked.stdout
    assert checked.changed() == 2 * len(names)

    left = run_playbook(lab, *arguments)
    assert left.rc == 0, left.stdout
    for spec in LEAVING:
        name = spec["name"]
        assert row(lab, name) == ("licensed", "Volume:GVLK", CLIENT_KEYS[spec["release"]])
        result = left.of(name, "Install the KMS client key in the place of the AVMA key")
        assert (result["license"]["channel"], result["license"]["status"], result["activation"]) == (
            "Volume:GVLK",
            "licensed",
            None,
        )
        assert result["former_license"]["channel"] == "VT:IA"
    again = run_playbook(lab, *arguments)
    assert (again.rc, again.changed()) == (0, 0), again.stdout

    back = run_playbook(lab, "hyperv.avma.site", "--limit", ",".join(["HV01", *names]))
    assert back.rc == 0, back.stdout
    for name in names:
        license = lab.machine(name)["license"]
        assert (license["status"], license["channel"], license["host"]) == ("licensed", "VT:IA", "HV01.lab.example")


@pytest.mark.parametrize(
    ("name", "changed", "last_five"),
    [
        ("STANDARD", True, "VMK7H"),
        ("CLIENT", False, "6VM33"),
        ("CLIENT-IDLE", True, "6VM33"),
        ("BARE", True, "6VM33"),
        ("ON-VMWARE", True, "6VM33"),
    ],
)
def test_becomes_a_client(lab: Lab, others: Run, name: str, changed: bool, last_five: str) -> None:
    assert others.of(name)["changed"] is changed
    assert row(lab, name) == ("licensed", "Volume:GVLK", last_five)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("MAK", "licensed_by_other_key"),
        ("KMS-HOST", "kms_host"),
        ("EVALUATION", "evaluation_edition"),
        ("UNKNOWN", "no_kms_client_key"),
    ],
)
def test_is_refused(lab: Lab, others: Run, name: str, code: str) -> None:
    result = others.of(name)
    assert [problem["code"] for problem in result["problems"]] == [code]
    assert not result.result.get("changed")
    assert [invoke["method"] for invoke in lab.invokes(name) if "Product" in invoke["method"]] == []


def test_a_key_of_the_users_own_is_no_client_key(lab: Lab, run_playbook: RunPlaybook) -> None:
    run = run_playbook(lab, PLAY, "-e", "target=CLIENT", "-e", "product_key=W3GNR-8DDXR-2TFRP-H8P33-DV9BG")
    assert [problem["code"] for problem in run.of("CLIENT")["problems"]] == ["invalid_argument"]


def test_all_guests_leave_on_the_users_word_only(lab: Lab, run_playbook: RunPlaybook) -> None:
    before = lab.writes()
    refused = run_playbook(lab, "hyperv.avma.leave_avma")
    assert refused.rc == 2
    assert "Say which guests leave AVMA" in refused.stdout
    assert lab.writes() == before


def test_where_no_kms_host_answers_the_avma_activation_is_put_back(run_playbook: RunPlaybook) -> None:
    with Lab({"kms": False, "hosts": [host("HV01", [guest("STAYS"), guest("MOVES")])]}) as lab:
        run = run_playbook(lab, PLAY, "-e", "target=STAYS")
        result = run.of("STAYS")
        assert result.status == "failed"
        assert [problem["code"] for problem in result["problems"]] == ["kms_not_activated", "former_key_put_back"]
        assert "0xC004F074" in result["msg"]
        assert row(lab, "STAYS") == ("licensed", "VT:IA", "DV9BG")
        assert lab.machine("STAYS")["license"]["host"] == "HV01.lab.example"

        prepared = run_playbook(lab, PLAY, "-e", '{"target": "MOVES", "activate": false}').of("MOVES")
        assert prepared["changed"] is True
        assert row(lab, "MOVES")[1:] == ("Volume:GVLK", "6VM33")
        again = run_playbook(lab, PLAY, "-e", '{"target": "MOVES", "activate": false}').of("MOVES")
        assert again["changed"] is False


def test_an_activation_that_could_not_be_put_back_is_given_up_on_the_users_word_only(run_playbook: RunPlaybook) -> None:
    """The guests are on hosts that do not activate them any more, and no KMS host answers: what they have works until it ends."""
    topology = {
        "kms": False,
        "hosts": [
            host("HV01", [guest("MOVED"), guest("STAYED"), guest("WORD")]),
            {**host("HVSTD", []), "edition": "standard"},
        ],
    }
    with Lab(topology) as lab:
        for name in ("MOVED", "WORD"):
            lab.migrate(name, "HVSTD")
        lab.set("HV01", "license", "none")
        for check in (True, False):
            run = run_playbook(lab, PLAY, "-e", "target=MOVED:STAYED", *(["--check"] if check else []))
            seen = run.of("MOVED")
            assert [problem["code"] for problem in seen["problems"]] == ["activation_not_renewable"]
            assert "if no KMS host answers: The host HVSTD has Windows Server Standard" in seen["msg"]
            assert [invoke for invoke in lab.invokes("MOVED") if "Product" in invoke["method"]] == []
        # Only its host, when it is asked, tells that it does not.
        asked = run.of("STAYED")
        assert [problem["code"] for problem in asked["problems"]] == ["activation_not_renewable"]
        assert (asked["changed"], "0xC004FD02" in asked["msg"]) == (False, True)
        for name in ("MOVED", "STAYED"):
            assert row(lab, name) == ("licensed", "VT:IA", "DV9BG")
        given_up = run_playbook(
            lab, PLAY.replace("channel: kms", "channel: kms\n        replace: true"), "-e", "target=WORD"
        )
        assert [problem["code"] for problem in given_up.of("WORD")["problems"]] == [
            "kms_not_activated",
            "former_key_not_put_back",
        ]


def test_an_evaluation_edition_is_converted_first_where_that_is_wanted(run_playbook: RunPlaybook) -> None:
    """Its host, which activates no guest, does not matter: KMS is to activate it."""
    evaluations = [guest("NEW", license="none", evaluation=True, edition="datacenter")]
    with Lab({"hosts": [{**host("HVSTD", evaluations), "edition": "standard"}]}) as lab:
        arguments = ("hyperv.avma.leave_avma", "--limit", "NEW", "-e", "guest_activation_convert_evaluation=true")
        before = lab.writes()
        checked = run_playbook(lab, *arguments, "--check")
        assert (checked.rc, checked.changed(), lab.writes()) == (0, 1, before), checked.stdout
        done = run_playbook(lab, *arguments)
        assert done.rc == 0, done.stdout
        assert row(lab, "NEW") == ("licensed", "Volume:GVLK", "6VM33")
        again = run_playbook(lab, *arguments)
        assert (again.rc, again.changed()) == (0, 0), again.stdout
