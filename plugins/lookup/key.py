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
  - The keys are public. A host activates guests with them; they cannot activate a host.
options:
  _terms:
    description:
      - The releases to look up, each as V(Windows Server 2022 Datacenter), V(2022), a SAC version such as V(1809), or a build number such
        as V(20348) or V(10.0.20348.169). Any usual spelling is understood, such as that of Ansible's fact C(ansible_distribution).
      - If the name contains an edition, that edition is used.
    type: list
    elements: str
    required: true
  edition:
    description:
      - The edition of the guest, V(Datacenter), V(Standard), V(Essentials) or V(Azure Edition), in any usual spelling, such as
        Microsoft's Datacenter, Azure Edition, or V(ServerStandardCor).
      - If neither this nor the release names one, it is V(Datacenter). If both do, they must agree.
    type: str
  channel:
    description:
      - Which key of the release and edition to return.
      - With V(avma), the AVMA key, with which its host activates it.
      - With V(kms), the KMS client key (GVLK), which Microsoft publishes too. With it, a guest is activated by a KMS host or by Active
        Directory. It is also the key for C(setup.exe /pkey) in an upgrade, for C(DISM /Set-Edition), and the one by which Windows Setup
        chooses an image.
    type: str
    choices: [avma, kms]
    default: avma
  overrides:
    description:
      - Additions to the table of AVMA keys. They take precedence over it.
      - A dictionary whose keys are releases, SAC versions or build numbers. Each value is a dictionary of keys by edition.
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

- name: Show the key for the machine whose facts were gathered
  ansible.builtin.debug:
    msg: "{{ lookup('hyperv.avma.key', ansible_facts.distribution) }}"

- name: Show the key for an upgrade in place, setup.exe /auto upgrade /pkey KEY
  ansible.builtin.debug:
    msg: "{{ lookup('hyperv.avma.key', 'Windows Server 2025 Standard', channel='kms') }}"
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
from ..plugin_utils._avma.releases import Edition
from ..plugin_utils._avma.spelling import read_system


class LookupModule(LookupBase):
    """The AVMA key, or the KMS client key, of a release and edition."""

    def run(self, terms: list[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Look up each term."""
        self.set_options(var_options=variables, direct=kwargs)
        kms = self.get_option("channel") == "kms"
        try:
            overrides = _overrides(self.get_option("overrides"))
            return [_key(term, self.get_option("edition"), overrides, kms) for term in terms]
        except ValueError as error:
            raise AnsibleLookupError(f"hyperv.avma.key: {error}") from error


def _overrides(written: Any) -> keys.Overrides:
    try:
        return keys.read_overrides(written)
    except ValueError as error:
        raise ValueError(f"overrides: {error}") from error


def _key(term: Any, edition: str | None, overrides: keys.Overrides, kms: bool) -> str:
    named = read_system(term, edition)
    wanted = named.edition or Edition.DATACENTER
    if kms:
        key = keys.kms_client_key(named.known_version, wanted)
    else:
        key = keys.avma_key(named.release, wanted, named.build, overrides)
    if key:
        return key
    if kms:
        kind, documented, remedy = "KMS client key", keys.documented_versions(keys.KMS_CHANNEL), "use one of these"
    else:
        kind, documented, remedy = "AVMA key", keys.documented_versions(), "add others with overrides"
    raise ValueError(
        f"{term}: Microsoft documents no {kind} for {named.name} {wanted}. There are keys for {', '.join(documented)}; {remedy}."
    )
