"""What is left to do in each of the processes that Ansible forks, one for every task and host."""

from __future__ import annotations

import subprocess
import sys

_PACKAGE = "ansible_collections.hyperv.avma.plugins"
_PROGRAM = f"""
import sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([])
import {_PACKAGE}.action.guest_key
print("\\n".join(sys.modules))
"""


def test_transports_are_imported_with_the_action() -> None:
    # Ansible imports the action before it forks; what is imported later, it compiles anew in each process.
    modules = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    transports = {f"{_PACKAGE}.plugin_utils._wsman.{name}" for name in ("winrm", "psrp", "http")}
    assert transports <= set(modules.stdout.splitlines())
