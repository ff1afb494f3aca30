"""Run ansible-inventory on sources of the inventory plugin, as a user does, and look at what came of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from integration.playbooks import INHERITED
from lab.client import Lab


@dataclass(frozen=True)
class Inventory:
    """What ansible-inventory printed."""

    rc: int
    output: str
    hosts: dict[str, dict[str, Any]]
    groups: dict[str, set[str]]

    def says(self, message: str) -> bool:
        """Whether a message is in the output, however its lines are broken."""
        return "".join(message.split()) in "".join(self.output.split())


def machines(lab: Lab, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Machines of a lab with their connection variables."""
    hosts = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["hosts"]
    return {name: hosts[name] for name in names}


def write(directory: Path, **source: Any) -> Path:
    """Write a source of the plugin."""
    path = directory / "guests.avma.yml"
    path.write_text(yaml.safe_dump({"plugin": "hyperv.avma.guests", **source}), encoding="utf-8")
    return path


def read(path: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Inventory:
    """What ansible-inventory makes of a source, run in the source's folder.

    :param environment: What it has beside the little that it needs, such as ``Lab.environment``.
    """
    # Empty, in the place of the one in the home folder, which is the developer's.
    configuration = path.parent / "ansible.cfg"
    configuration.touch()
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.inventory", "-i", str(path), "--list", *arguments],
        cwd=path.parent,
        env={
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_HOME": str(path.parent / "ansible"),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # Older cores mark text that is no template this way.
    listed = json.loads(done.stdout or "{}", object_hook=lambda item: item.get("__ansible_unsafe", item))
    hosts = listed.pop("_meta", {}).get("hostvars", {})
    groups = {name: set(group.get("hosts", [])) for name, group in listed.items()}
    return Inventory(done.returncode, done.stderr, hosts, groups)


def names(lab: Lab, group: str) -> list[str]:
    """The machines of a group of a lab's inventory."""
    groups = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["children"]
    return list(groups[group]["hosts"])
