"""A callback plugin of the tests: notes each result as a line of JSON in the file that AVMA_TEST_RESULTS names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: aggregate
short_description: Notes results for the tests
description: Notes each result as a line of JSON.
requirements: []
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """See above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def _note(self, **line: Any) -> None:
        with Path(os.environ["AVMA_TEST_RESULTS"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def _note_result(self, status: str, result: Any) -> None:
        # Up to ansible-core 2.18 the attributes have an underscore, from 2.23 on they have none.
        host, task, values = (
            getattr(result, name, None) or getattr(result, f"_{name}") for name in ("host", "task", "result")
        )
        self._note(host=host.get_name(), task=task.name, action=task.action, status=status, result=values)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._note_result("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._note_result("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._note_result("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._note_result("skipped", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._note(stats={host: stats.summarize(host) for host in stats.processed})
