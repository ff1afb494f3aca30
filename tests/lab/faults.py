# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be made to go wrong on the wire, and when.

A rule says which requests it matches and what becomes of them. Rules come from the topology, at run time from the control
endpoint, or at random from a seed (``RandomFaults``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Effect(StrEnum):
    """What becomes of a request that a rule matches. ``value`` is the rule's parameter."""

    #: Answer after ``value`` seconds, otherwise as usual.
    DELAY = "delay"
    #: Run the request, send the first half of the answer and cut the connection.
    CUT = "cut"
    #: Run nothing, answer nothing, close the connection.
    DROP = "drop"
    #: Answer with HTTP status ``value`` and no body.
    STATUS = "status"
    #: Answer with text that is not XML.
    MALFORMED = "malformed"
    #: Run the request and send the first half of the envelope as if it were whole.
    TRUNCATED = "truncated"
    #: Answer with an envelope of ``value`` bytes, with a Content-Length.
    HUGE = "huge"
    #: Answer with an envelope of ``value`` bytes in chunks, its size not announced.
    HUGE_CHUNKED = "huge_chunked"
    #: Answer with the fault of a user without rights (WSManFault 5).
    ACCESS_DENIED = "access_denied"
    #: Answer with WSManFault ``value``.
    WSMAN_FAULT = "wsman_fault"
    #: Answer as a WMI provider that failed with HRESULT ``value``.
    HRESULT = "hresult"
    #: Run the request, and relate the answer to another message.
    WRONG_RELATES_TO = "wrong_relates_to"
    #: Run the request, then the machine dies before it answers.
    STOP_MACHINE_AFTER = "stop_machine_after"


@dataclass(frozen=True)
class Match:
    """Which requests a rule is about; a field left out matches all. Names compare without case.

    ``operation`` is one of the kinds that ``lab.counters`` counts (``Enumerate``, ``Pull``, ``Get``, ``Invoke``, ``Create``, …),
    ``nth`` counts the requests that match the other fields, from 1.
    """

    operation: str | None = None
    class_name: str | None = None
    method: str | None = None
    nth: int | None = None

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> Match:
        """From a topology's ``match``, where ``class_name`` is spelled ``class``. Raises TypeError for an unknown field."""
        renamed = {"class_name" if key == "class" else key: value for key, value in data.items()}
        return cls(**renamed)

    def names(self, operation: str, class_name: str, method: str) -> bool:
        """Whether the request is of the kind, class and method of this rule."""
        pairs = ((self.operation, operation), (self.class_name, class_name), (self.method, method))
        return all(wanted is None or wanted.lower() == found.lower() for wanted, found in pairs)


@dataclass
class FaultRule:
    """An effect on the requests that match, ``times`` times (or always)."""

    effect: Effect
    match: Match = field(default_factory=Match)
    value: float | None = None
    times: int | None = None
    _seen: int = 0

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> FaultRule:
        """From a topology: ``{match: {operation: Invoke, method: Activate}, effect: hresult, value: 0xC004FD02, times: 1}``.

        Numbers may be text, in decimal or hexadecimal. Raises ValueError or TypeError for what is unknown.
        """
        unknown = set(data) - {item.name for item in fields(cls) if not item.name.startswith("_")}
        if unknown:
            raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
        value = data.get("value")
        return cls(
            effect=Effect(data["effect"]),
            match=Match.from_mapping(data.get("match", {})),
            value=int(value, 0) if isinstance(value, str) else value,
            times=data.get("times"),
        )

    def applies(self, operation: str, class_name: str, method: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.times == 0 or not self.match.names(operation, class_name, method):
            return False
        self._seen += 1
        if self.match.nth is not None and self._seen != self.match.nth:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class RandomFaults:
    """With a probability, an effect picked at random for each request; the same sequence for the same seed."""

    #: Effects that a client can meet on a bad day, with the values they get.
    CHOICES: tuple[tuple[Effect, float | None], ...] = (
        (Effect.DELAY, 0.2),
        (Effect.CUT, None),
        (Effect.DROP, None),
        (Effect.STATUS, 401),
        (Effect.STATUS, 500),
        (Effect.STATUS, 503),
        (Effect.MALFORMED, None),
        (Effect.TRUNCATED, None),
        (Effect.WRONG_RELATES_TO, None),
        (Effect.ACCESS_DENIED, None),
        # Too many operations of this user; the operation timed out.
        (Effect.WSMAN_FAULT, 2150859174),
        (Effect.WSMAN_FAULT, 2150858793),
        # Throttled, which passes; an internal error of WMI; a product key that is not available.
        (Effect.HRESULT, 0xC004FD00),
        (Effect.HRESULT, 0x80041001),
        (Effect.HRESULT, 0xC004F014),
    )

    def __init__(self, seed: str, probability: float) -> None:
        self._random = random.Random(seed)
        self._probability = probability

    def pick(self) -> FaultRule | None:
        """The fault for the next request, if it gets one."""
        if self._random.random() >= self._probability:
            return None
        effect, value = self._random.choice(self.CHOICES)
        return FaultRule(effect=effect, value=value)
