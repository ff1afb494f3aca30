"""What the info modules return for a fleet, made up in the shapes that their documentation describes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
GENERATED = "2026-11-22T08:15:30Z"

#: Release, build, AVMA key of the Datacenter edition.
RELEASES = {
    "2016": (14393, "TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J"),
    "2019": (17763, "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"),
    "2022": (20348, "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"),
    "2025": (26100, "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"),
}
HRESULTS = {
    "success": ("0x00000000", "S_OK"),
    "invalid_host": ("0xC004FD02", "SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED"),
    "denied": ("0xC004FD03", "SL_E_IA_ID_MISMATCH"),
}
TOO_OLD = {
    "code": "host_release_too_old",
    "message": "The host that runs this guest cannot activate it: it activates 2012 R2, 2016, 2019, 2022, and the guest is Windows "
    "Server 2025 Datacenter.",
    "remedy": "Run the VM on a host of its release or a newer one.",
}
UNKNOWN = {
    "code": "guest_unknown",
    "message": "The VM tells nothing of its guest over Data Exchange (it is off).",
    "remedy": "Start it; if it runs Windows, see that its service vmickvpexchange runs.",
}
KMS = {
    "code": "not_avma",
    "message": "Windows is not activated by its host: its key ending in VMK7H is of channel Volume:GVLK (status: licensed).",
    "remedy": "Run guest_key to install the AVMA key.",
}


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def system(release: str, core: bool = False) -> dict[str, Any]:
    return {
        "release": release,
        "edition": "Datacenter",
        "core": core,
        "evaluation": False,
        "build": RELEASES[release][0],
        "sku": 147 if core else 8,
        "name": f"Windows Server {release}",
    }


def license(key: str, channel: str, status: str = "licensed") -> dict[str, Any]:
    return {
        "name": "Windows(R), ServerDatacenter edition",
        "status": status,
        "reason": None,
        "channel": channel,
        "avma": channel == "VT:IA",
        "partial_product_key": key[-5:],
        "activation_id": "21c56779-b449-4d20-adfc-eece0e1ad74b",
        "grace_minutes": 9000,
    }


def event(event_id: int, moment: datetime, outcome: str = "success") -> dict[str, Any]:
    hresult, symbol = HRESULTS[outcome]
    return {
        "id": event_id,
        "record": 4711,
        "time": iso(moment),
        "outcome": outcome,
        "hresult": hresult,
        "symbol": symbol,
        "strings": [hresult, ""],
    }


def host(
    name: str, release: str = "2025", cluster: str | None = None, nodes: tuple[str, ...] = (), key: str = "CVG3B"
) -> dict[str, Any]:
    """A host that is in order, as ``host_info`` returns it."""
    known = ["2012 R2", *RELEASES]
    return {
        "changed": False,
        "host": {
            "name": name,
            "system": system(release, core=True),
            "backend": "windows_server",
            "hyperv": True,
            "license": license(key, "Volume:MAK"),
            "avma": None,
            "cluster": cluster and {"name": cluster, "nodes": [{"name": node, "state": "up"} for node in nodes]},
            "activates": known[: known.index(release) + 1],
            "activates_known": True,
            "problems": [],
        },
    }


def vm(name: str, number: int, release: str | None, owners: tuple[str, ...] = ()) -> dict[str, Any]:
    """A VM that is in order, as ``vm_info`` returns it."""
    return {
        "name": name,
        "id": f"8B0F3A0E-51E4-4A3B-8E66-{number:012X}",
        "state": "running" if release else "off",
        "system": system(release) if release else None,
        "fqdn": f"{name.lower()}.lab.example" if release else None,
        "addresses": ["192.0.2.17"],
        "rdp_addresses": [],
        "service_pack": None,
        "architecture": "x64" if release else None,
        "kvp": {},
        "data_exchange": True,
        "possible_owners": list(owners),
        "avma_key": RELEASES[release][1] if release else None,
        "eligible": True if release else None,
        "problems": [] if release else [UNKNOWN],
    }


def guest(vm: dict[str, Any], host: str, moment: datetime) -> dict[str, Any]:
    """A guest that is activated, as ``guest_info`` returns it."""
    return {
        "changed": False,
        "guest": {
            "connection": {"plugin": "hyperv.avma.powershell_direct", "host": host},
            "system": vm["system"],
            "license": license(vm["avma_key"], "VT:IA"),
            "activation": {"host": host, "time": iso(moment), "iaid": "4f4d6ad4", "host_pid": "00491-50000"},
            "hypervisor": {
                "host": host,
                "host_fqdn": f"{host}.lab.example",
                "host_sku": 147,
                "host_version": "10.0",
                "vm_id": vm["id"],
                "vm_name": vm["name"],
                "activation_component": True,
            },
            "events": [],
            "problems": [],
        },
    }


def fleet(hosts: int = 8, guests: int = 120, hostile: str | None = None) -> dict[str, dict[str, Any]]:
    """A fleet with some of everything that can be wrong.

    :param hostile: The name of one more VM.
    """
    chance = random.Random(1)
    names = tuple(f"HV{number:02}" for number in range(1, hosts + 1))
    half = hosts // 2
    clusters = {
        name: ("PROD-A", names[:half]) if index < half else ("PROD-B", names[half:]) for index, name in enumerate(names)
    }
    results: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(names):
        cluster, nodes = clusters[name]
        old = index == half - 1
        results[name] = {
            "host_info": host(name, "2022" if old else "2025", cluster, nodes, f"BCDF{'GHJKMNPQRTVWXY'[index % 14]}"),
            "vm_info": {"vms": []},
            "activation_event_info": {"events": []},
        }
    results[names[-1]]["host_info"] = {"unreachable": True, "msg": f"{names[-1]}: ntlm: connection refused"}
    for member in clusters[names[-1]][1][:-1]:
        results[member]["host_info"]["host"]["cluster"]["nodes"][-1]["state"] = "down"
    roles = ("WEB", "SQL", "APP", "FILE", "DC", "RDS")
    for number in range(guests):
        owner = names[number % (hosts - 1)]
        release = chance.choice(list(RELEASES)) if number % 17 else None
        machine = vm(f"{roles[number % len(roles)]}{number:03}", number, release)
        results[owner]["vm_info"]["vms"].append(machine)
        if release is None:
            continue
        if owner == names[half - 1] and release == "2025":
            machine.update(eligible=False, problems=[TOO_OLD])
        moments = sorted(NOW - timedelta(hours=chance.uniform(1, 30 * 24)) for _ in range(chance.randint(2, 6)))
        told = guest(machine, owner, moments[-1])
        outcomes = ["denied" if chance.random() < 0.08 else "success" for _ in moments]
        if machine["problems"]:
            told["guest"].update(activation=None, problems=[TOO_OLD])
            told["guest"]["license"]["status"] = "notification"
            outcomes = ["denied" for _ in moments]
        elif number % 23 == 5:
            told["guest"].update(activation=None, license=license("VMK7H", "Volume:GVLK"), problems=[KMS])
            outcomes = []
        for moment, outcome in zip(moments, outcomes, strict=False):
            results[owner]["activation_event_info"]["events"].insert(0, event(12310, moment, outcome))
        if number % 5:
            events = [event(12309, moment, outcome) for moment, outcome in zip(moments, outcomes, strict=False)]
            results[machine["name"].lower()] = {"guest_info": told, "activation_event_info": {"events": events[::-1]}}
    if hostile is not None:
        results[names[0]]["vm_info"]["vms"].append(vm(hostile, 0xBAD, "2022"))
    return results
