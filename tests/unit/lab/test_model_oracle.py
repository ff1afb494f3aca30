# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab and the collection, written apart from the same documents, agree; and both with the facts where these are at hand."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import keys as collection_keys
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.matrix import AZURE_LOCAL, WINDOWS_SERVER, Subscription
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import Edition, identify_system

from lab.keys import AVMA, KMS_CLIENT, PUBLIC_KEYS
from lab.releases import RELEASES, WindowsRelease, sku_of
from lab.topology import load
from unit.lab.model_client import Wmi, refusal

FACTS = Path(__file__).resolve().parents[3] / "docs" / "facts.md"

EDITIONS = {
    "datacenter": Edition.DATACENTER,
    "standard": Edition.STANDARD,
    "essentials": Edition.ESSENTIALS,
    "azure": Edition.AZURE,
}

LAB_AVMA_KEYS = {(item.generation, item.edition): item.key for item in PUBLIC_KEYS if item.channel == AVMA}


def installations() -> list[tuple[WindowsRelease, str, bool, bool]]:
    """Every release, edition, Core or not, evaluation or not, that there is."""
    found = []
    editions = (*EDITIONS, "hyperv", "pro", "azure_local")
    for release, edition, core, evaluation in itertools.product(
        RELEASES.values(), editions, (False, True), (False, True)
    ):
        try:
            sku_of(release, edition, core, evaluation)
        except ValueError:
            continue
        found.append((release, edition, core, evaluation))
    return found


def test_the_avma_keys_are_the_same() -> None:
    theirs = {(str(release), edition): key for (release, edition), key in collection_keys.AVMA_KEYS.items()}
    assert {(generation, EDITIONS[edition]): key for (generation, edition), key in LAB_AVMA_KEYS.items()} == theirs


def test_the_kms_client_keys_are_the_same() -> None:
    theirs = collection_keys.KMS_CLIENT_KEYS
    for item in PUBLIC_KEYS:
        if item.channel == KMS_CLIENT:
            assert theirs[item.key] == (item.generation, EDITIONS[item.edition])


def test_the_keys_are_those_of_the_facts() -> None:
    text = FACTS.read_text(encoding="utf-8")
    table = text[text.index("| Guest OS |") : text.index("KMS client keys (GVLK) for comparison")]
    columns = ("datacenter", "azure", "standard", "essentials")
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in RELEASES:
            found |= {
                (cells[0], edition): cell
                for edition, cell in zip(columns, cells[1:], strict=True)
                if re.fullmatch(r"[A-Z0-9]{5}(-[A-Z0-9]{5}){4}", cell)
            }
    assert len(found) == 15
    assert found == LAB_AVMA_KEYS


@pytest.mark.parametrize(
    "installation", installations(), ids=lambda item: f"{item[0].name} {' '.join(map(str, item[1:]))}"
)
def test_a_machine_is_identified_as_what_it_is_and_gets_the_key_that_it_takes(
    installation: tuple[WindowsRelease, str, bool, bool],
) -> None:
    release, edition, core, evaluation = installation
    sku = sku_of(release, edition, core, evaluation)
    system = identify_system(release.build, sku.number, sku.edition_id)
    by_family = identify_system(release.build, None, sku.edition_id)
    for found in (system, by_family):
        assert found.edition == EDITIONS.get(edition)
        assert found.evaluation is evaluation
    expected = LAB_AVMA_KEYS.get((release.generation, edition))
    assert collection_keys.key_for(system) == expected


@pytest.mark.parametrize(("host", "guest"), list(itertools.product(WINDOWS_SERVER, WINDOWS_SERVER)), ids=str)
def test_the_matrix_of_windows_server_is_the_same(host: str, guest: str) -> None:
    vm = {"name": "VM", "release": str(guest), "license": {"key": "avma", "status": "notification"}}
    machine = Wmi(
        load({"hosts": [{"name": "HV", "release": str(host), "license": "mak", "guests": [vm]}]}).machines["VM"]
    )
    if guest in WINDOWS_SERVER[host]:
        assert machine.activate().return_value == 0
    else:
        assert refusal(machine.activate) == 0xC004FD03


@pytest.mark.parametrize(("means", "guest"), list(itertools.product(AZURE_LOCAL, WINDOWS_SERVER)), ids=str)
def test_the_matrix_of_azure_local_is_the_same(means: object, guest: str) -> None:
    key = "C7RMP-WX4GT-NKH9B-2QJYV-D8F36"
    setup = {"subscription": True} if isinstance(means, Subscription) else {"key": key}
    release = "2022" if isinstance(means, Subscription) else str(means)
    vm = {"name": "VM", "release": str(guest), "license": {"key": "avma", "status": "notification"}}
    host = {"name": "AZ", "release": "Azure Local 24H2", "edition": "azure_local", "azure_local": setup, "guests": [vm]}
    machine = Wmi(load({"keys": [{"key": key, "release": release}], "hosts": [host]}).machines["VM"])
    if guest in AZURE_LOCAL[means]:  # type: ignore[index]
        assert machine.activate().return_value == 0
    else:
        assert refusal(machine.activate) == 0xC004FD03
