# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AVMA on an Azure Local host (facts/avma.md §1): set up with a key or by subscription, whatever its own licence."""

from __future__ import annotations

from lab.keys import KeyStore, ProductKey
from lab.releases import RELEASES
from lab.spec import AzureLocalSpec


class AzureLocalActivation:
    """What ServerAVMAManager holds on one host."""

    def __init__(self, machine: str, spec: AzureLocalSpec, key_store: KeyStore) -> None:
        self.module = spec.module
        self.subscription = spec.subscription
        self.key: ProductKey | None = None
        if spec.key is not None:
            self.key = key_store.find(spec.key)
            if self.key is None:
                raise ValueError(f"{machine}: azure_local.key is not among the keys of the topology")

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
