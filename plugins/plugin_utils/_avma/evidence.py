# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a guest tells of its activation can be one by AVMA. Private to this collection."""

from __future__ import annotations

from datetime import datetime, timedelta

from .licenses import License, format_time
from .problems import Problem, problem

#: An activation by AVMA holds for days: commonly reported are 7 (UNVERIFIED; facts, section 3.8). This is what Windows gives at most
#: for any volume activation, the 180 days of KMS. A public tool that forges the activation writes about 2^31 minutes (facts, section 12).
LONGEST = timedelta(days=180)
#: How far a guest's clock may be ahead.
_CLOCK_SKEW = timedelta(days=1)


def implausible_activation(license: License, now: datetime | None = None) -> Problem | None:
    """Why an activation cannot be one by AVMA; None if it can.

    :param license: That of a guest that says a host activated it.
    :param now: In UTC; None not to look whether its time is still to come.
    """
    activation = license.activation
    if activation is None:
        return None
    if activation.time is None:
        detail = "it has no time"
    elif now is not None and activation.time > now + _CLOCK_SKEW:
        detail = f"its time, {format_time(activation.time)}, is still to come"
    elif license.grace_minutes > LONGEST / timedelta(minutes=1):
        detail = f"it is said to hold for another {license.grace_minutes // 1440} days, and AVMA gives a few"
    else:
        return None
    return problem("activation_implausible", host=activation.host, detail=detail)
