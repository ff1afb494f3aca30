# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AVMA keys that Microsoft documents, and keys that are mistaken for them. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .releases import VERSIONS, Edition, Release, System, WindowsVersion
from .spelling import Named, read_system

#: Where the AVMA keys stand, and when the table was read.
SOURCE = (
    'Microsoft, "Automatic Virtual Machine Activation in Windows Server" (2012 R2 to 2022: 2023-09-19; 2025: tab server2025), '
    "read 2026-11-21"
)

#: ``SoftwareLicensingProduct.ProductKeyChannel`` of a row with an AVMA key (facts, section 3.6).
AVMA_CHANNEL = "VT:IA"
#: The same of a KMS client key.
KMS_CHANNEL = "Volume:GVLK"
#: The same of the key of a KMS host.
KMS_HOST_CHANNEL = "Volume:CSVLK"

#: The generic AVMA keys. They are public, and made to be the same everywhere.
AVMA_KEYS: Mapping[tuple[Release, Edition], str] = {
    (Release.WS2012R2, Edition.DATACENTER): "Y4TGP-NPTV9-HTC2H-7MGQ3-DV4TW",
    (Release.WS2012R2, Edition.STANDARD): "DBGBW-NPF86-BJVTX-K3WKJ-MTB6V",
    (Release.WS2012R2, Edition.ESSENTIALS): "K2XGM-NMBT3-2R6Q8-WF2FK-P36R2",
    (Release.WS2016, Edition.DATACENTER): "TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J",
    (Release.WS2016, Edition.STANDARD): "C3RCX-M6NRP-6CXC9-TW2F2-4RHYD",
    (Release.WS2016, Edition.ESSENTIALS): "B4YNW-62DX9-W8V6M-82649-MHBKQ",
    (Release.WS2019, Edition.DATACENTER): "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW",
    (Release.WS2019, Edition.STANDARD): "TNK62-RXVTB-4P47B-2D623-4GF74",
    (Release.WS2019, Edition.ESSENTIALS): "2CTP7-NHT64-BP62M-FV6GG-HFV28",
    (Release.WS2022, Edition.DATACENTER): "W3GNR-8DDXR-2TFRP-H8P33-DV9BG",
    (Release.WS2022, Edition.STANDARD): "YDFWN-MJ9JR-3DYRK-FXXRW-78VHK",
    (Release.WS2022, Edition.AZURE): "F7TB6-YKN8Y-FCC6R-KQ484-VMK3J",
    (Release.WS2025, Edition.DATACENTER): "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67",
    (Release.WS2025, Edition.STANDARD): "WWVGQ-PNHV9-B89P4-8GGM9-9HPQ4",
    (Release.WS2025, Edition.AZURE): "6NMQ9-T38WF-6MFGM-QYGYM-88J4F",
}

#: KMS client keys (GVLK), public as well: by key, the version that it is called after, and the edition. Those of 1809 are those of all
#: later versions of the Semi-Annual Channel.
#: Source: Microsoft, "Key Management Services (KMS) client activation and product keys", 2024-10-01, read 2026-11-25.
KMS_CLIENT_KEYS: Mapping[str, tuple[str, Edition]] = {
    "XC9B7-NBPP2-83J2H-RHMBY-92BT4": ("2012", Edition.STANDARD),
    "48HP8-DN98B-MYWDG-T2DCC-8W83P": ("2012", Edition.DATACENTER),
    "HTDQM-NBMMG-KGYDT-2DTKT-J2MPV": ("2012", Edition.ESSENTIALS),
    "D2N9P-3P6X9-2R39C-7RTCD-MDVJX": ("2012 R2", Edition.STANDARD),
    "W3GGN-FT8W3-Y4M27-J84CP-Q3VJ9": ("2012 R2", Edition.DATACENTER),
    "KNC87-3J2TX-XB4WP-VCPJV-M4FWM": ("2012 R2", Edition.ESSENTIALS),
    "WC2BQ-8NRM3-FDDYY-2BFGV-KHKQY": ("2016", Edition.STANDARD),
    "CB7KF-BWN84-R7R2Y-793K2-8XDDG": ("2016", Edition.DATACENTER),
    "JCKRF-N37P4-C2D82-9YXRT-4M63B": ("2016", Edition.ESSENTIALS),
    "DPCNP-XQFKJ-BJF7R-FRC8D-GF6G4": ("1709", Edition.STANDARD),
    "6Y6KB-N82V8-D8CQV-23MJW-BWTG6": ("1709", Edition.DATACENTER),
    "PTXN8-JFHJM-4WC78-MPCBR-9W4KR": ("1803", Edition.STANDARD),
    "2HXDN-KRXHB-GPYC7-YCKFJ-7FVDG": ("1803", Edition.DATACENTER),
    "N69G4-B89J2-4G8F4-WWYCC-J464C": ("2019", Edition.STANDARD),
    "WMDGN-G9PQG-XVVXX-R3X43-63DFG": ("2019", Edition.DATACENTER),
    "WVDHN-86M7X-466P6-VHXV7-YY726": ("2019", Edition.ESSENTIALS),
    "N2KJX-J94YW-TQVFB-DG9YT-724CC": ("1809", Edition.STANDARD),
    "6NMRW-2C8FM-D24W7-TQWMY-CWH2D": ("1809", Edition.DATACENTER),
    "VDYBN-27WPP-V4HQT-9VMD4-VMK7H": ("2022", Edition.STANDARD),
    "WX4NM-KYWYW-QJJR4-XV3QB-6VM33": ("2022", Edition.DATACENTER),
    "NTBV8-9K7Q8-V27C6-M2BTV-KHMXV": ("2022", Edition.AZURE),
    "TVRH6-WHNXV-R9WG3-9XRFY-MY832": ("2025", Edition.STANDARD),
    "D764K-2NDRG-47T6Q-P8T8W-YP6DF": ("2025", Edition.DATACENTER),
    "XGN3F-F394H-FD2MY-PP6FD-8MCRC": ("2025", Edition.AZURE),
}

#: All of these.
PUBLIC_KEYS = frozenset({*AVMA_KEYS.values(), *KMS_CLIENT_KEYS})

# The alphabet of product keys: base 24 without vowels and look-alikes, and the N of keys since Windows 8.
CHARACTER = "[BCDFGHJKMNPQRTVWXY2346789]"
GROUP = f"{CHARACTER}{{5}}"
_PRODUCT_KEY = re.compile(f"{GROUP}(?:-{GROUP}){{4}}")
# Also in small letters and without hyphens.
_KEY_LENGTH = 25
_ANY_PRODUCT_KEY = re.compile(f"(?:{GROUP}-?){{4}}({GROUP})", re.IGNORECASE)

# Keys in a text. What is not shown of one is masked by marks or by XXXXX, of which each is a well-formed group as well.
_HIDDEN = r"(?:[*#?•.…]+|X{5})"
_WHOLE_KEY, _MASKED_KEY, _LAST_FIVE = (
    re.compile(rf"(?<![A-Z0-9-]){pattern}(?![A-Z0-9-])", re.IGNORECASE)
    for pattern in (
        rf"(?!(?:{GROUP}[-\s]?){{0,3}}X{{5}})((?:{GROUP}[-\s]?){{4}}{GROUP})",
        rf"(?:(?:{GROUP}|{_HIDDEN})[-\s]?){{0,3}}{_HIDDEN}[-\s]?({GROUP})",
        f"({GROUP})",
    )
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")

#: A user's additions to the table: by build number or by release with its SAC versions, and by edition.
Overrides = Mapping[tuple[int | Release, Edition], str]


class InvalidKeyError(ValueError):
    """The text is not a product key. The message does not repeat it: it may be a secret with a typing error."""


@dataclass(frozen=True)
class KnownKey:
    """A public key of the tables: ``release`` is a release or SAC version, ``channel`` a ProductKeyChannel."""

    release: str
    edition: Edition
    channel: str

    @property
    def name(self) -> str:
        """Of which Windows it is, as Microsoft calls that."""
        version = next(version for version in VERSIONS if version.client_keys == self.release)
        return f"{version.name} {self.edition}"


def normalize_key(text: str) -> str:
    """A product key in capitals, with plain hyphens.

    :raises InvalidKeyError: It is not five groups of five letters and digits that product keys use.
    """
    # Microsoft's own error page names dashes changed by a word processor as a cause of 0xC004F050.
    key = _DASHES.sub("-", text).strip().upper()
    if not _PRODUCT_KEY.fullmatch(key) or "XXXXX-XXXXX" in key:
        raise InvalidKeyError(
            f"a product key is five groups of five letters and digits, joined by hyphens, and this {_defect(key)}"
        )
    return key


def _defect(text: str) -> str:
    """What keeps a text from being a product key, without the text."""
    lengths = [len(group) for group in text.split("-")]
    if re.search(rf"{_HIDDEN}-", text):
        return "is masked: the whole key is needed"
    if lengths == [len(text)]:
        return f"has {len(text)} characters and no hyphen"
    if lengths != [5] * 5:
        return f"has groups of {', '.join(map(str, lengths))}"
    strange = sorted({character for character in text if character.isalnum()} - set(CHARACTER))
    return f"has {' and '.join(strange) or 'another character'}, which no product key has"


def last_five(key: str) -> str:
    """What of a key may be shown, and what Windows tells of an installed one (``PartialProductKey``)."""
    return key[-5:]


def mask(value: Any) -> Any:
    """A value of JSON's types with every product key in its texts cut down to its last five characters."""
    if isinstance(value, str):
        # Most texts are shorter than a key.
        if len(value) < _KEY_LENGTH:
            return value
        # Until there is no more: what is left of one may be the beginning of another.
        while (shown := _ANY_PRODUCT_KEY.sub(r"*****-\1", value)) != value:
            value = shown
        return value
    if isinstance(value, Mapping):
        return {mask(name): mask(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [mask(item) for item in value]
    return value


def identify_key(text: str) -> KnownKey | None:
    """What a key is known to be; None if it is in neither table.

    :param text: A whole key, or what may be shown of one: its last five characters, alone, behind a mask, or in a sentence.
    :raises InvalidKeyError: It holds no key, or several.
    """
    return _find_public_key(_read_suffix(text))


def _read_suffix(text: str) -> str:
    """The end of the one key in a text, as much of it as there is."""
    plain = _DASHES.sub("-", text)
    for pattern in (_WHOLE_KEY, _MASKED_KEY, _LAST_FIVE):
        found = {re.sub(r"[-\s]", "", match[1]).upper() for match in pattern.finditer(plain)}
        if len(found) == 1:
            return found.pop()
        if found:
            raise InvalidKeyError("these are several keys")
    raise InvalidKeyError("this is neither a product key nor the last five characters of one")


def _find_public_key(suffix: str) -> KnownKey | None:
    for (release, edition), key in AVMA_KEYS.items():
        if key.replace("-", "").endswith(suffix):
            return KnownKey(str(release), edition, AVMA_CHANNEL)
    for key, (version, edition) in KMS_CLIENT_KEYS.items():
        if key.replace("-", "").endswith(suffix):
            return KnownKey(version, edition, KMS_CHANNEL)
    return None


def public_key(last_five_characters: str, channel: str) -> str | None:
    """The AVMA key or KMS client key with this end, which can be installed again; None if it is in no table."""
    tables = {AVMA_CHANNEL: list(AVMA_KEYS.values()), KMS_CHANNEL: list(KMS_CLIENT_KEYS)}
    return next((key for key in tables.get(channel, []) if last_five(key) == last_five_characters), None)


def read_overrides(written: Any) -> Overrides:
    """A user's additions to the table, as written: by the name of a release, SAC version or build, then by edition.

    :param written: From YAML, which makes numbers of some names.
    :raises ValueError: One can never apply, is no AVMA key, or contradicts another one.
    """
    overrides: dict[tuple[int | Release, Edition], str] = {}
    for release, editions in _entries(written, "of releases, each with its editions"):
        for edition, text in _entries(editions, "of editions, each with its key"):
            name = f"{release} {edition}"
            try:
                named = read_system(release, edition)
                key = normalize_key(str(text))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
            known = identify_key(key)
            if known and known.channel != AVMA_CHANNEL:
                raise ValueError(
                    f"the key ending in {last_five(key)} for {name} is a KMS client key, which no host can activate"
                )
            if overrides.setdefault(_scope(named), key) != key:
                raise ValueError(f"there are two keys for {name}")
    return overrides


def _entries(written: Any, what: str) -> Iterable[tuple[Any, Any]]:
    if not isinstance(written, Mapping):
        raise ValueError(f"a dictionary is needed, {what}")
    return written.items()


def _scope(named: Named) -> tuple[int | Release, Edition]:
    scope = named.exact_build or named.release
    if scope is None or named.edition is None:
        raise ValueError("a release and an edition are needed")
    return scope, named.edition


def avma_key(
    release: Release | None, edition: Edition, build: int | None = None, overrides: Overrides | None = None
) -> str | None:
    """The AVMA key of a release and edition, or None if none is documented.

    :param build: Also look for an addition for this very build.
    :param overrides: A user's additions; they go before the table, and the one for a build before the one for its release.
    """
    for scope in (build, release):
        if scope is not None and (key := (overrides or {}).get((scope, edition))):
            return key
    return AVMA_KEYS.get((release, edition)) if release else None


def kms_client_key(version: WindowsVersion | None, edition: Edition | None) -> str | None:
    """The KMS client key of a version and edition, or None if none is documented."""
    wanted = (version.client_keys, edition) if version else None
    return next((key for key, owner in KMS_CLIENT_KEYS.items() if owner == wanted), None)


def documented_versions(channel: str = AVMA_CHANNEL) -> list[str]:
    """The versions that have AVMA keys, or KMS client keys, for messages."""
    return [
        version.name for version in VERSIONS if (version.release if channel == AVMA_CHANNEL else version.client_keys)
    ]


def key_for(system: System, overrides: Overrides | None = None) -> str | None:
    """The AVMA key that a machine needs, or None if none is documented."""
    if system.edition is None:
        return None
    return avma_key(system.release, system.edition, system.build, overrides)


def version_of(system: System) -> WindowsVersion | None:
    """The version that a machine runs; None if it is not known here."""
    return next((version for version in VERSIONS if version.name == system.name), None)


def is_of_build(key: KnownKey, build: int) -> bool:
    """Whether a public key is of a Windows that has this build."""
    return any(
        key.release == (version.client_keys if key.channel == KMS_CHANNEL else str(version.release))
        for version in VERSIONS
        if version.build == build
    )


def client_key_for(system: System) -> str | None:
    """The KMS client key that a machine needs, or None if none is documented."""
    return kms_client_key(version_of(system), system.edition)
