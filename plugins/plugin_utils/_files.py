# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file at once: it is there as it was or as it shall be, never in part, and never open to more people than before.

    One that is there keeps its owner and mode; a new one gets what the umask allows.

    :raises OSError: It cannot be written.
    """
    _write(path, content, path if path.exists() else None)


def back_up(path: Path) -> Path:
    """Copy a file to one beside it, with its owner and mode, and the time in its name.

    :raises OSError: It cannot be copied.
    """
    # Named as Ansible's own modules name theirs.
    copy = path.with_name(f"{path.name}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S')}~")
    _write(copy, path.read_bytes(), path)
    return copy


def _write(path: Path, content: bytes, like: Path | None) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    # An answer file holds passwords: until it has its owner, nobody else reads it.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if like else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if like:
            _make_like(temporary, like.stat())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _make_like(path: Path, former: os.stat_result) -> None:
    mode = former.st_mode & 0o7777
    with contextlib.suppress(PermissionError):
        os.chown(path, -1, former.st_gid)
    with contextlib.suppress(PermissionError):
        os.chown(path, former.st_uid, -1)
    if path.stat().st_gid != former.st_gid:
        # What the former group might do is not for another one.
        mode &= ~0o070
    path.chmod(mode)
