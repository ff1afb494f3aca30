# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guides, word for word: what is typed there works, and prints what is shown there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lab.client import Lab

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "scenarios.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAKE_LAB = re.compile(r"make lab TOPOLOGY=(\S+)")
FILE_NAME = re.compile(r"# ([\w./-]+\.yml)\n")
VOLATILE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass
class Scenario:
    """A chapter of the guide.

    :ivar files: What the user writes, by name.
    :ivar commands: What the user types in turn, each with the output that is shown.
    """

    title: str
    topology: Path
    files: dict[str, str] = field(default_factory=dict)
    commands: list[tuple[str, str]] = field(default_factory=list)


def read_scenarios() -> Iterator[Scenario]:
    for chapter in GUIDE.split("\n## ")[1:]:
        topology = MAKE_LAB.search(chapter)
        if topology is None:
            continue
        scenario = Scenario(chapter.partition("\n")[0], ROOT / topology[1])
        for language, text in BLOCK.findall(chapter):
            name = FILE_NAME.match(text)
            if language == "yaml" and name:
                scenario.files[name[1]] = text
            elif language == "console":
                for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                    typed, _, shown = command.partition("\n")
                    if not MAKE_LAB.match(typed):
                        scenario.commands.append((typed, shown))
        yield scenario


SCENARIOS = list(read_scenarios())


def plain(output: str) -> str:
    """Without what differs from run to run, and without padding."""
    return "".join(f"{' '.join(line.rstrip('* ').split())}\n" for line in VOLATILE.sub("TIME", output).splitlines())


def type_in(command: str, directory: Path, status: int = 0, lab: Lab | None = None) -> str:
    """What a command prints; it must end with this status."""
    configuration = directory / "ansible.cfg"
    configuration.touch()
    environment = {
        **{name: os.environ[name] for name in ("HOME", "ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH") if name in os.environ},
        **(lab.environment if lab else {}),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    process = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == status, f"{command}\n{process.stdout}"
    return process.stdout


def test_the_guide_has_its_scenarios() -> None:
    assert [scenario.title for scenario in SCENARIOS] == ["Activate a cluster", "Add a node to a cluster", "Build a VM"]
    assert all(any("PLAY RECAP" in shown for _, shown in scenario.commands) for scenario in SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.title for scenario in SCENARIOS])
def test_a_scenario_works_as_it_is_written(scenario: Scenario, tmp_path: Path) -> None:
    # The user stands in the clone.
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    for name, text in scenario.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with Lab(scenario.topology, tmp_path / "build" / "lab") as lab:
        for command, shown in scenario.commands:
            rest = plain(type_in(command, tmp_path, lab=lab))
            for part in re.split(r"^\.\.\.\n", plain(shown), flags=re.MULTILINE):
                assert part in rest, f"{command}\nshows no such thing:\n{part}\nbut:\n{rest}"
                rest = rest[rest.index(part) + len(part) :]


def test_the_inventory_plugin_makes_what_its_guide_shows(tmp_path: Path) -> None:
    blocks = BLOCK.findall((DOCS / "inventory-plugin.md").read_text(encoding="utf-8"))
    [source] = [text for language, text in blocks if language == "yaml"]
    [shown] = [text for language, text in blocks if language == "text"]
    typed, _, graph = shown.removeprefix("$ ").partition("\n")
    with Lab(ROOT / "tests/lab/topologies/demo.yml", tmp_path / "lab") as lab:
        machines = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["hosts"]
        mine = yaml.safe_load(source)
        # Where the lab's machines listen, and as whom.
        mine["hosts"] = {name: machines[name] for name in mine["hosts"]}
        (tmp_path / "guests.avma.yml").write_text(yaml.safe_dump(mine), encoding="utf-8")
        assert plain(type_in(typed, tmp_path, lab=lab)) == plain(graph)


HOSTS = """\
domain: lab.example
hosts:
  - {name: HV01, release: "2025", guests: [{name: WEB01, release: "2022"}]}
"""
VERIFY = "ansible-playbook -i lab/inventory hyperv.avma.verify"
#: What is typed, with the status and what it is an example of in the table of docs/pipelines.md.
STATUSES = (
    (f"{VERIFY} --limit nowhere", 1, "the limit matches no machine"),
    ("ansible-playbook -i lab/inventory hyperv.avma.verfy", 1, "the playbook does not exist"),
    (VERIFY, 2, "there is at least one problem"),
    (f"{VERIFY} -e verification_guests_group=guests", 2, "the inventory has no group"),
    (f"{VERIFY} -e verification_accepted_problems=node_dwn", 2, "has no valid value"),
    (f"{VERIFY} --wait", 2, "has no valid value"),
    (f"{VERIFY} -i elsewhere.yml", 4, "at least one machine was unreachable; there may be other problems as well"),
    (
        f"{VERIFY} -e verification_report_dest=avma-report -e verification_accepted_problems=no_product_key,host_not_licensed",
        0,
        "no problem",
    ),
)


def test_the_exit_statuses_are_those_of_the_guide(tmp_path: Path) -> None:
    guide = (DOCS / "pipelines.md").read_text(encoding="utf-8")
    meanings = dict(re.findall(r"^\| (\d) \| (.*) \|$", guide, re.MULTILINE))
    (tmp_path / "hosts.yml").write_text(HOSTS, encoding="utf-8")
    (tmp_path / "elsewhere.yml").write_text("avma_hosts: {hosts: {HV02: {ansible_host: 127.0.0.1, ansible_port: 9}}}\n")
    with Lab(tmp_path / "hosts.yml", tmp_path / "lab") as lab:
        for typed, status, meaning in STATUSES:
            assert meaning in meanings[str(status)]
            type_in(typed, tmp_path, status, lab)
    assert {path.name for path in (tmp_path / "avma-report").iterdir()} == {
        f"avma-report.{kind}" for kind in ("html", "json", "csv", "xml")
    }


def test_a_key_is_encrypted_as_the_guide_says(tmp_path: Path) -> None:
    guide = (DOCS / "secrets.md").read_text(encoding="utf-8")
    [typed] = re.findall(r"^(ansible-vault encrypt_string .*?) *#", guide, re.MULTILINE)
    (tmp_path / "password").write_text("of the vault")
    made = type_in(f"printf AAAAA-BBBBB-CCCCC-DDDDD-EEEEE | {typed} --vault-password-file password", tmp_path)
    [shown] = [text for language, text in BLOCK.findall(guide) if language == "yaml"]
    variable = shown.splitlines()[1]
    assert variable in made
    (tmp_path / "variables.yml").write_text(made[made.index(variable) :])
    read = "ansible localhost --vault-password-file password -e @variables.yml -m ansible.builtin.debug -a var="
    assert "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE" in type_in(read + variable.partition(":")[0], tmp_path)
