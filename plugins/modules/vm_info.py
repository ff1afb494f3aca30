# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_info
short_description: Read the virtual machines of a host, the AVMA key each needs, and whether the host can activate it
version_added: 0.1.0
description:
  - Reads the virtual machines of a Hyper-V or Azure Local host without access to their guests. What Windows a guest runs comes from Data
    Exchange (KVP), by which the guest describes itself to its host.
  - Returns for each guest the Automatic Virtual Machine Activation (AVMA) key of its release and edition, whether this host can activate
    it, and if not, why.
  - The number of requests does not depend on the number of virtual machines, except for the pages of long answers. It takes one more if a
    guest reports no IP address.
options:
  name:
    description:
      - Read only the virtual machines with one of these names or IDs. A name that the host does not have is ignored.
      - By default, all of them.
    type: list
    elements: str
    default: []
  key_overrides:
    description:
      - Additions to the table of AVMA keys, as O(hyperv.avma.guest_key#module:key_overrides).
    type: dict
    default: {}
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.info
notes:
  - An administrator of a guest can write anything into its KVP items. Use them as a hint, and prove them with M(hyperv.avma.guest_info).
  - A guest that is not running reports nothing.
seealso:
  - module: hyperv.avma.vm_data_exchange
  - module: hyperv.avma.guest_key
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read all virtual machines of the host
  hyperv.avma.vm_info:
  register: host

- name: Show what this host cannot activate, and why
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.problems | map(attribute='message') | join(' ') }}"
  loop: "{{ host.vms | rejectattr('eligible', 'true') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
vms:
  description: The virtual machines, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - addresses: [192.0.2.17, 'fe80::215:5dff:fe00:11']
      architecture: x64
      avma_key: W3GNR-8DDXR-2TFRP-H8P33-DV9BG
      clustered: true
      data_exchange: true
      guest_service_interface: null
      eligible: true
      fqdn: web01.lab.example
      id: 8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11
      kvp: {FullyQualifiedDomainName: web01.lab.example, OSBuildNumber: '20348', OSEditionId: '8', OSName: Windows Server 2022 Datacenter}
      name: web01
      possible_owners: [HV01, HV02]
      problems: []
      rdp_addresses: [192.0.2.17]
      replication_mode: none
      service_pack: null
      state: running
      system: {build: 20348, core: false, edition: Datacenter, evaluation: false, name: Windows Server 2022, release: '2022', sku: 8}
  contains:
    name:
      description: The name of the virtual machine.
      type: str
    id:
      description: Its ID.
      type: str
    state:
      description: >-
        V(running), V(off), V(saved), V(paused), V(starting), V(stopping), V(saving), V(pausing), V(resuming), or V(other).
      type: str
    system:
      description: What Windows its guest runs, as M(hyperv.avma.guest_key) returns it; null if that is not known, or not Windows.
      type: dict
    fqdn:
      description: The name of its guest, with domain; null if it is not known.
      type: str
    addresses:
      description:
        - The IP addresses of its guest, IPv4 first, without zones.
        - Those that the guest reports over Data Exchange, or if it reports none, those that the host knows for its network adapters.
      type: list
      elements: str
    rdp_addresses:
      description: The addresses at which its guest takes Remote Desktop connections.
      type: list
      elements: str
    service_pack:
      description: The service pack of its guest; null if there is none.
      type: str
    architecture:
      description: V(x64), V(x86), V(arm64), or what the guest calls it; null if it is not known.
      type: str
    kvp:
      description: All KVP items of its guest, by name; if a program of the guest wrote an item with the same name, the item of the system
        is used.
      type: dict
    data_exchange:
      description: Whether its Data Exchange integration service is on.
      type: bool
    guest_service_interface:
      description:
        - Whether its Guest Service Interface is on, which guests of Azure Edition need on Azure Local; null on other hosts.
      type: bool
    possible_owners:
      description: The cluster nodes that may own it; empty if it is not clustered, or that is not known.
      type: list
      elements: str
    clustered:
      description:
        - Whether it is a role of the failover cluster of its host; null if the host has none, or that is not known.
        - A role has the name of its VM. If the host owns a role whose name is not that of any of its VMs, for example after a VM was
          renamed, the value is null for each VM without a role of its name.
      type: bool
    replication_mode:
      description: >-
        Its part in Hyper-V Replica: V(none), V(primary), V(replica), V(test_replica) or V(extended_replica); null if that is not known.
      type: str
    avma_key:
      description: The AVMA key that its guest needs; null if there is none, or the guest is not known.
      type: str
    eligible:
      description: Whether this host can activate its guest; null if that is not known.
      type: bool
    problems:
      description: Why the host cannot activate its guest, or why that is not known.
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
problems:
  description: Why nothing could be read, as M(hyperv.avma.guest_key) returns them.
  returned: failure
  type: list
  elements: dict
"""
