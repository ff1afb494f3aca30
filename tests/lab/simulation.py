# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the wire asks of the model as a whole: the machines, how each listens, and the verbs of the control endpoint.

``lab.topology.load(path_or_mapping)`` makes a ``Simulation``; ``lab.server`` serves it. ``lab.cim`` is the other half of the seam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lab.cim import Machine
from lab.faults import FaultRule
from lab.traffic import Traffic

if TYPE_CHECKING:
    from lab.console import Console
    from lab.spec import SshSpec

UserState = Literal["enabled", "locked", "disabled", "expired", "password_expired", "protected"]
Scheme = Literal["negotiate", "kerberos", "credssp", "basic", "certificate"]


@dataclass(frozen=True)
class ListenerOptions:
    """How a machine's WinRM listener is configured, and which of the variations seen on real servers it shows.

    The defaults are those of a default Windows Server listener on HTTP: Negotiate with encrypted messages, Basic refused.
    """

    #: TCP port on 127.0.0.1; 0 picks a free one.
    port: int = 0
    tls: bool = False
    #: What WWW-Authenticate offers, and the first what the inventory logs in by. ``certificate`` needs ``tls``, ``kerberos`` users in the
    #: domain; ``negotiate`` takes Kerberos, too, if there are any.
    authentication: tuple[Scheme, ...] = ("negotiate",)
    #: The service's AllowUnencrypted: SOAP in the clear on HTTP, and so Basic there.
    allow_unencrypted: bool = False
    #: CbtHardeningLevel Strict: a login by Negotiate or Kerberos over TLS must be bound to its TLS connection.
    channel_binding: bool = False
    #: Seconds by which the machine's clock is ahead of the domain's. Beyond five minutes Kerberos does not work (RFC 4120, 3.2.3).
    clock: int = 0
    #: A ticket that it does not take is answered with a KRB_ERROR in the challenge. UNVERIFIED whether Windows does.
    tells_kerberos_errors: bool = False
    #: Whether w:OptimizeEnumeration is honoured; when not, items come with Pull only.
    optimize_enumeration: bool = True
    #: The most items in the optimized answer to Enumerate, whatever MaxElements says. Windows Server 2008 R2 and 2012 were recorded
    #: to answer with one item and to leave the rest to Pull (zenoss/txwinrm, every class with more than one instance).
    first_page: int | None = 1
    #: The most items in an answer to Pull, whatever MaxElements says.
    page_size: int | None = None
    #: ``fixed``: prefixes as Windows uses them. ``shuffled``: others, in every answer.
    prefixes: Literal["fixed", "shuffled"] = "fixed"
    #: ``class``: properties in the order of the class. ``shuffled``: in any.
    property_order: Literal["class", "shuffled"] = "class"
    #: Each item inside a w:Item.
    item_wrapping: bool = False
    #: In which of the two shapes an HRESULT of WMI travels: ``wsman`` (f:WSManFault with f:ProviderFault) or ``wmi`` (p:MSFT_WmiError).
    fault_form: Literal["wsman", "wmi"] = "wmi"
    #: Seconds before every answer.
    delay: float = 0.0
    #: The connection plugin that the inventory names. With ``ssh`` the machine has an ssh server instead of a WinRM listener, with
    #: ``powershell_direct`` it has neither.
    connection: Literal["winrm", "psrp", "ssh", "powershell_direct"] = "winrm"
    faults: tuple[FaultRule, ...] = ()

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> ListenerOptions:
        """From the ``listener`` of a machine in a topology. Raises ValueError for an unknown option or value."""
        unknown = set(data) - {item.name for item in fields(cls)}
        if unknown:
            raise ValueError(f"unknown listener options: {', '.join(sorted(unknown))}")
        values = dict(data)
        if "authentication" in values:
            values["authentication"] = tuple(values["authentication"])
        values["faults"] = tuple(FaultRule.from_mapping(rule) for rule in values.get("faults", ()))
        return cls(**values)


@dataclass(frozen=True)
class Account:
    """A local administrator of a machine."""

    name: str
    password: str = field(repr=False)

    def is_named(self, user: str, machine: str) -> bool:
        """Whether a user name means this account: bare, after a dot, or after the machine's name; in any case."""
        domain, _, name = user.rpartition("\\")
        return name.lower() == self.name.lower() and domain.lower() in ("", ".", "localhost", machine.lower())


@dataclass(frozen=True)
class DomainUser:
    """A user of the domain, an administrator of all its machines while ``state`` lets in.

    :ivar state: ``protected`` is a member of Protected Users, who log in by Kerberos only.
    :ivar upn: The user principal name, if it is not made of name and realm. With an Active Directory only.
    """

    name: str
    password: str = field(repr=False)

    state: UserState = "enabled"
    upn: str | None = None


@dataclass(frozen=True)
class Computer:
    """What the domain has of a machine.

    :ivar services: Those that are registered.
    :ivar secure_channel: Whether the machine's own password is still the one that the domain has of it.
    :ivar rc4_only: It has no AES key of it. With an Active Directory only.
    """

    services: tuple[str, ...]
    secure_channel: bool = True
    rc4_only: bool = False


class SimulatedMachine(Machine, Protocol):
    """A machine that the lab runs: what the wire serves of it (``Machine``), and how."""

    @property
    def account(self) -> Account:
        """Who may connect."""
        ...

    @property
    def computer(self) -> Computer:
        """What the domain has of it."""
        ...

    @property
    def listener(self) -> ListenerOptions:
        """How it listens."""
        ...

    @property
    def ssh(self) -> SshSpec:
        """How its ssh server is, if it has one."""
        ...

    def console(self, code_page: int | None = None, elevated: bool = True) -> Console:
        """A console of the account, with the machine's own code page unless one is given."""
        ...

    @property
    def traffic(self) -> Traffic:
        """What reached it, and what is to go wrong."""
        ...

    @property
    def running(self) -> bool:
        """Whether it is switched on: the port of a stopped machine refuses connections."""
        ...

    def when_restarting(self, callback: Callable[[float, float], None]) -> None:
        """Who switches it off and on when it restarts: called with the seconds until it goes down, and for how long it is down."""
        ...


class Simulation(Protocol):
    """All machines of a topology and what a test can do to them. Unknown names raise KeyError, refused values ValueError."""

    @property
    def machines(self) -> Mapping[str, SimulatedMachine]:
        """The machines by name."""
        ...

    @property
    def domain(self) -> str:
        """The DNS domain of all machines."""
        ...

    @property
    def active_directory(self) -> bool:
        """Whether the domain is a Samba Active Directory, and not just an MIT KDC."""
        ...

    @property
    def users(self) -> Sequence[DomainUser]:
        """The users of the domain; without any, there is none."""
        ...

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        """Machine names by inventory group: ``avma_hosts``, ``avma_guests``, one a cluster."""
        ...

    @property
    def variables(self) -> Mapping[str, Mapping[str, Any]]:
        """Host variables of the topology for the inventory, by machine name; the lab adds the connection's own."""
        ...

    def migrate(self, vm: str, host: str) -> None:
        """Live-migrate a guest."""
        ...

    def stop(self, machine: str) -> None:
        """Switch a machine off. It forgets what a Windows machine forgets."""
        ...

    def start(self, machine: str) -> None:
        """Switch a machine on."""
        ...

    def set(self, machine: str, key: str, value: str) -> None:
        """Change a property of the model while it runs (``data_exchange=false``); the model says which there are."""
        ...

    def state(self, machine: str) -> Mapping[str, Any]:
        """What the model knows of a machine, as JSON can hold it; product keys by their last five only."""
        ...

    def keystore(self) -> Mapping[str, Any]:
        """The keys there are and what became of each (activations left and spent), by their last five."""
        ...
