# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants

from ..plugin_utils._action import AvmaAction, Failure, Interruption, checking
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.guests import Step
from ..plugin_utils._avma.hosts import HostFacts, HostWish, check_key, plan_host, spends_activation
from ..plugin_utils._avma.licenses import Status
from ..plugin_utils._avma.problems import Problem, problem
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.hosts import carry_out, read_host


class ActionModule(AvmaAction):
    """Give a host the key by which it activates its guests."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "product_key": {"type": "str", "no_log": True},
        "volume_key": {"type": "bool", "default": False, "no_log": False},
        "replace": {"type": "bool", "default": False},
        "activate": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 120},
    }

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task; whatever a machine answered, its result holds no whole key."""
        result: dict[str, Any] = keys.mask(super().run(tmp, task_vars))
        return result

    def perform(self, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read, decide, write what is missing, and prove it."""
        wish = _wish(arguments)
        shown = {"partial_product_key": keys.last_five(wish.product_key) if wish.product_key else None}
        if wish.product_key is not None:
            refusal = None if session.encrypted else problem("unencrypted_connection")
            if refusal is None and not arguments["volume_key"]:
                refusal = _claim(wish.product_key, session.machine)
            if refusal:
                raise Failure([refusal], shown)
        before = read_host(session)
        plan = plan_host(before, wish)
        spends = spends_activation(before, wish, plan.step)
        result = {
            **_show(before),
            **shown,
            "step": plan.step.value,
            "spends_activation": spends,
            "problems": [doubt.to_dict() for doubt in plan.doubts],
            "changed": plan.step is not Step.NOTHING,
        }
        if plan.problems:
            raise Failure(plan.problems, result)
        for doubt in plan.doubts:
            self._display.warning(f"{session.machine}: {doubt}")
        if before.avma is not None and before.avma.subscribed:
            result["msg"] = "The Windows Server subscription activates the guests: no key is needed."
        if plan.step is Step.NOTHING:
            return result
        if wish.product_key is None:
            result["msg"] = (
                "The host is a KMS client: it is activated by a KMS host or Active Directory, without a key of its own."
            )
        if plan.step is Step.INSTALL and not wish.activate and before.license is not None and before.license.working:
            result["msg"] = (
                f"The key ending in {before.license.partial_product_key}, {before.license.key_name}, is given up: until the new one is "
                "activated, the host activates no guests."
            )
        if self._task.check_mode:
            if spends and wish.product_key is not None:
                result["msg"] = f"An activation of the key ending in {keys.last_five(wish.product_key)} would be spent."
            return {**result, **self._difference(_summary(before), _prediction(before, wish))}

        outcome = carry_out(session, before, plan.step, wish, arguments["timeout"])
        after = outcome.host
        result.update(
            _show(after),
            problems=[doubt.to_dict() for doubt in outcome.doubts],
            # Where it could not be proved which key the host uses, it was given one without an error; after a write of which nothing could
            # be read back, something may be another than it was.
            changed=not outcome.known or _summary(after) != _summary(before) or bool(outcome.doubts),
            **self._difference(_summary(before), _summary(after)),
        )
        if outcome.error:
            raise Interruption(outcome.error, outcome.problems, result)
        if outcome.problems:
            raise Failure(outcome.problems, result)
        for doubt in outcome.doubts:
            self._display.warning(f"{session.machine}: {doubt}")
        return result

    def _difference(self, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        return {"diff": {"before": before, "after": after}} if self._task.diff else {}


def _wish(arguments: Mapping[str, Any]) -> HostWish:
    with checking("product_key"):
        product_key = keys.normalize_key(arguments["product_key"]) if arguments["product_key"] else None
    refusal = check_key(product_key) if product_key else None
    if refusal:
        raise Failure([refusal])
    return HostWish(product_key, arguments["replace"], arguments["activate"])


def _claim(product_key: str, machine: str) -> Problem | None:
    """Refuse a key that another host was given in this run of Ansible.

    Each host is worked on by a process of its own, and the folder that they share until the run ends is Ansible's temporary one.
    A symbolic link is made whole or not at all, and holds no more than what may be shown: the last five characters and a name.
    """
    last_five = keys.last_five(product_key)
    folder = Path(constants.DEFAULT_LOCAL_TMP) / "hyperv.avma"
    folder.mkdir(mode=0o700, exist_ok=True)
    claim = folder / last_five
    try:
        claim.symlink_to(machine)
    except FileExistsError:
        other = str(claim.readlink())
        if other != machine:
            return problem("duplicate_host_key", last_five=last_five, hosts=", ".join(sorted([other, machine])))
    return None


def _show(host: HostFacts) -> dict[str, Any]:
    facts = host.to_dict()
    return {name: facts[name] for name in ("backend", "license", "avma")}


def _summary(host: HostFacts) -> dict[str, Any]:
    """What of a host may change here, and may be shown."""
    if host.avma is not None:
        return {"avma": host.avma.result}
    if host.license is None:
        return {"partial_product_key": None, "channel": None, "status": None}
    return {
        "partial_product_key": host.license.partial_product_key,
        "channel": host.license.channel,
        "status": str(host.license.status),
    }


def _prediction(host: HostFacts, wish: HostWish) -> dict[str, Any]:
    last_five = keys.last_five(wish.product_key or "")
    if host.avma is not None:
        return {"avma": f"set up with the key ending in {last_five}"}
    if wish.product_key is None:
        return {**_summary(host), "status": str(Status.LICENSED)}
    return {
        "partial_product_key": last_five,
        "channel": "that of the key",
        "status": str(Status.LICENSED) if wish.activate else str(Status.NOTIFICATION),
    }
