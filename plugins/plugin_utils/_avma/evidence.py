# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a guest tells of its activation can be one by AVMA. Private to this collection."""

from __future__ import annotations

from datetime import datetime, timedelta

from .licenses import License
from .problems import Problem, problem

#: An activation by AVMA holds for days: commonly reported are 7 (UNVERIFIED; facts, section 3.8). This is what Windows gives at most
#: for any volume activation, the 180 days of KMS. A public tool that forges the activation writes about 2^31 minutes (facts, section 12).
LONGEST = timedelta(days=180)


def implausible_activation(license: License) -> Problem | None:
    """Why an activation cannot be one by AVMA; None if it can.

    :param license: That of a guest that says a host activated it.
    """
    activation = license.activation
    return implausible(activation.host, activation.time, license.grace_minutes) if activation else None


def implausible(host: str, time: datetime | None, grace_minutes: int) -> Problem | None:
    """The same from its parts.

    :param host: The host that is said to have activated the guest.
    :param time: When, in UTC; None if that is not told.
    :param grace_minutes: For how long it is said to hold.
    """
    if time is None:
        detail = "it has no time"
    elif grace_minutes > LONGEST / timedelta(minutes=1):
        detail = f"it is said to hold for another {grace_minutes // 1440} days, and AVMA gives a few"
    else:
        return None
    return problem("activation_implausible", host=host, detail=detail)
