# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""host_key and host_info on Azure Local, whatever the shape of what ServerAVMAManager returns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab
from lab.keys import made_up_key

KEYS: list[dict[str, Any]] = []
SHAPES = ["flat", "nested", "opaque"]


def issued(name: str, release: str = "2022") -> str:
    key = made_up_key(name)
    KEYS.append({"key": key, "channel": "mak", "release": release})
    return key


def host(
    name: str, product_key: str | None = None, options: dict[str, Any] | None = None, **azure_local: Any
) -> dict[str, Any]:
    """A host with what its task says: the key that is meant for it and options."""
    given = {**({"product_key": product_key} if product_key else {}), **(options or {})}
    return {
        "name": name,
        "release": "Azure Local 24H2",
        "edition": "azure_local",
        "variables": {"given": given},
        "azure_local": azure_local,
    }


REPLACE = {"replace": True}
#: Where it can be told that nothing is set up, a key is set without a word; where it cannot, that takes one.
NEW = [
    host("NEW-FLAT", issued("new flat"), REPLACE, shape="flat"),
    host("NEW-NESTED", issued("new nested"), shape="nested", module="1.0", subscription_shape="subscription_status"),
]
HOSTS = [
    *NEW,
    host("NEW-OPAQUE", issued("new opaque"), shape="opaque"),
    host("UNTOLD-FLAT", issued("untold flat"), shape="flat"),
    host("UNTOLD-OPAQUE", issued("untold opaque"), shape="opaque", key=made_up_key("untold opaque")),
    host("RIGHT-FLAT", issued("right flat"), shape="flat", key=made_up_key("right flat")),
    host("RIGHT-NESTED", issued("right nested"), shape="nested", key=made_up_key("right nested")),
    host("OTHER-FLAT", issued("other flat"), shape="flat", key=issued("former flat")),
    host("OTHER-NESTED", issued("other nested"), shape="nested", key=issued("former nested")),
    host("NO-KEY", shape="nested"),
    host("ANY-KEY", shape="nested", key=issued("any")),
    host("SUBSCRIBED", issued("subscribed"), REPLACE, subscription=True),
    host("SUBSCRIBED-1.0", subscription=True, module="1.0", subscription_shape="subscription_status"),
    host("NO-UPDATE", issued("no update"), REPLACE, module=None),
    *(
        host(f"REJECTED-{shape}", made_up_key("never issued"), {**REPLACE, "volume_key": True}, shape=shape)
        for shape in SHAPES
    ),
    host("OLDER", issued("older", "2019"), REPLACE, shape="nested", key=issued("newer", "2025")),
    # A key in the licence of the host's own Windows is not AVMA.
    {**host("OWN-LICENCE", issued("own licence"), shape="nested"), "license": made_up_key("own licence")},
    {**host("OWN-LICENCE-OPAQUE", issued("own opaque"), REPLACE, shape="opaque"), "license": made_up_key("own opaque")},
    host("IN-A-ROW", issued("in a row"), shape="license_row", key=made_up_key("in a row")),
    host("TOO-OLD", issued("too old", "2016"), shape="nested"),
]
TOPOLOGY = {"keys": KEYS, "hosts": HOSTS}
PLAY = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - name: Key
      hyperv.avma.host_key:
        product_key: "{{ given.product_key | default(omit) }}"
        volume_key: "{{ given.volume_key | default(omit) }}"
        replace: "{{ given.replace | default(omit) }}"
"""
READ = """
- hosts: avma_hosts
  gather_facts: false
  tasks:
    - hyperv.avma.host_info:
"""


def key_of(name: str) -> str:
    return next(item["variables"]["given"].get("product_key", "") for item in HOSTS if item["name"] == name)


def spent(lab: Lab) -> dict[str, list[str]]:
    """Who spent activations of each key that was issued."""
    return {last_five: entry["spent"] for last_five, entry in lab.keystore().items()}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def before(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, READ)


@pytest.fixture(scope="module")
def predicted(lab: Lab, before: Run, run_playbook: RunPlaybook) -> tuple[Run, bool]:
    """A run in check mode, and whether it spent anything."""
    earlier = spent(lab)
    run = run_playbook(lab, PLAY, "--check")
    return run, spent(lab) != earlier


@pytest.fixture(scope="module")
def done(lab: Lab, predicted: object, run_playbook: RunPlaybook) -> Run:
    lab.reset_counters()
    return run_playbook(lab, PLAY, "--diff")


@pytest.fixture(scope="module")
def again(lab: Lab, done: Run, run_playbook: RunPlaybook) -> tuple[Run, bool]:
    """A second run, and whether it spent anything."""
    earlier = spent(lab)
    run = run_playbook(lab, PLAY, "-l", ":".join(item["name"] for item in NEW))
    return run, spent(lab) != earlier


@pytest.mark.parametrize("name", [item["name"] for item in NEW])
def test_a_key_is_set_and_found_again(lab: Lab, done: Run, name: str) -> None:
    result = done.of(name)
    assert (result.status, result["changed"], result["problems"]) == ("ok", True, [])
    assert result["backend"] == "azure_local"
    assert result["avma"]["key_release"] == "2022"
    assert key_of(name)[-5:] in json.dumps(result["avma"]["result"])
    assert lab.machine(name)["azure_local"]["key"] == key_of(name)[-5:]
    assert spent(lab)[key_of(name)[-5:]] == [name]
    assert set_calls(lab, name) == 1


def test_a_second_run_sets_nothing(again: tuple[Run, bool]) -> None:
    assert (again[0].changed(), again[0].rc, again[1]) == (0, 0, False)


def test_a_key_that_was_taken_but_is_not_shown_is_not_claimed_to_be_proved(lab: Lab, done: Run) -> None:
    result = done.of("NEW-OPAQUE")
    assert (result.status, result["changed"]) == ("ok", True)
    assert [item["code"] for item in result["problems"]] == ["host_key_unproved"]
    assert "NEW-OPAQUE: The host took the key" in done.stdout
    assert spent(lab)[key_of("NEW-OPAQUE")[-5:]] == ["NEW-OPAQUE"]


def test_what_cannot_be_told_is_not_spent_again(lab: Lab, done: Run, run_playbook: RunPlaybook) -> None:
    names = ["NEW-OPAQUE", "OWN-LICENCE-OPAQUE"]
    assert [lab.machine(name)["azure_local"]["key"] for name in names] == [key_of(name)[-5:] for name in names]
    earlier = spent(lab)
    for _run in range(2):
        run = run_playbook(lab, PLAY.replace("{{ given.replace | default(omit) }}", "true"), "-l", ":".join(names))
        for name in names:
            result = run.of(name)
            assert (result.status, result["changed"], result["step"]) == ("ok", False, "nothing")
            assert [item["code"] for item in result["problems"]] == ["host_key_asked_for"]
            assert result["avma"]["asked_for"] == key_of(name)[-5:]
    assert spent(lab) == earlier


def test_a_key_in_the_hosts_own_licence_is_not_avma(lab: Lab, done: Run, before: Run) -> None:
    assert [item["code"] for item in before.of("OWN-LICENCE")["host"]["problems"]] == ["host_not_licensed"]
    result = done.of("OWN-LICENCE")
    assert (result.status, result["changed"], result["step"]) == ("ok", True, "install")
    assert lab.machine("OWN-LICENCE")["azure_local"]["key"] == key_of("OWN-LICENCE")[-5:]
    assert set_calls(lab, "OWN-LICENCE") == 1


def test_a_key_in_a_licence_of_another_kind_is_found(lab: Lab, done: Run) -> None:
    result = done.of("IN-A-ROW")
    assert (result.status, result["changed"], result["problems"]) == ("ok", False, [])
    assert set_calls(lab, "IN-A-ROW") == 0


@pytest.mark.parametrize("name", ["UNTOLD-FLAT", "UNTOLD-OPAQUE"])
def test_where_it_cannot_be_told_nothing_is_written_and_that_is_said(lab: Lab, done: Run, name: str) -> None:
    result = done.of(name)
    assert (result.status, result["changed"], result["step"]) == ("ok", False, "nothing")
    assert [item["code"] for item in result["problems"]] == ["host_key_unknown"]
    assert f"{name}: AVMA may be set up on the host already" in done.stdout
    assert set_calls(lab, name) == 0


@pytest.mark.parametrize("name", ["RIGHT-FLAT", "RIGHT-NESTED", "ANY-KEY"])
def test_a_host_that_works_is_left_alone(lab: Lab, done: Run, name: str) -> None:
    result = done.of(name)
    assert (result.status, result["changed"], result["problems"]) == ("ok", False, [])
    assert set_calls(lab, name) == 0


@pytest.mark.parametrize("name", ["SUBSCRIBED", "SUBSCRIBED-1.0"])
def test_a_subscription_needs_no_key(lab: Lab, done: Run, name: str) -> None:
    result = done.of(name)
    assert (result.status, result["changed"], result["problems"]) == ("ok", False, [])
    assert "no key is needed" in result["msg"]
    assert set_calls(lab, name) == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("OTHER-FLAT", "other_host_key"),
        ("OTHER-NESTED", "other_host_key"),
        ("NO-KEY", "no_host_key"),
        ("NO-UPDATE", "update_missing"),
    ],
)
def test_refused_before_any_write(lab: Lab, done: Run, name: str, code: str) -> None:
    result = done.of(name)
    assert (result.status, result["changed"]) == ("failed", False)
    assert [item["code"] for item in result["problems"]] == [code]
    assert set_calls(lab, name) == 0


@pytest.mark.parametrize(
    ("name", "hresult"),
    [
        *((f"REJECTED-{shape}", "0xC004F050") for shape in SHAPES),
        ("OLDER", "0xC004E016"),
        ("TOO-OLD", "0xC004F069"),
    ],
)
def test_rejected_whatever_the_shape_of_the_error(lab: Lab, done: Run, name: str, hresult: str) -> None:
    result = done.of(name)
    assert (result.status, result["changed"]) == ("failed", False)
    assert [(item["code"], item["hresult"]) for item in result["problems"]] == [("key_rejected", hresult)]
    assert "The key you entered didn't work." in result["msg"]
    assert lab.machine(name)["azure_local"]["key"] == (made_up_key("newer")[-5:] if name == "OLDER" else None)


def test_check_mode_predicts_what_is_spent(predicted: tuple[Run, bool], done: Run) -> None:
    run, anything_spent = predicted
    assert not anything_spent
    spending = {item["name"] for item in HOSTS if run.of(item["name"]).result.get("spends_activation")}
    rejected = {name for name in (item["name"] for item in HOSTS) if name.startswith("REJECTED")}
    new = {"NEW-FLAT", "NEW-NESTED", "NEW-OPAQUE", "OWN-LICENCE", "OWN-LICENCE-OPAQUE"}
    assert spending == {*new, "OLDER", "TOO-OLD", *rejected}


def test_keys_go_to_standard_input_only(lab: Lab, done: Run) -> None:
    for item in HOSTS:
        lines = "\n".join(lab.counters(item["name"])["command_lines"])
        # The journal shows of a key its last five characters.
        assert not item["variables"]["given"].get("product_key") or key_of(item["name"])[-5:] not in lines


def test_no_key_is_in_any_result(predicted: tuple[Run, bool], done: Run) -> None:
    for run in (predicted[0], done):
        text = run.stdout + json.dumps([result.result for result in run.results])
        assert [item["name"] for item in HOSTS if key_of(item["name"]) and key_of(item["name"]) in text] == []


@pytest.mark.parametrize(
    ("name", "activates", "known", "codes"),
    [
        ("RIGHT-FLAT", ["2016", "2019", "2022"], True, []),
        ("RIGHT-NESTED", ["2016", "2019", "2022"], True, []),
        ("UNTOLD-OPAQUE", [], False, ["host_avma_unknown"]),
        ("OLDER", ["2016", "2019", "2022", "2025"], True, []),
        ("SUBSCRIBED", ["2016", "2019", "2022", "2025"], True, []),
        ("SUBSCRIBED-1.0", ["2016", "2019", "2022", "2025"], True, []),
        ("NO-KEY", [], True, ["host_not_licensed"]),
        ("NO-UPDATE", [], True, ["update_missing"]),
    ],
)
def test_host_info(before: Run, name: str, activates: list[str], known: bool, codes: list[str]) -> None:
    host = before.of(name)["host"]
    assert host["backend"] == "azure_local"
    assert (host["activates"], host["activates_known"]) == (activates, known)
    assert [item["code"] for item in host["problems"]] == codes


def set_calls(lab: Lab, name: str) -> int:
    return sum("Set-VMAutomaticActivation" in line for line in lab.counters(name)["scripts"])
