"""The pages of docs/ that are made from the code: `make pages` writes them, `make lint` sees that they are current."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import activation_problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hresults import HRESULTS
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.keys import AVMA_KEYS, KMS_CLIENT_KEYS, SOURCE
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.matrix import AZURE_LOCAL, WINDOWS_SERVER, Subscription
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import PROBLEMS, Definition
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import VERSIONS, Edition, Release
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.words import say

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

#: For a remedy that depends on the cause.
_TOLD = "It is told with the problem; where Windows gave an [HRESULT](hresults.md), by that."
#: For one that is another problem's.
_OF_REASON: Mapping[str, str] = {
    "failover_gap": "What the problem of that node asks for, which *reason* is, such as `host_release_too_old`.",
    "host_unsuitable": "What the problem of that host asks for, which *reason* is, such as `host_not_datacenter`.",
}


def problem_table() -> str:
    """Every problem code, with what to do."""
    rows = [
        (f"`{code}`", _prose(definition.message), _remedy(code, definition))
        for code, definition in sorted(PROBLEMS.items())
    ]
    return (
        "# Problem codes\n\n"
        "Every problem that a module, a filter, a role or the inventory plugin can report, as `problems[].code`. The codes are stable: "
        "playbooks may test them. What stands in *italics* is filled in. Remedies are shown as the modules say them; roles and "
        "playbooks name their own variables.\n\n"
    ) + _table(("code", "what is wrong", "what to do"), rows)


def _remedy(code: str, definition: Definition) -> str:
    if definition.remedy != "{remedy}":
        return _prose(definition.remedy)
    if code in _OF_REASON:
        return _OF_REASON[code]
    found = (activation_problem(None, hresult, None, 0) for hresult in HRESULTS)
    usual = next((problem.remedy for problem in found if problem.code == code != "activation_failed"), None)
    return _TOLD if usual is None else _text(usual)


def hresult_table() -> str:
    """Every HRESULT that is known, with what to do."""
    rows = [
        (f"`{entry.text}`", f"`{entry.symbol}`", entry.meaning, say(entry.remedy), "yes" if entry.retryable else "")
        for entry in sorted(HRESULTS.values(), key=lambda entry: entry.code)
    ]
    return (
        "# HRESULTs\n\n"
        "What Windows says by number: licensing, WMI, WS-Management, and the parts of Windows below them. "
        "`guest_key` tries again by itself, until its timeout, where the last column says yes. "
        "The same table answers in a playbook: `{{ '0xC004FD02' | hyperv.avma.explain }}`.\n\n"
    ) + _table(("HRESULT", "symbol", "meaning", "what to do", "retried"), rows)


def key_tables() -> str:
    """The AVMA keys, and which host activates which guest."""
    editions = list(Edition)
    keys = [
        (
            f"Windows Server {release}",
            *(f"`{key}`" if (key := AVMA_KEYS.get((release, edition))) else "" for edition in editions),
        )
        for release in Release
    ]
    clients = [
        (f"Windows Server {version}", str(edition), f"`{key}`") for key, (version, edition) in KMS_CLIENT_KEYS.items()
    ]
    builds = [
        (
            str(version.build),
            version.name,
            f"Windows Server {version.release}" if version.release else "none is documented",
        )
        for version in VERSIONS
    ]
    hosts = [(f"Windows Server {host} Datacenter", _releases(guests)) for host, guests in WINDOWS_SERVER.items()]
    hosts += [
        (
            f"Azure Local, {'Windows Server subscription' if isinstance(by, Subscription) else f'key of {by}'}",
            _releases(guests),
        )
        for by, guests in AZURE_LOCAL.items()
    ]
    return "\n\n".join(
        [
            "# Keys, releases and hosts",
            f"## AVMA keys\n\nThese keys are public and the same everywhere. Source: {SOURCE}.",
            _table(("release", *editions), keys),
            "## KMS client keys\n\nPublic as well; the key of a guest that leaves AVMA, and the key by which Setup chooses an image.",
            _table(("release", "edition", "key"), clients),
            "## Builds\n\nThe release is decided from the build number, the edition from the SKU, never from a name.",
            _table(("build", "version", "takes the keys of"), builds),
            "## Which host activates which guest",
            "In every edition. The row of 2025 follows the rule of the others; Microsoft's text with it could not be read.",
            _table(("host", "guests"), hosts),
        ]
    )


_UNVERIFIED = """# What the code guesses

Every comment of the code that says UNVERIFIED, which is: recalled, inferred or found in no source. If you have a Windows machine that
proves one of them right or wrong, please [tell us](recording.md)."""


def unverified() -> str:
    """Every place of the code that says that it guesses."""
    parts = [_UNVERIFIED]
    for title, folders in (("The collection", ("plugins", "roles", "playbooks")), ("The lab", ("tests/lab",))):
        paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
        rows = [
            (f"`{path.relative_to(ROOT)}`", _text(text))
            for path in paths
            for text in _remarks(path)
            if "UNVERIFIED" in text
        ]
        parts += [f"## {title}", _table(("place", "what it says"), rows)]
    return "\n\n".join(parts)


def _remarks(path: Path) -> Iterator[str]:
    """The paragraphs of comments and docstrings."""
    if path.suffix == ".py":
        source = path.read_text(encoding="utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        yield from _paragraphs((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Expr(value=ast.Constant(value=str(docstring))):
                    yield from _paragraphs(enumerate(docstring.splitlines(), node.lineno))
    elif path.suffix in (".yml", ".md"):
        yield from _paragraphs(enumerate(path.read_text(encoding="utf-8").splitlines(), 1))


def _paragraphs(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Lines that follow each other, joined. An empty one, and a field such as ``:param x:``, begins a new paragraph."""
    last = 0
    words: list[str] = []
    for number, line in lines:
        text = re.sub(r"^[#\s]*(:(ivar|param)?)?\s*", "", line).strip()
        if words and (number != last + 1 or not text or line.strip().startswith(":")):
            yield " ".join(words)
            words = []
        if text:
            words.append(text)
        last = number
    if words:
        yield " ".join(words)


def _releases(releases: Iterable[Release]) -> str:
    return ", ".join(map(str, releases))


def _prose(template: str) -> str:
    """A message in the words of modules, whose placeholders stand by themselves: they bring their own space or comma, or are empty."""
    apart = re.sub(r"(?<=[\w}])(?=\{)|(?<=\})(?=\w)", " ", say(template))
    return re.sub(r"\{(.*?)\}", r"*\1*", _text(apart))


def _text(text: str) -> str:
    """Text that Markdown shows as it is, with literals as in docstrings."""
    parts = re.split("``(.+?)``", text)
    escaped = [re.sub(r"([\\`*_\[\]<>|#$~^])", r"\\\1", part) for part in parts[::2]]
    literals = [f"`{part}`" for part in parts[1::2]]
    return "".join(part for pair in zip(escaped, [*literals, ""], strict=True) for part in pair)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


#: Variables that belong to a playbook and to no role, with what they mean.
_OF_PLAYBOOKS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "add_node": (("add_node_name", "The new node, as the inventory calls it. Required."),),
    "build_vm": (
        (
            "build_vm_list",
            "The VMs: a list of `name`, `host`, and, where they differ from the name, `vm_name` and `address`.",
        ),
        ("build_vm_host", "A variable of a guest: its Hyper-V host. The inventory plugin tells it."),
        ("build_vm_name", "A variable of a guest: what its host calls it. The inventory plugin tells it."),
    ),
    "leave_avma": (
        (
            "leave_avma_all",
            "Whether all guests of `avma_guests` leave AVMA. Required, as `true`, in a run without `--limit`.",
        ),
    ),
}
_VARIABLES = """# Variables of roles and playbooks

The playbooks are made of the roles, and take the variables of these: `site` and `activate_cluster` those of `host_activation`,
`guest_activation` and `verification`; `add_node` and `rotate_host_keys` those of `host_activation`; `build_vm` and `leave_avma`
those of `guest_activation` and `verification`; `verify` those of `verification`; `report` those of `report`.

Set them like any variable of Ansible: for one machine in `host_vars`, for a group in `group_vars`, for a run with `-e`. A list
can be given as a string (`-e host_activation_targets=NODE1,NODE2`). Host keys are variables of hosts, from a vault, and never
given with `-e`: a command line is visible to others."""


_GROUPS = """## Defaults for many tasks

A play sets an option once for all tasks of a group with `module_defaults`, such as `group/hyperv.avma.waiting: {timeout: 300}`."""


def _action_groups() -> Iterator[tuple[str, str, str]]:
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    for group, members in groups.items():
        actions = (import_module(f"ansible_collections.hyperv.avma.plugins.action.{name}") for name in members)
        shared = set.intersection(*(set(action.ActionModule.ARGUMENT_SPEC) for action in actions))
        yield f"`hyperv.avma.{group}`", _code(sorted(members)), _code(sorted(shared))


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def variable_tables() -> str:
    """Every variable of every role and playbook."""
    parts = [_VARIABLES]
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        role = path.parts[-3]
        rows: dict[str, tuple[str, str, str, str]] = {}
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            for name, option in entry.get("options", {}).items():
                rows[name] = (f"`{name}`", _type(option), _default(option), _markup(option["description"]))
        parts += [
            f"## Role [{role}](../roles/{role}/README.md)",
            _table(("variable", "type", "default", "meaning"), [rows[name] for name in sorted(rows)]),
        ]
    parts += [_GROUPS, _table(("group", "modules", "options that all of them have"), _action_groups())]
    for playbook, variables in _OF_PLAYBOOKS.items():
        parts += [
            f"## Playbook {playbook}",
            _table(("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in variables]),
        ]
    return "\n\n".join(parts)


def _type(option: Mapping[str, Any]) -> str:
    return f"list of {option['elements']}" if "elements" in option else str(option.get("type", "str"))


def _default(option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "required"
    return f"`{json.dumps(option['default'])}`" if "default" in option else ""


def _markup(description: str | Sequence[str]) -> str:
    """Ansible's semantic markup as Markdown."""
    text = description if isinstance(description, str) else " ".join(description)
    parts = re.split(r"\b(?:[MOPVCE]|RV)\(([^)]*)\)", " ".join(text.split()))
    return "".join(f"`{part.partition('#')[0]}`" if index % 2 else _text(part) for index, part in enumerate(parts))


_MISTAKES = """# Mistakes that are easily made

What is said of each: where, what, why, and what to do. A test makes each of them with `ansible-playbook` against the lab, and sees
that this is what comes (`tests/integration/test_mistakes.py`). `…` stands for what differs from run to run."""


def mistakes() -> str:
    """What users are told of the mistakes that the tests make."""
    found = yaml.safe_load((ROOT / "tests/integration/mistakes.yml").read_text(encoding="utf-8"))
    rows = [(item["mistake"], _text(item["told"])) for item in found]
    return "\n\n".join([_MISTAKES, _table(("what was done", "what is said"), rows)])


#: What makes each page of docs/.
PAGES: Mapping[str, Callable[[], str]] = {
    "problems.md": problem_table,
    "hresults.md": hresult_table,
    "keys.md": key_tables,
    "mistakes.md": mistakes,
    "unverified.md": unverified,
    "variables.md": variable_tables,
}
_MADE = "\n<!-- Made from the code by `make pages`. -->\n"


def main(*arguments: str) -> int:
    """Write the pages, or, with ``--check``, say which are not current; the exit status."""
    stale = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page().rstrip() + "\n" + _MADE
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"Not current: {', '.join(stale)} in docs/. Run `make pages` and commit what it writes.")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
