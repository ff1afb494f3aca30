"""Releases and editions as people and programs write them."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import keys
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import describe
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import (
    VERSIONS,
    Edition,
    Release,
    identify_system,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.spelling import (
    NotUnderstoodError,
    read_edition,
    read_name,
    read_release,
    read_system,
)
from hypothesis import given
from hypothesis import strategies as st

DC, STD, ESS, AZURE = "Datacenter", "Standard", "Essentials", "Azure Edition"

#: What is written → build and edition, by who writes so.
RELEASES: dict[str, dict[object, tuple[int, str | None]]] = {
    "ansible_distribution": {
        "Microsoft Windows Server 2012 Standard": (9200, STD),
        "Microsoft Windows Server 2012 R2 Standard": (9600, STD),
        "Microsoft Windows Server 2012 R2 Datacenter": (9600, DC),
        "Microsoft Windows Server 2012 R2 Essentials": (9600, ESS),
        "Microsoft Windows Server 2016 Standard": (14393, STD),
        "Microsoft Windows Server 2016 Datacenter": (14393, DC),
        "Microsoft Windows Server 2016 Essentials": (14393, ESS),
        "Microsoft Windows Server 2019 Standard": (17763, STD),
        "Microsoft Windows Server 2019 Datacenter": (17763, DC),
        "Microsoft Windows Server 2022 Standard": (20348, STD),
        "Microsoft Windows Server 2022 Datacenter": (20348, DC),
        "Microsoft Windows Server 2022 Datacenter Azure Edition": (20348, AZURE),
        "Microsoft Windows Server 2022 Datacenter Evaluation": (20348, DC),
        "Microsoft Windows Server 2022 Standard Evaluation": (20348, STD),
        "Microsoft Windows Server 2025 Standard": (26100, STD),
        "Microsoft Windows Server 2025 Datacenter": (26100, DC),
        "Майкрософт Windows Server 2019 Standard": (17763, STD),
    },
    "ansible_distribution_version": {
        "6.2.9200.0": (9200, None),
        "6.3.9600.0": (9600, None),
        "10.0.14393.0": (14393, None),
        "10.0.17763.0": (17763, None),
        "10.0.20348.0": (20348, None),
        "10.0.25398.0": (25398, None),
        "10.0.26100.0": (26100, None),
    },
    "Microsoft": {
        "Windows Server 2012": (9200, None),
        "Windows Server 2012 R2": (9600, None),
        "Windows Server 2016": (14393, None),
        "Windows Server 2019": (17763, None),
        "Windows Server 2022": (20348, None),
        "Windows Server 2025": (26100, None),
        "Windows Server 2022 Datacenter: Azure Edition": (20348, AZURE),
        "Windows Server 2025 Datacenter: Azure Edition": (26100, AZURE),
        "Windows Server 2022 Azure Edition": (20348, AZURE),
        "Windows Server 2016 Standard (Desktop Experience)": (14393, STD),
        "Windows Server 2022 Standard Evaluation (Desktop Experience)": (20348, STD),
        "Windows Server 2022 Datacenter (Server Core installation)": (20348, DC),
        "Windows Server 2016 (version 1607)": (14393, None),
        "Windows Server 2019 (version 1809)": (17763, None),
        "Windows Server 2022 (version 21H2)": (20348, None),
        "Windows Server 2025 (version 24H2)": (26100, None),
        "Windows Server 2019 LTSC": (17763, None),
        "Windows Server 2019 (Long-Term Servicing Channel)": (17763, None),
        "Windows Server, version 1709": (16299, None),
        "Windows Server, version 1803": (17134, None),
        "Windows Server, version 1809": (17763, None),
        "Windows Server, version 1903": (18362, None),
        "Windows Server, version 1909": (18363, None),
        "Windows Server, version 2004": (19041, None),
        "Windows Server, version 20H2": (19042, None),
        "Windows Server, version 23H2": (25398, None),
        "Windows Server, version 1809 (SAC)": (17763, None),
        "Windows Server, version 20H2 (Semi-Annual Channel)": (19042, None),
        "Windows Server 23H2 (Annual Channel)": (25398, None),
        "Windows Server, version 1903 Datacenter": (18362, DC),
        "Windows Server® 2022": (20348, None),
        "Microsoft® Windows Server® 2019 Datacenter": (17763, DC),
        "Microsoft(R) Windows(R) Server 2016 Standard": (14393, STD),
        "Windows Server 2019 Standard x64": (17763, STD),
        "Windows Server 2016 Datacenter 64-bit": (14393, DC),
        "OS Build 20348.2402": (20348, None),
        "Version 21H2 (OS Build 20348.169)": (20348, None),
        "Version 1809 (OS Build 17763.737)": (17763, None),
    },
    "install.wim": {
        "Windows Server 2012 R2 SERVERSTANDARD": (9600, STD),
        "Windows Server 2012 R2 SERVERSTANDARDCORE": (9600, STD),
        "Windows Server 2012 R2 SERVERDATACENTER": (9600, DC),
        "Windows Server 2012 R2 SERVERDATACENTERCORE": (9600, DC),
        "Windows Server 2016 SERVERSTANDARD": (14393, STD),
        "Windows Server 2016 SERVERSTANDARDCORE": (14393, STD),
        "Windows Server 2016 SERVERDATACENTER": (14393, DC),
        "Windows Server 2016 SERVERDATACENTERCORE": (14393, DC),
        "Windows Server 2019 SERVERSTANDARD": (17763, STD),
        "Windows Server 2019 SERVERDATACENTERCORE": (17763, DC),
        "Windows Server 2022 SERVERSTANDARDCORE": (20348, STD),
        "Windows Server 2022 SERVERDATACENTER": (20348, DC),
        "Windows Server 2022 SERVERTURBINE": (20348, AZURE),
        "Windows Server 2022 SERVERTURBINECOR": (20348, AZURE),
        "Windows Server 2025 SERVERSTANDARD": (26100, STD),
        "Windows Server 2025 SERVERDATACENTERCORE": (26100, DC),
        "Windows Server 2025 Datacenter (Desktop Experience)": (26100, DC),
        "Windows Server SERVERDATACENTERACORE 1903": (18362, DC),
    },
    "short forms": {
        "2012": (9200, None),
        "2012 R2": (9600, None),
        "2012R2": (9600, None),
        "2012r2": (9600, None),
        "2012-R2": (9600, None),
        "2012_R2": (9600, None),
        "2012 Release 2": (9600, None),
        "12R2": (9600, None),
        "2016": (14393, None),
        "2019": (17763, None),
        "2022": (20348, None),
        "2025": (26100, None),
        "1809": (17763, None),
        "20h2": (19042, None),
        "23H2": (25398, None),
        "21H2": (20348, None),
        "24H2": (26100, None),
        "1607": (14393, None),
        "WS2012R2": (9600, None),
        "WS2016": (14393, None),
        "WS2019": (17763, None),
        "WS2022": (20348, None),
        "WS 2022": (20348, None),
        "ws2025": (26100, None),
        "WS16": (14393, None),
        "WS19": (17763, None),
        "WS22": (20348, None),
        "WS12R2": (9600, None),
        "Win2012R2": (9600, None),
        "Win2016": (14393, None),
        "Win2019": (17763, None),
        "win2022": (20348, None),
        "Win 2022": (20348, None),
        "WinSrv2022": (20348, None),
        "WinServer2019": (17763, None),
        "Win Server 2019": (17763, None),
        "WindowsServer2022": (20348, None),
        "Windows2022": (20348, None),
        "windows-2022": (20348, None),
        "windows_server_2022": (20348, None),
        "windows-server-2019": (17763, None),
        "Server 2022": (20348, None),
        "Server2016": (14393, None),
        "Server 2012 R2": (9600, None),
        "Srv2019": (17763, None),
        "W2022": (20348, None),
        "w2k12r2": (9600, None),
        "w2k16": (14393, None),
        "win2k12r2": (9600, None),
        "win2k16": (14393, None),
        "win2k19": (17763, None),
        "win2k22": (20348, None),
        "2k19": (17763, None),
        "2k12 R2": (9600, None),
        "2022 DC": (20348, DC),
        "2022 dc": (20348, DC),
        "2022dc": (20348, DC),
        "2019 Std": (17763, STD),
        "ws2016-std": (14393, STD),
        "WS2022 DC Core": (20348, DC),
        "Server 2019 Std Eval": (17763, STD),
        "2025 Datacenter": (26100, DC),
        "  windows   SERVER  2022   datacenter ": (20348, DC),
        "WINDOWS SERVER 2022 DATACENTER": (20348, DC),
        "Windows Server 2022 Datacentre": (20348, DC),
        "Windows Server 2022 Data Center": (20348, DC),
        '"Windows Server 2022"': (20348, None),
        "'2019'": (17763, None),
        "Windows Server 2016, Datacenter": (14393, DC),
        "Windows Server 2016/Standard": (14393, STD),
        "Windows Server 2022 – Standard": (20348, STD),
        "ltsc2022": (20348, None),
        "LTSC 2019": (17763, None),
        "MS Windows Server 2019": (17763, None),
        "Windows\u00a0Server\u00a02022": (20348, None),
    },
    "builds": {
        "9600": (9600, None),
        "14393": (14393, None),
        "16299": (16299, None),
        "17763": (17763, None),
        "20348": (20348, None),
        "26100": (26100, None),
        "20348.169": (20348, None),
        "17763.1": (17763, None),
        "26100.1742": (26100, None),
        "10.0.17763": (17763, None),
        "10.0.26100": (26100, None),
        "10.0.20348.2113": (20348, None),
        "6.3.9600": (9600, None),
        "6.3": (9600, None),
        "6.2": (9200, None),
        "Build 17763": (17763, None),
        "build 20348.169": (20348, None),
        "Windows build 29500": (29500, None),
        "29500": (29500, None),
        "10.0.29500.1000": (29500, None),
        "20348.1.amd64fre.fe_release.210507-1500": (20348, None),
        "17763.1.amd64fre.rs5_release.180914-1434": (17763, None),
        "Windows Server 2019 Standard 17763": (17763, STD),
        "Microsoft Windows Server 2025 Standard (build 29500)": (29500, STD),
        "Windows Server 2022 Datacenter 10.0.20348.169": (20348, DC),
    },
    "programs": {
        "10.0 (20348)": (20348, None),
        "10.0 (14393)": (14393, None),
        "6.3 (9600)": (9600, None),
        "10.0.20348 N/A Build 20348": (20348, None),
        "6.3.9600 N/A Build 9600": (9600, None),
        "Microsoft Windows [Version 10.0.17763.737]": (17763, None),
        r"Microsoft Windows Server 2022 Datacenter|C:\Windows|\Device\Harddisk0\Partition4": (20348, DC),
        "windows/servercore:ltsc2022": (20348, None),
        "servercore:1809": (17763, None),
        "windows/server:10.0.20348.2113": (20348, None),
        "2022-Datacenter": (20348, DC),
        "2022-datacenter-g2": (20348, DC),
        "2022-datacenter-core-smalldisk-g2": (20348, DC),
        "2022-datacenter-azure-edition": (20348, AZURE),
        "2022-datacenter-azure-edition-core": (20348, AZURE),
        "2022-datacenter-azure-edition-hotpatch-smalldisk": (20348, AZURE),
        "2025-datacenter-azure-edition": (26100, AZURE),
        "2019-datacenter-gensecond": (17763, DC),
        "2016-Datacenter-Server-Core": (14393, DC),
        "2012-R2-Datacenter": (9600, DC),
        "Windows_Server-2022-English-Full-Base": (20348, None),
        "Windows_Server-2019-English-Core-Base": (17763, None),
        "windows-server-2022-dc-core": (20348, DC),
        "windows-2019-dc": (17763, DC),
        "windows2019srv": (17763, None),
        "windows_server_2022_x64": (20348, None),
        "Windows Server 2019 Standard (x64)": (17763, STD),
    },
    "YAML": {
        2022: (20348, None),
        2012: (9200, None),
        1809: (17763, None),
        17763: (17763, None),
        29500: (29500, None),
        20348.169: (20348, None),
        6.3: (9600, None),
    },
}

EDITIONS: dict[object, str] = {
    "Datacenter": DC,
    "datacenter": DC,
    "DATACENTER": DC,
    " Datacenter ": DC,
    "Datacentre": DC,
    "data center": DC,
    "DC": DC,
    "ServerDatacenter": DC,
    "serverdatacenter": DC,
    "ServerDatacenterCor": DC,
    "ServerDatacenterCore": DC,
    "ServerDatacenterACor": DC,
    "ServerDatacenterEval": DC,
    "ServerDatacenterEvalCor": DC,
    "SERVERDATACENTERCORE": DC,
    "DATACENTER_SERVER": DC,
    "PRODUCT_DATACENTER_SERVER_CORE": DC,
    "DATACENTER_EVALUATION_SERVER": DC,
    "DATACENTER_A_SERVER_CORE": DC,
    "DATACENTER_WS_SERVER_CORE": DC,
    "Datacenter Edition": DC,
    "Datacenter (Core)": DC,
    "Datacenter Evaluation": DC,
    "Windows(R), ServerDatacenter edition": DC,
    "Windows Server Datacenter": DC,
    "Standard": STD,
    "standard": STD,
    "Std": STD,
    "ServerStandard": STD,
    "ServerStandardCor": STD,
    "ServerStandardEval": STD,
    "ServerStandardEvalCor": STD,
    "STANDARD_SERVER": STD,
    "Standard Core": STD,
    "Standard (Desktop Experience)": STD,
    "Standard Evaluation": STD,
    "Windows(R), ServerStandard edition": STD,
    "Essentials": ESS,
    "essentials": ESS,
    "Essential": ESS,
    "ServerSolution": ESS,
    "Azure Edition": AZURE,
    "azure edition": AZURE,
    "Azure": AZURE,
    "AzureEdition": AZURE,
    "Datacenter: Azure Edition": AZURE,
    "Datacenter Azure Edition": AZURE,
    "datacenter-azure-edition": AZURE,
    "DatacenterAzureEdition": AZURE,
    "ServerTurbine": AZURE,
    "ServerTurbineCor": AZURE,
    "DATACENTER_SERVER_AZURE_EDITION": AZURE,
    7: STD,
    8: DC,
    "13": STD,
    "147": DC,
    "407": AZURE,
    50: ESS,
}

#: What is written → a part of the refusal.
REFUSED: dict[object, str] = {
    "": "is not a release",
    "   ": "is not a release",
    "Windows Server": "is not a release",
    "server": "is not a release",
    "10.0": "is not a release",
    "10": "not understood: '10'",
    "2008": "not understood: '2008'",
    "2008 R2": "not understood: '2008', 'r2'",
    "7601": "not understood: '7601'",
    "2022 R2": r"not understood: 'r2'\)\. Did you mean Windows Server 2022\?",
    "2024": "Did you mean Windows Server 2025",
    "2031": "is not a release",
    "Windows Sever 2022": r"not understood: 'sever'\)\. Did you mean Windows Server 2022\?",
    "Windows Server 2022 Datacentr": "Did you mean Windows Server 2022 Datacenter",
    "Windows Server 2019 Stadnard": "Did you mean Windows Server 2019 Standard",
    "Windows 10": "not understood: '10'",
    "Windows 11": "not understood: '11'",
    "Windows 10 Enterprise LTSC 2019": "'enterprise'",
    "Microsoft Windows 11 Pro": "'11', 'pro'",
    "Windows 11, version 24H2": "'11'",
    "Windows Storage Server 2016 Standard": "'storage'",
    "Hyper-V Server 2019": "'hyper'",
    "Microsoft Hyper-V Server 2012 R2": "'hyper'",
    "Windows Server IoT 2022 Standard": "'iot'",
    "Windows Server 2012 Foundation": "'foundation'",
    "Windows Server 2012 MultiPoint Standard": "'multipoint'",
    "Windows Server 2016 Nano": "'nano'",
    "Windows Server 2019 Azure Core": "'azure'",
    "ServerAzureCor": "serverazurecor",
    "Azure Stack HCI, version 22H2": "'stack'",
    "Azure Local 23H2": "'local'",
    "Windows Server vNext": "'vnext'",
    "Windows Server Insider Preview": "'insider', 'preview'",
    "windows2022srvNext-64": "windows2022srvnext",
    "Ubuntu 22.04": "'ubuntu'",
    "RedHat 9": "'redhat'",
    "true": "'true'",
    True: "'true'",
    None: "is not a release",
    "Windows Server 2022 Standard Datacenter": "contradicts itself: it names Standard and Datacenter",
    "Windows Server 2022 Standard: Azure Edition": "contradicts itself: it names Standard and Azure Edition",
    "Windows Server 2019 20348": "contradicts itself: it names Windows Server 2019 and build 20348",
    "Windows Server 2019 10.0.20348.169": "contradicts itself",
    "Windows Server 2022 (build 14500)": "contradicts itself",
    "2016 2019": "it names Windows Server 2016 and Windows Server 2019",
    "Windows Server 2016, version 1709": "it names Windows Server 2016 and Windows Server, version 1709",
    "Datacenter": "names an edition, and no release",
    "ServerStandardCor": "names an edition, and no release",
}
REFUSED_EDITIONS: dict[object, str] = {
    "Pro": "'Pro' is not one of Datacenter, Standard, Essentials, Azure Edition",
    "Professional": "is not one of",
    "Enterprise": "is not one of",
    "Datacentr": "Did you mean Datacenter",
    "Standart": "Did you mean Standard",
    "": "is not one of",
    "2022": "is not one of",
    "Windows Server 2022": "is not one of",
    "Core": "is not one of",
    "Evaluation": "is not one of",
    "ServerAzureCor": "is not one of",
    "42": "is not one of",
    "Datacenter Standard": "contradicts itself",
}

SPELLINGS = {text: expected for of_source in RELEASES.values() for text, expected in of_source.items()}


def test_the_table_is_as_large_as_it_shall_be() -> None:
    assert len(SPELLINGS) + len(EDITIONS) + len(REFUSED) + len(REFUSED_EDITIONS) >= 300


@pytest.mark.parametrize("text", SPELLINGS, ids=repr)
def test_a_release_is_understood(text: object) -> None:
    named = read_release(text)
    assert (named.build, named.edition) == SPELLINGS[text]


@pytest.mark.parametrize("text", EDITIONS, ids=repr)
def test_an_edition_is_understood(text: object) -> None:
    assert read_edition(text).edition == EDITIONS[text]


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_what_is_no_release_is_refused(text: object) -> None:
    with pytest.raises(NotUnderstoodError, match="(?i)" + REFUSED[text]):
        read_release(text)


@pytest.mark.parametrize("text", REFUSED_EDITIONS, ids=repr)
def test_what_is_no_edition_is_refused(text: object) -> None:
    with pytest.raises(NotUnderstoodError, match=REFUSED_EDITIONS[text]):
        read_edition(text)


def test_a_refusal_says_what_there_is() -> None:
    with pytest.raises(NotUnderstoodError) as error:
        read_release("Longhorn")
    assert str(error.value) == (
        "'Longhorn' is not a release, a SAC version or a build number of Windows Server (not understood: 'longhorn'). Releases are "
        "2012 R2, 2016, 2019, 2022, 2025, SAC versions such as 1809 and build numbers such as 20348; editions are Datacenter, Standard, "
        "Essentials, Azure Edition"
    )


@pytest.mark.parametrize(
    ("text", "evaluation", "core"),
    [
        ("Windows Server 2022 Standard", False, None),
        ("Windows Server 2022 Standard Evaluation", True, None),
        ("Windows Server 2022 Standard Evaluation (Desktop Experience)", True, False),
        ("ServerDatacenterEval", True, None),
        ("ServerStandardEvalCor", True, True),
        ("Windows Server 2022 SERVERDATACENTERCORE", False, True),
        ("2022-datacenter-core", False, True),
    ],
)
def test_evaluation_and_server_core_are_told(text: str, evaluation: bool, core: bool | None) -> None:
    assert (read_name(text).evaluation, read_name(text).core) == (evaluation, core)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2019", "Windows Server 2019"),
        ("1809", "Windows Server, version 1809"),
        ("17763", "Windows Server 2019"),
        ("Windows Server 2019, version 1809", "Windows Server 2019"),
        ("29500", "Windows build 29500"),
    ],
)
def test_one_build_has_two_names(text: str, name: str) -> None:
    assert read_name(text).name == name


@pytest.mark.parametrize(
    ("release", "edition", "expected"),
    [
        ("2022", "Datacenter", (20348, DC)),
        ("2022", "ServerStandardCor", (20348, STD)),
        ("Windows Server 2022 Datacenter", None, (20348, DC)),
        ("Windows Server 2022 Datacenter", "datacenter", (20348, DC)),
        ("Windows Server 2022", "Windows Server 2022 Standard", (20348, STD)),
        ("2022", None, (20348, None)),
        (2019, 8, (17763, DC)),
    ],
)
def test_release_and_edition_go_together(release: object, edition: object, expected: tuple[int, str | None]) -> None:
    named = read_system(release, edition)
    assert (named.build, named.edition) == expected


@pytest.mark.parametrize(
    ("release", "edition"),
    [
        ("Windows Server 2022 Datacenter", "Standard"),
        ("Windows Server 2022 Datacenter", "Azure Edition"),
        ("Windows Server 2022", "Windows Server 2019 Standard"),
    ],
)
def test_a_contradiction_is_an_error(release: str, edition: str) -> None:
    with pytest.raises(NotUnderstoodError, match=f"release '{release}' and edition '{edition}' contradict each other"):
        read_system(release, edition)


def printed() -> set[str]:
    """What this collection says of a Windows Server, in results, messages and tables."""
    texts = {*Release, *keys.documented_versions(), *keys.documented_versions(keys.KMS_CHANNEL)}
    texts |= {version.name for version in VERSIONS}
    texts |= {known.release for key in keys.KMS_CLIENT_KEYS if (known := keys.identify_key(key))}
    for version in VERSIONS:
        for sku in (7, 8, 12, 50, 79, 80, 145, 146, 148, 159, 160, 407, 408):
            system = identify_system(version.build, sku)
            texts |= {system.name, describe(system), str(system.build), f"{version.name} {system.edition}"}
    texts |= {
        describe(identify_system(29500, 8)),
        describe(identify_system(29500, 8, None, "Microsoft Windows Server 2025 Datacenter")),
    }
    texts |= {match[1] for text in REFUSED if (match := re.search(r"Did you mean ([^?]+)\?", str(refusal(text))))}
    return texts


def refusal(text: object) -> Exception | None:
    try:
        read_release(text)
    except NotUnderstoodError as error:
        return error
    return None


@pytest.mark.parametrize("text", sorted(printed()))
def test_what_is_printed_is_understood(text: str) -> None:
    read_release(text)


@pytest.mark.parametrize("edition", list(Edition))
def test_every_edition_that_is_printed_is_understood(edition: Edition) -> None:
    assert read_edition(str(edition)).edition is edition
    assert read_edition(edition).edition is edition


@given(
    st.sampled_from(VERSIONS),
    st.sampled_from([*Edition, None]),
    st.sampled_from(["", "microsoft ", "MS "]),
    st.sampled_from([" ", "  ", "-", "_", "\t", ", ", ": "]),
    st.sampled_from([str.lower, str.upper, str.title, str]),
)
def test_case_and_separators_do_not_matter(
    version: object, edition: object, maker: str, space: str, case: object
) -> None:
    text = maker + version.name + (f" {edition}" if edition else "")  # type: ignore[attr-defined]
    named = read_release(case(text.replace(" ", space)))  # type: ignore[operator]
    assert (named.version, named.edition) == (version, edition)


@given(st.one_of(st.text(max_size=60), st.integers(), st.floats(), st.booleans(), st.none(), st.dates()))
def test_no_text_is_beyond_it(text: object) -> None:
    for read in (read_name, read_release, read_edition):
        try:
            named = read(text)
        except NotUnderstoodError:
            continue
        assert named.build or named.edition
