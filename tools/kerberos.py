# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""See that the system has what `make kerberos` needs; install it where that is possible (Debian, as root), or say what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
#: Program → its package on Debian and Ubuntu, its package on RHEL and Fedora.
_NEEDED = {
    "krb5kdc": ("krb5-kdc", "krb5-server"),
    "kadmin.local": ("krb5-admin-server", "krb5-server"),
    "kinit": ("krb5-user", "krb5-workstation"),
    "krb5-config": ("libkrb5-dev", "krb5-devel"),
    "gcc": ("gcc", "gcc"),
}
#: For the tests against a Samba Active Directory, which are skipped without.
_SAMBA = ("samba", "samba-ad-provision", "samba-dsdb-modules", "samba-vfs-modules", "winbind")


def main() -> int:
    """Install or tell."""
    missing = [program for program in _NEEDED if shutil.which(program, path=_PATH) is None]
    samba_missing = (
        not Path("/usr/share/samba/setup/provision.ldif").exists() or shutil.which("samba", path=_PATH) is None
    )
    if not missing and not samba_missing:
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        packages = sorted({_NEEDED[program][0] for program in missing} | set(_SAMBA if samba_missing else ()))
        print(f"Installing {' '.join(packages)}", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
        missing = [program for program in missing if shutil.which(program, path=_PATH) is None]
    elif samba_missing:
        print(
            f"The tests against Active Directory are skipped; on Debian they need: apt-get install {' '.join(_SAMBA)}"
        )
    if missing:
        debian, fedora = (" ".join(sorted({_NEEDED[program][number] for program in missing})) for number in (0, 1))
        print(
            f"make kerberos needs {', '.join(missing)}: on Debian and Ubuntu apt-get install {debian}, "
            f"on RHEL and Fedora dnf install {fedora}",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
