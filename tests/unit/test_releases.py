"""From build and SKU to release and edition."""

from __future__ import annotations

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import (
    VERSIONS,
    Edition,
    Release,
    identify_system,
)
from hypothesis import given
from hypothesis import strategies as st

#: SKU → edition, Server Core, evaluation (facts/avma.md, section 7.1).
SKUS = {
    7: ("Standard", None, False),
    8: ("Datacenter", None, False),
    12: ("Datacenter", True, False),
    13: ("Standard", True, False),
    50: ("Essentials", None, False),
    79: ("Standard", None, True),
    80: ("Datacenter", None, True),
    145: ("Datacenter", True, False),
    146: ("Standard", True, False),
    147: ("Datacenter", True, False),
    148: ("Standard", True, False),
    159: ("Datacenter", True, True),
    160: ("Standard", True, True),
    407: ("Azure Edition", None, False),
    408: ("Azure Edition", True, False),
    409: ("Azure Edition", True, False),
}
#: Those of the Semi-Annual Channel.
SAC_SKUS = (145, 146)
#: Clients, Hyper-V Server, Nano Server and others that have no AVMA key.
OTHER_SKUS = [0, 1, 4, 42, 48, 72, 101, 125, 143, 144, 175, 406, None]
#: Build → name, release (section 7.2).
BUILDS = {
    9200: ("Windows Server 2012", None),
    9600: ("Windows Server 2012 R2", "2012 R2"),
    14393: ("Windows Server 2016", "2016"),
    16299: ("Windows Server, version 1709", "2016"),
    17134: ("Windows Server, version 1803", "2016"),
    17763: ("Windows Server 2019", "2019"),
    18362: ("Windows Server, version 1903", "2019"),
    18363: ("Windows Server, version 1909", "2019"),
    19041: ("Windows Server, version 2004", None),
    19042: ("Windows Server, version 20H2", None),
    20348: ("Windows Server 2022", "2022"),
    25398: ("Windows Server, version 23H2", None),
    26100: ("Windows Server 2025", "2025"),
}


@pytest.mark.parametrize("sku", SKUS)
@pytest.mark.parametrize("build", BUILDS)
def test_build_and_sku_decide(build: int, sku: int) -> None:
    name, release = BUILDS[build]
    edition, core, evaluation = SKUS[sku]
    if build == 17763 and sku in SAC_SKUS:
        name = "Windows Server, version 1809"
    # Whatever the licence and the localized caption say.
    assert identify_system(build, sku, "ServerStandardEval", "Windows Server 2008").to_dict() == {
        "release": release,
        "edition": edition,
        "core": core,
        "evaluation": evaluation,
        "build": build,
        "sku": sku,
        "name": name,
    }


@pytest.mark.parametrize(
    ("sku", "installation_type", "core", "targets"),
    [
        (79, "Server", False, ("ServerStandard", "ServerDatacenter")),
        (79, "Server Core", True, ("ServerDatacenterCor",)),
        (160, "Server Core", True, ("ServerDatacenterCor",)),
        (80, "Server", False, ("ServerDatacenter",)),
        (80, "Server Core", True, ("ServerDatacenterCor",)),
        (79, None, None, ()),
        (80, "Nano Server", None, ()),
        (8, "Server", False, ()),
        (8, "Server Core", True, ()),
    ],
)
def test_the_installation_tells_what_an_evaluation_edition_can_become(
    sku: int, installation_type: str | None, core: bool | None, targets: tuple[str, ...]
) -> None:
    system = identify_system(20348, sku).installed_as(installation_type)
    assert (system.core, system.target_editions) == (core, targets)


def test_a_preview_is_named_by_its_build() -> None:
    system = identify_system(29651, 7, caption="Microsoft Windows Server 2025 Standard")
    assert (system.release, system.name) == (None, "Microsoft Windows Server 2025 Standard (build 29651)")
    assert identify_system(29651, 7).name == "Windows build 29651"


@pytest.mark.parametrize("sku", OTHER_SKUS)
@pytest.mark.parametrize("build", BUILDS)
def test_what_is_no_server_edition_has_no_release_of_its_build(build: int, sku: int | None) -> None:
    system = identify_system(build, sku, "Professional", "Microsoft Windows 11 Pro")
    assert (system.release, system.edition, system.name) == (None, None, "Microsoft Windows 11 Pro")


@pytest.mark.parametrize(
    ("family", "edition", "core", "evaluation"),
    [
        ("ServerDatacenter", "Datacenter", None, False),
        ("ServerDatacenterCor", "Datacenter", True, False),
        ("ServerDatacenterCore", "Datacenter", True, False),
        ("ServerDatacenterEvalCor", "Datacenter", True, True),
        ("serverstandardeval", "Standard", None, True),
        ("ServerSolution", "Essentials", None, False),
        ("ServerTurbineCor", "Azure Edition", True, False),
    ],
)
def test_the_licence_decides_for_a_sku_that_is_not_known(
    family: str, edition: str, core: bool | None, evaluation: bool
) -> None:
    system = identify_system(20348, 9999, family)
    assert (system.edition, system.core, system.evaluation) == (Edition(edition), core, evaluation)
    assert system.release is Release.WS2022


@given(st.integers(0, 2**32 - 1), st.one_of(st.none(), st.integers(0, 2**32 - 1)), st.text(), st.text())
def test_no_machine_is_beyond_it(build: int, sku: int | None, family: str, caption: str) -> None:
    system = identify_system(build, sku, family, caption)
    assert (system.build, system.sku) == (build, sku)
    assert system.name
    if system.release:
        assert system.edition
        assert BUILDS[build][1] == str(system.release)


def test_releases_are_in_the_order_of_their_builds() -> None:
    assert [release.value for release in Release] == ["2012 R2", "2016", "2019", "2022", "2025"]
    builds = [version.build for version in VERSIONS]
    assert builds == sorted(builds)
    assert set(builds) == set(BUILDS)
