# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: run_once_result
short_description: What a task with run_once registered in an earlier play
version_added: 0.2.0
description:
  - Ansible registers the result of a task with C(run_once) for all hosts of its play. In another play, whose hosts may be others, this
    filter returns the result of the first host in the inventory that has it.
  - It can be used where a play names its hosts. There, V(hostvars) is not defined with options like C(--list-hosts), and needs a default.
options:
  _input:
    description: V(hostvars).
    type: dict
    required: true
  name:
    description: The variable that the result was registered in.
    type: str
    required: true
positional: name
author:
  - The hyperv.avma authors (@hyperv-avma)
seealso:
  - module: hyperv.avma.fleet_info
  - module: hyperv.avma.fleet_recap
"""

EXAMPLES = r"""
- name: Say at each machine what is wrong with it
  hosts: "{{ (hostvars | default({}) | hyperv.avma.run_once_result('fleet')).recap | default({}) | list }}"
  gather_facts: false
  tasks:
    - name: Say what is wrong
      hyperv.avma.fleet_recap:
        var: fleet
"""

RETURN = r"""
_value:
  description: The result; an empty dictionary if no host has it, as when the task did not run.
  type: raw
"""

from collections.abc import Callable, Mapping
from typing import Any


def run_once_result(hostvars: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    """The result that was registered in a variable, of the first host that has it."""
    # One after the other, since the variables of each host take time.
    return next((variables[name] for host in hostvars if name in (variables := hostvars[host])), {})


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"run_once_result": run_once_result}
