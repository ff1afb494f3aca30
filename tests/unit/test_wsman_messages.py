"""What is sent to WS-Management, and what is made of its answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session import xml
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError, InvalidAnswerError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman import messages
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

SAMPLES = Path(__file__).with_name("samples")
#: Recorded from real machines; not part of the repository, which carries samples of the same shapes.
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
HEADER = messages.Header("http://HV01:5985/wsman", "uuid:1", 20)
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
}
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def files(sample: str, recording: str) -> list[Any]:
    """The project's own sample, and the recording of the same shape where it is there."""
    found = [pytest.param(SAMPLES / sample, id=sample)]
    if (RECORDINGS / recording).exists():
        found.append(pytest.param(RECORDINGS / recording, id=recording))
    return found


def page_of(path: Path) -> messages.Page:
    return messages.read_page(messages.read(path.read_bytes()))


def envelope(body: str, header: str = "", declarations: str = "") -> bytes:
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
    return (
        f'<s:Envelope {names} xmlns:xsi="{XSI}" {declarations}><s:Header>{header}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def instance_of(properties: str) -> Instance:
    answer = envelope(f'<p:Thing xmlns:p="urn:thing" xmlns:cim="urn:cim">{properties}</p:Thing>')
    return messages.read_instance(messages.read(answer))


class TestRequests:
    def sent(self, message: bytes, path: str) -> list[str]:
        """The texts of the elements at a path, as another parser reads them."""
        return [element.text or "" for element in etree.fromstring(message).iterfind(path, NAMES)]

    def test_a_query_names_the_namespace_and_not_the_class(self) -> None:
        wql = "SELECT Name FROM Win32_Service WHERE Name = 'a<b'"
        message = messages.enumerate_wql(HEADER, "root/cimv2", wql)
        assert self.sent(message, ".//w:ResourceURI") == ["http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"]
        assert self.sent(message, ".//a:Action") == [f"{NAMES['n']}/Enumerate"]
        assert self.sent(message, "s:Body/n:Enumerate/w:Filter") == [wql]
        assert self.sent(message, "s:Body/n:Enumerate/w:OptimizeEnumeration") == [""]
        assert self.sent(message, "s:Body/n:Enumerate/w:MaxElements") == ["32000"]
        dialect = etree.fromstring(message).find(".//w:Filter", NAMES).get("Dialect")
        assert dialect == "http://schemas.microsoft.com/wbem/wsman/1/WQL"

    def test_every_request_says_to_whom_and_with_which_limits(self) -> None:
        for message in (
            messages.enumerate_wql(HEADER, "root/cimv2", "SELECT * FROM A"),
            messages.pull(HEADER, "root/cimv2", "uuid:2"),
            messages.release(HEADER, "root/cimv2", "uuid:2"),
            messages.get(HEADER, "root/cimv2", "A", {"ID": "1"}),
            messages.invoke(HEADER, "root/cimv2", "A", "Do", {}, {}),
        ):
            assert self.sent(message, "s:Header/a:To") == ["http://HV01:5985/wsman"]
            assert self.sent(message, "s:Header/a:MessageID") == ["uuid:1"]
            assert self.sent(message, "s:Header/w:OperationTimeout") == ["PT20S"]
            assert self.sent(message, "s:Header/w:MaxEnvelopeSize") == ["512000"]
            assert self.sent(message, "s:Header/a:ReplyTo/a:Address") == [f"{NAMES['a']}/role/anonymous"]

    def test_pull_and_release_hand_back_the_context(self) -> None:
        assert self.sent(messages.pull(HEADER, "root/cimv2", "a&b"), ".//n:Pull/n:EnumerationContext") == ["a&b"]
        assert self.sent(messages.release(HEADER, "root/cimv2", "a&b"), ".//n:Release/n:EnumerationContext") == ["a&b"]

    def test_a_get_selects_by_the_keys(self) -> None:
        message = messages.get(HEADER, "root/cimv2", "Thing", {"ID": "<1>", "Name": "b"})
        selectors = etree.fromstring(message).iterfind("s:Header/w:SelectorSet/w:Selector", NAMES)
        assert [(item.get("Name"), item.text) for item in selectors] == [("ID", "<1>"), ("Name", "b")]
        assert self.sent(message, ".//w:ResourceURI") == [
            "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Thing"
        ]

    def test_a_method_call_carries_its_arguments_in_the_namespace_of_the_class(self) -> None:
        arguments = {"Text": "a<b&'c'", "Number": 2**31, "Flag": True, "List": ["x", "y"]}
        message = messages.invoke(HEADER, "root/default", "StdRegProv", "Do", arguments, {})
        uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/default/StdRegProv"
        body = etree.fromstring(message).find("s:Body", NAMES)[0]
        assert body.tag == f"{{{uri}}}Do_INPUT"
        assert [(item.tag, item.text) for item in body] == [
            (f"{{{uri}}}Text", "a<b&'c'"),
            (f"{{{uri}}}Number", "2147483648"),
            (f"{{{uri}}}Flag", "true"),
            (f"{{{uri}}}List", "x"),
            (f"{{{uri}}}List", "y"),
        ]
        assert self.sent(message, ".//a:Action") == [f"{uri}/Do"]
        assert self.sent(message, ".//w:SelectorSet") == []


class TestRecordedShapes:
    @pytest.mark.parametrize(
        "path",
        [
            *files("operating_system_projection.xml", "server_2012/Win32_OperatingSystem_all_000.xml"),
            *files("operating_system_star.xml", "server_2012/Win32_OperatingSystem_star_000.xml"),
        ],
    )
    def test_one_row_complete_in_one_answer(self, path: Path) -> None:
        page = page_of(path)
        assert page.context is None
        (row,) = page.items
        assert row.integer("buildnumber") in (9200, 20348)
        assert (row.text("Caption") or "").startswith("Microsoft Windows Server")
        assert row.text("CSDVersion") is None
        assert row.text("Description") == ""
        assert row.boolean("Debug") is False
        assert row.texts("MUILanguages") == ["en-US"]
        installed = row.datetime("InstallDate")
        assert installed
        assert (installed.month, installed.day, installed.hour, installed.tzinfo) == (3, 9, 2, UTC)

    @pytest.mark.parametrize("path", files("routes_first.xml", "server_2012/Win32_IP4RouteTable_all_000.xml"))
    def test_the_first_item_and_more_to_come(self, path: Path) -> None:
        page = page_of(path)
        assert page.context
        assert page.context.startswith("uuid:")
        assert [row.text("Destination") for row in page.items] == ["0.0.0.0"]
        assert page.items[0].integer("Metric2") == -1

    @pytest.mark.parametrize(
        "path",
        [
            *files("routes_last.xml", "server_2012/Win32_IP4RouteTable_all_001.xml"),
            *files("routes_last.xml", "server_2012/Win32_IP4RouteTable_star_001.xml"),
        ],
    )
    def test_the_rest_in_the_last_answer(self, path: Path) -> None:
        page = page_of(path)
        assert page.context is None
        assert len(page.items) > 1
        assert all(row.text("Destination") for row in page.items)

    @pytest.mark.parametrize("path", files("running_vm.xml", "computersystem_pull_running_vm.xml"))
    def test_a_virtual_machine_of_a_japanese_host(self, path: Path) -> None:
        page = page_of(path)
        assert page.context
        (row,) = page.items
        assert row.class_name == "Msvm_ComputerSystem"
        assert row.text("Caption") == "仮想マシン"
        assert row.integer("EnabledState") == 2
        assert row.integers("OperationalStatus")[0] == 2
        assert row.integer("CommunicationStatus") is None
        assert row.datetime("LastReplicationTime") is None
        assert row.datetime("InstallDate") is not None

    @pytest.mark.parametrize("path", files("fault_max_concurrent.xml", "fault_max_concurrent.xml"))
    def test_the_fault_of_a_busy_machine(self, path: Path) -> None:
        with pytest.raises(FaultError) as error:
            messages.read(path.read_bytes())
        assert error.value.wsman_code == 2150859174
        assert "\n" not in error.value.reason
        assert error.value.reason

    @pytest.mark.parametrize(
        "path", [item.values[0] for item in files("routes_last.xml", "resourceallocation_pull_nulls.xml")]
    )
    def test_null_is_there_and_is_none(self, path: Path) -> None:
        (row, *_more) = page_of(path).items
        nulls = re.findall(rb"<(?:p:)?(\w+) xsi:nil", path.read_bytes())
        assert nulls
        for name in nulls:
            assert name.decode() in row
            assert row.text(name.decode()) is None


class TestAnswers:
    def test_prefixes_do_not_matter(self) -> None:
        text = (SAMPLES / "operating_system_star.xml").read_text()
        for prefix in ("s", "a", "n", "w", "p", "cim", "xsi"):
            text = re.sub(rf"(</?|xmlns:| ){prefix}(?=[:=])", rf"\g<1>q{prefix}9", text)
        assert "<qs9:Envelope" in text
        original = page_of(SAMPLES / "operating_system_star.xml").items[0]
        assert dict(messages.read_page(messages.read(text.encode())).items[0]) == dict(original)

    def test_items_may_be_wrapped(self) -> None:
        item = "<w:Item><w:XmlFragment><Name>a</Name></w:XmlFragment></w:Item>"
        content = messages.read(envelope(f"<n:EnumerateResponse><w:Items>{item}</w:Items></n:EnumerateResponse>"))
        assert [row.text("Name") for row in messages.read_page(content).items] == ["a"]

    def test_a_context_after_the_end_of_the_sequence_is_none(self) -> None:
        body = "<n:PullResponse><n:EnumerationContext>uuid:1</n:EnumerationContext><n:EndOfSequence/></n:PullResponse>"
        assert messages.read_page(messages.read(envelope(body))) == messages.Page([], None)

    def test_an_array_of_one_and_of_many(self) -> None:
        row = instance_of("<p:One>1</p:One><p:Many>1</p:Many><p:Many>2</p:Many><p:Many>3</p:Many>")
        assert row.integers("One") == [1]
        assert row.integers("Many") == [1, 2, 3]
        assert row.integers("None") == []

    def test_a_reference(self) -> None:
        reference = (
            "<p:Job><a:EndpointReference><a:Address/><a:ReferenceParameters><w:ResourceURI>urn:job</w:ResourceURI>"
            '<w:SelectorSet><w:Selector Name="InstanceID"> J1 </w:Selector></w:SelectorSet>'
            "</a:ReferenceParameters></a:EndpointReference></p:Job>"
        )
        found = instance_of(reference).reference("Job")
        assert found
        assert (found.resource_uri, found.selectors) == ("urn:job", {"InstanceID": "J1"})

    @pytest.mark.parametrize("nil", ["true", "1", " true "])
    def test_null_in_any_spelling(self, nil: str) -> None:
        assert instance_of(f'<p:A xsi:nil="{nil}">x</p:A>').text("A") is None

    def test_false_nil_is_no_null(self) -> None:
        assert instance_of('<p:A xsi:nil="false">x</p:A>').text("A") == "x"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-07-29T14:10:59.467886Z", datetime(2026, 7, 29, 14, 10, 59, 467886, UTC)),
            ("2026-07-29T14:10:59Z", datetime(2026, 7, 29, 14, 10, 59, 0, UTC)),
            ("2026-07-29T16:10:59+02:00", datetime(2026, 7, 29, 14, 10, 59, 0, UTC)),
            ("2026-07-29T09:40:59-04:30", datetime(2026, 7, 29, 14, 10, 59, 0, UTC)),
            ("20260729161059.467886+120", datetime(2026, 7, 29, 14, 10, 59, 467886, UTC)),
            ("1601-01-01T00:00:00Z", None),
            ("16010101000000.000000-000", None),
            ("1601-01-01T01:00:00+01:00", None),
        ],
    )
    def test_datetimes(self, text: str, expected: datetime | None) -> None:
        assert instance_of(f"<p:A><cim:Datetime>{text}</cim:Datetime></p:A>").datetime("A") == expected
        assert instance_of(f"<p:A>{text}</p:A>").datetime("A") == expected

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("integer", "one"),
            ("integer", ""),
            ("boolean", "yes"),
            ("datetime", "yesterday"),
            ("datetime", "2026-13-41T99:99:99Z"),
            ("datetime", "9999-12-31T23:59:59-01:00"),
        ],
    )
    def test_a_value_of_another_type_is_an_invalid_answer(self, kind: str, text: str) -> None:
        with pytest.raises(InvalidAnswerError, match="Thing has a A that is not a"):
            getattr(instance_of(f"<p:A>{text}</p:A>"), kind)("A")

    def test_out_parameters_are_those_of_the_method(self) -> None:
        answer = messages.read(envelope('<p:Do_OUTPUT xmlns:p="urn:p"><p:ReturnValue>0</p:ReturnValue></p:Do_OUTPUT>'))
        assert messages.read_output(answer, "do").integer("ReturnValue") == 0
        with pytest.raises(InvalidAnswerError, match="method Other is a Do_OUTPUT"):
            messages.read_output(answer, "Other")

    def test_an_enumeration_that_is_answered_with_something_else(self) -> None:
        with pytest.raises(InvalidAnswerError, match="is a Do_OUTPUT"):
            messages.read_page(messages.read(envelope("<Do_OUTPUT/>")))

    def test_the_answer_to_another_request(self) -> None:
        answer = envelope("<n:PullResponse/>", "<a:RelatesTo> UUID:7 </a:RelatesTo>")
        assert messages.read(answer, "uuid:7").tag.endswith("PullResponse")
        with pytest.raises(InvalidAnswerError, match="another request"):
            messages.read(answer, "uuid:8")


class TestHostileAnswers:
    BOMB = (
        '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><b>&c;</b>'
    )

    @pytest.mark.parametrize(
        "text",
        [
            BOMB,
            '<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b>&x;</b>',
            '<!DOCTYPE b SYSTEM "http://192.0.2.1/evil.dtd"><b/>',
            "<!DOCTYPE b><b/>",
        ],
    )
    def test_a_document_type_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidAnswerError, match="document type"):
            messages.read(text.encode())

    def test_deep_nesting_is_refused(self) -> None:
        with pytest.raises(InvalidAnswerError, match="nested more than"):
            messages.read(envelope("<a>" * 100_000))

    def test_what_is_not_deeper_than_allowed_is_read(self) -> None:
        assert xml.parse(b"<a>" * xml.MAX_DEPTH + b"</a>" * xml.MAX_DEPTH).tag == "a"
        with pytest.raises(InvalidAnswerError):
            xml.parse(b"<a>" * (xml.MAX_DEPTH + 1) + b"</a>" * (xml.MAX_DEPTH + 1))

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"<html><body>Sign in</body></html>",
            b"<s:Envelope/>",
            b"\x00\x01\x02",
            b'<?xml version="1.0" encoding="nonsense"?><a/>',
            b'<?xml version="1.0" encoding="utf-16"?><a/>',
            envelope("<a>")[:-40],
            envelope("").replace(b"Body", b"Bodies"),
        ],
    )
    def test_garbage_is_an_invalid_answer(self, data: bytes) -> None:
        with pytest.raises(InvalidAnswerError):
            messages.read(data)

    @given(st.binary())
    def test_no_bytes_are_anything_else(self, data: bytes) -> None:
        with pytest.raises(InvalidAnswerError):
            messages.read(data)

    @given(st.integers(0, 2000), st.binary(min_size=1, max_size=4))
    def test_a_damaged_answer_is_read_or_refused(self, place: int, damage: bytes) -> None:
        sample = (SAMPLES / "operating_system_star.xml").read_bytes()
        data = sample[:place] + damage + sample[place + len(damage) :]
        try:
            content = messages.read(data, "uuid:00000000-0000-4000-8000-000000000002")
            for row in messages.read_page(content).items:
                assert isinstance(row.texts("Caption"), list)
        except (InvalidAnswerError, FaultError):
            pass


def extended_status(code: int) -> str:
    """The detail of a fault as recorded (soap_fault_v2), with a status of WMI."""
    return (
        '<f:WSManFault Code="2150858778"><f:Message><f:ProviderFault><f:WSManFault Code="2150858778"/><f:ExtendedError>'
        '<p:__ExtendedStatus xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><p:Description xsi:nil="true"/>'
        f"<p:Operation>ExecQuery</p:Operation><p:StatusCode>{code}</p:StatusCode></p:__ExtendedStatus>"
        "</f:ExtendedError></f:ProviderFault></f:Message></f:WSManFault>"
    )


def fault(detail: str, reason: str = "It failed.") -> FaultError:
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>{reason}</s:Text></s:Reason>"
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )
    declarations = 'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" xmlns:p="urn:wmierror"'
    with pytest.raises(FaultError) as error:
        messages.read(envelope(body, declarations=declarations))
    return error.value


class TestFaults:
    """Windows puts the code of a failed method in different places (facts/wsman.md, "Faults")."""

    @pytest.mark.parametrize(
        "detail",
        [
            '<f:WSManFault Code="3221552386"><f:Message>m</f:Message></f:WSManFault>',
            '<f:WSManFault Code="-1073414910"><f:Message>m</f:Message></f:WSManFault>',
            '<f:WSManFault Code="2150858778"><f:ProviderFault><f:WSManFault Code="3221552386"/></f:ProviderFault></f:WSManFault>',
            '<f:WSManFault Code="2150858778"><f:ProviderFault><f:WmiError Code="0xC004FD02"/></f:ProviderFault></f:WSManFault>',
            '<f:WSManFault Code="2150858778"><f:Message>HRESULT = 0xc004fd02 </f:Message></f:WSManFault>',
            "<p:MSFT_WmiError><p:error_Code>3221552386</p:error_Code><p:Message>m</p:Message></p:MSFT_WmiError>",
            "<p:MSFT_WmiError><p:MessageID>HRESULT 0xC004FD02</p:MessageID></p:MSFT_WmiError>",
            "<p:MSFT_WmiError><p:error_Code>2147749889</p:error_Code><p:MessageID>HRESULT 0xC004FD02</p:MessageID></p:MSFT_WmiError>",
            extended_status(-1073414910),
            extended_status(0xC004FD02),
        ],
    )
    def test_the_code_of_licensing_comes_first_wherever_it_is(self, detail: str) -> None:
        assert fault(detail).hresults[0] == 0xC004FD02

    def test_the_code_in_the_reason(self) -> None:
        assert fault("", "Das Skript meldet 0xC004FD02.").hresults == (0xC004FD02,)

    def test_a_win32_code_becomes_an_hresult(self) -> None:
        error = fault('<f:WSManFault Code="5"/>')
        assert (error.wsman_code, error.hresults) == (5, (0x80070005,))

    def test_wmis_own_failure_comes_after_that_of_the_provider(self) -> None:
        detail = "<p:MSFT_WmiError><p:error_Code>0x80041001</p:error_Code><p:MessageID>HRESULT 0xC004F050</p:MessageID></p:MSFT_WmiError>"
        assert fault(detail).hresults == (0xC004F050, 0x80041001)

    @pytest.mark.parametrize("code", [-2147217405, 2147749891])
    def test_a_code_that_stands_only_in_the_extended_status(self, code: int) -> None:
        assert fault(extended_status(code)).hresults == (0x80041003, 0x8033801A)

    @pytest.mark.parametrize(
        "nothing", ['<p:StatusCode xsi:nil="true"/>', "<p:StatusCode/>", "<p:StatusCode>0</p:StatusCode>"]
    )
    def test_an_extended_status_that_says_nothing(self, nothing: str) -> None:
        detail = extended_status(1).replace("<p:StatusCode>1</p:StatusCode>", nothing)
        assert fault(detail).hresults == (0x8033801A,)

    def test_a_quota_of_wmis_form_is_one_too(self) -> None:
        # As recorded (wmi_error_v2).
        detail = "<p:MSFT_WmiError><p:MessageID>HRESULT 0x803381a5</p:MessageID><p:error_Code>2150859173</p:error_Code></p:MSFT_WmiError>"
        assert (fault(detail).nothing_run, fault(detail).passing, fault(detail).timed_out) == (True, True, False)
        assert fault(detail.replace("803381a5", "80338029").replace("2150859173", "2150858793")).timed_out

    def test_a_fault_without_any_code(self) -> None:
        error = fault("")
        assert (error.wsman_code, error.hresults, error.timed_out) == (None, (), False)
        assert error.reason == "It failed."

    def test_a_fault_without_a_reason_gives_its_message(self) -> None:
        assert fault('<f:WSManFault Code="5"><f:Message>Zugriff verweigert.</f:Message></f:WSManFault>', "").reason == (
            "Zugriff verweigert."
        )

    def test_a_timeout_of_windows(self) -> None:
        assert fault('<f:WSManFault Code="2150858793"/>').timed_out

    @given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"], exclude_characters="<>&\"'"), max_size=30))
    def test_nonsense_in_the_place_of_a_code_is_no_error_of_its_own(self, text: str) -> None:
        assert isinstance(
            fault(f'<f:WSManFault Code="{text}"><f:Message>{text}</f:Message></f:WSManFault>'), FaultError
        )
