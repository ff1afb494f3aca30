# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again what Windows' licensing may accept later. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable

from .._avma import hresults
from .._session.waits import Waits
from . import licensing


class Attempts(Waits):
    """Tries again what may be tried again, with growing pauses, until the time is out."""

    def call(self, function: Callable[[], object]) -> int | None:
        """Call until it works, and return None, or return the HRESULT that stands at the end."""
        while True:
            try:
                function()
                return None
            except licensing.LicensingError as error:
                if not hresults.explain(error.hresult).retryable or not self.wait():
                    return error.hresult
