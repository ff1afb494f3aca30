# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `make lab` says: which machines there are, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from lab.spec import GuestSpec, MachineSpec, TopologySpec

_ROOT = Path(__file__).resolve().parents[2]
#: More guests of one host than these are counted.
_MOST_GUESTS = 12


def guide(spec: TopologySpec, directory: Path) -> str:
    """The machines of a running lab, its inventory, and commands that work from another terminal, in any folder.

    :param directory: That of the lab.
    """
    return "\n".join(
        [
            "",
            "Simulated machines, until Ctrl-C:",
            *_machines(spec),
            "",
            f"Inventory: {directory / 'inventory'}, with the groups avma_hosts and avma_guests",
            "",
            "What to type next, in another terminal:",
            "",
            *_commands(spec, directory),
            "",
        ]
    )


def _machines(spec: TopologySpec) -> Iterator[str]:
    clusters = {node: cluster.name for cluster in spec.clusters for node in cluster.nodes}
    for host in spec.hosts:
        place = f", node of {clusters[host.name]}" if host.name in clusters else ""
        yield f"  {host.name:<14} Hyper-V host, {_windows(host)}{place}"
        yield from _guests(host.guests)
    yield from _guests(spec.guests)


def _guests(guests: list[GuestSpec]) -> Iterator[str]:
    for guest in guests[:_MOST_GUESTS]:
        alone = "" if guest.listen else ", without a network: not in the inventory"
        yield f"    {guest.name:<12} {'Linux' if guest.linux else _windows(guest)}{alone}"
    if len(guests) > _MOST_GUESTS:
        yield f"    and {len(guests) - _MOST_GUESTS} more guests"


def _windows(machine: MachineSpec) -> str:
    if not machine.release[0].isdigit():
        return machine.release
    edition = "Azure Edition" if machine.edition == "azure" else machine.edition.capitalize()
    words = ("Windows Server", machine.release, edition)
    return " ".join([*words, *["Core"] * machine.core, *["Evaluation"] * machine.evaluation])


def _commands(spec: TopologySpec, directory: Path) -> Iterator[str]:
    # No comments behind the commands: zsh takes none.
    path, collections, tests = (shlex.quote(str(_ROOT / part)) for part in (".venv/bin", "build/collections", "tests"))
    playbook = f"ansible-playbook -i {shlex.quote(str(directory / 'inventory'))} hyperv.avma"
    control = f"PYTHONPATH={tests} python -m lab ctl --directory {shlex.quote(str(directory))}"
    yield from _command(
        "First, so that the commands are found", f"export PATH={path}:$PATH ANSIBLE_COLLECTIONS_PATH={collections}"
    )
    yield from _command("What site would do", f"{playbook}.site --check --diff")
    yield from _command("Activate everything, and prove it", f"{playbook}.site")
    yield from _command("Change nothing, and prove it", f"{playbook}.verify")
    yield from _command("A page for a browser, in the folder avma-report", f"{playbook}.report")
    machine = next((guest.name for host in spec.hosts for guest in host.guests if guest.listen), None)
    if machine:
        yield from _command("What the lab knows of a machine", f"{control} state {machine}")
        yield from _command("Break something, and run site again", f"{control} set {machine} license=none")


def _command(what: str, command: str) -> tuple[str, str]:
    return f"{what}:", f"  {command}"
