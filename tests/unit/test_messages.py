# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every problem with real facts, as one is told who typed a module, a role, or a playbook."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hresults import HRESULTS, explain
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import PROBLEMS, problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.words import WORDS, say, speak_to, variable

ROOT = Path(__file__).resolve().parents[2]
FACTS: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("problem_facts.yml").read_text(encoding="utf-8")
)
MODULES = {path.stem for path in (ROOT / "plugins/modules").glob("[!_]*.py")}
OPTIONS = {
    option
    for module in MODULES
    for option in importlib.import_module(
        f"ansible_collections.hyperv.avma.plugins.action.{module}"
    ).ActionModule.ARGUMENT_SPEC
}
ROLES = {path.parts[-3]: path for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")}
VARIABLES = {
    name
    for path in ROLES.values()
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
    for name in entry.get("options", {})
}
#: Variables of the playbooks themselves.
OF_PLAYBOOKS = {"add_node_name", "build_vm_host", "build_vm_list", "build_vm_name", "leave_avma_all"}
#: What looks like an option and is a value of one, or of what a module returns, or a file of ssh.
VALUES = {"guest_service_interface", "known_hosts"}
#: The roles that make a problem, if not guest_activation alone.
MADE_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("unexpected_host", "activation_unwitnessed", "no_avma_key_for_release"),
        ("guest_activation", "verification", "report"),
    ),
    **dict.fromkeys((code for code in PROBLEMS if code.startswith(("answer_file", "image_"))), ("unattend",)),
    **dict.fromkeys(("kms_client_key", "key_release_mismatch"), ("guest_activation", "unattend")),
    "invalid_argument": ("host_activation", "guest_activation", "unattend"),
    "invalid_report": ("report",),
    "report_not_written": ("report", "verification"),
}
AUDIENCES = ["module", "role", "playbook"]


@pytest.fixture(params=AUDIENCES)
def audience(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    speak_to(None)


def told(text: str, facts: list[object]) -> str:
    """A text without what facts brought into it."""
    for fact in sorted((str(fact) for fact in facts if fact), key=len, reverse=True):
        text = text.replace(say(fact), " ")
    return text


def check_words(text: str, audience: str) -> None:
    """See that a text names nothing but what its reader can type."""
    bare = set(re.findall(r"(?<![\w.])[a-z]+(?:_[a-z]+)+(?![\w(])", text)) - VALUES
    bare = {name for name in bare if not name.startswith(("ansible_", "avma_"))}
    if audience == "module":
        assert bare <= MODULES | OPTIONS, bare - MODULES - OPTIONS
        assert "-e " not in text
        assert "hyperv.avma." not in text.replace("hyperv.avma.powershell_direct", "").replace(
            "SOFTWARE\\hyperv.avma", ""
        )
    else:
        assert bare <= VARIABLES | OF_PLAYBOOKS, bare - VARIABLES - OF_PLAYBOOKS
        assert not re.search(r"(?<!_)\b(replace|activate|select_image|volume_key): (true|false)", text)
        assert all(
            (ROOT / f"{kind}/{name}").exists() or (ROOT / f"{kind}/{name}.yml").exists() for kind, name in named(text)
        )


def named(text: str) -> Iterator[tuple[str, str]]:
    """What a text calls a role or a playbook of the collection, with the folder where it must be."""
    for word, name in re.findall(r"\b(role|playbook|ansible-playbook) hyperv\.avma\.(\w+)", text):
        yield ("roles" if word == "role" else "playbooks"), name


def check_sentences(text: str) -> None:
    """See that nothing is left to be filled in, and nothing looks like Python."""
    assert re.search(r"[.?!]$", text), text
    assert not re.search(r"\{\w+\}|\bNone\b|\[['\"]|['\"]: ['\"]|<class|object at 0x", text), text
    assert not re.search(r"[.?!]\.(?: |$)|  |\n", text), text
    assert not re.search(r"\b(\S{3,}): \1: ", text), text


def test_each_problem_has_facts() -> None:
    assert set(FACTS) == set(PROBLEMS)


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_problem_is_told_in_the_words_of_its_reader(code: str, audience: str) -> None:
    for role in MADE_IN.get(code, ("guest_activation",)) if audience != "module" else (None,):
        speak_to(role, audience == "playbook")
        for facts in FACTS[code]:
            given = {
                name: say(fact) if name in ("remedy", "anew") else fact
                for name, fact in facts.items()
                if name != "hresult"
            }
            if "option" in given:
                given["option"] = variable("product_key")
            hresult = int(facts["hresult"], 16) if "hresult" in facts else None
            found = problem(code, hresult, **given)
            for text in (found.message, found.remedy):
                # A placeholder of an answer file is what the user wrote.
                check_sentences(text.replace("{{ product_key }}", "").replace("  ", " "))
                values = [given[name] for name in given if name not in ("remedy", "option")]
                check_words(told(text, [*values, explain(hresult) if hresult else None]), audience)


@pytest.mark.parametrize("code", HRESULTS)
def test_the_remedy_of_an_hresult_is_in_the_words_of_its_reader(code: int, audience: str) -> None:
    speak_to(None if audience == "module" else "guest_activation", audience == "playbook")
    remedy = explain(code).remedy
    check_sentences(remedy)
    text = re.sub(r"_vlmcs\._tcp|docs/\w+\.md|\w+_(operation|read)_timeout\w*", "", remedy)
    check_words(text.replace("hyperv.avma does not do", "").replace("mistake of hyperv.avma,", ""), audience)


@pytest.mark.parametrize("word", WORDS)
def test_words_are_all_used(word: str) -> None:
    texts = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py") if path.name != "words.py"
    )
    assert f"{{{word}}}" in texts
