# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether an activation that a guest tells of can be one by AVMA."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.evidence import implausible_activation
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import assess
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.licenses import Activation, License, Status
from ansible_collections.hyperv.avma.plugins.test.activated_by import activated_by

NOW = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
RIGHT = License(
    "Windows(R)", "", Status.LICENSED, None, "VT:IA", KEY[-5:], "ID", 10080, None, Activation("HV01", NOW, None, None)
)


@pytest.mark.parametrize(
    ("minutes", "time", "words"),
    [
        (10080, NOW, None),
        (259_200, NOW, None),
        (259_201, NOW, "for another 180 days"),
        (2**31 - 1, NOW, "for another 1491308 days"),
        (10080, None, "it has no time"),
    ],
)
def test_what_can_be_an_activation_by_avma(minutes: int, time: datetime | None, words: str | None) -> None:
    license = replace(RIGHT, grace_minutes=minutes, activation=Activation("HV01", time, None, None))
    found = implausible_activation(license)
    assert (found is None) is (words is None)
    assert found is None or (found.code == "activation_implausible" and words and words in found.message)
    assert [item.code for item in assess(license, KEY)] == ([found.code] if found else [])
    shown: dict[str, Any] = {
        "license": license.to_dict(),
        "activation": license.activation.to_dict() if license.activation else None,
    }
    assert activated_by(shown, "hv01.lab.example") is (words is None)


def test_no_activation_is_told_elsewhere() -> None:
    assert implausible_activation(replace(RIGHT, activation=None)) is None


def test_the_test_says_what_to_give_it() -> None:
    with pytest.raises(AnsibleFilterError, match="the guest of guest_info"):
        activated_by({}, "HV01")
