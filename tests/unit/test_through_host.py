"""Guests through their Hyper-V host: what the host is given, what its answers mean, and where the guest is found."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell import scripts, through_host
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell.session import PowerShellSession
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell.through_host import HostInterpreter
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    InvalidAnswerError,
    ProcessError,
    RouteError,
    UnreachableError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.interpreter import Guest, guest_of
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import ProcessResult, Route

from .test_powershell_session import fields

VM_ID = "5B3F8A10-0000-4000-8000-000000000001"
GUEST = Guest("hv01", VM_ID, "WEB01", "Administrator", "pässword 'x'", 30)
VM = {"class": "Msvm_ComputerSystem", "namespace": "root/virtualization/v2"}
RUNNING = {**VM, "values": {"Name": VM_ID, "ElementName": "WEB01", "EnabledState": "2"}}


def host_answer(**parts: Any) -> dict[str, Any]:
    return {"mode": "FullLanguage", "vms": [RUNNING], "version": "10", "ended": "true", "error": None, **parts}


def error(kind: str, identifier: str, **parts: str) -> dict[str, Any]:
    return host_answer(ended="false", error={"id": identifier, "type": kind, "message": "Es ging nicht.", **parts})


class FakeHost:
    """A host that answers for its guest, and notes what it was given."""

    route = Route("winrm")

    def __init__(self, document: dict[str, Any] | Exception, encrypted: bool = True) -> None:
        self.document = document
        self.encrypted = encrypted
        self.given: list[list[str]] = []

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        assert script == scripts.THROUGH_HOST
        if isinstance(self.document, Exception):
            raise self.document
        marker, order, *rest = data
        self.given.append(fields(order))
        count = int(self.given[-1].pop())
        assert rest[:count] == scripts.REQUESTS.strip().split("\n")
        guest_marker, *lines = rest[count:]
        answers = [{"rows": []} for _line in lines]
        guest = {"mode": "FullLanguage", "wow64": "", "answers": answers}
        text = f"{marker}{json.dumps(self.document)}{marker}{guest_marker}{json.dumps(guest)}{guest_marker}\r\n"
        return ProcessResult(0, text.encode(), b"")


class FakeHosts:
    """The hosts of an inventory; those after the first are nodes of its cluster."""

    def __init__(self, **hosts: FakeHost | RouteError) -> None:
        self.hosts = hosts

    def interpreter(self, name: str) -> FakeHost:
        host = self.hosts[name]
        if isinstance(host, RouteError):
            raise host
        return host

    def others(self, name: str, guest: Guest) -> Iterator[str]:
        yield from (other for other in self.hosts if other != name)


def ask(guest: Guest = GUEST, **hosts: Any) -> HostInterpreter:
    interpreter = HostInterpreter(guest, FakeHosts(**hosts))
    assert PowerShellSession(interpreter, "web01").query("SELECT * FROM Thing") == []
    return interpreter


def refusal(guest: Guest = GUEST, **hosts: Any) -> RouteError:
    with pytest.raises(RouteError) as caught:
        ask(guest, **hosts)
    assert GUEST.password not in str(caught.value)
    return caught.value


def test_the_host_gets_the_guests_script_and_credentials_as_data() -> None:
    host = FakeHost(host_answer())
    ask(hv01=host)
    wql = f"SELECT Name, ElementName, EnabledState FROM Msvm_ComputerSystem WHERE Name = '{VM_ID}'"
    assert host.given == [[wql, "Administrator", "pässword 'x'", "30"]]


def test_a_vm_is_found_by_its_name_whatever_that_is() -> None:
    host = FakeHost(host_answer())
    ask(Guest("hv01", None, 'it\'s "a\\b" $x', "u", "p"), hv01=host)
    assert host.given[0][0].endswith(
        "WHERE ElementName = 'it\\'s \"a\\\\b\" $x' AND Name LIKE '________-____-____-____-____________'"
    )


STATE = {**RUNNING, "values": {**RUNNING["values"], "EnabledState": "9"}}  # type: ignore[dict-item]
OTHER = {**RUNNING, "values": {**RUNNING["values"], "Name": VM_ID.replace("5", "6")}}  # type: ignore[dict-item]

#: What a host answers, the code of the problem, whether the guest is unreachable, and what the message names.
ANSWERS: dict[str, tuple[dict[str, Any], str, bool, str]] = {
    "off": (host_answer(vms=[STATE], ended="false"), "vm_not_running", True, "paused"),
    "two of one name": (host_answer(vms=[RUNNING, OTHER], ended="false"), "vm_ambiguous", False, VM_ID),
    "not there": (host_answer(vms=[], ended="false"), "vm_not_on_host", False, "hv01"),
    "2012 R2": (host_answer(version="6", ended="false"), "guest_too_old_for_powershell_direct", False, "WEB01"),
    "hangs": (host_answer(ended="false"), "guest_silent", True, "30 s"),
    "wrong password": (
        error("PSDirectException", "PSSessionStateBroken"),
        "guest_credentials_refused",
        True,
        "Administrator",
    ),
    "transport lost": (
        error("PSRemotingTransportException", "2100,PSSessionStateBroken"),
        "guest_not_ready",
        True,
        "KB5066360",
    ),
    "not booted": (
        error("PSRemotingDataStructureException", "PSSessionStateBroken"),
        "guest_not_ready",
        True,
        "booted",
    ),
    "turned off meanwhile": (
        error("InvalidOperationException", "InvalidVMState,Microsoft.PowerShell.Commands.InvokeCommandCommand"),
        "vm_not_running",
        True,
        "WEB01",
    ),
    "moved meanwhile": (
        error("ArgumentException", "InvalidVMIdNotSingle,Microsoft.PowerShell.Commands.InvokeCommandCommand"),
        "vm_not_on_host",
        False,
        "WEB01",
    ),
    "no module": (error("ArgumentException", "HyperVModuleNotAvailable,x"), "hyperv_module_missing", False, "hv01"),
    "2012 R2 host": (
        error("ParameterBindingException", "NamedParameterNotFound,Microsoft.PowerShell.Commands.InvokeCommandCommand"),
        "host_too_old_for_powershell_direct",
        False,
        "hv01",
    ),
    "no rights": (error("CimException", "HRESULT 0x80041003,x"), "vm_host_access_denied", False, "hv01"),
    "no Hyper-V": (error("CimException", "HRESULT 0x8004100e,x"), "vm_host_without_hyperv", False, "hv01"),
    "policy": (
        error("PSNotSupportedException", "MethodInvocationNotSupportedInConstrainedLanguage"),
        "powershell_refuses",
        False,
        "hv01",
    ),
    "something else": (error("RemoteException", "Strange,x"), "powershell_direct_failed", False, "Es ging nicht"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_stands_in_the_way_has_its_code(name: str) -> None:
    document, code, unreachable, words = ANSWERS[name]
    found = refusal(hv01=FakeHost(document))
    assert found.problem.code == code
    assert isinstance(found, UnreachableError) == unreachable
    assert words in str(found)


def test_a_host_that_is_down_is_the_hosts_problem() -> None:
    found = refusal(hv01=FakeHost(UnreachableError("connection refused")))
    assert found.problem.code == "vm_host_unreachable"
    assert isinstance(found, UnreachableError)
    assert "hv01" in str(found)
    assert "connection refused" in str(found)


def test_a_host_whose_shell_does_not_start_is_named() -> None:
    found = refusal(hv01=FakeHost(ProcessError("powershell.exe could not be run")))
    assert (found.problem.code, isinstance(found, UnreachableError)) == ("vm_host_failed", False)


def test_no_credentials_go_over_an_unencrypted_connection() -> None:
    host = FakeHost(host_answer(), encrypted=False)
    assert refusal(hv01=host).problem.code == "vm_host_unencrypted"
    assert host.given == []


def test_a_vm_that_moved_is_found_on_its_new_node_and_stays_there() -> None:
    first, second = (FakeHost(host_answer(vms=[], ended="false")) for _ in range(2))
    new = FakeHost(host_answer())
    interpreter = HostInterpreter(GUEST, FakeHosts(hv01=first, hv02=second, hv03=new))
    session = PowerShellSession(interpreter, "web01")
    for _ in range(2):
        session.query("SELECT * FROM Thing")
    assert session.route == Route("hyperv.avma.powershell_direct", "hv03")
    assert [len(host.given) for host in (first, second, new)] == [1, 1, 2]


def test_a_node_that_is_down_does_not_hide_the_one_that_has_the_vm() -> None:
    first, down = FakeHost(host_answer(vms=[], ended="false")), FakeHost(UnreachableError("no route"))
    assert ask(hv01=first, hv02=down, hv03=FakeHost(host_answer())).host == "hv03"
    assert refusal(hv01=first, hv02=down, hv03=first).problem.code == "vm_host_unreachable"


def test_a_node_that_is_lost_in_the_middle_of_a_change_ends_the_search() -> None:
    first, lost = FakeHost(host_answer(vms=[], ended="false")), FakeHost(UnreachableError("reset"))
    last = FakeHost(host_answer())
    session = PowerShellSession(HostInterpreter(GUEST, FakeHosts(hv01=first, hv02=lost, hv03=last)), "web01")
    with pytest.raises(RouteError, match="hv02"):
        session.invoke("Thing", "Do")
    assert last.given == []


def test_a_refused_password_is_tried_nowhere_else() -> None:
    document, *_ = ANSWERS["wrong password"]
    first, second = FakeHost(document), FakeHost(document)
    assert refusal(hv01=first, hv02=second).problem.code == "guest_credentials_refused"
    assert (len(first.given), len(second.given)) == (1, 0)


def test_a_host_that_never_answers_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()

    class Hanging(FakeHost):
        def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
            hangs.wait()
            return super().run(script, data, changes=changes)

    monkeypatch.setattr(through_host, "_HOST_MARGIN", -30)
    try:
        assert refusal(hv01=Hanging(host_answer())).problem.code == "guest_silent"
    finally:
        hangs.set()


@pytest.mark.parametrize("document", [{}, {"vms": 1}, {"vms": [1]}, {"vms": [{"values": 1}]}, host_answer(error=5)])
def test_garbage_of_a_host_is_an_invalid_answer(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswerError):
        ask(hv01=FakeHost(document))


class FakeConnection:
    """The connection plugin, as far as it is read."""

    def __init__(self, **options: Any) -> None:
        self.options = {"host": "hv01", "vm_id": None, "vm_name": "WEB01", "remote_user": "u", "timeout": 5, **options}
        self.options.setdefault("remote_password", "p")

    def get_option(self, name: str) -> Any:
        return self.options[name]


def test_a_guest_is_what_its_connection_says() -> None:
    assert guest_of(FakeConnection()) == Guest("hv01", None, "WEB01", "u", "p", 5)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"host": None}, "powershell_direct_incomplete", "avma_host"),
        ({"vm_name": None}, "powershell_direct_incomplete", "avma_vm_id"),
        ({"remote_user": ""}, "powershell_direct_incomplete", "ansible_user"),
        ({"remote_password": None}, "powershell_direct_incomplete", "ansible_password"),
        ({"remote_user": "svc@corp.example"}, "powershell_direct_user", "svc@corp.example"),
    ],
)
def test_what_is_not_given_or_cannot_be_used_is_said(options: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(RouteError) as caught:
        guest_of(FakeConnection(**options))
    assert caught.value.problem.code == code
    assert words in caught.value.problem.message


def test_no_credential_is_in_the_representation_of_a_guest() -> None:
    assert GUEST.password not in repr(GUEST)
