# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each target under atheris for so many seconds: ``python -m fuzz 30``. `make fuzz` installs it.

What crashes a target is left in build/fuzz, and is tried first the next time, as is all that led to new code.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import atheris

_ROOT = Path(__file__).resolve().parents[2]
_WORK = _ROOT / "build" / "fuzz"

sys.path.append(str(_ROOT / "build" / "collections"))
with atheris.instrument_imports(include=["ansible_collections", "lab"]):
    from fuzz.targets import TARGETS


def main() -> int:
    """Run every target in a process of its own, as libFuzzer demands; 1 if one of them failed."""
    failed = []
    for target, samples in TARGETS.items():
        corpus = _WORK / target.__name__
        corpus.mkdir(parents=True, exist_ok=True)
        for number, sample in enumerate(samples):
            (corpus / f"sample{number}").write_bytes(sample)
        options = [f"-max_total_time={sys.argv[1]}", f"-artifact_prefix={corpus}-", "-timeout=10", "-verbosity=0"]
        command = [sys.executable, "-m", "fuzz", target.__name__, str(corpus), *options, "-print_final_stats=1"]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        executed = next((line for line in run.stdout.splitlines() if "number_of_executed_units" in line), "")
        print(f"{target.__name__}: {'failed' if run.returncode else 'passed'}, {executed.rpartition(' ')[2]} inputs")
        if run.returncode:
            print(run.stdout)
            failed.append(target)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        sys.exit(main())
    (chosen,) = (target for target in TARGETS if target.__name__ == sys.argv[1])
    atheris.Setup([sys.argv[0], *sys.argv[2:]], chosen)
    atheris.Fuzz()
