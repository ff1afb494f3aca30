# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What the modules for answer files have in common."""

    DOCUMENTATION = r"""
options:
  path:
    description: The answer file, on the controller. A relative path starts at the folder of the playbook.
    type: path
    required: true
  release:
    description:
      - The release in the image that the answer file is for, such as V(2022), V(Windows Server 2022), a SAC version such as V(1809), or a
        build number such as V(20348). Any usual spelling is understood.
      - A name that holds an edition sets it, such as V(Windows Server 2022 Datacenter) or the name of the image, V(Windows Server 2022
        SERVERDATACENTERCORE).
    type: str
    required: true
  edition:
    description:
      - The edition in the image, V(Datacenter), V(Standard), V(Essentials) or V(Azure Edition), in any usual spelling.
      - Required unless O(release) names it. If both do, they must agree.
    type: str
  architecture:
    description: The architecture of the image. Components of other architectures are not read and not changed.
    type: str
    choices: [amd64, arm64]
    default: amd64
  key_overrides:
    description:
      - Additions to the table of AVMA keys, for a release that Microsoft documented after this version of the collection.
      - A dictionary whose keys are releases, SAC versions or build numbers. Each value is a dictionary of keys by edition.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    support: full
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
  - An answer file may be in UTF-8, with or without byte order mark, in UTF-16, or in another encoding that the XML parser of
    Python knows. A file with a document type declaration is refused.
"""
