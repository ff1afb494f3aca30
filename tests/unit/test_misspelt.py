"""Which names of variables are warned of: those that are likely meant for the role that runs, and not the user's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._action import CheckedAction


def warned(role: str | None, *names: str) -> list[str]:
    """What is said of variables."""
    said: list[str] = []
    action: Any = SimpleNamespace(role=role, _display=SimpleNamespace(warning=said.append))
    CheckedAction.warn_of_misspelt(cast(CheckedAction, action), names)
    return said


@pytest.mark.parametrize(
    ("role", "name", "meant"),
    [
        ("guest_activation", "guest_activation_repalce", "guest_activation_replace"),
        ("guest_activation", "guest_activation_vms", "guest_activation_vm"),
        ("guest_activation", "guest_activation_hosts", "guest_activation_expected_hosts"),
        (
            "host_activation",
            "host_activation_key",
            "host_activation_key_release or host_activation_product_key or host_activation_volume_key",
        ),
        ("report", "report_titel", "report_title"),
    ],
)
def test_a_name_that_is_likely_meant(role: str, name: str, meant: str) -> None:
    assert warned(role, name) == [f"{name} is no variable of the role {role}: is {meant} meant?"]
    assert warned(None, name) == []


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("guest_activation", "guest_activation_enabled"),
        ("guest_activation", "guest_activation_group"),
        ("guest_activation", "guest_activation_result"),
        ("guest_activation", "guest_activation_replace"),
        ("host_activation", "host_activation_product_key_2022"),
        ("host_activation", "host_activation_edition"),
        ("report", "report_email"),
        ("report", "report_name"),
        ("report", "report_date"),
        ("unattend", "unattend_user"),
        ("verification", "verification_code"),
    ],
)
def test_a_users_own_name(role: str, name: str) -> None:
    assert warned(role, name) == []
