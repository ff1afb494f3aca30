"""The collection's parts agree with each other."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def names(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py")}


def test_every_module_has_its_action_and_every_action_its_module() -> None:
    assert names("modules") == names("action")


def test_action_group_all_names_every_module() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert sorted(runtime["action_groups"]["all"]) == sorted(names("modules"))


def test_every_module_documents_its_interface() -> None:
    for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"):
        assigned = {
            target.id
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert {"DOCUMENTATION", "EXAMPLES", "RETURN"} <= assigned, path


def test_every_plugin_file_carries_the_licence() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        head = path.read_text().splitlines()[:20]
        assert not path.read_text() or "# SPDX-License-Identifier: GPL-3.0-or-later" in head, path
