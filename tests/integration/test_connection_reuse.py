"""Each request goes where the variables of its own task and item say, whatever connection there was before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab
from lab.keys import made_up_key

pytestmark = pytest.mark.wsman

NAMES = ["HV01", "HV02", "HV03"]
KEYS = {name: made_up_key(f"reuse-{name}") for name in NAMES}
TOPOLOGY = {
    "keys": [{"key": key, "release": "2022", "channel": "mak", "activations": 1} for key in KEYS.values()],
    "defaults": {"all": {"listener": {"tls": False, "authentication": ["negotiate"]}}},
    "hosts": [{"name": name, "release": "2022", "variables": {"host_key": KEYS[name]}} for name in NAMES],
}
# All machines are at one address: only their ports tell them apart, as behind tunnels or NAT.
PLAY = """
- hosts: HV01
  gather_facts: false
  tasks:
    - name: Machines
      hyperv.avma.host_info:
      delegate_to: "{{ item }}"
      loop: [HV01, HV02, HV03, HV01]

    - name: Keys
      hyperv.avma.host_key:
        product_key: "{{ hostvars[item].host_key }}"
      delegate_to: "{{ item }}"
      loop: [HV02, HV03, HV01]

    - name: Passwords
      hyperv.avma.host_info:
      vars:
        ansible_password: "{{ item }}"
      loop: ["{{ hostvars.HV01.ansible_password }}", wrong]
      ignore_unreachable: true

    - name: Users
      hyperv.avma.host_info:
      vars:
        ansible_user: "{{ item }}"
      loop: [Administrator, nobody]
      ignore_unreachable: true

    - name: Another machine from here on
      ansible.builtin.set_fact:
        ansible_port: "{{ hostvars.HV02.ansible_port }}"

    - name: Other port
      hyperv.avma.host_info:

    - ansible.builtin.meta: reset_connection

    - name: After reset
      hyperv.avma.host_info:

    - name: Another address from here on
      ansible.builtin.set_fact:
        ansible_host: localhost
        ansible_port: "{{ hostvars.HV03.ansible_port }}"

    - name: Another address
      hyperv.avma.host_info:
"""


@pytest.fixture(scope="module", params=["winrm", "psrp"])
def story(request: pytest.FixtureRequest, run_playbook: RunPlaybook) -> Iterator[tuple[Lab, Run]]:
    with Lab(TOPOLOGY) as lab:
        yield lab, run_playbook(lab, PLAY, "-e", f"ansible_connection={request.param}")


def names(run: Run, task: str) -> list[str | None]:
    """Which machine answered for each item."""
    return [item["host"]["name"] if "host" in item else None for item in run.of("HV01", task)["results"]]


def test_a_loop_asks_each_machine(story: tuple[Lab, Run]) -> None:
    assert names(story[1], "Machines") == ["HV01", "HV02", "HV03", "HV01"]


def test_a_loop_gives_each_host_its_own_key(story: tuple[Lab, Run]) -> None:
    lab, run = story
    assert {key: value["spent"] for key, value in lab.keystore().items()} == {
        key[-5:]: [name] for name, key in KEYS.items()
    }
    assert [item["changed"] for item in run.of("HV01", "Keys")["results"]] == [True] * 3


@pytest.mark.parametrize("task", ["Passwords", "Users"])
def test_another_login_within_a_loop_is_another_login(story: tuple[Lab, Run], task: str) -> None:
    first, second = story[1].of("HV01", task)["results"]
    assert first["host"]["name"] == "HV01"
    assert second["unreachable"]
    assert "rejected the credentials" in second["msg"]


@pytest.mark.parametrize(
    ("task", "name"), [("Other port", "HV02"), ("After reset", "HV02"), ("Another address", "HV03")]
)
def test_changed_variables_count_from_the_next_task_on(story: tuple[Lab, Run], task: str, name: str) -> None:
    assert story[1].of("HV01", task)["host"]["name"] == name
