"""Machines that need longer for an answer than the request allows: a read is made again, and what does not pass is told as slowness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

PLUGINS = ("winrm", "psrp")
#: Seconds that a request allows, and that the machine takes.
ALLOWED, TAKEN = 1, 2
PLAY = """
- hosts: WINRM-PASSING:PSRP-PASSING
  gather_facts: false
  tasks:
    - name: Read
      hyperv.avma.guest_info:
- hosts: WINRM-LASTING:PSRP-LASTING
  gather_facts: false
  tasks:
    - name: Change
      hyperv.avma.guest_key:
        timeout: 3
"""


def guest(plugin: str, name: str, **listener: Any) -> dict[str, Any]:
    limits = {
        "winrm": {
            "ansible_winrm_operation_timeout_sec": ALLOWED,
            "ansible_winrm_read_timeout_sec": ALLOWED + 20,
        },
        "psrp": {"ansible_psrp_operation_timeout": ALLOWED, "ansible_psrp_read_timeout": ALLOWED + 20},
    }
    return {
        "name": f"{plugin.upper()}-{name}",
        "license": "avma",
        "listener": {"connection": plugin, **listener},
        "variables": limits[plugin],
    }


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    hosts = [
        {
            "name": "HV",
            "license": "mak",
            "guests": [
                guest(plugin, name, **listener)
                for plugin in PLUGINS
                for name, listener in {
                    "PASSING": {"faults": [{"effect": "delay", "value": TAKEN, "times": 2}]},
                    "LASTING": {"delay": TAKEN},
                }.items()
            ],
        }
    ]
    with Lab({"hosts": hosts}) as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, PLAY)


@pytest.mark.wsman
@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_read_is_made_again(run: Run, plugin: str) -> None:
    result = run.of(f"{plugin.upper()}-PASSING", "Read")
    assert result.status == "ok", result
    assert result["guest"]["license"]["avma"] is True


@pytest.mark.wsman
@pytest.mark.parametrize("plugin", PLUGINS)
def test_what_lasts_is_told_as_slowness(run: Run, lab: Lab, plugin: str) -> None:
    name = f"{plugin.upper()}-LASTING"
    result = run.of(name, "Change")
    assert result.status == "failed"
    message = result["msg"]
    assert f"{name}: " in message
    assert "0x80338029 (ERROR_WSMAN_OPERATION_TIMEDOUT): the machine did not finish in the time" in message
    assert "The machine is slow: run again, with a longer timeout of the task" in message
    assert "slui" not in message
    assert name not in lab.writes()
