# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: host_activation_summary
short_description: What giving keys to many hosts would do, and what stands against it
version_added: 0.1.0
description:
  - Takes what the filter P(hyperv.avma.cluster_problems#filter) found across hosts, what M(hyperv.avma.host_info) returned for each of
    them, and what M(hyperv.avma.host_key) returned in check mode for those that may be changed.
  - Says what is wrong before the first write, and in which order to write.
options:
  _input:
    description: What P(hyperv.avma.cluster_problems#filter) returned.
    type: list
    elements: dict
    required: true
  reads:
    description: The registered results of M(hyperv.avma.host_info), by the name of the host.
    type: dict
    default: {}
  plans:
    description: The registered results of M(hyperv.avma.host_key) in check mode, by host; an empty one for those not to be changed.
    type: dict
    default: {}
  accepted:
    description: The codes of problems that do not count.
    type: list
    elements: str
    default: []
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Stop if anything is wrong with the hosts
  ansible.builtin.assert:
    that: summary.problems == []
  vars:
    summary: "{{ reads | hyperv.avma.cluster_problems(keys) | hyperv.avma.host_activation_summary(reads, plans) }}"
"""

RETURN = r"""
_value:
  description: The summary.
  type: dict
  contains:
    problems:
      description:
        - Every problem once, as the modules return them, with the C(hosts) that have it.
        - What an Azure Local host does not tell of its key does not count.
      type: list
      elements: dict
    messages:
      description: A line for each problem.
      type: list
      elements: str
    order:
      description: The hosts to change, those that are not activated first.
      type: list
      elements: str
    plan:
      description: A line for each host that may be changed, with what there is to do and whether an activation would be spent.
      type: list
      elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._fleet import host_activation


def host_activation_summary(
    problems: list[dict[str, Any]],
    reads: dict[str, Any] | None = None,
    plans: dict[str, Any] | None = None,
    accepted: list[str] | None = None,
) -> dict[str, Any]:
    """What there is to do and what is wrong."""
    try:
        return host_activation.summarize(problems, reads or {}, plans or {}, accepted or [])
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            "hyperv.avma.host_activation_summary: give it what cluster_problems, host_info and host_key returned"
        ) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"host_activation_summary": host_activation_summary}
