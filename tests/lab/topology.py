# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Topology files: ``defaults`` and ``count`` worked in, checked, made into machines. ``README.md`` has the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from lab.merging import merged
from lab.spec import TopologySpec
from lab.world import World


def load(source: str | Path | Mapping[str, Any]) -> World:
    """The machines of a topology, given as a file or as its content.

    Raises ValueError that names every mistake and where it is.
    """
    if isinstance(source, Mapping):
        data, name = source, "topology"
    else:
        data, name = yaml.safe_load(Path(source).read_text(encoding="utf-8")), str(source)
    try:
        return World(TopologySpec.model_validate(_expanded(data)))
    except ValidationError as error:
        mistakes = (
            f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()
        )
        raise ValueError(f"{name}: " + "; ".join(mistakes)) from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _expanded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without ``defaults`` and ``count``."""
    topology = dict(data)
    defaults = topology.pop("defaults", {})
    unknown = set(defaults) - {"all", "hosts", "guests"}
    if unknown:
        raise ValueError(f"defaults.{sorted(unknown)[0]}: there are defaults for all, hosts and guests")
    everyone = defaults.get("all", {})
    for_hosts = merged(everyone, defaults.get("hosts", {}))
    for_guests = merged(everyone, defaults.get("guests", {}))
    hosts = []
    for host in _counted(topology.get("hosts", []), {}):
        host = merged(for_hosts, host)
        if "guests" in host:
            guests = _counted(host["guests"], {"host": host.get("name", "")})
            host["guests"] = [merged(for_guests, guest) for guest in guests]
        hosts.append(host)
    topology["hosts"] = hosts
    topology["guests"] = [merged(for_guests, guest) for guest in _counted(topology.get("guests", []), {})]
    return topology


def _counted(machines: list[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Each entry ``count`` times, ``{n}`` and ``{host}`` in its name replaced; without a count it is what it is."""
    for machine in machines:
        entry = dict(machine)
        if "count" not in entry:
            yield entry
            continue
        for number in range(1, entry.pop("count") + 1):
            yield entry | {"name": str(entry["name"]).format(n=number, **names)}
