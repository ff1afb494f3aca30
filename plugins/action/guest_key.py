# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, Failure
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.guests import Plan, Step, Wish, plan, platform_problem
from ..plugin_utils._avma.licenses import License, Status
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._avma.spelling import read_wish
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.activation import carry_out
from ..plugin_utils._windows.machine import read_machine
from ..plugin_utils._windows.system import read_platform


class ActionModule(AvmaAction):
    """Install the AVMA key of a guest and have its host activate it."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "product_key": {"type": "str", "no_log": False},
        "release": {"type": "str"},
        "edition": {"type": "str"},
        "key_overrides": {"type": "dict", "default": {}, "no_log": False},
        "activate": {"type": "bool", "default": True},
        "expected_hosts": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "int", "default": 120},
    }

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read, decide, write what is missing, and prove it."""
        wish = _wish(arguments)
        machine = read_machine(session)
        system, before = machine.system, machine.license
        result = {"system": system.to_dict(), **_show(before), "problems": [], "changed": False}
        decision = plan(system, before, wish)
        if decision.problems:
            raise Failure(decision.problems, result)
        if decision.step is Step.NOTHING:
            return result
        platform = read_platform(session)
        misplaced = platform_problem(platform.model, platform.asset_tag)
        if misplaced:
            raise Failure([misplaced], result)
        if self._task.check_mode:
            return {
                **result,
                "changed": True,
                **self._difference(_summary(before), _prediction(decision, wish, before)),
            }

        outcome = carry_out(session, decision, wish, system.build, arguments["timeout"])
        result.update(
            _show(outcome.license),
            changed=_summary(outcome.license) != _summary(before),
            **self._difference(_summary(before), _summary(outcome.license)),
        )
        if outcome.problems:
            result["events"] = [event.to_dict() for event in outcome.events]
            result["hypervisor"] = outcome.hypervisor.to_dict() if outcome.hypervisor else None
            raise Failure(outcome.problems, result)
        return result

    def _difference(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        return {"diff": {"before": before, "after": after}} if self._task.diff else {}


def _wish(arguments: Mapping[str, Any]) -> Wish:
    try:
        named = read_wish(arguments["release"], arguments["edition"])
        product_key = arguments["product_key"]
        return Wish(
            product_key=keys.normalize_key(product_key) if product_key else None,
            release=named.release,
            build=named.exact_build,
            edition=named.edition,
            key_overrides=keys.read_overrides(arguments["key_overrides"]),
            activate=arguments["activate"],
            expected_hosts=tuple(arguments["expected_hosts"]),
        )
    except ValueError as error:
        raise Failure([problem("invalid_argument", detail=error)]) from error


def _show(license: License | None) -> dict[str, Any]:
    return {
        "license": license.to_dict() if license else None,
        "activation": license.activation.to_dict() if license and license.activation else None,
    }


def _summary(license: License | None) -> dict[str, Any]:
    """What of a licence may change here, and may be shown."""
    if license is None:
        return {"partial_product_key": None, "channel": None, "status": None, "activation": None}
    return {
        "partial_product_key": license.partial_product_key,
        "channel": license.channel,
        "status": str(license.status),
        "activation": license.activation.to_dict() if license.activation else None,
    }


def _prediction(decision: Plan, wish: Wish, before: License | None) -> dict[str, Any]:
    return {
        **_summary(before),
        "partial_product_key": keys.last_five(decision.product_key or ""),
        "channel": keys.AVMA_CHANNEL,
        **({"status": str(Status.LICENSED)} if wish.activate else {}),
    }
