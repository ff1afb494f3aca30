# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mistakes that users make, each with what they are told: mistakes.yml has them, and docs/mistakes.md is made from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import inventories
from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes.yml").read_text(encoding="utf-8"))

HTTP = {"tls": False, "authentication": ["negotiate"]}
MAK = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
OTHER_MAK = "NKJFK-GPHP7-G8C3J-P6JXR-HQRJR"
#: What a vault file gives, and nobody has the password of.
VAULTED = "$ANSIBLE_VAULT;1.1;AES256\n33363965326261303234626463623963633531343539616564316665323165616631\n3335\n"

#: The machines of the playbook verify, by how the inventory has them, and what is wrong with that.
FLEET: dict[str, dict[str, Any]] = {
    "HV-STANDARD": {"edition": "standard", "guests": [{"name": "ON-STANDARD", "license": "none"}]},
    "HV-EVALUATION": {"evaluation": True, "license": "none"},
    "HV-TLS": {"listener": {"tls": True, "authentication": ["basic"]}, "variables": {"ansible_winrm_scheme": "http"}},
    "HV-NO-TLS": {"listener": HTTP, "variables": {"ansible_winrm_scheme": "https"}},
    "HV-AS-GUEST": {},
    "NODE1": {},
    "NODE2": {},
}
GUESTS: list[dict[str, Any]] = [
    {"name": "GUEST-AS-HV"},
    {"name": "EVALUATION", "evaluation": True, "license": "none"},
    {"name": "AZURE-EDITION", "edition": "azure", "license": "none"},
    {"name": "WITH-A-MAK", "license": "mak"},
    {"name": "OTHER-KEY", "license": "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"},
    {"name": "TOO-NEW", "release": "2025", "license": "none"},
    {"name": "NO-EXCHANGE", "data_exchange": False, "license": "none"},
    {"name": "NO-KEY", "license": "none"},
    {"name": "PASSWORD", "listener": HTTP, "variables": {"ansible_password": "wrong"}},
    {"name": "ADDRESS", "variables": {"ansible_host": "web99.nowhere.invalid"}},
    {"name": "NO-PORT", "variables": {"ansible_port": 1}},
    {"name": "LOCAL", "variables": {"ansible_connection": "local"}},
    {"name": "THROUGH", "variables": {"ansible_connection": "hyperv.avma.powershell_direct", "avma_host": "HV9"}},
    {"name": "DESKTOP", "release": "Windows 11", "edition": "pro", "license": "none"},
    {"name": "FINE"},
]
#: The hosts of the playbook activate_hosts, with their variables.
KEYS: dict[str, dict[str, Any]] = {
    "LETTER-O": {"host_activation_product_key": "CVG3B-MPK6R-NXQ4D-8TYHW-2JFO9"},
    "MASKED": {"host_activation_product_key": "XXXXX-XXXXX-XXXXX-XXXXX-2JF79"},
    "NO-HYPHENS": {"host_activation_product_key": "CVG3BMPK6RNXQ4D8TYHW2JF79"},
    "SHORT": {"host_activation_product_key": "CVG3B-MPK6R-NXQ4D-8TYHW"},
    "AVMA-KEY": {"host_activation_product_key": "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"},
    "KMS-KEY": {"host_activation_product_key": "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"},
    "TYPO": {"host_activation_key": MAK},
    "UNDEFINED": {"host_activation_product_key": "{{ vault_hv_key }}"},
    "VAULTED": {"host_activation_product_key": VAULTED},
    "NO-BOOL": {"host_activation_product_key": MAK, "host_activation_volume_key": "perhaps"},
    "WORKS": {"host_activation_product_key": MAK},
    "TWICE1": {"host_activation_product_key": OTHER_MAK},
    "TWICE2": {"host_activation_product_key": OTHER_MAK},
}
#: The guests of a play with the role guest_activation, with their variables.
ROLE: dict[str, dict[str, Any]] = {
    "KEY-OF-2019": {"guest_activation_product_key": "H3RNG-8C32Q-Q8FRX-6TDXV-WMBMW"},
    "KEY-OF-KMS": {"guest_activation_product_key": "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"},
    "KEY-BAD": {"guest_activation_product_key": "W3GNR-8DDXR-2TFRP-H8P33-DV9B0"},
    "RELEASE-2016": {"guest_activation_release": 2016},
    "RELEASE-BAD": {"guest_activation_release": 2022.0},
    "EDITION-BAD": {"guest_activation_edition": "Enterprise"},
    "OVERRIDES": {"guest_activation_key_overrides": {2022: {"Datacenter": "AAAAA"}}},
    "ELSEWHERE": {"guest_activation_expected_hosts": "HV7,HV8"},
    "TIMEOUT": {"guest_activation_timeout": "2 minutes"},
    "MISSPELT": {"guest_activation_repalce": True, "guest_activation_activate": False},
    "OWN-KEY": {},
}
ROLE_PLAY = """
- hosts: role
  gather_facts: false
  roles: [hyperv.avma.guest_activation]
"""
#: Tasks of a user's own, which all go wrong.
TASKS = """
- hosts: HV01
  gather_facts: false
  ignore_errors: true
  tasks:
    - hyperv.avma.guest_key:
    - hyperv.avma.guest_key: {expected_host: HV01}
    - hyperv.avma.vm_data_exchange: {name: [WEB99]}
    - hyperv.avma.host_key: {product_key: "{{ own_key }}"}
      become: true
    - ansible.builtin.debug: {msg: "{{ lookup('hyperv.avma.key', 'Windows Server 2008') }}"}
    - ansible.builtin.debug: {msg: "{{ 'no code' | hyperv.avma.explain }}"}
- hosts: FINE
  gather_facts: false
  ignore_errors: true
  tasks:
    - hyperv.avma.vm_info:
    - hyperv.avma.host_key: {product_key: "{{ own_key }}"}
    - hyperv.avma.guest_key: {release: 2025}
    - hyperv.avma.guest_info: {activated_since: yesterday}
- hosts: localhost
  gather_facts: false
  ignore_errors: true
  tasks:
    - hyperv.avma.guest_info:
    - hyperv.avma.unattend_info: {path: folder/autounattend.xml, release: 2022 Datacenter}
    - hyperv.avma.unattend_key: {path: autounattend.xml, release: 2022}
    - hyperv.avma.unattend_key: {path: /nowhere/autounattend.xml, release: 2022 Datacenter}
    - hyperv.avma.report: {results: {}, dest: out}
    - hyperv.avma.report: {merge: [yesterday.json], dest: out}
    - hyperv.avma.report: {results: {HV01: {host_info: {}}}, dest: /proc/report}
"""
#: A role with a strategy for which one task cannot be about many machines.
FREE = """
- hosts: avma_hosts
  gather_facts: false
  strategy: ansible.builtin.free
  roles: [hyperv.avma.verification]
"""
SOURCES: dict[str, Any] = {
    "cluster": {"clusters": ["HV01"]},
    "hosts": {"hosts": "HV01"},
    "nothing": {},
    "overrides": {"hosts": ["HV01"], "key_overrides": {26100: {"Datacenter": "AAAAA-AAAAA"}}},
    "option": {"host": ["HV01"]},
}


def topology() -> dict[str, Any]:
    """All machines of all runs, in one lab."""
    hosts = [
        {"name": "HV01", "guests": GUESTS},
        *({"name": name, **host} for name, host in FLEET.items()),
        *(
            {"name": name, "license": "mak" if name == "WORKS" else "none", "variables": variables}
            for name, variables in KEYS.items()
        ),
        {
            "name": "HV02",
            "guests": [
                {"name": name, "license": "mak" if name == "OWN-KEY" else "none", "variables": variables}
                for name, variables in ROLE.items()
            ],
        },
    ]
    return {
        "defaults": {
            # The mistakes with addresses and passwords are those of WinRM.
            "all": {"release": "2022", "listener": {"connection": "winrm"}},
            "hosts": {"license": "mak"},
            "guests": {"license": "avma"},
        },
        "hosts": hosts,
        "clusters": [{"name": "HVCLUSTER", "nodes": ["NODE1", "NODE2"]}],
    }


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(topology()) as running:
        yield running


class _Vaulted(yaml.SafeDumper):
    """Writes what is vaulted with its tag."""


_Vaulted.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "!vault" if text.startswith("$ANSIBLE_VAULT") else "tag:yaml.org,2002:str", text
    ),
)


class Mistakes:
    """The runs, each done once."""

    def __init__(self, lab: Lab, run_playbook: RunPlaybook, directory: Path) -> None:
        self._lab = lab
        self._run_playbook = run_playbook
        self.directory = directory
        self._hosts = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["hosts"]
        self._done: Callable[[str], str | Run] = cache(lambda name: getattr(self, name)())

    def told(self, name: str) -> str:
        """All that a run said."""
        said = self._done(name)
        text = said if isinstance(said, str) else "\n".join([*map(_messages, said.results), said.stdout])
        assert "Traceback" not in text, text
        return _squeezed(text)

    def messages(self, name: str) -> list[str]:
        """What the tasks of a run that failed said."""
        said = self._done(name)
        return [] if isinstance(said, str) else [_messages(item) for item in said.results if item.status != "ok"]

    def inventory(self, **groups: list[str]) -> list[str]:
        """The argument for an inventory of some of the machines."""
        content = {
            name: {"hosts": {host: self._hosts.get(host, {}) for host in hosts}} for name, hosts in groups.items()
        }
        path = self.directory / f"{'-'.join(groups)}-{len(list(self.directory.iterdir()))}.yml"
        path.write_text(yaml.dump({"all": {"children": content}}, Dumper=_Vaulted), encoding="utf-8")
        return ["-i", str(path)]

    def play(self, playbook: str, *arguments: str, **options: str) -> Run:
        """A run of ansible-playbook with an inventory of its own."""
        return self._run_playbook(None, playbook, *arguments, **self._lab.environment, **options)

    def verify(self) -> Run:
        guests = [guest["name"] for guest in GUESTS if guest["name"] != "GUEST-AS-HV"]
        hosts = ["HV01", "GUEST-AS-HV", *(name for name in FLEET if name not in ("HV-AS-GUEST", "NODE2"))]
        groups = self.inventory(avma_hosts=hosts, avma_guests=[*guests, "ON-STANDARD", "HV-AS-GUEST"])
        return self.play("hyperv.avma.verify", *groups)

    def activate_hosts(self) -> Run:
        return self.play("hyperv.avma.activate_hosts", *self.inventory(avma_hosts=list(KEYS)))

    def role(self) -> Run:
        return self.play(ROLE_PLAY, *self.inventory(role=list(ROLE)))

    def tasks(self) -> Run:
        keys = {"HV01": KEYS["LETTER-O"]["host_activation_product_key"], "FINE": MAK}
        for name, key in keys.items():
            self._hosts[name]["own_key"] = key
        return self.play(TASKS, *self.inventory(own=list(keys)))

    def few(self, playbook: str, *arguments: str, **options: str) -> Run:
        """A run with a host and a guest that are right."""
        return self.play(playbook, *self.inventory(avma_hosts=["HV01"], avma_guests=["FINE"]), *arguments, **options)

    def misspelt_group(self) -> Run:
        return self.play("hyperv.avma.verify", *self.inventory(avma_host=["HV01"], avma_guest=["FINE"]))

    def misspelt_group_of_hosts(self) -> Run:
        return self.play("hyperv.avma.verify", *self.inventory(avma_host=["HV01"], avma_guests=["FINE"]))

    def unknown_code(self) -> Run:
        return self.few("hyperv.avma.verify", "-e", "verification_accepted_problems=node_donw")

    def nobody(self) -> Run:
        return self.few("hyperv.avma.verify", "--limit", "web99")

    def tags(self) -> Run:
        return self.few("hyperv.avma.verify", "--tags", "guests")

    def targets(self) -> Run:
        return self.few("hyperv.avma.activate_hosts", "-e", "host_activation_targets=HV1")

    def guest_as_target(self) -> Run:
        return self.few("hyperv.avma.activate_hosts", "-e", "host_activation_targets=FINE")

    def add_node(self) -> Run:
        return self.few("hyperv.avma.add_node")

    def add_other_node(self) -> Run:
        return self.few("hyperv.avma.add_node", "-e", "add_node_name=HV1")

    def build_vm(self) -> Run:
        return self.few("hyperv.avma.build_vm", "-e", '{"build_vm_list": [{"name": "FINE"}]}')

    def build_nothing(self) -> Run:
        return self.few("hyperv.avma.build_vm", "--limit", "HV01")

    def leave_avma(self) -> Run:
        return self.few("hyperv.avma.leave_avma")

    def free(self) -> Run:
        return self.few(FREE)

    def report_dest(self) -> Run:
        return self.few("hyperv.avma.report", "-e", "report_dest=/proc/report")

    def report_merge(self) -> Run:
        return self.few("hyperv.avma.report", "-e", "report_merge=yesterday.json")

    def without_pywinrm(self) -> Run:
        folder = self.directory / "shadow" / "winrm"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise ImportError(\"No module named 'winrm'\")", encoding="utf-8")
        return self.few("hyperv.avma.verify", PYTHONPATH=str(folder.parent))

    def sources(self) -> str:
        """What ansible-inventory says of sources of the inventory plugin."""
        arguments = []
        for name, options in SOURCES.items():
            folder = self.directory / f"source-{name}"
            folder.mkdir()
            arguments += ["-i", str(inventories.write(folder, variables=self._hosts["HV01"], **options))]
        return inventories.read(Path(arguments[1]), *arguments[2:], environment=self._lab.environment).output


@pytest.fixture(scope="module")
def mistakes(lab: Lab, run_playbook: RunPlaybook, tmp_path_factory: pytest.TempPathFactory) -> Mistakes:
    return Mistakes(lab, run_playbook, tmp_path_factory.mktemp("mistakes"))


def _messages(result: Any) -> str:
    return str(result.result.get("msg", ""))


def _squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("mistake", MISTAKES, ids=[f"{item['run']}-{number}" for number, item in enumerate(MISTAKES)])
def test_what_is_told(mistake: dict[str, str], mistakes: Mistakes) -> None:
    said = mistakes.told(mistake["run"])
    pattern = ".*".join(re.escape(_squeezed(part)) for part in mistake["told"].split("…"))
    assert re.search(pattern, said), mistake["told"]


@pytest.mark.parametrize("run", dict.fromkeys(item["run"] for item in MISTAKES))
def test_how_it_is_told(run: str, mistakes: Mistakes) -> None:
    """No key, no name twice, no list of Python, nothing that was to be filled in."""
    said = mistakes.told(run)
    for key in (MAK, OTHER_MAK, "CVG3B-MPK6R-NXQ4D-8TYHW-2JFO9", "CVG3BMPK6RNXQ4D8TYHW2JF79"):
        assert key not in said
    for name in [*FLEET, *KEYS, *ROLE, *(guest["name"] for guest in GUESTS)]:
        assert f"{name}: {name}: " not in said
    assert not re.search(r"\['|\bNone\b|\.\.(?!\.)[ \"]|\?\.(?= )", " ".join(mistakes.messages(run)))
    assert not re.search(r"\{(?!')\w+\}", said)


def test_there_are_thirty_of_them() -> None:
    assert len({item["told"] for item in MISTAKES}) >= 30


def adhoc(directory: Path, module: str, arguments: str) -> str:
    """What `ansible localhost -m MODULE -a ARGUMENTS` prints; it must fail."""
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", module, "-a", arguments],
        cwd=directory,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(directory / "ansible")},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            "path=unattend.xml wait=true",
            "Unsupported parameters for (hyperv.avma.unattend_info) module: wait. Supported parameters include: architecture,",
        ),
        ("release=2022", "hyperv.avma.unattend_info: missing required arguments: path"),
    ],
)
def test_an_argument_error_names_the_module(arguments: str, told: str, tmp_path: Path) -> None:
    assert told in adhoc(tmp_path, "hyperv.avma.unattend_info", arguments)
