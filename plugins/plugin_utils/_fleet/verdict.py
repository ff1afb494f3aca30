# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over many machines: by the kind of each problem, never by its code. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias

from .._avma.problems import PROBLEMS, Kind, kind_of, problem
from .fleet import Fleet, Row
from .guests import listed, plural


def accepted_codes(given: str | Iterable[str]) -> frozenset[str]:
    """The codes of problems that a user accepts, from a list or from text with commas.

    :raises ValueError: There is no such code. The message repeats what was given and names those that are like it.
    """
    parts = [given] if isinstance(given, str) else list(given)
    codes = [code.strip() for part in parts for code in str(part).split(",") if code.strip()]
    unknown = [code for code in codes if code not in PROBLEMS]
    if not unknown:
        return frozenset(codes)
    near = sorted({match for code in unknown for match in get_close_matches(code, PROBLEMS, cutoff=0.5)})
    hint = f"Did you mean {' or '.join(near)}?" if near else "docs/problems.md lists them."
    raise ValueError(f"there is no problem {', '.join(unknown)} to accept (given: {', '.join(codes)}). {hint}")


@dataclass(frozen=True)
class Verdict:
    """What a fleet comes to.

    :ivar problems: What is wrong and was not accepted, each once, with its ``kind``, all its ``machines``, and where they are ``at``: their
        names in the inventory, or if they are not there, those of their hosts.
    :ivar accepted: The same of what was accepted.
    :ivar activated: A line for each guest that is proved.
    :ivar not_read: The VMs that only their hosts know.
    :ivar not_applicable: The guests that AVMA is not for, each with the reason.
    :ivar unknown: What could not be told of machines that were read, a line each; it is neither right nor wrong.
    :ivar counts: ``machines`` read or asked, ``hosts``, ``guests`` asked, ``proved``, ``problems``, ``accepted``, ``not_read``,
        ``not_applicable`` and ``unknown``.
    """

    problems: list[Row]
    accepted: list[Row]
    activated: list[str]
    not_read: list[str]
    not_applicable: list[str]
    unknown: list[str]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, of something that was looked at."""
        return not self.problems

    @property
    def line(self) -> str:
        """The verdict in one line."""
        counts = self.counts
        parts = [
            plural(counts["machines"], "machine"),
            f"{plural(counts['proved'], 'guest')} proved",
            plural(counts["problems"], "problem"),
        ]
        more = [
            f"{counts['accepted']} accepted" if counts["accepted"] else "",
            f"{plural(counts['not_read'], 'VM')} not asked" if counts["not_read"] else "",
            f"{counts['not_applicable']} not for AVMA" if counts["not_applicable"] else "",
            f"{counts['unknown']} not known" if counts["unknown"] else "",
        ]
        added = ", ".join(part for part in more if part)
        return ", ".join(parts) + (f" ({added})" if added else "")

    @property
    def lines(self) -> list[str]:
        """The verdict for people, without the problems that count."""
        more = {
            "Accepted": [message_of(item) for item in self.accepted],
            "Not asked": self.not_read,
            "Not for AVMA": self.not_applicable,
            "Not known": self.unknown,
        }
        return [self.line, *(f"{label}: {item}" for label, items in more.items() for item in items)]

    @property
    def messages(self) -> list[str]:
        """A line for each problem."""
        return [message_of(item) for item in self.problems]

    def to_dict(self) -> dict[str, Any]:
        """As the plugins return it."""
        return {
            "ok": self.ok,
            "line": self.line,
            "lines": self.lines,
            "problems": self.problems,
            "messages": self.messages,
            "accepted": [message_of(item) for item in self.accepted],
            "activated": self.activated,
            "not_read": self.not_read,
            "not_applicable": self.not_applicable,
            "unknown": self.unknown,
            "counts": dict(self.counts),
        }


def message_of(item: Mapping[str, Any]) -> str:
    """A problem of some machines in one line."""
    machines = f"{listed(item['machines'])}: " if item["machines"] else ""
    return f"{machines}{item['code']}: {item['message']} {item['remedy']}"


#: The codes that are accepted: for all machines, or by the name of the machine in the inventory.
Accepted: TypeAlias = "Collection[str] | Mapping[str, Collection[str]]"


def judge(fleet: Fleet, accepted: Accepted = ()) -> Verdict:
    """The verdict.

    Wrong is what is of that kind, and each machine of the run that could not be read or proved. What is not known of a machine that was
    read, and what AVMA is not for, is told and does not count.

    :param accepted: The codes of problems that do not count, as ``accepted_codes`` checks them. By machine, a problem does not count
        for those that accept it; of a VM that is not in the inventory, its host decides, and of what is about no machine of the
        inventory, such as a node that is not in the play, all of them.
    """
    asked = [guest for guest in fleet.guests if guest["machine"]]
    not_read = [name_of(guest) for guest in fleet.guests if guest["verdict"] == "not_read" and not guest["machine"]]
    found = [*_problems(fleet), *_nothing_looked_at(fleet, asked, not_read)]
    counting = list(_merged(found, lambda item: not _is_accepted(item, accepted)))
    taken = list(_merged(found, lambda item: _is_accepted(item, accepted)))
    proved = [guest for guest in asked if guest["verdict"] == "activated"]
    not_applicable = [guest for guest in fleet.guests if guest["verdict"] == "not_applicable"]
    unknown = [message_of(item) for item in _merged(_unknown(fleet))]
    return Verdict(
        counting,
        taken,
        [_activation(guest) for guest in proved],
        not_read,
        [f"{name_of(guest)}: {_reason(guest)}" for guest in not_applicable],
        unknown,
        {
            # A host that is a virtual machine itself may be both.
            "machines": len({host["name"] for host in fleet.hosts} | {guest["machine"] for guest in asked}),
            "hosts": len(fleet.hosts),
            "guests": len(asked),
            "proved": len(proved),
            "problems": len(counting),
            "accepted": len(taken),
            "not_read": len(not_read),
            "not_applicable": len(not_applicable),
            "unknown": len(unknown),
        },
    )


@dataclass(frozen=True)
class _Finding:
    """A problem of one machine.

    :ivar machine: What it is called in the verdict; None if it is about none.
    :ivar at: Which machine of the inventory that is; of a VM that is not there, its host; None if there is none.
    :ivar cause: The code of what is behind it.
    """

    problem: Row
    machine: str | None
    at: str | None
    cause: str | None = None


def _nothing_looked_at(fleet: Fleet, asked: Collection[Row], not_read: Collection[str]) -> Iterator[_Finding]:
    """A look at nothing proves nothing."""
    if not asked:
        found = problem("nothing_proved", count=len(not_read)) if fleet.hosts else problem("nothing_read")
        yield _Finding({**found.to_dict(), "kind": str(found.kind)}, None, None)


def _across(fleet: Fleet, kind: Kind) -> Iterator[_Finding]:
    known = {host["name"] for host in fleet.hosts}
    for item in fleet.problems:
        if item["kind"] == kind:
            shown = {name: item[name] for name in item if name != "hosts"}
            yield from (_Finding(shown, name, name if name in known else None) for name in item["hosts"])


def _problems(fleet: Fleet) -> Iterator[_Finding]:
    yield from _across(fleet, Kind.WRONG)
    for host in fleet.hosts:
        if host["verdict"] == "attention":
            yield from (_Finding(item, host["name"], host["name"]) for item in host["problems"])
    for guest in fleet.guests:
        if _is_wrong(guest):
            for item in guest["problems"]:
                # Of a VM that was not asked itself, only what is wrong for sure.
                if guest["machine"] or item["kind"] == Kind.WRONG:
                    yield _Finding(item, name_of(guest), _at(guest))
    at = {(guest["host"], guest["id"]): _at(guest) for guest in fleet.guests}
    for row in fleet.failover:
        for node in row["nodes"]:
            # Where it is, the guest itself has the problem.
            if node["status"] == "gap" and node["name"] != row["host"]:
                refusal = node["problem"]
                found = problem("failover_gap", node=node["name"], reason=refusal["message"], remedy=refusal["remedy"])
                shown = {**found.to_dict(), "kind": str(found.kind)}
                yield _Finding(shown, row["name"], at.get((row["host"], row["id"]), row["host"]), refusal["code"])


def _is_wrong(guest: Row) -> bool:
    return guest["verdict"] == "attention" or (guest["verdict"] == "not_read" and bool(guest["machine"]))


def _at(guest: Row) -> str | None:
    at: str | None = guest["machine"] or guest["host"]
    return at


def _unknown(fleet: Fleet) -> Iterator[_Finding]:
    yield from _across(fleet, Kind.UNKNOWN)
    for host in fleet.hosts:
        if host["verdict"] == "unknown":
            yield from (_Finding(item, host["name"], host["name"]) for item in host["problems"])
    for guest in fleet.guests:
        if not guest["machine"] and guest["verdict"] != "not_applicable":
            for item in guest["problems"]:
                if item["kind"] == Kind.UNKNOWN:
                    yield _Finding(item, name_of(guest), _at(guest))
    for row in fleet.failover:
        for node in row["nodes"]:
            if node["status"] == "unknown":
                yield _Finding(node["problem"], row["name"], row["host"])


def _merged(findings: Iterable[_Finding], wanted: Callable[[_Finding], bool] = lambda _: True) -> Iterator[Row]:
    """Each problem once, with all machines that have it."""
    found: dict[tuple[str, str, str], tuple[Row, dict[str, None], dict[str, None]]] = {}
    for item in findings:
        if wanted(item):
            key = (item.problem["code"], item.problem["message"], item.problem["remedy"])
            _shown, machines, at = found.setdefault(key, (item.problem, {}, {}))
            if item.machine is not None:
                machines[item.machine] = None
            if item.at is not None:
                at[item.at] = None
    for shown, machines, at in found.values():
        yield {**shown, "machines": list(machines), "at": list(at)}


def _is_accepted(item: _Finding, accepted: Accepted) -> bool:
    """Whether a problem was accepted: by its code, or by that of what is behind it."""
    wanted = {item.problem["code"], item.cause}
    if not isinstance(accepted, Mapping):
        return not wanted.isdisjoint(accepted)
    if item.at is not None and item.at in accepted:
        return not wanted.isdisjoint(accepted[item.at])
    return bool(accepted) and all(not wanted.isdisjoint(codes) for codes in accepted.values())


def name_of(guest: Mapping[str, Any]) -> str:
    """As the inventory calls it, or if it does not, by the host that told of it."""
    return str(guest["machine"] or f"{guest['name']} on {guest['host']}")


def _reason(guest: Mapping[str, Any]) -> str:
    """Why AVMA is not for a guest."""
    reasons = [item["message"] for item in guest["problems"] if kind_of(item["code"]) is Kind.NOT_APPLICABLE]
    return str((reasons or [item["message"] for item in guest["problems"]] or [""])[0])


def _activation(guest: Mapping[str, Any]) -> str:
    system, activation = guest["system"], guest["activation"]
    return f"{name_of(guest)}: {system['name']} {system['edition']}, activated by {activation['host']} at {activation['time']}"
