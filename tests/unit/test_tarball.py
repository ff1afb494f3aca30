"""What `ansible-galaxy collection install` gives a user: all that is needed at run time, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SHIPPED = {
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "tests",
}
NEEDED_AT_RUN_TIME = {"MANIFEST.json", "FILES.json", "meta", "playbooks", "plugins", "roles"}


def ansible(command: str, *arguments: str | Path, cwd: Path) -> str:
    """Run an Ansible command away from the clone, with a home and collections of its own."""
    home = cwd / "home"
    environment = os.environ | {
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(cwd / "collections"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "ansible", command, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a built tarball was installed."""
    folder = tmp_path_factory.mktemp("tarball")
    ansible("galaxy", "collection", "build", ROOT, "--output-path", folder, cwd=folder)
    [tarball] = folder.glob("hyperv-avma-*.tar.gz")
    ansible("galaxy", "collection", "install", "--offline", tarball, "-p", folder / "collections", cwd=folder)
    return folder


def collection(installed: Path) -> Path:
    return installed / "collections" / "ansible_collections" / "hyperv" / "avma"


def test_holds_what_users_need_and_nothing_else(installed: Path) -> None:
    root = collection(installed)
    assert {path.name for path in root.iterdir()} <= SHIPPED
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    tests = {name for name in files if name.startswith("tests/")}
    assert tests == {"tests/config.yml"}
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "plugins", "roles", "playbooks", "meta"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.splitlines()
    assert set(tracked) <= files


def test_loads_from_run_time_folders_alone(installed: Path) -> None:
    root = collection(installed)
    documented = json.loads(
        ansible("doc", "--json", "--type", "module", "--list", "hyperv.avma", cwd=installed),
    )
    assert set(documented) == {f"hyperv.avma.{path.stem}" for path in (root / "plugins/modules").glob("[!_]*.py")}
