"""Each way in which a listener cannot be reached is told from the others, over both plugins, and costs nothing but its own machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration import inventories, servers
from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

PLUGINS = ("winrm", "psrp")
HTTP = {"tls": False, "authentication": ["negotiate"]}
HTTPS = {"tls": True, "authentication": ["basic"]}
UNTRUSTING = "/etc/ssl/certs/ca-certificates.crt"
MISSING = "/nonexistent/ca.pem"

#: Case → how the machine listens, its variables, and what the message must hold. ``PORT_…`` stands for servers that the test starts.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "WRONG-PASSWORD": (
        HTTP,
        {"ansible_password": "wrong"},
        ["rejected the credentials of Administrator (HTTP 401)", "listener offers Negotiate", "Check ansible_user"],
    ),
    "NOT-OFFERED": (
        HTTP,
        {"ansible_winrm_transport": "basic", "ansible_psrp_auth": "basic", "ansible_psrp_message_encryption": "never"},
        ["tried Basic", "the listener offers Negotiate", "Choose a way that it offers in ansible_"],
    ),
    "NEGOTIATE-NOT-OFFERED": (
        HTTPS,
        {"ansible_winrm_transport": "ntlm", "ansible_psrp_auth": "ntlm"},
        ["tried NTLM", "the listener offers Basic", "Choose a way that it offers in ansible_"],
    ),
    "HTTP-AT-HTTPS": (
        HTTPS,
        {"ansible_winrm_scheme": "http", "ansible_psrp_protocol": "http", "ansible_psrp_message_encryption": "never"},
        ["no connection to http://127.0.0.1", "to https"],
    ),
    "HTTPS-AT-HTTP": (
        HTTP,
        {"ansible_winrm_scheme": "https", "ansible_psrp_protocol": "https"},
        ["no connection to https://127.0.0.1", "does not speak TLS", "to http"],
    ),
    "UNTRUSTED": (
        HTTPS,
        {"ansible_winrm_ca_trust_path": UNTRUSTING, "ansible_psrp_ca_cert": UNTRUSTING},
        ["no connection to https://127.0.0.1", "certificate verify failed", "give its authority in ansible_"],
    ),
    "NO-CA-FILE": (
        HTTPS,
        {"ansible_winrm_ca_trust_path": MISSING, "ansible_psrp_ca_cert": MISSING},
        [f"there is no file {MISSING} on the controller", "Name one that is there in ansible_"],
    ),
    "REDIRECT": (
        HTTP,
        {"ansible_port": "PORT_REDIRECT"},
        ["answered with a redirect to http://127.0.0.1", "(HTTP 307)", "None is followed"],
    ),
    "DEAD-PROXY": (
        HTTP,
        {
            "ansible_winrm_proxy": "http://me:hidden@127.0.0.1:PORT_DEAD",
            "ansible_psrp_proxy": "http://127.0.0.1:PORT_DEAD",
        },
        ["through the proxy http://127.0.0.1", "The proxy itself could not be used", "ansible_"],
    ),
    "PROXY-THAT-REFUSES": (
        HTTP,
        {
            "ansible_winrm_proxy": "http://127.0.0.1:PORT_REFUSING",
            "ansible_psrp_proxy": "http://127.0.0.1:PORT_REFUSING",
        },
        ["answered through the proxy http://127.0.0.1", "HTTP 403", "NO_PROXY"],
    ),
    "OTHER-SERVER": (HTTP, {"ansible_port": "PORT_OTHER"}, ["answered HTTP 404", "is this the WinRM listener"]),
    "REFUSED": (HTTP, {"ansible_port": "PORT_DEAD"}, ["no connection to http://127.0.0.1", "Connection refused"]),
}
NAMES = {f"{plugin.upper()}-{case}": case for plugin in PLUGINS for case in CASES}


@dataclass(frozen=True)
class Story:
    """What came of one and the same failures, seen by a module, by the playbook verify and by the inventory plugin."""

    module: Run
    verify: Run
    inventory: inventories.Inventory
    target: servers.Server


@pytest.fixture(scope="module")
def story(run_playbook: RunPlaybook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with ExitStack() as stack:
        target = stack.enter_context(servers.server("200 OK"))
        ports = {
            "PORT_REDIRECT": stack.enter_context(
                servers.server("307 Temporary Redirect", f"Location: http://127.0.0.1:{target.port}/wsman")
            ).port,
            "PORT_REFUSING": stack.enter_context(servers.server("403 Forbidden")).port,
            "PORT_OTHER": stack.enter_context(servers.server("404 Not Found")).port,
            "PORT_DEAD": servers.unused_port(),
        }
        hosts = [{"name": "FINE", "release": "2022", "license": "mak", "listener": HTTP, "guests": [{"name": "WEB"}]}]
        for name, case in NAMES.items():
            listener, variables, _words = CASES[case]
            text = yaml.safe_dump({**variables, "ansible_connection": name.partition("-")[0].lower()})
            for word, port in ports.items():
                text = text.replace(word, str(port))
            hosts.append({"name": name, "listener": listener, "variables": yaml.safe_load(text)})
        lab = stack.enter_context(Lab({"hosts": hosts}))
        play = "- hosts: avma_hosts\n  gather_facts: false\n  tasks:\n    - hyperv.avma.host_info:\n"
        yield Story(
            run_playbook(lab, play),
            run_playbook(lab, "hyperv.avma.verify"),
            inventories.read(
                inventories.write(
                    tmp_path_factory.mktemp("inventory"), hosts=inventories.machines(lab, [*NAMES, "FINE"])
                )
            ),
            target,
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_module_ends_unreachable_with_the_cause(story: Story, name: str) -> None:
    result = story.module.of(name)
    assert result.status == "unreachable"
    assert f"{name}: " in result["msg"]
    for words in CASES[NAMES[name]][2]:
        assert words in result["msg"]


@pytest.mark.parametrize("name", NAMES)
def test_a_message_names_the_options_of_the_plugin_in_use(story: Story, name: str) -> None:
    message = story.module.of(name)["msg"]
    assert ("ansible_psrp" if name.startswith("WINRM") else "ansible_winrm") not in message


@pytest.mark.parametrize("name", NAMES)
def test_the_inventory_plugin_says_the_same(story: Story, name: str) -> None:
    for words in CASES[NAMES[name]][2]:
        assert story.inventory.says(words)
    assert story.inventory.says(f"{name} was not asked for its VMs: ")


@pytest.mark.parametrize("name", NAMES)
def test_verify_lists_the_machine(story: Story, name: str) -> None:
    assert any(words in story.verify.stdout for words in (f"{name}: ", f"{name} "))


def test_the_others_are_not_in_the_way(story: Story) -> None:
    assert story.module.of("FINE").status == "ok"
    assert list(story.inventory.hosts) == ["WEB"]
    assert story.inventory.rc == 0


def test_nothing_is_sent_to_where_a_redirect_points(story: Story) -> None:
    assert story.target.received == []


def test_every_message_is_plain(story: Story) -> None:
    for result in story.module.results:
        message = result.result.get("msg", "")
        for noise in ("Traceback", "Errno", "object at 0x", "HTTPConnectionPool", "Exception", "hidden"):
            assert noise not in message, result.host
    for output in (story.module.stdout, story.verify.stdout, story.inventory.output):
        assert "Traceback" not in output
        assert "hidden" not in output


def test_file_of_authorities_is_there() -> None:
    assert Path(UNTRUSTING).exists()
