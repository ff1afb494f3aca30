# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The limit: 20 threads of one process that send each guest of an inventory the two queries that prove it, by pywinrm, and nothing else."""

from __future__ import annotations

import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman import messages
from winrm.protocol import Protocol

_QUERIES = (
    "SELECT BuildNumber, OperatingSystemSKU, Caption, CSName FROM Win32_OperatingSystem",
    "SELECT * FROM SoftwareLicensingProduct WHERE ApplicationID = '55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey IS NOT NULL",
)


def _ask(machine: dict[str, Any]) -> None:
    endpoint = f"http://{machine['ansible_host']}:{machine['ansible_port']}/wsman"
    protocol = Protocol(
        endpoint, transport="ntlm", username=machine["ansible_user"], password=machine["ansible_password"]
    )
    for query in _QUERIES:
        header = messages.Header(endpoint, f"uuid:{uuid.uuid4()}", 20)
        protocol.transport.send_message(messages.enumerate_wql(header, "root/cimv2", query, messages.MAX_ELEMENTS))


if __name__ == "__main__":
    groups = yaml.load(Path(sys.argv[1]).read_text(encoding="utf-8"), yaml.CSafeLoader)["all"]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(_ask, (groups["hosts"][name] for name in groups["children"]["avma_guests"]["hosts"])))
