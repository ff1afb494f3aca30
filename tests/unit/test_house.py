"""The collection's parts agree with each other."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.hyperv.avma"
ROLES = sorted(path.name for path in (ROOT / "roles").glob("*"))
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("[!_]*.py"))
OPTION_DEFAULTS: dict[str, Any] = {
    "type": "str",
    "elements": None,
    "required": False,
    "default": None,
    "choices": None,
    "aliases": [],
}
#: What each layer may import. Of `_session`, only what chooses (`connection.py`) knows the kinds of sessions.
LAYERS = {
    "_avma": {"_avma"},
    "_session": {"_session", "_wsman", "_powershell", "_avma"},
    "_wsman": {"_wsman", "_session"},
    "_powershell": {"_powershell", "_session", "_avma"},
    "_windows": {"_windows", "_session", "_avma"},
    "_fleet": {"_fleet", "_windows", "_session", "_avma"},
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def names(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py")}


def test_every_module_has_its_action_and_every_action_its_module() -> None:
    assert names("modules") == names("action")


def test_the_members_of_an_action_group_share_options() -> None:
    groups = load(ROOT / "meta/runtime.yml")["action_groups"]
    assert groups
    for members in groups.values():
        specs = [
            importlib.import_module(f"{COLLECTION}.plugins.action.{name}").ActionModule.ARGUMENT_SPEC
            for name in members
        ]
        assert set.intersection(*map(set, specs))


@pytest.mark.parametrize(
    ("folder", "parts"),
    [
        ("modules", {"DOCUMENTATION", "EXAMPLES", "RETURN"}),
        ("lookup", {"DOCUMENTATION", "EXAMPLES", "RETURN"}),
        ("inventory", {"DOCUMENTATION", "EXAMPLES"}),
        ("connection", {"DOCUMENTATION", "EXAMPLES"}),
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


# REUSE-IgnoreStart
def test_every_plugin_file_carries_the_licence() -> None:
    for path in (ROOT / "plugins").rglob("*.py"):
        head = path.read_text().splitlines()[:20]
        if path.name == "__init__.py" and not head:
            continue
        assert "# SPDX-License-Identifier: GPL-3.0-or-later" in head, path
        assert any(line.startswith("# GNU General Public License v3.0+") for line in head), path


# REUSE-IgnoreEnd


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


def interface(options: dict[str, Any]) -> dict[str, Any]:
    """What options accept, whether they are documented or specified."""
    shown: dict[str, Any] = {}
    for name, option in options.items():
        nested = option.get("suboptions") or option.get("options")
        shown[name] = {key: option.get(key, default) for key, default in OPTION_DEFAULTS.items()} | {
            "options": interface(nested) if nested else None
        }
    return shown


@pytest.mark.parametrize("module", MODULES)
def test_module_takes_what_its_documentation_says(module: str) -> None:
    # As Ansible reads it, with the documentation fragments.
    documented = get_docstring(str(ROOT / f"plugins/modules/{module}.py"), fragment_loader)[0]
    specified = importlib.import_module(f"{COLLECTION}.plugins.action.{module}").ActionModule.ARGUMENT_SPEC
    assert interface(documented.get("options", {})) == interface(specified)


def imported(path: Path) -> Iterator[str]:
    """The absolute names of the modules that a plugin file imports."""
    package = [*COLLECTION.split("."), *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *filter(None, [node.module])]
            yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_import_downwards_only(layer: str) -> None:
    utils = f"{COLLECTION}.plugins.plugin_utils."
    for path in (ROOT / "plugins/plugin_utils" / layer).glob("*.py"):
        ours = {name.removeprefix(utils).split(".")[0] for name in imported(path) if name.startswith(COLLECTION)}
        assert ours <= LAYERS[layer], path


def test_the_execution_environment_brings_kerberos_and_what_it_is_built_with() -> None:
    python = (ROOT / "meta/ee-requirements.txt").read_text()
    assert "pywinrm[credssp,kerberos]>=" in python
    assert "pypsrp[credssp,kerberos]>=" in python
    system = (ROOT / "meta/ee-bindep.txt").read_text()
    for package, platform in (("krb5-devel", "rpm"), ("libkrb5-dev", "dpkg"), ("gcc", "rpm"), ("gcc", "dpkg")):
        assert any(
            line.startswith(f"{package} [") and "compile" in line and f"platform:{platform}" in line
            for line in system.splitlines()
        ), package


def test_core_does_no_input_or_output() -> None:
    for path in (ROOT / "plugins/plugin_utils/_avma").glob("*.py"):
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"ansible", "os", "pathlib", "requests", "socket", "subprocess", "time", "winrm"}, path


def test_lab_models_windows_and_not_our_code() -> None:
    for path in (ROOT / "tests/lab").rglob("*.py"):
        assert "ansible_collections" not in {name.split(".")[0] for name in imported(path)}, path
