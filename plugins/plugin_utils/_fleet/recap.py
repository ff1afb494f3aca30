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


def to_recap(
    problems: Iterable[tuple[Sequence[str], Mapping[str, Any]]], machines: Sequence[str], lost: Iterable[str] = ()
) -> Recap:
    """The machines that have problems, each problem in full at the first of its machines.

    :param problems: Each with the places in the inventory where it is, of which the inventory may lack some.
    :param machines: The machines that were looked at. A problem of none of them stands at the first.
    :param lost: Those that were not reached, whatever the code says of the way.
    """
    known = set(machines)
    lines: defaultdict[str, list[str]] = defaultdict(list)
    unreachable = set(lost)
    for places, item in problems:
        first, *others = list(dict.fromkeys(name for name in places if name in known)) or machines[:1]
        names = ", ".join(item.get("machines") or item.get("hosts") or ())
        lines[first].append(f"{names}: {item['code']}: {item['message']} {item['remedy']}".removeprefix(": "))
        for name in others:
            lines[name].append(f"{name}: {item['code']}, see {first}.")
        if item["code"] == "unreachable":
            unreachable |= {first, *others}
    return {
        name: {"unreachable" if name in unreachable else "failed": True, "msg": "\n".join(said)}
        for name, said in lines.items()
    }
