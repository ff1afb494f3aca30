# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation says of the code is so."""

from __future__ import annotations

import importlib.util
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CITATION = re.compile(r"facts, sections? ([\d.]*\d)|§([\d.]*\d)")


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    specification = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "pages.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def texts(*folders: str) -> Iterator[str]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".yml", ".md"):
                yield path.read_text(encoding="utf-8")


def test_every_guess_of_the_code_is_listed(pages: ModuleType) -> None:
    guesses = sum(text.count("UNVERIFIED") for text in texts("plugins", "roles", "playbooks", "tests/lab"))
    _introduction, _, listed = pages.unverified().partition("\n## ")
    assert listed.count("UNVERIFIED") == guesses > 0


def test_every_section_that_the_code_cites_is_there() -> None:
    facts = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
    sections = {number.rstrip(".") for number in re.findall(r"^#{2,3} ([\d.]+) ", facts, re.MULTILINE)}
    cited = {one or other for text in texts("plugins", "tests/lab") for one, other in CITATION.findall(text)}
    assert cited <= sections
    assert cited


def test_a_placeholder_after_a_word_stands_by_itself(pages: ModuleType) -> None:
    page = pages.problem_table()
    assert "The host *host* has no licence that activates guests" in page
    assert "{" not in page
    assert "No AVMA key is documented for *name* *edition* (SKU *sku*)." in page
    assert not re.search(r"\*[\w\\]+\*[\w*]|\w\*[\w\\]+\*", page)


def test_few_remedies_are_for_the_problem_alone_to_tell(pages: ModuleType) -> None:
    """Behind these is all that can go wrong in Windows."""
    told = {line.split("`")[1] for line in pages.problem_table().splitlines() if "told with the problem" in line}
    assert told == {"activation_failed", "key_rejected", "wmi_error"}


def test_the_guide_names_only_problems_that_there_are(pages: ModuleType) -> None:
    guide = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", guide, re.MULTILINE)
    named = {code for cell in cells for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", cell)}
    assert named
    assert named <= set(pages.PROBLEMS)


def user_pages() -> Iterator[Path]:
    """What users read, and nothing that the code writes, that is about other programs, or that shows misspelt names."""
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))
    yield from (
        path for path in (ROOT / "docs").glob("*.md") if path.name not in ("facts.md", "mistakes.md", "releasing.md")
    )
    yield from (ROOT / "roles").glob("*/README.md")


def plugins_and_playbooks() -> set[str]:
    kinds = ("modules", "lookup", "filter", "test", "inventory", "connection")
    paths = [path for kind in kinds for path in (ROOT / "plugins" / kind).glob("*.py")]
    paths += [*(ROOT / "roles").iterdir(), *(ROOT / "playbooks").glob("*.yml")]
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    return {path.stem for path in paths} | set(groups)


def role_variables() -> set[str]:
    return {
        name
        for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
        for name in entry["options"]
    }


#: A name in this collection, and no path or module of Python.
NAMED = re.compile(r"(?<![./\\\w])hyperv\.avma\.(\w+)")


@pytest.mark.parametrize("page", list(user_pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_what_there_is(page: Path, pages: ModuleType) -> None:
    text = page.read_text(encoding="utf-8").replace("\\_", "_")
    assert set(NAMED.findall(text)) - {"NAME"} <= plugins_and_playbooks()
    roles = "|".join(path.name for path in (ROOT / "roles").iterdir())
    variables = set(re.findall(rf"(?<![\w.{{])((?:{roles})_[a-z_]+[a-z])\b(?!\.)", text))
    assert variables <= role_variables() | RESULTS | plugins_and_playbooks() | set(pages.PROBLEMS)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_messages_and_documentation_name_only_what_there_is() -> None:
    places = (*(ROOT / "plugins").rglob("*.py"), *(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").glob("*.yml"))
    named = {path.name: set(NAMED.findall(path.read_text(encoding="utf-8"))) - {"NAME"} for path in places}
    assert {
        name: names - plugins_and_playbooks() for name, names in named.items() if names - plugins_and_playbooks()
    } == {}
    assert any(named.values())


#: What roles leave behind.
RESULTS = {f"{path.name}_result" for path in (ROOT / "roles").iterdir()} | {"guest_activation_edition_result"}


def test_every_guide_is_in_both_sites() -> None:
    guides = {path.stem for path in (ROOT / "docs").glob("*.md")}
    published = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert {page for section in published for page in section["toctree"]} == guides
    trees = re.findall(
        r"^```\{toctree\}\n(.*?)^```", (ROOT / "docs/docsite/index.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert guides <= set("\n".join(trees).split("\n"))


#: A variable that may be missing, or that a message or a comment tells to give.
ASKED = re.compile(r"(?<![\w.])(?<!\| )(\w+) \| default\(|-e (\w+)=")


def test_every_variable_of_a_playbook_is_listed(pages: ModuleType) -> None:
    """Roles have specifications of theirs. What a playbook itself asks for has this list alone."""
    inventory = (ROOT / "plugins" / "inventory" / "guests.py").read_text(encoding="utf-8")
    known = role_variables() | RESULTS | set(re.findall(r"C\((avma_\w+)\)", inventory))
    asked = {}
    for path in (ROOT / "playbooks").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        kept = set(re.findall(r"register: (\w+)|set_fact:\n +(\w+):", text))
        named = {name for names in ASKED.findall(text) for name in names if name and not name.startswith("__")}
        asked[path.stem] = named - known - {"hostvars"} - {name for names in kept for name in names}
    assert {name: variables for name, variables in asked.items() if variables} == {
        playbook: {name for name, _meaning in listed} for playbook, listed in pages._OF_PLAYBOOKS.items()
    }


class Tagged(yaml.SafeLoader):
    """YAML with Ansible's tags, such as ``!vault``."""


Tagged.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


def yaml_examples() -> Iterator[tuple[str, Any]]:
    """Every document of YAML that users are shown, with the file that shows it."""
    for path in (*user_pages(), *(ROOT / "plugins").glob("*/*.py")):
        pattern = r'^EXAMPLES = r"""\n(.*?)^"""' if path.suffix == ".py" else r"^ *```ya?ml\n(.*?)^ *```"
        for block in re.findall(pattern, path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for document in yaml.load_all(textwrap.dedent(block), Tagged):
                yield str(path.relative_to(ROOT)), document


def over_winrm(value: Any) -> Iterator[dict[str, Any]]:
    """The variables in a document that connect by WinRM, which is what the inventory plugin does unless it is told otherwise."""
    match value:
        case {"plugin": "hyperv.avma.guests", "variables": variables}:
            yield {"ansible_connection": "winrm", **variables}
        case {"ansible_connection": "winrm" | "ansible.builtin.winrm"} | {"ansible_winrm_transport": _}:
            yield value
        case dict():
            for item in value.values():
                yield from over_winrm(item)
        case list():
            for item in value:
                yield from over_winrm(item)


def test_an_example_over_winrm_names_a_port_that_servers_have() -> None:
    """Without it, ansible.builtin.winrm asks for HTTPS at 5986, which a server has only after its administrator made a listener."""
    shown = [(place, variables) for place, document in yaml_examples() for variables in over_winrm(document)]
    assert {place for place, _variables in shown} >= {
        "docs/getting-started.md",
        "docs/inventory-plugin.md",
        "docs/guests-without-network.md",
        "plugins/inventory/guests.py",
        "plugins/connection/powershell_direct.py",
    }
    for place, variables in shown:
        ports = (variables.get("ansible_port"), variables.get("ansible_winrm_scheme", "http"))
        assert ports in ((5985, "http"), (5986, "https")), place
        # Over HTTP, one that encrypts.
        if ports[1] == "http":
            assert variables.get("ansible_winrm_transport") in ("ntlm", "kerberos", "credssp"), place


def options_of(kind: str, name: str) -> set[str]:
    """The options of a module, or the variables of a role with its results."""
    if kind == "roles":
        return {variable for variable in role_variables() if variable.startswith(name)}
    source = (ROOT / "plugins" / kind / f"{name}.py").read_text(encoding="utf-8")
    [documented] = re.findall(r'^DOCUMENTATION = r"""\n(.*?)^"""', source, re.DOTALL | re.MULTILINE)
    documentation = yaml.safe_load(documented)
    fragments = documentation.get("extends_documentation_fragment", [])
    options = set(documentation.get("options", {}))
    for fragment in [fragments] if isinstance(fragments, str) else fragments:
        if fragment.startswith("hyperv.avma."):
            text = (ROOT / "plugins/doc_fragments" / f"{fragment.split('.')[2]}.py").read_text(encoding="utf-8")
            options |= set(re.findall(r"^  (\w+):$", text, re.MULTILINE))
    return options


def shown_options(value: Any) -> Iterator[tuple[str, str, set[str]]]:
    """Of each use of a module, a role or the inventory plugin in a document: its kind, its name, and the options that are given."""
    match value:
        case {"plugin": "hyperv.avma.guests"}:
            yield "inventory", "guests", set(value) - {"plugin", "groups", "compose", "keyed_groups", "strict"}
        case dict():
            for key, given in value.items():
                name = str(key).removeprefix("hyperv.avma.")
                if name != key and (ROOT / "plugins/modules" / f"{name}.py").exists():
                    yield "modules", name, set(given or {})
                if key in ("role", "ansible.builtin.include_role") and "hyperv.avma." in str(given):
                    role = str(given["name"] if isinstance(given, dict) else given).removeprefix("hyperv.avma.")
                    variables = {**value, **value.get("vars", {})}
                    yield "roles", role, {item for item in variables if item.startswith(f"{role}_")}
                yield from shown_options(given)
        case list():
            for item in value:
                yield from shown_options(item)


def test_an_example_gives_only_options_that_there_are() -> None:
    shown = [(place, *use) for place, document in yaml_examples() for use in shown_options(document)]
    wrong = [(place, name, given - options_of(kind, name)) for place, kind, name, given in shown]
    assert [item for item in wrong if item[2]] == []
    assert {place for place, *_use in shown} >= {"README.md", "docs/guest-life.md", "roles/unattend/README.md"}
    assert {kind for _place, kind, *_use in shown} == {"modules", "roles", "inventory"}
