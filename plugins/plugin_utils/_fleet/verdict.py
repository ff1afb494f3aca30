# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over many machines: by the kind of each problem, never by its code. Private to this collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from .._avma.problems import PROBLEMS, Kind, kind_of, problem
from .fleet import Fleet, Row
from .guests import listed


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
    hint = f"did you mean {', '.join(near)}?" if near else "docs/problems.md lists them."
    raise ValueError(
        f"there is no problem {', '.join(map(repr, unknown))} to accept (given: {', '.join(codes)}); {hint}"
    )


@dataclass(frozen=True)
class Verdict:
    """What a fleet comes to.

    :ivar problems: What is wrong and was not accepted, each once, with all its ``machines`` and its ``kind``.
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
            _plural(counts["machines"], "machine"),
            f"{_plural(counts['proved'], 'guest')} proved",
            _plural(counts["problems"], "problem"),
        ]
        more = [
            f"{counts['accepted']} accepted" if counts["accepted"] else "",
            f"{_plural(counts['not_read'], 'VM')} not asked" if counts["not_read"] else "",
            f"{counts['not_applicable']} not for AVMA" if counts["not_applicable"] else "",
            f"{counts['unknown']} not known" if counts["unknown"] else "",
        ]
        added = ", ".join(part for part in more if part)
        return ", ".join(parts) + (f" ({added})" if added else "")

    @property
    def messages(self) -> list[str]:
        """A line for each problem."""
        return [message_of(item) for item in self.problems]

    def to_dict(self) -> dict[str, Any]:
        """As the plugins return it."""
        return {
            "ok": self.ok,
            "line": self.line,
            "problems": self.problems,
            "messages": self.messages,
            "accepted": [message_of(item) for item in self.accepted],
            "activated": self.activated,
            "not_read": self.not_read,
            "not_applicable": self.not_applicable,
            "unknown": self.unknown,
            "counts": dict(self.counts),
        }


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def message_of(item: Mapping[str, Any]) -> str:
    """A problem of some machines in one line."""
    machines = f"{listed(item['machines'])}: " if item["machines"] else ""
    return f"{machines}{item['code']}: {item['message']} {item['remedy']}"


def judge(fleet: Fleet, accepted: Collection[str] = ()) -> Verdict:
    """The verdict.

    Wrong is what is of that kind, and each machine of the run that could not be read or proved. What is not known of a machine that was
    read, and what AVMA is not for, is told and does not count.

    :param accepted: The codes of problems that do not count, as ``accepted_codes`` checks them.
    """
    found = list(_merged(_problems(fleet)))
    problems = [item for item in found if not _is_accepted(item, accepted)]
    guests = fleet.guests
    asked = [guest for guest in guests if guest["machine"]]
    not_read = [name_of(guest) for guest in guests if guest["verdict"] == "not_read" and not guest["machine"]]
    missing = _nothing_looked_at(fleet, asked, not_read)
    if missing and missing["code"] not in accepted:
        problems.append(missing)
    proved = [guest for guest in asked if guest["verdict"] == "activated"]
    not_applicable = [guest for guest in guests if guest["verdict"] == "not_applicable"]
    unknown = [message_of(item) for item in _merged(_unknown(fleet))]
    kept = [_public(item) for item in problems]
    return Verdict(
        kept,
        [_public(item) for item in found if _is_accepted(item, accepted)],
        [_activation(guest) for guest in proved],
        not_read,
        [f"{name_of(guest)}: {_reason(guest)}" for guest in not_applicable],
        unknown,
        {
            "machines": len(fleet.hosts) + len(asked),
            "hosts": len(fleet.hosts),
            "guests": len(asked),
            "proved": len(proved),
            "problems": len(kept),
            "accepted": len(found) - len(problems) + (1 if missing and missing in problems else 0),
            "not_read": len(not_read),
            "not_applicable": len(not_applicable),
            "unknown": len(unknown),
        },
    )


def _nothing_looked_at(fleet: Fleet, asked: Collection[Row], not_read: Collection[str]) -> Row | None:
    """A look at nothing proves nothing."""
    if asked:
        return None
    code = "nothing_proved" if fleet.hosts else "nothing_read"
    return {**problem(code, count=len(not_read)).to_dict(), "kind": str(kind_of(code)), "machines": []}


def _problems(fleet: Fleet) -> Iterator[Row]:
    for item in fleet.problems:
        if item["kind"] == Kind.WRONG:
            yield {**{name: item[name] for name in item if name != "hosts"}, "machines": item["hosts"]}
    for host in fleet.hosts:
        if host["verdict"] == "attention":
            yield from ({**item, "machines": [host["name"]]} for item in host["problems"])
    for guest in fleet.guests:
        if _is_wrong(guest):
            for item in guest["problems"]:
                # Of a VM that was not asked itself, only what is wrong for sure.
                if guest["machine"] or item["kind"] == Kind.WRONG:
                    yield {**item, "machines": [name_of(guest)]}
    for row in fleet.failover:
        for node in row["nodes"]:
            # Where it is, the guest itself has the problem.
            if node["status"] == "gap" and node["name"] != row["host"]:
                refusal = node["problem"]
                found = problem("failover_gap", node=node["name"], reason=refusal["message"], remedy=refusal["remedy"])
                yield {**found.to_dict(), "kind": str(found.kind), "machines": [row["name"]], "cause": refusal["code"]}


def _is_wrong(guest: Row) -> bool:
    return guest["verdict"] == "attention" or (guest["verdict"] == "not_read" and bool(guest["machine"]))


def _unknown(fleet: Fleet) -> Iterator[Row]:
    for item in fleet.problems:
        if item["kind"] == Kind.UNKNOWN:
            yield {**item, "machines": item["hosts"]}
    for host in fleet.hosts:
        if host["verdict"] == "unknown":
            yield from ({**item, "machines": [host["name"]]} for item in host["problems"])
    for guest in fleet.guests:
        if not guest["machine"] and guest["verdict"] != "not_applicable":
            yield from (
                {**item, "machines": [name_of(guest)]} for item in guest["problems"] if item["kind"] == Kind.UNKNOWN
            )
    for row in fleet.failover:
        for node in row["nodes"]:
            if node["status"] == "unknown":
                yield {**node["problem"], "machines": [row["name"]]}


def _merged(items: Iterable[Row]) -> Iterator[Row]:
    """Each problem once, with all machines that have it."""
    found: dict[tuple[str, str, str], tuple[Row, dict[str, None]]] = {}
    for item in items:
        _shown, machines = found.setdefault((item["code"], item["message"], item["remedy"]), (item, {}))
        machines.update(dict.fromkeys(item["machines"]))
    for shown, machines in found.values():
        yield {**shown, "machines": list(machines)}


def _is_accepted(item: Row, accepted: Collection[str]) -> bool:
    """Whether a problem was accepted: by its code, or by that of what is behind it."""
    return item["code"] in accepted or item.get("cause") in accepted


def _public(item: Row) -> Row:
    return {name: value for name, value in item.items() if name != "cause"}


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
