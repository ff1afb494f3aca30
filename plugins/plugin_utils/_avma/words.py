# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a remedy tells a user to type, in the words of what he typed. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping

#: By the name that texts of problems use in braces: to one whose task names a module, and to one who runs a role or a playbook of this
#: collection. ``{role}`` is the role that runs.
WORDS: Mapping[str, tuple[str, str]] = {
    "run_guest_key": ("Run guest_key on it", "Run the playbook hyperv.avma.site"),
    "run_host_key": ("Run host_key on it", "Run the playbook hyperv.avma.site"),
    "run_unattend_key": ("Run unattend_key on it", "Run the role hyperv.avma.unattend"),
    "convert": ("a guest with guest_edition", "a guest with guest_activation_convert_evaluation: true"),
    "guest_replace": ("replace: true", "guest_activation_replace: true"),
    "guest_product_key": ("product_key", "guest_activation_product_key"),
    "guest_timeout": ("timeout", "guest_activation_timeout"),
    "no_activation": ("activate: false", "guest_activation_activate: false"),
    "guest_edition": ("edition", "guest_activation_edition"),
    "select_image": ("select_image: true", "unattend_select_image: true"),
    "host_replace": ("replace: true", "host_activation_replace: true"),
    "host_product_key": ("product_key", "host_activation_product_key"),
    "host_timeout": ("timeout", "host_activation_timeout"),
    "key_overrides": ("key_overrides", "{role}_key_overrides"),
    "release_and_edition": ("release and edition", "{role}_release and {role}_edition"),
}

_role: str | None = None


def speak_to(role: str | None) -> None:
    """Say for whom the problems of this process are: Ansible runs each task in a process of its own.

    :param role: The role of this collection that the task belongs to, without its collection; None for a task of the user's own.
    """
    global _role
    _role = role


def words() -> dict[str, str]:
    """What is to be typed, by the names that the texts of problems use."""
    if _role is None:
        return {name: module for name, (module, _in_role) in WORDS.items()}
    return {name: in_role.replace("{role}", _role) for name, (_module, in_role) in WORDS.items()}
