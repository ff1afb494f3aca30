# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_info
short_description: Read all hosts and guests of a play in one task
version_added: 0.2.0
description:
  - Reads what M(hyperv.avma.host_info) and M(hyperv.avma.vm_info) return for each host, and M(hyperv.avma.guest_info) for each guest. It
    reads many machines at the same time in one process, and changes nothing.
  - Each machine is reached with its own connection plugin, variables and credentials, as in a task that runs on it.
  - A machine that is unreachable or cannot be read is a problem in the result, and never fails the task.
  - If a guest has no problem, only its licence and its VM ID are read. If it has one, everything is read that may show the cause.
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
    description:
      - The group of the inventory that holds the guests. By default, all machines that are not hosts are guests.
      - A host of that group that is a virtual machine on Hyper-V itself (nested virtualization) is read as both.
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
  accepted_problems:
    description:
      - The codes of problems that do not count in RV(verdict). A problem of several machines counts at those that do not accept it.
      - An item may be a list.
    type: list
    elements: raw
    default: []
  guest_key:
    description:
      - What M(hyperv.avma.guest_key) or M(hyperv.avma.guest_edition) returned for the guest before, so that the reason of a failure is
        kept.
      - In check mode, RV(plan) counts them.
    type: dict
  pending_hosts:
    description: Hosts that will get their keys later in the run. What they can activate now does not count for RV(guests_to_activate).
    type: list
    elements: str
    default: []
  readings:
    description:
      - RV(readings) of an earlier task. The result contains them for the machines that are not read now.
    type: dict
    default: {}
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.info
  - hyperv.avma.common.fleet
notes:
  - With C(serial), it reads the machines of each batch.
  - O(activated_since), O(expected_hosts), O(key_overrides), O(events_since), O(accepted_problems) and O(guest_key) are evaluated for each
    machine, with its own variables.
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
      run_once: true
      register: fleet

    - name: Write the report
      hyperv.avma.report:
        results: "{{ fleet.readings }}"
        dest: avma-report
      run_once: true

- name: Have the recap say what is wrong at each machine
  hosts: "{{ (hostvars | default({}) | hyperv.avma.run_once_result('fleet')).recap | list }}"
  gather_facts: false
  tasks:
    - name: Say what is wrong
      hyperv.avma.fleet_recap:
        var: fleet
"""

RETURN = r"""
readings:
  description:
    - What was read, by the name of the machine in the inventory, then by the name of the module, with what that returns, as
      O(hyperv.avma.report#module:results) takes it.
    - A module that failed, or did not reach its machine, has C(failed) or C(unreachable), and C(msg). A machine that failed earlier in the
      play is not read again, and has no entry.
    - Of a guest without a problem, C(guest_info.guest.hypervisor) has the C(vm_id) only.
  returned: success
  type: dict
  sample:
    HV01:
      host_info: {unreachable: true, msg: 'no connection to http://hv01:5985/wsman, or it was cut (Connection refused)'}
fleet:
  description:
    - The same, joined by the identity of hosts and VMs, as C(avma-report.json) holds it; its schema is in
      C(docs/schemas/avma-report.schema.json).
  returned: success
  type: dict
  sample: {}
verdict:
  description:
    - The verdict on all machines.
  returned: success
  type: dict
  sample:
    accepted: []
    activated: ['WEB01: Windows Server 2022 Datacenter, activated by HV01.example.com at 2026-11-22T08:15:30Z']
    counts: {accepted: 0, guests: 1, hosts: 1, machines: 2, not_applicable: 0, not_read: 0, problems: 0, proved: 1, unknown: 0}
    line: 2 machines, 1 guest proved, 0 problems
    lines: ['2 machines, 1 guest proved, 0 problems']
    messages: []
    not_applicable: []
    not_read: []
    ok: true
    problems: []
    unknown: []
  contains:
    ok:
      description: Whether at least one machine was read and nothing is wrong.
      type: bool
    line:
      description: The verdict in one line.
      type: str
    lines:
      description: The verdict as lines to show, without the problems that count.
      type: list
      elements: str
    problems:
      description: As RV(problems).
      type: list
      elements: dict
    messages:
      description: A line for each problem.
      type: list
      elements: str
    accepted:
      description: A line for each problem that was accepted.
      type: list
      elements: str
    activated:
      description: A line for each guest that is proved.
      type: list
      elements: str
    not_read:
      description: The VMs that were not read themselves, but are known from their hosts.
      type: list
      elements: str
    not_applicable:
      description: The guests for which there is no AVMA.
      type: list
      elements: str
    unknown:
      description: What could not be determined. It counts neither as correct nor as wrong.
      type: list
      elements: str
    counts:
      description: How many there are of each.
      type: dict
problems:
  description:
    - The problems that were not accepted, as M(hyperv.avma.guest_key) returns them. Each has its C(kind), its C(machines), and in C(at) the
      names of these in the inventory. If the task failed, the reason.
  returned: always
  type: list
  elements: dict
  sample: []
recap:
  description: The machines of the inventory that have problems, for M(hyperv.avma.fleet_recap).
  returned: success
  type: dict
  sample:
    WEB01: {failed: true, msg: 'WEB01: not_avma: Windows is not activated by its host.'}
unread:
  description: The machines that were unreachable or could not be read.
  returned: success
  type: list
  elements: str
  sample: []
plan:
  description: >-
    What would be done after O(guest_key) was returned in check mode, a line for each thing, with how many hosts or guests it concerns.
  returned: in check mode, with O(guest_key)
  type: list
  elements: str
  version_added: 0.2.0
  sample: ['would activate: 2 guests (WEB01, WEB02)', 'would leave as they are, already activated: 1 guest (SQL01)']
guests_to_activate:
  description: >-
    The guests of the inventory that M(hyperv.avma.guest_key) has to change. Each has the entry of its VM in
    RV(hyperv.avma.vm_info#module:vms), or null if that is not known.
  returned: success
  type: dict
  sample: {WEB02: null}
guests_to_renew:
  description: >-
    The guests that one of certain hosts is to activate, each with these hosts as Windows calls them: those in O(expected_hosts); without
    that option, all hosts of this run for a guest that was activated by a host whose word does not count, and is on one of them now, as
    after a move or when its host was renamed.
  returned: success
  type: dict
  version_added: 0.2.0
  sample: {WEB02: [HV01.example.com]}
"""
