# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The domain of a lab as a Samba Active Directory: a KDC with PAC, service names by mapping, user principal names, states of accounts.

It takes about 20 s to make, for what MIT's KDC cannot do (``lab.kerberos``). It is no Windows: see docs/verified.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.kerberos import LOCKOUT_THRESHOLD, MissingToolError, free_port, listens, write_configuration
from lab.simulation import Computer, DomainUser

#: The Python that has Samba's modules.
_PYTHON = "/usr/bin/python3"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_PROVISION = Path(__file__).with_name("samba_provision.py")
_FOLDERS = {
    "private dir": "private",
    "state directory": "state",
    "cache directory": "cache",
    "lock directory": "lock",
    "pid directory": "pid",
    "ncalrpc dir": "ncalrpc",
    "winbindd socket directory": "winbindd",
    "ntp signd socket directory": "ntp",
    "binddns dir": "binddns",
}


def missing() -> str | None:
    """What of Samba is not installed; None if all is there."""
    if shutil.which("samba", path=_PATH) is None or shutil.which("samba-tool", path=_PATH) is None:
        return "there is no Samba domain controller here: apt-get install samba samba-ad-provision samba-dsdb-modules winbind"
    if not Path("/usr/share/samba/setup/provision.ldif").exists():
        return "Samba has no schema to make a domain of here: apt-get install samba-ad-provision"
    found = subprocess.run([_PYTHON, "-c", "import samba.provision"], capture_output=True, check=False)
    return None if found.returncode == 0 else f"{_PYTHON} has no Samba modules: apt-get install python3-samba"


class ActiveDirectory:
    """As ``lab.kerberos.Domain``."""

    def __init__(
        self,
        domain: str,
        users: Iterable[DomainUser],
        computers: Mapping[str, Computer],
        directory: Path,
        private: Path,
    ) -> None:
        """Make the domain; it listens from ``start`` on. A computer has HOST/ always, and WSMAN/ where that is registered.

        :raises MissingToolError: Samba is not installed.
        """
        if (lack := missing()) is not None:
            raise MissingToolError(lack)
        self.domain = domain
        self.realm = domain.upper()
        self.users = tuple(users)
        self.configuration = directory / "krb5.conf"
        self._directory = private / "ad"
        for folder in _FOLDERS.values():
            (self._directory / folder).mkdir(mode=0o700, parents=True)
        self._smb_conf = self._directory / "smb.conf"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        write_configuration(self.configuration, domain, self._port)
        self._write_smb_conf()
        self._create(computers)

    def host_name(self, machine: str) -> str:
        """The DNS name of a machine."""
        return f"{machine}.{self.domain}".lower()

    def keytab(self, machine: str) -> Path:
        """The keys of a machine."""
        return self._directory / f"{machine}.keytab"

    def start(self) -> None:
        """Have the domain controller listen."""
        os.environ.update(KRB5_CONFIG=str(self.configuration), KRB5RCACHENAME="none:")
        self._process = subprocess.Popen(
            ["samba", "-i", "-M", "single", "-s", str(self._smb_conf)],
            env={"PATH": _PATH},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while not listens(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the domain controller did not start; see {self._directory}/log")
            time.sleep(0.05)

    def close(self) -> None:
        """End the domain controller."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def failed_logins(self, user: str) -> int:
        """How many wrong passwords were tried since the last right one. Raises KeyError for an unknown user."""
        if user not in {item.name for item in self.users}:
            raise KeyError(user)
        return int(self._run("look", name=user)["badPwdCount"])

    def set_password(self, user: str, password: str) -> None:
        """Give a user another password."""
        self._run("set_password", account=user, password=password)
        self.users = tuple(replace(item, password=password) if item.name == user else item for item in self.users)

    def unlock(self, user: str) -> None:
        """Let a user in that too many wrong passwords have locked."""
        self._run("unlock", account=user)

    def _write_smb_conf(self) -> None:
        folders = "".join(f"  {option} = {self._directory / folder}\n" for option, folder in _FOLDERS.items())
        sysvol = self._directory / "state" / "sysvol"
        self._smb_conf.write_text(
            f"""[global]
  workgroup = {self._workgroup}
  realm = {self.realm}
  netbios name = DC1
  server role = active directory domain controller
  server services = kdc
  interfaces = lo
  bind interfaces only = yes
  kdc supported enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96
  krb5 port = {self._port}
  kpasswd port = {free_port()}
  tls enabled = no
{folders}  log file = {self._directory}/log.%m
[sysvol]
  path = {sysvol}
  read only = no
[netlogon]
  path = {sysvol}/{self.domain}/scripts
  read only = no
""",
            encoding="utf-8",
        )

    @property
    def _workgroup(self) -> str:
        return self.domain.partition(".")[0].upper()

    def _create(self, computers: Mapping[str, Computer]) -> None:
        accounts = []
        for name, computer in computers.items():
            kinds = ["HOST", *(["WSMAN"] if "WSMAN" in computer.services else [])]
            names = [f"{kind}/{form}" for kind in kinds for form in (self.host_name(name), name)]
            accounts.append(
                {
                    "name": name,
                    "host_name": self.host_name(name),
                    "password": f"Mach1ne-{name}!",
                    "services": names,
                    "rc4_only": computer.rc4_only,
                }
            )
        self._run(
            "create",
            realm=self.realm,
            workgroup=self._workgroup,
            lockout_threshold=LOCKOUT_THRESHOLD,
            users=[
                {"name": user.name, "password": user.password, "state": user.state, "upn": user.upn}
                for user in self.users
            ],
            computers=accounts,
        )
        for name, computer in computers.items():
            command = ["samba-tool", "domain", "exportkeytab", "-s", str(self._smb_conf), str(self.keytab(name))]
            subprocess.run([*command, f"--principal={name}$"], env={"PATH": _PATH}, check=True, capture_output=True)
            if not computer.secure_channel:
                self._run("set_password", account=f"{name}$", password=f"An0ther-{name}!")

    def _run(self, verb: str, **parameters: Any) -> Any:
        private = str(self._directory / "private")
        done = subprocess.run(
            [_PYTHON, str(_PROVISION), verb],
            input=json.dumps({"configuration": str(self._smb_conf), "private": private, **parameters}),
            env={"PATH": _PATH},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return json.loads(done.stdout.splitlines()[-1])
