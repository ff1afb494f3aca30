# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/getting-started.md, typed word for word on a freshly installed Debian: `make fresh`.

The Debian is a folder that debootstrap makes, in which a new user, who may use sudo, has a terminal. His machines are the lab's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from lab.client import Lab

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# ([\w./-]+\.yml)\n")
KEY = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
PASSWORD = "Right-Horse-7"
TOPOLOGY = {
    "domain": "example.com",
    "keys": [{"key": KEY, "release": "2025", "edition": "datacenter", "channel": "mak", "activations": 1}],
    "defaults": {"all": {"account": {"name": "Administrator", "password": PASSWORD}}},
    "hosts": [{"name": "hv01", "release": "2025", "guests": [{"name": "web01", "release": "2022"}]}],
}
VAULT_PASSWORD = "vault-password"
#: How this machine reaches the package indexes is how the new one does.
SETTINGS = ("/etc/hosts", "/etc/resolv.conf", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")
MINUTES = 60.0


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root of a Debian on which nothing but sudo was installed, with a clone in the new user's home."""
    root = tmp_path_factory.mktemp("debian")
    subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=sudo,ca-certificates", "bookworm", root],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # pytest's folders are for their owner only, and this is the new user's root.
    root.chmod(0o755)
    for name in SETTINGS:
        if Path(name).exists():
            shutil.copy(name, root / name.lstrip("/"))
    (root / "etc/sudoers.d/user").write_text("user ALL=(ALL) NOPASSWD: ALL\n")
    subprocess.run(["chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "user"], check=True)
    clone = root / "home/user/hyperv.avma"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        if (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    subprocess.run(["chroot", root, "chown", "-R", "user:", "/home/user"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    subprocess.run(["mount", "--rbind", "/dev", root / "dev"], check=True)
    try:
        yield root
    finally:
        subprocess.run(["umount", "--recursive", root / "dev", root / "proc"], check=True)


class Terminal:
    """The terminal of the new user: one shell, from the beginning to the end."""

    PROMPT = "the-prompt> "

    def __init__(self, root: Path) -> None:
        self.root = root
        self._shell = pexpect.spawn(
            "chroot",
            [str(root), "su", "--login", "user"],
            env={"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C.UTF-8"},
            encoding="utf-8",
            timeout=10 * MINUTES,
            dimensions=(50, 500),
        )
        self._shell.sendline(f"stty -echo; PS1='{self.PROMPT}'")
        self._shell.expect_exact(f"\n{self.PROMPT}")
        indexes = " ".join(
            f"{name}={value}" for name, value in os.environ.items() if re.match("PIP_CERT|SSL_CERT", name)
        )
        self.type(f"export ANSIBLE_NOCOLOR=1 {indexes}; cd hyperv.avma")

    def type(self, command: str) -> str:
        """What a command prints; it must succeed."""
        self._shell.sendline(command)
        output = ""
        while self._shell.expect([r"(?i)vault password.*: ?", re.escape(self.PROMPT)]) == 0:
            output += str(self._shell.before)
            self._shell.sendline(VAULT_PASSWORD)
        output += str(self._shell.before)
        self._shell.sendline("echo status=$?")
        self._shell.expect(r"status=(\d+)")
        status = self._shell.match[1]
        self._shell.expect_exact(self.PROMPT)
        assert status == "0", f"{command}\n{output}"
        return output


def test_from_an_empty_machine_to_the_first_activated_guest(debian: Path, tmp_path: Path) -> None:
    terminal = Terminal(debian)
    outputs: dict[str, str] = {}
    with Lab(TOPOLOGY, tmp_path / "lab") as lab:
        listening = yaml.safe_load(lab.inventory.read_text())["all"]["hosts"]
        for language, text in BLOCK.findall(GUIDE.partition("## Accounts")[0]):
            if language == "console":
                for command in re.findall(r"^\$ (.*)$", text, re.MULTILINE):
                    outputs[command] = terminal.type(command)
            elif name := FILE_NAME.match(text):
                fleet = debian / "home/user/fleet"
                mine = text.replace("The password of Administrator", PASSWORD)
                path = fleet / name[1]
                path.write_text(mine.replace("AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", KEY))
                for group, machine in (("avma_hosts", "hv01"), ("avma_guests", "web01")):
                    where = fleet / "group_vars" / f"{group}.yml"
                    where.write_text(yaml.safe_dump(_address(listening[machine])))
                subprocess.run(["chroot", debian, "chown", "-R", "user:", "/home/user/fleet"], check=True)
    [first] = [text for command, text in outputs.items() if command.endswith("avma.site")]
    assert "web01.example.com: Windows Server 2022 Datacenter, activated by hv01.example.com" in first
    assert re.search(r"hv01.example.com +: .* failed=0", first)
    assert not [command for command, text in outputs.items() if KEY in text or PASSWORD in text]


def _address(listening: dict[str, Any]) -> dict[str, Any]:
    """Where the lab's machine is; the winrm plugin takes 5985 alone for a port of HTTP."""
    return {name: listening[name] for name in ("ansible_host", "ansible_port", "ansible_winrm_scheme")}
