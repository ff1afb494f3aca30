"""Make `ansible_collections.hyperv.avma` importable, from this clone, in plain pytest."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from integration.connections import CONNECTIONS, DOMAIN_CONNECTIONS, POWERSHELL_CONNECTIONS
from lab.client import Lab

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / "build" / "collections"

# Before anything of Ansible is imported, as it reads them once; child processes inherit them.
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)
os.environ["ANSIBLE_HOME"] = str(ROOT / "build" / "ansible")


def _load_collection() -> None:
    link = COLLECTIONS / "ansible_collections" / "hyperv" / "avma"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("../../../..")

    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader([str(COLLECTIONS)])


_load_collection()

# No deadline: two busy cores make single examples slow. The same examples at each run: a red run is repeatable.
hypothesis.settings.register_profile("default", deadline=None, derandomize=True)
hypothesis.settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--connection",
        choices=[*CONNECTIONS, *DOMAIN_CONNECTIONS, *POWERSHELL_CONNECTIONS],
        default="winrm-ntlm",
        help="how the simulated machines are reached, but for what a test is about",
    )


def pytest_configure(config: pytest.Config) -> None:
    connection = config.getoption("--connection")
    if connection in POWERSHELL_CONNECTIONS:
        Lab.reached = POWERSHELL_CONNECTIONS[connection]
    else:
        listener = {"listener": {**CONNECTIONS, **DOMAIN_CONNECTIONS}[connection]}
        Lab.reached = {"hosts": listener, "guests": listener}
    if connection in DOMAIN_CONNECTIONS:
        Lab.users = [{"name": "admin"}]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--connection") not in POWERSHELL_CONNECTIONS:
        return
    about_messages = [item for item in items if item.get_closest_marker("wsman")]
    config.hook.pytest_deselected(items=about_messages)
    items[:] = [item for item in items if not item.get_closest_marker("wsman")]
