# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The licence of a machine as read from it. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from . import keys
from .hresults import format_hresult, parse_hresult


class Status(str, Enum):
    """``SoftwareLicensingProduct.LicenseStatus`` in words (slmgr.vbs; facts, section 3.8)."""

    UNLICENSED = "unlicensed"
    LICENSED = "licensed"
    OUT_OF_BOX_GRACE = "out_of_box_grace"
    OUT_OF_TOLERANCE_GRACE = "out_of_tolerance_grace"
    NON_GENUINE_GRACE = "non_genuine_grace"
    NOTIFICATION = "notification"
    EXTENDED_GRACE = "extended_grace"

    def __str__(self) -> str:
        return self.value


#: By the number that Windows gives.
STATUSES = tuple(Status)


@dataclass(frozen=True)
class Activation:
    """Which host activated a guest, and when.

    :ivar iaid: The inherited activation id.
    :ivar host_pid: The host's digital product id.
    """

    host: str
    time: datetime | None
    iaid: str | None
    host_pid: str | None

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(activation))."""
        return {
            "host": self.host,
            "time": format_time(self.time),
            "iaid": self.iaid,
            "host_pid": self.host_pid,
        }


@dataclass(frozen=True)
class License:
    """The row of ``SoftwareLicensingProduct`` that holds the product key of Windows.

    :ivar reason: LicenseStatusReason, an HRESULT; None if there is none.
    :ivar channel: ProductKeyChannel.
    :ivar avma: Whether the key is one that a host activates.
    :ivar grace_minutes: GracePeriodRemaining: what is left of a grace period or of the activation.
    """

    name: str
    description: str
    status: Status
    reason: int | None
    channel: str | None
    partial_product_key: str | None
    activation_id: str
    grace_minutes: int
    license_family: str | None
    activation: Activation | None = None

    @property
    def licensed(self) -> bool:
        """Whether Windows is activated, beyond any grace period."""
        return self.status is Status.LICENSED

    @property
    def working(self) -> bool:
        """Whether Windows is activated with its key, or was, and is in a grace period since; the first one follows no activation."""
        return self.licensed or self.status in (
            Status.OUT_OF_TOLERANCE_GRACE,
            Status.NON_GENUINE_GRACE,
            Status.EXTENDED_GRACE,
        )

    @property
    def avma(self) -> bool:
        # Two marks, because the whole Description of an AVMA row is UNVERIFIED (facts, section 3.6).
        return self.channel == keys.AVMA_CHANNEL or "VIRTUAL_MACHINE_ACTIVATION" in self.description

    @property
    def kms_client(self) -> bool:
        """Whether the key is one by which a KMS host, or Active Directory, activates this machine."""
        return self.channel == keys.KMS_CHANNEL or "VOLUME_KMSCLIENT" in self.description

    @property
    def kms_host(self) -> bool:
        """Whether the key makes this machine a KMS host (slmgr.vbs, IsKmsServer; facts, section 12)."""
        return self.channel == keys.KMS_HOST_CHANNEL or ("VOLUME_KMS" in self.description and not self.kms_client)

    @property
    def public_key(self) -> str | None:
        """The whole key, if it is public and so can be installed again: an AVMA key or a KMS client key."""
        channel = keys.AVMA_CHANNEL if self.avma else keys.KMS_CHANNEL if self.kms_client else ""
        return keys.public_key(self.partial_product_key or "", channel)

    @property
    def key_name(self) -> str:
        """What kind of key it is, in words."""
        words = {
            "Volume:MAK": "a Multiple Activation Key (MAK)",
            "Retail": "a retail key",
            keys.KMS_HOST_CHANNEL: "the key of a KMS host",
        }
        if self.avma:
            return "an AVMA key"
        if self.kms_client:
            return "a KMS client key"
        channel = self.channel or "unknown"
        return words.get(channel) or ("an OEM key" if channel.startswith("OEM:") else f"a key of channel {channel}")

    @property
    def proved(self) -> bool:
        """Whether a host has activated this guest and left its name."""
        return self.licensed and self.avma and self.activation is not None

    def has_key(self, product_key: str) -> bool:
        """Whether this key is the installed one, as far as its last five characters tell."""
        return self.partial_product_key == keys.last_five(product_key)

    def to_dict(self) -> dict[str, object]:
        """As the modules return it (RV(license))."""
        return {
            "name": self.name,
            "description": self.description,
            "license_family": self.license_family,
            "status": str(self.status),
            "reason": None if self.reason is None else format_hresult(self.reason),
            "channel": self.channel,
            "avma": self.avma,
            "partial_product_key": self.partial_product_key,
            "activation_id": self.activation_id,
            "grace_minutes": self.grace_minutes,
        }

    @classmethod
    def from_dict(cls, shown: Mapping[str, Any]) -> License:
        """From what the modules return, which tell of its activation elsewhere."""
        return cls(
            name=shown["name"],
            description=shown.get("description", ""),
            status=Status(shown["status"]),
            reason=parse_hresult(shown["reason"]) if shown["reason"] else None,
            channel=shown["channel"],
            partial_product_key=shown["partial_product_key"],
            activation_id=shown["activation_id"],
            grace_minutes=shown["grace_minutes"],
            license_family=shown.get("license_family"),
        )


def format_time(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC, to the second."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
