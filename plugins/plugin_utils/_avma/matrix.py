# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host activates which guest. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from .releases import Release


class Subscription(Enum):
    """The Windows Server subscription of Azure Local, which stands in the place of a host key."""

    WINDOWS_SERVER = "subscription"


_ALL = tuple(Release)

#: Releases that a licensed Windows Server Datacenter host with the Hyper-V role activates, in all their editions.
#: Source: AVMA-doc (2023-09-19), its table of hosts and guests. The row of 2025 is not in the text that could be read: it follows
#: the rule of all other rows, that a host activates its own release and older ones (UNVERIFIED in Microsoft's words).
WINDOWS_SERVER: Mapping[Release, tuple[Release, ...]] = {host: _ALL[: index + 1] for index, host in enumerate(_ALL)}

#: The same on Azure Local, by the release of the host's AVMA key, never by its operating system.
#: Source: vm-activate (2026-06-29), its table of guests and keys. It does not list 2012 R2.
AZURE_LOCAL: Mapping[Release | Subscription, tuple[Release, ...]] = {
    Release.WS2019: (Release.WS2016, Release.WS2019),
    Release.WS2022: (Release.WS2016, Release.WS2019, Release.WS2022),
    Release.WS2025: (Release.WS2016, Release.WS2019, Release.WS2022, Release.WS2025),
    Subscription.WINDOWS_SERVER: (Release.WS2016, Release.WS2019, Release.WS2022, Release.WS2025),
}
