# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `make demo` shows: the playbooks as a user runs them, against simulated Windows machines."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import yaml

from lab.client import Lab

_ROOT = Path(__file__).resolve().parent.parent
_TOPOLOGY = _ROOT / "tests" / "lab" / "topologies" / "demo.yml"


def main() -> int:
    """Run the demo; 0 if all went as it should."""
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument(
        "--stay", action="store_true", default=sys.stdin.isatty(), help="leave the machines there until Enter"
    )
    arguments = parser.parse_args()
    started = time.monotonic()
    with Lab(_TOPOLOGY, _ROOT / "build" / "demo") as lab:
        _say(
            "Simulated machines: Hyper-V hosts HV01 (2025) and HV02 (2022, without its key), an Azure Local host, nine guests, "
            "and one without a network."
        )
        ok = _playbook(lab, "hyperv.avma.site") == 0

        _say("The second run changes nothing, and writes to no machine.")
        lab.reset_counters()
        ok &= _playbook(lab, "hyperv.avma.site", recap_only=True) == 0
        print(f"method calls that may change something: {sum(len(writes) for writes in lab.writes().values())}")

        _say("DC01 moves to HV01, and is proved from there.")
        _control(lab, "migrate", "DC01", "HV01")
        hosts = '{"guest_activation_expected_hosts": ["HV01"], "verification_expected_hosts": ["HV01"]}'
        ok &= _playbook(lab, "hyperv.avma.site", "--limit", "DC01", "--extra-vars", hosts, quiet=True) == 0

        _say("DMZ01 has no network. The inventory plugin finds it on HV01, and it is activated through HV01.")
        sources = _sources_without_network(lab)
        ok &= _playbook(lab, "hyperv.avma.site", *sources, "--limit", "HV01,DMZ01") == 0

        _say("HV02 loses its licence, and PRINT01 is built anew on it. This is what the user is told.")
        _control(lab, "set", "HV02", "license=none")
        _control(lab, "set", "PRINT01", "license=none")
        ok &= _playbook(lab, "hyperv.avma.site", "--limit", "PRINT01", quiet=True) != 0
        _say(f"Done in {time.monotonic() - started:.0f} s." if ok else "Something went wrong: see above.")
        if arguments.stay:
            print(
                "The machines are still there: paste commands of above into another terminal, after this one. Enter ends them."
            )
            folder = shlex.quote(str(_ROOT))
            print(
                f"$ cd {folder}; export PATH=$PWD/.venv/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/build/collections",
                flush=True,
            )
            sys.stdin.readline()
        else:
            print("The machines are gone; `make lab` starts them again, and says what to type.")
    return 0 if ok else 1


def _sources_without_network(lab: Lab) -> list[str]:
    """A source of the inventory plugin for the guests of HV01, and their credentials."""
    known = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["hosts"]
    account = {"ansible_user": known["WEB01"]["ansible_user"], "ansible_password": known["WEB01"]["ansible_password"]}
    files = {
        "guests.avma.yml": {"plugin": "hyperv.avma.guests", "hosts": {"HV01": known["HV01"]}, "through_host": True},
        "credentials.yml": {"avma_guests": {"vars": account}},
    }
    arguments = []
    for name, content in files.items():
        path = lab.directory / name
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        arguments += ["-i", os.path.relpath(path, _ROOT)]
    return arguments


def _control(lab: Lab, *arguments: str) -> None:
    """Do to the lab what its command line does."""
    words = ["python", "-m", "lab", "ctl", "--directory", os.path.relpath(lab.directory, _ROOT), *arguments]
    print(f"$ PYTHONPATH=tests {shlex.join(words)}", flush=True)
    subprocess.run([sys.executable, *words[1:]], cwd=_ROOT, check=True)


def _say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def _playbook(lab: Lab, name: str, *arguments: str, recap_only: bool = False, quiet: bool = False) -> int:
    command = ["ansible-playbook", "-i", os.path.relpath(lab.inventory, _ROOT), name, *arguments]
    print(f"$ {shlex.join(command)}", flush=True)
    run = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", *command[1:]],
        cwd=_ROOT,
        env={**os.environ, "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false", "ANSIBLE_FORCE_COLOR": _color()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    output = run.stdout
    if recap_only:
        output = output[output.index("PLAY RECAP") :]
    elif quiet:
        output = output[output.index("TASK [hyperv.avma.guest_activation : Install") :]
    print(output, flush=True)
    return run.returncode


def _color() -> str:
    return "true" if sys.stdout.isatty() else "false"


if __name__ == "__main__":
    sys.exit(main())
