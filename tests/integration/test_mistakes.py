# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mistakes that users make, each with what they are told: docs/testing.md lists them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def adhoc(directory: Path, module: str, arguments: str) -> str:
    """What `ansible localhost -m MODULE -a ARGUMENTS` prints; it must fail."""
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", module, "-a", arguments],
        cwd=directory,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(directory / "ansible")},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            "path=unattend.xml wait=true",
            "Unsupported parameters for (hyperv.avma.unattend_info) module: wait. Supported parameters include: architecture,",
        ),
        ("release=2022", "hyperv.avma.unattend_info: missing required arguments: path"),
    ],
)
def test_an_argument_error_names_the_module(arguments: str, told: str, tmp_path: Path) -> None:
    assert told in adhoc(tmp_path, "hyperv.avma.unattend_info", arguments)
