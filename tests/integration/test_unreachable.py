"""Each way in which a listener cannot be reached is told from the others, over both plugins, and costs nothing but its own machine."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from integration import servers, stories
from integration.conftest import RunPlaybook
from integration.stories import Story
from lab.client import Lab

pytestmark = pytest.mark.wsman

PLUGINS = ("winrm", "psrp")
HTTP = {"tls": False, "authentication": ["negotiate"]}
HTTPS = {"tls": True, "authentication": ["basic"]}
UNTRUSTING = "/etc/ssl/certs/ca-certificates.crt"
MISSING = "/nonexistent/ca.pem"
#: Of servers that the test starts.
AUTHORITY = {"ansible_winrm_ca_trust_path": "AUTHORITY", "ansible_psrp_ca_cert": "AUTHORITY"}

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
    "OTHER-NAME": (
        HTTPS,
        {"ansible_port": "PORT_NAMED", **AUTHORITY},
        ["certificate verify failed", "The certificate is another name's: have ansible_host name the machine"],
    ),
    "EXPIRED": (
        HTTPS,
        {"ansible_port": "PORT_EXPIRED", **AUTHORITY},
        ["certificate has expired", "give the machine's listener a new one"],
    ),
    "OLD-TLS": (
        HTTPS,
        {"ansible_port": "PORT_OLD", **AUTHORITY},
        ["no version of TLS in common", "TLS 1.2 or newer"],
    ),
    "OTHER-CIPHERS": (
        HTTPS,
        {"ansible_port": "PORT_CIPHERS", **AUTHORITY},
        ["no cipher of TLS in common", "ansible_"],
    ),
    "NO-AUTHORITY": (
        HTTPS,
        {"ansible_winrm_ca_trust_path": __file__, "ansible_psrp_ca_cert": __file__},
        ["no certificate or crl found", "Check the file that ansible_"],
    ),
    "NO-BINDING": (
        {"tls": True, "authentication": ["negotiate"], "channel_binding": True},
        {
            # The machine's own: the same user and password are right at all others.
            "ansible_user": ".\\Administrator",
            "ansible_winrm_send_cbt": False,
            "ansible_psrp_negotiate_send_cbt": False,
        },
        ["(HTTP 401)", "demands channel bindings (CbtHardeningLevel Strict)", "_send_cbt must not be off"],
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
    "PROXY-THAT-ASKS": (
        HTTP,
        {"ansible_winrm_proxy": "http://127.0.0.1:PORT_ASKING", "ansible_psrp_proxy": "http://127.0.0.1:PORT_ASKING"},
        ["answered through the proxy http://127.0.0.1", "HTTP 407: the proxy demands a login of its own"],
    ),
    "OTHER-SERVER": (HTTP, {"ansible_port": "PORT_OTHER"}, ["answered HTTP 404", "is this the WinRM listener"]),
    "REFUSED": (HTTP, {"ansible_port": "PORT_DEAD"}, ["no connection to http://127.0.0.1", "Connection refused"]),
}
NAMES = {f"{plugin.upper()}-{case}": case for plugin in PLUGINS for case in CASES}
#: With what is set in the environment, one machine over each plugin.
OVER_EACH_PLUGIN = """
- hosts: FINE
  gather_facts: false
  tasks:
    - name: winrm
      hyperv.avma.host_info:
      vars: {ansible_connection: winrm}
      ignore_unreachable: true
    - name: psrp
      hyperv.avma.host_info:
      vars: {ansible_connection: psrp}
      ignore_unreachable: true
"""


def listening(authority: trustme.CA, name: str = "127.0.0.1", **certificate: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **certificate).configure_cert(context)
    return context


def contexts(authority: trustme.CA) -> dict[str, ssl.SSLContext]:
    """Servers that speak TLS, in ways that the controller must not take."""
    old, ciphers = listening(authority), listening(authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    old.set_ciphers("ALL:@SECLEVEL=0")
    ciphers.maximum_version = ssl.TLSVersion.TLSv1_2
    ciphers.set_ciphers("AES128-SHA:@SECLEVEL=0")
    return {
        "PORT_NAMED": listening(authority, "elsewhere.example"),
        "PORT_EXPIRED": listening(authority, not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        "PORT_OLD": old,
        "PORT_CIPHERS": ciphers,
    }


@dataclass(frozen=True)
class Result:
    lab: Lab
    dead_port: int
    story: Story
    target: servers.Server
    asking: servers.Server


@pytest.fixture(scope="module")
def result(run_playbook: RunPlaybook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    with ExitStack() as stack:
        target = stack.enter_context(servers.server("200 OK"))
        authority = trustme.CA()
        trusted = tmp_path_factory.mktemp("tls") / "ca.pem"
        authority.cert_pem.write_to_path(str(trusted))
        asking = stack.enter_context(servers.server("407 Proxy Required", "Proxy-Authenticate: NTLM"))
        ports = {
            "PORT_REDIRECT": stack.enter_context(
                servers.server("307 Temporary Redirect", f"Location: http://127.0.0.1:{target.port}/wsman")
            ).port,
            "PORT_REFUSING": stack.enter_context(servers.server("403 Forbidden")).port,
            "PORT_ASKING": asking.port,
            "PORT_OTHER": stack.enter_context(servers.server("404 Not Found")).port,
            "PORT_DEAD": servers.unused_port(),
            **{
                name: stack.enter_context(servers.server("200 OK", tls=context)).port
                for name, context in contexts(authority).items()
            },
        }
        hosts: list[dict[str, Any]] = [
            {"name": "FINE", "release": "2022", "license": "mak", "listener": HTTP, "guests": [{"name": "FINE-VM"}]}
        ]
        for name, case in NAMES.items():
            listener, variables, _words = CASES[case]
            text = yaml.safe_dump({**variables, "ansible_connection": name.partition("-")[0].lower()})
            for word, value in {**ports, "AUTHORITY": trusted}.items():
                text = text.replace(word, str(value))
            hosts.append({"name": name, "listener": listener, "variables": yaml.safe_load(text)})
        lab = stack.enter_context(Lab({"hosts": hosts}))
        story = stories.tell(lab, run_playbook, tmp_path_factory.mktemp("inventory"))
        yield Result(lab, ports["PORT_DEAD"], story, target, asking)


@pytest.mark.parametrize("name", NAMES)
def test_the_cause_is_told_with_the_options_of_the_plugin_in_use(result: Result, name: str) -> None:
    result.story.check(name, CASES[NAMES[name]][2])
    message = result.story.module.of(name)["msg"]
    assert ("ansible_psrp" if name.startswith("WINRM") else "ansible_winrm") not in message


def test_the_others_are_not_in_the_way(result: Result) -> None:
    result.story.check_others("FINE")


def test_nothing_is_sent_to_where_a_redirect_points(result: Result) -> None:
    assert result.target.received == []


def test_a_proxy_does_not_get_the_machines_credentials(result: Result) -> None:
    assert result.asking.received
    assert not any(b"proxy-authorization" in request.lower() for request in result.asking.received)


def test_credentials_of_a_proxy_are_not_shown(result: Result) -> None:
    for output in (result.story.module.stdout, result.story.verify.stdout, result.story.inventory.output):
        assert "hidden" not in output


def test_a_proxy_of_the_environment_is_named_and_can_be_gone_around(result: Result, run_playbook: RunPlaybook) -> None:
    proxy = {"HTTP_PROXY": f"http://me:hidden@127.0.0.1:{result.dead_port}"}
    run = run_playbook(result.lab, OVER_EACH_PLUGIN, "-vvv", **proxy)
    for plugin in PLUGINS:
        told = run.of("FINE", plugin)
        assert told.status == "unreachable"
        assert f"through the proxy http://127.0.0.1:{result.dead_port}" in told["msg"]
        assert "The proxy itself could not be used" in told["msg"]
        assert f"name the machine in NO_PROXY, or set ansible_{plugin}_proxy" in told["msg"]
    assert "hidden" not in run.stdout
    around = run_playbook(result.lab, OVER_EACH_PLUGIN, **proxy, NO_PROXY="127.0.0.1")
    assert [around.of("FINE", plugin).status for plugin in PLUGINS] == ["ok", "ok"]


def test_file_of_authorities_is_there() -> None:
    assert Path(UNTRUSTING).exists()
