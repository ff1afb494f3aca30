# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a machine says it runs: releases with their builds, editions with their SKUs (facts/avma.md §7, §3.7)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowsRelease:
    """A release of Windows.

    ``generation`` names the releases that share product keys: SAC 1709 and 1803 take those of 2016; 1809, 1903 and 1909
    those of 2019 (§2.1). ``order`` is what a host's release is compared by: ``None`` is a release that takes no part in
    AVMA.
    """

    name: str
    build: int
    product: str
    generation: str
    order: int | None = None
    version: str = "10.0"
    kind: str = "ltsc"

    @property
    def full_version(self) -> str:
        """``Win32_OperatingSystem.Version``, as ``10.0.20348``."""
        return f"{self.version}.{self.build}"


_ALL = (
    WindowsRelease("2012", 9200, "Windows Server 2012", "2012", None, "6.2"),
    WindowsRelease("2012 R2", 9600, "Windows Server 2012 R2", "2012 R2", 2012, "6.3"),
    WindowsRelease("2016", 14393, "Windows Server 2016", "2016", 2016),
    WindowsRelease("2019", 17763, "Windows Server 2019", "2019", 2019),
    WindowsRelease("2022", 20348, "Windows Server 2022", "2022", 2022),
    WindowsRelease("2025", 26100, "Windows Server 2025", "2025", 2025),
    # Builds of 1709, 1803, 2004 and 20H2 are UNVERIFIED in the facts (§7.2).
    WindowsRelease("1709", 16299, "Windows Server", "2016", 2016, kind="sac"),
    WindowsRelease("1803", 17134, "Windows Server", "2016", 2016, kind="sac"),
    WindowsRelease("1809", 17763, "Windows Server", "2019", 2019, kind="sac"),
    WindowsRelease("1903", 18362, "Windows Server", "2019", 2019, kind="sac"),
    WindowsRelease("1909", 18363, "Windows Server", "2019", 2019, kind="sac"),
    WindowsRelease("2004", 19041, "Windows Server", "2004", kind="sac"),
    WindowsRelease("20H2", 19042, "Windows Server", "20H2", kind="sac"),
    WindowsRelease("23H2", 25398, "Windows Server", "23H2", kind="sac"),
    # Clients share builds with servers: Windows 11 24H2 has that of Server 2025.
    WindowsRelease("Windows 10", 19045, "Windows 10", "Windows 10", kind="client"),
    WindowsRelease("Windows 11", 26100, "Windows 11", "Windows 11", kind="client"),
    WindowsRelease("Azure Local 22H2", 20349, "Azure Stack HCI", "Azure Local", kind="azure_local"),
    WindowsRelease("Azure Local 23H2", 25398, "Azure Stack HCI", "Azure Local", kind="azure_local"),
    WindowsRelease("Azure Local 24H2", 26100, "Azure Stack HCI", "Azure Local", kind="azure_local"),
)

RELEASES = {release.name: release for release in _ALL}


@dataclass(frozen=True)
class Sku:
    """``OperatingSystemSKU``, EditionID (also ``LicenseFamily`` of the licence rows), and what the caption adds."""

    number: int
    edition_id: str
    caption: str


#: (edition, core, evaluation) → SKU of long-term releases from 2016 on (§7.1).
_SKUS = {
    ("datacenter", False, False): Sku(8, "ServerDatacenter", "Datacenter"),
    ("datacenter", True, False): Sku(147, "ServerDatacenterCor", "Datacenter"),
    ("datacenter", False, True): Sku(80, "ServerDatacenterEval", "Datacenter Evaluation"),
    ("datacenter", True, True): Sku(159, "ServerDatacenterEvalCor", "Datacenter Evaluation"),
    ("standard", False, False): Sku(7, "ServerStandard", "Standard"),
    ("standard", True, False): Sku(148, "ServerStandardCor", "Standard"),
    ("standard", False, True): Sku(79, "ServerStandardEval", "Standard Evaluation"),
    ("standard", True, True): Sku(160, "ServerStandardEvalCor", "Standard Evaluation"),
    ("essentials", False, False): Sku(50, "ServerSolution", "Essentials"),
    ("azure", False, False): Sku(407, "ServerTurbine", "Datacenter Azure Edition"),
    ("azure", True, False): Sku(408, "ServerTurbineCor", "Datacenter Azure Edition"),
    ("hyperv", True, False): Sku(42, "ServerHyperCore", ""),
    ("pro", False, False): Sku(48, "Professional", "Pro"),
    ("azure_local", True, False): Sku(406, "ServerAzureStackHCICor", ""),
}

#: Semi-annual and annual channel releases are Core only. That 23H2 has the SKU of SAC is UNVERIFIED.
_SAC_SKUS = {
    "datacenter": Sku(145, "ServerDatacenterACor", "Datacenter"),
    "standard": Sku(146, "ServerStandardACor", "Standard"),
}

#: Server Core of 2012 and 2012 R2. Which of 12/13 and 147/148 a system reports is UNVERIFIED (§7.1); so is
#: LicenseFamily (§3.7).
_OLD_CORE_SKUS = {
    "datacenter": Sku(12, "ServerDatacenterCore", "Datacenter"),
    "standard": Sku(13, "ServerStandardCore", "Standard"),
}

_EDITIONS_OF_KIND = {
    "ltsc": ("datacenter", "standard", "essentials", "azure", "hyperv"),
    "sac": ("datacenter", "standard"),
    "client": ("pro",),
    "azure_local": ("azure_local",),
}


def sku_of(release: WindowsRelease, edition: str, core: bool, evaluation: bool) -> Sku:
    """The SKU of an installation. Raises ``ValueError`` for one that never existed."""
    if (
        edition not in _EDITIONS_OF_KIND[release.kind]
        or (edition == "azure" and release.name not in ("2022", "2025"))
        or (edition == "essentials" and release.name not in ("2012", "2012 R2", "2016", "2019"))
        or (edition == "hyperv" and release.name in ("2022", "2025"))
        or (release.kind == "sac" and evaluation)
    ):
        raise ValueError(f"there is no edition {edition} of {release.name}" + (" for evaluation" if evaluation else ""))
    if release.kind == "sac":
        return _SAC_SKUS[edition]
    if core and not evaluation and release.version != "10.0" and edition in _OLD_CORE_SKUS:
        return _OLD_CORE_SKUS[edition]
    core = core or edition in ("hyperv", "azure_local")
    try:
        return _SKUS[edition, core, evaluation]
    except KeyError:
        raise ValueError(
            f"there is no {'Core ' if core else ''}{'evaluation ' if evaluation else ''}installation of edition"
            f" {edition}"
        ) from None
