# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether hosts may get the keys that are meant for them: all of them together, before the first is written. Private to this collection."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._avma import keys
from .._avma.hosts import HostFacts, HostWish, check_key, plan_host
from .._avma.matrix import AZURE_LOCAL
from .._avma.names import domain_of
from .._avma.problems import Kind, Problem, kind_of, problem
from .._avma.releases import Release
from .._avma.spelling import read_release
from .clusters import Findings, check_hosts, check_key_releases
from .identity import Host, Hosts, Result


@dataclass(frozen=True)
class HostKey:
    """The key that is meant for a host.

    :ivar last_five: All that is kept of it; None if the host is to stay as it is.
    :ivar volume_key: Whether other hosts may have the same.
    :ivar replace: Whether it may take the place of a key that works.
    :ivar release: The release of the key, if the user says it: the key itself does not tell.
    """

    last_five: str | None
    volume_key: bool = False
    replace: bool = False
    release: Release | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> HostKey:
        """From what the user gave, a whole key or its last five characters.

        :raises ValueError: The key or its release is none. The message does not repeat them.
        """
        given = given or {}
        key = (given.get("product_key") or "").strip().upper()
        if key and not re.fullmatch(keys.GROUP, key):
            key = keys.last_five(keys.normalize_key(key))
        return cls(
            key or None,
            bool(given.get("volume_key")),
            bool(given.get("replace")),
            read_key_release(given.get("release")),
        )


def read_key_release(written: object) -> Release | None:
    """The release of a host's key as a user writes it; None if it is not said.

    :raises ValueError: It is none of those whose keys an Azure Local host takes. On others, it does not matter.
    """
    if written is None or not str(written).strip():
        return None
    release = read_release(written).release
    if release not in AZURE_LOCAL:
        known = ", ".join(str(release) for release in AZURE_LOCAL if isinstance(release, Release))
        raise ValueError(f"{str(written).strip()!r} is another release than those of keys for Azure Local: {known}")
    return release


#: What could not be read, and must be before a whole cluster can be called valid.
_UNREADABLE = frozenset({"cluster_unreadable", "avma_unreadable"})


def validate_host_keys(
    results: Mapping[str, Result | None], wishes: Mapping[str, HostKey | Mapping[str, Any] | None]
) -> list[dict[str, Any]]:
    """All that is wrong with the keys that hosts are to get, and with the clusters that the hosts form.

    What the keys will put right is no problem any more, and what will go wrong with them is one.

    :param results: What ``host_info`` returned for all hosts, by their names in the inventory, also where it failed.
    :param wishes: What each is to get, a ``HostKey`` or what makes one; a host that is not here stays as it is.
    :returns: Problems as the modules return them, each with ``hosts``, its ``kind``, and whether it ``stops`` the first write: what is
        wrong does, and a host or a cluster that could not be read. Which of them the user accepts is for the caller.
    """
    hosts = Hosts(results)
    findings = Findings()
    check_hosts(findings, hosts)
    wanted: dict[str, HostKey] = {}
    for host in hosts.read:
        try:
            wish = wishes.get(host.machine)
            wanted[host.machine] = wish if isinstance(wish, HostKey) else HostKey.of(wish)
        except ValueError as error:
            findings.add(problem("invalid_argument", option="host_keys", detail=error), [host.machine])
            continue
        for found in _foresee(host, wanted[host.machine]):
            findings.add(found, [host.machine])
    _check_taken(findings, hosts, wanted)
    check_key_releases(findings, hosts, {name: key.release for name, key in wanted.items() if key.last_five})
    unread = {host.machine for host in hosts if host.shown is None}
    return [
        {
            **found,
            "kind": str(kind_of(found["code"])),
            "stops": kind_of(found["code"]) is Kind.WRONG
            or found["code"] in _UNREADABLE
            or bool(unread & set(found["hosts"])),
        }
        for found in findings.to_list()
    ]


def _foresee(host: Host, key: HostKey) -> Iterator[Problem | Mapping[str, str]]:
    if host.shown is None:
        return
    if key.last_five:
        refusal = check_key(key.last_five)
        if refusal:
            yield refusal
            return
    yield from plan_host(HostFacts.from_dict(host.shown), HostWish(key.last_five, key.replace)).problems
    # Other problems of the host are those that its key will put right, or those that the plan has found again.
    lasting = {"cluster_unreadable"} if key.replace else {"cluster_unreadable", "avma_unreadable"}
    yield from (found for found in host.shown["problems"] if found["code"] in lasting)


def _check_taken(findings: Findings, hosts: Hosts, wanted: Mapping[str, HostKey]) -> None:
    """Each key is for one host, unless it is a volume key: the one that is to get it, or the one that holds it now.

    A host that is to get another key holds its present one until it has been replaced, and the activation that this key has used stays
    used: a key that changes places is refused by Microsoft, after the host that had it has lost it.
    """
    holders: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for host in hosts.read:
        # One machine that is listed twice is told as that, not as two that have one key.
        identity = host.identity if host.identity and domain_of(host.identity) else host.machine
        key = wanted.get(host.machine)
        for last_five in {*installed_keys(host), *([key.last_five] if key and key.last_five else [])}:
            holders[last_five].setdefault(identity, host.machine)
    for key in wanted.values():
        if key.last_five and not key.volume_key:
            names = sorted(holders[key.last_five].values())
            if len(names) > 1:
                findings.add(problem("duplicate_host_key", last_five=key.last_five, hosts=", ".join(names)), names)


def installed_keys(host: Host) -> frozenset[str]:
    """The last five characters of the keys that a host holds now."""
    if host.shown is None:
        return frozenset()
    facts = HostFacts.from_dict(host.shown)
    last_five = facts.license.partial_product_key if facts.license else None
    installed = frozenset([last_five] if last_five else [])
    return installed if facts.avma is None else installed | facts.avma.last_fives | facts.avma.license_last_fives
