"""Against a Samba Active Directory: what MIT's KDC does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.conftest import Kinit
from integration import stories
from integration.conftest import RunPlaybook
from integration.playbooks import Run
from integration.stories import Story
from lab import active_directory
from lab.client import Lab
from lab.kerberos import LOCKOUT_THRESHOLD

if (lack := active_directory.missing()) is not None:
    pytest.skip(lack, allow_module_level=True)

PLUGINS = ("winrm", "psrp")
WAYS = ("kerberos", "ntlm", "credssp")
#: The password that a topology gives to users.
RIGHT = "Domain-Passw0rd!"
#: An account by every name that a domain has for it → the ways in which that name can be used.
NAMES = {
    "admin@LAB.EXAMPLE": ("kerberos", "ntlm", "credssp"),
    "ADMIN@LAB.EXAMPLE": ("kerberos",),
    "LAB\\admin": ("ntlm", "credssp"),
    "protected@LAB.EXAMPLE": ("kerberos",),
}
#: What fails, and what the message holds.
FAILURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "WRONG-PASSWORD": ({"ansible_user": "typo@LAB.EXAMPLE", "ansible_password": "wrong"}, ["Check ansible_password"]),
    "UNKNOWN-USER": ({"ansible_user": "nobody@LAB.EXAMPLE"}, ["The domain has no such user"]),
    "DISABLED": ({"ansible_user": "off@LAB.EXAMPLE"}, ["have been revoked", "locked, disabled"]),
    "EXPIRED": ({"ansible_user": "gone@LAB.EXAMPLE"}, ["Kerberos for gone@LAB.EXAMPLE"]),
    "MUST-CHANGE": ({"ansible_user": "new@LAB.EXAMPLE"}, ["must be changed at the next logon: change it once"]),
    "PROTECTED-BY-NTLM": (
        {
            "ansible_user": "protected@LAB.EXAMPLE",
            "ansible_winrm_transport": "ntlm",
            "ansible_psrp_auth": "ntlm",
        },
        ["HTTP 401", "tried NTLM"],
    ),
    "PROTECTED-BY-CREDSSP": (
        {
            "ansible_user": "guarded@LAB.EXAMPLE",
            "ansible_winrm_transport": "credssp",
            "ansible_psrp_auth": "credssp",
        },
        ["CredSSP for guarded@LAB.EXAMPLE", "Check ansible_user and ansible_password"],
    ),
    "RC4": ({}, ["no support for encryption type", "allow AES for the account of user and machine"]),
}
#: What the domain has of the machine of a case.
COMPUTERS: dict[str, dict[str, Any]] = {"RC4": {"rc4_only": True}}


def machine(name: str, **more: Any) -> dict[str, Any]:
    plugin = name.partition("-")[0].lower()
    return {"name": name, "variables": {"ansible_connection": plugin, **more.pop("variables", {})}, **more}


FAILING = {f"{plugin.upper()}-{case}": case for plugin in PLUGINS for case in FAILURES}
TOPOLOGY = {
    "active_directory": True,
    "users": [
        {"name": "admin"},
        {"name": "typo"},
        {"name": "protected", "state": "protected"},
        {"name": "guarded", "state": "protected"},
        {"name": "off", "state": "disabled"},
        {"name": "gone", "state": "expired"},
        {"name": "new", "state": "password_expired"},
        {"name": "moved", "upn": "moved@other.example"},
        *({"name": f"forgetful-{plugin}"} for plugin in PLUGINS),
    ],
    "defaults": {
        "all": {"listener": {"authentication": ["kerberos", "negotiate", "credssp"]}},
        "hosts": {"release": "2022", "license": "mak"},
    },
    "hosts": [
        *(machine(f"{plugin.upper()}-FINE", guests=[{"name": f"{plugin.upper()}-FINE-VM"}]) for plugin in PLUGINS),
        # The machine registers no WSMAN/ of its own: HTTP/ is what HOST/ stands for, WSMAN/ is not. psrp asks for that up to 2.20.
        *(
            machine(
                f"{plugin.upper()}-HOST-ONLY",
                services_registered=["HTTP"],
                variables={"ansible_psrp_negotiate_service": "WSMAN"},
            )
            for plugin in PLUGINS
        ),
        *(machine(name, variables=FAILURES[case][0], **COMPUTERS.get(case, {})) for name, case in FAILING.items()),
    ],
}
PLAY = """
- hosts: WINRM-FINE:PSRP-FINE
  gather_facts: false
  tasks:
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(TOPOLOGY) as lab:
        yield lab


@pytest.fixture(scope="module")
def story(lab: Lab, run_playbook: RunPlaybook, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return stories.tell(lab, run_playbook, tmp_path_factory.mktemp("inventory"))


@pytest.mark.parametrize("name", FAILING)
def test_a_login_that_fails_is_told(story: Story, name: str) -> None:
    story.check(name, FAILURES[FAILING[name]][1])


def test_a_machine_that_registered_no_wsman_is_reached_as_http(
    lab: Lab, story: Story, run_playbook: RunPlaybook
) -> None:
    assert story.module.of("WINRM-HOST-ONLY").status == "ok"
    story.check(
        "PSRP-HOST-ONLY",
        [
            "The domain knows no service WSMAN/psrp-host-only.lab.example",
            "ansible_psrp_negotiate_service asks for another",
        ],
    )
    play = "- hosts: PSRP-HOST-ONLY\n  gather_facts: false\n  tasks:\n    - hyperv.avma.host_info:\n"
    cured = run_playbook(lab, play, "-e", "ansible_psrp_negotiate_service=HTTP")
    assert cured.of("PSRP-HOST-ONLY").status == "ok"


@pytest.fixture(scope="module")
def named(lab: Lab, run_playbook: RunPlaybook) -> Run:
    tasks = "".join(
        f"""
    - name: {user} {way}
      hyperv.avma.host_info:
      vars: {{ansible_user: '{user}', ansible_winrm_transport: {way}, ansible_psrp_auth: {way}}}
      ignore_unreachable: true
"""
        for user, ways in NAMES.items()
        for way in ways
    )
    return run_playbook(lab, PLAY + tasks)


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize(("user", "way"), [(user, way) for user, ways in NAMES.items() for way in ways])
def test_an_account_has_many_names(named: Run, user: str, way: str, plugin: str) -> None:
    result = named.of(f"{plugin.upper()}-FINE", f"{user} {way}")
    assert result.status == "ok", result


def test_one_task_with_a_wrong_password_is_one_bad_attempt(lab: Lab, story: Story) -> None:
    # A module, verify and the inventory, with winrm and with psrp: the fifth locks the account, which counts no further.
    assert story is not None
    assert lab.failed_logins("typo") == 5


def test_other_suffixes_are_enterprise_names(lab: Lab, run_playbook: RunPlaybook, kinit: Kinit, tmp_path: Any) -> None:
    """With ``kinit -C -E`` the ticket is of the account's own name, which is what ansible_user must then be."""
    cache = kinit(lab, "moved@other.example", tmp_path / "cache", "-C", "-E")
    play = PLAY + "    - hyperv.avma.host_info:\n"
    manual = {"ansible_password": None, "ansible_winrm_kinit_mode": "manual", "ansible_user": "moved@LAB.EXAMPLE"}
    run = run_playbook(lab, play, "-e", json.dumps(manual), KRB5CCNAME=f"FILE:{cache}")
    for plugin in PLUGINS:
        assert run.of(f"{plugin.upper()}-FINE").status == "ok"


@pytest.mark.parametrize(
    ("before", "added", "user", "words", "plugins"),
    [
        (
            "[realms]",
            "    permitted_enctypes = rc4-hmac\n    allow_weak_crypto = true\n",
            "admin@LAB.EXAMPLE",
            ["no support for encryption type", "permitted_enctypes in krb5.conf"],
            PLUGINS,
        ),
        # As where DNS names the KDC, which does not tell small letters from capitals. The library of psrp asks for the account's own name.
        (
            "[domain_realm]",
            "    lab.example = {\n        kdc = 127.0.0.1:{port}\n    }\n",
            "admin@lab.example",
            ["KDC reply did not match expectations", "write it in ansible_user in capitals"],
            ("winrm",),
        ),
    ],
    ids=["rc4 only", "small letters"],
)
def test_what_the_controllers_krb5_conf_has(
    lab: Lab,
    run_playbook: RunPlaybook,
    tmp_path: Path,
    before: str,
    added: str,
    user: str,
    words: list[str],
    plugins: tuple[str, ...],
) -> None:
    text = (lab.directory / "krb5.conf").read_text(encoding="utf-8")
    port = re.search(r"kdc = 127\.0\.0\.1:(\d+)", text)
    assert port is not None
    configuration = tmp_path / "krb5.conf"
    configuration.write_text(text.replace(before, added.replace("{port}", port[1]) + before), encoding="utf-8")
    play = PLAY + "    - hyperv.avma.host_info:\n"
    run = run_playbook(lab, play, "-e", f"ansible_user={user}", KRB5_CONFIG=str(configuration))
    for plugin in plugins:
        result = run.of(f"{plugin.upper()}-FINE")
        assert result.status == "unreachable"
        for expected in words:
            assert expected in result["msg"]


def logins(*tasks: tuple[str, str, str]) -> str:
    """A play that logs in once for each name, password and way; each of the two machines is reached as a user of its own."""
    return PLAY + "".join(
        f"""
    - name: {name}
      hyperv.avma.host_info:
      vars:
        ansible_user: 'forgetful-{{{{ ansible_connection }}}}@LAB.EXAMPLE'
        ansible_password: '{password}'
        ansible_winrm_transport: {way}
        ansible_psrp_auth: {way}
      ignore_unreachable: true
"""
        for name, password, way in tasks
    )


def test_an_account_that_gets_locked_is_let_in_right_after_unlock(lab: Lab, run_playbook: RunPlaybook) -> None:
    right = ("right", RIGHT, "kerberos")
    run = run_playbook(lab, logins(*[("wrong", "wrong", "kerberos")] * LOCKOUT_THRESHOLD, right))
    for plugin in PLUGINS:
        assert "Check ansible_password" in run.of(f"{plugin.upper()}-FINE", "wrong")["msg"]
        assert "The account is locked" in run.of(f"{plugin.upper()}-FINE", "right")["msg"]
        lab.unlock(f"forgetful-{plugin}")
    run = run_playbook(lab, logins(right))
    for plugin in PLUGINS:
        assert run.of(f"{plugin.upper()}-FINE").status == "ok"


def test_a_password_that_was_changed(lab: Lab, run_playbook: RunPlaybook) -> None:
    """In one run the old one is refused and the new one is let in."""
    for plugin in PLUGINS:
        lab.set_password(f"forgetful-{plugin}", "Ch4nged-Passw0rd!")
    run = run_playbook(
        lab,
        logins(
            *((f"old {way}", RIGHT, way) for way in WAYS),
            *((f"new {way}", "Ch4nged-Passw0rd!", way) for way in WAYS),
        ),
    )
    for plugin in PLUGINS:
        for way in WAYS:
            old, new = (run.of(f"{plugin.upper()}-FINE", f"{age} {way}") for age in ("old", "new"))
            assert old.status == "unreachable", (plugin, way)
            assert "ansible_password" in old["msg"]
            assert new.status == "ok", (plugin, way, new)
