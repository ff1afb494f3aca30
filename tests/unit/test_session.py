"""A session: paging, limits, busy machines."""

from __future__ import annotations

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    FaultError,
    InvalidAnswerError,
    UnreachableError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman import session as module
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.session import WSManSession

from unit.fakes import FakeTime, FakeTransport

NAMES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
)


def answer(body: str, relates_to: str = "MESSAGE-ID") -> bytes:
    return (
        f"<s:Envelope {NAMES}><s:Header><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def page(*names: str, context: str = "", first: bool = False) -> bytes:
    items = "".join(f"<Thing><Name>{name}</Name></Thing>" for name in names)
    kind, space = ("EnumerateResponse", "w") if first else ("PullResponse", "n")
    end = "" if context else f"<{space}:EndOfSequence/>"
    return answer(
        f"<n:{kind}><n:EnumerationContext>{context}</n:EnumerationContext><{space}:Items>{items}</{space}:Items>{end}</n:{kind}>"
    )


def busy(code: int = 2150859174) -> bytes:
    detail = f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}"/>'
    return answer(f"<s:Fault><s:Reason><s:Text>Busy.</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>")


def connect(*answers: bytes | Exception) -> tuple[WSManSession, FakeTransport, list[float]]:
    transport = FakeTransport(answers)
    time = FakeTime()
    return WSManSession(transport, "HV01", time.clock), transport, time.pauses


RELEASED = answer("")


def names(session: WSManSession, limit: int | None = None) -> list[str | None]:
    return [row.text("Name") for row in session.query("SELECT Name FROM Thing", limit=limit)]


def test_all_in_the_first_answer_takes_one_request() -> None:
    session, transport, _ = connect(page("a", "b", first=True))
    assert names(session) == ["a", "b"]
    assert transport.actions() == ["Enumerate"]


def test_pages_are_pulled_with_the_context_of_the_answer_before() -> None:
    session, transport, _ = connect(page(first=True, context="uuid:1"), page("a", context="uuid:2"), page("b", "c"))
    assert names(session) == ["a", "b", "c"]
    assert transport.actions() == ["Enumerate", "Pull", "Pull"]
    assert "<n:EnumerationContext>uuid:1<" in transport.sent[1]
    assert "<n:EnumerationContext>uuid:2<" in transport.sent[2]


@pytest.mark.parametrize("limit", [1, 2])
def test_an_enumeration_that_is_not_read_to_its_end_is_released(limit: int) -> None:
    session, transport, _ = connect(page("a", "b", "c", first=True, context="uuid:1"), RELEASED)
    assert names(session, limit) == ["a", "b", "c"][:limit]
    assert transport.actions() == ["Enumerate", "Release"]
    assert "<n:EnumerationContext>uuid:1<" in transport.sent[1]


def test_a_limit_that_is_not_reached_reads_to_the_end() -> None:
    session, transport, _ = connect(page("a", first=True, context="uuid:1"), page("b"))
    assert names(session, 5) == ["a", "b"]
    assert transport.actions() == ["Enumerate", "Pull"]
    assert "MaxElements>5<" in transport.sent[0]


def test_a_release_that_fails_loses_nothing() -> None:
    session, _, _ = connect(page("a", first=True, context="uuid:1"), busy(2150858843))
    assert names(session, 1) == ["a"]


def test_an_enumeration_without_end_is_refused_and_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENUMERATION_BYTES", 2_000)
    session, transport, _ = connect(
        *(page("x" * 500, first=not number, context="uuid:1") for number in range(3)), RELEASED
    )
    with pytest.raises(InvalidAnswerError, match="larger than 2000 bytes"):
        names(session)
    assert transport.actions() == ["Enumerate", "Pull", "Pull", "Release"]


def test_a_busy_machine_is_asked_again_after_growing_pauses() -> None:
    session, transport, pauses = connect(busy(), busy(), page("a", first=True))
    assert names(session) == ["a"]
    assert pauses == [1.0, 2.0]
    assert len(set(transport.sent)) == 3  # each with an id of its own


#: Operation timed out, and its likes; too busy.
PASSING = [0x80338029, 0x80041088, 0x800705B4, 0x803381A6, 0x8033803F, 0x80041045, 0x8007041D, 0x800706BB]
INSTANCE = answer('<p:Thing xmlns:p="urn:p"><p:Name>a</p:Name></p:Thing>')
OUTPUT = answer('<p:Do_OUTPUT xmlns:p="urn:p"><p:ReturnValue>0</p:ReturnValue></p:Do_OUTPUT>')


@pytest.mark.parametrize("code", PASSING)
def test_a_read_that_windows_is_too_slow_or_too_busy_for_is_asked_again(code: int) -> None:
    session, transport, pauses = connect(busy(code), busy(code), busy(code), page("a", first=True))
    assert names(session) == ["a"]
    assert (transport.actions(), pauses) == (["Enumerate"] * 4, [1.0, 2.0, 4.0])


@pytest.mark.parametrize("code", PASSING)
def test_a_pull_goes_on_where_it_was(code: int) -> None:
    session, transport, _ = connect(page("a", first=True, context="uuid:1"), busy(code), page("b"))
    assert names(session) == ["a", "b"]
    assert transport.actions() == ["Enumerate", "Pull", "Pull"]
    assert all("<n:EnumerationContext>uuid:1<" in text for text in transport.sent[1:])


def test_an_enumeration_that_windows_has_forgotten_begins_anew_once() -> None:
    lost = [page("a", first=True, context="uuid:1"), busy(0x80338029), busy(0x8033801B)]
    session, transport, _ = connect(*lost, page("a", "b", first=True))
    assert names(session) == ["a", "b"]
    assert transport.actions() == ["Enumerate", "Pull", "Pull", "Enumerate"]
    session, transport, _ = connect(*lost, *lost)
    with pytest.raises(FaultError):
        names(session)


def test_an_instance_and_what_only_reads_are_asked_again() -> None:
    session, transport, _ = connect(busy(0x80338029), INSTANCE)
    assert session.get("Thing", {"ID": "1"}).text("Name") == "a"
    output = answer(
        '<p:GetStringValue_OUTPUT xmlns:p="urn:p"><p:ReturnValue>0</p:ReturnValue></p:GetStringValue_OUTPUT>'
    )
    session, transport, _ = connect(busy(0x80338029), output)
    assert session.invoke("StdRegProv", "GetStringValue").integer("ReturnValue") == 0
    assert len(transport.sent) == 2


def test_a_change_that_timed_out_is_never_asked_for_again() -> None:
    session, transport, pauses = connect(busy(0x80338029), OUTPUT)
    with pytest.raises(FaultError) as error:
        session.invoke("Thing", "Do")
    assert (error.value.timed_out, len(transport.sent), pauses) == (True, 1, [])


def test_a_change_that_windows_did_not_begin_with_is_asked_for_again() -> None:
    session, transport, _ = connect(busy(), OUTPUT)
    assert session.invoke("Thing", "Do").integer("ReturnValue") == 0
    assert len(transport.sent) == 2


@pytest.mark.parametrize("code", PASSING)
@pytest.mark.parametrize("patience", [0.0, 20.0])
def test_patience_has_an_end(code: int, patience: float) -> None:
    session, transport, pauses = connect(*[busy(code)] * 99)
    session.patience = patience
    with pytest.raises(FaultError) as error:
        names(session)
    assert code in error.value.codes
    assert sum(pauses) == patience
    assert len(transport.sent) == len(pauses) + 1


def test_another_fault_is_not_tried_again() -> None:
    session, transport, pauses = connect(busy(5))
    with pytest.raises(FaultError):
        names(session)
    assert (len(transport.sent), pauses) == (1, [])


def test_a_method_is_called_once() -> None:
    session, transport, _ = connect(UnreachableError("cut"))
    with pytest.raises(UnreachableError):
        session.invoke("SoftwareLicensingService", "InstallProductKey", {"ProductKey": "X"}, {"Version": "10"})
    assert len(transport.sent) == 1


def test_the_answer_to_another_request_is_refused() -> None:
    session, _, _ = connect(answer("<n:EnumerateResponse/>", relates_to="uuid:other"))
    with pytest.raises(InvalidAnswerError, match="another request"):
        names(session)


def test_get_and_invoke() -> None:
    session, transport, _ = connect(
        answer('<p:Thing xmlns:p="urn:p"><p:Name>a</p:Name></p:Thing>'),
        answer('<p:Do_OUTPUT xmlns:p="urn:p"><p:Result>b</p:Result><p:ReturnValue>0</p:ReturnValue></p:Do_OUTPUT>'),
    )
    assert session.get("Thing", {"ID": "1"}).text("Name") == "a"
    output = session.invoke("Thing", "Do", {"Text": "x"}, {"ID": "1"})
    assert (output.text("Result"), output.integer("ReturnValue")) == ("b", 0)
    assert transport.actions() == ["Get", "Do"]
    assert all('<w:Selector Name="ID">1</w:Selector>' in text for text in transport.sent)
