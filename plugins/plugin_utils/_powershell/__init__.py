# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions by CIM cmdlets of Windows PowerShell 5.1, over ssh or through a Hyper-V host. Private to this collection."""
