# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_keys
short_description: Give all hosts of a play the keys by which they activate their guests
version_added: 0.2.0
description:
  - Does for all hosts of the play in one task what M(hyperv.avma.host_key) does for one host.
  - First it reads all hosts and checks them together, each with its key. If there is a problem, the task fails with the whole list, and no
    host has been changed.
  - Then one host after the other gets its key. Hosts that are not activated come first. The module reads each host back and stops at the
    first failure. Hosts that are done stay as they are. The next run continues from there and does not spend an activation twice.
  - A key is for one host, unless it is a volume key. A key that another host has now is refused, even if that host gets another key in the
    same task, because its activation is not given back.
  - Strategy, forks, the order of the inventory and C(serial) make no difference.
  - In check mode it says which hosts would change, and which would spend an activation.
options:
  product_key:
    description:
      - The host's own product key. It is a secret; keep it in a vault. At most its last five characters are shown.
      - Not needed for a host that is activated, whatever its key, and on Azure Local with a Windows Server subscription.
    type: str
  volume_key:
    description: Whether the key is a volume key, which more than one host may have.
    type: bool
    default: false
  key_release:
    description:
      - The release of the key on an Azure Local host. The key itself does not say it. If it is set, and the other nodes have keys of
        another release, the key is refused before it is written.
      - C(2019), C(2022) or C(2025), in any spelling that O(hyperv.avma.guest_key#module:release) takes.
    type: str
  replace:
    description:
      - Whether to replace another key that works; on Azure Local, also whether to set the key if the host does not say which key it uses.
    type: bool
    default: false
  activate:
    description: On Windows Server, whether to activate, not only to install the key. Azure Local does both at once.
    type: bool
    default: true
  timeout:
    description: For how many seconds to wait for the activation of each host, and to repeat what Windows may accept later.
    type: int
    default: 120
  accepted_problems:
    description:
      - The codes of problems that do not stop the task, such as V(mixed_os_releases) while a cluster is upgraded.
      - A problem of several hosts must be accepted by each of them. An item may be a list.
    type: list
    elements: raw
    default: []
  targets:
    description: The hosts that may be changed, as hosts or groups of the inventory; the others of the play are only read. By default, all.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.fleet
notes:
  - All options but O(targets) are evaluated for each host, with its own variables. No key passes through a fact or a registered variable.
  - The play must have all nodes of a cluster. With C(serial), the first batch does it for all hosts of the play.
seealso:
  - module: hyperv.avma.host_key
  - module: hyperv.avma.fleet_recap
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Give the hosts their keys
  hosts: avma_hosts
  gather_facts: false
  tasks:
    # Each host has a vault_host_product_key of its own, in its host_vars.
    - name: Validate all, then write one after the other
      hyperv.avma.host_keys:
        product_key: "{{ vault_host_product_key }}"
      delegate_to: localhost
      run_once: true
"""

RETURN = r"""
plan:
  description: What there was to do, a line for each host that may be changed.
  returned: when the options are right
  type: list
  elements: str
  sample: ['NODE1: install the key ending in 6YPG3, an activation would be spent', 'NODE2: nothing to do']
hosts:
  description:
    - What M(hyperv.avma.host_key) returned for each host that may be changed; for one that was not written, what it returned in check mode.
    - A host that could not be read has none.
  returned: when the options are right
  type: dict
  sample:
    NODE1: {changed: true, partial_product_key: 6YPG3, problems: [], spends_activation: true, step: install}
written:
  description: The hosts that were given their key or activated, in this order, with the one that failed.
  returned: when the options are right
  type: list
  elements: str
  sample: [NODE1]
readings:
  description: What M(hyperv.avma.host_info) returns for each host at the end, as RV(hyperv.avma.fleet_info#module:readings).
  returned: when the options are right
  type: dict
  sample: {}
problems:
  description:
    - What is wrong, as M(hyperv.avma.guest_key) returns it, each with C(hosts), the hosts that it is about. If the task failed before the
      first write, these are all problems that were found; if it failed later, those of the host that failed. Otherwise, those that are
      left.
  returned: always
  type: list
  elements: dict
  sample:
    - code: duplicate_host_key
      hosts: [NODE1, NODE2]
      message: 'The key ending in 6YPG3 is meant for more than one host: NODE1, NODE2.'
      remedy: 'Give each host a key of its own, or declare a volume key as one (volume_key: true).'
recap:
  description: The hosts that were changed or failed, for M(hyperv.avma.fleet_recap).
  returned: when the options are right
  type: dict
  sample:
    NODE1: {changed: true}
"""
