# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Software Protection Platform of a machine (facts/avma.md §3): its licences, their keys, their activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from uuid import NAMESPACE_DNS, uuid5

from lab import errors, keys
from lab.cim import CimClass, MethodResult, Value
from lab.events import GUEST_EVENT, EventLog
from lab.keys import KeyStore, ProductKey
from lab.provider import NEVER, UNSET, Provider, cim_class, text
from lab.releases import Sku, WindowsRelease
from lab.spec import ActivationSpec, LicenseSpec

WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
OFFICE = "0ff1ce15-a989-479d-af46-f275c6370663"

#: Minutes that an activation lasts. That AVMA's is 7 days is commonly reported, UNVERIFIED (§3.8); KMS: 180 days.
AVMA_MINUTES = 7 * 24 * 60
KMS_MINUTES = 180 * 24 * 60


class Status(IntEnum):
    """``LicenseStatus`` (§3.8)."""

    UNLICENSED = 0
    LICENSED = 1
    OUT_OF_BOX_GRACE = 2
    OUT_OF_TOLERANCE_GRACE = 3
    NON_GENUINE_GRACE = 4
    NOTIFICATION = 5
    EXTENDED_GRACE = 6


#: What a row shows in a grace period: its reason and the minutes that are left. That an extended grace period gives no reason, and what
#: each leaves, is UNVERIFIED.
_GRACE = {
    Status.OUT_OF_BOX_GRACE: (errors.SL_I_OOB_GRACE_PERIOD, 10 * 24 * 60),
    Status.OUT_OF_TOLERANCE_GRACE: (errors.SL_I_OOT_GRACE_PERIOD, 3 * 24 * 60),
    Status.NON_GENUINE_GRACE: (errors.SL_E_NOT_GENUINE, 3 * 24 * 60),
    Status.EXTENDED_GRACE: (0, 30 * 24 * 60),
}


_EVALUATION = "Retail:TB:Eval"

#: LicenseFamily of the row of an Azure Local host's Windows Server key.
_HOST_FAMILY = "ServerDatacenter"

#: Channel → its words in Description (§3.6). The words of AVMA are by analogy, those of COA and OEM:NONSLP too
#: (UNVERIFIED).
_CHANNEL_WORDS = {
    keys.AVMA: "VIRTUAL_MACHINE_ACTIVATION channel",
    keys.KMS_CLIENT: "VOLUME_KMSCLIENT channel",
    keys.MAK: "VOLUME_MAK channel",
    keys.RETAIL: "RETAIL channel",
    keys.OEM: "OEM_COA_NSLP channel",
    "OEM:COA": "OEM_COA channel",
    "OEM:DM": "OEM_DM channel",
    "OEM:SLP": "OEM_SLP channel",
    keys.CSVLK: "VOLUME_KMS channel",
    _EVALUATION: "TIMEBASED_EVAL channel",
}

_AVMA_STRINGS = "AutomaticVMActivationHostDigitalPid2 AutomaticVMActivationHostMachineName IAID"

_PRODUCT_STRINGS = (
    "ADActivationCsvlkPid ADActivationCsvlkSkuId ADActivationObjectDN ADActivationObjectName ApplicationID Description"
    " DiscoveredKeyManagementServiceMachineIpAddress DiscoveredKeyManagementServiceMachineName ID"
    " KeyManagementServiceLookupDomain KeyManagementServiceMachine KeyManagementServiceProductKeyID LicenseDependsOn"
    " LicenseFamily"
    " MachineURL Name OfflineInstallationId PartialProductKey ProcessorURL ProductKeyChannel ProductKeyID ProductKeyID2"
    " ProductKeyURL TokenActivationAdditionalInfo TokenActivationCertificateThumbprint TokenActivationILID"
    " UseLicenseURL"
    " ValidationURL"
)
_KMS_COUNTERS = (
    "DiscoveredKeyManagementServiceMachinePort IsKeyManagementServiceMachine KeyManagementServiceCurrentCount"
    " KeyManagementServiceFailedRequests KeyManagementServiceLicensedRequests"
    " KeyManagementServiceNonGenuineGraceRequests"
    " KeyManagementServiceNotificationRequests KeyManagementServiceOOBGraceRequests"
    " KeyManagementServiceOOTGraceRequests"
    " KeyManagementServicePort KeyManagementServiceTotalRequests KeyManagementServiceUnlicensedRequests"
    " RequiredClientCount"
    " TokenActivationGrantNumber TokenActivationILVID VLActivationInterval VLRenewalInterval"
)
_PRODUCT_NUMBERS = (
    _KMS_COUNTERS
    + " ExtendedGrace GenuineStatus GracePeriodRemaining LicenseStatus LicenseStatusReason RemainingAppReArmCount"
    " RemainingSkuReArmCount VLActivationType VLActivationTypeEnabled"
)

#: Windows 8.1 and Server 2012 R2 brought the AVMA properties (§3.5).
_PRODUCT_BEFORE_AVMA = cim_class(
    "root/cimv2",
    "SoftwareLicensingProduct",
    key="ID",
    string=_PRODUCT_STRINGS,
    datetime="EvaluationEndDate TrustedTime",
    boolean="LicenseIsAddon",
    uint32=_PRODUCT_NUMBERS,
)
_PRODUCT = cim_class(
    "root/cimv2",
    "SoftwareLicensingProduct",
    key="ID",
    string=f"{_PRODUCT_STRINGS} {_AVMA_STRINGS}",
    datetime="AutomaticVMActivationLastActivationTime EvaluationEndDate TrustedTime",
    boolean="LicenseIsAddon",
    uint32=_PRODUCT_NUMBERS,
)

_SERVICE_STRINGS = (
    "ClientMachineID DiscoveredKeyManagementServiceMachineIpAddress DiscoveredKeyManagementServiceMachineName"
    " KeyManagementServiceLookupDomain KeyManagementServiceMachine KeyManagementServiceProductKeyID"
    " OA3xOriginalProductKey"
    " OA3xOriginalProductKeyDescription OA3xOriginalProductKeyPkPn TokenActivationAdditionalInfo"
    " TokenActivationCertificateThumbprint TokenActivationILID Version"
)
_SERVICE_NUMBERS = (
    _KMS_COUNTERS
    + " KeyManagementServiceListeningPort OA2xBiosMarkerMinorVersion OA2xBiosMarkerStatus PolicyCacheRefreshRequired"
    " RemainingWindowsReArmCount"
)
_SERVICE_BOOLEANS = "KeyManagementServiceDnsPublishing KeyManagementServiceHostCaching KeyManagementServiceLowPriority"

_SERVICE = cim_class(
    "root/cimv2",
    "SoftwareLicensingService",
    key="Version",
    string=_SERVICE_STRINGS,
    boolean=_SERVICE_BOOLEANS,
    uint32=_SERVICE_NUMBERS,
)
#: Builds from 23H2 on know subscriptions (§3.2). That SubscriptionExpiry is a datetime is UNVERIFIED.
_SERVICE_WITH_SUBSCRIPTION = cim_class(
    "root/cimv2",
    "SoftwareLicensingService",
    key="Version",
    string=f"{_SERVICE_STRINGS} SubscriptionEdition",
    boolean=_SERVICE_BOOLEANS,
    uint32=f"{_SERVICE_NUMBERS} AzureMetadataResponse EmitWindowsMeter SubscriptionStatus SubscriptionType",
    datetime="SubscriptionExpiry",
)


@dataclass(frozen=True)
class HostAnswer:
    """What came of asking the hypervisor for an activation.

    ``host`` is the name that the guest will show; ``None`` is no answer at all, and then Windows logs no event of one.
    """

    hresult: int
    host: str | None = None
    host_pid: str = ""


@dataclass(frozen=True)
class InheritedActivation:
    """The AVMA properties of a row (§3.5)."""

    host: str
    host_pid: str
    time: datetime
    iaid: str


@dataclass
class License:
    """A row of SoftwareLicensingProduct: a licence that is installed, with a product key or (as most are) without."""

    id: str
    application: str
    name: str
    description: str
    family: str
    channel: str
    addon: bool = False
    key: ProductKey | None = None
    status: Status = Status.UNLICENSED
    reason: int = errors.SL_E_PKEY_NOT_INSTALLED
    grace: int = 0
    avma: InheritedActivation | None = None
    evaluation_end: datetime | None = None

    def clear(self) -> None:
        """Without a product key."""
        self.key = None
        self.avma = None
        self.change(Status.UNLICENSED, errors.SL_E_PKEY_NOT_INSTALLED)

    def change(self, status: Status, reason: int = 0, grace: int = 0) -> None:
        """To another state, for ``grace`` minutes."""
        self.status, self.reason, self.grace = status, reason, grace


def _digits(seed: str, length: int) -> str:
    return str(uuid5(NAMESPACE_DNS, seed).int)[:length]


class Licensing:
    """The licences of one machine.

    ``ask_host`` is the AVMA exchange with the hypervisor, ``kms_answers`` whether a KMS host does, ``enabled`` whether
    the service sppsvc may run.
    """

    def __init__(
        self,
        machine: str,
        release: WindowsRelease,
        edition: str,
        sku: Sku,
        language: str,
        activation: ActivationSpec,
        key_store: KeyStore,
        events: EventLog,
        clock: Callable[[], datetime],
        ask_host: Callable[[], HostAnswer],
        kms_answers: Callable[[], bool],
        enabled: Callable[[], bool],
    ) -> None:
        self._machine = machine
        self._release = release
        self._edition = edition
        self._sku = sku
        self._language = language
        self._key_store = key_store
        self._events = events
        self._clock = clock
        self._ask_host = ask_host
        self._kms_answers = kms_answers
        self._enabled = enabled
        self.automatic = activation.automatic
        self.polls = activation.polls
        self.in_progress = activation.in_progress
        self.install_polls = activation.install_polls
        self._evaluation = "Eval" in sku.edition_id
        self._reads_until_activation: int | None = None
        self._late_key: ProductKey | None = None

    @cached_property
    def licenses(self) -> list[License]:
        """The rows, made when they are first asked for: a fleet has many machines that nobody asks."""
        return list(self._installed_licenses())

    @property
    def primary(self) -> License | None:
        """The row of Windows itself that has a product key."""
        return next((row for row in self.licenses if row.application == WINDOWS and not row.addon and row.key), None)

    @property
    def licensed(self) -> bool:
        """Whether Windows is activated."""
        return self.primary is not None and self.primary.status is Status.LICENSED

    @property
    def digital_pid(self) -> str:
        """What guests show as AutomaticVMActivationHostDigitalPid2. The format is UNVERIFIED."""
        return f"{_digits(self._machine, 5)}-{_digits(self._machine + '/pid', 5)}-000-000000-03-1033-{self._release.build}.0000-0000000"

    def start_with(self, license: LicenseSpec, host: str | None) -> None:
        """Bring the machine into the state that a topology gives it, as if everything had happened yesterday."""
        key = self._starting_key(license)
        if key is None:
            return
        # A key left from before an upgrade is of another release than the row it is shown in.
        row = self._row_for(key.channel)
        if row is None:
            raise ValueError(
                f"{self._machine}: {self._release.name} {self._edition} has no licence for {license.key} keys"
            )
        row.key = key
        status = Status[(license.status or "licensed").upper()]
        yesterday = self._clock() - timedelta(days=1)
        if status is Status.UNLICENSED:
            row.change(status, errors.SL_E_EUL_NOT_AVAILABLE)
        elif status in _GRACE:
            row.change(status, *_GRACE[status])
        elif status is Status.NOTIFICATION:
            row.change(status, self._notification_reason(key))
        elif key.channel == keys.AVMA:
            if host is None:
                raise ValueError(f"{self._machine}: licensed by AVMA needs a host; name one with activated_by")
            self._inherit(row, HostAnswer(errors.S_OK, host, _digits(host, 20)), yesterday)
            row.grace -= 24 * 60
        elif key.channel == keys.KMS_CLIENT:
            row.change(Status.LICENSED, grace=KMS_MINUTES - 24 * 60)
        else:
            if self._key_store.spend(key, self._machine, yesterday) != errors.S_OK:
                raise ValueError(f"{self._machine}: its key has no activation left for it")
            row.change(Status.LICENSED)

    def show(self, key: ProductKey) -> None:
        """Show a key that activates guests, not Windows itself, in a row of its own, as an add-on does (UNVERIFIED)."""
        row = next((row for row in self.licenses if row.family == _HOST_FAMILY), None)
        if row is None:
            row = self._windows_license(keys.MAK, _HOST_FAMILY, addon=True)
            self.licenses.append(row)
        row.key = key
        row.change(Status.LICENSED)

    def providers(self) -> list[Provider]:
        """The two classes."""
        product = _PRODUCT_BEFORE_AVMA if self._release.version == "6.2" else _PRODUCT
        service = _SERVICE if self._release.build < 25398 else _SERVICE_WITH_SUBSCRIPTION
        return [
            Provider(
                product,
                lambda: self._product_rows(product),
                {
                    "activate": lambda selectors, _: self._activate(self._selected(selectors)),
                    "uninstallproductkey": lambda selectors, _: self._uninstall(self._selected(selectors)),
                },
            ),
            Provider(
                service,
                lambda: [self._service_row(service)],
                {
                    "installproductkey": lambda selectors, arguments: self._install(
                        selectors, text(arguments, "productkey")
                    ),
                    "refreshlicensestatus": lambda selectors, _: self._nothing_to_do(selectors),
                    "clearproductkeyfromregistry": lambda selectors, _: self._nothing_to_do(selectors),
                },
            ),
        ]

    def state(self) -> Mapping[str, object]:
        """The primary row for a test to look at."""
        row = self.primary
        return {
            "status": row.status.name.lower() if row else None,
            "reason": f"0x{row.reason:08X}" if row and row.reason else None,
            "channel": row.channel if row else None,
            "partial_product_key": row.key.last_five if row and row.key else None,
            "host": row.avma.host if row and row.avma else None,
        }

    # The two classes as WMI shows them.

    def _product_rows(self, product: CimClass) -> Iterator[Mapping[str, Value]]:
        self._require_service()
        if self._late_key is not None:
            self.install_polls -= 1
            if self.install_polls < 0:
                self._take(self._late_key)
        if self._reads_until_activation is not None:
            self._reads_until_activation -= 1
            if self._reads_until_activation < 0:
                self._reads_until_activation = None
                if self.primary:
                    self._attempt(self.primary)
        for row in self.licenses:
            yield self._product_row(row, product)

    def _product_row(self, row: License, product: CimClass) -> Mapping[str, Value]:
        avma = row.avma
        values: dict[str, Value] = {item.name: UNSET for item in product.properties if item.type == "uint32"}
        pid = f"{_digits(row.id, 5)}-{_digits(row.id + '/group', 5)}-{_digits(row.id + '/serial', 5)}-AA{_digits(row.id + '/aa', 3)}"
        values |= {
            "ID": row.id,
            "ApplicationID": row.application,
            "AutomaticVMActivationHostDigitalPid2": avma.host_pid if avma else "",
            "AutomaticVMActivationHostMachineName": avma.host if avma else "",
            "AutomaticVMActivationLastActivationTime": avma.time if avma else NEVER,
            "Description": row.description,
            "EvaluationEndDate": row.evaluation_end or NEVER,
            "GenuineStatus": 0,
            "GracePeriodRemaining": row.grace,
            "IAID": avma.iaid if avma else "",
            "IsKeyManagementServiceMachine": int(row.key is not None and row.key.channel == keys.CSVLK),
            "KeyManagementServiceLookupDomain": "",
            "KeyManagementServiceMachine": "",
            "KeyManagementServicePort": 0,
            "KeyManagementServiceProductKeyID": "",
            "LicenseFamily": row.family,
            "LicenseIsAddon": row.addon,
            "LicenseStatus": int(row.status),
            "LicenseStatusReason": row.reason,
            "Name": row.name,
            "PartialProductKey": row.key.last_five if row.key else None,
            "ProductKeyChannel": row.key.channel if row.key else None,
            "ProductKeyID": pid if row.key else None,
            "ProductKeyID2": f"{pid}-03-1033-{self._release.build}.0000" if row.key else None,
            "RemainingAppReArmCount": 1000,
            "RemainingSkuReArmCount": 1000,
            "TrustedTime": self._clock() if row.key else NEVER,
            "VLActivationType": 0,
            "VLActivationTypeEnabled": 0,
        }
        known = {item.name for item in product.properties}
        return {name: value for name, value in values.items() if name in known}

    def _service_row(self, service: CimClass) -> Mapping[str, Value]:
        self._require_service()
        values: dict[str, Value] = {item.name: UNSET for item in service.properties if item.type == "uint32"}
        values |= {
            "ClientMachineID": str(uuid5(NAMESPACE_DNS, self._machine)),
            "IsKeyManagementServiceMachine": 0,
            "KeyManagementServiceDnsPublishing": True,
            "KeyManagementServiceHostCaching": True,
            "KeyManagementServiceLowPriority": False,
            "KeyManagementServicePort": 1688,
            "OA3xOriginalProductKey": "",
            "PolicyCacheRefreshRequired": 0,
            "RemainingWindowsReArmCount": 1000,
            "Version": self._service_version,
            "VLActivationInterval": 120,
            "VLRenewalInterval": 10080,
        }
        if service is _SERVICE_WITH_SUBSCRIPTION:
            values |= {
                "AzureMetadataResponse": 0,
                "EmitWindowsMeter": 0,
                "SubscriptionStatus": 0,
                "SubscriptionType": 0,
            }
        return values

    @property
    def _service_version(self) -> str:
        return f"{self._release.full_version}.1"

    # Methods.

    def _selected(self, selectors: Mapping[str, str]) -> License:
        self._require_service()
        wanted = selectors.get("id", "").lower()
        row = next((row for row in self.licenses if row.id == wanted), None)
        if row is None:
            raise errors.failure(errors.WBEM_E_NOT_FOUND, self._language)
        return row

    def _require_selected_service(self, selectors: Mapping[str, str]) -> None:
        self._require_service()
        if selectors.get("version") != self._service_version:
            raise errors.failure(errors.WBEM_E_NOT_FOUND, self._language)

    def _require_service(self) -> None:
        """Sppsvc starts when it is called; only one that is disabled fails. With which code is UNVERIFIED."""
        if not self._enabled():
            raise errors.failure(errors.ERROR_SERVICE_DISABLED, self._language)

    def _nothing_to_do(self, selectors: Mapping[str, str]) -> MethodResult:
        self._require_selected_service(selectors)
        return MethodResult()

    def _install(self, selectors: Mapping[str, str], product_key: str) -> MethodResult:
        self._require_selected_service(selectors)
        key = self._accepted_key(product_key)
        if self._row_for(key.channel) is None:
            raise errors.failure(errors.SL_E_MISMATCHED_PRODUCT_SKU, self._language)
        if self.install_polls:
            self._late_key = key
            raise errors.failure(errors.ERROR_WSMAN_OPERATION_TIMEDOUT, wmi=False)
        self._take(key)
        return MethodResult()

    def finish_installation(self) -> None:
        """Let a key that Windows is slow to take be there: what a caller without a time limit sees when the method returns."""
        if self._late_key is not None:
            self.install_polls = 0
            self._take(self._late_key)

    def _take(self, key: ProductKey) -> None:
        """Hold a key in the place of the present one, and activate with it if it is one that does so by itself."""
        row = self._row_for(key.channel)
        assert row is not None
        self._late_key = None
        for other in self.licenses:
            if other.application == WINDOWS and not other.addon:
                other.clear()
        row.key = key
        # UNVERIFIED which state a key that was not activated yet shows; it certainly is not licensed.
        row.change(Status.NOTIFICATION, self._notification_reason(key))
        self._reads_until_activation = None
        if key.channel == keys.AVMA and self.automatic:
            if self.polls:
                self._reads_until_activation = self.polls
            else:
                self._attempt(row)

    def _uninstall(self, row: License) -> MethodResult:
        if row.key is None:
            raise errors.failure(errors.SL_E_PKEY_NOT_INSTALLED, self._language)
        row.clear()
        return MethodResult()

    def _activate(self, row: License) -> MethodResult:
        if row.key is None:
            raise errors.failure(errors.SL_E_PKEY_NOT_INSTALLED, self._language)
        if self.in_progress:
            self.in_progress -= 1
            raise errors.failure(errors.SL_E_ACTIVATION_IN_PROGRESS, self._language)
        if row.key.channel == keys.AVMA and self.polls:
            self._reads_until_activation = self.polls
            return MethodResult()
        hresult = self._attempt(row)
        if hresult != errors.S_OK:
            raise errors.failure(hresult, self._language)
        return MethodResult()

    # Product keys.

    def _accepted_key(self, product_key: str) -> ProductKey:
        """The key, if pkeyconfig has it for this installation (§6).

        That another release is C004E016 and another edition C004F069 is the likeliest reading of the sources, which
        name both codes, and C004F050, for a wrong version: UNVERIFIED.
        """
        key = self._key_store.find(product_key) if keys.is_well_formed(product_key) else None
        if key is None:
            hresult = errors.SL_E_INVALID_PRODUCT_KEY
        elif self._evaluation:
            hresult = errors.SL_E_MISMATCHED_PRODUCT_SKU
        elif key.generation != self._release.generation:
            hresult = errors.SL_E_PKEY_INVALID_CONFIG
        elif key.edition != self._edition:
            hresult = errors.SL_E_MISMATCHED_PRODUCT_SKU
        else:
            return key
        raise errors.failure(hresult, self._language)

    def _row_for(self, channel: str) -> License | None:
        return next(
            (row for row in self.licenses if row.application == WINDOWS and not row.addon and row.channel == channel),
            None,
        )

    def _starting_key(self, license: LicenseSpec) -> ProductKey | None:
        channels = {"mak": keys.MAK, "retail": keys.RETAIL, "oem": keys.OEM, "csvlk": keys.CSVLK}
        if license.key == "none":
            return None
        if license.key in ("avma", "kms"):
            channel = keys.AVMA if license.key == "avma" else keys.KMS_CLIENT
            found = self._key_store.public(license.release or self._release.generation, self._edition, channel)
        elif license.key in channels:
            channel = channels[license.key]
            made_up = keys.made_up_key(f"{self._machine}/{channel}")
            found = ProductKey(made_up, self._release.generation, self._edition, channel)
            self._key_store.add(found)
        else:
            found = self._key_store.find(license.key)
        if found is None:
            raise ValueError(
                f"{self._machine}: there is no such key as {license.key[-5:]} for {self._release.name} {self._edition}"
            )
        return found

    def _notification_reason(self, key: ProductKey) -> int:
        return errors.SL_E_IA_MACHINE_NOT_BOUND if key.channel == keys.AVMA else errors.SL_E_EUL_NOT_AVAILABLE

    # Activation.

    def _attempt(self, row: License) -> int:
        """Activate now; S_OK or the HRESULT of the failure, which a row that is not licensed shows as its reason."""
        assert row.key is not None
        if row.key.channel == keys.AVMA:
            answer = self._ask_host()
            if answer.host is not None:
                self._events.activation(GUEST_EVENT, answer.hresult, f"{row.id}, {self._machine}")
            if answer.hresult == errors.S_OK:
                self._inherit(row, answer, self._clock())
            hresult = answer.hresult
        elif row.key.channel == keys.KMS_CLIENT:
            hresult = errors.S_OK if self._kms_answers() else errors.SL_E_VL_BINDING_SERVICE_UNAVAILABLE
            if hresult == errors.S_OK:
                row.change(Status.LICENSED, grace=KMS_MINUTES)
        else:
            hresult = self._key_store.spend(row.key, self._machine, self._clock())
            if hresult == errors.S_OK:
                row.change(Status.LICENSED)
        if hresult != errors.S_OK and row.status is not Status.LICENSED:
            row.change(Status.NOTIFICATION, hresult)
        return hresult

    def _inherit(self, row: License, answer: HostAnswer, time: datetime) -> None:
        """Licensed by the host. The reason shown then, and the format of the IAID, are UNVERIFIED (§3.8, §11)."""
        assert answer.host is not None
        row.change(Status.LICENSED, errors.SL_I_TIMEBASED_VALIDITY_PERIOD, AVMA_MINUTES)
        row.avma = InheritedActivation(
            answer.host, answer.host_pid, time, str(uuid5(NAMESPACE_DNS, f"{self._machine}/iaid"))
        )

    # The licences that Windows comes with.

    def _installed_licenses(self) -> Iterator[License]:
        family = self._sku.edition_id
        if self._evaluation:
            row = self._windows_license(_EVALUATION, family)
            row.key = ProductKey(
                keys.made_up_key(f"{self._machine}/evaluation"), self._release.generation, self._edition, _EVALUATION
            )
            row.change(Status.LICENSED, errors.SL_I_TIMEBASED_VALIDITY_PERIOD, KMS_MINUTES)
            row.evaluation_end = self._clock() + timedelta(minutes=KMS_MINUTES)
            yield row
        else:
            for channel in _CHANNEL_WORDS:
                if (channel == keys.AVMA and self._release.order is None) or channel == _EVALUATION:
                    continue
                yield self._windows_license(channel, family)
        for year in range(1, 7):
            addon = self._windows_license(keys.MAK, f"{family}-ESU-Year{year}", addon=True)
            if year == 1 and self._release.name == "2012 R2":
                # Extended security updates were bought: a licensed row of Windows with a key that is not that of
                # Windows.
                addon.key = ProductKey(keys.made_up_key("ESU"), self._release.generation, self._edition, keys.MAK)
                addon.change(Status.LICENSED)
            yield addon
        for product in ("ProPlus", "Standard", "ProjectPro", "VisioPro"):
            for channel, words in ((keys.MAK, "VOLUME_MAK channel"), (keys.KMS_CLIENT, "VOLUME_KMSCLIENT channel")):
                edition = f"Office16{product}VL"
                yield License(
                    id=str(uuid5(NAMESPACE_DNS, f"{edition}/{channel}")),
                    application=OFFICE,
                    name=f"Office 16, {edition} edition",
                    description=f"Office 16, {words}",
                    family=edition,
                    channel=channel,
                )
        yield self._activated_office()

    def _windows_license(self, channel: str, family: str, addon: bool = False) -> License:
        return License(
            id=str(uuid5(NAMESPACE_DNS, f"{self._release.generation}/{family}/{channel}")),
            application=WINDOWS,
            name=f"Windows(R), {family} {'add-on for Windows Server' if addon else 'edition'}",
            description=f"Windows(R) Operating System, {_CHANNEL_WORDS[channel]}",
            family=family,
            channel=channel,
            addon=addon,
        )

    def _activated_office(self) -> License:
        row = License(
            id=str(uuid5(NAMESPACE_DNS, "Office16AccessRuntime")),
            application=OFFICE,
            name="Office 16, Office16AccessRuntimeR_Retail edition",
            description="Office 16, RETAIL channel",
            family="Office16AccessRuntimeR_Retail",
            channel=keys.RETAIL,
            key=ProductKey(keys.made_up_key("Office"), "Office 16", "AccessRuntime", keys.RETAIL),
        )
        row.change(Status.LICENSED)
        return row
