# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Break one line of the code after the other, in a copy, and see that a test fails for each: `make mutation`.

The table of docs/testing.md is written by it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_COPY = _ROOT / "build" / "mutation"
_TABLE = re.compile(r"(?<=<!-- mutation -->\n).*?(?=<!-- /mutation -->)", re.DOTALL)
#: Exit codes of pytest (its documentation, "Exit codes").
_PASSED, _FAILED = 0, 1


@dataclass(frozen=True)
class Mutation:
    """A line that is broken, and the test that must notice.

    :ivar old: What stands once in the file.
    :ivar test: A test's name, as pytest takes it.
    """

    layer: str
    meaning: str
    path: str
    old: str
    new: str
    test: str


_UTILS = "plugins/plugin_utils"
MUTATIONS = [
    Mutation(
        "core",
        "a host activates only guests that are older than it",
        f"{_UTILS}/_avma/matrix.py",
        "_ALL[: index + 1]",
        "_ALL[:index]",
        "tests/unit/test_matrix.py::test_windows_server_hosts",
    ),
    Mutation(
        "core",
        "one key for two hosts is no problem",
        f"{_UTILS}/_fleet/host_keys.py",
        "if len(names) > 1:",
        "if len(names) > 2:",
        "tests/unit/test_clusters.py::test_what_would_go_wrong_with_keys",
    ),
    Mutation(
        "core",
        "an evaluation edition is not refused",
        f"{_UTILS}/_avma/guests.py",
        "if system.evaluation:",
        "if False:",
        "tests/unit/test_guests.py::test_what_is_refused",
    ),
    Mutation(
        "session",
        "the answer to another request is taken",
        f"{_UTILS}/_wsman/messages.py",
        "if message_id and relates_to and relates_to",
        "if False and relates_to and relates_to",
        "tests/unit/test_wsman_messages.py::TestAnswers::test_the_answer_to_another_request",
    ),
    Mutation(
        "session",
        "a backslash in a query is not escaped",
        f"{_UTILS}/_session/escape.py",
        'value.replace("\\\\", "\\\\\\\\").replace',
        "value.replace",
        "tests/unit/test_escape.py::test_a_wql_literal_selects_the_text_and_nothing_else",
    ),
    Mutation(
        "session",
        "the winrm connection opens a shell",
        f"{_UTILS}/_wsman/winrm.py",
        'connection.shell_id = shell_id or "none"',
        "connection.shell_id = shell_id",
        "tests/integration/test_connections.py::test_a_shell_is_opened_for_azure_local_only_and_closed_again",
    ),
    Mutation(
        "session",
        "pypsrp logs whole messages",
        f"{_UTILS}/_wsman/psrp.py",
        'logging.getLogger("pypsrp").setLevel(logging.WARNING)',
        "pass",
        "tests/integration/test_connections.py::test_no_host_key_is_shown_or_logged",
    ),
    Mutation(
        "session",
        "a host whose activation got through is activated again",
        f"{_UTILS}/_windows/hosts.py",
        "            if license is not None and self._holds(license) and not license.licensed:",
        "            if license is not None and self._holds(license):",
        "tests/unit/test_hosts.py::test_an_activation_that_got_through_is_not_asked_for_again",
    ),
    Mutation(
        "actions",
        "guest_key writes in check mode",
        "plugins/action/guest_key.py",
        "        if self._task.check_mode:",
        "        if False:",
        "tests/integration/test_guest_key.py::test_check_mode_calls_no_method_that_may_change_something",
    ),
    Mutation(
        "actions",
        "host_key sends a key over a connection that does not encrypt",
        "plugins/action/host_key.py",
        "None if session.encrypted else problem",
        "None if True else problem",
        "tests/integration/test_host_key.py::test_nothing_is_asked_over_an_unencrypted_connection",
    ),
    Mutation(
        "actions",
        "host_keys writes though hosts have problems",
        "plugins/action/host_keys.py",
        "        if found:",
        "        if False:",
        "tests/integration/test_cluster_playbooks.py::test_every_problem_of_every_node_is_listed",
    ),
    Mutation(
        "actions",
        "host_keys goes on with the next host after a failure",
        "plugins/action/host_keys.py",
        "                break",
        "                continue",
        "tests/integration/test_cluster_playbooks.py::test_a_key_that_did_not_work_ends_the_run_with_the_other_keys_unspent",
    ),
]


def _copy_tree() -> None:
    """All files that git knows or would know."""
    shutil.rmtree(_COPY, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=_ROOT, stdout=subprocess.PIPE, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (_ROOT / name).is_file():
            target = _COPY / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, target)


def _test(*tests: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        command, cwd=_COPY, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False
    ).returncode


def _caught(mutation: Mutation) -> bool:
    path = _COPY / mutation.path
    sound = path.read_text(encoding="utf-8")
    if sound.count(mutation.old) != 1:
        raise SystemExit(f"{mutation.path} does not hold exactly one {mutation.old!r}")
    path.write_text(sound.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return _test(mutation.test) == _FAILED
    finally:
        path.write_text(sound, encoding="utf-8")


def _table() -> str:
    rows = [
        f"| {item.layer} | {item.meaning} | `{item.path.removeprefix('plugins/')}` | `{item.test.removeprefix('tests/')}` |"
        for item in MUTATIONS
    ]
    return "\n".join(["| part | what the broken line does | file | caught by |", "|---|---|---|---|", *rows, ""])


def main() -> int:
    """Try all; 1 if a mutation was not caught."""
    _copy_tree()
    if _test(*sorted({item.test for item in MUTATIONS})) != _PASSED:
        raise SystemExit("the tests do not pass on the sound code")
    missed = 0
    for item in MUTATIONS:
        caught = _caught(item)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}: {item.layer}: {item.meaning}", flush=True)
    page = _ROOT / "docs" / "testing.md"
    page.write_text(_TABLE.sub(lambda _: _table(), page.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
