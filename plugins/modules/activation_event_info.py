# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: activation_event_info
short_description: Read which activations a host or guest has logged
version_added: 0.1.0
description:
  - Reads the events of Automatic Virtual Machine Activation (AVMA) from the Application log of a host or guest, decoded and newest
    first.
  - A host logs event 12310 for each request of a guest, a guest event 12309 for each answer of its host. The ID is the same for success and
    failure; the HRESULT in the event says which it was.
  - The machine filters its log by event, provider and time, so that a large log is not downloaded.
options:
  event_id:
    description:
      - Which events to read, V(12309), V(12310) or both. With both, the module can be used on hosts and guests alike.
    type: list
    elements: int
    default: [12309, 12310]
  since:
    description:
      - Events that are older than this are not read.
      - A moment in ISO 8601, such as V(2026-11-22T08:15:00Z), in UTC unless it has an offset.
      - Or an age by the clock of the controller, which is a number and one of C(s), C(m), C(h), C(d), C(w), such as V(7d).
      - By default, all events that the log still holds are read, up to O(limit).
    type: str
  limit:
    description:
      - How many events to read at most, the newest first.
    type: int
    default: 100
extends_documentation_fragment:
  - hyperv.avma.common
  - hyperv.avma.common.info
notes:
  - To learn whether a guest is activated, use M(hyperv.avma.guest_info), which reads its licence. Events are the history, as far back as
    the log goes.
  - Windows is known to return the newest events first, so that O(limit) keeps these. Microsoft does not document this.
seealso:
  - module: hyperv.avma.guest_info
  - plugin: hyperv.avma.explain
    plugin_type: filter
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Read which guests' requests this host has answered in the last week
  hyperv.avma.activation_event_info:
    event_id: [12310]
    since: 7d
  register: avma

- name: Show those that failed
  ansible.builtin.debug:
    msg: "{{ avma.events | rejectattr('outcome', 'eq', 'success') }}"

- name: Read the last answer that a guest got
  hyperv.avma.activation_event_info:
    limit: 1
"""

RETURN = r"""
events:
  description: The events, newest first.
  returned: success
  type: list
  elements: dict
  sample:
    - hresult: '0xC004FD03'
      id: 12310
      outcome: denied
      record: 4711
      strings: ['0xC004FD03', '']
      symbol: SL_E_IA_ID_MISMATCH
      time: '2026-11-22T08:15:30Z'
  contains:
    id:
      description: The event ID.
      type: int
    record:
      description: The record number.
      type: int
    time:
      description: When it was logged, in UTC.
      type: str
    outcome:
      description:
        - V(success), V(invalid_host), V(invalid_data), V(denied) or V(other), from the HRESULT.
        - Microsoft documents these outcomes, but not their HRESULTs. The collection assigns them by their meanings.
      type: str
    hresult:
      description: The HRESULT; null if the event holds none.
      type: str
    symbol:
      description: Its symbol; null if it is not known.
      type: str
    strings:
      description: The insertion strings as logged. What the second one holds is not documented.
      type: list
      elements: str
problems:
  description: Why nothing could be read, as M(hyperv.avma.guest_key) returns them.
  returned: failure
  type: list
  elements: dict
"""
