# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleError

from ..plugin_utils._action import Failure, InvalidArgumentsError
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._fleet.fleet import Fleet, build_fleet
from ..plugin_utils._fleet.guest_activation import guests_to_activate, guests_to_renew, plan, with_attempt
from ..plugin_utils._fleet.recap import to_recap
from ..plugin_utils._fleet.verdict import Verdict, judge
from ..plugin_utils._fleet_action import FleetAction, Result, attempt, unknown_name
from ..plugin_utils._session.session import Session
from ..plugin_utils._windows.hypervisor import VM_ID, read_vm_id
from .activation_event_info import ActionModule as ActivationEventInfo
from .guest_info import ActionModule as GuestInfo
from .host_info import ActionModule as HostInfo
from .vm_info import ActionModule as VmInfo

_HOSTS_GROUP = "avma_hosts"
#: Of the events that a machine has logged, the newest are read.
_MOST_EVENTS = 100


class ActionModule(FleetAction):
    """Read hosts and guests of the play."""

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "machines": {"type": "list", "elements": "str"},
        "hosts_group": {"type": "str", "default": _HOSTS_GROUP},
        "guests_group": {"type": "str"},
        "activated_since": {"type": "str"},
        "expected_hosts": {"type": "list", "elements": "str", "default": []},
        "key_overrides": {"type": "dict", "default": {}, "no_log": False},
        "events_since": {"type": "str"},
        "accepted_problems": {"type": "list", "elements": "raw", "default": []},
        "readings": {"type": "dict", "default": {}},
        "guest_key": {"type": "dict", "no_log": False},
        "pending_hosts": {"type": "list", "elements": "str", "default": []},
    }
    PER_MACHINE = frozenset({"activated_since", "expected_hosts", "key_overrides", "events_since", "guest_key"})

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Read all machines at once, join what they say, and say what is wrong with each and across them."""
        accepted = self.accepted(arguments)
        readings = self._read(arguments)
        hosts = self._variables["groups"].get(arguments["hosts_group"], ())
        fleet = build_fleet(
            readings,
            expected_hosts={
                name: item.get("guest_info", {}).get("expected_hosts", ()) for name, item in readings.items()
            },
            known_hosts=[name for name in hosts if name not in readings],
            vm_ids={name: vm_id for name in readings if (vm_id := self._reach.inventory_variable(name, "avma_vm_id"))},
        )
        verdict = self._judge(fleet, accepted)
        to_activate = guests_to_activate(readings, fleet, arguments["pending_hosts"])
        return {
            "changed": False,
            "readings": readings,
            "fleet": fleet.to_dict(),
            "verdict": verdict.to_dict(),
            "problems": verdict.problems,
            "recap": to_recap(
                ((item["at"], item) for item in verdict.problems),
                list(readings),
                [name for name, reading in readings.items() if _is_lost(reading)],
            ),
            "unread": [name for name, reading in readings.items() if not _is_read(reading)],
            "guests_to_activate": to_activate,
            "guests_to_renew": guests_to_renew(readings, fleet),
            **self._plan(fleet, arguments, to_activate),
        }

    def _read(self, arguments: Mapping[str, Any]) -> dict[str, Result]:
        """What is known of each machine, by what is read now, or was before."""
        kinds = self._kinds(arguments)
        former: Mapping[str, Any] = arguments["readings"]
        lost = {name for name in self.lost() if name in kinds}
        read = self.visit({name: partial(_read, kind, name) for name, kind in kinds.items() if name not in lost})
        now = {name: item if "msg" not in item else {_MODULE[kinds[name]]: item} for name, item in read.items()}
        unknown: dict[str, Result] = {name: {_MODULE[kinds[name]]: {}} for name in lost}
        return {**unknown, **former, **now}

    def _plan(self, fleet: Fleet, arguments: Mapping[str, Any], guests: Iterable[str]) -> dict[str, list[str]]:
        """In check mode, after the guests had their turn, what would be done."""
        if not self._task.check_mode or arguments["guest_key"] is None:
            return {}
        attempts = {name: self.options_of(self._reach.target(name), ["guest_key"])["guest_key"] for name in guests}
        return {"plan": plan(fleet, arguments["pending_hosts"], attempts)}

    def _kinds(self, arguments: Mapping[str, Any]) -> dict[str, Callable[..., Result]]:
        """The machines to read, each with what reads it."""
        groups: Mapping[str, list[str]] = self._variables["groups"]
        hosts_group, guests_group = arguments["hosts_group"], arguments["guests_group"]
        for group in (hosts_group, guests_group):
            # Who has guests only needs no group of hosts.
            if group and group not in groups and group != _HOSTS_GROUP:
                raise Failure([unknown_name(group, groups)])
        hosts = set(groups.get(hosts_group, ()))
        guests = set(groups[guests_group]) if guests_group else set(groups["all"]) - hosts
        if arguments["machines"] is not None:
            names = self.members(arguments["machines"])
        else:
            names = [*self._variables["ansible_play_batch"], *self.lost()]
            names = [name for name in names if name in hosts | guests]
        if not names and not arguments["readings"]:
            meant = " or ".join(filter(None, (hosts_group, guests_group)))
            detail = f"the play and its limit have no host of the groups {meant}"
            raise Failure([problem("no_machines", detail=detail, groups=", ".join(sorted(groups)))])
        return {name: _KINDS[name in hosts, name in guests] for name in names}

    def _judge(self, fleet: Fleet, accepted: frozenset[str]) -> Verdict:
        """The verdict, by what each machine that is not right accepts with its own variables.

        :param accepted: What is accepted where no machine is concerned.
        """
        verdict = judge(fleet)
        # Whoever limits a run to hosts wants no guest proved.
        asked_for = frozenset({"nothing_proved"} if context.CLIARGS.get("subset") and fleet.hosts else ())
        concerned = {name for item in verdict.problems for name in item["at"]}
        by_machine = {"": accepted | asked_for}
        for name in concerned & set(self._variables["groups"]["all"]):
            # One whose variables cannot be templated accepts nothing.
            with suppress(AnsibleError, InvalidArgumentsError):
                options = self.options_of(self._reach.target(name), ["accepted_problems"])
                by_machine[name] = self.accepted(options) | asked_for
        return judge(fleet, by_machine)


def _is_lost(reading: Mapping[str, Result]) -> bool:
    """Whether a machine was not reached."""
    return any(part.get("unreachable") for part in reading.values())


def _is_read(reading: Result) -> bool:
    return "host" in reading.get("host_info", {}) or "guest" in reading.get("guest_info", {})


def _read(kind: Callable[..., Result], machine: str, session: Session, options: Mapping[str, Any]) -> Result:
    return {**kind(machine, session, options), **_read_events(machine, session, options)}


def _read_host(machine: str, session: Session, options: Mapping[str, Any]) -> Result:
    info = HostInfo.perform(session, {})
    overrides = options["key_overrides"]
    vms = attempt(machine, lambda: VmInfo.perform(session, {"name": [], "key_overrides": overrides}))
    return {"host_info": info, "vm_info": vms}


def _read_guest(machine: str, session: Session, options: Mapping[str, Any]) -> Result:
    asked = {name: options[name] for name in ("activated_since", "expected_hosts", "key_overrides")}
    session.expect(VM_ID)
    info = GuestInfo.perform(session, {**asked, "gather_subset": ["min"]})
    if info["guest"]["problems"]:
        # What it sees of its host, and its last events, may tell why.
        info = GuestInfo.perform(session, {**asked, "gather_subset": ["all"]})
    elif not info["guest"]["hypervisor"]:
        info["guest"]["hypervisor"] = {"vm_id": read_vm_id(session)}
    if options["expected_hosts"]:
        info["expected_hosts"] = options["expected_hosts"]
    return {"guest_info": with_attempt(info, options["guest_key"])}


def _read_both(machine: str, session: Session, options: Mapping[str, Any]) -> Result:
    """A host that is a virtual machine itself, and in both groups. One that is none is no guest, whatever its groups."""
    read, guest = _read_host(machine, session, options), _read_guest(machine, session, options)
    if any(item["code"] == "not_a_hyper_v_guest" for item in guest["guest_info"]["guest"]["problems"]):
        return read
    return {**read, **guest}


def _read_events(machine: str, session: Session, options: Mapping[str, Any]) -> Result:
    if options["events_since"] is None:
        return {}
    asked = {
        "event_id": ActivationEventInfo.ARGUMENT_SPEC["event_id"]["default"],
        "since": options["events_since"],
        "limit": _MOST_EVENTS,
    }
    return {"activation_event_info": attempt(machine, lambda: ActivationEventInfo.perform(session, asked))}


#: How a machine is read, by whether it is a host, and a guest. One that was named, and is in neither group, is a guest.
_KINDS = {(True, False): _read_host, (True, True): _read_both, (False, True): _read_guest, (False, False): _read_guest}
#: Under which module's name a machine stands that could not be read.
_MODULE = {_read_host: "host_info", _read_both: "host_info", _read_guest: "guest_info"}
