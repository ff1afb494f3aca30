# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: key
short_description: The AVMA key of a Windows Server release and edition
version_added: 0.1.0
description:
  - Returns the generic Automatic Virtual Machine Activation (AVMA) key that Microsoft documents for guests of a release and edition.
  - The keys are public. A host activates guests with them; they are of no use to activate a host.
options:
  _terms:
    description:
      - The releases to look up, each as V(Windows Server 2022), V(2022), a SAC version such as V(1809), or a build number such as V(20348).
    type: list
    elements: str
    required: true
  edition:
    description: The edition of the guest. V(Azure Edition) is what Microsoft calls Datacenter Azure Edition.
    type: str
    choices: [Datacenter, Standard, Essentials, Azure Edition]
    default: Datacenter
  overrides:
    description:
      - Additions to the table, which go before it.
      - A dictionary by release, SAC version or build number, of dictionaries by edition, of keys.
    type: dict
    default: {}
seealso:
  - module: hyperv.avma.guest_key
  - plugin: hyperv.avma.identify_key
    plugin_type: filter
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Show a key
  ansible.builtin.debug:
    msg: "{{ lookup('hyperv.avma.key', 'Windows Server 2022', edition='Datacenter') }}"

- name: Show the key for a build
  ansible.builtin.debug:
    msg: "{{ lookup('hyperv.avma.key', '17763', edition='Standard') }}"
"""

RETURN = r"""
_raw:
  description: The keys, one for each release.
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils._avma import keys
from ..plugin_utils._avma.releases import Edition, find_version


class LookupModule(LookupBase):
    """The AVMA key of a release and edition."""

    def run(self, terms: list[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Look up each term."""
        self.set_options(var_options=variables, direct=kwargs)
        edition = Edition(self.get_option("edition"))
        overrides = self.get_option("overrides")
        try:
            keys.check_overrides(overrides)
        except ValueError as error:
            raise AnsibleLookupError(f"hyperv.avma.key: {error}") from error
        return [_key(str(term), edition, overrides) for term in terms]


def _key(term: str, edition: Edition, overrides: keys.Overrides) -> str:
    version = find_version(term)
    build = version.build if version else int(term) if term.isdigit() else None
    key = keys.avma_key(version.release if version else None, edition, build, overrides)
    if key:
        return key
    if version is None and build is None:
        reason = "this is not a release, a SAC version or a build number of Windows Server"
    else:
        reason = f"Microsoft documents no AVMA key for {version.name if version else f'build {build}'} {edition}"
    raise AnsibleLookupError(
        f"hyperv.avma.key: {term}: {reason}. There are keys for {', '.join(keys.documented_versions())}; add others with overrides."
    )
