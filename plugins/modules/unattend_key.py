# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: unattend_key
short_description: Put the AVMA key of an image into an answer file of Windows Setup
version_added: 0.1.0
description:
  - Puts the AVMA key of a Windows Server release and edition into an answer file, so that a new virtual machine has it from the start.
  - The key goes to C(Microsoft-Windows-Shell-Setup/ProductKey) in the pass C(specialize), which both Setup from an ISO and a
    generalized image read. With O(select_image), the KMS client key of the image goes to
    C(Microsoft-Windows-Setup/UserData/ProductKey/Key) in the pass C(windowsPE), by which Setup chooses the image to install.
  - If the answer file names an image (C(/IMAGE/NAME)) that is clearly another release or edition, the module prints a warning and returns
    it in RV(problems).
  - A component with a placeholder for C(processorArchitecture), such as V(%arch%), is treated as one of O(architecture), unless there is a
    component of exactly that architecture.
  - If there is text or an element that does not belong in the place of the key, the file is refused.
  - An answer file that exists is edited in place. Everything but the key stays as it is, byte for byte, with its comments, formatting,
    namespaces, encoding and line endings. A file that already has the key is not changed.
  - An answer file that does not exist is created, with nothing but the key.
options:
  product_key:
    description:
      - The AVMA key to put there, in place of the one that is documented for the release and edition.
      - The generic AVMA keys are public, so this option is not treated as a secret.
    type: str
  select_image:
    description:
      - Whether a key chooses the image that Setup installs. This is the KMS client key of O(release) and O(edition), which Microsoft
        publishes too, because Windows Setup is known to refuse AVMA keys there. Windows is still activated with the AVMA key.
      - With V(false), a key in the pass C(windowsPE) is left as it is. An empty key is correct if the file names its image (C(/IMAGE/NAME),
        C(/IMAGE/INDEX)).
    type: bool
    default: false
  backup:
    description: Whether to keep a copy of an answer file that is changed, with the time in its name.
    type: bool
    default: false
extends_documentation_fragment:
  - hyperv.avma.unattend
seealso:
  - module: hyperv.avma.unattend_info
  - module: hyperv.avma.guest_key
  - name: Microsoft-Windows-Shell-Setup ProductKey
    description: Microsoft's documentation of the setting.
    link: https://learn.microsoft.com/windows-hardware/customize/desktop/unattend/microsoft-windows-shell-setup-productkey
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Give the image its AVMA key
  hyperv.avma.unattend_key:
    path: files/autounattend.xml
    release: Windows Server 2025
    edition: Datacenter
    select_image: true
    backup: true
"""

RETURN = r"""
path:
  description: The answer file.
  returned: success
  type: str
  sample: /srv/images/autounattend.xml
keys:
  description: The product keys that the answer file has now, or would have.
  returned: success
  type: list
  elements: dict
  sample:
    - architecture: amd64
      channel: VT:IA
      component: Microsoft-Windows-Shell-Setup
      content: key
      edition: Datacenter
      partial_product_key: VCH67
      pass: specialize
      release: '2025'
      setting: ProductKey
  contains:
    pass:
      description: The configuration pass.
      type: str
    component:
      description: The component.
      type: str
    setting:
      description: The setting in the component.
      type: str
    architecture:
      description: The C(processorArchitecture) of the component.
      type: str
    content:
      description:
        - What stands there, V(key) for a whole product key, V(empty), V(truncated), V(masked), V(placeholder) for a variable of a template,
          or V(other).
      type: str
    partial_product_key:
      description: The last five characters of the key; null if it is no whole key.
      type: str
    release:
      description: To which release the key belongs; null if it is not a public key.
      type: str
    edition:
      description: To which edition the key belongs; null if it is not a public key.
      type: str
    channel:
      description: V(VT:IA) for an AVMA key, V(Volume:GVLK) for a KMS client key; null if it is not a public key.
      type: str
backup_file:
  description: The copy of the former answer file.
  returned: when O(backup) is true and a file was changed
  type: str
  sample: /srv/images/autounattend.xml.4711.2026-11-22@08:15:30~
problems:
  description:
    - What is wrong, as M(hyperv.avma.guest_key) returns it.
    - If the task did not fail, only that the answer file names another image.
  returned: always
  type: list
  elements: dict
  sample: []
"""
