# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Talking to a running lab: ``POST /VERB`` with arguments as a JSON object and the token of ``lab.json``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

#: Where a running lab says how to reach it, in its directory.
STATE_FILE = "lab.json"


class ControlError(Exception):
    """The lab refused a verb, or there is no lab."""


class Control:
    """The client side, for a lab running in a directory."""

    def __init__(self, directory: Path) -> None:
        """Raises ``ControlError`` when no lab runs there."""
        try:
            state = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ControlError(f"no lab runs in {directory}") from error
        self._url = state["url"]
        self._token = state["token"]
        # Never through a proxy of the environment.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, verb: str, **arguments: Any) -> Any:
        """Run a verb. Raises ``ControlError``."""
        request = urllib.request.Request(
            f"{self._url}/{verb}",
            data=json.dumps(arguments).encode(),
            headers={"Authorization": f"Bearer {self._token}"},
        )
        try:
            with self._opener.open(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ControlError(json.load(error)["error"]) from error
        except OSError as error:
            raise ControlError(f"the lab does not answer: {error}") from error
