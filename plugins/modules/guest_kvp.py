# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: guest_kvp
short_description: Read or remove key-value pairs that a guest offers to its host
version_added: 0.1.0
description:
  - Reads the key-value pairs (KVP) that a Windows guest offers to its Hyper-V host, which are the values of the registry key
    C(HKLM\SOFTWARE\Microsoft\Virtual Machine\Guest) in the guest, and removes those that are named.
  - Microsoft documents that KVP data should be removed when an AVMA key is replaced by another kind of product key, but not which values
    that are. The module does not guess. Read the values, and name those to remove.
  - The subkey C(Parameters), in which the host describes itself, is neither read nor changed.
options:
  remove:
    description:
      - The names of the values to remove, in any case. A name that is not there is no error.
      - By default, nothing is removed.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - hyperv.avma.common
notes:
  - A value takes one request to read. M(hyperv.avma.vm_info) reads all values that the host has at once.
  - KVP data is not secured. An administrator of the guest can write it.
seealso:
  - module: hyperv.avma.guest_key
  - module: hyperv.avma.vm_info
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read what the guest offers to its host
  hyperv.avma.guest_kvp:
  register: avma

- name: Remove what an earlier activation by a host has left
  hyperv.avma.guest_kvp:
    remove: [ContosoActivationHost, ContosoActivationTime]
"""

RETURN = r"""
kvp:
  description: The values by name, without those that were removed; null for one that is not a string (C(REG_SZ)).
  returned: success
  type: dict
  sample: {ContosoApplication: web shop}
removed:
  description: The names of the values that were removed, or in check mode would be.
  returned: success
  type: list
  elements: str
  sample: [ContosoActivationHost, ContosoActivationTime]
problems:
  description: What is wrong, as M(hyperv.avma.guest_key) returns it.
  returned: failure
  type: list
  elements: dict
  sample: []
"""
