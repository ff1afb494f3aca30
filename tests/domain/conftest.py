"""Kerberos and CredSSP: `make kerberos` brings what these tests need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.conftest import run_playbook
from lab.client import Lab

__all__ = ["run_playbook"]

Kinit = Callable[..., Path]


@pytest.fixture(scope="session")
def kinit() -> Kinit:
    """``kinit(lab, user, cache, *arguments)``: get a user's ticket into a cache, as a user does before the play."""

    def get(lab: Lab, user: str, cache: Path, *arguments: str, password: str = "Domain-Passw0rd!") -> Path:
        subprocess.run(
            ["kinit", *arguments, user],
            env={"PATH": os.environ["PATH"], "KRB5CCNAME": f"FILE:{cache}", **lab.environment},
            input=f"{password}\n",
            text=True,
            check=True,
            capture_output=True,
        )
        return cache

    return get
