"""What a node tells of its cluster."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    FaultError,
    InvalidAnswerError,
    TooLargeError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.cluster import read_possible_owners

from unit.fakes import FakeSession, Row


def cluster_that_answers(error: Exception) -> FakeSession:
    def rows(class_name: str) -> Sequence[Row]:
        if class_name == "MSCluster_ResourceToPossibleOwner":
            raise error
        return [{"Name": "Virtual Machine WEB01", "Id": "1", "OwnerGroup": "WEB01"}]

    return FakeSession(rows)


@pytest.mark.parametrize("error", [FaultError("invalid class"), TooLargeError("larger than is read")])
def test_owners_that_cannot_be_read_are_not_known(error: Exception) -> None:
    assert read_possible_owners(cluster_that_answers(error)) == {}


def test_garbage_is_not_taken_for_not_known() -> None:
    with pytest.raises(InvalidAnswerError):
        read_possible_owners(cluster_that_answers(InvalidAnswerError("not well-formed")))
