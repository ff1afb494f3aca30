# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_key
short_description: Give a host the key by which it activates its guests
version_added: 0.1.0
description:
  - Makes a Hyper-V host able to activate its guests by Automatic Virtual Machine Activation (AVMA), and proves it by reading the licence
    back.
  - On Windows Server Datacenter, the module installs the product key and activates Windows with it. On Azure Local, which has a SKU of its
    own, it sets the key with C(Set-VMAutomaticActivation) of the module ServerAVMAManager; with an active Windows Server subscription, no
    key is needed and none is set.
  - Some keys can be activated only once, and replacing a key may lose an activation forever. So the module does not change a host whose key
    ends in the same five characters. If the host has the key and is not activated, for example after a run that was interrupted, the module
    only activates it. It replaces another key that works only with O(replace). A key that Windows was activated with counts as working in a
    grace period too. The licence must have the same key before and after the activation.
  - A KMS client needs no key. If it is not activated, its KMS host or Active Directory activates it, which spends no activation.
  - Before any write, the module refuses a host without the Hyper-V role, an edition other than Datacenter, an evaluation edition, an Azure
    Local host without the update that brings ServerAVMAManager, one of Microsoft's public AVMA and KMS client keys, a key that another host
    was given in the same run, a host that has the key of a KMS host (CSVLK), and a connection that is not encrypted.
  - If Windows rejects the key, the former key stays. If Windows accepts the key and does not activate it, the former key is gone, and
    RV(problems) says so. Only a KMS client key is put back and activated again.
options:
  product_key:
    description:
      - The host's own product key. It is a secret; keep it in a vault. At most its last five characters are shown.
      - Not needed for a host that is activated, whatever its key, for a KMS client, and on Azure Local with a Windows Server subscription.
    type: str
  volume_key:
    description:
      - Whether the key is a volume key, which more than one host may have. If not, the module refuses the key for every host except the
        first one that gets it in the same run of Ansible.
    type: bool
    default: false
  replace:
    description:
      - Whether to replace another key that works.
      - On Azure Local, also whether to set the key if the host does not say which key it uses.
      - In a virtual machine of Azure, also whether to use the key there, although such hosts activate no guests.
    type: bool
    default: false
  activate:
    description:
      - On Windows Server, whether to activate, not only to install the key. Azure Local does both at once.
    type: bool
    default: true
  timeout:
    description:
      - For how many seconds to wait for the activation, to repeat what Windows may accept later, and to ask again if Windows is too slow or
        too busy to answer.
    type: int
    default: 120
extends_documentation_fragment:
  - hyperv.avma.common
notes:
  - What C(Get-VMAutomaticActivation) returns is not documented, so nothing depends on its form. The module finds the key in it, or in the
    host's licences, by its last five characters. If neither says which key the host uses and AVMA may be set up, the module writes nothing
    without O(replace), and reports that in RV(problems) and in a warning.
  - On Azure Local the host remembers the last five characters of the key that it is asked to set, in the value C(ProductKeyAskedFor) of
    C(HKLM\SOFTWARE\hyperv.avma), until the result is known. Until then, the module does not set the key again.
  - On Azure Local the key goes to a script of a few cmdlets on standard input, never on a command line. If module logging of PowerShell is
    on, Windows itself writes the arguments of C(Set-VMAutomaticActivation) to its event log.
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
    What gives the host the right to activate guests: V(windows_server), the licence of its own Windows, or V(azure_local),
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
    What there is to do: V(nothing); V(activate) if the key is installed already; or V(install), to install the key and, with
    O(activate=true), activate it.
  returned: when the host could be read
  type: str
  sample: install
spends_activation:
  description:
    - Whether the task spends an activation of the key. Some keys have only one. In check mode, whether it would.
  returned: when the host could be read
  type: bool
  sample: true
problems:
  description:
    - What is wrong, as M(hyperv.avma.guest_key) returns it.
    - If the task did not fail, it is empty, unless an Azure Local host does not say which key it uses or the host is a virtual machine of
      Azure.
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
