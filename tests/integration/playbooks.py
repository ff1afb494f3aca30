"""Run playbooks against the lab, as a user does, and look at what came of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.client import Lab

_CALLBACKS = Path(__file__).with_name("callback_plugins")
#: What of the environment a playbook of the tests may see: not the developer's own settings of Ansible.
INHERITED = (
    "PATH",
    "HOME",
    "ANSIBLE_COLLECTIONS_PATH",
    "HYPERV_AVMA_RECORD",
    "PYTHONPATH",
    "KRB5_CONFIG",
    "KRB5CCNAME",
)


@dataclass(frozen=True)
class TaskResult:
    """What a task returned for a host. ``status`` is ``ok``, ``failed``, ``unreachable`` or ``skipped``."""

    host: str
    task: str
    action: str
    status: str
    result: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        """A value of the result; ``changed`` is always there."""
        return self.result[name] if name != "changed" else self.result.get("changed", False)


@dataclass(frozen=True)
class Run:
    """A run of ansible-playbook.

    :ivar stdout: All that it printed, warnings included.
    :ivar stats: ``ok``, ``changed``, ``unreachable``, ``failures``, ``skipped``, ``rescued``, ``ignored`` by host.
    :ivar results: The results of all tasks, in order.
    """

    rc: int
    stdout: str
    stats: dict[str, dict[str, int]]
    results: list[TaskResult]

    def of(self, host: str, task: str | None = None) -> TaskResult:
        """The last result of a host, or that of a task by its name."""
        return [result for result in self.results if result.host == host and task in (None, result.task)][-1]

    def hosts(self) -> list[str]:
        """The hosts that have a result, sorted."""
        return sorted({result.host for result in self.results})

    def changed(self) -> int:
        """How many tasks changed something."""
        return sum(host["changed"] for host in self.stats.values())


def run_playbook(
    directory: Path, lab: Lab | None, playbook: str | Path, *arguments: str, timeout: int = 120, **environment: str
) -> Run:
    """Run a playbook in a directory of its own.

    :param playbook: A path, the name of a playbook of the collection (``hyperv.avma.site``), or the YAML itself.
    :param arguments: For ansible-playbook, such as ``--check``.
    :param timeout: After how many seconds to give up.
    :param environment: Further settings of Ansible, such as ``ANSIBLE_DEBUG``.
    """
    if isinstance(playbook, str) and "\n" in playbook:
        path = directory / "playbook.yml"
        path.write_text(playbook, encoding="utf-8")
        playbook = path
    record = directory / "results.jsonl"
    # Empty, in the place of the one in the home folder, which is the developer's.
    configuration = directory / "ansible.cfg"
    for file in (record, configuration):
        file.touch()
    environment = {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        **(lab.environment if lab else {}),
        **environment,
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_FORKS": "8",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "AVMA_TEST_RESULTS": str(record),
        "LC_ALL": "C.UTF-8",
    }
    inventory = ["-i", str(lab.inventory)] if lab else []
    process = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", *inventory, str(playbook), *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    stats = next((line["stats"] for line in lines if "stats" in line), {})
    results = [TaskResult(**line) for line in lines if "stats" not in line]
    return Run(process.returncode, process.stdout, stats, results)
