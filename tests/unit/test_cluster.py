"""What a node tells of its cluster."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.vms import Vm
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    FaultError,
    InvalidAnswerError,
    TooLargeError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.cluster import with_roles

from unit.fakes import FakeSession, Row


def cluster_that_answers(error: Exception) -> FakeSession:
    def rows(class_name: str) -> Sequence[Row]:
        if class_name == "MSCluster_ResourceToPossibleOwner":
            raise error
        return [{"Name": "Virtual Machine WEB01", "Id": "1", "OwnerGroup": "WEB01"}]

    return FakeSession(rows)


WEB01, RENAMED = Vm("ID1", "WEB01", "running", True), Vm("ID2", "NEW-NAME", "running", True)


@pytest.mark.parametrize("error", [FaultError("invalid class"), TooLargeError("larger than is read")])
def test_owners_that_cannot_be_read_are_not_known(error: Exception) -> None:
    assert with_roles(cluster_that_answers(error), [WEB01], "NODE1") == [WEB01]


def test_garbage_is_not_taken_for_not_known() -> None:
    with pytest.raises(InvalidAnswerError):
        with_roles(cluster_that_answers(InvalidAnswerError("not well-formed")), [WEB01], "NODE1")


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([], [False, False]),
        ([("WEB01", "NODE1")], [True, False]),
        # A role whose VM is not here by that name: one of the others was renamed, and may be it.
        ([("WEB01", "NODE1"), ("OLD-NAME", "NODE1")], [True, None]),
        ([("OLD-NAME", "node1.lab.example")], [None, None]),
        ([("OLD-NAME", "NODE2")], [False, False]),
    ],
)
def test_which_vms_are_roles_of_the_cluster(roles: Sequence[tuple[str, str]], expected: list[bool | None]) -> None:
    def rows(class_name: str) -> Sequence[Row]:
        if class_name == "MSCluster_ResourceToPossibleOwner":
            return []
        return [
            {"Name": f"Virtual Machine {vm}", "Id": vm, "OwnerGroup": vm, "OwnerNode": owner} for vm, owner in roles
        ]

    found = with_roles(FakeSession(rows), [WEB01, RENAMED], "NODE1")
    assert [vm.clustered for vm in found] == expected
