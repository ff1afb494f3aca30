# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on hosts, guests and their activation, and one report of many. Private to this collection.

Its shape is documented in docs/schemas/avma-report.schema.json.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._avma import keys
from .._avma.names import domain_of, full_name
from .fleet import Reading, fleet_of, natural
from .guests import Expected, Machine
from .identity import Host

#: Of the report's shape; another one when a value is removed or gets another meaning.
VERSION = 2

#: What of a result is kept, so that reports can be merged: all that the rows are made of.
_VM = (
    "name",
    "id",
    "state",
    "system",
    "fqdn",
    "addresses",
    "data_exchange",
    "clustered",
    "possible_owners",
    "replication_mode",
    "avma_key",
    "eligible",
    "problems",
)
_GUEST = ("fqdn", "system", "license", "activation", "hypervisor", "problems")
_FAILURE = ("failed", "unreachable", "msg", "problems")


class InvalidReportError(ValueError):
    """A file is no report of this version."""


def build_report(
    readings: Sequence[Reading],
    generated: str,
    title: str,
    *,
    expected_hosts: Expected = None,
    known_hosts: Sequence[str] = (),
    vm_ids: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The report.

    :param generated: When it is made, in ISO 8601.
    :param expected_hosts: This and what follows as for ``build_fleet``.
    """
    readings = sorted(readings, key=lambda reading: natural(reading.machine))
    fleet = fleet_of(readings, expected_hosts=expected_hosts, known_hosts=known_hosts, vm_ids=vm_ids)
    return {
        "version": VERSION,
        "title": title,
        "generated": generated,
        **fleet.to_dict(),
        "readings": [_kept(reading) for reading in readings],
    }


def _kept(reading: Reading) -> dict[str, Any]:
    modules = {
        module: kept for module, result in reading.parts.items() if (kept := _kept_result(module, result)) is not None
    }
    # An AVMA key is public; but no whole product key is in a report, so that nobody has to ask which it is.
    return {"machine": reading.machine, "read": reading.time, "modules": keys.mask(modules)}


def _kept_result(module: str, result: Mapping[str, Any]) -> dict[str, Any] | None:
    if module == "host_info" and "host" in result:
        return {"host": result["host"]}
    if module == "vm_info" and "vms" in result:
        return {"vms": [{name: vm[name] for name in _VM if name in vm} for vm in result["vms"]]}
    if module == "guest_info" and "guest" in result:
        return {"guest": {name: result["guest"][name] for name in _GUEST if name in result["guest"]}}
    if module == "activation_event_info":
        return {"events": [{**event, "strings": []} for event in result["events"]]} if "events" in result else None
    return {name: result[name] for name in _FAILURE if name in result}


def readings_of(report: Any) -> list[Reading]:
    """What a report was made of.

    :param report: The JSON of an earlier report.
    :raises InvalidReportError: It is none, or of another version.
    """
    if not isinstance(report, Mapping) or "version" not in report:
        raise InvalidReportError("it is no avma-report.json")
    if report["version"] != VERSION:
        raise InvalidReportError(f"it is of version {report['version']}, and this is {VERSION}: make it anew")
    try:
        return [Reading(item["machine"], dict(item["modules"]), item["read"]) for item in report["readings"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidReportError("its readings are not what the module report writes") from error


@dataclass(frozen=True)
class _Source:
    """A reading, and which of the reports it is from."""

    reading: Reading
    report: int


def merge(reports: Sequence[Sequence[Reading]]) -> list[Reading]:
    """The readings of many reports as those of one: of a machine that is in more than one, the newer.

    Machines are told by who they are: hosts by their full DNS names, guests by the ids of their VMs. One that was never read is told by its
    name in the inventory. Two machines that inventories call the same get names that differ.
    """
    sources = [_Source(reading, number) for number, readings in enumerate(reports) for reading in readings]
    identities = [_identity(source.reading) for source in sources]
    by_name: defaultdict[str, set[str]] = defaultdict(set)
    for source, identity in zip(sources, identities, strict=True):
        if identity:
            by_name[full_name(source.reading.machine)].add(identity)
    groups: defaultdict[str, list[_Source]] = defaultdict(list)
    for source, identity in zip(sources, identities, strict=True):
        name = full_name(source.reading.machine)
        named = by_name.get(name, set())
        groups[identity or (next(iter(named)) if len(named) == 1 else f"named {name}")].append(source)
    kept: list[tuple[str, Reading]] = []
    for identity, group in groups.items():
        newest = max(group, key=lambda source: source.reading.time)
        kept += [(identity, source.reading) for source in group if source.report == newest.report]
    return _with_names(kept)


def _identity(reading: Reading) -> str | None:
    """Who a machine is; None if it did not tell."""
    if "host_info" in reading.parts:
        host = Host.of(reading.machine, reading.parts["host_info"])
        if host.identity is None:
            return None
        # A name without a domain is that of many machines: with that of the inventory it is one of them.
        return (
            f"host {host.identity}"
            if domain_of(host.identity)
            else f"host {host.identity} {full_name(reading.machine)}"
        )
    machine = Machine(reading.machine, reading.parts.get("guest_info", {}), reading.time, ())
    told = machine.told_id or machine.fqdn
    return f"guest {full_name(told)}" if told else None


def _with_names(readings: Iterable[tuple[str, Reading]]) -> list[Reading]:
    readings = list(readings)
    count = Counter(full_name(reading.machine) for _identity, reading in readings)
    return [
        replace(reading, machine=f"{reading.machine} ({identity.partition(' ')[2]})")
        if count[full_name(reading.machine)] > 1
        else reading
        for identity, reading in readings
    ]
