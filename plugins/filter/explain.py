# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: explain
short_description: What an HRESULT of Windows' licensing means
version_added: 0.1.0
description:
  - Returns symbol, meaning and remedy of an HRESULT.
  - If the code is not known, the meaning says so.
options:
  _input:
    description:
      - An HRESULT, as a number of either sign, or as text, decimal, hexadecimal or by its symbol.
      - It can be a pasted sentence, such as the output of C(slmgr.vbs) or the text of an event. The first code of a failure in it is used.
    type: raw
    required: true
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Show what to do
  ansible.builtin.debug:
    msg: "{{ ('0xC004FD02' | hyperv.avma.explain).remedy }}"

- name: Show what slmgr.vbs meant
  ansible.builtin.debug:
    msg: "{{ ('Error: 0xC004F069 On a computer running Microsoft Windows non-core edition, run slui.exe' | hyperv.avma.explain).meaning }}"
"""

RETURN = r"""
_value:
  description: What the code means.
  type: dict
  contains:
    hresult:
      description: The code as Windows writes it.
      type: str
    symbol:
      description: Its symbol; null if it is not known.
      type: str
    meaning:
      description: What it means.
      type: str
    remedy:
      description: What to do about it.
      type: str
    retryable:
      description: Whether the same call may succeed later.
      type: bool
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._avma import hresults


def explain(value: int | str) -> dict[str, object]:
    """What an HRESULT says."""
    try:
        return hresults.explain(hresults.parse_hresult(value)).to_dict()
    except (ValueError, TypeError):
        raise AnsibleFilterError(f"hyperv.avma.explain: {value!r} is not an HRESULT, and holds none") from None


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"explain": explain}
