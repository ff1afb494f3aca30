# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: verification_summary
short_description: The verdict over many guests
version_added: 0.1.0
description:
  - Takes what M(hyperv.avma.guest_info) returned for each of many guests, and says which host activated which guest, and everything that
    is wrong.
  - A guest that failed or was unreachable is a problem like the others.
options:
  _input:
    description: The registered results, by the name of the machine; an empty result stands for a machine that was lost before.
    type: dict
    required: true
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Fail if anything is wrong with these two
  ansible.builtin.assert:
    that: summary.problems == []
  vars:
    summary: "{{ {'web01': web01_result, 'web02': web02_result} | hyperv.avma.verification_summary }}"
"""

RETURN = r"""
_value:
  description: The verdict.
  type: dict
  contains:
    activated:
      description: A line for each guest without problems, with the host that activated it and when.
      type: list
      elements: str
    problems:
      description: Every problem, as the modules return them, with the C(machine) that has it.
      type: list
      elements: dict
    messages:
      description: A line for each problem.
      type: list
      elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._avma import verification


def verification_summary(results: dict[str, Any]) -> dict[str, Any]:
    """The verdict over many guests."""
    try:
        return verification.summarize(results)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            "hyperv.avma.verification_summary: give it the results of guest_info, by the name of the machine"
        ) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"verification_summary": verification_summary}
