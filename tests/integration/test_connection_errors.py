"""What the user is told when the machine, or the way to it, is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.conftest import RunPlaybook
from integration.playbooks import Run
from lab.client import Lab

pytestmark = pytest.mark.wsman

MEBI = 2**20


def guest(name: str, *faults: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"name": name, "listener": {"faults": list(faults)}, **spec}


def at(effect: str, **match: Any) -> dict[str, Any]:
    """A fault at each query, or at the requests that match."""
    value = match.pop("value", None)
    return {"effect": effect, "value": value, "match": match or {"operation": "Enumerate"}}


#: Guest → what its message must hold.
UNREACHABLE = {
    "WRONG-PASSWORD": ["rejected the credentials"],
    "SWITCHED-OFF": ["no connection to http", "refused"],
    "CUT": ["no connection to http", "or it was cut"],
    "DROPPED": ["no connection to http", "or it was cut"],
    "BUSY-503": ["answered HTTP 503"],
    "UNTRUSTED": ["no connection to https://127.0.0.1", "certificate"],
    "CUT-AT-INSTALL": ["no connection to http", "or it was cut"],
}
#: Guest → problem code, what its message must hold.
FAILED = {
    "DENIED": ("access_denied", ["0x80070005", "Connect as an administrator"]),
    "DENIED-BY-WMI": ("access_denied", ["administrator"]),
    "DENIED-AT-INSTALL": ("access_denied", ["0xC004F025", "Connect as an administrator"]),
    "SPP-DISABLED": ("wmi_error", ["0x80070422", "sppsvc"]),
    "SPP-STOPPING": ("key_rejected", ["0xC004F075", "Wait and try again"]),
    "MALFORMED": ("invalid_answer", ["not well-formed XML"]),
    "TRUNCATED": ("invalid_answer", ["not well-formed XML"]),
    "HUGE": ("invalid_answer", ["the answer is larger than"]),
    "HUGE-CHUNKED": ("invalid_answer", ["the answer is larger than"]),
    "OTHER-ANSWER": ("invalid_answer", ["relates to another request"]),
    "UNKNOWN-CODE": ("wmi_error", ["0xC004ABCD", "not known to hyperv.avma", "slui.exe 0x2a 0xC004ABCD"]),
    "NO-KEY": ("key_rejected", ["0xC004F050", "C9G8F"]),
}
#: Also where the connection of all others has none.
WITH_PASSWORD = {"tls": False, "authentication": ["negotiate"]}
TOPOLOGY = {
    "hosts": [
        {
            "name": "HV01",
            "release": "2025",
            "license": "mak",
            "guests": [
                guest("FINE", license="avma"),
                guest("WRONG-PASSWORD", listener=WITH_PASSWORD, variables={"ansible_password": "wrong"}),
                guest("SWITCHED-OFF", running=False),
                guest("CUT", at("cut")),
                guest("DROPPED", at("drop")),
                guest("BUSY-503", at("status", value=503)),
                {
                    "name": "UNTRUSTED",
                    "listener": {"tls": True, "authentication": ["basic"]},
                    # Certificates, and not the one of the lab's authority.
                    "variables": {
                        "ansible_winrm_ca_trust_path": "/etc/ssl/certs/ca-certificates.crt",
                        "ansible_psrp_ca_cert": "/etc/ssl/certs/ca-certificates.crt",
                    },
                },
                guest("CUT-AT-INSTALL", at("cut", method="InstallProductKey")),
                guest("DENIED", at("access_denied")),
                guest("DENIED-BY-WMI", at("hresult", value=0x80041003)),
                guest("DENIED-AT-INSTALL", at("hresult", value=0xC004F025, method="InstallProductKey")),
                guest("SPP-DISABLED", services={"sppsvc": "disabled"}),
                guest("SPP-STOPPING", at("hresult", value=0xC004F075, method="InstallProductKey")),
                guest("MALFORMED", at("malformed")),
                guest("TRUNCATED", at("truncated")),
                guest("HUGE", at("huge", value=50 * MEBI)),
                guest("HUGE-CHUNKED", at("huge_chunked", value=50 * MEBI)),
                guest("OTHER-ANSWER", at("wrong_relates_to")),
                guest("UNKNOWN-CODE", at("hresult", value=0xC004ABCD)),
                guest("NO-KEY", variables={"product_key": "W3GNR-8DDXR-2TFRP-H8P33-C9G8F"}),
                guest("LOCAL", variables={"ansible_connection": "local"}),
            ],
        }
    ]
}
PLAY = """
- hosts: avma_guests
  gather_facts: false
  tasks:
    - hyperv.avma.guest_key:
        product_key: "{{ product_key | default(omit) }}"
        timeout: 1
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab: Lab, run_playbook: RunPlaybook) -> Run:
    return run_playbook(lab, PLAY, "-vvv")


@pytest.mark.parametrize("name", sorted(UNREACHABLE))
def test_unreachable(run: Run, name: str) -> None:
    result = run.of(name)
    assert result.status == "unreachable"
    assert f"{name}: " in result["msg"]
    for words in UNREACHABLE[name]:
        assert words in result["msg"]


@pytest.mark.parametrize("name", sorted(FAILED))
def test_failed(run: Run, name: str) -> None:
    code, expected = FAILED[name]
    result = run.of(name)
    assert result.status == "failed"
    assert result["msg"].startswith(f"{name}: ")
    assert [problem["code"] for problem in result["problems"]] == [code]
    for words in expected:
        assert words in result["msg"]


def test_other_connections_are_refused_with_those_that_work(run: Run) -> None:
    result = run.of("LOCAL")
    assert result.status == "failed"
    assert "connection plugin local" in result["msg"]
    for plugin in (
        "ansible.builtin.winrm",
        "ansible.builtin.psrp",
        "ansible.builtin.ssh",
        "hyperv.avma.powershell_direct",
    ):
        assert plugin in result["msg"]


def test_the_others_are_not_in_the_way(run: Run) -> None:
    assert run.of("FINE").status == "ok"


def test_every_message_is_plain(run: Run) -> None:
    for result in run.results:
        message = result.result.get("msg", "")
        for noise in ("Traceback", "Errno", "object at 0x", "HTTPConnectionPool", "Exception", "<s:"):
            assert noise not in message, result.host
    assert "Traceback" not in run.stdout
