# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What hard use shares with the integration tests."""

from __future__ import annotations

from integration.conftest import run_playbook

__all__ = ["run_playbook"]
