# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: identify_key
short_description: What a product key is known to be
version_added: 0.1.0
description:
  - Returns the release and edition of a public product key, and whether it is an AVMA key or a KMS client key. KMS client keys are often
    mistaken for AVMA keys.
  - The last five characters of a key are enough. Windows shows no more of an installed key.
options:
  _input:
    description:
      - A product key, or its last five characters, as pasted. Spaces, quotes, missing hyphens and masked groups (V(*****-CWG3J),
        V(XXXXX-XXXXX-XXXXX-XXXXX-CWG3J)) do not matter, nor do words around it.
    type: str
    required: true
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Show what this key is
  ansible.builtin.debug:
    msg: "{{ 'WX4NM-KYWYW-QJJR4-XV3QB-6VM33' | hyperv.avma.identify_key }}"
    # channel: Volume:GVLK, edition: Datacenter, kind: kms_client, release: '2022'
"""

RETURN = r"""
_value:
  description: What the key is; all values are null if it is in neither table.
  type: dict
  contains:
    release:
      description: The release or SAC version. The KMS client keys of V(1809) are those of all later SAC versions, too.
      type: str
    edition:
      description: The edition.
      type: str
    channel:
      description: The C(ProductKeyChannel), V(VT:IA) or V(Volume:GVLK).
      type: str
    kind:
      description: V(avma) or V(kms_client).
      type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._avma import keys


def identify_key(value: object) -> dict[str, str | None]:
    """What a key, or its last five characters, is known to be."""
    try:
        known = keys.identify_key(str(value))
    except keys.InvalidKeyError as error:
        raise AnsibleFilterError(f"hyperv.avma.identify_key: {error}") from error
    if known is None:
        return {"release": None, "edition": None, "channel": None, "kind": None}
    kind = "avma" if known.channel == keys.AVMA_CHANNEL else "kms_client"
    return {"release": known.release, "edition": str(known.edition), "channel": known.channel, "kind": kind}


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"identify_key": identify_key}
