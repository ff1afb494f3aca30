# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: verification_summary
short_description: The verdict over many hosts and guests
version_added: 0.1.0
description:
  - Joins what hosts and guests told of themselves, and says which host activated which guest, and everything that is wrong - with each,
    across clusters, and where a failover would lose an activation.
  - A machine that failed or was unreachable is a problem like the others.
options:
  _input:
    description:
      - What was read, as the O(hyperv.avma.report#module:results) of M(hyperv.avma.report).
    type: dict
    required: true
  accepted:
    description: The codes of problems that do not count.
    type: list
    elements: str
    default: []
seealso:
  - module: hyperv.avma.report
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read the guest
  hyperv.avma.guest_info:
  register: read

- name: Fail if anything is wrong with it
  ansible.builtin.assert:
    that: summary.problems == []
  vars:
    summary: "{{ {inventory_hostname: {'guest_info': read}} | hyperv.avma.verification_summary }}"
"""

RETURN = r"""
_value:
  description: The verdict.
  type: dict
  contains:
    activated:
      description: A line for each guest that is proved to be activated and has no problem, with its host and the time.
      type: list
      elements: str
    not_read:
      description: The virtual machines that their hosts know, and that were not asked themselves.
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

from collections.abc import Callable, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._fleet.fleet import build_fleet
from ..plugin_utils._fleet.verdict import accepted_codes, judge


def verification_summary(
    results: dict[str, Any], accepted: str | Sequence[str] = (), expected_hosts: Sequence[str] | None = None
) -> dict[str, Any]:
    """The verdict over many hosts and guests."""
    try:
        codes = accepted_codes(accepted)
    except ValueError as error:
        raise AnsibleFilterError(f"hyperv.avma.verification_summary: {error}") from error
    try:
        return judge(build_fleet(results, expected_hosts=expected_hosts or None), codes).to_dict()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            "hyperv.avma.verification_summary: give it what the modules returned, by the name of the machine and of the module"
        ) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"verification_summary": verification_summary}
