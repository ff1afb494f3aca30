"""What the inventory plugin makes of odd answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
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


@pytest.fixture
def inventory_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``inventory_of(host=[vm, …], …)``: the hosts of the inventory, with their variables, by what each Hyper-V host answered."""

    def build(*, through_host: bool = False, **answers: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        path = tmp_path / "guests.avma.yml"
        source = {"plugin": "hyperv.avma.guests", "hosts": list(answers), "through_host": through_host}
        path.write_text(yaml.safe_dump(source))
        plugin = inventory_loader.get("hyperv.avma.guests")
        vms = [{**_variables(host, {**VM, **vm}), "avma_cluster": None} for host, vms in answers.items() for vm in vms]
        monkeypatch.setattr(plugin, "_ask", lambda: (vms, True))
        data = InventoryData()
        plugin.parse(data, DataLoader(), str(path), cache=False)
        return {str(name): host.vars for name, host in data.hosts.items()}

    return build


def test_vm_that_two_hosts_tell_is_where_it_runs(inventory_of: Any) -> None:
    arriving, running = {"state": "other"}, {"state": "running"}
    assert inventory_of(hv1=[arriving], hv2=[running])["web"]["avma_host"] == "hv2"
    assert inventory_of(hv1=[running], hv2=[arriving])["web"]["avma_host"] == "hv1"
    assert inventory_of(hv1=[running], hv2=[running])["web"]["avma_host"] == "hv1"


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
    other = "22222222-0000-0000-0000-000000000000"
    hosts = inventory_of(hv1=[{"name": "web 1"}, {"name": "WEB_1", "id": other}, {"name": "db", "id": "3"}])
    assert set(hosts) == {f"web_1_{VM['id']}", f"WEB_1_{other}", "db"}


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
