# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two names can mean one machine. Private to this collection."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

#: A NetBIOS computer name holds so many characters of a DNS host name (Microsoft, "Naming conventions in Active Directory").
NETBIOS_LENGTH = 15


def full_name(name: str) -> str:
    """A name as it is compared: without case, and without the dot at the end of a full DNS name."""
    return name.strip().rstrip(".").lower()


def is_address(name: str) -> bool:
    """Whether a name is an IP address, which tells of no machine who it is."""
    try:
        ipaddress.ip_address(name.strip())
    except ValueError:
        return False
    return True


def short_name(name: str) -> str:
    """The name without its domain, as it is compared."""
    return full_name(name) if is_address(name) else full_name(name).partition(".")[0]


def domain_of(name: str) -> str:
    """The domain of a full name, as it is compared; empty if it has none."""
    return "" if is_address(name) else full_name(name).partition(".")[2]


def same_short_name(one: str, other: str) -> bool:
    """Whether two names are the same without their domains; one of 15 characters can be the beginning of the other (NetBIOS)."""
    one, other = short_name(one), short_name(other)
    if not one or not other:
        return False
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) == NETBIOS_LENGTH and longer.startswith(shorter))


def names_match(one: str, other: str) -> bool:
    """Whether two names can mean one machine.

    Two names with a domain are compared whole, others without their domains: short names are for people, and can be those of two
    machines. An address is equal to itself only.
    """
    if is_address(one) or is_address(other) or (domain_of(one) and domain_of(other)):
        return bool(full_name(one)) and full_name(one) == full_name(other)
    return same_short_name(one, other)


def matches_any(name: str, names: Iterable[str]) -> bool:
    """Whether a name can mean one of these machines."""
    return any(names_match(name, other) for other in names)
