"""Whether a change since a revision comes with a changelog fragment: `make fragment BASE=origin/main`."""

from __future__ import annotations

import subprocess
import sys

#: Folders in which a change is one that users may notice.
NOTICED = ("plugins/", "roles/", "playbooks/", "meta/", "extensions/audit/")


def main(base: str) -> int:
    """Print what is missing; the exit status."""
    diff = ["git", "diff", "--name-only", "--diff-filter=d", f"{base}...HEAD"]
    changed = subprocess.run(diff, check=True, capture_output=True, text=True).stdout.splitlines()
    noticed = [name for name in changed if name.startswith(NOTICED)]
    if not noticed or any(name.startswith("changelogs/") for name in changed):
        return 0
    print(
        f"{noticed[0]} and {len(noticed) - 1} more files changed, and no file in changelogs/fragments/ says what for."
    )
    print("Add one: CONTRIBUTING.md says how. If no user notices the change, use the section `trivial`.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
