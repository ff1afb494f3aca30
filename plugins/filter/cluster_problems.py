# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_problems
short_description: What keeps hosts and their clusters from activating their guests
version_added: 0.1.0
description:
  - Takes what M(hyperv.avma.host_info) returned for many hosts, and returns what is wrong with each host and with each cluster - nodes that
    are down or were not read, nodes of different releases, and all that M(hyperv.avma.host_info) found.
  - With the keys that the hosts will get, it also returns what is wrong with these keys before one is written - a key is missing, is given
    to more than one host, has another release than those of the other nodes, or would replace a key that works. Problems that the keys will
    solve are left out then.
  - At most the last five characters of a key are returned.
options:
  _input:
    description:
      - The results of M(hyperv.avma.host_info), by the name of the host; also those of tasks that failed or did not reach their host, and
        nothing for a host that was not asked.
    type: dict
    required: true
  host_keys:
    description:
      - The keys that the hosts are to get, by the name of the host. Each is a dictionary of C(product_key), C(volume_key) and
        C(replace), as M(hyperv.avma.host_key) takes them, and C(release), the release of the key, which on Azure Local
        nothing else tells. Of C(product_key) the last five characters are enough.
      - A host that is not here is to stay as it is. Without this option, all are.
    type: dict
author:
  - The hyperv.avma authors (@hyperv-avma)
seealso:
  - module: hyperv.avma.host_info
  - module: hyperv.avma.host_key
"""

EXAMPLES = r"""
- name: Read the hosts
  hyperv.avma.host_info:
  register: host

- name: Stop if a host or cluster cannot activate its guests
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | map(attribute='message') }}"
  vars:
    facts: "{{ ansible_play_hosts_all | map('extract', hostvars) }}"
    results: "{{ dict(ansible_play_hosts_all | zip(facts | map(attribute='host', default={}))) }}"
    problems: "{{ results | hyperv.avma.cluster_problems }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: What is wrong; empty if nothing is.
  type: list
  elements: dict
  contains:
    code:
      description: A stable name of the problem.
      type: str
    message:
      description: What is wrong.
      type: str
    remedy:
      description: What to do about it.
      type: str
    hresult:
      description: What Windows said.
      type: str
      returned: when Windows said something
    hosts:
      description: The hosts that it is about, as the input calls them; a node that is not among them, as its cluster does.
      type: list
      elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._fleet.clusters import across_hosts
from ..plugin_utils._fleet.host_keys import validate_host_keys
from ..plugin_utils._fleet.identity import Hosts


def cluster_problems(
    results: dict[str, dict[str, Any] | None], host_keys: dict[str, dict[str, Any] | None] | None = None
) -> list[dict[str, Any]]:
    """What is wrong with hosts and clusters."""
    try:
        if host_keys is None:
            return across_hosts(Hosts(results))
        found = validate_host_keys(results, host_keys)
        return [{name: item[name] for name in item if name not in ("kind", "stops")} for item in found]
    except (AttributeError, KeyError, TypeError, ValueError):
        # Not "from" that error: it may repeat a key.
        raise AnsibleFilterError(
            "hyperv.avma.cluster_problems: give it dictionaries by host: what host_info returned, and the keys"
        ) from None


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"cluster_problems": cluster_problems}
