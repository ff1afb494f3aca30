# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must hold however bad the day is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from integration.playbooks import Run
from lab.client import Lab

#: How every machine listens here: what may vary on the wire varies, at random.
SHUFFLED = {"prefixes": "shuffled", "property_order": "shuffled", "item_wrapping": True}


def with_shuffled_answers(topology: dict[str, Any]) -> dict[str, Any]:
    """A topology whose machines listen so."""
    return {**topology, "defaults": {**topology.get("defaults", {}), "all": {"listener": SHUFFLED}}}


def assert_plain(run: Run, keys: Iterable[str]) -> None:
    """Whatever happened is told in plain words, and no host key is."""
    assert run.results
    results = "".join(json.dumps(result.result) for result in run.results)
    told = run.stdout + results
    # Where each thread was is told with -vvv, for whoever mends the collection: it is no part of a result.
    for noise in ("Traceback", "Unexpected failure", "HTTPConnectionPool", "object at 0x", "<s:Envelope"):
        assert noise not in results, results[max(0, results.index(noise) - 500) :][:1000]
    for key in keys:
        assert key not in told
        assert key.rpartition("-")[0] not in told


def assert_spent_once(lab: Lab) -> None:
    """No host key was spent twice, on one machine or on two."""
    assert {key: entry["spent"] for key, entry in lab.keystore().items() if len(entry["spent"]) > 1} == {}
