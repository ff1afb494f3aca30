"""The key tables, and what may be said of a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import keys
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import Edition, Release, identify_system
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.spelling import read_release
from hypothesis import given
from hypothesis import strategies as st

from lab import keys as lab_keys

FACTS = Path(__file__).resolve().parents[2] / "docs" / "facts.md"
#: Transcribed from Microsoft's page (facts/avma.md, section 2.1).
TABLE = """
| Guest OS | Datacenter | Datacenter: Azure Edition | Standard | Essentials |
|---|---|---|---|---|
| 2025 | YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67 | 6NMQ9-T38WF-6MFGM-QYGYM-88J4F | WWVGQ-PNHV9-B89P4-8GGM9-9HPQ4 | – |
| 2022 | W3GNR-8DDXR-2TFRP-H8P33-DV9BG | F7TB6-YKN8Y-FCC6R-KQ484-VMK3J | YDFWN-MJ9JR-3DYRK-FXXRW-78VHK | – |
| 2019 | H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW | – | TNK62-RXVTB-4P47B-2D623-4GF74 | 2CTP7-NHT64-BP62M-FV6GG-HFV28 |
| 2016 | TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J | – | C3RCX-M6NRP-6CXC9-TW2F2-4RHYD | B4YNW-62DX9-W8V6M-82649-MHBKQ |
| 2012 R2 | Y4TGP-NPTV9-HTC2H-7MGQ3-DV4TW | – | DBGBW-NPF86-BJVTX-K3WKJ-MTB6V | K2XGM-NMBT3-2R6Q8-WF2FK-P36R2 |
"""
#: Build → release whose keys it takes; 1809 is the build of 2019.
SAC = {16299: "2016", 17134: "2016", 17763: "2019", 18362: "2019", 18363: "2019"}
LAB_EDITIONS = {
    "datacenter": "Datacenter",
    "standard": "Standard",
    "essentials": "Essentials",
    "azure": "Azure Edition",
}


def read_table(text: str) -> dict[tuple[str, str], str]:
    """The keys of a Markdown table, by release and edition."""
    columns = ("Datacenter", "Azure Edition", "Standard", "Essentials")
    found = {}
    for row in re.findall(r"^\| (20[\d R]+) \|(.*)\|$", text, re.MULTILINE):
        for edition, cell in zip(columns, row[1].split("|"), strict=True):
            if re.fullmatch(r"\s*(\w{5}-){4}\w{5}\s*", cell):
                found[row[0], edition] = cell.strip()
    return found


def tables() -> Iterator[str]:
    yield TABLE
    yield FACTS.read_text(encoding="utf-8")


def as_text(table: dict[tuple[Release, Edition], str]) -> dict[tuple[str, str], str]:
    return {(str(release), str(edition)): key for (release, edition), key in table.items()}


@pytest.mark.parametrize("text", list(tables()))
def test_avma_keys_are_those_that_microsoft_documents(text: str) -> None:
    assert as_text(dict(keys.AVMA_KEYS)) == read_table(text)
    assert len(keys.AVMA_KEYS) == 15


@pytest.mark.parametrize(("channel", "own"), [("VT:IA", keys.AVMA_KEYS), ("Volume:GVLK", keys.KMS_CLIENT_KEYS)])
def test_the_lab_has_the_same_keys(channel: str, own: dict[object, str]) -> None:
    ours = {(item.release, str(item.edition), key) for key in known_keys(channel) if (item := keys.identify_key(key))}
    theirs = {
        (item.generation, LAB_EDITIONS[item.edition], item.key)
        for item in lab_keys.PUBLIC_KEYS
        if item.channel == channel
    }
    assert theirs
    assert theirs <= ours
    if channel == keys.AVMA_CHANNEL:
        assert theirs == ours


def known_keys(channel: str) -> list[str]:
    return list(keys.AVMA_KEYS.values()) if channel == keys.AVMA_CHANNEL else list(keys.KMS_CLIENT_KEYS)


def test_no_avma_key_is_a_kms_client_key_and_last_fives_tell_all_keys_apart() -> None:
    all_keys = [*keys.AVMA_KEYS.values(), *keys.KMS_CLIENT_KEYS]
    assert not set(keys.AVMA_KEYS.values()) & set(keys.KMS_CLIENT_KEYS)
    assert len({keys.last_five(key) for key in all_keys}) == len(set(all_keys)) == len(all_keys)


@pytest.mark.parametrize("key", [*keys.AVMA_KEYS.values(), *keys.KMS_CLIENT_KEYS])
def test_a_key_of_the_tables_is_well_formed_and_known_by_its_last_five(key: str) -> None:
    assert keys.normalize_key(key) == key
    assert keys.identify_key(key) == keys.identify_key(key[-5:].lower()) is not None


@pytest.mark.parametrize(("build", "release"), SAC.items())
def test_sac_versions_take_the_keys_of_their_release(build: int, release: str) -> None:
    for sku, edition in ((145, Edition.DATACENTER), (146, Edition.STANDARD)):
        assert keys.key_for(identify_system(build, sku)) == keys.AVMA_KEYS[Release(release), edition]


@pytest.mark.parametrize("build", [9200, 19041, 19042, 25398, 30000])
def test_versions_without_a_documented_key_have_none(build: int) -> None:
    assert keys.key_for(identify_system(build, 8)) is None


@pytest.mark.parametrize(
    ("release", "edition"),
    [("2025", "Essentials"), ("2022", "Essentials"), ("2019", "Azure Edition"), ("2012 R2", "Azure Edition")],
)
def test_editions_that_do_not_exist_have_no_key(release: str, edition: str) -> None:
    assert keys.avma_key(Release(release), Edition(edition)) is None


KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"


@pytest.mark.parametrize("text", [KEY.lower(), f"  {KEY}\n", KEY.replace("-", "–"), KEY.replace("-", "\u2212")])
def test_a_key_may_be_spelled_as_word_processors_do(text: str) -> None:
    assert keys.normalize_key(text) == KEY


@given(st.text("BCDFGH0123456789-", min_size=4, max_size=28))
def test_a_text_that_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(keys.InvalidKeyError) as error:
        keys.normalize_key(text)
    assert text not in str(error.value)


@pytest.mark.parametrize("text", ["", "DV9B", KEY[:-1], f"{KEY}X", KEY.replace("W3", "A3"), KEY.replace("-", "")])
def test_these_are_no_keys(text: str) -> None:
    with pytest.raises(keys.InvalidKeyError):
        keys.normalize_key(text)


@pytest.mark.parametrize(
    "version", ["2022", "Windows Server 2022", "20348", 2022, 20348, 20348.169, "WS2022 Datacenter"]
)
@pytest.mark.parametrize("edition", ["Datacenter", "datacenter", "ServerDatacenterCor", 8])
def test_an_override_goes_before_the_table(version: object, edition: object) -> None:
    overrides = keys.read_overrides({version: {edition: "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"}})
    assert keys.avma_key(Release.WS2022, Edition.DATACENTER, 20348, overrides) == "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"
    assert keys.avma_key(Release.WS2022, Edition.STANDARD, 20348, overrides) == "YDFWN-MJ9JR-3DYRK-FXXRW-78VHK"
    assert keys.avma_key(Release.WS2019, Edition.DATACENTER, 17763, overrides) == "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"


def test_an_override_of_one_build_is_not_that_of_its_release() -> None:
    overrides = keys.read_overrides({"1909": {"Datacenter": KEY}, 29500: {"Standard": KEY}})
    assert keys.avma_key(Release.WS2019, Edition.DATACENTER, 18363, overrides) == KEY
    assert keys.avma_key(Release.WS2019, Edition.DATACENTER, 17763, overrides) == "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"
    assert keys.avma_key(None, Edition.STANDARD, 29500, overrides) == KEY
    assert keys.avma_key(None, Edition.STANDARD, 29501, overrides) is None


def test_an_override_of_a_release_is_that_of_its_sac_versions_too() -> None:
    overrides = keys.read_overrides({"2019": {"Datacenter": KEY}})
    assert keys.avma_key(Release.WS2019, Edition.DATACENTER, 18363, overrides) == KEY


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"2024 R2": {"Datacenter": KEY}}, "'2024 R2' is not a release"),
        ({"2022": {"Pro": KEY}}, "'Pro' is not one of Datacenter"),
        ({"2022": {"Datacenter": "nonsense"}}, "five groups of five"),
        ({"2022": {"Datacenter": None}}, "five groups of five"),
        ({"2022": {"Datacenter": "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"}}, "ending in 6VM33 for 2022 Datacenter is a KMS"),
        (
            {"2022": {"Datacenter": KEY}, 2022: {"ServerDatacenter": "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"}},
            "two keys for 2022",
        ),
        ({"Windows Server 2022 Standard": {"Datacenter": KEY}}, "contradict each other"),
        ({"2022": KEY}, "a dictionary is needed, of editions, each with its key"),
        ({"2022": None}, "a dictionary is needed, of editions, each with its key"),
        ([KEY], "a dictionary is needed, of releases, each with its editions"),
        ({True: {"Datacenter": KEY}}, "'True' is not a release"),
    ],
)
def test_overrides_that_can_never_apply_are_refused(overrides: object, words: str) -> None:
    with pytest.raises(ValueError, match=f"{words}"):
        keys.read_overrides(overrides)


def test_an_override_of_a_build_goes_before_the_one_of_its_release() -> None:
    other = "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"
    overrides = keys.read_overrides({"2019": {"Datacenter": KEY}, "1909": {"Datacenter": other}})
    assert keys.avma_key(Release.WS2019, Edition.DATACENTER, 18363, overrides) == other
    assert keys.avma_key(Release.WS2019, Edition.DATACENTER, 17763, overrides) == KEY


#: Microsoft, "Key Management Services (KMS) client activation and product keys".
CLIENT_KEYS = {
    ("2012 R2", "Standard"): "D2N9P-3P6X9-2R39C-7RTCD-MDVJX",
    ("2012 R2", "Datacenter"): "W3GGN-FT8W3-Y4M27-J84CP-Q3VJ9",
    ("2012 R2", "Essentials"): "KNC87-3J2TX-XB4WP-VCPJV-M4FWM",
    ("2016", "Standard"): "WC2BQ-8NRM3-FDDYY-2BFGV-KHKQY",
    ("2016", "Datacenter"): "CB7KF-BWN84-R7R2Y-793K2-8XDDG",
    ("2016", "Essentials"): "JCKRF-N37P4-C2D82-9YXRT-4M63B",
    ("2019", "Standard"): "N69G4-B89J2-4G8F4-WWYCC-J464C",
    ("2019", "Datacenter"): "WMDGN-G9PQG-XVVXX-R3X43-63DFG",
    ("2019", "Essentials"): "WVDHN-86M7X-466P6-VHXV7-YY726",
    ("2022", "Standard"): "VDYBN-27WPP-V4HQT-9VMD4-VMK7H",
    ("2022", "Datacenter"): "WX4NM-KYWYW-QJJR4-XV3QB-6VM33",
    ("2022", "Azure Edition"): "NTBV8-9K7Q8-V27C6-M2BTV-KHMXV",
    ("2025", "Standard"): "TVRH6-WHNXV-R9WG3-9XRFY-MY832",
    ("2025", "Datacenter"): "D764K-2NDRG-47T6Q-P8T8W-YP6DF",
    ("2025", "Azure Edition"): "XGN3F-F394H-FD2MY-PP6FD-8MCRC",
    ("1709", "Datacenter"): "6Y6KB-N82V8-D8CQV-23MJW-BWTG6",
    ("1803", "Standard"): "PTXN8-JFHJM-4WC78-MPCBR-9W4KR",
    ("1809", "Datacenter"): "6NMRW-2C8FM-D24W7-TQWMY-CWH2D",
    ("1909", "Standard"): "N2KJX-J94YW-TQVFB-DG9YT-724CC",
    ("20H2", "Datacenter"): "6NMRW-2C8FM-D24W7-TQWMY-CWH2D",
    ("23H2", "Datacenter"): None,
    ("2025", "Essentials"): None,
    ("1809", "Azure Edition"): None,
    ("29500", "Datacenter"): None,
}


@pytest.mark.parametrize(("release", "edition"), CLIENT_KEYS)
def test_the_client_key_of_a_version(release: str, edition: str) -> None:
    assert keys.kms_client_key(read_release(release).known_version, Edition(edition)) == CLIENT_KEYS[release, edition]


def test_the_client_key_of_a_machine_goes_by_its_channel_too() -> None:
    keys_of = {sku: keys.client_key_for(identify_system(17763, sku)) for sku in (8, 145, 148, 146)}
    assert keys_of == {
        8: CLIENT_KEYS["2019", "Datacenter"],
        145: CLIENT_KEYS["1809", "Datacenter"],
        148: CLIENT_KEYS["2019", "Standard"],
        146: CLIENT_KEYS["1909", "Standard"],
    }
    assert keys.client_key_for(identify_system(20348, 80)) == CLIENT_KEYS["2022", "Datacenter"]
    assert keys.client_key_for(identify_system(20348, 48)) is None


@pytest.mark.parametrize("release", list(Release))
@pytest.mark.parametrize("edition", list(Edition))
def test_where_there_is_an_avma_key_there_is_a_client_key(release: Release, edition: Edition) -> None:
    version = read_release(release).version
    assert (keys.avma_key(release, edition) is None) == (keys.kms_client_key(version, edition) is None)


@pytest.mark.parametrize(
    "text",
    [
        "TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J",
        "tmj3y-ntrtm-fjyxt-t22by-cwg3j",
        "TMJ3YNTRTMFJYXTT22BYCWG3J",
        "TMJ3Y NTRTM FJYXT T22BY CWG3J",
        " 'TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J' ",
        '"TMJ3Y–NTRTM–FJYXT–T22BY–CWG3J"',
        "slmgr /ipk TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J",
        "Installed product key TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J successfully.",
        "*****-*****-*****-*****-CWG3J",
        "*****-CWG3J",
        "XXXXX-XXXXX-XXXXX-XXXXX-CWG3J",
        "xxxxx-xxxxx-xxxxx-xxxxx-cwg3j",
        "TMJ3Y-*****-*****-*****-CWG3J",
        "TMJ3Y-XXXXX-XXXXX-XXXXX-CWG3J",
        "#####-#####-#####-#####-CWG3J",
        "•••••-•••••-•••••-•••••-CWG3J",
        "?????-?????-?????-?????-CWG3J",
        "…-CWG3J",
        "...CWG3J",
        "CWG3J",
        "cwg3j",
        "the key ending in CWG3J",
        "Partial Product Key: CWG3J",
        "(CWG3J)",
    ],
)
def test_a_key_is_known_as_it_is_pasted(text: str) -> None:
    assert keys.identify_key(text) == keys.KnownKey("2016", Edition.DATACENTER, "VT:IA")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "neither a product key"),
        ("CWG3", "neither a product key"),
        ("TMJ3Y-NTRTM-FJYXT-T22BY", "neither a product key"),
        ("NTRTM-FJYXT-T22BY-CWG3J", "neither a product key"),
        ("TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J-8DDXR", "neither a product key"),
        ("TMJ3Y-NTRTM-FJYXT-T22BY-CWG30", "neither a product key"),
        ("CWG3J 4RHYD", "several keys"),
        ("TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J, C3RCX-M6NRP-6CXC9-TW2F2-4RHYD", "several keys"),
    ],
)
def test_what_names_no_key_or_several_is_refused_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(keys.InvalidKeyError, match=words) as error:
        keys.identify_key(text)
    assert "NTRTM" not in str(error.value)


def test_a_whole_key_that_only_ends_like_a_known_one_is_not_known() -> None:
    assert keys.identify_key("F2K7M-QXW9C-VB4TN-HJ8RD-CWG3J") is None


@pytest.mark.parametrize("key", [*keys.AVMA_KEYS.values(), *keys.KMS_CLIENT_KEYS])
def test_what_is_shown_of_a_key_is_understood(key: str) -> None:
    for shown in (keys.last_five(key), keys.mask(key), f"the key ending in {keys.last_five(key)} is the AVMA key of"):
        assert keys.identify_key(shown) == keys.identify_key(key)


@pytest.mark.parametrize(
    "text",
    [
        "{key}",
        "the key {key}.",
        "PRODUCTKEY={key}\r\n",
        "8DDXR-2TFRP-H8P33-DV9BG-{key}",
        "{key}{key}",
    ],
)
@pytest.mark.parametrize("change", [str, str.lower, lambda key: key.replace("-", "")])
def test_no_whole_key_is_shown(text: str, change: Callable[[str], str]) -> None:
    key = change("F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3")
    masked = keys.mask({"a": [text.format(key=key)]})["a"][0]
    assert key not in masked
    assert key[:5] not in masked
    assert masked.rstrip("\r\n.").endswith(key[-5:])


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("CWH2D", "Windows Server, version 1809 Datacenter"),
        ("6VM33", "Windows Server 2022 Datacenter"),
        ("DV9BG", "Windows Server 2022 Datacenter"),
        ("Q3VJ9", "Windows Server 2012 R2 Datacenter"),
    ],
)
def test_a_known_key_is_called_by_the_windows_that_it_is_of(end: str, name: str) -> None:
    known = keys.identify_key(end)
    assert known is not None
    assert known.name == name


def test_every_public_key_has_a_name() -> None:
    assert all((known := keys.identify_key(key)) and known.name for key in keys.PUBLIC_KEYS)
