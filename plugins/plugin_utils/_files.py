# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file at once: it is there as it was or as it shall be, never in part. One that is there keeps its owner and mode.

    :raises OSError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        if path.exists():
            former = path.stat()
            temporary.chmod(former.st_mode)
            with contextlib.suppress(PermissionError):
                os.chown(temporary, former.st_uid, former.st_gid)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
