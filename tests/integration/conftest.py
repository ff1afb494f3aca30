"""What the integration tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration import playbooks
from lab.client import Lab

RunPlaybook = Callable[..., playbooks.Run]


@pytest.fixture(scope="session")
def run_playbook(tmp_path_factory: pytest.TempPathFactory) -> RunPlaybook:
    """``run_playbook(lab, playbook, *arguments, **options)``: ``integration.playbooks.run_playbook`` in a new directory."""

    def run(lab: Lab | None, playbook: str | Path, *arguments: str, **options: Any) -> playbooks.Run:
        directory = tmp_path_factory.mktemp("playbook")
        return playbooks.run_playbook(directory, lab, playbook, *arguments, **options)

    return run
