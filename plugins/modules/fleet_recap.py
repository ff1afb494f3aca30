# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_recap
short_description: Report at each machine what one task found for all machines
version_added: 0.2.0
description:
  - Ansible counts a task that works on many machines, M(hyperv.avma.fleet_info) or M(hyperv.avma.host_keys), only at the first host of its
    play. This module runs in a play of the machines concerned, and reports each of them as C(changed), C(failed) or C(unreachable), as that
    task found it. So Ansible's recap is correct for each machine.
  - Nothing is sent to the machine. A machine without a problem does not have to be in that play.
options:
  var:
    description: The name of the variable that the task registered; the name only, as for M(ansible.builtin.debug).
    type: str
    required: true
extends_documentation_fragment:
  - hyperv.avma.common.controller
seealso:
  - module: hyperv.avma.fleet_info
  - module: hyperv.avma.host_keys
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Give the hosts their keys
  hosts: avma_hosts
  gather_facts: false
  tasks:
    - name: Give the hosts their keys
      hyperv.avma.host_keys:
        product_key: "{{ vault_host_product_key }}"
      delegate_to: localhost
      run_once: true
      register: host_keys
      failed_when: host_keys.recap is not defined

- name: Say it at the hosts concerned
  hosts: "{{ (hostvars | default({}) | hyperv.avma.run_once_result('host_keys')).recap | list }}"
  gather_facts: false
  tasks:
    - name: Say what came of it
      hyperv.avma.fleet_recap:
        var: host_keys
"""

RETURN = r"""
msg:
  description: What is wrong with the machine, a line for each problem.
  returned: failure
  type: str
  sample: 'HV01: no_host_key: The host is not activated, and no product key is given for it. Give it a key of its own in product_key.'
problems:
  description: What is wrong with the task, as M(hyperv.avma.guest_key) returns it.
  returned: when O(var) is wrong
  type: list
  elements: dict
  sample: []
"""
