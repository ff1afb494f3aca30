# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `make bench` measures: this collection against what a user would run instead, on the lab, written to docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from lab.client import Lab

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent
_BUILD = _ROOT / "build" / "bench"
_REPORT = _ROOT / "docs" / "benchmarks.md"
_PEER = Path("ansible_collections", "ansible", "windows")
_PLAYBOOK = (sys.executable, "-m", "ansible", "playbook")
_FORKS = 20


@dataclass(frozen=True)
class Cost:
    """What a run took.

    :ivar requests: Requests that reached the machines, without those that only authenticate.
    :ivar sent: Bytes of the HTTP messages to the machines, ``received`` from them; authentication left out.
    :ivar wall: Seconds from start to end.
    :ivar cpu: Seconds of processor time, user and system, of Ansible and all of its processes.
    :ivar memory: Megabytes that the largest of these processes had at most.
    """

    requests: float
    sent: float
    received: float
    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Way:
    """A way to have guests activated."""

    name: str
    playbook: str
    arguments: tuple[str, ...] = ()
    #: Whether the guests have no product key before it.
    fresh: bool = False


@dataclass(frozen=True)
class Road:
    """What it took to reach guests in one way: how often PowerShell started for each of them."""

    name: str
    work: str
    in_guest: float
    on_host: float
    cost: Cost


_IDLE = Way("Ansible alone: a task that does nothing", "nothing.yml")
_RIGHT = Way("`guest_key`, all is right", "guest_key.yml")
_ACTIVATE = Way("`guest_key`, installs and activates", "guest_key.yml", fresh=True)
_FOUR_RIGHT = Way("four tasks, all is right", "four_tasks.yml", ("--extra-vars", '{"guests_are_activated": true}'))
_FOUR_ACTIVATE = Way("four tasks, install and activate", "four_tasks.yml")
_SCRIPT = Way("one script, either way", "one_script.yml")
_VERIFY = Way("`verify`, all is right", "hyperv.avma.verify")
_SITE = Way("`site`, all is right", "hyperv.avma.site")
_BARE = Way("the limit: a bare script of 20 threads, pywinrm, two queries", "bare.py")
_WAYS = (_IDLE, _ACTIVATE, _RIGHT, _VERIFY, _SITE, _BARE, _FOUR_ACTIVATE, _FOUR_RIGHT, _SCRIPT)
#: Numbers of guests, how often each is measured, and in which ways: some of them take minutes for many guests. The median counts.
_SIZES = {
    1: (3, _WAYS),
    50: (3, _WAYS),
    500: (1, (_IDLE, _ACTIVATE, _RIGHT, _VERIFY, _SITE, _BARE, _SCRIPT)),
    2_000: (1, (_VERIFY, _SITE, _BARE)),
}
#: How guests can be reached, and how many there are.
_ROADS: Mapping[str, Mapping[str, Any]] = {
    "WinRM (`winrm`, NTLM)": {"listener": {"connection": "winrm"}},
    "WinRM (`psrp`, NTLM)": {"listener": {"connection": "psrp"}},
    "ssh, cmd.exe as default shell": {"listener": {"connection": "ssh"}},
    "ssh, powershell.exe as default shell": {"listener": {"connection": "ssh"}, "ssh": {"shell": "powershell"}},
    "through a host that is reached by `winrm`": {"listener": {"connection": "powershell_direct"}},
}
_ROAD_GUESTS = 10
#: Ours, and what it is held against.
_PAIRS = (
    (_VERIFY, _SCRIPT),
    (_SITE, _SCRIPT),
    (_VERIFY, _BARE),
    (_SITE, _BARE),
    (_RIGHT, _SCRIPT),
    (_ACTIVATE, _SCRIPT),
    (_RIGHT, _FOUR_RIGHT),
    (_ACTIVATE, _FOUR_ACTIVATE),
)


def main() -> None:
    """Measure everything and write the report."""
    started = time.monotonic()
    load = os.getloadavg()[0]
    peer = _peer()
    costs = {size: _measure_guests(size, *how) for size, how in _SIZES.items()}
    hosts = _measure_hosts()
    roads = [road for name, reached in _ROADS.items() for road in _measure_road(name, reached)]
    duration = time.monotonic() - started
    _REPORT.write_text(_report(costs, hosts, roads, peer, load, duration), encoding="utf-8")
    print(f"Written to {_REPORT.relative_to(_ROOT)} in {duration:.0f} s.")


def _peer() -> str:
    """Have ansible.windows in the build folder, from the package ``ansible``; its version."""
    manifest = _BUILD / _PEER / "MANIFEST.json"
    if not manifest.exists():
        download = ("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(_BUILD), "ansible")
        subprocess.run([sys.executable, "-m", "pip", *download], check=True)
        (wheel,) = _BUILD.glob("ansible-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(_BUILD, [name for name in archive.namelist() if Path(name).is_relative_to(_PEER)])
    return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])


def _measure_guests(size: int, repetitions: int, ways: Sequence[Way]) -> dict[Way, Cost]:
    guests = [{"name": "VM{n:03}", "count": size, "release": "2022", "license": "avma"}]
    topology = {"hosts": [{"name": "HV01", "release": "2025", "license": "mak", "guests": guests}]}
    costs: dict[Way, list[Cost]] = {way: [] for way in ways}
    with Lab(topology) as lab:

        def prepare(way: Way) -> None:
            for number in range(1, size + 1) if way.fresh else ():
                lab.set(f"VM{number:03}", "license", "none")

        for _ in range(repetitions):
            # In turns, so that other work on the machine hits all alike.
            for way in ways:
                prepare(way)
                costs[way].append(_measure(lab, _command(lab, way), f"{size} guests, {way.name}"))
    return {way: _median(measured) for way, measured in costs.items()}


def _command(lab: Lab, way: Way) -> Sequence[str]:
    if way.playbook.endswith(".py"):
        collections = os.environ["ANSIBLE_COLLECTIONS_PATH"]
        return ("env", f"PYTHONPATH={collections}", sys.executable, str(_HERE / way.playbook), str(lab.inventory))
    playbook = str(_HERE / way.playbook) if way.playbook.endswith(".yml") else way.playbook
    return (*_PLAYBOOK, "-i", str(lab.inventory), playbook, *way.arguments)


def _measure_hosts() -> dict[str, Cost]:
    """32 hosts with 50 VMs each: the inventory plugin, and the module in a play."""
    with Lab(_ROOT / "tests" / "lab" / "topologies" / "inventory.yml") as lab:
        machines = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["hosts"]
        source = lab.directory / "bench.avma.yml"
        source.touch(mode=0o600)
        source.write_text(yaml.safe_dump({"plugin": "hyperv.avma.guests", "hosts": machines}), encoding="utf-8")
        inventory = (sys.executable, "-m", "ansible", "inventory", "-i", str(source), "--list")
        play = (*_PLAYBOOK, "-i", str(lab.inventory), str(_HERE / "vm_info.yml"))
        return {
            "inventory plugin `guests`": _measure(lab, inventory, "inventory"),
            "module `vm_info`": _measure(lab, play, "vm_info"),
        }


def _measure_road(name: str, reached: Mapping[str, Any]) -> Iterator[Road]:
    """Guests that are reached in one way: activated, and looked at again."""
    guests = [{"name": "VM{n:03}", "count": _ROAD_GUESTS, "release": "2022", **reached}]
    topology = {"hosts": [{"name": "HV01", "release": "2025", "license": "mak", "guests": guests}]}
    with Lab(topology) as lab:
        for work in ("installs and activates", "all is right"):
            command = (*_PLAYBOOK, "-i", str(lab.inventory), str(_HERE / _RIGHT.playbook))
            cost = _measure(lab, command, f"{name}, {work}")
            starts = {machine: report["powershell_starts"] for machine, report in lab.call("counters").items()}
            on_host = starts.pop("HV01")
            yield Road(name, work, sum(starts.values()) / _ROAD_GUESTS, on_host / _ROAD_GUESTS, cost)


def _measure(lab: Lab, command: Sequence[str], name: str) -> Cost:
    configuration = lab.directory / "ansible.cfg"
    configuration.touch()
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_COLLECTIONS_PATH": f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{_BUILD}",
        "ANSIBLE_FORKS": str(_FORKS),
    }
    lab.reset_counters()
    started = time.monotonic()
    with (lab.directory / "output.txt").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        # The usage of this child with its children, which RUSAGE_CHILDREN would add to the lab's.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{name} failed:\n{output.read()}")
    counters = lab.call("counters").values()
    cost = Cost(
        requests=sum(report["operations"] for report in counters),
        sent=sum(report["wire_received"] for report in counters),
        received=sum(report["wire_sent"] for report in counters),
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        # Of the process and of those that it waited for; the kernel counts in kB.
        memory=usage.ru_maxrss / 1000,
    )
    print(f"{name}: {cost.requests:,} requests, {wall:.1f} s, {cost.cpu:.1f} s, {cost.memory:.0f} MB", flush=True)
    return cost


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, field.name) for cost in costs) for field in fields(Cost)))


def _report(
    costs: dict[int, dict[Way, Cost]],
    hosts: dict[str, Cost],
    roads: Sequence[Road],
    peer: str,
    load: float,
    duration: float,
) -> str:
    versions = {
        "hyperv.avma": yaml.safe_load((_ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"],
        "ansible-core": version("ansible-core"),
        "ansible.windows": peer,
        **{name: version(name) for name in ("pywinrm", "requests", "pyspnego")},
        "Python": platform.python_version(),
    }
    return _TEMPLATE.format(
        versions=", ".join(f"{name} {number}" for name, number in versions.items()),
        machine=f"{os.cpu_count()} cores ({_processor()}), load average {load:.1f} before the first run",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        duration=f"{duration:.0f}",
        forks=_FORKS,
        repetitions=", ".join(f"{times} for {size:,}" for size, (times, _ways) in _SIZES.items()),
        costs=_table(
            ("guests", "", *_COLUMNS),
            (
                _row(f"{size:,}", way.name, cost=cost)
                for size, measured in costs.items()
                for way, cost in measured.items()
            ),
        ),
        ratios=_table(
            ("guests", "", *_COLUMNS, "without Ansible alone"),
            (
                _ratios(f"{size:,}", ours, peers, measured)
                for ours, peers in _PAIRS
                for size, measured in costs.items()
                if ours in measured and peers in measured
            ),
        ),
        hosts=_table(("", *_COLUMNS), (_row(name, cost=cost) for name, cost in hosts.items())),
        guests=_ROAD_GUESTS,
        roads=_table(
            ("", "", "starts in each guest", "starts on its host for it", *_COLUMNS),
            (
                (road.name, road.work, f"{road.in_guest:g}", f"{road.on_host:g}", *_row(cost=road.cost))
                for road in roads
            ),
        ),
    )


_COLUMNS = ("requests", "kB sent", "kB received", "time (s)", "processor time (s)", "memory (MB)")
_FORMATS: tuple[Callable[[float], str], ...] = (
    "{:,.0f}".format,
    *(lambda number: f"{number / 1000:,.0f}",) * 2,
    *("{:.1f}".format,) * 2,
    "{:,.0f}".format,
)


def _row(*labels: str, cost: Cost) -> tuple[str, ...]:
    values = (getattr(cost, field.name) for field in fields(Cost))
    return (*labels, *(form(value) for form, value in zip(_FORMATS, values, strict=True)))


def _ratios(size: str, ours: Way, peers: Way, costs: dict[Way, Cost]) -> tuple[str, ...]:
    own, others, idle = costs[ours], costs[peers], costs.get(_IDLE)
    pairs = [(getattr(own, field.name), getattr(others, field.name)) for field in fields(Cost)]
    beyond = (own.cpu - idle.cpu, others.cpu - idle.cpu) if idle else (0.0, 0.0)
    return (
        size,
        f"{ours.name} : {peers.name}",
        *(f"{100 * mine / theirs:.3g} %" for mine, theirs in pairs),
        # The difference of a few processes is lost in the noise.
        f"{100 * beyond[0] / beyond[1]:.3g} %" if min(beyond) > 1 else "–",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


_TEMPLATE = """# Benchmarks

Written by `make bench` on {date}, in {duration} s. Do not edit: the text is in `tests/bench`.

{versions}; {machine}.

## What is measured

The same work, done in the ways that a user has:

- `guest_key`: one task with this collection's module.
- Four tasks: `ansible.windows.win_powershell` reads the licence; if it is not right, `ansible.windows.win_command` runs
  `slmgr.vbs /ipk` and `slmgr.vbs /ato`, and `ansible.windows.win_powershell` reads the licence again.
- One script: all of this in one task of `ansible.windows.win_powershell`.
- `verify` and `site`: this collection's playbooks over the guests and their host, all of which are read in one task.
- The limit: a bare Python script with 20 threads that sends the same two queries to each guest by pywinrm, and does nothing with
  the answers.

The playbooks are in `tests/bench`. Each run is one `ansible-playbook` with {forks} forks, from its start to its end, without
gathering facts, against simulated guests (`tests/lab`) on the loopback interface, over the connection plugin
`ansible.builtin.winrm` with NTLM and encrypted messages. The median of several runs counts ({repetitions} guests).

The simulated guests answer the modules of ansible.windows at once. No PowerShell is started anywhere: the time that it takes
on a real guest counts as zero, in favour of the four tasks and of the script.

## What it took

Requests, and bytes of their HTTP messages, are those that reached the guests; the legs of authentication are left out.
Processor time is that of all of Ansible's processes, user and system; that of the simulated guests is not in it. Memory is what
the largest of these processes had at most.

{costs}

The first row of each size, a task that does nothing and connects to nothing, is what Ansible itself takes to start, to read
the inventory, and to fork a process for each guest. No module that runs for each guest can be faster, and this is part of the figures of
all that do. `verify` and `site` fork a few processes, whatever the number of guests that are right.

## Ratios

The last column compares the processor time that is left when that of Ansible alone is taken off.

{ratios}

## Asking hosts for their VMs

32 Hyper-V hosts with 50 VMs each, all asked: three queries for each host for the VMs, the others for what the host itself is.

{hosts}

## Ways to reach a guest

`guest_key` on {guests} guests, reached in each of the ways that there are. Starts of PowerShell are for each guest; on a real machine each
takes about a second, which is not in the times. Requests and bytes are those of all guests and their host together; over ssh a
request is a command, and its bytes are those of the command, its standard input and what it printed.

{roads}

## What is not measured

- Windows. The guests are simulated; how long WMI, PowerShell, the licensing service or an activation take there is not known here.
  Each task of ansible.windows starts PowerShell on the guest, which this collection does not; that difference is not in the figures.
- A network. On the loopback interface, neither a round trip nor a byte costs anything.
- A controller alone. The simulated guests run on the same processors, and so slow down the time, not the processor time, of what
  sends them much. That is in favour of this collection.
- Kerberos, CredSSP, certificates, TLS, and the connection plugin `ansible.builtin.psrp`.
- Numbers of forks other than {forks}.
"""


if __name__ == "__main__":
    main()
