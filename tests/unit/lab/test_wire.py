# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The listener as the real clients see it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypsrp.exceptions
import pytest
import requests
import winrm.exceptions
from pypsrp.shell import Process, WinRS

from lab.cim import Reference
from lab.simulation import ListenerOptions
from lab.soap import CIM, IDENTITY, SOAP, WSMAN, XSI
from unit.lab.wire_client import (
    THING,
    WMI,
    context_of,
    enumerate_request,
    fault_of,
    get_request,
    invoke_request,
    pull_request,
    pywinrm,
    query,
    release_request,
    sender,
    tls_files,
)
from unit.lab.wire_client import (
    pypsrp as psrp_client,
)
from unit.lab.wire_model import ACCOUNT, OWNER, ThingMachine, WireLab, wire_lab

Start = Callable[..., WireLab]
KEY = "ABCDE-12345-FGHIJ-67890-KLMNO"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a lab of one machine; options are ``ListenerOptions``' and ``ThingMachine``'s."""
    with ExitStack() as stack:

        def run(count: int = 5, language: str = "en-US", **options: Any) -> WireLab:
            machine = ThingMachine(count=count, language=language, listener=ListenerOptions(**options))
            return stack.enter_context(wire_lab(tmp_path, machine))

        yield run


def names(rows: list[dict[str, list[str | None]]]) -> list[str | None]:
    return [row["Name"][0] for row in rows]


class TestAuthentication:
    @pytest.mark.parametrize("client", [pywinrm, psrp_client])
    def test_negotiate_with_encryption(self, start: Start, client: Callable[..., Any]) -> None:
        lab = start()
        rows, _ = query(sender(client(lab)), "SELECT Name FROM Test_Thing WHERE Id = 2")
        assert names(rows) == ["Thing <2> & 'co'"]

    def test_ntlm_scheme_of_pypsrp(self, start: Start) -> None:
        rows, _ = query(sender(psrp_client(start(), "ntlm")), "SELECT Name FROM Test_Thing")
        assert len(rows) == 5

    @pytest.mark.parametrize("user", ["administrator", "WIRE01\\Administrator", ".\\Administrator"])
    def test_spellings_of_the_user(self, start: Start, user: str) -> None:
        rows, _ = query(sender(pywinrm(start(), username=user)), "SELECT Name FROM Test_Thing")
        assert len(rows) == 5

    @pytest.mark.parametrize("scheme", ["negotiate", "basic", "certificate"])
    def test_tls(self, start: Start, tmp_path: Path, scheme: str) -> None:
        lab = start(tls=True, authentication=(scheme,))
        authority, certificate, key = tls_files(tmp_path)
        one = pywinrm(
            lab,
            "ntlm" if scheme == "negotiate" else scheme,
            ca_trust_path=authority,
            cert_pem=certificate if scheme == "certificate" else None,
            cert_key_pem=key if scheme == "certificate" else None,
        )
        other = psrp_client(
            lab, scheme, cert_validation=authority, certificate_pem=certificate, certificate_key_pem=key
        )
        for client in (one, other):
            rows, _ = query(sender(client), "SELECT Name FROM Test_Thing")
            assert len(rows) == 5

    @pytest.mark.parametrize(
        "credentials", [{"password": "wrong"}, {"username": "nobody"}, {"username": "OTHER\\Administrator"}]
    )
    def test_wrong_credentials(self, start: Start, credentials: dict[str, str]) -> None:
        lab = start()
        with pytest.raises(winrm.exceptions.InvalidCredentialsError):
            query(sender(pywinrm(lab, **credentials)), "SELECT Name FROM Test_Thing")
        with pytest.raises(pypsrp.exceptions.AuthenticationError):
            query(sender(psrp_client(lab, **credentials)), "SELECT Name FROM Test_Thing")
        assert lab.call("counters")["WIRE01"]["operations"] == 0

    def test_two_machines_have_accounts_of_their_own(self, tmp_path: Path) -> None:
        other = ThingMachine("WIRE02", account=replace(ACCOUNT, password="another"))
        with wire_lab(tmp_path, ThingMachine(), other) as lab:
            query(sender(pywinrm(lab)), "SELECT Name FROM Test_Thing")
            with pytest.raises(winrm.exceptions.InvalidCredentialsError):
                query(sender(pywinrm(lab, machine="WIRE02")), "SELECT Name FROM Test_Thing")
            query(sender(pywinrm(lab, machine="WIRE02", password="another")), "SELECT Name FROM Test_Thing")

    def test_basic_over_tls_with_a_wrong_password(self, start: Start, tmp_path: Path) -> None:
        lab = start(tls=True, authentication=("basic",))
        client = pywinrm(lab, "basic", ca_trust_path=tls_files(tmp_path)[0], password="wrong")
        with pytest.raises(winrm.exceptions.InvalidCredentialsError):
            query(sender(client), "SELECT Name FROM Test_Thing")

    def test_certificate_auth_needs_a_certificate(self, start: Start, tmp_path: Path) -> None:
        lab = start(tls=True, authentication=("certificate",))
        url = f"https://127.0.0.1:{lab.port()}/wsman"
        header = {"Authorization": "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"}
        answer = requests.post(url, data=b"<x/>", headers=header, verify=tls_files(tmp_path)[0], timeout=10)
        assert answer.status_code == 401

    def test_basic_over_http_is_not_offered_by_default(self, start: Start) -> None:
        lab = start(authentication=("negotiate", "basic"))
        with pytest.raises(winrm.exceptions.InvalidCredentialsError):
            query(sender(pywinrm(lab, "basic")), "SELECT Name FROM Test_Thing")

    def test_unencrypted_listener_takes_basic(self, start: Start) -> None:
        lab = start(authentication=("basic",), allow_unencrypted=True)
        rows, _ = query(sender(pywinrm(lab, "basic")), "SELECT Name FROM Test_Thing")
        assert len(rows) == 5

    def test_a_default_listener_refuses_messages_in_the_clear(self, start: Start) -> None:
        client = pywinrm(start(), message_encryption="never")
        with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
            query(sender(client), "SELECT Name FROM Test_Thing")
        assert caught.value.code == 500
        assert not caught.value.response_text

    def test_another_connection_has_to_authenticate(self, start: Start) -> None:
        lab = start()
        query(sender(pywinrm(lab)), "SELECT Name FROM Test_Thing")
        answer = requests.post(f"http://127.0.0.1:{lab.port()}/wsman", data=b"<x/>", timeout=10)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Negotiate"


class TestEnumeration:
    @pytest.mark.parametrize(
        ("options", "most", "taken"),
        [
            ({}, 32000, 2),
            ({"first_page": None}, 32000, 1),
            ({"first_page": None, "page_size": 2}, 32000, 1),
            ({"page_size": 2}, 32000, 3),
            ({"page_size": 1}, 32000, 5),
            ({"optimize_enumeration": False}, 32000, 2),
            ({}, None, 5),
            ({"item_wrapping": True}, 32000, 2),
            ({"prefixes": "shuffled"}, 32000, 2),
            ({"property_order": "shuffled"}, 32000, 2),
        ],
    )
    @pytest.mark.parametrize("columns", ["*", "Name, Id, Tags, Missing, Made"])
    def test_every_way_of_answering_gives_the_same_rows(
        self, start: Start, options: dict[str, Any], most: int | None, taken: int, columns: str
    ) -> None:
        lab = start(**options)
        rows, requests_taken = query(sender(pywinrm(lab)), f"SELECT {columns} FROM Test_Thing", most)
        assert names(rows) == [f"Thing <{number}> & 'co'" for number in range(1, 6)]
        assert rows[2]["Tags"] == ["a", "b"]
        assert rows[2]["Missing"] == [None]
        assert rows[2]["Made"] == ["2026-11-04T12:30:00.5Z"]
        assert requests_taken == taken
        assert lab.call("counters")["WIRE01"]["open_enumerations"] == 0

    def test_shuffled_really_differs(self, start: Start) -> None:
        send = sender(pywinrm(start(prefixes="shuffled", property_order="shuffled")))
        one, other = (send(enumerate_request("SELECT * FROM Test_Thing WHERE Id = 1")) for _ in range(2))
        assert b"s:Envelope" not in one
        orders = [[child.tag for child in ET.fromstring(data).find(f".//{{{WSMAN}}}Items")[0]] for data in (one, other)]
        assert orders[0] != orders[1]
        assert sorted(orders[0]) == sorted(orders[1])

    def test_star_is_in_the_namespace_of_the_class(self, start: Start) -> None:
        data = sender(pywinrm(start()))(enumerate_request("SELECT * FROM Test_Thing WHERE Id = 1"))
        item = ET.fromstring(data).find(f".//{{{WSMAN}}}Items")[0]
        assert item.tag == f"{{{THING}}}Test_Thing"
        assert item.get(f"{{{XSI}}}type") == "p:Test_Thing_Type"
        assert item.find(f"{{{THING}}}Made/{{{CIM}}}Datetime") is not None

    def test_a_projection_is_a_fragment_in_no_namespace(self, start: Start) -> None:
        data = sender(pywinrm(start()))(enumerate_request("SELECT Made, Name FROM Test_Thing WHERE Id = 1"))
        item = ET.fromstring(data).find(f".//{{{WSMAN}}}Items")[0]
        assert item.tag == f"{{{WSMAN}}}XmlFragment"
        assert [child.tag for child in item] == ["Made", "Name"]
        assert item.find("Made/Datetime") is not None

    def test_whole_class_without_a_filter(self, start: Start) -> None:
        send = sender(pywinrm(start(first_page=None)))
        data = send(enumerate_request(None, uri=THING))
        assert len(ET.fromstring(data).find(f".//{{{WSMAN}}}Items")) == 5

    def test_nothing_found_ends_at_once(self, start: Start) -> None:
        rows, taken = query(sender(pywinrm(start())), "SELECT Id FROM Test_Thing WHERE Id = 99")
        assert (rows, taken) == ([], 1)

    def test_pages_hold_no_more_than_the_clients_envelope(self, start: Start) -> None:
        lab = start(count=2000, first_page=None)
        send = sender(pywinrm(lab))
        answer = send(enumerate_request("SELECT * FROM Test_Thing", size=51200))
        assert 40_000 < len(answer) <= 51200
        page = send(pull_request(context_of(ET.fromstring(answer)), size=20480))
        assert 10_000 < len(page) <= 20480

    def test_release_and_what_is_left_open(self, start: Start) -> None:
        lab = start()
        send = sender(pywinrm(lab))
        context = context_of(ET.fromstring(send(enumerate_request("SELECT Id FROM Test_Thing"))))
        assert lab.call("counters")["WIRE01"]["open_enumerations"] == 1
        send(release_request(context))
        assert lab.call("counters")["WIRE01"]["open_enumerations"] == 0
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            send(pull_request(context))
        assert caught.value.wsman_fault_code == 2150858779

    def test_a_context_is_good_for_one_pull(self, start: Start) -> None:
        send = sender(pywinrm(start()))
        context = context_of(ET.fromstring(send(enumerate_request("SELECT Id FROM Test_Thing"))))
        send(pull_request(context, 1))
        with pytest.raises(winrm.exceptions.WSManFaultError):
            send(pull_request(context, 1))

    def test_answers_are_in_the_language_of_the_machine_and_related(self, start: Start) -> None:
        data = sender(pywinrm(start(language="ja-JP")))(enumerate_request("SELECT Id FROM Test_Thing"))
        root = ET.fromstring(data)
        assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "ja-JP"
        assert root.findtext(".//{*}RelatesTo") == "uuid:11111111-2222-4333-8444-555555555555"


class TestFaults:
    @pytest.mark.parametrize(
        ("message", "subcode", "code"),
        [
            (enumerate_request("SELECT Id FROM Test_Thing", uri=THING), "CannotProcessFilter", "2150858778"),
            (
                enumerate_request("SELECT Id FROM Test_Thing", dialect="http://www.w3.org/TR/1999/REC-xpath-19991116"),
                "FilterDialectRequestedUnavailable",
                "2150858777",
            ),
            (enumerate_request(None), "DestinationUnreachable", "2150858811"),
            (enumerate_request(None, uri="http://example.com/x"), "DestinationUnreachable", "2150858811"),
            (get_request({"Id": "99"}), "DestinationUnreachable", "2150858752"),
            (get_request({"Name": "x"}), "InvalidSelectors", "2150858843"),
            (get_request({}), "InvalidSelectors", "2150859002"),
            (pull_request("uuid:unknown"), "InvalidEnumerationContext", "2150858779"),
            (invoke_request("Echo").replace("Echo_INPUT", "Other_INPUT"), "SchemaValidationError", "2150858817"),
            (invoke_request("Echo").replace(f"{THING}/Echo<", "http://x/Echo<"), "ActionNotSupported", "2150858771"),
        ],
    )
    def test_of_the_service(self, start: Start, message: str, subcode: str, code: str) -> None:
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            sender(pywinrm(start()))(message)
        assert caught.value.code == 500
        assert fault_of(caught.value.response)[:2] == (subcode, code)

    @pytest.mark.parametrize("form", ["wmi", "wsman"])
    @pytest.mark.parametrize(
        ("message", "hresult"),
        [
            (enumerate_request("SELECT Nope FROM Test_Thing"), 0x80041017),
            (enumerate_request("SELECT Id FROM Nope"), 0x80041010),
            (enumerate_request("SELECT Id FROM Test_Thing", uri=WMI + "root/nope/*"), 0x8004100E),
            (invoke_request("Fail", "<p:Code>0xC004FD02</p:Code>"), 0xC004FD02),
        ],
    )
    def test_of_wmi_in_both_forms(self, start: Start, form: str, message: str, hresult: int) -> None:
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            sender(pywinrm(start(fault_form=form)))(message)
        found = caught.value.wmierror_code if form == "wmi" else caught.value.wsman_fault_code
        assert found == hresult
        assert ("ProviderFault" in caught.value.response) == (form == "wsman")

    @pytest.mark.parametrize("form", ["wmi", "wsman"])
    def test_access_denied_is_of_the_service_in_either_form(self, start: Start, form: str) -> None:
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            sender(pywinrm(start(fault_form=form)))(invoke_request("Fail", "<p:Code>0x80070005</p:Code>"))
        assert caught.value.wsman_fault_code == 5
        assert caught.value.fault_subcode == "w:AccessDenied"

    @pytest.mark.parametrize("language", ["de-DE", "ja-JP"])
    def test_texts_are_in_the_language_of_the_machine(self, start: Start, language: str) -> None:
        send = sender(pywinrm(start(language=language)))
        for code, english in (("0xC004FD02", "unknown error"), ("5", "Access is denied")):
            with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
                send(invoke_request("Fail", f"<p:Code>{code}</p:Code>"))
            assert english not in caught.value.response
            assert f'xml:lang="{language}"' in caught.value.response

    def test_shuffled_prefixes_hold_in_faults(self, start: Start) -> None:
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            sender(pywinrm(start(prefixes="shuffled")))(get_request({"Id": "99"}))
        assert caught.value.wsman_fault_code == 2150858752
        assert "w:FaultDetail" not in caught.value.response

    def test_an_answer_larger_than_the_clients_envelope(self, start: Start) -> None:
        big = f"<p:Text>{'x' * 60000}</p:Text>"
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            sender(pywinrm(start()))(invoke_request("Echo", big).replace("153600", "51200"))
        assert caught.value.wsman_fault_code == 2150858824

    @pytest.mark.parametrize("body", ["no xml", "<x/>", '<!DOCTYPE x [<!ENTITY e "e">]>' + get_request({"Id": "1"})])
    def test_what_is_no_envelope_is_a_bad_request(self, start: Start, body: str) -> None:
        lab = start(authentication=("basic",), allow_unencrypted=True)
        url = f"http://127.0.0.1:{lab.port()}/wsman"
        answer = requests.post(url, data=body, auth=(ACCOUNT.name, ACCOUNT.password), timeout=10)
        assert answer.status_code == 400

    def test_other_paths_and_methods(self, start: Start) -> None:
        url = f"http://127.0.0.1:{start().port()}"
        assert requests.post(f"{url}/other", timeout=10).status_code == 404
        assert requests.get(f"{url}/wsman", timeout=10).status_code == 405


class TestInstancesAndMethods:
    def test_get(self, start: Start) -> None:
        root = ET.fromstring(sender(pywinrm(start()))(get_request({"ID": "3"})))
        body = root.find(f"{{{SOAP}}}Body")
        assert body is not None
        assert body[0].tag == f"{{{THING}}}Test_Thing"
        assert body[0].findtext(f"{{{THING}}}Name") == "Thing <3> & 'co'"
        owner = body[0].find(f"{{{THING}}}Owner")
        assert owner.findtext(f".//{{{WSMAN}}}ResourceURI") == WMI + "root/cimv2/Test_Owner"
        assert owner.find(f".//{{{WSMAN}}}Selector").attrib == {"Name": "Name"}
        assert owner.findtext(f".//{{{WSMAN}}}Selector") == "O'Brien"

    def test_invoke_takes_and_returns_every_kind_of_value(self, start: Start) -> None:
        lab = start()
        reference = (
            "<a:Address>x</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{WMI}root/cimv2/Test_Owner</w:ResourceURI>"
            '<w:SelectorSet><w:Selector Name="Name">O\'Brien</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        )
        parameters = (
            "<p:Text> &lt;a&gt; </p:Text><p:List>1</p:List><p:List>2</p:List><p:Nothing xsi:nil='true'/>"
            f"<p:When><cim:Datetime>2026-01-01T00:00:00Z</cim:Datetime></p:When><p:Target>{reference}</p:Target>"
        )
        data = sender(pywinrm(lab))(invoke_request("Echo", parameters, {"Id": "1"}))
        method, selectors, arguments = lab.machines["WIRE01"].invoked[0]
        assert (method, selectors) == ("Echo", {"Id": "1"})
        assert arguments == {
            "Text": " <a> ",
            "List": ["1", "2"],
            "Nothing": None,
            "When": "2026-01-01T00:00:00Z",
            "Target": Reference(OWNER.namespace, OWNER.class_name, {"Name": "O'Brien"}),
        }
        output = ET.fromstring(data).find(f".//{{{THING}}}Echo_OUTPUT")
        assert output.findtext(f"{{{THING}}}Text") == " <a> "
        assert [item.text for item in output.findall(f"{{{THING}}}List")] == ["1", "2"]
        assert output.findtext(f"{{{THING}}}ReturnValue") == "0"

    def test_identify(self, start: Start) -> None:
        message = (
            f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body><i:Identify xmlns:i="{IDENTITY}"/></s:Body></s:Envelope>'
        )
        root = ET.fromstring(sender(pywinrm(start()))(message))
        assert root.findtext(f".//{{{IDENTITY}}}ProductVendor") == "Microsoft Corporation"


class TestShells:
    def test_pywinrm(self, start: Start) -> None:
        lab = start()
        client = pywinrm(lab)
        shell = client.open_shell(codepage=65001)
        command = client.run_command(shell, "tool", ["-x", '"a b"'], console_mode_stdin=False)
        client.send_command_input(shell, command, b"in", end=True)
        assert client.get_command_output(shell, command) == (b"out:in", b"err", 3)
        client.cleanup_command(shell, command)
        assert lab.call("counters")["WIRE01"]["open_shells"] == 1
        client.close_shell(shell)
        assert lab.call("counters")["WIRE01"]["open_shells"] == 0
        assert lab.machines["WIRE01"].executed == [("tool", ["-x", '"a b"'], b"in")]

    def test_pypsrp(self, start: Start) -> None:
        lab = start()
        with WinRS(psrp_client(lab)) as shell:
            process = Process(shell, "tool", ["-x", "y"])
            process.begin_invoke()
            process.send(b"i", end=False)
            process.send(b"n", end=True)
            process.end_invoke()
        assert (process.stdout, process.stderr, process.rc) == (b"out:in", b"err", 3)
        assert lab.machines["WIRE01"].executed == [("tool", ["-x", "y"], b"in")]

    def test_much_output_comes_in_parts(self, start: Start) -> None:
        lab = start()
        client = pywinrm(lab)
        shell = client.open_shell()
        command = client.run_command(shell, "flood")
        stdout, stderr, _ = client.get_command_output(shell, command)
        assert (len(stdout), len(stderr)) == (200_000, 100_000)
        assert lab.call("counters")["WIRE01"]["requests"]["Receive"] == 5

    def test_a_closed_shell_takes_no_command(self, start: Start) -> None:
        client = pywinrm(start())
        shell = client.open_shell()
        client.close_shell(shell, close_session=False)
        with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
            client.run_command(shell, "tool")
        assert caught.value.wsman_fault_code == 2150858843

    def test_ansibles_connection_plugin(self, start: Start, tmp_path: Path) -> None:
        lab = start()
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(
            f"all: {{hosts: {{WIRE01: {{ansible_host: 127.0.0.1, ansible_port: {lab.port()}, ansible_connection: winrm, "
            f"ansible_winrm_scheme: http, ansible_winrm_transport: ntlm, ansible_user: {ACCOUNT.name}, "
            f"ansible_password: {ACCOUNT.password}}}}}}}"
        )
        ansible = Path(sys.executable).with_name("ansible")
        environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "NO_COLOR": "1", "NO_PROXY": "*"}
        run = subprocess.run(
            [ansible, "-i", inventory, "WIRE01", "-m", "raw", "-a", "hostname"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "WIRE01 | FAILED | rc=3" in run.stdout, run.stdout + run.stderr
        assert "out:" in run.stdout
        report = lab.call("counters")["WIRE01"]
        assert report["open_shells"] == 0
        assert re.search(r"-EncodedCommand .*hostname", report["command_lines"][0], re.DOTALL)


class TestJournal:
    def test_counts_and_bytes_without_authentication(self, start: Start) -> None:
        lab = start()
        send = sender(pywinrm(lab))
        message = enumerate_request("SELECT Id FROM Test_Thing WHERE Id = 1")
        answer = send(message)
        report = lab.call("counters")["WIRE01"]
        assert report["requests"] == {"Authentication": 3, "Enumerate": 1}
        assert report["operations"] == 1
        assert (report["soap_received"], report["soap_sent"]) == (len(message), len(answer))
        # The wire adds the MIME parts, the signature and the HTTP head.
        assert 300 < report["wire_received"] - len(message) < 900
        assert 300 < report["wire_sent"] - len(answer) < 900
        assert report["queries"] == ["SELECT Id FROM Test_Thing WHERE Id = 1"]

    def test_method_calls_with_keys_masked(self, start: Start) -> None:
        lab = start()
        send = sender(pywinrm(lab))
        send(invoke_request("Echo", f"<p:ProductKey>{KEY}</p:ProductKey><p:L>a</p:L><p:L>{KEY}</p:L>", {"Id": "1"}))
        send(invoke_request("GetThing"))
        report = lab.call("counters")["WIRE01"]
        assert report["invokes"][0] == {
            "class": "Test_Thing",
            "method": "Echo",
            "selectors": {"Id": "1"},
            "arguments": {"ProductKey": "*****-*****-*****-*****-KLMNO", "L": ["a", "*****-*****-*****-*****-KLMNO"]},
        }
        assert [call["method"] for call in report["invokes"]] == ["Echo", "GetThing"]
        assert [call["method"] for call in report["writes"]] == ["Echo"]
        assert KEY not in str(report)

    def test_command_lines_are_decoded_and_masked(self, start: Start) -> None:
        lab = start()
        client = pywinrm(lab)
        shell = client.open_shell()
        encoded = __import__("base64").b64encode(f"Set-Key {KEY}".encode("utf-16-le")).decode()
        client.run_command(shell, "powershell.exe", ["-NoProfile", "-EncodedCommand", encoded])
        client.run_command(shell, "slmgr", ["/ipk", KEY.lower()])
        lines = lab.call("counters")["WIRE01"]["command_lines"]
        assert lines == [
            "powershell.exe -NoProfile -EncodedCommand Set-Key *****-*****-*****-*****-KLMNO",
            "slmgr /ipk *****-*****-*****-*****-klmno",
        ]

    def test_reset(self, start: Start) -> None:
        lab = start()
        query(sender(pywinrm(lab)), "SELECT Id FROM Test_Thing")
        lab.call("reset_counters")
        report = lab.call("counters")["WIRE01"]
        assert (report["operations"], report["wire_sent"], report["queries"]) == (0, 0, [])


class TestMadeFaults:
    """Faults by rule: what the client meets, and whether the request was run."""

    def hit(self, start: Start, effect: str, value: Any = None, **options: Any) -> tuple[WireLab, bytes]:
        lab = start(**options)
        lab.call("fault", "WIRE01", {"effect": effect, "value": value, "match": {"operation": "Invoke"}})
        return lab, sender(pywinrm(lab))(invoke_request("Echo"))

    @pytest.mark.parametrize(
        ("effect", "value", "exception", "ran"),
        [
            ("cut", None, requests.exceptions.RequestException, True),
            ("drop", None, requests.exceptions.ConnectionError, False),
            ("stop_machine_after", None, requests.exceptions.ConnectionError, True),
            ("status", 503, winrm.exceptions.WinRMTransportError, False),
            ("access_denied", None, winrm.exceptions.WSManFaultError, False),
            ("wsman_fault", 2150859174, winrm.exceptions.WSManFaultError, False),
            ("hresult", "0xC004FD00", winrm.exceptions.WSManFaultError, False),
        ],
    )
    def test_raises(self, start: Start, effect: str, value: Any, exception: type[Exception], ran: bool) -> None:
        lab = start()
        lab.call("fault", "WIRE01", {"effect": effect, "value": value, "match": {"operation": "Invoke"}})
        with pytest.raises(exception) as caught:
            sender(pywinrm(lab))(invoke_request("Echo"))
        assert bool(lab.machines["WIRE01"].invoked) == ran
        if isinstance(caught.value, winrm.exceptions.WSManFaultError):
            codes = (caught.value.wsman_fault_code, caught.value.wmierror_code)
            assert {"access_denied": 5, "wsman_fault": 2150859174, "hresult": 0xC004FD00}[effect] in codes

    @pytest.mark.parametrize("effect", ["malformed", "truncated"])
    def test_not_well_formed(self, start: Start, effect: str) -> None:
        _, data = self.hit(start, effect)
        with pytest.raises(ET.ParseError):
            ET.fromstring(data)

    @pytest.mark.parametrize("effect", ["huge", "huge_chunked"])
    @pytest.mark.parametrize("options", [{}, {"authentication": ("basic",), "allow_unencrypted": True}])
    def test_huge(self, start: Start, effect: str, options: dict[str, Any]) -> None:
        lab = start(**options)
        lab.call("fault", "WIRE01", {"effect": effect, "value": 3_000_000})
        client = pywinrm(lab, "basic" if options else "ntlm")
        data = sender(client)(invoke_request("Echo"))
        assert len(data) > 3_000_000
        assert ET.fromstring(data) is not None

    def test_wrong_relates_to(self, start: Start) -> None:
        lab, data = self.hit(start, "wrong_relates_to")
        assert "11111111-2222-4333-8444-555555555555" not in data.decode()
        assert lab.machines["WIRE01"].invoked

    def test_delay(self, start: Start) -> None:
        begun = time.monotonic()
        self.hit(start, "delay", 0.3)
        assert time.monotonic() - begun >= 0.3

    def test_longer_than_the_operation_timeout(self, start: Start) -> None:
        lab = start()
        lab.call("fault", "WIRE01", {"effect": "delay", "value": 60})
        with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
            sender(pywinrm(lab))(invoke_request("Echo").replace("PT20S", "PT0.1S"))
        assert not lab.machines["WIRE01"].invoked

    def test_listener_delay(self, start: Start) -> None:
        lab = start(delay=0.2)
        begun = time.monotonic()
        sender(pywinrm(lab))(invoke_request("Echo"))
        assert time.monotonic() - begun >= 0.2

    def test_match_nth_and_times(self, start: Start) -> None:
        lab = start()
        rule = {"effect": "hresult", "value": 0xC004FD00, "match": {"class": "test_thing", "method": "ECHO", "nth": 2}}
        lab.call("fault", "WIRE01", rule)
        send = sender(pywinrm(lab))
        outcomes = []
        for method in ("Echo", "Other", "Echo", "Echo"):
            try:
                send(invoke_request(method))
                outcomes.append((method, True))
            except winrm.exceptions.WSManFaultError:
                outcomes.append((method, False))
        assert outcomes == [("Echo", True), ("Other", True), ("Echo", False), ("Echo", True)]

    def test_times_runs_out_and_clear(self, start: Start) -> None:
        lab = start()
        lab.call("fault", "WIRE01", {"effect": "status", "value": 503, "times": 1})
        send = sender(pywinrm(lab))
        with pytest.raises(winrm.exceptions.WinRMTransportError):
            send(invoke_request("Echo"))
        send(invoke_request("Echo"))
        lab.call("fault", "WIRE01", {"effect": "status", "value": 503})
        lab.call("clear_faults")
        send(invoke_request("Echo"))

    @pytest.mark.parametrize(
        "rule", [{"effect": "nonsense"}, {"effect": "cut", "colour": 1}, {"effect": "cut", "match": {"colour": 1}}]
    )
    def test_unknown_rules_are_refused(self, start: Start, rule: dict[str, Any]) -> None:
        lab = start()
        with pytest.raises((ValueError, TypeError)):
            lab.call("fault", "WIRE01", rule)

    def test_random_faults_repeat_with_the_seed(self, tmp_path: Path) -> None:
        def outcomes() -> list[str]:
            found = []
            with wire_lab(tmp_path, ThingMachine()) as lab:
                lab.call("random_faults", "seed", 0.5)
                for _ in range(12):
                    try:
                        sender(pywinrm(lab))(invoke_request("Echo"))
                        found.append("ok")
                    except Exception as error:
                        found.append(type(error).__name__)
            return found

        first = outcomes()
        assert first == outcomes()
        assert len(set(first)) > 2


class TestPower:
    def test_a_stopped_machine_refuses_connections_and_comes_back_on_its_port(self, start: Start) -> None:
        lab = start()
        client = pywinrm(lab)
        query(sender(client), "SELECT Id FROM Test_Thing")
        lab.call("stop", "WIRE01")
        with pytest.raises(requests.exceptions.ConnectionError):
            query(sender(client), "SELECT Id FROM Test_Thing")
        lab.call("start", "WIRE01")
        rows, _ = query(sender(pywinrm(lab)), "SELECT Id FROM Test_Thing")
        assert len(rows) == 5

    def test_connections_are_cut(self, start: Start) -> None:
        lab = start()
        with socket.create_connection(("127.0.0.1", lab.port()), timeout=10) as idle:
            # The listener knows of this connection once it has answered on a later one.
            requests.post(f"http://127.0.0.1:{lab.port()}/wsman", timeout=10)
            lab.call("stop", "WIRE01")
            with suppress(ConnectionResetError):
                assert idle.recv(1) == b""

    def test_what_it_had_not_begun_is_not_done(self, start: Start) -> None:
        lab = start()
        lab.call("fault", "WIRE01", {"effect": "delay", "value": 0.3})
        with ThreadPoolExecutor(1) as pool:
            cut = pool.submit(sender(pywinrm(lab)), invoke_request("First"))
            while "Invoke" not in lab.call("counters")["WIRE01"]["requests"]:
                assert not cut.done()
            lab.call("stop", "WIRE01")
            with pytest.raises(requests.exceptions.ConnectionError):
                cut.result(10)
        lab.call("start", "WIRE01")
        sender(pywinrm(lab))(invoke_request("Second"))
        assert [method for method, *_ in lab.machines["WIRE01"].invoked] == ["Second"]

    def test_it_ends_with_a_request_half_received(self, tmp_path: Path) -> None:
        with (
            wire_lab(tmp_path, ThingMachine()) as lab,
            socket.create_connection(("127.0.0.1", lab.port())) as half,
        ):
            half.sendall(b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_100_000)
            assert half.recv(12) == b"HTTP/1.1 413"

    def test_a_machine_that_is_off_from_the_beginning(self, tmp_path: Path) -> None:
        with wire_lab(tmp_path, ThingMachine(running=False)) as lab:
            with pytest.raises(requests.exceptions.ConnectionError):
                query(sender(pywinrm(lab)), "SELECT Id FROM Test_Thing")
            assert lab.call("status")["WIRE01"]["listening"] is False
