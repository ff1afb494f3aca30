# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: powershell_direct
author:
  - The hyperv.avma authors (@hyperv-avma)
version_added: 0.2.0
short_description: Reach a guest through its Hyper-V host, without a network
description:
  - Reaches a Windows guest of Hyper-V by PowerShell Direct, so that it needs no network adapter, no WinRM and no firewall rule.
  - The Hyper-V host is reached as the inventory says, by P(ansible.builtin.winrm#connection), P(ansible.builtin.psrp#connection) or
    P(ansible.builtin.ssh#connection), with the connection variables that it has there.
  - It works with the modules of this collection only. Other modules fail over it, so set C(gather_facts) to V(false).
notes:
  - Host and guest must be Windows Server 2016 or newer, the guest must run and have booted, and the user of the host must be a member of
    its C(Administrators) or C(Hyper-V Administrators), with the Hyper-V module for Windows PowerShell installed there.
  - If the VM is not on O(host), the other nodes of its failover cluster are asked for it, as far as the inventory has them.
  - The credentials of the guest go to the host on standard input, and only over an encrypted connection.
  - Shielded virtual machines do not allow PowerShell Direct.
  - A guest that refuses a domain account counts as a failed logon of it, where the guest reaches a domain controller. One task tries a
    refused domain account in no other guest, but Ansible runs a module on each of its guests by itself. Use local accounts.
options:
  host:
    description:
      - The Hyper-V host, by its name in the inventory.
    type: str
    vars:
      - name: avma_host
      - name: ansible_powershell_direct_host
  vm_id:
    description:
      - The ID of the virtual machine. It takes precedence over O(vm_name).
    type: str
    vars:
      - name: avma_vm_id
      - name: ansible_powershell_direct_vm_id
  vm_name:
    description:
      - The name of the virtual machine. Without O(vm_id), it must be the only one with this name on its host.
    type: str
    vars:
      - name: avma_vm_name
      - name: ansible_powershell_direct_vm_name
  remote_user:
    description:
      - The user in the guest, such as V(Administrator) or V(DOMAIN\\user). A local account is best. V(user@domain) is refused, because
        PowerShell Direct treats it as a local account.
    type: str
    vars:
      - name: ansible_user
      - name: ansible_powershell_direct_user
    keyword:
      - name: remote_user
  remote_password:
    description:
      - The password of O(remote_user).
    type: str
    vars:
      - name: ansible_password
      - name: ansible_powershell_direct_password
    keyword:
      - name: password
  timeout:
    description:
      - For how many seconds to wait for an answer of the guest. A guest that is about to boot may never give one.
    type: int
    default: 120
    vars:
      - name: ansible_powershell_direct_timeout
seealso:
  - plugin: hyperv.avma.guests
    plugin_type: inventory
"""

EXAMPLES = r"""
# inventory.yml: a guest without a network, and its host
avma_hosts:
  hosts:
    hv01.example.com:
  vars:
    ansible_connection: ansible.builtin.winrm
    ansible_port: 5985
    ansible_winrm_transport: kerberos
    ansible_user: svc-avma@EXAMPLE.COM
    ansible_password: "{{ vault_host_password }}"

avma_guests:
  hosts:
    dmz01:
      ansible_powershell_direct_host: hv01.example.com
      ansible_powershell_direct_vm_name: DMZ01
  vars:
    ansible_connection: hyperv.avma.powershell_direct
    ansible_user: Administrator
    ansible_password: "{{ vault_guest_password }}"
"""

from typing import Any, NoReturn

from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase


class Connection(ConnectionBase):
    """The options of a guest that is reached through its host; the modules of this collection make the connection to the host."""

    transport = "hyperv.avma.powershell_direct"
    has_pipelining = True
    module_implementation_preferences = (".ps1", ".exe", "")
    allow_executable = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make it, not yet connected."""
        self._shell_type = "powershell"
        super().__init__(*args, **kwargs)

    def _connect(self) -> Connection:
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> NoReturn:
        """Refuse what is not of this collection."""
        raise self._refusal()

    def put_file(self, in_path: str, out_path: str) -> NoReturn:
        """Refuse what is not of this collection."""
        raise self._refusal()

    def fetch_file(self, in_path: str, out_path: str) -> NoReturn:
        """Refuse what is not of this collection."""
        raise self._refusal()

    def close(self) -> None:
        """Nothing is open."""

    def _refusal(self) -> AnsibleError:
        return AnsibleError(
            f"only the modules of hyperv.avma work over {self.transport}: reach the machine by winrm, psrp or ssh for other modules, "
            "and set gather_facts: false"
        )
