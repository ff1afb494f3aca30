# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write a report on hosts, guests and their activation
version_added: 0.1.0
description:
  - Writes what was read from hosts and guests as one page to read and as files for programs.
  - C(avma-report.html) is one page that loads nothing from other places. It shows clusters, problems, hosts, guests with the host that
    activated each and when, where a failover would lose an activation, and the history of activations.
  - C(avma-report.json) holds the same; its schema is in the collection's repository, C(docs/schemas/avma-report.schema.json).
  - C(avma-report.csv) is a table of the guests, and C(avma-report.xml) has a JUnit test case for each host and guest.
  - The report has at most the last five characters of a product key.
  - The role C(hyperv.avma.report) reads the machines and calls this module.
options:
  results:
    description:
      - What was read, by the name of the machine in the inventory, then by the name of the module, with what that returned. These are
        C(host_info), C(vm_info) and C(activation_event_info) for a host, C(guest_info) and C(activation_event_info) for a guest.
      - A module that failed, or did not reach its machine, has its failed result, which is a problem in the report.
    type: dict
    default: {}
  merge:
    description:
      - Files C(avma-report.json) of earlier runs on the controller, such as those of other clusters, of other sites, or of the slices of a
        job. The report contains all their machines and those of O(results).
      - A machine that is in more than one report is in the new report once, as it was read last. A host is identified by its full DNS name,
        a guest by the ID of its VM. Problems across hosts are determined again. Different machines with the same name in different
        inventories stay separate.
      - A relative path starts at the current directory.
    type: list
    elements: path
    default: []
  expected_hosts:
    description:
      - The hosts of which one must have activated each guest; a guest that names another host is a problem.
      - By default, these are the hosts in the report and the nodes of their clusters.
    type: list
    elements: str
    default: []
  dest:
    description:
      - The folder on the controller to write to; it is created if it does not exist. A relative path starts at the current directory.
    type: path
    required: true
  title:
    description: The title of the report.
    type: str
    default: AVMA report
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    support: none
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  platform:
    support: full
    platforms: posix
    description: Target OS/families that can be operated against.
  action:
    support: full
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
  async:
    support: none
    description: Supports being used with the C(async) keyword.
  become:
    support: none
    description: Is usable alongside C(become) keywords.
  connection:
    support: none
    description: Uses the target's configured connection information to execute code on it.
  delegation:
    support: none
    description: Can be used in conjunction with C(delegate_to) and related keywords.
notes:
  - Runs on the controller, whatever the target; nothing is sent to the target.
  - The files contain the time at which they were made. If only that time differs from the former report, the task is not reported as
    changed.
seealso:
  - module: hyperv.avma.host_info
  - module: hyperv.avma.vm_info
  - module: hyperv.avma.guest_info
  - module: hyperv.avma.activation_event_info
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read the guest
  hyperv.avma.guest_info:
  register: guest

- name: Write a report on this guest alone
  hyperv.avma.report:
    results: "{{ {inventory_hostname: {'guest_info': guest}} }}"
    dest: reports/{{ inventory_hostname }}

- name: Make one report of those of two sites
  hyperv.avma.report:
    merge: [site-a/avma-report.json, site-b/avma-report.json]
    dest: all-sites
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
files:
  description: The files of the report.
  returned: success
  type: list
  elements: str
  sample: [/srv/report/avma-report.html, /srv/report/avma-report.json, /srv/report/avma-report.csv, /srv/report/avma-report.xml]
msg:
  description: Where the page is.
  returned: success
  type: str
  sample: The report is in /srv/report/avma-report.html
summary:
  description: How many hosts and guests there are, by verdict, and how many failover gaps.
  returned: success
  type: dict
  sample:
    failover_gaps: 0
    guests: {activated: 11, attention: 1, not_applicable: 0, not_read: 0, total: 12}
    hosts: {attention: 0, ready: 4, total: 4, unknown: 0}
  contains:
    hosts:
      description: Hosts that are V(ready) to activate guests, that need V(attention), and for which that is V(unknown).
      type: dict
    guests:
      description: >-
        Guests that are proved V(activated) and without problems, need V(attention), or were V(not_read) themselves, and those
        for which there is no AVMA, such as Linux, clients, and replicas of Hyper-V Replica (V(not_applicable)).
      type: dict
    failover_gaps:
      description: The number of pairs of a guest and a node that may own it and would not activate it.
      type: int
problems:
  description: What is wrong, as M(hyperv.avma.guest_key) returns it; empty unless the task failed.
  returned: always
  type: list
  elements: dict
  sample: []
"""
