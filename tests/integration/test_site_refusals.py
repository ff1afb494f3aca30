"""The playbook site over licensed guests that their hosts do not activate, or that keep their keys until the user says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run, TaskResult
from lab.client import Lab

WORD = {"license": "mak", "variables": {"guest_activation_replace": True}}
TOPOLOGY = {
    "defaults": {"all": {"release": "2022", "license": "mak"}},
    "hosts": [
        {
            "name": "OLD",
            "release": "2019",
            "guests": [{"name": "MAK-OLD", **WORD}, {"name": "KMS-OLD", "license": "kms"}],
        },
        {
            "name": "GOOD",
            "guests": [
                {"name": "AZURE", "edition": "azure", **WORD},
                {"name": "NO-EXCHANGE", "data_exchange": False, **WORD},
                {"name": "NO-WORD"},
            ],
        },
        # Nothing that can be read tells of it.
        {"name": "PAY-AS-YOU-GO", "pay_as_you_go": True, "guests": [{"name": "KMS-PAY", "license": "kms"}]},
    ],
}
#: What keeps guest_key from writing to each guest.
REFUSED = {
    "MAK-OLD": "host_release_too_old",
    "KMS-OLD": "host_release_too_old",
    "AZURE": "azure_edition_needs_azure_local",
    "NO-EXCHANGE": "data_exchange_disabled",
    "NO-WORD": "licensed_by_other_key",
}
GUESTS = [*REFUSED, "KMS-PAY"]
INSTALL = "Install the AVMA key and have the host activate the guest"


@dataclass(frozen=True)
class Story:
    check: Run
    site: Run
    #: The licences as the lab knows them: before, after check mode, and at last.
    licenses: list[dict[str, Any]]
    #: The machines that were written to in check mode, and for real.
    written: list[set[str]]


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook) -> Iterator[Story]:
    with Lab(TOPOLOGY) as lab:

        def licenses() -> dict[str, Any]:
            return {name: lab.machine(name)["license"] for name in GUESTS}

        before = licenses()
        check = run_playbook(lab, "hyperv.avma.site", "--check", "--diff")
        checked, checked_written = licenses(), set(lab.writes())
        site = run_playbook(lab, "hyperv.avma.site", "--diff", "-e", "guest_activation_timeout=10")
        yield Story(check, site, [before, checked, licenses()], [checked_written, set(lab.writes())])


def codes(result: TaskResult) -> list[str]:
    return [item["code"] for item in result["problems"]]


def failed(run: Run) -> set[str]:
    return {name for name, stats in run.stats.items() if stats["failures"] and name in GUESTS}


def test_check_mode_and_the_real_run_refuse_the_same_guests_for_the_same_reasons(story: Story) -> None:
    for run in (story.check, story.site):
        assert run.rc == 2
        assert {name: codes(run.of(name, INSTALL)) for name in REFUSED} == {
            name: [code] for name, code in REFUSED.items()
        }
        assert all("diff" not in run.of(name, INSTALL).result for name in REFUSED)
    assert failed(story.check) == set(REFUSED)
    # Of the host of this one, only its refusal tells.
    assert failed(story.site) == {*REFUSED, "KMS-PAY"}
    assert story.check.of("KMS-PAY", INSTALL)["changed"]


def test_licences_that_work_are_left_alone(story: Story) -> None:
    assert story.written == [set(), {"KMS-PAY"}]
    before, checked, after = story.licenses
    assert {item["status"] for item in before.values()} == {"licensed"}
    assert checked == before
    assert {name: after[name] for name in REFUSED} == {name: before[name] for name in REFUSED}


def test_the_last_message_of_each_guest_says_why(story: Story) -> None:
    for name, code in REFUSED.items():
        assert re.search(rf"^[^:]*\b{name}\b[^:]*: {code}\b", story.site.of(name)["msg"], re.MULTILINE)
    for run in (story.check, story.site):
        assert "-e guest_activation_replace=true" in run.of("NO-WORD")["msg"]


def test_nobody_is_told_to_run_again_what_another_problem_stops(story: Story) -> None:
    told = [line for name in GUESTS for line in story.site.of(name)["msg"].splitlines() if ": not_avma: " in line]
    machines = {name for line in told for name in line.partition(": ")[0].split(", ")}
    assert machines == set(GUESTS) - {"NO-WORD"}
    assert {line.rpartition("). ")[2] for line in told} == {"Put the other problem right first."}


def test_a_refusal_that_nobody_could_foresee_is_undone_and_explained(story: Story) -> None:
    result = story.site.of("KMS-PAY", INSTALL)
    assert codes(result) == ["host_not_licensed", "former_key_put_back"]
    assert result["problems"][0]["hresult"] == "0xC004FD02"
    before, _checked, after = story.licenses
    assert after["KMS-PAY"] == before["KMS-PAY"]
    for word in ("0xC004FD02", "former_key_put_back", "pay-as-you-go", "Azure"):
        assert word in story.site.of("KMS-PAY")["msg"]
