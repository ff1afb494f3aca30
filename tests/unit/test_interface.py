"""What users rely on: problem codes, return values, and which options are secrets."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import PROBLEMS, problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.words import WORDS, speak_to

from returns import undocumented

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("[!_]*.py"))
TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "complex": (dict,),
    "dict": (dict,),
    "float": (float, int),
    "int": (int,),
    "list": (list,),
    "path": (str,),
    "raw": (object,),
    "str": (str,),
}


def facts_of(code: str) -> set[str]:
    """The facts that message and remedy of a problem name."""
    definition = PROBLEMS[code]
    texts = (definition.message, definition.remedy)
    named = {name for text in texts for _text, name, _format, _conversion in Formatter().parse(text) if name}
    return named - set(WORDS)


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Where plugins make a problem of a code that stands there."""
    for path in PLUGINS:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "problem"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield f"{path.name}:{node.lineno}", node


CALLS = dict(calls())


@pytest.mark.parametrize("place", CALLS)
def test_a_problem_is_given_the_facts_that_its_text_names(place: str) -> None:
    call = CALLS[place]
    assert isinstance(call.args[0], ast.Constant)
    code = call.args[0].value
    assert code in PROBLEMS
    if any(keyword.arg is None for keyword in call.keywords):
        return
    given = {keyword.arg for keyword in call.keywords}
    if len(call.args) > 1 or "hresult" in given:
        given |= {"explanation", "remedy"}
    assert facts_of(code) <= given


def test_every_code_is_produced_somewhere() -> None:
    texts = {
        node.value
        for path in PLUGINS
        if path.name != "problems.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(PROBLEMS) - texts == set()


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_problem_says_what_is_wrong_and_what_to_do(code: str) -> None:
    assert code == code.lower()
    assert code.replace("_", "").isalnum()
    shown = problem(code, **{name: f"<{name}>" for name in facts_of(code)})
    for text in (shown.message, shown.remedy):
        assert text
        assert "{" not in text
        assert text[0].isupper() or text[0] == "<"
    assert shown.to_dict() == {"code": code, "message": shown.message, "remedy": shown.remedy}
    assert str(shown) == f"{shown.message} {shown.remedy}"


@pytest.fixture
def in_role() -> Iterator[None]:
    """A task of the role verification."""
    speak_to("verification")
    yield
    speak_to(None)


@pytest.mark.usefixtures("in_role")
def test_a_remedy_in_a_role_says_what_its_user_can_type() -> None:
    assert (
        problem("no_product_key").remedy == "Run the role hyperv.avma.guest_activation on it to install the AVMA key."
    )


def test_a_remedy_of_a_module_says_what_its_user_can_type() -> None:
    assert problem("no_product_key").remedy == "Run guest_key on it to install the AVMA key."


def test_an_hresult_explains_itself_and_says_what_to_do() -> None:
    shown = problem("key_rejected", 0xC004F069, last_five="DV9BG").to_dict()
    assert shown["hresult"] == "0xC004F069"
    assert "0xC004F069 (SL_E_MISMATCHED_PRODUCT_SKU)" in shown["message"]
    assert "DISM /Set-Edition" in shown["remedy"]


@pytest.mark.parametrize("code", ["key_rejected", "key_release_mismatch", "node_down", "update_missing"])
def test_the_error_states_of_windows_admin_center_have_a_code(code: str) -> None:
    assert code in PROBLEMS


def documentation(module: str, name: str) -> dict[str, Any]:
    return yaml.safe_load(
        getattr(importlib.import_module(f"ansible_collections.hyperv.avma.plugins.modules.{module}"), name)
    )


def samples(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in (values or {}).items():
        yield f"{path}{name}", value
        yield from samples(value.get("contains", {}), f"{path}{name}.")


@pytest.mark.parametrize("module", MODULES)
def test_samples_of_return_values_are_what_their_documentation_says(module: str) -> None:
    for path, value in samples(documentation(module, "RETURN")):
        sample = value.get("sample")
        if sample is None:
            continue
        assert isinstance(sample, TYPES[value["type"]]), path
        if value.get("elements"):
            assert all(isinstance(item, TYPES[value["elements"]]) for item in sample), path
        contains = value.get("contains")
        if contains:
            items = sample if isinstance(sample, list) else [sample]
            assert [undocumented(item, contains) for item in items] == [set() for _item in items], path
            always = {name for name, item in contains.items() if "returned" not in item}
            assert [always - set(item) for item in items] == [set() for _item in items], path


@pytest.mark.parametrize("module", MODULES)
def test_problem_codes_in_samples_exist(module: str) -> None:
    def codes(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if {"code", "message", "remedy"} <= set(value):
                yield value["code"]
            for item in value.values():
                yield from codes(item)
        elif isinstance(value, list):
            for item in value:
                yield from codes(item)

    for path, value in samples(documentation(module, "RETURN")):
        assert set(codes(value.get("sample"))) <= set(PROBLEMS), path


@pytest.mark.parametrize("module", MODULES)
def test_every_option_about_keys_says_whether_it_is_a_secret(module: str) -> None:
    specified = importlib.import_module(
        f"ansible_collections.hyperv.avma.plugins.action.{module}"
    ).ActionModule.ARGUMENT_SPEC
    for name, option in specified.items():
        if "key" in name:
            # A host's key is a secret, a guest's is public.
            assert option.get("no_log") is (module.startswith("host_") and name == "product_key"), name


@pytest.mark.parametrize("module", MODULES)
def test_every_module_returns_its_problems(module: str) -> None:
    problems = documentation(module, "RETURN")["problems"]
    assert (problems["type"], problems["elements"]) == ("list", "dict")
