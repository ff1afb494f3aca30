# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line of the lab: ``up``, ``down``, ``ctl``."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from lab.control import STATE_FILE, Control, ControlError


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
    up.add_argument("--guide", action="store_true", help="list the machines, and what to type next")
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
    # Only this command needs the simulation, and loading it takes longer than the others run.
    from lab.process import serve

    asyncio.run(
        serve(arguments.topology, arguments.directory, arguments.port_base, arguments.stop_at_eof, arguments.guide)
    )
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
