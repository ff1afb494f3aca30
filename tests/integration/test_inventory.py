"""The inventory plugin: Hyper-V hosts of the lab in, their guests as inventory hosts out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible.constants import DEFAULT_VAULT_IDENTITY
from ansible.parsing.vault import VaultLib, VaultSecret

from integration import inventories
from integration.inventories import Inventory
from integration.playbooks import Run
from lab.client import Lab

TOPOLOGY = {
    "defaults": {"guests": {"listen": False}, "hosts": {"license": "mak"}},
    "hosts": [
        {
            "name": "N1",
            "release": "2022",
            "guests": [
                {"name": "WEB", "release": "2022", "core": True},
                {"name": "NEW", "release": "2025", "edition": "standard"},
                {"name": "PENGUIN", "linux": True},
                {"name": "OFF", "running": False},
                {"name": "SILENT", "data_exchange": False},
            ],
        },
        {"name": "N2", "release": "2022", "guests": [{"name": "TWIN1", "vm_name": "Twin"}]},
        {"name": "N3", "release": "2022"},
        {
            "name": "SOLO",
            "release": "2019",
            "language": "ja-JP",
            "listener": {"page_size": 1, "tls": False, "authentication": ["negotiate"]},
            "guests": [
                {"name": "TWIN2", "vm_name": "twin", "release": "2019"},
                {"name": "EVIL", "vm_name": "{{ 7 * 7 }}/../<b>", "release": "2016"},
                {"name": "SELF", "vm_name": "localhost", "release": "2019"},
            ],
        },
        {"name": "NO-HYPERV", "release": "2022", "hyperv": False},
    ],
    "clusters": [{"name": "HVC", "nodes": ["N1", "N2", "N3"]}],
}
#: The inventory host of the VM named "{{ 7 * 7 }}/../<b>".
EVIL = "___7___7____..__b_"


class Asker:
    """Runs ansible-inventory on a source of the plugin; its cache, if it is used, lasts as long as the object."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self._directory = directory
        self.machines = inventories.machines(lab, TOPOLOGY_HOSTS)
        self._environment = lab.environment

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None, **source: Any) -> Inventory:
        """The inventory; without ``hosts`` and ``clusters``, of all hosts with a Hyper-V role that are not down."""
        if not {"hosts", "clusters"} & set(source):
            source["hosts"] = {name: self.machines[name] for name in ("N1", "N2", "SOLO")}
        return inventories.read(
            self.write(**source), *arguments, environment={**self._environment, **(environment or {})}
        )

    def write(self, **source: Any) -> Path:
        return inventories.write(self._directory, **source)


TOPOLOGY_HOSTS = [host["name"] for host in TOPOLOGY["hosts"]]  # type: ignore[index]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        lab.stop("N3")
        yield lab


@pytest.fixture
def ask(lab: Lab, tmp_path: Path) -> Asker:
    lab.reset_counters()
    return Asker(lab, tmp_path)


def operations(lab: Lab) -> int:
    return sum(report["operations"] for report in lab.call("counters").values())


def host_of(inventory: Inventory, vm: str) -> dict[str, Any]:
    [found] = [variables for variables in inventory.hosts.values() if variables["avma_vm_name"] == vm]
    return found


def test_guests_become_hosts_with_what_avma_needs_to_know(ask: Asker) -> None:
    inventory = ask()
    assert inventory.rc == 0
    web = inventory.hosts["WEB"]
    assert web == {
        "ansible_host": "WEB.lab.example",
        "avma_vm_name": "WEB",
        "avma_vm_id": web["avma_vm_id"],
        "avma_host": "N1",
        "avma_host_fqdn": "N1.lab.example",
        "avma_replication_mode": "none",
        "avma_cluster": None,
        "avma_state": "running",
        "avma_system": web["avma_system"],
        "avma_release": "2022",
        "avma_edition": "Datacenter",
        "avma_key": "W3GNR-8DDXR-2TFRP-H8P33-DV9BG",
        "avma_eligible": True,
        "avma_problems": [],
        "avma_data_exchange": True,
        "avma_fqdn": "WEB.lab.example",
        "avma_addresses": web["avma_addresses"],
    }
    assert len(web["avma_vm_id"]) == 36
    assert (web["avma_system"]["build"], web["avma_system"]["core"]) == (20348, True)
    new = inventory.hosts["NEW"]
    assert (new["avma_eligible"], new["avma_key"]) == (False, "WWVGQ-PNHV9-B89P4-8GGM9-9HPQ4")
    assert [problem["code"] for problem in new["avma_problems"]] == ["host_release_too_old"]
    off = inventory.hosts["OFF"]
    assert (off["avma_state"], off["avma_key"], off["avma_eligible"]) == ("off", None, None)
    assert "ansible_host" not in off


def test_groups_say_what_can_be_activated(ask: Asker) -> None:
    groups = ask().groups
    assert {"WEB", "NEW"} <= groups["avma_guests"]
    assert not {"PENGUIN", "OFF", "SILENT"} & groups["avma_guests"]
    assert "WEB" in groups["avma_eligible"]
    assert groups["avma_not_eligible"] == {"NEW", "PENGUIN", "SILENT"}
    assert groups["avma_no_data_exchange"] == {"SILENT"}


def test_names_and_texts_of_vms_do_no_harm(ask: Asker, run_playbook: Callable[..., Run]) -> None:
    inventory = ask()
    twins = {name: vm for name, vm in inventory.hosts.items() if vm["avma_vm_name"].lower() == "twin"}
    assert set(twins) == {f"{vm['avma_vm_name']}_{vm['avma_vm_id']}" for vm in twins.values()}
    assert {vm["avma_host"] for vm in twins.values()} == {"N2", "SOLO"}
    itself = host_of(inventory, "localhost")["avma_vm_id"]
    assert {f"localhost_{itself}", EVIL} <= set(inventory.hosts)

    play = "- hosts: avma_guests\n  gather_facts: false\n  tasks:\n    - debug: {msg: '{{ avma_vm_name }}'}\n"
    run = run_playbook(None, play, "-i", str(ask.write(hosts={"SOLO": ask.machines["SOLO"]})))
    assert run.of(EVIL)["msg"] == "{{ 7 * 7 }}/../<b>"


def test_composed_variables_are_no_templates_either(ask: Asker, run_playbook: Callable[..., Run]) -> None:
    play = "- hosts: avma_guests\n  gather_facts: false\n  tasks:\n    - debug: {msg: '{{ copied }}'}\n"
    compose = {"copied": "'a VM: ' ~ avma_vm_name"}
    run = run_playbook(None, play, "-i", str(ask.write(hosts={"SOLO": ask.machines["SOLO"]}, compose=compose)))
    assert run.of(EVIL)["msg"] == "a VM: {{ 7 * 7 }}/../<b>"


def test_constructed_names_variables_and_groups(ask: Asker) -> None:
    inventory = ask(
        compose={"inventory_hostname": "avma_fqdn", "ansible_host": "avma_addresses | first"},
        groups={"attention": "avma_state == 'running' and avma_eligible is false"},
        keyed_groups=[{"key": "avma_release", "prefix": "windows"}, {"key": "avma_host", "prefix": "on"}],
    )
    web = inventory.hosts["WEB.lab.example"]
    assert web["ansible_host"] == web["avma_addresses"][0]
    assert "OFF" in inventory.hosts, "no fqdn is known"
    assert "NEW.lab.example" in inventory.groups["attention"]
    assert inventory.groups["windows_2022"] == {"WEB.lab.example", "TWIN1.lab.example"}
    assert "WEB.lab.example" in inventory.groups["on_N1"]
    assert "inventory_hostname" not in web


def test_strict_makes_a_wrong_expression_an_error(ask: Asker) -> None:
    assert ask(compose={"x": "nonsense.attribute"}).rc == 0
    assert ask(compose={"x": "nonsense.attribute"}, strict=True).says("nonsense")
    failed = ask(compose={"inventory_hostname": "nonsense.attribute"}, strict=True)
    assert failed.rc != 0
    assert failed.says("inventory_hostname of the VM")


def test_cluster_is_asked_by_name_and_a_dead_node_is_not_waited_for(ask: Asker) -> None:
    # The cluster's name leads to one of its nodes; the nodes are on one address here, and differ in ports.
    hosts = {f"{name.lower()}.lab.example": ask.machines[name] for name in ("N1", "N2")}
    inventory = ask(clusters={"hvc.lab.example": ask.machines["N2"]}, hosts=hosts)
    assert inventory.rc == 0
    assert inventory.hosts["WEB"]["avma_cluster"] == "HVC"
    assert inventory.hosts["WEB"]["avma_host"] == "n1.lab.example"
    assert host_of(inventory, "Twin")["avma_host"] == "n2.lab.example"
    assert inventory.says("N3.lab.example was not asked for its VMs: the cluster hvc.lab.example says that it is down")


@pytest.mark.wsman
def test_node_takes_the_variables_of_its_cluster(ask: Asker) -> None:
    # N1 is reached by its name, with the port of the cluster: nothing of that name is there.
    inventory = ask(clusters={"hvc.invalid": ask.machines["N2"]}, hosts={"N2": ask.machines["N2"]})
    assert host_of(inventory, "Twin")["avma_cluster"] == "HVC"
    assert inventory.says(f"://N1.invalid:{ask.machines['N2']['ansible_port']}/wsman")


@pytest.mark.wsman
def test_nodes_of_another_site_with_the_same_names_are_asked_too(ask: Asker) -> None:
    hosts = {f"{name.lower()}.lab.example": ask.machines[name] for name in ("N1", "N2")}
    inventory = ask(clusters={"hvc.invalid": ask.machines["N2"]}, hosts=hosts)
    assert inventory.says(f"://N1.invalid:{ask.machines['N2']['ansible_port']}/wsman")
    assert inventory.says(f"://N2.invalid:{ask.machines['N2']['ansible_port']}/wsman")
    assert inventory.hosts["WEB"]["avma_cluster"] is None


def test_keys_for_builds_may_be_numbers(ask: Asker) -> None:
    key = "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"
    inventory = ask(key_overrides={26100: {7: key}})
    assert inventory.rc == 0
    assert host_of(inventory, "NEW")["avma_key"] == key


@pytest.mark.wsman
@pytest.mark.parametrize(
    ("name", "broken", "message"),
    [
        ("SOLO", {"ansible_password": "wrong"}, "rejected the credentials"),
        ("SOLO", {"ansible_port": 1}, "://127.0.0.1:1/wsman, or it was cut"),
        ("NO-HYPERV", {}, "does not have the Hyper-V role"),
        ("SOLO", {"ansible_connection": "ansible.builtin.local"}, "set ansible_connection to ansible.builtin.winrm"),
    ],
)
def test_host_that_cannot_be_asked_costs_its_own_guests_only(
    ask: Asker, name: str, broken: dict[str, Any], message: str
) -> None:
    hosts = {"N1": ask.machines["N1"], name: {**ask.machines[name], **broken}}
    inventory = ask(hosts=hosts)
    assert inventory.rc == 0
    assert "WEB" in inventory.hosts
    assert inventory.says(f"{name} was not asked for its VMs: ")
    assert inventory.says(message)
    assert "wrong" not in inventory.output
    assert "Traceback" not in inventory.output

    refused = ask(hosts=hosts, strict=True)
    assert refused.rc != 0
    assert refused.says(message)


@pytest.mark.wsman
def test_all_hosts_are_asked_at_once(ask: Asker) -> None:
    """So that many dead ones cost one timeout: each of these is let go only when all have been asked."""

    def meet(listeners: list[socket.socket]) -> None:
        asked = [listener.accept()[0] for listener in listeners]
        for connection in asked:
            connection.close()

    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(6)]
        dead = {
            f"DEAD{number}": {**ask.machines["N1"], "ansible_port": listener.getsockname()[1]}
            for number, listener in enumerate(listeners)
        }
        threading.Thread(target=meet, args=(listeners,), daemon=True).start()
        inventory = ask(hosts={"N1": ask.machines["N1"], **dead})
    assert "WEB" in inventory.hosts
    assert inventory.output.count("or it was cut") == len(dead)
    assert "no answer from" not in inventory.output


def test_cache_saves_the_machines_all_questions(
    ask: Asker, run_playbook: Callable[..., Run], lab: Lab, tmp_path: Path
) -> None:
    caching: dict[str, Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    asked = ask(**caching)
    assert operations(lab) > 0
    assert "Lab-Passw0rd!" not in "".join(path.read_text() for path in (tmp_path / "cache").iterdir())

    lab.reset_counters()
    cached = ask(**caching)
    assert operations(lab) == 0
    assert (cached.hosts, cached.groups) == (asked.hosts, asked.groups)

    # ansible-inventory has this option in newer cores only.
    source = ask.write(hosts={"N1": ask.machines["N1"]}, **caching)
    run = run_playbook(
        None,
        "- hosts: all\n  gather_facts: false\n  tasks: []\n",
        "-i",
        str(source),
        "--flush-cache",
        **lab.environment,
    )
    assert run.rc == 0
    assert operations(lab) > 0


def test_answer_with_a_host_missing_is_not_cached(ask: Asker, lab: Lab, tmp_path: Path) -> None:
    caching: dict[str, Any] = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    machines = ask.machines
    ask(hosts={"N1": machines["N1"], "GONE": {**machines["N1"], "ansible_port": 1}}, **caching)
    complete = ask(hosts={"N1": machines["N1"], "SOLO": machines["SOLO"]}, **caching)
    assert {"N1", "SOLO"} == {variables["avma_host"] for variables in complete.hosts.values()}
    lab.reset_counters()
    ask(hosts={"N1": machines["N1"], "SOLO": machines["SOLO"]}, **caching)
    assert operations(lab) == 0


@pytest.mark.wsman
def test_password_from_the_environment_from_vault_and_from_the_command_line(ask: Asker, tmp_path: Path) -> None:
    machine = {key: value for key, value in ask.machines["N1"].items() if key != "ansible_password"}
    password = ask.machines["N1"]["ansible_password"]
    looked_up = ask(
        environment={"SECRET_OF_TEST": password},
        hosts={"N1": machine},
        variables={"ansible_password": "{{ lookup('ansible.builtin.env', 'SECRET_OF_TEST') }}"},
    )
    assert "WEB" in looked_up.hosts

    given = ask("-e", f"secret={password}", hosts={"N1": machine}, variables={"ansible_password": "{{ secret }}"})
    assert "WEB" in given.hosts

    (tmp_path / "vault").write_text("of the test")
    vault = VaultLib([(DEFAULT_VAULT_IDENTITY, VaultSecret(b"of the test"))])
    path = ask.write(hosts={"N1": machine}, variables={"ansible_password": "PLACE"})
    vaulted = "!vault |\n" + "\n".join(f"      {line}" for line in vault.encrypt(password).decode().splitlines())
    path.write_text(path.read_text().replace("PLACE", vaulted))
    ask.write = lambda **_source: path  # type: ignore[method-assign]
    assert "WEB" in ask("--vault-password-file", str(tmp_path / "vault")).hosts


def test_connection_variables_may_use_the_name(ask: Asker) -> None:
    variables = {**ask.machines["N1"], "ansible_host": "{{ {'N1': '127.0.0.1'}[inventory_hostname] }}"}
    assert "WEB" in ask(hosts=["N1"], variables=variables).hosts


@pytest.mark.wsman
def test_psrp_does_as_well(ask: Asker) -> None:
    variables = {"ansible_connection": "ansible.builtin.psrp"}
    assert "WEB" in ask(hosts={"N1": {**ask.machines["N1"], **variables}}).hosts


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"hosts": []}, "name Hyper-V hosts in hosts, or failover clusters in clusters"),
        ({"hosts": {"N1": "x"}}, "hosts must be a list of names, or a dictionary"),
        ({"hosts": "N1"}, "hosts must be a list of names, or a dictionary"),
        ({"hosts": ["N1"], "key_overrides": {"2031": {"Home": "x"}}}, "key_overrides"),
        ({"hosts": ["N1"], "key_overrides": {2022: "x"}}, "a dictionary is needed, of editions, each with its key"),
    ],
)
def test_wrong_source_is_an_error(ask: Asker, source: dict[str, Any], message: str) -> None:
    inventory = ask(**source)
    assert inventory.rc != 0
    assert inventory.says(message)


def test_options_of_the_connection_plugin_are_its_options_only(ask: Asker) -> None:
    own = {"ansible_winrm_kinit_args": "-f", "ansible_winrm_kinit_cmd": "kinit", "ansible_winrm_scheme": "http"}
    inventory = ask(hosts={"N1": {**ask.machines["N1"], **own}})
    assert "WEB" in inventory.hosts
    assert "unsupported by pywinrm" not in " ".join(inventory.output.split())
