# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The domain of a lab: a Kerberos realm with a KDC of its own (MIT's, which needs no root), users in every state, and machines' keys.

It is no Active Directory: it has no PAC, no mapping of HTTP/ to HOST/ and no account names without regard to case. Each service that a
machine has is a principal of its own.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lab.simulation import Computer, DomainUser, UserState

#: What a state of an account is to MIT's KDC.
_FLAGS: dict[UserState, str] = {
    "enabled": "",
    "locked": "-allow_tix",
    "disabled": "-allow_tix",
    "expired": "-expire 1/1/2000",
    "password_expired": "-pwexpire 1/1/2000",
    "protected": "",
}
#: Debian has the KDC and its tools where only root looks.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
_ENCRYPTION = "aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96"
#: After so many wrong passwords an account is locked.
LOCKOUT_THRESHOLD = 5


class MissingToolError(Exception):
    """MIT Kerberos is not installed; the message names the package."""


class Domain:
    """A realm on loopback, in a directory, for as long as the lab runs."""

    def __init__(
        self,
        domain: str,
        users: Iterable[DomainUser],
        computers: Mapping[str, Computer],
        directory: Path,
        private: Path,
    ) -> None:
        """Create the realm; it listens from ``start`` on.

        :param domain: The DNS domain; the realm is the same in capitals.
        :param computers: What it has of the machines, by their names.
        :param directory: Where ``krb5.conf`` goes, for those who use the domain.
        :param private: Where all else goes.
        :raises MissingToolError: There is no KDC on this computer.
        """
        self.domain = domain
        self.realm = domain.upper()
        self.users = tuple(users)
        self.configuration = directory / "krb5.conf"
        self._directory = private / "kdc"
        self._directory.mkdir(mode=0o700)
        self._kdc: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        write_configuration(self.configuration, domain, self._port)
        self._write_kdc_configuration()
        self._create(computers)

    def host_name(self, machine: str) -> str:
        """The DNS name of a machine, as its services are registered."""
        return f"{machine}.{self.domain}".lower()

    def keytab(self, machine: str) -> Path:
        """The keys of a machine."""
        return self._directory / f"{machine}.keytab"

    def start(self) -> None:
        """Have the KDC listen."""
        # The lab's own acceptors read it, too; what is replayed is not looked for: no client here waits for its clock to tick.
        os.environ.update(KRB5_CONFIG=str(self.configuration), KRB5RCACHENAME="none:")
        self._kdc = subprocess.Popen(
            [_tool("krb5kdc"), "-n"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while not listens(self._port):
            if self._kdc.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the KDC did not start; see {self._directory / 'kdc.log'}")
            time.sleep(0.02)

    def close(self) -> None:
        """End the KDC."""
        if self._kdc is not None:
            self._kdc.terminate()
            self._kdc.wait(timeout=10)
            self._kdc = None

    def failed_logins(self, user: str) -> int:
        """How many wrong passwords were tried since the last right one. Raises KeyError for an unknown user."""
        if user not in {item.name for item in self.users}:
            raise KeyError(user)
        told = self._administer([f"getprinc {user}"])
        return next(int(line.rpartition(":")[2]) for line in told.splitlines() if line.startswith("Failed password"))

    def set_password(self, user: str, password: str) -> None:
        """Give a user another password."""
        self._administer([f'cpw -pw "{password}" {user}'])
        self.users = tuple(replace(item, password=password) if item.name == user else item for item in self.users)

    def unlock(self, user: str) -> None:
        """Let a user in that too many wrong passwords have locked."""
        self._administer([f"modprinc -unlock {user}"])

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "KRB5_CONFIG": str(self.configuration),
            "KRB5_KDC_PROFILE": str(self._directory / "kdc.conf"),
            "LC_ALL": "C",
        }

    def _write_kdc_configuration(self) -> None:
        (self._directory / "kdc.conf").write_text(
            f"""[realms]
    {self.realm} = {{
        database_name = {self._directory}/principal
        key_stash_file = {self._directory}/stash
        kdc_listen = 127.0.0.1:{self._port}
        kdc_tcp_listen = 127.0.0.1:{self._port}
        supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
        default_principal_flags = +preauth
    }}
[logging]
    kdc = FILE:{self._directory}/kdc.log
""",
            encoding="utf-8",
        )

    def _create(self, computers: Mapping[str, Computer]) -> None:
        subprocess.run(
            [_tool("kdb5_util"), "create", "-s", "-r", self.realm, "-P", "lab"],
            env=self._environment,
            check=True,
            capture_output=True,
        )
        commands = [f"addpol -maxfailure {LOCKOUT_THRESHOLD} -lockoutduration 1800 users"]
        commands += [
            f'addprinc -policy users {_FLAGS[user.state]} -pw "{user.password}" {user.name}' for user in self.users
        ]
        for machine, computer in computers.items():
            for name in computer.services:
                principal = f"{name}/{self.host_name(machine)}"
                commands += [
                    f"addprinc -randkey {principal}",
                    f"ktadd -k {self.keytab(machine)} -norandkey {principal}",
                ]
                if not computer.secure_channel:
                    commands.append(f"cpw -randkey {principal}")
        self._administer(commands)

    def _administer(self, commands: Iterable[str]) -> str:
        done = subprocess.run(
            [_tool("kadmin.local")],
            env=self._environment,
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def _tool(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise MissingToolError(
            f"there is no {name}: install MIT Kerberos, on Debian with apt-get install krb5-kdc krb5-admin-server krb5-user"
        )
    return found


def write_configuration(path: Path, domain: str, port: int) -> None:
    """Write a krb5.conf for a domain whose KDC listens on loopback."""
    realm = domain.upper()
    path.write_text(
        f"""[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .{domain} = {realm}
""",
        encoding="utf-8",
    )


def free_port() -> int:
    """A port on which nothing listens, and which the system gives to no outgoing connection before the KDC has it."""
    while True:
        port = random.randrange(20000, 32000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def listens(port: int) -> bool:
    """Whether something does."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
