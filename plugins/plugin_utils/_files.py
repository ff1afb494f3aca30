# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path


def write_file(path: Path, content: bytes, like: Path | None = None) -> None:
    """Write a file at once: it is there as it was or as it shall be, never in part. One that is there keeps its owner and mode.

    Until it is complete, nobody else can read it: it may hold passwords.

    :param like: Whose owner and mode it gets, if not its own.

    :raises OSError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        model = like or path
        if model.exists():
            former = model.stat()
            # Before the mode: a change of the owner takes some of its bits away.
            with contextlib.suppress(PermissionError):
                os.chown(temporary, former.st_uid, former.st_gid)
            temporary.chmod(stat.S_IMODE(former.st_mode))
        else:
            temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
