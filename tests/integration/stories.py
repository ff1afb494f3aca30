"""Machines that cannot be reached, each seen by a module, by the playbook verify and by the inventory plugin."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integration import inventories
from integration.playbooks import Run
from lab.client import Lab

_PLAY = "- hosts: avma_hosts\n  gather_facts: false\n  tasks:\n    - hyperv.avma.host_info:\n"


@dataclass(frozen=True)
class Story:
    """What each of the three made of the machines of one lab."""

    module: Run
    verify: Run
    inventory: inventories.Inventory

    def check(self, name: str, words: list[str]) -> None:
        """See that a machine is unreachable for all three, with these words; the machine's own name is among them."""
        result = self.module.of(name)
        assert result.status == "unreachable", result
        assert f"{name}: " in result["msg"]
        assert self.inventory.says(f"{name} was not asked for its VMs: ")
        verdict = _squeezed(self.verify.stdout)
        # Machines with the same cause share a line.
        assert re.search(rf"\b{re.escape(name)}(,[\w-]+)*:unreachable", verdict)
        for expected in words:
            assert expected in result["msg"], result["msg"]
            assert self.inventory.says(expected), expected
            assert _squeezed(expected) in verdict, expected
        for noise in (
            "Traceback",
            "Errno",
            "object at 0x",
            "ConnectionPool",
            "Exception",
            "SpnegoError",
            "GSSError",
            "Minor",
        ):
            assert noise not in result["msg"]

    def check_others(self, *names: str) -> None:
        """See that these hosts were read, that their guests are all that is in the inventory, and that nothing came as a traceback."""
        for name in names:
            assert self.module.of(name).status == "ok"
        assert sorted(self.inventory.hosts) == sorted(f"{name}-VM" for name in names)
        assert self.inventory.rc == 0
        for output in (self.module.stdout, self.verify.stdout, self.inventory.output):
            assert "Traceback" not in output


def _squeezed(text: str) -> str:
    """Text without what breaking lines and showing JSON does to it."""
    return re.sub(r"[\s\\\"']", "", text)


def tell(lab: Lab, run_playbook: Callable[..., Run], directory: Path, **environment: str) -> Story:
    """Run all three on the Hyper-V hosts of a lab."""
    hosts = inventories.machines(lab, inventories.names(lab, "avma_hosts"))
    return Story(
        run_playbook(lab, _PLAY, **environment),
        run_playbook(lab, "hyperv.avma.verify", **environment),
        inventories.read(inventories.write(directory, hosts=hosts), environment={**lab.environment, **environment}),
    )
