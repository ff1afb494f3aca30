# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AVMA on an Azure Local host (facts/avma.md §1): set up with a key or by subscription, whatever its own licence."""

from __future__ import annotations

from collections.abc import Mapping

from lab.keys import KeyStore, ProductKey
from lab.releases import RELEASES
from lab.spec import AzureLocalSpec


class AzureLocalActivation:
    """What ServerAVMAManager holds on one host."""

    def __init__(self, machine: str, spec: AzureLocalSpec, key_store: KeyStore) -> None:
        self.module: str | None = spec.module
        self.subscription = spec.subscription
        self.key: ProductKey | None = None
        if spec.key is not None:
            self.key = key_store.find(spec.key)
            if self.key is None:
                raise ValueError(f"{machine}: azure_local.key is not among the keys of the topology")

    def set(self, key: str, value: str) -> None:
        """Change a property: ``module`` (a version or ``none``), ``subscription``. Raises ValueError."""
        if key == "module" and value in ("none", "1.0", "1.1"):
            self.module = None if value == "none" else value
        elif key == "subscription" and value in ("true", "false"):
            self.subscription = value == "true"
        else:
            raise ValueError(f"azure_local.{key} cannot be {value}")

    def state(self) -> Mapping[str, object]:
        """What a test may want to see."""
        return {
            "module": self.module,
            "subscription": self.subscription,
            "key": self.key.last_five if self.key else None,
        }

    @property
    def set_up(self) -> bool:
        """Whether guests can be activated at all."""
        return self.subscription or self.key is not None

    def activates(self, order: int | None) -> bool:
        """Whether a guest of a release with that ``order`` gets activated (§2.2).

        A key activates those up to its own release, a subscription all. Releases before 2016 are not in Microsoft's
        table.
        """
        if order is None or order < 2016:
            return False
        return self.subscription or (self.key is not None and order <= (RELEASES[self.key.generation].order or 0))
