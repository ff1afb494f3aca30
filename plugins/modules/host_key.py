# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_key
short_description: Give a host the key by which it activates its guests
version_added: 0.1.0
description:
  - Makes a Hyper-V host able to activate its guests by Automatic Virtual Machine Activation (AVMA), and proves it by what is read back.
  - On Windows Server Datacenter the product key is installed, and Windows is activated with it. On Azure Local, which is told by its
    SKU, the key is set with C(Set-VMAutomaticActivation) of the module ServerAVMAManager; with an active Windows Server subscription
    no key is needed, and none is set.
  - A key may be spendable once, and to replace one may burn an activation for good. So a host whose key ends in the same five
    characters is left alone; one that has the key and is not activated, as after a run that was cut off, is activated only; and
    another key that works is not touched without O(replace), in whatever grace period Windows is since it was activated with it. The
    licence must hold the key that is activated, before and after.
  - A KMS client needs no key. One that is not activated is activated by its KMS host or Active Directory, which spends nothing.
  - Refuses before any write a host without the Hyper-V role, an edition other than Datacenter, an evaluation edition, an Azure Local host
    without the update that brings ServerAVMAManager, one of Microsoft's public AVMA and KMS client keys, a key that another host
    was given in the same run, the key of a KMS host (CSVLK) that is in the way, and a connection that is not encrypted.
  - A key that Windows rejects leaves the former one in place. One that Windows takes and does not activate has taken the place of the
    former one, which RV(problems) tells; a KMS client key is put back and activated again.
options:
  product_key:
    description:
      - The host's own product key, a secret; keep it in a vault. At most its last five characters are ever shown.
      - Not needed for a host that is activated, whatever its key, for a KMS client, and on Azure Local with a Windows Server subscription.
    type: str
  volume_key:
    description:
      - Whether the key is a volume key, which more than one host may have. Without it, a key is refused for every host but the first that
        was given it in the same run of Ansible.
    type: bool
    default: false
  replace:
    description:
      - Whether to replace another key that works.
      - On Azure Local, also whether to set the key if the host does not tell which key it uses.
      - In a virtual machine of Azure, also whether to spend the key there, where hosts activate no guests.
    type: bool
    default: false
  activate:
    description:
      - On Windows Server, whether to activate, not only to install the key. Azure Local does both at once.
    type: bool
    default: true
  timeout:
    description:
      - For how many seconds to wait for the activation, to try again what Windows may accept later, and to ask again what it is too
        slow or too busy to answer.
    type: int
    default: 120
extends_documentation_fragment:
  - hyperv.avma.common
notes:
  - What C(Get-VMAutomaticActivation) returns is documented nowhere, so nothing depends on its shape. The key is found in it, or
    in the host's licences, by its last five characters. If neither tells which key the host uses and AVMA may be set up, nothing is
    written without O(replace), and RV(problems) and a warning say so.
  - On Azure Local the host remembers the last five characters of the key that it is asked to set, in the value C(ProductKeyAskedFor) of
    C(HKLM\SOFTWARE\hyperv.avma), until it is known what came of it. As long as that is not known, the key is not set again.
  - On Azure Local the key goes to a script of a few cmdlets on standard input, never on a command line. Where module logging of PowerShell
    is on, Windows itself writes the arguments of C(Set-VMAutomaticActivation) to its event log.
  - To check the keys of a whole cluster before the first of them is written, use the role P(hyperv.avma.host_activation#role).
seealso:
  - module: hyperv.avma.host_info
  - plugin: hyperv.avma.cluster_problems
    plugin_type: filter
  - name: Activate Windows Server VMs on Azure Local
    description: Microsoft's documentation of host keys and subscriptions.
    link: https://learn.microsoft.com/azure/azure-local/manage/vm-activate
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Activate the host with its own key
  hyperv.avma.host_key:
    product_key: "{{ vault_host_product_key }}"

- name: Make sure that the host is activated, whatever its key
  hyperv.avma.host_key:

- name: Replace the key of the host by a volume key
  hyperv.avma.host_key:
    product_key: "{{ vault_volume_key }}"
    volume_key: true
    replace: true
"""

RETURN = r"""
backend:
  description: >-
    Where the host has the right to activate guests from: V(windows_server), the licence of its own Windows, or V(azure_local),
    ServerAVMAManager.
  returned: when the host could be read
  type: str
  sample: windows_server
license:
  description: The licence row of the host's own Windows as read at the end, as M(hyperv.avma.guest_key) returns it; null if it has none.
  returned: when the host could be read
  type: dict
  sample:
    activation_id: 34c1d6a2-6e5d-5c2e-9e43-1d9b6c4a8f10
    avma: false
    channel: Volume:MAK
    grace_minutes: 0
    name: Windows(R), ServerDatacenter edition
    partial_product_key: 6YPG3
    reason: null
    status: licensed
avma:
  description: What an Azure Local host says of its AVMA, as M(hyperv.avma.host_info) returns it; null on Windows Server.
  returned: when the host could be read
  type: dict
  sample: null
partial_product_key:
  description: The last five characters of O(product_key); null without one.
  returned: when the key is one for a host
  type: str
  sample: 6YPG3
step:
  description: >-
    What there is to do: V(nothing); V(activate), as the key is installed; or V(install) the key, and activate if that is wanted.
  returned: when the host could be read
  type: str
  sample: install
spends_activation:
  description:
    - Whether the task asks Microsoft for an activation, which some keys have only one of. In check mode, whether it would.
  returned: when the host could be read
  type: bool
  sample: true
problems:
  description:
    - What is wrong, as M(hyperv.avma.guest_key) returns it.
    - Not empty without a failure only if an Azure Local host does not tell which key it uses, or if the host is a virtual machine of Azure.
  returned: always
  type: list
  elements: dict
  sample:
    - code: key_rejected
      hresult: '0xC004F050'
      message: >-
        Windows rejected the key ending in 6YPG3: 0xC004F050 (SL_E_INVALID_PRODUCT_KEY): the product key is invalid.
      remedy: Check the key for typing errors, for dashes changed by a word processor, and that it is of this release.
"""
