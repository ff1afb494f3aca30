# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Read all hosts and guests of a play in one task
version_added: 0.2.0
description:
  - Reads what M(hyperv.avma.host_info) and M(hyperv.avma.vm_info) say of each host, and M(hyperv.avma.guest_info) of each guest,
    of many at the same time in one process. It changes nothing.
  - Each machine is reached as a task on it would reach it, with its own connection plugin, variables and credentials.
  - A machine that is unreachable or cannot be read is a problem in the result, and never fails the task.
  - A guest without a problem is asked for its licence and its VM ID only; of one with a problem, all is read that may tell why.
options:
  machines:
    description:
      - Which machines to read, as hosts or groups of the inventory. They need not be in the play.
      - By default, all machines of the play that are in O(hosts_group) or O(guests_group), and have not failed before.
    type: list
    elements: str
  hosts_group:
    description: The group of the inventory that holds the Hyper-V and Azure Local hosts.
    type: str
    default: avma_hosts
  guests_group:
    description: The group of the inventory that holds the guests. By default, all machines that are no hosts are guests.
    type: str
  activated_since:
    description: The oldest activation that counts, as for M(hyperv.avma.guest_info).
    type: str
  expected_hosts:
    description: The hosts of which one must have activated the guest, as for M(hyperv.avma.guest_info).
    type: list
    elements: str
    default: []
  key_overrides:
    description: Additions to the table of AVMA keys, as for M(hyperv.avma.guest_key).
    type: dict
    default: {}
  events_since:
    description:
      - How far back to read the activations that each machine has logged, as O(hyperv.avma.activation_event_info#module:since).
      - By default, they are not read.
    type: str
  readings:
    description:
      - RV(readings) of an earlier task. Those of the machines that are not read now are in the result as they were.
    type: dict
    default: {}
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.info
  - hyperv.avma.common.fleet
notes:
  - With C(serial), it reads the machines of each batch.
  - O(activated_since), O(expected_hosts), O(key_overrides) and O(events_since) are evaluated for each machine, with its own variables.
seealso:
  - module: hyperv.avma.host_info
  - module: hyperv.avma.vm_info
  - module: hyperv.avma.guest_info
  - module: hyperv.avma.report
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Report on all hosts and guests
  hosts: avma_hosts:avma_guests
  gather_facts: false
  tasks:
    - name: Read them
      hyperv.avma.fleet_info:
        events_since: 30d
      delegate_to: localhost
      register: fleet

    - name: Write the report
      hyperv.avma.report:
        results: "{{ fleet.readings }}"
        dest: avma-report
      run_once: true
"""

RETURN = r"""
readings:
  description:
    - What was read, by the name of the machine in the inventory, then by the name of the module, with what that returns, as
      O(hyperv.avma.report#module:results) takes it.
    - A module that failed, or did not reach its machine, has C(failed) or C(unreachable), and C(msg). A machine that failed earlier in
      the play is not asked again, and has nothing.
    - Of a guest without a problem, C(guest_info.guest.hypervisor) has the C(vm_id) only.
  returned: success
  type: dict
  sample:
    HV01:
      host_info: {unreachable: true, msg: 'no connection to http://hv01:5985/wsman, or it was cut (Connection refused)'}
problems:
  description: What is wrong with the task, as M(hyperv.avma.guest_key) returns it; empty unless it failed.
  returned: failure
  type: list
  elements: dict
  sample: []
"""
