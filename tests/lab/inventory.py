# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Ansible inventory of a running lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab.active_directory import ActiveDirectory
from lab.kerberos import Domain
from lab.listener import ADDRESS
from lab.server import Lab
from lab.simulation import ListenerOptions, SimulatedMachine
from lab.ssh import SshKeys
from lab.tls import Certificates


def write(lab: Lab, path: Path) -> None:
    """Write the inventory: every machine with what both connection plugins need, so that either can be chosen at run time."""
    hosts = {name: _variables(lab, name) for name in lab.listeners}
    children: dict[str, Any] = {
        group: {"hosts": {name: {} for name in names}} for group, names in lab.simulation.groups.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    text = yaml.safe_dump({"all": {"hosts": hosts, "children": children}}, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")


def _variables(lab: Lab, name: str) -> dict[str, Any]:
    machine = lab.simulation.machines[name]
    options = machine.listener
    account = {"ansible_user": machine.account.name, "ansible_password": machine.account.password}
    own = dict(lab.simulation.variables.get(name, {}))
    if options.connection == "ssh" and lab.ssh_keys is not None:
        return _ssh(lab.ssh_keys, machine, lab.listeners[name].port) | own
    if options.connection == "powershell_direct":
        return {"ansible_connection": "hyperv.avma.powershell_direct", **account} | own
    scheme = "https" if options.tls else "http"
    variables: dict[str, Any] = {
        "ansible_connection": options.connection,
        "ansible_host": ADDRESS,
        "ansible_port": lab.listeners[name].port,
        **account,
        "ansible_winrm_scheme": scheme,
        "ansible_psrp_protocol": scheme,
        **_authentication(options),
    }
    if lab.domain is not None and options.authentication[0] in {"kerberos", "credssp"}:
        variables |= _in_domain(lab.domain, name)
    if options.tls and lab.certificates:
        variables |= _trust(lab.certificates)
    return variables | own


def _ssh(keys: SshKeys, machine: SimulatedMachine, port: int) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "ansible_connection": "ssh",
        "ansible_host": ADDRESS,
        "ansible_port": port,
        "ansible_user": machine.account.name,
        "ansible_shell_type": machine.ssh.shell,
        # The developer's own settings and keys are none of the lab's business.
        "ansible_ssh_common_args": (
            f"-F none -o UserKnownHostsFile={keys.known_hosts} -o GlobalKnownHostsFile=none -o IdentitiesOnly=yes -o IdentityAgent=none"
        ),
    }
    if "publickey" in machine.ssh.authentication:
        return variables | {"ansible_ssh_private_key_file": str(keys.client)}
    return variables | {"ansible_password": machine.account.password}


def _authentication(options: ListenerOptions) -> dict[str, str]:
    """The first scheme that the listener offers, as each plugin names it."""
    winrm, psrp = {
        "negotiate": ("ntlm", "negotiate"),
        "kerberos": ("kerberos", "kerberos"),
        "credssp": ("credssp", "credssp"),
        "basic": ("basic", "basic"),
        "certificate": ("certificate", "certificate"),
    }[options.authentication[0]]
    variables = {"ansible_winrm_transport": winrm, "ansible_psrp_auth": psrp}
    if psrp == "basic" and not options.tls:
        variables["ansible_psrp_message_encryption"] = "never"
    return variables


def _in_domain(domain: Domain | ActiveDirectory, machine: str) -> dict[str, Any]:
    """The first user of the domain, and the names by which the domain knows the machine: it is reached by its address."""
    user = domain.users[0]
    host_name = domain.host_name(machine)
    return {
        "ansible_user": f"{user.name}@{domain.realm}",
        "ansible_password": user.password,
        "ansible_winrm_kerberos_hostname_override": host_name,
        "ansible_psrp_negotiate_hostname_override": host_name,
        # kinit gets an environment of its own, without what is not named.
        "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
    }


def _trust(certificates: Certificates) -> dict[str, str]:
    return {
        "ansible_winrm_ca_trust_path": str(certificates.authority),
        "ansible_winrm_cert_pem": str(certificates.client),
        "ansible_winrm_cert_key_pem": str(certificates.client_key),
        "ansible_psrp_ca_cert": str(certificates.authority),
        "ansible_psrp_certificate_pem": str(certificates.client),
        "ansible_psrp_certificate_key_pem": str(certificates.client_key),
    }
