# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, checking
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.events import GUEST_EVENT, parse_since
from ..plugin_utils._avma.guests import Wish, assess, join, plan
from ..plugin_utils._avma.preflight import Hypervisor, preflight
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.events import events_request, read_events
from ..plugin_utils._windows.hypervisor import HYPERVISOR, read_hypervisor, read_what_decides
from ..plugin_utils._windows.machine import read_machine
from ..plugin_utils._windows.system import COMPUTER_SYSTEM, ENCLOSURE, read_platform

_EVENTS = 10


class ActionModule(AvmaAction):
    """Read the activation of a guest."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "activated_since": {"type": "str"},
        "expected_hosts": {"type": "list", "elements": "str", "default": []},
        "gather_subset": {
            "type": "list",
            "elements": "str",
            "choices": ["all", "min", "hypervisor", "events"],
            "default": ["all"],
        },
        "key_overrides": {"type": "dict", "default": {}, "no_log": False},
    }

    @staticmethod
    def perform(session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read what was asked for and say what is wrong."""
        wanted = set(arguments["gather_subset"])
        since = arguments["activated_since"]
        with checking("key_overrides"):
            overrides = keys.read_overrides(arguments["key_overrides"])
        with checking("activated_since"):
            activated_since = parse_since(since, datetime.now(timezone.utc)) if since else None
        whole = bool(wanted & {"all", "hypervisor"})
        if whole:
            session.expect(COMPUTER_SYSTEM, ENCLOSURE, *HYPERVISOR)
        if wanted & {"all", "events"}:
            session.expect(events_request([GUEST_EVENT], _EVENTS))
        machine = read_machine(session, installation_type=whole)
        system, license = machine.system, machine.license
        decision = plan(system, license, Wish(key_overrides=overrides))
        refusals = decision.problems if decision.product_key is None else ()
        problems = list(refusals) or assess(license, decision.product_key, arguments["expected_hosts"], activated_since)
        hypervisor = fqdn = None
        if whole or problems:
            platform = read_platform(session)
            fqdn = platform.fqdn
            hypervisor = read_hypervisor(session) if whole else None
            # Of a guest that is not right, where it runs is told always: AVMA may not be for it.
            seen = hypervisor or (read_what_decides(session) if platform.azure else Hypervisor())
            ahead = preflight(system, platform.model, platform.asset_tag, seen)
            if problems and ahead.problems:
                problems = [*refusals, *ahead.problems] if refusals else join(ahead.problems, problems)
        events = read_events(session, [GUEST_EVENT], _EVENTS) if wanted & {"all", "events"} else []
        return {
            "changed": False,
            "guest": {
                "connection": session.route.to_dict(),
                "fqdn": fqdn,
                "system": system.to_dict(),
                "license": license.to_dict() if license else None,
                "activation": license.activation.to_dict() if license and license.activation else None,
                "hypervisor": hypervisor.to_dict() if hypervisor else None,
                "events": [event.to_dict() for event in events],
                "problems": [item.to_dict() for item in problems],
            },
        }
