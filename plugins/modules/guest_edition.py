# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: guest_edition
short_description: Convert a Windows Server guest of an evaluation edition to the full edition
version_added: 0.2.0
description:
  - Converts an evaluation edition of Windows Server to the full one with DISM, restarts the machine, and waits until Windows is back and
    says that it is the full edition. A machine that has no evaluation edition is not changed.
  - The machine says which editions it can be converted to (C(DISM /Get-TargetEditions)). For Standard on Server Core, for example, DISM
    offers only Datacenter. The module then fails and says so, and converts to Datacenter only if O(edition) asks for it.
  - Before it changes anything, the module refuses a domain controller, a machine that waits for a reboot, an edition that DISM does not
    offer, a conversion between Server Core and Desktop Experience, and a guest that its host is known not to activate afterwards. The
    conversion cannot be undone, and the evaluation's licence ends with it.
  - The product key for the conversion is the KMS client key of the edition. Microsoft publishes it, so it may appear in the command line of
    DISM, where administrators of the machine and its logs can see it. It does not activate Windows; M(hyperv.avma.guest_key) does that
    afterwards.
  - DISM takes some minutes, and its progress is shown. It continues if the connection is cut or the run on the controller ends. The next
    run continues from there, also if the reboot is still missing.
  - If Windows is back after its restart, still is the evaluation edition, and has waited for no other restart for five minutes, or for a
    quarter of O(timeout) if that is less, the module fails and says that the conversion did not take effect. It does not fail earlier,
    because users report that Windows can restart a second time by itself.
  - The output of DISM is in C(%SystemRoot%\\Temp\\hyperv.avma.guest_edition.log) on the machine.
options:
  edition:
    description:
      - The edition that the machine gets, V(Datacenter) or V(Standard), in any usual spelling.
      - By default, the edition that corresponds to the evaluation edition.
      - A machine that has a full edition other than this one is refused.
    type: str
  release:
    description: The release that the machine must have, as O(hyperv.avma.guest_key#module:release). A machine with another one is refused.
    type: str
  channel:
    description:
      - By which key the machine is to be activated after the conversion, as O(hyperv.avma.guest_key#module:channel).
      - With V(avma), a machine is refused before it is converted if its host is known not to activate it.
      - With V(kms), its host is not looked at.
    type: str
    choices: [avma, kms]
    default: avma
  vm:
    description: What the host says about the guest's virtual machine, as O(hyperv.avma.guest_key#module:vm).
    type: dict
  reboot:
    description:
      - Whether to restart the machine and wait for it. The new edition takes effect after the restart.
      - With V(false), the edition is set, and RV(reboot_required) says so; restart the machine, or run again with V(true).
    type: bool
    default: true
  timeout:
    description: For how many seconds to wait for DISM and for the machine to restart.
    type: int
    default: 3600
extends_documentation_fragment:
  - hyperv.avma.common
attributes:
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
notes:
  - Starts programs on the machine, C(dism.exe), C(cmd.exe) and C(shutdown.exe), which needs a user that may open a shell.
seealso:
  - module: hyperv.avma.guest_key
  - name: Upgrade and conversion options for Windows Server
    description: Microsoft's documentation of the conversion.
    link: https://learn.microsoft.com/windows-server/get-started/upgrade-conversion-options
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Make a full edition of an evaluation
  hyperv.avma.guest_edition:

- name: Have the host activate it
  hyperv.avma.guest_key:

- name: Server Core of Standard can become Datacenter only, for which there is a licence
  hyperv.avma.guest_edition:
    edition: Datacenter
"""

RETURN = r"""
system:
  description: What Windows the machine runs, after the conversion if it was restarted; as M(hyperv.avma.guest_key) returns it.
  returned: when the machine could be read
  type: dict
  sample: {build: 20348, core: false, edition: Standard, evaluation: false, name: Windows Server 2022, release: '2022', sku: 7}
target_edition:
  description: The edition that the machine is or would be converted to, as DISM names it; null if there is nothing to convert.
  returned: when the machine could be read
  type: str
  sample: ServerStandard
reboot_required:
  description: Whether the machine must be restarted for the new edition to take effect.
  returned: when the machine could be read
  type: bool
rebooted:
  description: Whether the machine was restarted.
  returned: when the machine could be read
  type: bool
problems:
  description:
    - Why the machine was not converted, as M(hyperv.avma.guest_key) returns them.
    - In check mode also V(host_unknown), if it is not known whether the host activates the guest afterwards.
  returned: always
  type: list
  elements: dict
  sample: []
"""
