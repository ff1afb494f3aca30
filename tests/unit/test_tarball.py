"""What `ansible-galaxy collection install` gives a user: all that is needed at run time, and no more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SHIPPED = {
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
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


def ansible(command: str, *arguments: str | Path, cwd: Path, status: int = 0) -> str:
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
    assert done.returncode == status, done.stdout + done.stderr
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


def test_runs_from_the_run_time_folders_alone(installed: Path) -> None:
    for path in collection(installed).iterdir():
        if path.name not in NEEDED_AT_RUN_TIME:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    message = "msg={{ lookup('hyperv.avma.key', 'Windows Server 2022', edition='Datacenter') }}"
    assert "W3GNR-8DDXR-2TFRP-H8P33-DV9BG" in ansible("adhoc", "localhost", "-m", "debug", "-a", message, cwd=installed)
    # The module, its action plugin and all that this imports: as far as that goes without a Windows machine.
    refused = ansible("adhoc", "localhost", "-c", "local", "-m", "hyperv.avma.guest_info", cwd=installed, status=2)
    assert "set ansible_connection to ansible.builtin.winrm, ansible.builtin.psrp or ansible.builtin.ssh" in refused
