# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What reached a machine, by whatever way, and what is to go wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.counters import Journal
from lab.faults import FaultRule, RandomFaults


@dataclass
class Traffic:
    """The journal of a machine and its fault rules: one of each, whether it is reached by WS-Management, ssh or its host."""

    journal: Journal = field(default_factory=Journal)
    rules: list[FaultRule] = field(default_factory=list)
    random_faults: RandomFaults | None = None

    def faults_for(self, operation: str, class_name: str, method: str) -> Sequence[FaultRule]:
        """The rules that hit an operation; counts it."""
        hit = [rule for rule in self.rules if rule.applies(operation, class_name, method)]
        picked = self.random_faults.pick() if self.random_faults else None
        return [*hit, picked] if picked else hit
