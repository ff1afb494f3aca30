# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, checking, invalid
from ..plugin_utils._avma.events import GUEST_EVENT, HOST_EVENT, parse_since
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.events import read_events


class ActionModule(AvmaAction):
    """Read the activation events of a host or guest."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "event_id": {"type": "list", "elements": "int", "default": [GUEST_EVENT, HOST_EVENT]},
        "since": {"type": "str"},
        "limit": {"type": "int", "default": 100},
    }

    @staticmethod
    def perform(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read the events that were asked for."""
        if arguments["limit"] < 1:
            raise invalid("limit", "it must be at least 1")
        # Not by choices of the option: ansible-core 2.16 fails to tell of a number that is none of them.
        if not arguments["event_id"] or set(arguments["event_id"]) - {GUEST_EVENT, HOST_EVENT}:
            raise invalid("event_id", f"it must be {GUEST_EVENT}, {HOST_EVENT} or both")
        with checking("since"):
            since = parse_since(arguments["since"], datetime.now(timezone.utc)) if arguments["since"] else None
        events = read_events(session, arguments["event_id"], arguments["limit"], since)
        return {"changed": False, "events": [event.to_dict() for event in events]}
