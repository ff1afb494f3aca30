# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any, ClassVar

from ..plugin_utils._action import Failure, checking
from ..plugin_utils._avma import keys
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._fleet.clusters import what_went_wrong
from ..plugin_utils._fleet.host_activation import (
    Found,
    not_accepted,
    order,
    problems_after,
    problems_before,
    problems_of_plan,
    to_lines,
    to_plan,
)
from ..plugin_utils._fleet.host_keys import read_key_release
from ..plugin_utils._fleet.recap import to_recap
from ..plugin_utils._fleet_action import FleetAction, Result, attempt
from ..plugin_utils._session.session import Session
from .host_info import ActionModule as HostInfo
from .host_key import ActionModule as HostKey


class ActionModule(FleetAction):
    """Give the hosts of the play their keys."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        **HostKey.ARGUMENT_SPEC,
        "key_release": {"type": "str", "no_log": False},
        "accepted_problems": {"type": "list", "elements": "raw", "default": []},
        "targets": {"type": "list", "elements": "str", "default": []},
    }
    PER_MACHINE = frozenset(ARGUMENT_SPEC) - {"targets"}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task; whatever a machine answered, its result holds no whole key."""
        result: dict[str, Any] = keys.mask(super().run(tmp, task_vars))
        return result

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read all, validate all together, then write one after the other."""
        hosts: list[str] = self._variables["ansible_play_hosts_all"]
        targets = self._targets(arguments["targets"], hosts)
        lost = set(self.lost())
        plan = self._host_key(check_mode=True)

        def examine(session: Session, options: Mapping[str, Any]) -> Result:
            if session.machine not in targets:
                return {"host_info": HostInfo.perform(session, {})}
            # In this order: a host that another controller activates meanwhile is planned as it was, and written anew or left alone; the
            # other way round it would be left alone, and called not licensed.
            planned = attempt(session.machine, lambda: self._plan(plan, session, options))
            if planned.get("unreachable"):
                return planned
            return {"host_info": HostInfo.perform(session, {}), "host_key": planned}

        examined = self.visit({host: examine for host in hosts if host not in lost})
        reads = {host: examined[host].get("host_info", examined[host]) if host in examined else {} for host in hosts}
        plans = {host: examined[host]["host_key"] for host in targets if "host_key" in examined.get(host, {})}
        accepted = {
            host: self.accepted(machine.options) | _to_stay(host in targets, machine.options["activate"])
            for host, machine in self.machines.items()
        }
        found = list(not_accepted(problems_before(reads, self._wishes(plans), plans), accepted))
        todo = order(reads, plans)
        result: Result = {
            "changed": bool(todo),
            "plan": list(to_plan(plans)),
            "written": [],
            "hosts": plans,
            "readings": {host: {"host_info": read} for host, read in reads.items()},
            "problems": found,
            "recap": {},
        }
        if found:
            unchanged = {host: {**plan, "changed": False} for host, plan in plans.items()}
            return self._failure(
                {**result, "changed": False, "hosts": unchanged}, f"Nothing was written. {_count(found)}:"
            )
        if self._task.check_mode:
            return {**result, "recap": {host: _told(plans[host]) for host in todo}, **self._differences(plans, todo)}
        return self._write(result, todo, accepted)

    def _targets(self, names: list[str], hosts: list[str]) -> list[str]:
        targets = self.members(names) if names else hosts
        strangers = [name for name in targets if name not in hosts]
        if strangers:
            raise Failure([problem("not_in_play", names=", ".join(strangers), hosts=", ".join(hosts))])
        return targets

    def _host_key(self, *, check_mode: bool) -> HostKey:
        """The module for one host, as if the task were one of it."""
        task = copy(self._task)
        task.check_mode = check_mode
        return HostKey(task, self._connection, self._play_context, self._loader, self._templar, self._shared_loader_obj)

    @staticmethod
    def _plan(module: HostKey, session: Session, options: Mapping[str, Any]) -> Result:
        with checking("key_release"):
            read_key_release(options["key_release"])
        return module.perform(session, options)

    def _wishes(self, plans: Mapping[str, Result]) -> dict[str, Mapping[str, Any]]:
        """The keys that the hosts are to get, by their last five characters."""
        return {
            host: {
                "product_key": plan["partial_product_key"],
                "release": self.machines[host].options["key_release"],
                **{name: self.machines[host].options[name] for name in ("replace", "volume_key")},
            }
            for host, plan in plans.items()
            if plan.get("partial_product_key")
        }

    def _write(self, result: Result, todo: list[str], accepted: Mapping[str, Collection[str]]) -> Result:
        host_key = self._host_key(check_mode=False)

        def write(session: Session, options: Mapping[str, Any]) -> Result:
            written = attempt(session.machine, lambda: host_key.perform(session, options))
            # What a host is in the end is read from it, also if something went wrong.
            return {"host_key": written, "host_info": attempt(session.machine, lambda: HostInfo.perform(session, {}))}

        done: dict[str, Result] = {}
        for host in todo:
            visit = self.visit({host: write})[host]
            done[host] = visit.get("host_key", visit)
            result["readings"][host] = {"host_info": visit.get("host_info", visit)}
            if done[host].get("failed") or done[host].get("unreachable"):
                break
        untouched = {host: {**plan, "changed": False} for host, plan in result["hosts"].items()}
        result.update(written=list(done), hosts={**untouched, **done})
        result["changed"] = any(item.get("changed") for item in done.values())
        result["recap"] = {host: _told(item) for host, item in done.items()}
        result.update(self._differences(done, done))
        failed = [host for host, item in done.items() if item.get("failed") or item.get("unreachable")]
        if failed:
            (last,) = failed
            left = [host for host in todo if host not in done]
            after = f" Not touched after that: {', '.join(left)}." if left else ""
            result["problems"] = [{**item, "hosts": [last]} for item in problems_of_plan(last, done[last])]
            return {**result, "failed": True, "msg": f"{last}: {what_went_wrong(last, done[last])}{after}"}
        reads = {host: reading["host_info"] for host, reading in result["readings"].items()}
        result["problems"] = list(not_accepted(problems_after(reads), accepted))
        if result["problems"]:
            return self._failure(result, f"All keys were written. {_count(result['problems'])} left:")
        return result

    def _failure(self, result: Result, what: str) -> Result:
        problems = [(item["hosts"], item) for item in result["problems"]]
        told = to_recap(problems, self._variables["ansible_play_hosts_all"])
        recap = {host: {**result["recap"].get(host, {}), **said} for host, said in (result["recap"] | told).items()}
        return {**result, "failed": True, "msg": "\n".join([what, *to_lines(result["problems"])]), "recap": recap}

    def _differences(self, results: Mapping[str, Result], hosts: Collection[str]) -> Result:
        if not self._task.diff:
            return {}
        return {
            "diff": [
                {"before_header": host, "after_header": host, **results[host]["diff"]}
                for host in hosts
                if "diff" in results[host]
            ]
        }


def _to_stay(target: bool, activate: bool) -> frozenset[str]:
    """The problems that are asked for."""
    if not target:
        return frozenset({"host_not_licensed", "no_host_key"})
    return frozenset() if activate else frozenset({"host_not_licensed"})


def _told(item: Result) -> Result:
    """What the recap is to say of a host that was written."""
    return {name: item[name] for name in ("changed", "failed", "unreachable", "msg", "diff") if name in item}


def _count(problems: Collection[Found]) -> str:
    return "There is 1 problem" if len(problems) == 1 else f"There are {len(problems)} problems"
