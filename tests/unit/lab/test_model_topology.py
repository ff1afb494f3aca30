# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Topology files: what they may say, and that a mistake is named with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lab
from lab.cim import MethodResult
from lab.topology import load
from unit.lab.model_client import one_guest

TOPOLOGIES = sorted((Path(lab.__file__).parent / "topologies").glob("*.yml"))


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_the_labs_own_topologies_load(path: Path) -> None:
    world = load(path)
    assert world.machines
    for name in world.machines:
        assert world.state(name)["running"] in (True, False)


def test_every_row_has_only_the_properties_of_its_class() -> None:
    for name in ("cluster", "guests", "azure_local"):
        world = load(Path(lab.__file__).parent / "topologies" / f"{name}.yml")
        for machine in world.machines.values():
            for namespace, class_name in machine.classes():  # type: ignore[attr-defined]
                if machine.name == "SPP-DISABLED" and class_name.startswith("SoftwareLicensing"):
                    continue
                if class_name == "Win32_NTLogEvent":
                    continue
                cim_class = machine.cim_class(namespace, class_name)
                names = {item.name for item in cim_class.properties}
                keys = {item.name for item in cim_class.properties if item.key}
                for instance in machine.instances(cim_class):
                    assert set(instance.values) <= names, (class_name, set(instance.values) - names)
                    assert all(instance.values.get(key) is not None for key in keys), (class_name, keys)


@pytest.mark.parametrize(
    ("topology", "said"),
    [
        ({"hosts": [{"name": "A", "release": "2021"}]}, "hosts.0.release: no such release"),
        ({"hosts": [{"nam": "A"}]}, "hosts.0.nam: "),
        ({"hosts": [{"name": "A", "edition": "azure", "release": "2019"}]}, "no edition azure of 2019"),
        ({"hosts": [{"name": "A", "guests": [{"name": "B", "edition": "essentials"}]}]}, "hosts.0.guests.0: "),
        ({"hosts": [{"name": "A", "license": "avma2"}]}, "hosts.0.license.key: "),
        ({"keys": [{"key": "A", "release": "2022"}]}, "keys.0.key: "),
        ({"hosts": [{"name": "A"}, {"name": "A"}]}, "two machines named A"),
        ({"hosts": [{"name": "A", "license": "BCDFG-HJKMP-QRTVW-XY234-67892"}]}, "no such key as 67892"),
        ({"guests": [{"name": "A", "license": "avma"}]}, "needs a host"),
        ({"guests": [{"name": "A", "evaluation": True, "license": "mak"}]}, "no licence for mak"),
        ({"hosts": [{"name": "A", "listener": {"colour": "red"}}]}, "unknown listener options: colour"),
        ({"clusters": [{"name": "C", "nodes": ["X"]}]}, "there is no host X"),
        ({"defaults": {"everyone": {}}}, "defaults.everyone"),
        ({"guests": [{"name": "A", "linux": True}]}, "linux needs listen: false"),
    ],
)
def test_a_mistake_is_named_with_its_place(topology: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        load(topology)
    assert said in str(caught.value)


def test_a_mistake_shows_no_product_key() -> None:
    with pytest.raises(ValueError, match="67892") as caught:
        load({"hosts": [{"name": "A", "license": "BCDFG-HJKMP-QRTVW-XY234-67892"}]})
    assert "BCDFG" not in str(caught.value)


def test_count_makes_many_of_one() -> None:
    guests = [{"name": "{host}-VM{n:02}", "count": 3, "release": "2019"}, {"name": "{n}"}]
    world = load({"hosts": [{"name": "HV{n}", "count": 2, "guests": guests[:1]}], "guests": guests[1:]})
    assert list(world.groups["avma_hosts"]) == ["HV1", "HV2"]
    assert list(world.groups["avma_guests"]) == [*(f"HV{host}-VM0{n}" for host in (1, 2) for n in (1, 2, 3)), "{n}"]


def test_defaults_are_merged_mapping_by_mapping() -> None:
    world = load(
        {
            "defaults": {
                "all": {"language": "de-DE", "listener": {"page_size": 1, "tls": True, "authentication": ["basic"]}},
                "guests": {"release": "2019", "listener": {"page_size": 2}},
            },
            "hosts": [{"name": "HV", "guests": [{"name": "VM", "listener": {"tls": False}}]}],
        }
    )
    guest, host = world.machines["VM"], world.machines["HV"]
    assert (guest.listener.page_size, guest.listener.tls, guest.listener.authentication) == (2, False, ("basic",))
    assert (host.listener.page_size, host.listener.tls) == (1, True)
    assert (guest.language, world.state("VM")["release"], world.state("HV")["release"]) == ("de-DE", "2019", "2022")


def test_a_vm_that_does_not_listen_is_known_to_its_host_only() -> None:
    world = one_guest(listen=False)
    assert list(world.machines) == ["HV"]
    assert world.state("HV")["guests"] == ["VM"]


class TestSet:
    """What can be changed while it runs."""

    def test_properties(self) -> None:
        world = one_guest()
        for key, value in [
            ("license", "kms"),
            ("data_exchange", "false"),
            ("automatic", "false"),
            ("polls", "2"),
            ("throttled", "1"),
            ("in_progress", "1"),
            ("service.vmickvpexchange", "stopped"),
        ]:
            world.set("VM", key, value)
        assert world.state("VM")["license"]["channel"] == "Volume:GVLK"
        assert world.state("VM")["data_exchange"] is False

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("colour", "red"),
            ("data_exchange", "maybe"),
            ("service.none", "running"),
            ("service.sppsvc", "gone"),
            ("cluster", "X"),
        ],
    )
    def test_what_there_is_not_is_refused(self, key: str, value: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            one_guest().set("VM", key, value)

    def test_unknown_machines(self) -> None:
        world = one_guest()
        for call in (lambda: world.set("X", "polls", "1"), lambda: world.stop("X"), lambda: world.migrate("X", "HV")):
            with pytest.raises(KeyError):
                call()

    def test_a_guest_stops_with_its_host(self) -> None:
        world = one_guest()
        world.stop("HV")
        assert not world.machines["VM"].running
        world.start("HV")
        assert world.machines["VM"].running


def test_names_of_methods_and_arguments_have_no_case() -> None:
    machine = one_guest(kvp={"A": "1"}).machines["VM"]
    registry = machine.cim_class("root/default", "stdregprov")
    arguments = {"SSUBKEYNAME": r"software\microsoft\virtual machine\GUEST", "svaluename": "a"}
    assert machine.invoke(registry, {}, "GETSTRINGVALUE", arguments) == MethodResult(0, {"sValue": "1"})
