# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a remedy tells a user to type, in the words of what he typed. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: By the name that texts have in braces: what is typed by one whose task names a module, by one who uses a role of this collection, and
#: by one who runs a playbook of it, if that is another. ``{role}`` stands for the role that runs.
WORDS: Mapping[str, tuple[str, ...]] = {
    "run_guest_key": (
        "Run guest_key on it",
        "Run the role hyperv.avma.guest_activation on it",
        "Run ansible-playbook hyperv.avma.site",
    ),
    "run_host_key": (
        "Run host_key on it",
        "Run the role hyperv.avma.host_activation on it",
        "Run ansible-playbook hyperv.avma.site",
    ),
    "run_unattend_key": ("Run unattend_key on it", "Run the role hyperv.avma.unattend on it"),
    "guest_key": ("guest_key", "the role hyperv.avma.guest_activation", "the playbook hyperv.avma.site"),
    "host_key": ("host_key", "the role hyperv.avma.host_activation", "the playbook hyperv.avma.site"),
    "see_host": (
        "See what host_info and vm_info say of",
        "See in the report (the role hyperv.avma.report) what is said of",
        "See in the report (ansible-playbook hyperv.avma.report) what is said of",
    ),
    "vm_data_exchange": ("vm_data_exchange", "the module hyperv.avma.vm_data_exchange"),
    "convert": (
        "a guest with guest_edition",
        "a guest with guest_activation_convert_evaluation: true",
        "a guest with -e guest_activation_convert_evaluation=true",
    ),
    "convert_timeout": ("timeout", "guest_activation_convert_timeout"),
    "guest_replace": (
        "replace: true",
        "guest_activation_replace: true",
        "-e guest_activation_replace=true and --limit to this machine",
    ),
    "guest_product_key": ("product_key", "guest_activation_product_key"),
    "guest_timeout": ("timeout", "guest_activation_timeout"),
    "guest_edition": ("edition", "guest_activation_edition"),
    "guest_vm": ("vm", "guest_activation_vm", "build_vm_name"),
    "no_activation": ("activate: false", "guest_activation_activate: false", "-e guest_activation_activate=false"),
    # Never for all hosts at once.
    "host_replace": ("replace: true", "host_activation_replace: true in the variables of this host"),
    "host_product_key": ("product_key", "host_activation_product_key"),
    "host_targets": ("targets", "host_activation_targets"),
    "host_timeout": ("timeout", "host_activation_timeout"),
    "volume_key": ("volume_key: true", "host_activation_volume_key: true"),
    "select_image": ("select_image: true", "unattend_select_image: true"),
    "vm_name": ("name", "build_vm_name"),
    "product_key": ("product_key", "{role}_product_key"),
    "release_and_edition": ("release and edition", "{role}_release and {role}_edition"),
    "key_overrides": ("key_overrides", "{role}_key_overrides"),
    "expected_hosts": ("expected_hosts", "{role}_expected_hosts"),
    "merge": ("merge", "report_merge"),
    "dest": ("dest", "{role}_dest"),
}

#: Variables that are not called like the option that they set.
_RENAMED: Mapping[str, str] = {
    "report_since": "report_events_since",
    "verification_dest": "verification_report_dest",
}

#: Where this process speaks from: the role that runs, if one does, and whether a playbook of this collection was started.
_role: str | None = None
_playbook = False


def speak_to(role: str | None, playbook: bool = False) -> None:
    """Say for whom the problems of this process are: Ansible runs each task in a process of its own.

    :param role: The role of this collection whose variables set the options of the task, without its collection; None for a task of the
        user's own.
    :param playbook: Whether what was typed is the name of a playbook of this collection.
    """
    global _role, _playbook
    _role, _playbook = role, playbook


def variable(option: str) -> str:
    """What a user types to set an option of the module that runs."""
    if _role is None:
        return option
    return _RENAMED.get(f"{_role}_{option}", f"{_role}_{option}")


def say(text: str) -> str:
    """A text with what is to be typed in the place of its name in braces. Other braces are left as they are."""
    return re.sub(r"\{(\w+)\}", lambda match: _word(match[1]) if match[1] in WORDS else match[0], text)


def _word(name: str) -> str:
    module, *of_role = WORDS[name]
    if _role is None:
        return module
    return re.sub(r"\{role\}_(\w+)", lambda match: variable(match[1]), of_role[-1 if _playbook else 0])
