# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Product keys: which exist and what each is for (Windows' pkeyconfig), and Microsoft's activation servers.

The public AVMA and KMS client keys are transcribed from facts/avma.md §2.1, independently of the collection's own
table: this one is the oracle. The keys of hosts are made up, by the topology.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from lab import errors

AVMA = "VT:IA"
KMS_CLIENT = "Volume:GVLK"
MAK = "Volume:MAK"
RETAIL = "Retail"
OEM = "OEM:NONSLP"
#: The key of a KMS host.
CSVLK = "Volume:CSVLK"

_WELL_FORMED = re.compile(r"[BCDFGHJKMNPQRTVWXY2346789]{5}(-[BCDFGHJKMNPQRTVWXY2346789]{5}){4}")


def is_well_formed(key: str) -> bool:
    """Five groups of five characters of the product key alphabet, in any case."""
    return _WELL_FORMED.fullmatch(key.upper()) is not None


@dataclass(frozen=True)
class ProductKey:
    """A product key.

    The releases it is for share its ``generation``; ``channel`` is as ``ProductKeyChannel`` spells it (§3.6).
    """

    key: str
    generation: str
    edition: str
    channel: str
    #: How many activations a MAK or a KMS host's key has; ``None`` is no limit. Keys of other channels are for one machine.
    activations: int | None = None

    @property
    def last_five(self) -> str:
        """What ``PartialProductKey`` shows."""
        return self.key[-5:]


_AVMA_KEYS = {
    ("2025", "datacenter"): "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67",
    ("2025", "azure"): "6NMQ9-T38WF-6MFGM-QYGYM-88J4F",
    ("2025", "standard"): "WWVGQ-PNHV9-B89P4-8GGM9-9HPQ4",
    ("2022", "datacenter"): "W3GNR-8DDXR-2TFRP-H8P33-DV9BG",
    ("2022", "azure"): "F7TB6-YKN8Y-FCC6R-KQ484-VMK3J",
    ("2022", "standard"): "YDFWN-MJ9JR-3DYRK-FXXRW-78VHK",
    ("2019", "datacenter"): "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW",
    ("2019", "standard"): "TNK62-RXVTB-4P47B-2D623-4GF74",
    ("2019", "essentials"): "2CTP7-NHT64-BP62M-FV6GG-HFV28",
    ("2016", "datacenter"): "TMJ3Y-NTRTM-FJYXT-T22BY-CWG3J",
    ("2016", "standard"): "C3RCX-M6NRP-6CXC9-TW2F2-4RHYD",
    ("2016", "essentials"): "B4YNW-62DX9-W8V6M-82649-MHBKQ",
    ("2012 R2", "datacenter"): "Y4TGP-NPTV9-HTC2H-7MGQ3-DV4TW",
    ("2012 R2", "standard"): "DBGBW-NPF86-BJVTX-K3WKJ-MTB6V",
    ("2012 R2", "essentials"): "K2XGM-NMBT3-2R6Q8-WF2FK-P36R2",
}

_KMS_CLIENT_KEYS = {
    ("2025", "datacenter"): "D764K-2NDRG-47T6Q-P8T8W-YP6DF",
    ("2025", "standard"): "TVRH6-WHNXV-R9WG3-9XRFY-MY832",
    ("2025", "azure"): "XGN3F-F394H-FD2MY-PP6FD-8MCRC",
    ("2022", "datacenter"): "WX4NM-KYWYW-QJJR4-XV3QB-6VM33",
    ("2022", "standard"): "VDYBN-27WPP-V4HQT-9VMD4-VMK7H",
    ("2022", "azure"): "NTBV8-9K7Q8-V27C6-M2BTV-KHMXV",
}

# Keys up to 2019 are not in the facts; from Microsoft's page of KMS client activation keys.
_KMS_CLIENT_KEYS |= {
    ("2019", "datacenter"): "WMDGN-G9PQG-XVVXX-R3X43-63DFG",
    ("2019", "standard"): "N69G4-B89J2-4G8F4-WWYCC-J464C",
    ("2019", "essentials"): "WVDHN-86M7X-466P6-VHXV7-YY726",
    ("2016", "datacenter"): "CB7KF-BWN84-R7R2Y-793K2-8XDDG",
    ("2016", "standard"): "WC2BQ-8NRM3-FDDYY-2BFGV-KHKQY",
    ("2016", "essentials"): "JCKRF-N37P4-C2D82-9YXRT-4M63B",
    ("2012 R2", "datacenter"): "W3GGN-FT8W3-Y4M27-J84CP-Q3VJ9",
    ("2012 R2", "standard"): "D2N9P-3P6X9-2R39C-7RTCD-MDVJX",
}

PUBLIC_KEYS = tuple(
    ProductKey(key, generation, edition, channel)
    for channel, table in ((AVMA, _AVMA_KEYS), (KMS_CLIENT, _KMS_CLIENT_KEYS))
    for (generation, edition), key in table.items()
)

_ALPHABET = "BCDFGHJKMPQRTVWXY2346789"


def made_up_key(seed: str) -> str:
    """A well-formed key that no product has, the same for the same ``seed``."""
    digest = sha256(seed.encode()).digest()
    letters = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:25])
    return "-".join(letters[start : start + 5] for start in range(0, 25, 5))


@dataclass(frozen=True)
class Activation:
    """One activation that a key was spent on."""

    key: ProductKey
    machine: str
    time: datetime


#: Channels whose keys are for several activations, and what the servers answer when all are spent (§6).
_REFUSALS = {MAK: errors.SL_E_CHPA_DMAK_LIMIT_EXCEEDED, CSVLK: errors.SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED}


class KeyStore:
    """All product keys, and what Microsoft's activation servers remember of their use."""

    def __init__(self, keys: Iterable[ProductKey] = ()) -> None:
        self._keys = {key.key: key for key in (*PUBLIC_KEYS, *keys)}
        self.activations: list[Activation] = []

    def add(self, key: ProductKey) -> None:
        """Issue a key."""
        self._keys[key.key] = key

    def __iter__(self) -> Iterator[ProductKey]:
        return iter(self._keys.values())

    def find(self, key: str) -> ProductKey | None:
        """What the key is for, or ``None`` if no such key was ever issued."""
        return self._keys.get(key.upper())

    def public(self, generation: str, edition: str, channel: str) -> ProductKey | None:
        """The AVMA or KMS client key of a release and edition."""
        return next(
            (item for item in self if (item.generation, item.edition, item.channel) == (generation, edition, channel)),
            None,
        )

    def spend(self, key: ProductKey, machine: str, time: datetime) -> int:
        """Activate ``key`` for ``machine`` at the activation servers; S_OK or the HRESULT of the refusal.

        A MAK and a KMS host's key pay for every activation, on the same machine too. Any other key is for one machine, which
        may activate again.
        """
        used = [item for item in self.activations if item.key == key]
        if key.channel in _REFUSALS:
            if key.activations is not None and len(used) >= key.activations:
                return _REFUSALS[key.channel]
        elif any(item.machine != machine for item in used):
            return errors.SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED
        self.activations.append(Activation(key, machine, time))
        return errors.S_OK
