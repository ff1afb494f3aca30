"""`make demo`: it works, and what it shows can be typed while its machines are there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_of_the_demo_can_be_pasted() -> None:
    command = [sys.executable, "-m", "demo", "--stay"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    shown = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdin is not None
        assert demo.stdout is not None
        for line in demo.stdout:
            shown.append(line)
            if line.startswith("$ cd "):
                break
        commands = [line.removeprefix("$ ").rstrip() for line in shown if line.startswith("$ ")]
        first = commands.pop()
        playbooks = [line for line in commands if line.startswith("ansible-playbook ")]
        others = [line for line in commands if line not in playbooks]
        assert (len(playbooks), len(others)) == (5, 3), shown
        # In a terminal of its own; the playbooks were run by the demo, as they are written.
        typed = "\n".join([first, *others, *(f"{line} --list-hosts" for line in dict.fromkeys(playbooks))])
        shell = subprocess.run(
            ["bash", "-euc", typed],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "HOME": str(ROOT / "build"), "LANG": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        demo.stdin.close()
    assert demo.returncode == 0, "".join(shown)
    assert shell.returncode == 0, shell.stdout
    assert "DMZ01" in shell.stdout
    assert "WARNING" not in shell.stdout
