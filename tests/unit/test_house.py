"""The collection's parts agree with each other."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def names(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py")}


def test_every_module_has_its_action_and_every_action_its_module() -> None:
    assert names("modules") == names("action")


def test_action_group_all_names_every_module() -> None:
    assert sorted(load(ROOT / "meta/runtime.yml")["action_groups"]["all"]) == sorted(names("modules"))


@pytest.mark.parametrize(
    ("folder", "parts"),
    [
        ("modules", {"DOCUMENTATION", "EXAMPLES", "RETURN"}),
        ("lookup", {"DOCUMENTATION", "EXAMPLES", "RETURN"}),
        ("inventory", {"DOCUMENTATION", "EXAMPLES"}),
    ],
)
def test_every_plugin_documents_its_interface(folder: str, parts: set[str]) -> None:
    for name in names(folder):
        assigned = {
            target.id
            for node in ast.parse((ROOT / "plugins" / folder / f"{name}.py").read_text()).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert parts <= assigned, name


def test_every_plugin_file_carries_the_licence() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        head = path.read_text().splitlines()[:20]
        if path.name == "__init__.py" and not head:
            continue
        assert "# SPDX-License-Identifier: GPL-3.0-or-later" in head, path
        assert any(line.startswith("# GNU General Public License v3.0+") for line in head), path


@pytest.mark.parametrize("role", ROLES)
def test_role_defaults_are_those_of_its_argument_specs(role: str) -> None:
    specs = load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]
    options = {name: option for spec in specs.values() for name, option in spec.get("options", {}).items()}
    assert [name for name in options if not name.startswith(f"{role}_")] == []
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert load(ROOT / "roles" / role / "defaults/main.yml") == documented
    assert [name for name in documented if options[name].get("required")] == []


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_of_a_role_is_specified(role: str) -> None:
    folder = ROOT / "roles" / role
    # A leading underscore marks tasks that are included, not called.
    entry_points = {path.stem for path in (folder / "tasks").glob("[!_]*.yml")}
    assert set(load(folder / "meta/argument_specs.yml")["argument_specs"]) == entry_points
    assert (folder / "README.md").is_file()
