# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Hyper-V host is and can activate. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from . import keys
from .licenses import License
from .matrix import AZURE_LOCAL, WINDOWS_SERVER, Subscription
from .releases import Edition, Release, System

#: What JSON holds.
Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Backend(str, Enum):
    """Where a host has the right to activate guests from."""

    #: The product key of its Windows Server Datacenter.
    WINDOWS_SERVER = "windows_server"
    #: A key or subscription in ServerAVMAManager; its own licence does not matter.
    AZURE_LOCAL = "azure_local"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Node:
    """A node of a failover cluster; ``state`` is ``up``, ``down``, ``paused``, ``joining`` or ``unknown``."""

    name: str
    state: str


@dataclass(frozen=True)
class Cluster:
    """The failover cluster that a host belongs to."""

    name: str
    nodes: tuple[Node, ...]

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(host.cluster))."""
        return {"name": self.name, "nodes": [{"name": node.name, "state": node.state} for node in self.nodes]}


# A release as the whole of a value, so that no date and no version number is taken for one.
_RELEASE = re.compile(r"(?:(?:Microsoft )?Windows Server |WS ?)?(20\d\d)(?: \D*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Avma:
    """What an Azure Local host says of its AVMA.

    The shape of what ``Get-VMAutomaticActivation`` returns is documented nowhere (facts, section 1.2): nothing here depends on
    the name of a property.

    :ivar module: The version of ServerAVMAManager; None if the host lacks the update that brings it.
    :ivar subscription: The status of the Windows Server subscription (``Active``, ``Disabled``, …); None if there is none.
    :ivar result: What ``Get-VMAutomaticActivation`` returned, with no whole key in it.
    :ivar error: Why that could not be read, in the host's language; None if it could.
    :ivar license_last_fives: What of their keys the host's licence rows show. One of them may be that of ServerAVMAManager
        (UNVERIFIED), others are that of Windows itself.
    """

    module: str | None
    subscription: str | None
    result: Json
    error: str | None
    license_last_fives: frozenset[str] = frozenset()

    @property
    def subscribed(self) -> bool:
        """Whether a Windows Server subscription activates guests, so that no key is needed."""
        return (self.subscription or "").lower() == "active"

    @property
    def set_up(self) -> bool | None:
        """Whether guests can be activated; None if it cannot be told."""
        if self.subscribed or _find_last_fives(self.result):
            return True
        if self.module is None:
            return False
        if self.error is not None:
            return None
        # An answer that says nothing at all is that of a host where nothing is set up; any other might be (UNVERIFIED).
        return None if any(_leaves(self.result)) else False

    def has_key(self, product_key: str) -> bool | None:
        """Whether this key is the one set, as far as its last five characters tell; None if it cannot be told."""
        shown = _find_last_fives(self.result)
        if keys.last_five(product_key) in shown | self.license_last_fives:
            return True
        return False if shown or self.set_up is False else None

    @property
    def key_release(self) -> Release | None:
        """The release of the host's key, if the result names exactly one."""
        named = {match[1] for leaf in _leaves(self.result) if (match := _RELEASE.fullmatch(str(leaf).strip()))}
        found = [release for release in Release if str(release) in named]
        return found[0] if len(found) == 1 else None

    @property
    def activates(self) -> tuple[Release, ...] | None:
        """The releases that the host activates; None if it cannot be told."""
        if self.subscribed:
            return AZURE_LOCAL[Subscription.WINDOWS_SERVER]
        if self.set_up is False:
            return ()
        return AZURE_LOCAL.get(self.key_release, ()) if self.key_release else None

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(host.avma))."""
        return {
            "module": self.module,
            "subscription": self.subscription,
            "subscribed": self.subscribed,
            "set_up": self.set_up,
            "key_release": str(self.key_release) if self.key_release else None,
            "result": self.result,
            "error": self.error,
        }


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


# The last five characters of a key as a whole value, or at the end of a masked key. (No word has no vowel.)
_LAST_FIVE = re.compile(f"(?:[*X]+-)*({keys.GROUP})")


def _find_last_fives(value: Json) -> frozenset[str]:
    texts = (leaf.strip() for leaf in _leaves(value) if isinstance(leaf, str))
    return frozenset(match[1] for text in texts if (match := _LAST_FIVE.fullmatch(text)))


@dataclass(frozen=True)
class HostFacts:
    """A Hyper-V or Azure Local host.

    :ivar hyperv: Whether it has the Hyper-V role.
    :ivar license: The licence of its own Windows.
    :ivar avma: On Azure Local only.
    """

    system: System
    hyperv: bool
    license: License | None
    avma: Avma | None

    @property
    def backend(self) -> Backend:
        """From the SKU, never from the build, which Azure Local shares with Windows Server."""
        return Backend.AZURE_LOCAL if self.system.azure_local else Backend.WINDOWS_SERVER

    @property
    def licensed(self) -> bool | None:
        """Whether the host itself has what activates guests; None if it cannot be told."""
        if self.avma is not None:
            return self.avma.set_up
        return self.license is not None and self.license.licensed

    @property
    def activates(self) -> tuple[Release, ...] | None:
        """The releases whose guests the host activates, oldest first; None if it cannot be told.

        Guests of Azure Edition it activates on Azure Local only.
        """
        if not self.hyperv:
            return ()
        if self.avma is not None:
            return self.avma.activates
        system = self.system
        if system.evaluation or system.edition is not Edition.DATACENTER or system.release is None or not self.licensed:
            return ()
        return WINDOWS_SERVER[system.release]
