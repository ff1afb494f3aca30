# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read what a host is and which guests it can activate
version_added: 0.1.0
description:
  - Reads the release, edition, Hyper-V role and licence of a Hyper-V host, or how AVMA is set up on an Azure Local host; its failover
    cluster with the state of the nodes; the releases whose guests it can activate; and says what is wrong.
  - A host with a pay-as-you-go licence through Azure Arc activates no guests. It is not known how to recognize such a host, so the module
    does not report it. Its guests get C(0xC004FD02).
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.info
seealso:
  - module: hyperv.avma.host_key
  - module: hyperv.avma.vm_info
  - plugin: hyperv.avma.cluster_problems
    plugin_type: filter
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read the host
  hyperv.avma.host_info:
  register: avma

- name: Insist that it can activate guests of Windows Server 2022
  ansible.builtin.assert:
    that: "'2022' in avma.host.activates"
"""

RETURN = r"""
host:
  description: What the host is and can activate.
  returned: success
  type: dict
  contains:
    name:
      description: The computer name, which its cluster uses too.
      type: str
      sample: NODE1
    fqdn:
      description: The full DNS name, from its computer name and its domain; null if it is in no domain.
      type: str
      sample: NODE1.lab.example
    azure_vm:
      description: >-
        Whether the host is itself a virtual machine of Azure or Azure Stack Hub, according to the asset tag. In Azure, hosts
        activate no guests, however they are licensed.
      type: bool
      sample: false
    cluster_service:
      description: Whether the cluster service runs. If not, RV(host.cluster) is null.
      type: bool
      sample: true
    system:
      description: What Windows the host runs, as M(hyperv.avma.guest_key) returns it.
      type: dict
      sample: {build: 20348, core: true, edition: Datacenter, evaluation: false, name: Windows Server 2022, release: '2022', sku: 147}
    backend:
      description: >-
        What gives the host the right to activate guests: V(windows_server), the licence of its own Windows, or
        V(azure_local), ServerAVMAManager.
      type: str
      sample: windows_server
    hyperv:
      description: Whether the Hyper-V role is installed.
      type: bool
      sample: true
    license:
      description: The licence row of the host's own Windows, as M(hyperv.avma.guest_key) returns it; null if no product key is installed.
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
      description: What an Azure Local host says of its AVMA; null on Windows Server.
      type: dict
      sample:
        error: null
        license_last_fives: []
        asked_for: null
        answered: false
        key_release: '2022'
        module: '1.1'
        result:
          - {ComputerName: AZL1, KeyVersion: Windows Server 2022, ProductKey: XXXXX-XXXXX-XXXXX-XXXXX-D8F36, Status: Configured}
        set_up: true
        subscribed: false
        subscription: Disabled
      contains:
        module:
          description: The version of the module ServerAVMAManager; null if the host lacks the update that brings it.
          type: str
        subscription:
          description: The status of the Windows Server subscription; null if the host knows of none.
          type: str
        subscribed:
          description: Whether that subscription is active, so that no key is needed.
          type: bool
        set_up:
          description: Whether a key or subscription activates guests; null if that is not known.
          type: bool
        key_release:
          description: The release of the host's key, if the result names exactly one; else null.
          type: str
        result:
          description: >-
            What C(Get-VMAutomaticActivation) returned, whatever its shape, with whole keys cut down to their last five characters.
          type: raw
        error:
          description: Why it returned nothing, in the host's language; null if it returned something.
          type: str
        license_last_fives:
          description: The last five characters of keys in licence rows that are not that of the host's own Windows.
          type: list
          elements: str
        asked_for:
          description: >-
            The last five characters of the key that M(hyperv.avma.host_key) asked the host to set, if the result is not
            known; else null.
          type: str
        answered:
          description: Whether the host answered that request.
          type: bool
    cluster:
      description: The failover cluster; null if the host is no node of one, its cluster service does not run, or it does not tell.
      type: dict
      sample: {name: HVCLUSTER, nodes: [{name: NODE1, state: up}, {name: NODE2, state: down}]}
      contains:
        name:
          description: The name of the cluster.
          type: str
        nodes:
          description: Its nodes.
          type: list
          elements: dict
          contains:
            name:
              description: The computer name of the node.
              type: str
            state:
              description: V(up), V(down), V(paused), V(joining) or V(unknown), as this host sees it.
              type: str
    activates:
      description: The releases whose guests the host activates, in all their editions but Azure Edition, which takes Azure Local.
      type: list
      elements: str
      sample: ['2012 R2', '2016', '2019', '2022']
    activates_known:
      description:
        - Whether RV(host.activates) is known. It is not known for an Azure Local host that does not say which release its key has.
      type: bool
      sample: true
    problems:
      description: What keeps the host from activating guests, as M(hyperv.avma.guest_key) returns it; empty if nothing does.
      type: list
      elements: dict
      sample: []
problems:
  description: Why nothing could be read, as M(hyperv.avma.guest_key) returns them.
  returned: failure
  type: list
  elements: dict
"""
