# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vm_data_exchange
short_description: Switch Data Exchange or the Guest Service Interface of virtual machines on or off
version_added: 0.1.0
description:
  - Switches the Data Exchange (key-value pair exchange) integration service of virtual machines, on their Hyper-V host. Automatic Virtual
    Machine Activation (AVMA) needs it, according to Microsoft.
  - Switches the Guest Service Interface as well (O(service=guest_service_interface)), which guests of Azure Edition need on Azure Local.
  - The module finds the service by its ID, so the language of the host does not matter. The task succeeds if the state that is read back is
    the requested one.
  - If one virtual machine fails, the module still tries the others.
options:
  name:
    description:
      - The names or IDs of the virtual machines. If several have the same name, all of them are switched.
      - A name that the host does not have fails the task before anything is written.
      - By default, all virtual machines of the host.
    type: list
    elements: str
    default: []
  service:
    description:
      - Which integration service to switch.
      - The Guest Service Interface, V(guest_service_interface), is part of Azure verification for VMs, which Azure Edition guests on Azure
        Local need; a guest with Windows Server 2022 also needs the update KB5036909 or a newer one.
    type: str
    choices: [data_exchange, guest_service_interface]
    default: data_exchange
    version_added: 0.2.0
  state:
    description: Whether the service must be on or off.
    type: str
    choices: [enabled, disabled]
    default: enabled
  timeout:
    description: For how many seconds to wait for Hyper-V in all.
    type: int
    default: 120
extends_documentation_fragment:
  - hyperv.avma.common
notes:
  - On a host with Windows Server 2012 R2 the setting goes through C(ModifyResourceSettings), because it lacks the newer method. Microsoft
    does not document whether that method accepts this setting; if it does not, the task fails.
seealso:
  - module: hyperv.avma.vm_info
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Data Exchange is on for all virtual machines of the host
  hyperv.avma.vm_data_exchange:

- name: Data Exchange is on for the virtual machine that this guest runs in
  hyperv.avma.vm_data_exchange:
    name: ["{{ inventory_hostname_short }}"]
  delegate_to: HV01

- name: Azure Edition guests on Azure Local also need the Guest Service Interface
  hyperv.avma.vm_data_exchange:
    name: [avd01]
    service: guest_service_interface
"""

RETURN = r"""
vms:
  description: The virtual machines, as read at the end.
  returned: when the host could be read
  type: list
  elements: dict
  sample:
    - changed: true
      data_exchange: true
      id: 8B0F3A0E-51E4-4A3B-8E66-2E6C5A6B5E11
      name: web01
      problems: []
  contains:
    name:
      description: The name of the virtual machine.
      type: str
    id:
      description: Its ID.
      type: str
    data_exchange:
      description: Whether its Data Exchange service is on; null if the virtual machine has left the host since.
      returned: when O(service=data_exchange)
      type: bool
    guest_service_interface:
      description: Whether its Guest Service Interface is on; null if the virtual machine has left the host since.
      returned: when O(service=guest_service_interface)
      type: bool
    changed:
      description: Whether the service had the other state before.
      type: bool
    problems:
      description: Why it could not be switched, as RV(problems).
      type: list
      elements: dict
problems:
  description: What is wrong; empty unless the task failed.
  returned: always
  type: list
  elements: dict
  sample:
    - code: data_exchange_not_switched
      message: 'Data Exchange of the VM web01 could not be switched: its job has not ended in time.'
      remedy: See the event log Hyper-V-VMMS of the host, then run again.
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
"""
