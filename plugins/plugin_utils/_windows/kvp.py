# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's pool of key-value pairs, as the guest has it. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence

from .._session.session import Session
from .registry import delete_value, read_string, value_names

#: What the guest tells its host, beside what Windows tells of itself (KVP-doc; facts, section 5.5). What the host writes is in its
#: subkey Parameters, which nothing here can reach: only values of this key are named.
_POOL = r"SOFTWARE\Microsoft\Virtual Machine\Guest"


def read_pool(session: Session) -> dict[str, str | None]:
    """The values by name; None for one that is not a string (REG_SZ).

    :raises FaultError: Windows cannot or will not read the pool.
    """
    return {name: read_string(session, _POOL, name) for name in value_names(session, _POOL)}


def remove_from_pool(session: Session, names: Sequence[str]) -> list[str]:
    """Remove values; the names of those that are still there afterwards.

    :raises FaultError: Windows cannot or will not remove one.
    """
    for name in names:
        delete_value(session, _POOL, name)
    left = {name.lower() for name in value_names(session, _POOL)}
    return [name for name in names if name.lower() in left]
