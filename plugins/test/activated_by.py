# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: activated_by
short_description: Whether a guest is activated by one of these hosts
version_added: 0.1.0
description:
  - True if a host has activated the guest by AVMA, the activation is in force, and the host is one of those given.
  - An activation without a time, or one that lasts longer than AVMA allows, does not count.
  - Host names are compared without case, and without their domain if one of the two has none. A name of 15 characters can be the beginning
    of a longer one (NetBIOS).
options:
  _input:
    description: >-
      RV(hyperv.avma.guest_info#module:guest), or the result of M(hyperv.avma.guest_key).
    type: dict
    required: true
  hosts:
    description: The host, or a list of hosts.
    type: raw
    required: true
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Insist on a host of this cluster
  ansible.builtin.assert:
    that: avma.guest is hyperv.avma.activated_by(['HV01', 'HV02'])
"""

RETURN = r"""
_value:
  description: Whether it is.
  type: bool
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._avma.evidence import implausible
from ..plugin_utils._avma.licenses import Status
from ..plugin_utils._avma.names import matches_any


def activated_by(guest: Mapping[str, Any], hosts: str | list[str]) -> bool:
    """Whether the guest is activated by one of the hosts."""
    try:
        licence, activation = guest["license"], guest["activation"]
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(
            "hyperv.avma.activated_by: give it the guest of guest_info or the result of guest_key"
        ) from error
    if not licence or not activation or not licence["avma"] or licence["status"] != str(Status.LICENSED):
        return False
    time = activation.get("time")
    moment = datetime.fromisoformat(time.replace("Z", "+00:00")) if time else None
    if implausible(activation["host"], moment, licence.get("grace_minutes", 0)):
        return False
    return matches_any(activation["host"], [hosts] if isinstance(hosts, str) else hosts)


class TestModule:
    """The test of this file."""

    def tests(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"activated_by": activated_by}
