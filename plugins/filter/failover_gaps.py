# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: failover_gaps
short_description: Where guests would lose their activation after a failover
version_added: 0.1.0
description:
  - Takes what M(hyperv.avma.vm_info) and M(hyperv.avma.host_info) returned for many hosts, and returns, for each virtual machine (VM), the
    nodes that may own it and would not activate its guest.
  - The nodes that may own a VM are its possible owners in the cluster, or if they are not known, all nodes of the cluster of
    its host. A VM on a host without a cluster stays there.
  - A VM whose guest is not known, or for which there is no AVMA key, is left out. The C(problems) that M(hyperv.avma.vm_info) returns for
    it say why.
options:
  _input:
    description: The results of M(hyperv.avma.vm_info), by the name of the host; nothing for a host that was not asked.
    type: dict
    required: true
  hosts:
    description: The results of M(hyperv.avma.host_info), by the name of the host, as for P(hyperv.avma.cluster_problems#filter).
    type: dict
    required: true
author:
  - The hyperv.avma authors (@hyperv-avma)
seealso:
  - module: hyperv.avma.vm_info
  - module: hyperv.avma.host_info
  - plugin: hyperv.avma.cluster_problems
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the hosts
  hyperv.avma.host_info:
  register: host

- name: Read their virtual machines
  hyperv.avma.vm_info:
  register: vms

- name: Show which virtual machines must not move where
  ansible.builtin.debug:
    msg: "{{ item.vm }} on {{ item.node }}: {{ item.reason }}"
  loop: "{{ vm_results | hyperv.avma.failover_gaps(host_results) }}"
  loop_control:
    label: "{{ item.vm }}"
  vars:
    facts: "{{ ansible_play_hosts | map('extract', hostvars) }}"
    vm_results: "{{ dict(ansible_play_hosts | zip(facts | map(attribute='vms'))) }}"
    host_results: "{{ dict(ansible_play_hosts | zip(facts | map(attribute='host'))) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The gaps; empty if every guest stays activated on all nodes that may own it.
  type: list
  elements: dict
  sample:
    - code: host_release_too_old
      id: 8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11
      node: NODE3
      owner: NODE1
      reason: >-
        The host NODE3 that runs this guest cannot activate it: it activates 2012 R2, 2016, 2019, and the guest is Windows Server 2022
        Datacenter.
      remedy: Run the VM on a host of its release or a newer one.
      vm: web01
  contains:
    vm:
      description: The name of the VM.
      type: str
    id:
      description: Its ID.
      type: str
    owner:
      description: The host that it is on.
      type: str
    node:
      description: The node on which it would not be activated, which can be the one that it is on.
      type: str
    code:
      description: A stable name of the problem, as in the C(problems) of M(hyperv.avma.vm_info).
      type: str
    reason:
      description: Why not, or why that is not known.
      type: str
    remedy:
      description: What to do about it.
      type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._fleet import clusters


def failover_gaps(
    vms: dict[str, dict[str, Any] | None], hosts: dict[str, dict[str, Any] | None]
) -> list[dict[str, str]]:
    """Where guests would lose their activation."""
    try:
        return clusters.failover_gaps(vms, hosts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            "hyperv.avma.failover_gaps: give it dictionaries by host: what vm_info and what host_info returned"
        ) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"failover_gaps": failover_gaps}
