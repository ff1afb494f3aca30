# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recap of a run is to say at each machine that one task worked on. Private to this collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: By the name of a machine, ``failed``, ``unreachable``, ``changed`` and ``msg``, as a task on it would return them.
Recap = dict[str, dict[str, Any]]


def to_recap(problems: Iterable[tuple[Sequence[str], Mapping[str, Any]]], machines: Sequence[str]) -> Recap:
    """The machines that have problems, each problem in full at the first of its machines.

    :param problems: Each with the names that it is about, of which some may not be in the inventory.
    :param machines: Those of the play. A problem of none of them stands at the first.
    """
    known = set(machines)
    lines: defaultdict[str, list[str]] = defaultdict(list)
    unreachable = set()
    for names, item in problems:
        first, *others = [name for name in names if name in known] or machines[:1]
        lines[first].append(f"{', '.join(names)}: {item['code']}: {item['message']} {item['remedy']}")
        for name in others:
            lines[name].append(f"{name}: {item['code']}, see {first}.")
        if item["code"] == "unreachable":
            unreachable |= {first, *others}
    return {
        name: {"unreachable" if name in unreachable else "failed": True, "msg": "\n".join(said)}
        for name, said in lines.items()
    }
