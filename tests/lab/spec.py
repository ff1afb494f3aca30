# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fields of a topology file, their types and defaults. ``README.md`` describes them to users."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lab.keys import is_well_formed
from lab.releases import RELEASES, sku_of
from lab.simulation import UserState

Channel = Literal["mak", "retail", "oem", "csvlk", "avma"]
Status = Literal[
    "unlicensed",
    "licensed",
    "out_of_box_grace",
    "out_of_tolerance_grace",
    "non_genuine_grace",
    "notification",
    "extended_grace",
]
ServiceState = Literal["running", "stopped", "disabled"]
Platform = Literal["hyperv", "vmware", "physical", "azure"]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class KeySpec(_Spec):
    """A product key that Microsoft issued in this world. ``activations`` limits a MAK or a KMS host's key; none is no limit."""

    key: str
    release: str
    edition: str = "datacenter"
    channel: Channel = "mak"
    activations: int | None = None

    @field_validator("key")
    @classmethod
    def _well_formed(cls, key: str) -> str:
        if not is_well_formed(key):
            raise ValueError("not five groups of five characters of the product key alphabet")
        return key.upper()

    @field_validator("release")
    @classmethod
    def _known_release(cls, release: str) -> str:
        return _release(release)


class LicenseSpec(_Spec):
    """The product key that a machine starts with, and what became of it.

    ``key`` is ``none``, a kind of key (``avma``, ``kms``; ``mak``, ``retail``, ``oem``, ``csvlk``: one made up for this machine)
    or a key of the topology. ``release`` is that of an AVMA key left from before an upgrade. ``status`` is ``licensed``
    unless said otherwise, ``activated_by`` the host whose name an AVMA row carries: the guest's own unless said
    otherwise.
    """

    key: str = "none"
    release: str | None = None
    status: Status | None = None
    activated_by: str | None = None

    @field_validator("key")
    @classmethod
    def _known_kind(cls, key: str) -> str:
        if key in ("none", "avma", "kms", "mak", "retail", "oem", "csvlk"):
            return key
        if is_well_formed(key):
            return key.upper()
        raise ValueError("neither none, avma, kms, mak, retail, oem, csvlk nor a product key")


class ActivationSpec(_Spec):
    """How the machine's activation behaves.

    ``automatic``: an installed AVMA key activates without Activate (facts/avma.md §3.9). ``polls``: how many more reads
    of the licence rows it takes until an activation shows. ``throttled``, ``in_progress``: how many of the next
    attempts fail with 0xC004FD00, 0xC004E028. ``install_polls``: Windows does not answer InstallProductKey in time, and it takes
    so many reads of the licence rows until the key is there.
    """

    automatic: bool = True
    polls: int = 0
    throttled: int = 0
    in_progress: int = 0
    install_polls: int = 0


class ServicingSpec(_Spec):
    """How the machine is serviced, and how it restarts.

    ``pending_reboot``: Windows waits for one. ``targets``: the editions that DISM offers, other than those that follow from the
    installed one. ``polls``: how often its output is read until DISM has set an edition. ``fails``: with which exit code it does not.
    ``dies``: it is ended before. ``down``: for how many seconds a restart keeps the machine off. ``late_boots``: how often it is asked
    what it is, after it is back, until the new edition is in force. ``stays_up``: it does not restart. ``restarts``: how many the new
    edition takes, of which Windows does all but the first by itself, each ``between`` seconds after the last. ``rolls_back``: how often
    it undoes at a restart what was staged.
    """

    pending_reboot: bool = False
    targets: list[str] | None = None
    polls: int = 1
    fails: int | None = None
    dies: bool = False
    down: float = 0.2
    late_boots: int = 0
    stays_up: bool = False
    restarts: int = 1
    between: float = 3.0
    rolls_back: int = 0


class AccountSpec(_Spec):
    """The local account that is let in, an administrator by default."""

    name: str = "Administrator"
    password: str = "Lab-Passw0rd!"
    #: Whether its processes have an administrator's token. Without one WMI refuses them (facts/powershell.md 51).
    administrator: bool = True


class PowerShellSpec(_Spec):
    """How PowerShell is on a machine.

    ``constrained``: application control puts it into Constrained Language Mode; left out, it does on Azure Local hosts.
    ``code_page``: of consoles that nobody switches to UTF-8. ``utc_offset``: the time zone, in minutes east of UTC.
    ``profile``: lines that the user's profile prints. ``cim_module: blocked``: the CIM cmdlets cannot be imported in Constrained
    Language Mode (Server 2016, UNVERIFIED for which updates). ``hresult_in``: in which places of an ErrorRecord WMI's HRESULT stands.
    """

    constrained: bool | None = None
    code_page: int = 437
    utc_offset: int = 120
    profile: list[str] = []
    cim_module: Literal["available", "blocked"] = "available"
    hresult_in: list[Literal["id", "error_data", "hresult", "status_code", "inner", "message"]] = ["id", "error_data"]


class UserSpec(_Spec):
    """A user of the domain."""

    name: str
    password: str = "Domain-Passw0rd!"
    state: UserState = "enabled"
    #: The user principal name, with an Active Directory.
    upn: str | None = None


class SshSpec(_Spec):
    """How a machine's ssh server is (facts/powershell.md 49 to 56).

    ``shell``: the default shell. ``authentication``: the ways to log in. ``elevated``: whether a local administrator gets an
    administrator's token (UNVERIFIED that he ever does not; old answers say so). ``force_command``: runs in place of every command.
    ``banner``: what it says to who is about to log in (sshd_config, Banner). ``key_changed``: the client knows another key of it.
    """

    shell: Literal["cmd", "powershell"] = "cmd"
    authentication: list[Literal["publickey", "password"]] = ["publickey"]
    elevated: bool = True
    force_command: str | None = None
    banner: str | None = None
    key_changed: bool = False
    version: str = "OpenSSH_for_Windows_9.5"


class MachineSpec(_Spec):
    """What every machine has. ``sku`` and ``license_family`` override what release and edition imply."""

    name: str
    release: str = "2022"
    edition: str = "datacenter"
    core: bool = False
    evaluation: bool = False
    sku: int | None = None
    license_family: str | None = None
    language: str = "en-US"
    license: LicenseSpec = LicenseSpec()
    activation: ActivationSpec = ActivationSpec()
    services: dict[str, ServiceState] = {}
    domain_controller: bool = False
    servicing: ServicingSpec = ServicingSpec()
    #: Older entries in the Application log, none of them about activation.
    old_events: int = 0
    running: bool = True
    account: AccountSpec = AccountSpec()
    #: What the domain knows of its services: WinRM registers WSMAN itself, the others are the computer's own. Of use with ``users`` only.
    services_registered: list[str] = ["HTTP", "WSMAN", "host"]
    #: Whether the domain has the machine's own password (Test-ComputerSecureChannel); another one after a restore from a checkpoint.
    secure_channel: bool = True
    #: The domain has no AES key of it. With an Active Directory.
    rc4_only: bool = False
    powershell: PowerShellSpec = PowerShellSpec()
    ssh: SshSpec = SshSpec()
    #: Options of ``lab.simulation.ListenerOptions``.
    listener: dict[str, Any] = {}
    #: Host variables for the inventory.
    variables: dict[str, Any] = {}

    @field_validator("license", mode="before")
    @classmethod
    def _license_in_short(cls, value: object) -> object:
        return {"key": value} if isinstance(value, str) else value

    @field_validator("release")
    @classmethod
    def _known_release(cls, release: str) -> str:
        return _release(release)

    @model_validator(mode="after")
    def _edition_exists(self) -> MachineSpec:
        sku_of(RELEASES[self.release], self.edition, self.core, self.evaluation)
        return self


class GuestSpec(MachineSpec):
    """A virtual machine. ``vm_name`` is the name that Hyper-V shows, ``name`` the computer's own."""

    platform: Platform = "hyperv"
    vm_name: str | None = None
    #: The id of the VM; made up unless said otherwise. Two hosts have one id while it moves, or with Hyper-V Replica.
    vm_id: str | None = None
    replication: Literal["none", "primary", "replica", "test_replica", "extended_replica"] = "none"
    #: Without it the VM is known to its host only.
    listen: bool = True
    #: Linux runs in it: KVP says so, and what is said of Windows means nothing. It does not listen.
    linux: bool = False
    #: It has a checkpoint, whose settings lie beside its own.
    checkpoint: bool = False
    #: What KVP says are its addresses; one IPv4 and one IPv6 address made up unless said otherwise.
    addresses: list[str] = []
    #: The KVP items of its addresses hold prose, as new guests write it (§12); only its network adapters tell them.
    deprecated_addresses: bool = False
    data_exchange: bool = True
    #: The Guest Service Interface: off, as Hyper-V makes VMs, but for Azure Edition (that Azure Local turns it on is UNVERIFIED).
    guest_service_interface: bool | None = None
    #: Its host has paused it.
    paused: bool = False
    #: How it answers PowerShell Direct when it could: it may be about to boot and never answer, ask for credentials before it has
    #: accounts, or be patched otherwise than its host (facts/powershell.md 62, 64, 72).
    direct: Literal["ready", "booting", "no_accounts", "unequal_patches"] = "ready"
    #: The Hyper-V Activation Component is among its devices.
    activation_component: bool = True
    #: Clustered VMs move between the nodes.
    clustered: bool = True
    possible_owners: list[str] = []
    #: Values of ``SOFTWARE\Microsoft\Virtual Machine\Guest``.
    kvp: dict[str, str] = {}

    @model_validator(mode="after")
    def _linux_does_not_listen(self) -> GuestSpec:
        if self.linux and self.listen:
            raise ValueError("linux needs listen: false")
        return self


class JobSpec(_Spec):
    """How the host's virtualization jobs go: ``polls`` reads until they end, ``fails`` with an error."""

    polls: int = 0
    fails: bool = False


class AzureLocalSpec(_Spec):
    """The state of AVMA on an Azure Local host (facts/avma.md §1).

    ``module``: version of ServerAVMAManager, or none when the update is missing. ``key``: the Windows Server key it was
    set up with. ``shape``: which of the guessed result shapes the module has (``opaque`` and ``license_row`` tell no key, but with the
    latter a licence row shows it), ``subscription_shape``: which of the two
    property names.
    """

    module: Literal["1.0", "1.1"] | None = "1.1"
    key: str | None = None
    subscription: bool = False
    shape: Literal["flat", "nested", "opaque", "license_row"] = "flat"
    subscription_shape: Literal["status", "subscription_status"] = "status"
    constrained: bool = True


class HostSpec(MachineSpec):
    """A Hyper-V host and its guests."""

    hyperv: bool = True
    #: The Hyper-V module for Windows PowerShell, which comes with the management tools.
    hyperv_module: bool = True
    #: ``azure``: nested Hyper-V in an Azure virtual machine, which activates no guests (facts/avma.md §12).
    platform: Platform = "physical"
    #: Licensed by pay-as-you-go through Azure Arc: it activates no guests (§12).
    pay_as_you_go: bool = False
    jobs: JobSpec = JobSpec()
    azure_local: AzureLocalSpec = AzureLocalSpec()
    node_state: Literal["up", "down", "paused", "joining"] = "up"
    guests: list[GuestSpec] = []


class ClusterSpec(_Spec):
    """A failover cluster by the names of its nodes."""

    name: str
    nodes: list[str]


class TopologySpec(_Spec):
    """A whole topology, its ``defaults`` and ``count`` already worked in."""

    domain: str = "lab.example"
    #: Users of the domain. With any, there is a Kerberos KDC, and all machines are members; without, none.
    users: list[UserSpec] = []
    #: The domain is a Samba Active Directory, which takes 20 s to make, and not just an MIT KDC.
    active_directory: bool = False
    #: Whether a KMS host answers KMS clients.
    kms: bool = True
    #: Data Exchange must be on for AVMA to work (documented; what Windows does without is UNVERIFIED).
    data_exchange_required: bool = True
    keys: list[KeySpec] = []
    hosts: list[HostSpec] = []
    #: Guests that are not on one of the hosts.
    guests: list[GuestSpec] = []
    clusters: list[ClusterSpec] = Field(default=[])


def _release(name: str) -> str:
    if name not in RELEASES:
        raise ValueError(f"no such release; there are {', '.join(RELEASES)}")
    return name
