# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..plugin_utils._action import AvmaAction, Failure, Interruption, checking, invalid
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.guests import Plan, Step, Wish, former_key_problem, join, not_renewable_problem, plan
from ..plugin_utils._avma.licenses import License, Status
from ..plugin_utils._avma.preflight import Hypervisor, Preflight, Vm
from ..plugin_utils._avma.problems import Problem, problem
from ..plugin_utils._avma.spelling import read_wish
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.activation import carry_out
from ..plugin_utils._windows.hypervisor import look_ahead
from ..plugin_utils._windows.licensing import SERVICE
from ..plugin_utils._windows.machine import read_machine


class ActionModule(AvmaAction):
    """Install the AVMA key of a guest and have its host activate it."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "channel": {"type": "str", "choices": ["avma", "kms"], "default": "avma"},
        "product_key": {"type": "str", "no_log": False},
        "release": {"type": "str"},
        "edition": {"type": "str"},
        "key_overrides": {"type": "dict", "default": {}, "no_log": False},
        "activate": {"type": "bool", "default": True},
        "expected_hosts": {"type": "list", "elements": "str", "default": []},
        "replace": {"type": "bool", "default": False},
        "vm": {"type": "dict"},
        "timeout": {"type": "int", "default": 120},
    }

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read, look ahead, decide, write what is missing, and prove it."""
        wish, vm = _wish(arguments)
        machine = read_machine(session)
        system, before = machine.system, machine.license
        result = {"system": system.to_dict(), **_show(before), "problems": [], "changed": False}
        decision = plan(system, before, wish)
        if decision.product_key is None:
            raise Failure(decision.problems, result)
        if decision.step is Step.NOTHING and not decision.problems:
            return result
        if decision.step is Step.INSTALL and not self._task.check_mode:
            session.expect(SERVICE)
        ahead, hypervisor = Preflight(), Hypervisor()
        in_the_way: list[Problem] = []
        if wish.channel == keys.AVMA_CHANNEL:
            ahead, hypervisor = look_ahead(session, system, vm)
            in_the_way = _in_the_way(ahead, wish, before)
        elif before and before.avma and before.licensed and wish.activate and not wish.replace:
            # A KMS client needs nothing of the host, but what the host activated, it must be able to activate again.
            kept, hypervisor = look_ahead(session, system, vm)
            in_the_way = [not_renewable_problem(before, why) for why in kept.problems[:1]]
        problems = list(decision.problems)
        if in_the_way:
            problems = join(in_the_way, problems)
        if not problems and decision.step is Step.INSTALL and not (decision.public or session.encrypted):
            problems = [problem("unencrypted_connection")]
        if problems:
            raise Failure(problems, {**result, "hypervisor": hypervisor.to_dict()})
        if ahead.doubt:
            self._display.warning(f"{session.machine}: {ahead.doubt}")
        if decision.step is Step.INSTALL:
            result["former_license"] = before.to_dict() if before else None
        if self._task.check_mode:
            if decision.step is Step.INSTALL and before and before.public_key is None:
                result["msg"] = f"The key ending in {before.partial_product_key}, {before.key_name}, would be given up."
            return {
                **result,
                "problems": [ahead.doubt.to_dict()] if ahead.doubt else [],
                "changed": True,
                **self._difference(_summary(before), _prediction(decision, wish, before)),
            }

        outcome = carry_out(
            session,
            decision,
            wish,
            before,
            system,
            arguments["timeout"],
            self.reconnect,
        )
        result.update(
            _show(outcome.license),
            # After a write of which nothing could be read back, something may be another than it was.
            changed=not outcome.known or _summary(outcome.license) != _summary(before),
            **self._difference(_summary(before), _summary(outcome.license)),
        )
        if outcome.problems or outcome.error:
            result["events"] = [event.to_dict() for event in outcome.events]
            result["hypervisor"] = outcome.hypervisor.to_dict() if outcome.hypervisor else None
        if outcome.error:
            raise Interruption(outcome.error, outcome.problems, result)
        if outcome.problems:
            raise Failure(outcome.problems, result)
        if before and before.licensed and not (outcome.license and outcome.license.licensed):
            # With activate: false, which leaves that to Windows.
            self._display.warning(
                f"{session.machine}: Windows is not activated now, as it was with the key ending in {before.partial_product_key}, "
                f"{before.key_name}."
            )
        if decision.step is Step.INSTALL and before and before.public_key is None:
            result["msg"] = str(former_key_problem("former_key_gone", before))
        return result

    def _difference(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        return {"diff": {"before": before, "after": after}} if self._task.diff else {}


_CHANNELS = {"avma": keys.AVMA_CHANNEL, "kms": keys.KMS_CHANNEL}
#: What keeps a key from being installed that is not to be activated here, as in an image.
_NOWHERE = frozenset({"not_a_hyper_v_guest", "vm_mismatch"})


def _in_the_way(ahead: Preflight, wish: Wish, before: License | None) -> list[Problem]:
    """What of the host's problems keeps the task from its work."""
    if wish.activate or (before is not None and before.licensed):
        return list(ahead.problems)
    return [item for item in ahead.problems if item.code in _NOWHERE]


def _wish(arguments: Mapping[str, Any]) -> tuple[Wish, Vm | None]:
    product_key, channel = arguments["product_key"], _CHANNELS[arguments["channel"]]
    if product_key and channel == keys.KMS_CHANNEL:
        raise invalid("product_key", "it is an AVMA key, and the KMS client key follows from release and edition")
    with checking("release" if arguments["release"] else "edition"):
        named = read_wish(arguments["release"], arguments["edition"])
    with checking("product_key"):
        product_key = keys.normalize_key(product_key) if product_key else None
    with checking("key_overrides"):
        overrides = keys.read_overrides(arguments["key_overrides"])
    with checking("vm"):
        vm = Vm.from_result(arguments["vm"]) if arguments["vm"] else None
    wish = Wish(
        product_key=product_key,
        release=named.release,
        build=named.exact_build,
        edition=named.edition,
        key_overrides=overrides,
        activate=arguments["activate"],
        expected_hosts=tuple(arguments["expected_hosts"]),
        replace=arguments["replace"],
        channel=channel,
    )
    return wish, vm


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
        "channel": wish.channel,
        **({"activation": None} if wish.channel == keys.KMS_CHANNEL else {}),
        **({"status": str(Status.LICENSED)} if wish.activate else {}),
    }
