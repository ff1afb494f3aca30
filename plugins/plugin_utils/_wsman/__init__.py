# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI over WS-Management on the connection of the play. Private to this collection.

Knows messages and sessions, and nothing of licensing: ``session`` is what the layers above use.
"""
