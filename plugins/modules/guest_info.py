# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: guest_info
short_description: Read how a guest is activated
version_added: 0.1.0
description:
  - Reads the release, edition and licence of a Windows Server guest, which host activated it and when, what the guest knows about its host,
    and its last activation events. Returns what is wrong.
options:
  activated_since:
    description:
      - An activation before this time is a problem. AVMA renews activations automatically, so an old activation means that it no longer
        does.
      - A moment in ISO 8601, in UTC unless it has an offset, or an age such as V(14d) by the clock of the controller, which is a number and
        one of C(s), C(m), C(h), C(d), C(w).
    type: str
  expected_hosts:
    description:
      - The hosts of which one must have activated the guest. An activation by another host is a problem. Names are with or without domain.
      - By default, any host may have activated it.
    type: list
    elements: str
    default: []
  gather_subset:
    description:
      - What to read beside the system and its licence.
      - V(hypervisor) and V(events) take some more requests each. V(min) reads neither.
    type: list
    elements: str
    choices: [all, min, hypervisor, events]
    default: [all]
  key_overrides:
    description:
      - Additions to the table of AVMA keys, as for M(hyperv.avma.guest_key).
    type: dict
    default: {}
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.info
seealso:
  - module: hyperv.avma.guest_key
  - plugin: hyperv.avma.activated_by
    plugin_type: test
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read how the guest is activated
  hyperv.avma.guest_info:
  register: avma

- name: Show by which host
  ansible.builtin.debug:
    var: avma.guest.activation

- name: Insist on a host of this cluster
  ansible.builtin.assert:
    that: avma.guest is hyperv.avma.activated_by(['HV01', 'HV02'])
"""

RETURN = r"""
guest:
  description: How the guest is activated.
  returned: success
  type: dict
  contains:
    connection:
      description: How the guest was reached.
      type: dict
      sample: {host: null, plugin: winrm}
      contains:
        plugin:
          description: The connection plugin, V(winrm), V(psrp), V(ssh) or V(hyperv.avma.powershell_direct).
          type: str
        host:
          description: The Hyper-V host through which it was reached, by its name in the inventory; null if none.
          type: str
    fqdn:
      description: >-
        The full DNS name, from its computer name and its domain; null if it is in no domain, or the hypervisor was not
        gathered.
      type: str
      sample: web01.lab.example
    system:
      description: What Windows the guest runs, as M(hyperv.avma.guest_key) returns it.
      type: dict
      sample: {build: 20348, core: false, edition: Datacenter, evaluation: false, name: Windows Server 2022, release: '2022', sku: 8}
    license:
      description: The licence row of Windows, as M(hyperv.avma.guest_key) returns it; null if no product key is installed.
      type: dict
      sample:
        activation_id: 21c56779-b449-4d20-adfc-eece0e1ad74b
        avma: true
        channel: VT:IA
        grace_minutes: 10080
        name: Windows(R), ServerDatacenter edition
        partial_product_key: DV9BG
        reason: null
        status: licensed
    activation:
      description: Which host activated the guest, as M(hyperv.avma.guest_key) returns it; null if none did.
      type: dict
      sample: {host: HV01, host_pid: 00491-50000-00001-AA666, iaid: 4f4d6ad4-6fc5-4e3e-9d5e-3dbcd7e0f0a1, time: '2026-11-22T08:15:30Z'}
    hypervisor:
      description:
        - What the guest knows about its host; null if it was not gathered.
        - The host writes these values, so they are missing or out of date if Data Exchange is off.
      type: dict
      sample:
        activation_component: true
        data_exchange: true
        host: HV01
        host_fqdn: HV01.lab.example
        host_sku: 8
        host_version: '10.0'
        nested_level: 0
        vm_id: 8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11
        vm_name: web01
      contains:
        host:
          description: The name of the host.
          type: str
        host_fqdn:
          description: The name of the host with its domain.
          type: str
        host_sku:
          description: The C(OperatingSystemSKU) of the host.
          type: int
        host_version:
          description: Major and minor version of the host's Windows.
          type: str
        nested_level:
          description: Above 0 if the host is a virtual machine itself (C(HostingSystemNestedLevel)).
          type: int
        vm_id:
          description: The ID of the virtual machine.
          type: str
        vm_name:
          description: The name of the virtual machine on its host.
          type: str
        activation_component:
          description: Whether the guest has the Microsoft Hyper-V Activation Component device.
          type: bool
        data_exchange:
          description: Whether Data Exchange works in the guest, by its device and its service; null if the two do not agree.
          type: bool
    events:
      description: The last events 12309 of the Application log, newest first; empty if they were not gathered.
      type: list
      elements: dict
      sample:
        - hresult: '0x00000000'
          id: 12309
          outcome: success
          record: 4711
          strings: ['0x00000000', '']
          symbol: S_OK
          time: '2026-11-22T08:15:30Z'
      contains:
        id:
          description: The event ID.
          type: int
        record:
          description: The record number.
          type: int
        time:
          description: When it was logged, in UTC.
          type: str
        outcome:
          description: V(success), V(invalid_host), V(invalid_data), V(denied) or V(other), from the HRESULT.
          type: str
        hresult:
          description: The HRESULT; null if the event holds none.
          type: str
        symbol:
          description: Its symbol; null if it is not known.
          type: str
        strings:
          description: The insertion strings as logged.
          type: list
          elements: str
    problems:
      description: What is wrong, as M(hyperv.avma.guest_key) returns it; empty if a host has activated the guest as required.
      type: list
      elements: dict
      sample: []
problems:
  description: Why nothing could be read, as M(hyperv.avma.guest_key) returns them.
  returned: failure
  type: list
  elements: dict
"""
