# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: guests
short_description: The virtual machines of Hyper-V hosts, with what they need for AVMA
version_added: 0.1.0
description:
  - Asks Hyper-V and Azure Local hosts for their virtual machines (VMs), and makes each VM an inventory host, with the release and edition
    of its Windows, the key that it needs for Automatic Virtual Machine Activation (AVMA), and whether its Hyper-V host can activate it. The
    guests themselves are not contacted.
  - All Hyper-V hosts are asked at the same time. A host that cannot be asked causes a warning, or an error with O(strict).
  - Takes a YAML file whose name ends in C(avma.yml) or C(avma.yaml).
  - An inventory host has the name of its VM. In it, each character other than a letter, a digit, C(_), C(.) and C(-) is replaced by C(_).
    If several VMs have the same name, or a VM has the name of a Hyper-V host, its ID is appended. O(compose) can set another
    C(inventory_hostname).
  - If two hosts report the same VM, as during a move or with Hyper-V Replica, it is in the inventory once, as the host that runs it reports
    it. If both run it, it is there twice, and a warning is printed.
  - C(ansible_host) is the name with domain that the guest reports, else its first usable IP address. If two VMs report the same, as clones
    do, it is an address that only this VM reports, if there is one. O(compose) can set another one.
  - The groups C(avma_guests) (the guests for which there is an AVMA key), C(avma_eligible) and C(avma_not_eligible) (those that their
    Hyper-V host can and cannot activate) and C(avma_no_data_exchange) (those whose Data Exchange is off) are always there. A VM whose guest
    is not known, because the VM or its Data Exchange is off, is in none of the first three.
  - "The variables of each inventory host are: C(avma_vm_name), C(avma_vm_id), C(avma_state), C(avma_host) (the Hyper-V host),
    C(avma_host_fqdn) (its full DNS name), C(avma_replication_mode), C(avma_cluster), C(avma_system), C(avma_release),
    C(avma_edition), C(avma_key), C(avma_eligible), C(avma_problems),
    C(avma_data_exchange), C(avma_fqdn) and C(avma_addresses). They hold what M(hyperv.avma.vm_info) returns under these names;
    C(avma_cluster) is null unless the cluster is one of O(clusters)."
options:
  plugin:
    description: The name of this plugin, V(hyperv.avma.guests).
    type: str
    required: true
    choices: [hyperv.avma.guests]
  hosts:
    description:
      - The Hyper-V hosts to ask.
      - A list of names, or a dictionary of names and the variables that differ from O(variables).
    type: raw
    default: []
  clusters:
    description:
      - The failover clusters whose nodes to ask, by the name of the cluster or of one of its nodes.
      - A list of names, or a dictionary of names and the variables that differ from O(variables), of the cluster and its nodes.
      - A node is reached by its name and the domain that the cluster is named with here, unless it is one of O(hosts) too. A node that
        the cluster says is down is not asked.
    type: raw
    default: []
  variables:
    description:
      - How to connect, in the same variables as a Hyper-V host would have in an inventory, such as C(ansible_user) and
        C(ansible_password). Templates and vaulted values can be used.
      - C(ansible_connection) is V(ansible.builtin.winrm) unless it is V(ansible.builtin.psrp) or V(ansible.builtin.ssh).
    type: dict
    default: {}
  through_host:
    description:
      - Whether to reach all guests through their Hyper-V hosts, by P(hyperv.avma.powershell_direct#connection), so that they need no
        network. They then have that C(ansible_connection) and no C(ansible_host).
      - The Hyper-V hosts must be in the inventory too, with their own connection variables.
    type: bool
    default: false
    version_added: 0.2.0
  key_overrides:
    description:
      - Additions to the table of AVMA keys, as M(hyperv.avma.guest_key) takes them.
    type: dict
    default: {}
  strict:
    description:
      - Whether a Hyper-V host or cluster that cannot be asked, and an invalid expression in O(compose), O(groups) or O(keyed_groups), is
        an error. By default, such a host is left out with a warning, and such an expression is skipped.
extends_documentation_fragment:
  - constructed
  - inventory_cache
notes:
  - An administrator of a guest can change what it reports about itself (everything but its name, ID, state and Data Exchange). If you do
    not trust the administrators of the guests, do not send credentials to the C(ansible_host) that they report. Set another one with
    O(compose).
  - An answer in which a Hyper-V host is missing is not cached.
  - A user and password that one machine has rejected are not tried on others in the same run, because every attempt counts towards a
    lockout.
seealso:
  - module: hyperv.avma.vm_info
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
---
# guests.avma.yml: two hosts, and all nodes of a cluster
plugin: hyperv.avma.guests
hosts: [hv01.example.com, hv02.example.com]
clusters: [hvcluster.example.com]
variables:
  ansible_port: 5985
  ansible_winrm_transport: kerberos
  ansible_user: svc-avma@EXAMPLE.COM
  ansible_password: "{{ lookup('ansible.builtin.env', 'AVMA_PASSWORD') }}"

# A group for each release, and one for what needs attention
keyed_groups:
  - key: avma_release
    prefix: windows
groups:
  attention: avma_state == 'running' and avma_eligible is false

# Names with domain, where guests tell one, and their IPv4 addresses to reach them
compose:
  inventory_hostname: avma_fqdn
  ansible_host: avma_addresses | first

---
# Guests without a network, whose Hyper-V hosts are in another file of the inventory
plugin: hyperv.avma.guests
hosts: [hv01.example.com, hv02.example.com]
variables:
  ansible_port: 5985
  ansible_winrm_transport: kerberos
  ansible_user: svc-avma@EXAMPLE.COM
  ansible_password: "{{ lookup('ansible.builtin.env', 'AVMA_PASSWORD') }}"
through_host: true

---
# Hosts that differ in how they are reached
plugin: hyperv.avma.guests
hosts:
  hv01.example.com:
  azl01.example.com:
    ansible_connection: ansible.builtin.psrp
    ansible_port: 5986
variables:
  ansible_port: 5985
  ansible_winrm_transport: ntlm
  ansible_user: svc-avma
  ansible_password: !vault |
    $ANSIBLE_VAULT;1.1;AES256
    3061...
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._avma import keys
from ..plugin_utils._avma.hosts import Cluster
from ..plugin_utils._avma.names import full_name, names_match, short_name
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._avma.vms import Activator, assess_vm
from ..plugin_utils._fleet.identity import node_address, usable_address, vm_identity
from ..plugin_utils._fleet.reach import connect
from ..plugin_utils._fleet.workers import Workers, as_completed
from ..plugin_utils._session.connection import THROUGH_HOST, open_session
from ..plugin_utils._session.errors import SessionError
from ..plugin_utils._session.logins import Logins
from ..plugin_utils._windows.cluster import read_cluster
from ..plugin_utils._windows.hosts import read_host
from ..plugin_utils._windows.hyperv import read_vms

_Answer = TypeVar("_Answer")

#: Where a node is, is not where its cluster is.
#: Copies that Hyper-V Replica keeps of a VM that is in use elsewhere, with its id.
_REPLICAS = frozenset({"replica", "extended_replica"})
_ADDRESS_VARIABLES = frozenset({"ansible_host", "ansible_winrm_host", "ansible_psrp_host"})


class _NoAnswerError(Exception):
    """A machine was reached, and has no VMs or nodes to tell."""


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The virtual machines of Hyper-V hosts."""

    NAME = "hyperv.avma.guests"

    def verify_file(self, path: str) -> bool:
        """Whether this may be a file for this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("avma.yml", "avma.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Make the VMs inventory hosts."""
        super().parse(inventory, loader, path, cache)
        self._given: Mapping[str, Any] = self._read_config_data(path)
        try:
            self._overrides = keys.read_overrides(self.get_option("key_overrides"))
        except ValueError as error:
            raise AnsibleParserError(f"{path}: key_overrides: {error}") from error
        # What machines say is text, never a template; a cache does not keep that in mind.
        vms: list[dict[str, Any]] = wrap_var(self._cached(path, cache))
        for group in ("avma_guests", "avma_eligible", "avma_not_eligible", "avma_no_data_exchange"):
            inventory.add_group(group)
        for name, variables in self._named(self._without_shared_addresses(self._without_copies(vms))):
            self._add(name, variables)

    def _cached(self, path: str, cache: bool) -> list[dict[str, Any]]:
        key = self.get_cache_key(path)
        if cache and self.get_option("cache"):
            with suppress(KeyError):
                vms: list[dict[str, Any]] = self._cache[key]
                return vms
        vms, complete = self._ask()
        if complete and self.get_option("cache"):
            self._cache[key] = vms
        return vms

    def _ask(self) -> tuple[list[dict[str, Any]], bool]:
        """The variables of all VMs, and whether all Hyper-V hosts and clusters told theirs."""
        hosts, clusters = self._machines("hosts"), self._machines("clusters")
        if not hosts and not clusters:
            unknown = sorted(set(self._given) - set(self.get_options()))
            hint = f"; there is no option {', '.join(unknown)}" if unknown else ""
            raise AnsibleParserError(f"name Hyper-V hosts in hosts, or failover clusters in clusters{hint}")
        overrides = self._overrides

        def submit(function: Any, name: str, variables: Mapping[str, Any], *arguments: Any) -> Future[Any]:
            return workers.submit(function, self._connect(name, variables), name, logins, *arguments)

        with Logins() as logins, Workers() as workers:
            asked: dict[str, Future[list[dict[str, Any]]]] = {
                name: submit(_read_vms, name, variables, overrides) for name, variables in hosts.items()
            }
            described = {name: submit(_read_cluster, name, variables) for name, variables in clusters.items()}
            members: dict[str, str] = {}
            complete = True
            for name, future in described.items():
                cluster: Cluster | None = self._answer(name, future)
                complete &= cluster is not None
                for node in cluster.nodes if cluster else ():
                    address = node_address(node.name, name)
                    known = next((host for host in asked if names_match(host, address)), None)
                    host = known or address
                    members[host] = cluster.name if cluster else ""
                    if known is None and node.state == "down":
                        self._report(f"{host} was not asked for its VMs: the cluster {name} says that it is down")
                        complete = False
                    elif known is None:
                        shared = {key: value for key, value in clusters[name].items() if key not in _ADDRESS_VARIABLES}
                        asked[host] = submit(_read_vms, host, shared, overrides)
            vms: list[dict[str, Any]] = []
            for name, future in asked.items():
                answer = self._answer(name, future)
                complete &= answer is not None
                vms += ({**vm, "avma_cluster": members.get(name)} for vm in answer or ())
        return vms, complete

    def _machines(self, option: str) -> dict[str, Mapping[str, Any]]:
        """Names and variables of an option that is a list or a dictionary."""
        value = self.get_option(option) or {}
        if isinstance(value, list):
            value = dict.fromkeys(value)
        if not isinstance(value, Mapping) or not all(
            isinstance(name, str) and isinstance(variables or {}, Mapping) for name, variables in value.items()
        ):
            given = f", and is {value}" if isinstance(value, str) else ""
            raise AnsibleParserError(
                f"{option} must be a list of names, or a dictionary of names and their variables{given}"
            )
        return {name: variables or {} for name, variables in value.items()}

    def _connect(self, name: str, variables: Mapping[str, Any]) -> Any:
        """Ansible's own connection plugin, not yet connected."""
        variables = {**self.get_option("variables"), **variables, "inventory_hostname": name}
        self.templar.available_variables = {**self._vars, **variables}
        try:
            plugin = self.templar.template(variables.get("ansible_connection", "ansible.builtin.winrm"))
            return connect(plugin, self.templar, variables)
        except AnsibleError as error:
            raise AnsibleParserError(f"{name}: {error}") from error

    def _answer(self, name: str, future: Future[_Answer]) -> _Answer | None:
        try:
            return next(as_completed([future])).result()
        except (_NoAnswerError, SessionError, AnsibleError) as error:
            self._report(f"{name} was not asked for its VMs: {error}")
            return None

    def _report(self, message: str) -> None:
        if self.get_option("strict"):
            raise AnsibleParserError(message)
        self.display.warning(message)

    def _named(self, vms: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each VM with a name that is its own, and that nothing else in an inventory has a meaning for."""
        expression = self.get_option("compose").get("inventory_hostname")
        names = [(_safe_name(self._composed_name(expression, vm) or vm["avma_vm_name"]), vm) for vm in vms]
        count = Counter(name.lower() for name, _vm in names)
        reserved = {name.lower() for name in (*constants.LOCALHOST, *self.inventory.groups)}
        reserved |= self._names_of_hyperv_hosts([vm for _name, vm in names])
        ids = Counter(vm["avma_vm_id"] for _name, vm in names)
        for name, vm in names:
            own = name
            if count[name.lower()] > 1 or name.lower() in reserved or not name:
                own = f"{name}_{vm['avma_vm_id']}"
            yield (_safe_name(f"{own}_{vm['avma_host']}") if ids[vm["avma_vm_id"]] > 1 else own), vm

    def _names_of_hyperv_hosts(self, vms: Iterable[Mapping[str, Any]]) -> set[str]:
        """What Hyper-V hosts are called: a VM of such a name must not take the place of one in the inventory, or its variables."""
        group = self.inventory.groups.get("avma_hosts")
        names = {
            *self._machines("hosts"),
            *self._machines("clusters"),
            *(name for vm in vms for name in (vm["avma_host"], vm.get("avma_host_fqdn")) if name),
            *(str(host) for host in (group.get_hosts() if group else ())),
        }
        return {form for name in names for form in (full_name(name), short_name(name))}

    def _without_copies(self, vms: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each VM once, as the host has it that runs it: while one is migrated, and with Hyper-V Replica, two hosts tell it."""
        by_id: dict[str, list[dict[str, Any]]] = {}
        for vm in vms:
            by_id.setdefault(vm_identity(vm["avma_vm_id"]), []).append(vm)
        kept: list[dict[str, Any]] = []
        for same in by_id.values():
            used = [vm for vm in same if vm.get("avma_replication_mode") not in _REPLICAS] or same
            # A host that is asked by two names is one host.
            hosts = {vm.get("avma_host_fqdn") or vm["avma_host"]: vm for vm in reversed(used)}
            running = [vm for vm in used if vm["avma_state"] == "running" and any(vm is one for one in hosts.values())]
            if len(running) > 1:
                places = " and ".join(vm["avma_host"] for vm in running)
                self.display.warning(
                    f"the VM {running[0]['avma_vm_name']} ({running[0]['avma_vm_id']}) runs on {places}: two VMs have one id"
                )
            kept += running or used[:1]
        return kept

    def _without_shared_addresses(self, vms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """No two VMs with one ``ansible_host``: a copy of a VM tells its name, and what one of them answers would be taken for both."""
        shared = _more_than_once(vm.get("ansible_host") for vm in vms)
        addresses = _more_than_once(address for vm in vms for address in {*vm["avma_addresses"]})
        found: list[dict[str, Any]] = []
        for vm in vms:
            told = vm.get("ansible_host")
            if told and full_name(told) in shared:
                own = usable_address(None, [item for item in vm["avma_addresses"] if full_name(item) not in addresses])
                vm = {name: value for name, value in vm.items() if name != "ansible_host"}
                vm |= {"ansible_host": own} if own else {}
                instead = f"it is reached by its address {own}" if own else "it has no ansible_host"
                self.display.warning(
                    f"the VM {vm['avma_vm_name']} on {vm['avma_host']} tells a name or address that is another VM's too, {told}: {instead}"
                )
            found.append(vm)
        return found

    def _composed_name(self, expression: str | None, variables: Mapping[str, Any]) -> str | None:
        if not expression:
            return None
        try:
            name = self._compose(expression, variables)
        except Exception as error:
            # Whatever an expression of the user may raise, as the other expressions are treated by Constructable.
            if self.get_option("strict"):
                raise AnsibleParserError(
                    f"inventory_hostname of the VM {variables['avma_vm_name']} cannot be composed: {error}"
                ) from error
            return None
        return str(name) if name else None

    def _add(self, name: str, variables: Mapping[str, Any]) -> None:
        if self.get_option("through_host"):
            variables = {**variables, "ansible_connection": THROUGH_HOST}
            variables.pop("ansible_host", None)
        self.inventory.add_host(name)
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        for group, belongs in (
            ("avma_guests", variables["avma_key"] is not None),
            ("avma_eligible", variables["avma_eligible"] is True),
            ("avma_not_eligible", variables["avma_eligible"] is False),
            ("avma_no_data_exchange", not variables["avma_data_exchange"]),
        ):
            if belongs:
                self.inventory.add_child(group, name)
        strict = self.get_option("strict")
        compose = {key: value for key, value in self.get_option("compose").items() if key != "inventory_hostname"}
        self._set_composite_vars(compose, variables, name, strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict)


def _read_vms(connection: Any, name: str, logins: Logins, overrides: keys.Overrides) -> list[dict[str, Any]]:
    """The variables of all VMs of a Hyper-V host. Runs in a thread of its own."""
    session = open_session(connection, name, logins)
    host = read_host(session)
    if not host.hyperv:
        raise _NoAnswerError(problem("hyperv_role_missing").message)
    activator = Activator.of(name, host)
    return [
        _variables(name, {**vm.to_dict(), **assess_vm(vm, activator, overrides).to_dict()}, host.fqdn)
        for vm in read_vms(session)
    ]


def _read_cluster(connection: Any, name: str, logins: Logins) -> Cluster:
    cluster = read_cluster(open_session(connection, name, logins))
    if cluster is None:
        raise _NoAnswerError("it is no node of a failover cluster")
    return cluster


def _variables(host: str, vm: Mapping[str, Any], fqdn: str | None = None) -> dict[str, Any]:
    """What an inventory host knows of its VM, from what M(vm_info) returns.

    :param fqdn: The full DNS name of its Hyper-V host.
    """
    system = vm["system"] or {}
    address = usable_address(vm["fqdn"], vm["addresses"])
    return {
        "avma_vm_name": vm["name"],
        "avma_vm_id": vm["id"],
        "avma_host": host,
        "avma_host_fqdn": fqdn,
        "avma_replication_mode": vm.get("replication_mode"),
        "avma_system": vm["system"],
        "avma_release": system.get("release"),
        "avma_edition": system.get("edition"),
        "avma_key": vm["avma_key"],
        **{
            f"avma_{name}": vm[name] for name in ("state", "eligible", "problems", "data_exchange", "fqdn", "addresses")
        },
        **({"ansible_host": address} if address else {}),
    }


def _more_than_once(texts: Iterable[str | None]) -> set[str]:
    count = Counter(full_name(text) for text in texts if text)
    return {text for text, times in count.items() if times > 1}


def _safe_name(name: str) -> str:
    """Without what has a meaning in patterns of hosts, in paths of files that are named after hosts, or in templates."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".-")
