# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows Server releases and editions as values, decided from build numbers and SKUs. Private to this collection.

Sources, as named in docs/facts.md: AVMA-doc (Microsoft, "Automatic Virtual Machine Activation in Windows Server"), release-info,
win32-docs (Win32_OperatingSystem, OperatingSystemSKU), sku-table (EditionID to PRODUCT_* numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any


class Release(str, Enum):
    """A release with AVMA keys of its own, oldest first. SAC versions belong to the release whose keys they take."""

    WS2012R2 = "2012 R2"
    WS2016 = "2016"
    WS2019 = "2019"
    WS2022 = "2022"
    WS2025 = "2025"

    def __str__(self) -> str:
        return self.value


class Edition(str, Enum):
    """An edition with AVMA keys of its own. ``AZURE`` is what Microsoft calls Datacenter: Azure Edition."""

    DATACENTER = "Datacenter"
    STANDARD = "Standard"
    ESSENTIALS = "Essentials"
    AZURE = "Azure Edition"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class WindowsVersion:
    """A build of Windows Server.

    :ivar name: As Microsoft calls it.
    :ivar aliases: Other names by which a user may ask for it, lower case.
    :ivar release: Whose AVMA keys it takes; None if none are documented.
    :ivar client_keys: Whose KMS client keys it takes, as the key table (keys.py) calls it; None if none are documented.
    """

    build: int
    name: str
    aliases: tuple[str, ...]
    release: Release | None
    client_keys: str | None

    @property
    def sac(self) -> bool:
        """Whether it is a version of the Semi-Annual or Annual Channel, which goes by a number."""
        return ", version " in self.name


#: Source: release-info; AVMA-doc, "AVMA keys"; kms-keys (Microsoft, "Key Management Services (KMS) client activation and product
#: keys"). Builds of 1709, 1803, 2004 and 20H2 are well known but UNVERIFIED here. Build 17763 is both 2019 and SAC 1809, which take the
#: same AVMA keys and different KMS client keys: the release stands first.
VERSIONS = (
    WindowsVersion(9200, "Windows Server 2012", ("2012",), None, "2012"),
    WindowsVersion(9600, "Windows Server 2012 R2", ("2012 r2",), Release.WS2012R2, "2012 R2"),
    WindowsVersion(14393, "Windows Server 2016", ("2016",), Release.WS2016, "2016"),
    WindowsVersion(16299, "Windows Server, version 1709", ("1709",), Release.WS2016, "1709"),
    WindowsVersion(17134, "Windows Server, version 1803", ("1803",), Release.WS2016, "1803"),
    WindowsVersion(17763, "Windows Server 2019", ("2019",), Release.WS2019, "2019"),
    WindowsVersion(17763, "Windows Server, version 1809", ("1809",), Release.WS2019, "1809"),
    WindowsVersion(18362, "Windows Server, version 1903", ("1903",), Release.WS2019, "1809"),
    WindowsVersion(18363, "Windows Server, version 1909", ("1909",), Release.WS2019, "1809"),
    WindowsVersion(19041, "Windows Server, version 2004", ("2004",), None, "1809"),
    WindowsVersion(19042, "Windows Server, version 20H2", ("20h2",), None, "1809"),
    WindowsVersion(20348, "Windows Server 2022", ("2022",), Release.WS2022, "2022"),
    WindowsVersion(25398, "Windows Server, version 23H2", ("23h2",), None, None),
    WindowsVersion(26100, "Windows Server 2025", ("2025",), Release.WS2025, "2025"),
)

#: SKU of the operating system of Azure Stack HCI and Azure Local (win32-docs; facts, section 7.3).
AZURE_LOCAL_SKU = 406


@dataclass(frozen=True)
class _Sku:
    edition: Edition | None
    core: bool | None = None
    evaluation: bool = False


#: Source: win32-docs, Win32_OperatingSystem.OperatingSystemSKU, and sku-table (facts, section 7.1). Server Core may report a SKU
#: of its own, and may report that of the installation with a desktop (facts, section 12): the latter says nothing.
_SKUS: Mapping[int, _Sku] = {
    7: _Sku(Edition.STANDARD),
    8: _Sku(Edition.DATACENTER),
    12: _Sku(Edition.DATACENTER, core=True),
    13: _Sku(Edition.STANDARD, core=True),
    50: _Sku(Edition.ESSENTIALS),
    79: _Sku(Edition.STANDARD, evaluation=True),
    80: _Sku(Edition.DATACENTER, evaluation=True),
    145: _Sku(Edition.DATACENTER, core=True),
    146: _Sku(Edition.STANDARD, core=True),
    147: _Sku(Edition.DATACENTER, core=True),
    148: _Sku(Edition.STANDARD, core=True),
    159: _Sku(Edition.DATACENTER, core=True, evaluation=True),
    160: _Sku(Edition.STANDARD, core=True, evaluation=True),
    AZURE_LOCAL_SKU: _Sku(None, core=True),
    407: _Sku(Edition.AZURE),
    408: _Sku(Edition.AZURE, core=True),
    409: _Sku(Edition.AZURE, core=True),
}

#: SKUs of the Semi-Annual Channel (sku-table: ServerDatacenterACor, ServerStandardACor).
_SAC_SKUS = frozenset({145, 146})


def find_version(build: int, sku: int | None = None) -> WindowsVersion | None:
    """The version with this build number; a SKU of the Semi-Annual Channel tells 1809 from 2019."""
    found = [version for version in VERSIONS if version.build == build]
    by_channel = (version for version in found if version.sac == (sku in _SAC_SKUS))
    return next(by_channel, found[0] if found else None)


def edition_of_sku(sku: int) -> Edition | None:
    """The edition that has this SKU number; None if it is none with AVMA keys."""
    return _SKUS[sku].edition if sku in _SKUS else None


#: LicenseFamily without its suffixes, lower case (facts, section 3.7; the names of Core and Azure Edition are UNVERIFIED).
_FAMILIES: Mapping[str, Edition] = {
    "serverdatacenter": Edition.DATACENTER,
    "serverstandard": Edition.STANDARD,
    "serversolution": Edition.ESSENTIALS,
    "serverturbine": Edition.AZURE,
}


@dataclass(frozen=True)
class System:
    """What Windows a machine runs.

    :ivar release: Whose AVMA keys it takes; None if none are documented for it.
    :ivar edition: None if it is not one that has AVMA keys.
    :ivar core: Whether it is installed without a desktop; None if that is not told.
    :ivar sku: ``OperatingSystemSKU``, or None if the machine did not say.
    :ivar name: As Microsoft calls the build, or what the machine calls itself.
    """

    release: Release | None
    edition: Edition | None
    core: bool | None
    evaluation: bool
    build: int
    sku: int | None
    name: str

    @property
    def azure_local(self) -> bool:
        """Whether this is the operating system of Azure Stack HCI or Azure Local."""
        return self.sku == AZURE_LOCAL_SKU

    @property
    def target_editions(self) -> tuple[str, ...]:
        """What ``DISM /Get-TargetEditions`` offers an evaluation edition (facts, sections 9 and 12); none where that is not told."""
        if not self.evaluation or self.core is None:
            return ()
        if self.core:
            return ("ServerDatacenterCor",)
        return ("ServerStandard", "ServerDatacenter") if self.edition is Edition.STANDARD else ("ServerDatacenter",)

    def installed_as(self, installation_type: str | None) -> System:
        """The same, knowing the registry value InstallationType (facts, section 12)."""
        return replace(self, core={"Server": False, "Server Core": True}.get(installation_type or ""))

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(system))."""
        return {
            "release": str(self.release) if self.release else None,
            "edition": str(self.edition) if self.edition else None,
            "core": self.core,
            "evaluation": self.evaluation,
            "build": self.build,
            "sku": self.sku,
            "name": self.name,
        }

    @classmethod
    def from_dict(cls, shown: Mapping[str, Any]) -> System:
        """From what the modules return."""
        release, edition = shown["release"], shown["edition"]
        return cls(
            Release(release) if release else None,
            Edition(edition) if edition else None,
            shown["core"],
            shown["evaluation"],
            shown["build"],
            shown["sku"],
            shown["name"],
        )


def identify_system(build: int, sku: int | None, license_family: str | None = None, caption: str = "") -> System:
    """The release and edition of a machine: from its build and SKU, then from its licence, never from its localized name.

    :param build: ``Win32_OperatingSystem.BuildNumber``, or KVP ``OSBuildNumber``.
    :param sku: ``OperatingSystemSKU``, or KVP ``OSEditionId``.
    :param license_family: ``SoftwareLicensingProduct.LicenseFamily``, for a SKU that is not known here.
    :param caption: What the machine calls itself; only to name a build that is not known here.
    """
    known = _SKUS.get(sku) if sku is not None else None
    if known is None:
        known = _from_family(license_family or "")
    # A client has the same builds as a server; only a server's SKU makes it one.
    version = find_version(build, sku) if known.edition else None
    name = version.name if version else caption or "Windows"
    if version is None and (known.edition or not caption):
        # A preview calls itself what the last release is called: only its build tells.
        name += f" (build {build})" if caption else f" build {build}"
    return System(version.release if version else None, known.edition, known.core, known.evaluation, build, sku, name)


def _from_family(family: str) -> _Sku:
    lowered = family.lower()
    for name, edition in _FAMILIES.items():
        if lowered.startswith(name):
            suffix = lowered[len(name) :]
            return _Sku(edition, core=True if "cor" in suffix else None, evaluation="eval" in suffix)
    return _Sku(None)
