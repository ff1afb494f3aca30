"""What the inventory plugin makes of odd answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.utils.display import Display
from ansible_collections.hyperv.avma.plugins.inventory.guests import _variables

VM: dict[str, Any] = {
    "name": "web",
    "id": "11111111-0000-0000-0000-000000000000",
    "state": "running",
    "system": None,
    "fqdn": None,
    "addresses": [],
    "data_exchange": True,
    "avma_key": None,
    "eligible": None,
    "problems": [],
}


OTHER = "22222222-0000-0000-0000-000000000000"


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the plugin warns of."""
    found: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, message, *_more: found.append(message))
    return found


@pytest.fixture
def inventory_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``inventory_of(host=[vm, …], …)``: the hosts of the inventory, with their variables, by what each Hyper-V host answered.

    ``others`` are hosts of the group ``avma_hosts`` that another source has told, and ``clusters`` those that this source names.
    """

    def build(
        *,
        through_host: bool = False,
        clusters: Sequence[str] = (),
        others: Sequence[str] = (),
        **answers: list[dict[str, Any]],
    ) -> dict[str, dict[str, Any]]:
        path = tmp_path / "guests.avma.yml"
        source = {
            "plugin": "hyperv.avma.guests",
            "hosts": list(answers),
            "clusters": list(clusters),
            "through_host": through_host,
        }
        path.write_text(yaml.safe_dump(source))
        plugin = inventory_loader.get("hyperv.avma.guests")
        vms = [
            {**_variables(host, {**VM, **vm}, vm.get("host_fqdn")), "avma_cluster": None}
            for host, vms in answers.items()
            for vm in vms
        ]
        monkeypatch.setattr(plugin, "_ask", lambda: (vms, True))
        data = InventoryData()
        for name in others:
            data.add_group("avma_hosts")
            data.add_host(name, "avma_hosts")
        plugin.parse(data, DataLoader(), str(path), cache=False)
        return {str(name): host.vars for name, host in data.hosts.items()}

    return build


def test_vm_that_two_hosts_tell_is_where_it_runs(inventory_of: Any) -> None:
    arriving, running = {"state": "other"}, {"state": "running"}
    assert inventory_of(hv1=[arriving], hv2=[running])["web"]["avma_host"] == "hv2"
    assert inventory_of(hv1=[running], hv2=[arriving])["web"]["avma_host"] == "hv1"


def test_two_running_vms_with_one_id_are_two(inventory_of: Any, warnings: list[str]) -> None:
    hosts = inventory_of(hv1=[{}], hv2=[{"fqdn": "web.lab.example"}])
    assert {name: host["avma_host"] for name, host in hosts.items()} == {
        f"web_{VM['id']}_hv1": "hv1",
        f"web_{VM['id']}_hv2": "hv2",
    }
    assert warnings == [f"the VM web ({VM['id']}) runs on hv1 and hv2: two VMs have one id"]


def test_a_host_that_is_asked_by_two_names_tells_each_vm_once(inventory_of: Any, warnings: list[str]) -> None:
    hosts = inventory_of(hv1=[{"host_fqdn": "hv1.lab.example"}], alias=[{"host_fqdn": "hv1.lab.example"}])
    assert (list(hosts), warnings) == (["web"], [])


def test_a_replica_is_not_the_vm_that_it_is_one_of(inventory_of: Any) -> None:
    primary, replica = {"replication_mode": "primary"}, {"replication_mode": "replica", "state": "off"}
    for mode in ("replica", "extended_replica"):
        copied = {**replica, "replication_mode": mode}
        for hosts in (inventory_of(hv1=[primary], hv2=[copied]), inventory_of(hv2=[copied], hv1=[primary])):
            assert [(name, host["avma_host"]) for name, host in hosts.items()] == [("web", "hv1")]
        # One that is off is the primary all the same.
        hosts = inventory_of(hv2=[{**copied, "state": "running"}], hv1=[{**primary, "state": "off"}])
        assert hosts["web"]["avma_replication_mode"] == "primary"
    assert inventory_of(hv2=[replica])["web"]["avma_replication_mode"] == "replica"


def test_no_two_vms_are_reached_at_one_place(inventory_of: Any, warnings: list[str]) -> None:
    original = {"fqdn": "web.lab.example", "addresses": ["10.0.0.5", "10.0.0.9"]}
    clone = {**original, "name": "copy", "id": OTHER, "fqdn": "WEB.lab.example", "addresses": ["10.0.0.6", "10.0.0.9"]}
    hosts = inventory_of(hv1=[original, clone])
    assert {name: host["ansible_host"] for name, host in hosts.items()} == {"web": "10.0.0.5", "copy": "10.0.0.6"}
    assert len(warnings) == 2
    alike = inventory_of(hv1=[original, {**clone, "addresses": original["addresses"]}])
    assert [host.get("ansible_host") for host in alike.values()] == [None, None]


@pytest.mark.parametrize("name", ["HV1", "hv1"])
def test_a_vm_takes_no_hyper_v_host_over(inventory_of: Any, name: str) -> None:
    assert list(inventory_of(hv1=[{"name": name}])) == [f"{name}_{VM['id']}"]
    named = {"hv1.lab.example": [{"name": name}, {"name": "hv1.lab.example", "id": OTHER}]}
    assert set(inventory_of(**named)) == {f"{name}_{VM['id']}", f"hv1.lab.example_{OTHER}"}


@pytest.mark.parametrize(
    ("host", "vm"),
    [("hv9", "hv9"), ("hv9", "HV9"), ("hv9.lab.example", "hv9"), ("hv9.lab.example", "HV9.lab.example")],
)
def test_a_vm_takes_no_hyper_v_host_of_another_source_over(inventory_of: Any, host: str, vm: str) -> None:
    hosts = inventory_of(others=[host], hv1=[{"name": vm}, {"name": "db", "id": OTHER}])
    assert set(hosts) == {host, f"{vm}_{VM['id']}", "db"}
    assert not [name for name in hosts[host] if name.startswith(("avma_", "ansible_"))]


@pytest.mark.parametrize(("cluster", "vm"), [("hvc", "hvc"), ("hvc", "HVC"), ("hvc.lab.example", "hvc")])
def test_a_vm_does_not_have_the_name_of_a_cluster(inventory_of: Any, cluster: str, vm: str) -> None:
    hosts = inventory_of(clusters=[cluster], hv1=[{"name": vm}, {"name": "db", "id": OTHER}])
    assert set(hosts) == {f"{vm}_{VM['id']}", "db"}


@pytest.mark.parametrize(
    ("vm", "name"),
    [
        ("web 01 (prod)", "web_01__prod_"),
        ("Söhne-日本", "Söhne-日本"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("!a,b:&c[0:9]~*", "_a_b__c_0_9___"),
        ("-rf", "rf"),
        ("{{ x }}{% y %}", "___x______y___"),
        ("a\nb\x00c", "a_b_c"),
        ("...", f"_{VM['id']}"),
        ("all", f"all_{VM['id']}"),
        ("AVMA_guests", f"AVMA_guests_{VM['id']}"),
        ("localhost", f"localhost_{VM['id']}"),
        ("127.0.0.1", f"127.0.0.1_{VM['id']}"),
    ],
)
def test_name_of_a_vm_means_nothing_but_that_vm(inventory_of: Any, vm: str, name: str) -> None:
    hosts = inventory_of(hv1=[{"name": vm}])
    assert list(hosts) == [name]
    assert hosts[name]["avma_vm_name"] == vm


def test_names_that_become_the_same_are_told_apart(inventory_of: Any) -> None:
    hosts = inventory_of(hv1=[{"name": "web 1"}, {"name": "WEB_1", "id": OTHER}, {"name": "db", "id": "3"}])
    assert set(hosts) == {f"web_1_{VM['id']}", f"WEB_1_{OTHER}", "db"}


@pytest.mark.parametrize(
    ("fqdn", "addresses", "address"),
    [
        ("web.example.com", ["10.0.0.5"], "web.example.com"),
        ("WEB_01.example.com.", [], "WEB_01.example.com."),
        ("web", ["10.0.0.5"], "10.0.0.5"),
        (None, ["fe80::1", "169.254.7.7", "fd00::7"], "fd00::7"),
        ("localhost.localdomain", ["127.0.0.1", "::1", "0.0.0.0", "224.0.0.1"], None),
        ("{{ evil }}.example.com", ["{{ evil }}"], None),
        ("-x.example.com", ["10.0.0.999"], None),
        ("a..b", [], None),
        (None, [], None),
    ],
)
def test_address_is_one_that_can_be_reached_and_is_not_the_controller(
    inventory_of: Any, fqdn: str | None, addresses: list[str], address: str | None
) -> None:
    [variables] = inventory_of(hv1=[{"fqdn": fqdn, "addresses": addresses}]).values()
    assert variables.get("ansible_host") == address


def test_guests_are_reached_through_their_hosts_by_one_option(inventory_of: Any) -> None:
    vm = {"fqdn": "web.lab.example"}
    assert inventory_of(hv1=[vm])["web"]["ansible_host"] == "web.lab.example"
    guest = inventory_of(hv1=[vm], through_host=True)["web"]
    assert guest["ansible_connection"] == "hyperv.avma.powershell_direct"
    assert (guest["avma_host"], guest["avma_vm_id"], guest["avma_vm_name"]) == ("hv1", VM["id"], "web")
    assert "ansible_host" not in guest
