# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: unattend_info
short_description: Read which product keys an answer file has and whether they fit an image
version_added: 0.1.0
description:
  - Reads an answer file of Windows Setup and returns which product keys it has, to which release and edition they belong, and what is wrong
    with them for an image.
  - Of a key that is not public, only the last five characters are shown.
extends_documentation_fragment:
  - hyperv.avma.unattend
attributes:
  diff_mode:
    support: N/A
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
seealso:
  - module: hyperv.avma.unattend_key
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read the answer file
  hyperv.avma.unattend_info:
    path: files/autounattend.xml
    release: '2022'
    edition: Standard
  register: avma

- name: Insist on the right key
  ansible.builtin.assert:
    that: avma.answer_file.problems | length == 0
"""

RETURN = r"""
answer_file:
  description: What the answer file contains.
  returned: success
  type: dict
  contains:
    path:
      description: The answer file.
      type: str
      sample: /srv/images/autounattend.xml
    images:
      description: The names of the images that it installs (C(/IMAGE/NAME)), for O(architecture).
      type: list
      elements: str
      sample: [Windows Server 2022 SERVERSTANDARD]
    keys:
      description: Its product keys, of all architectures, as M(hyperv.avma.unattend_key) returns them.
      type: list
      elements: dict
      sample:
        - architecture: amd64
          channel: Volume:GVLK
          component: Microsoft-Windows-Shell-Setup
          content: key
          edition: Datacenter
          partial_product_key: VMK7H
          pass: specialize
          release: '2022'
          setting: ProductKey
    problems:
      description: >-
        What is wrong with those of O(architecture), as M(hyperv.avma.guest_key) returns it; empty if Windows gets the right AVMA key.
      type: list
      elements: dict
      sample: []
problems:
  description: Why nothing could be read, as M(hyperv.avma.guest_key) returns them.
  returned: failure
  type: list
  elements: dict
"""
