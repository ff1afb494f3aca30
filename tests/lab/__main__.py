# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line of the lab: ``up``, ``down``, ``ctl``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lab import inventory
from lab.control import STATE_FILE, Control, ControlError, Endpoint
from lab.server import Lab
from lab.topology import load


def main() -> int:
    """Run a command; the exit status."""
    arguments = _parser().parse_args()
    try:
        status: int = arguments.run(arguments)
    except (ControlError, ValueError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab", description="Simulated Windows machines behind WS-Man listeners."
    )
    commands = parser.add_subparsers(required=True)

    up = commands.add_parser("up", help="run a topology until it is told to stop")
    up.add_argument("topology", type=Path, help="a YAML file; tests/lab/topologies has some")
    up.add_argument("--port-base", type=int, help="number the machines' ports from here (default: any free ones)")
    up.add_argument("--detach", action="store_true", help="return when it is ready and leave it running")
    up.add_argument("--stop-at-eof", action="store_true", help="stop when standard input ends")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="stop the lab of a directory")
    down.set_defaults(run=_down)

    ctl = commands.add_parser("ctl", help="look at a running lab and change it")
    for command in (up, down, ctl):
        command.add_argument("--directory", type=Path, default=Path("build/lab"), help="where it keeps its files")
    verbs = ctl.add_subparsers(dest="verb", required=True)
    for verb, names in _VERBS.items():
        verb_parser = verbs.add_parser(verb)
        for name in names:
            verb_parser.add_argument(name, help=_HELP.get(name))
    ctl.set_defaults(run=_ctl)
    return parser


#: Verbs of the control endpoint and what each takes.
_VERBS: dict[str, tuple[str, ...]] = {
    "status": (),
    "state": ("machine",),
    "counters": (),
    "reset-counters": (),
    "writes": (),
    "migrate": ("vm", "host"),
    "stop": ("machine",),
    "start": ("machine",),
    "set": ("machine", "setting"),
    "fault": ("machine", "rule"),
    "random-faults": ("seed", "probability"),
    "clear-faults": (),
    "keystore": (),
}
_HELP = {
    "setting": "key=value",
    "rule": 'JSON: {"effect": "hresult", "value": "0xC004FD02", "match": {"method": "Activate"}, "times": 1}',
    "probability": "of a fault for each request, 0 to 1",
}


def _ctl(arguments: argparse.Namespace) -> int:
    given = {name: getattr(arguments, name) for name in _VERBS[arguments.verb]}
    if "setting" in given:
        given["key"], _, given["value"] = given.pop("setting").partition("=")
    if "rule" in given:
        given["rule"] = json.loads(given["rule"])
    if "probability" in given:
        given["probability"] = float(given["probability"])
    verb = "counters" if arguments.verb == "writes" else arguments.verb.replace("-", "_")
    answer = Control(arguments.directory).call(verb, **given)
    if arguments.verb == "writes":
        answer = {name: report["writes"] for name, report in answer.items() if report["writes"]}
    if answer is not None:
        json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
        print()
    return 0


def _down(arguments: argparse.Namespace) -> int:
    Control(arguments.directory).call("shutdown")
    # Removing this file is the last thing that a lab does.
    deadline = time.monotonic() + 30
    while (arguments.directory / STATE_FILE).exists():
        if time.monotonic() > deadline:
            raise ControlError("the lab does not stop")
        time.sleep(0.02)
    return 0


def _up(arguments: argparse.Namespace) -> int:
    if arguments.detach:
        return _detach(arguments.directory)
    return asyncio.run(_serve(arguments))


def _detach(directory: Path) -> int:
    """Start the same command in a session of its own and wait for its word."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "lab", *(word for word in sys.argv[1:] if word != "--detach")]
    with (directory / "lab.log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            text=True,
        )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise ControlError(f"the lab did not start: {(directory / 'lab.log').read_text().strip()}")
    return 0


async def _serve(arguments: argparse.Namespace) -> int:
    # A socket a machine, and one a connection.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory: Path = arguments.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    state_file = directory / STATE_FILE
    _refuse_second(directory)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if arguments.stop_at_eof:
        loop.add_reader(sys.stdin, _stop_at_eof, stopping)
    lab = Lab(load(arguments.topology), directory, arguments.port_base)
    endpoint = Endpoint(lab, stopping)
    try:
        await lab.open()
        await endpoint.open()
        inventory.write(lab, directory / "inventory" / "hosts.yml")
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "url": endpoint.url,
            "token": endpoint.token,
            "machines": await lab.status(),
        }
        state_file.touch(mode=0o600)
        state_file.write_text(json.dumps(state, indent=2), encoding="utf-8")
        print("ready", flush=True)
        await stopping.wait()
    finally:
        await endpoint.close()
        await lab.close()
        state_file.unlink(missing_ok=True)
    return 0


def _stop_at_eof(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stopping.set()


def _refuse_second(directory: Path) -> None:
    """Two labs in one directory would overwrite each other's files; what a killed one left behind does not count."""
    try:
        Control(directory).call("status")
    except ControlError:
        return
    raise ControlError(f"a lab runs already in {directory}")


if __name__ == "__main__":
    sys.exit(main())
