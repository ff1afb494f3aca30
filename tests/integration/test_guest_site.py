"""The playbooks site and verify: converge, prove, and tell what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

TOPOLOGY = {
    "defaults": {"guests": {"release": "2022"}},
    "hosts": [
        {
            "name": "HV01",
            "release": "2025",
            "license": "mak",
            "guests": [
                {"name": "KMS", "license": "kms"},
                {"name": "MAK", "license": "mak", "variables": {"guest_activation_replace": True}},
                {"name": "CORE", "release": "2025", "edition": "standard", "core": True},
                {"name": "RIGHT", "license": "avma"},
                {"name": "JAPANESE", "language": "ja-JP", "vm_name": 'O\'Brien\\"日本"'},
            ],
        },
        {"name": "HV02", "release": "2022", "license": "mak", "guests": [{"name": "OTHER", "release": "2016"}]},
    ],
}
GUESTS = ["CORE", "JAPANESE", "KMS", "MAK", "OTHER", "RIGHT"]


@dataclass(frozen=True)
class Chapter:
    run: Run
    #: The method calls that may change something, by machine.
    writes: dict[str, list[Any]]


@dataclass(frozen=True)
class Story:
    lab: Lab
    #: In check mode, without the word that a working key may be replaced.
    refused: Chapter
    check: Chapter
    site: Chapter
    again: Chapter
    verify: Chapter
    #: After things went wrong: a guest lost its key, one is off, one has moved, one cannot be read.
    broken: Chapter


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook) -> Iterator[Story]:
    with Lab(TOPOLOGY) as lab:

        def chapter(playbook: str, *arguments: str) -> Chapter:
            lab.reset_counters()
            run = run_playbook(lab, playbook, *arguments)
            return Chapter(run, {name: report["writes"] for name, report in lab.call("counters").items()})

        refused = chapter("hyperv.avma.site", "--check", "-e", "guest_activation_replace=false")
        check = chapter("hyperv.avma.site", "--check")
        site = chapter("hyperv.avma.site")
        again = chapter("hyperv.avma.site")
        verify = chapter("hyperv.avma.verify")
        lab.set("KMS", "license", "kms")
        lab.stop("MAK")
        lab.fault("CORE", "access_denied")
        broken = chapter("hyperv.avma.verify", "-e", "{verification_expected_hosts: [HV01]}")
        yield Story(lab, refused, check, site, again, verify, broken)


def test_site_activates_and_proves_every_guest(story: Story) -> None:
    run = story.site.run
    assert run.rc == 0
    assert {host: stats["changed"] for host, stats in run.stats.items()} == {
        **{name: 1 for name in GUESTS if name != "RIGHT"},
        # The first host of the play, at which what is read of all stands. Machines that are right need no task of their own.
        "HV01": 0,
    }
    for guest in GUESTS:
        assert story.lab.machine(guest)["license"]["channel"] in ("VT:IA", "Volume:GVLK")
        if guest != "RIGHT":
            activation = run.of(guest, "Install the AVMA key and have the host activate the guest")["activation"]
            assert activation["host"] == f"{story.lab.machine(guest)['host']}.lab.example"


def test_check_mode_of_site_refuses_what_the_real_run_would_refuse(story: Story) -> None:
    run = story.refused.run
    assert run.rc == 2
    assert {host: item["failures"] for host, item in run.stats.items() if item["failures"]} == {"MAK": 1}
    assert "-e guest_activation_replace=true" in run.of("MAK")["msg"]
    assert {name: writes for name, writes in story.refused.writes.items() if writes} == {}


def test_second_run_of_site_changes_nothing(story: Story) -> None:
    assert story.again.run.rc == 0
    assert story.again.run.changed() == 0
    assert {name: writes for name, writes in story.again.writes.items() if writes} == {}


def test_check_mode_of_site_predicts_it(story: Story) -> None:
    assert story.check.run.rc == 0
    assert {host: stats["changed"] for host, stats in story.check.run.stats.items()} == {
        host: stats["changed"] for host, stats in story.site.run.stats.items()
    }
    assert {name: writes for name, writes in story.check.writes.items() if writes} == {}


def test_check_mode_of_site_counts_what_it_would_do(story: Story) -> None:
    right = "would leave as they are, already activated: 1 guest (RIGHT)"
    assert story.check.run.of("HV01", "Show what would be done")["msg"] == [
        f"would activate: 5 guests ({', '.join(name for name in GUESTS if name != 'RIGHT')})",
        right,
    ]
    assert story.refused.run.of("HV01", "Show what would be done")["msg"] == [
        f"would activate: 4 guests ({', '.join(name for name in GUESTS if name not in ('MAK', 'RIGHT'))})",
        "would fail at: 1 guest (MAK)",
        right,
    ]
    assert all(item.task != "Show what would be done" for item in story.site.run.results)


def test_no_guest_has_a_line_for_what_is_not_done_to_it(story: Story) -> None:
    for chapter in (story.check, story.site, story.again, story.verify):
        assert not re.search(rf"skipping: \[({'|'.join(GUESTS)})\]", chapter.run.stdout)


def test_verify_shows_which_host_activated_which_guest(story: Story) -> None:
    assert story.verify.run.rc == 0
    assert story.verify.run.changed() == 0
    for guest in GUESTS:
        host = "HV02" if guest == "OTHER" else "HV01"
        assert re.search(rf"\b{guest}\b[^\n]*\b{host}\b", story.verify.run.stdout)


def test_verify_fails_and_lists_every_problem_of_every_guest(story: Story) -> None:
    run = story.broken.run
    assert run.rc != 0
    listed = "\n".join(result["msg"] for result in run.results if result.task == "Say what is wrong")
    assert re.search(r"KMS.*ending in 6VM33 is of channel Volume:GVLK", listed)
    # Each way has its own words for a machine that is off, and its own code for access denied.
    assert re.search(r"MAK.*(no connection to http|ssh: connect to host|is not running)", listed)
    assert re.search(r"CORE.*(0x80070005|0x80041003)", listed)
    assert re.search(r"OTHER.*was activated by HV02\.lab\.example, which is not one of HV01", listed)
    assert "RIGHT" not in listed
    assert "Traceback" not in run.stdout
    counts = {host: (item["failures"], item["unreachable"]) for host, item in run.stats.items()}
    assert counts == {"HV01": (0, 0), "KMS": (1, 0), "MAK": (0, 1), "CORE": (1, 0), "OTHER": (1, 0)}


def printed(run: Run) -> str:
    """What was printed, without the errors that ansible-core 2.19 and newer print above each result that says the same."""
    return re.sub(r"^\[ERROR\]: .*?(?=^fatal: )", "", run.stdout, flags=re.DOTALL | re.MULTILINE)


def test_verify_tells_each_problem_once(story: Story) -> None:
    run = story.broken.run
    messages = [result for result in run.results if result.action == "hyperv.avma.fleet_info"][-1]["verdict"][
        "messages"
    ]
    assert len(messages) == 5
    shown = printed(run)
    counts = {message: shown.count(json.dumps(message, ensure_ascii=False)[1:-1]) for message in messages}
    assert counts == dict.fromkeys(messages, 1)


def test_verify_changes_nothing(story: Story) -> None:
    assert story.broken.run.changed() == 0
    assert {name: writes for name, writes in story.broken.writes.items() if writes} == {}
