"""What a task with run_once registered, read in a later play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hyperv.avma.plugins.filter.run_once_result import run_once_result


class HostVars(Mapping[str, Mapping[str, Any]]):
    """As Ansible's: the variables of a host are put together when they are asked for."""

    def __init__(self, variables: Mapping[str, Mapping[str, Any]]) -> None:
        self.variables = variables
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        self.asked.append(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def test_it_is_that_of_the_first_host_that_has_it_and_no_further_host_is_asked() -> None:
    hostvars = HostVars({"HV01": {}, "HV02": {"fleet": {"recap": {"WEB01": {}}}}, "WEB01": {"fleet": {}}, "WEB02": {}})
    assert run_once_result(hostvars, "fleet") == {"recap": {"WEB01": {}}}
    assert hostvars.asked[-1] == "HV02"


def test_there_is_none_if_the_task_did_not_run() -> None:
    assert run_once_result({"HV01": {}, "WEB01": {}}, "fleet") == {}
    assert run_once_result({}, "fleet") == {}


def test_an_empty_result_is_one() -> None:
    assert run_once_result({"HV01": {"wrong": []}, "HV02": {"wrong": ["WEB01"]}}, "wrong") == []
