"""The key-value pairs of a guest, over a registry that does not do as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import Session
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.kvp import read_pool, remove_from_pool


class FakeRegistry:
    """StdRegProv with one key, as a session: ``returns`` are the ReturnValues of methods that shall not work."""

    def __init__(self, values: dict[str, str | None], stubborn: frozenset[str] = frozenset(), **returns: int) -> None:
        self.values = values
        self.stubborn = stubborn
        self.returns = returns

    def invoke(
        self,
        class_name: str,
        method: str,
        arguments: Mapping[str, Any],
        selectors: Mapping[str, str] | None = None,
        namespace: str = "",
    ) -> Instance:
        assert (class_name, selectors or {}, namespace) == ("StdRegProv", {}, "root/default")
        assert arguments["sSubKeyName"] == r"SOFTWARE\Microsoft\Virtual Machine\Guest"
        code = self.returns.get(method, 0)
        out: dict[str, Any] = {}
        name = str(arguments.get("sValueName", ""))
        if code == 0 and method == "EnumValues":
            out = {"sNames": list(self.values)}
        elif code == 0 and method == "GetStringValue":
            out = {"sValue": self.values[name]}
        elif code == 0 and name not in self.stubborn:
            del self.values[name]
        return Instance(f"{method}_OUTPUT", {**out, "ReturnValue": str(code)})


def session(values: dict[str, str | None], stubborn: frozenset[str] = frozenset(), **returns: int) -> Session:
    return cast(Session, FakeRegistry(values, stubborn, **returns))


def test_default_value_and_other_types_are_no_pairs() -> None:
    assert read_pool(session({"": "default", "Text": "x", "Number": None})) == {"Text": "x", "Number": None}


def test_guest_without_the_key_has_no_pairs() -> None:
    assert read_pool(session({}, EnumValues=2)) == {}


def test_names_what_is_still_there_after_it_was_removed() -> None:
    assert remove_from_pool(session({"A": "1", "B": "2"}, stubborn=frozenset({"B"})), ["A", "B"]) == ["B"]


@pytest.mark.parametrize(("code", "hresult"), [(5, 0x80070005), (0x80041003, 0x80041003)])
def test_refusal_in_the_return_value_is_an_error(code: int, hresult: int) -> None:
    with pytest.raises(FaultError) as caught:
        read_pool(session({"A": "1"}, EnumValues=code))
    assert caught.value.hresults == (hresult,)
    with pytest.raises(FaultError):
        remove_from_pool(session({"A": "1"}, DeleteValue=code), ["A"])
