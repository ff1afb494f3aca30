# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What the modules of this collection have in common."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  platform:
    support: full
    platforms: windows
    description: Target OS/families that can be operated against.
  action:
    support: full
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
  async:
    support: none
    description: Supports being used with the C(async) keyword.
  become:
    support: none
    description: Is usable alongside C(become) keywords.
  delegation:
    support: full
    description: Can be used in conjunction with C(delegate_to) and related keywords.
notes:
  - Runs on the controller and uses WMI over the connection of the play, which must be P(ansible.builtin.winrm#connection),
    P(ansible.builtin.psrp#connection), P(ansible.builtin.ssh#connection) or P(hyperv.avma.powershell_direct#connection).
  - Over WinRM, no PowerShell is started on the target, except on an Azure Local host to read or set its AVMA, for which Windows has no
    WMI class. Over the other connections, a PowerShell script of a few CIM cmdlets sends the requests to WMI.
  - WMI runs as the user of the connection, who must be an administrator of the target. C(become) does not apply.
  - Verified against simulated Windows machines, recorded answers of real ones, and Microsoft's documentation.
"""

    INFO = r"""
attributes:
  diff_mode:
    support: N/A
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
"""

    FLEET = r"""
attributes:
  delegation:
    support: full
    description: Can be used in conjunction with C(delegate_to) and related keywords.
    details:
      - The controller reaches the machines itself, whatever machine the task is delegated to.
notes:
  - The task runs once for all machines. With C(run_once), the registered variable is set for each host of the play; without it, for the
    first host only. Under a strategy such as P(ansible.builtin.free#strategy), Ansible refuses the task before anything runs.
  - With C(delegate_to=localhost), a machine without a password of its own gets that of C(--ask-pass), and a mistake in the variables of
    the first host of the play affects that host only. Nothing runs on localhost.
"""

    CONTROLLER = r"""
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    support: none
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  platform:
    support: full
    platforms: posix
    description: Target OS/families that can be operated against.
  action:
    support: full
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
  async:
    support: none
    description: Supports being used with the C(async) keyword.
  become:
    support: none
    description: Is usable alongside C(become) keywords.
  connection:
    support: none
    description: Uses the target's configured connection information to execute code on it.
  delegation:
    support: none
    description: Can be used in conjunction with C(delegate_to) and related keywords.
notes:
  - Runs on the controller. Nothing is sent to the target.
"""
