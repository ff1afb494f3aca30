# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lab in a process of its own, for tests: started for a ``with`` block, ended with it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import yaml

from lab.control import Control, ControlError
from lab.merging import merged
from lab.releases import RELEASES

_TESTS = Path(__file__).resolve().parent.parent


def _by_winrm(guest: Mapping[str, Any]) -> dict[str, Any]:
    """A guest that no host of the lab can reach; what its own listener says goes first."""
    return {**guest, "listener": {"connection": "winrm", **guest.get("listener", {})}}


def _without_direct(guest: Mapping[str, Any], release: str) -> dict[str, Any]:
    """A guest of a host: Windows before 2016 has no PowerShell Direct, and Linux none."""
    known = RELEASES.get(str(guest.get("release", release or "2022")))
    able = known is not None and known.version == "10.0" and not guest.get("linux")
    return dict(guest) if able else _by_winrm(guest)


class Lab:
    """A running lab.

    ``with Lab(topology) as lab:`` takes the path of a topology or its content. The process ends with the block, and also when the
    test process dies.
    """

    #: How the ``hosts`` and ``guests`` of every lab are reached, as defaults of a topology have it, but for what their topology says.
    reached: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    #: The users of every lab's domain, but for what its topology says; without any, there is none.
    users: ClassVar[Sequence[Mapping[str, Any]]] = ()

    def __init__(self, topology: Path | Mapping[str, Any], directory: Path | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="lab-") if directory is None else None
        self.directory = Path(self._temporary.name) if self._temporary else Path(directory or "")
        self._topology = topology
        self._process: subprocess.Popen[str] | None = None
        self._control: Control | None = None

    def __enter__(self) -> Lab:
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "topology.yml"
        path.write_text(yaml.safe_dump(self._reachable()), encoding="utf-8")
        command = [sys.executable, "-m", "lab", "up", str(path), "--directory", str(self.directory), "--stop-at-eof"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]),
            },
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self._end()
            raise ControlError("the lab did not start; it says why on its standard error")
        self._control = Control(self.directory)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        unknown = self._unsupported()
        self._end()
        if self._temporary is not None:
            self._temporary.cleanup()
        if unknown:
            # Whatever became of the test: it rests on something that the lab does not have.
            raise ControlError("; ".join(unknown)) from value

    def _unsupported(self) -> list[str]:
        """What was asked of the lab that it does not know."""
        try:
            counters = self.call("counters")
        except ControlError:
            return []
        return sorted({message for report in counters.values() for message in report["unsupported"]})

    def _reachable(self) -> dict[str, Any]:
        """The topology with this class's ``reached`` among its defaults."""
        given = self._topology
        topology: dict[str, Any] = dict(
            yaml.safe_load(given.read_text(encoding="utf-8")) if isinstance(given, Path) else given
        )
        defaults = topology.get("defaults", {})
        unknown = set(defaults) - {"all", "hosts", "guests"}
        worked_in = {
            section: merged(merged(self.reached.get(section, {}), defaults.get("all", {})), defaults.get(section, {}))
            for section in ("hosts", "guests")
        }
        topology["defaults"] = worked_in | {name: defaults[name] for name in unknown}
        if worked_in["guests"].get("listener", {}).get("connection") == "powershell_direct":
            release = worked_in["guests"].get("release", "")
            topology["guests"] = [_by_winrm(guest) for guest in topology.get("guests", [])]
            topology["hosts"] = [
                {**host, "guests": [_without_direct(guest, release) for guest in host.get("guests", [])]}
                for host in topology.get("hosts", [])
            ]
        topology["users"] = [dict(user) for user in topology.get("users", self.users)]
        return topology

    def _end(self) -> None:
        if self._process is not None:
            # It stops at the end of its standard input.
            self._process.communicate(timeout=30)

    def call(self, verb: str, **arguments: Any) -> Any:
        """Run a verb of the control endpoint. Raises ``ControlError``."""
        assert self._control is not None
        return self._control.call(verb, **arguments)

    @property
    def inventory(self) -> Path:
        """The inventory for ``ansible-playbook -i``."""
        return self.directory / "inventory" / "hosts.yml"

    def counters(self, machine: str) -> dict[str, Any]:
        """The journal of a machine (``lab.counters.Journal.report``), with ``open_enumerations`` and ``open_shells``."""
        report: dict[str, Any] = self.call("counters")[machine]
        return report

    def invokes(self, machine: str) -> list[dict[str, Any]]:
        """The method calls that reached a machine, in order."""
        invokes: list[dict[str, Any]] = self.counters(machine)["invokes"]
        return invokes

    def writes(self) -> dict[str, list[dict[str, Any]]]:
        """The method calls that may change something, by machine; machines without any are left out."""
        return {name: report["writes"] for name, report in self.call("counters").items() if report["writes"]}

    @property
    def environment(self) -> dict[str, str]:
        """What Ansible's environment must have to reach the machines: where the domain's KDC is, if there is a domain."""
        configuration = self.directory / "krb5.conf"
        return {"KRB5_CONFIG": str(configuration)} if configuration.exists() else {}

    def failed_logins(self, user: str) -> int:
        """How many wrong passwords of a user of the domain its KDC has seen since the last right one."""
        failed: int = self.call("failed_logins", user=user)
        return failed

    def set_password(self, user: str, password: str) -> None:
        """Give a user of the domain another password."""
        self.call("set_password", user=user, password=password)

    def unlock(self, user: str) -> None:
        """Let in a user of the domain that too many wrong passwords have locked."""
        self.call("unlock", user=user)

    def reset_counters(self) -> None:
        """Begin new journals everywhere."""
        self.call("reset_counters")

    def machine(self, name: str) -> dict[str, Any]:
        """What the model knows of a machine."""
        state: dict[str, Any] = self.call("state", machine=name)
        return state

    def migrate(self, vm: str, host: str) -> None:
        """Live-migrate a guest."""
        self.call("migrate", vm=vm, host=host)

    def stop(self, machine: str) -> None:
        """Switch a machine off: its port refuses connections."""
        self.call("stop", machine=machine)

    def start(self, machine: str) -> None:
        """Switch a machine on."""
        self.call("start", machine=machine)

    def set(self, machine: str, key: str, value: str) -> None:
        """Change a property of the model."""
        self.call("set", machine=machine, key=key, value=value)

    def fault(self, machine: str, effect: str, **rule: Any) -> None:
        """Add a fault rule: ``lab.fault('VM01', 'hresult', value=0xC004FD02, match={'method': 'Activate'}, times=1)``."""
        self.call("fault", machine=machine, rule={"effect": effect, **rule})

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self.call("clear_faults")

    def keystore(self) -> dict[str, Any]:
        """The keys there are and what became of them, by their last five."""
        keys: dict[str, Any] = self.call("keystore")
        return keys
