# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab's answers are those of a real server, element by element: recorded rows go in, the recorded envelope comes out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from lab.cim import CimClass, Instance, Property, Value
from lab.counters import Journal
from lab.simulation import ListenerOptions
from lab.soap import CIM, ENUMERATION, WSMAN, XSI, WsmanFault, fault, parse
from lab.wsman import Service
from unit.lab.wire_client import context_of, enumerate_request, pull_request
from unit.lab.wire_model import ThingMachine

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"
FIRST_ANSWERS = sorted((RECORDINGS / "server_2012").glob("*_000.xml"))


@dataclass
class RecordedMachine(ThingMachine):
    """A machine that holds the rows of a recording."""

    cim: CimClass | None = None
    rows: list[Instance] = field(default_factory=list)

    def cim_class(self, namespace: str, name: str) -> CimClass:
        """The recorded class."""
        assert self.cim is not None
        return self.cim

    def instances(self, cim_class: CimClass) -> Iterable[Instance]:
        """The recorded rows."""
        return self.rows


def _items(root: etree._Element) -> list[etree._Element]:
    return [item for namespace in (WSMAN, ENUMERATION) for item in root.iterfind(f".//{{{namespace}}}Items/*")]


def _row(item: etree._Element) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for child in item:
        name = etree.QName(child).localname
        if child.get(f"{{{XSI}}}nil") == "true":
            value: Value = None
        elif len(child):
            value = datetime.fromisoformat(child[0].text or "")
        else:
            value = child.text or ""
        if name in row:
            known = row[name]
            row[name] = [*known, str(value)] if isinstance(known, list) else [str(known), str(value)]  # type: ignore[list-item]
        else:
            row[name] = value
    return row


def _recorded_machine(name: str, recorded: list[etree._Element]) -> RecordedMachine:
    rows = [_row(item) for root in recorded for item in _items(root)]
    cim = CimClass("root/cimv2", name, tuple(Property(key) for key in rows[0]))
    return RecordedMachine(cim=cim, rows=[Instance(cim, row) for row in rows])


def _canonical(data: bytes | etree._Element) -> bytes:
    """The envelope without identifiers, canonical, and without the needless namespace declarations of either side."""
    root = etree.fromstring(data) if isinstance(data, bytes) else data
    text = re.sub(rb"uuid:[0-9A-Fa-f-]{36}", b"uuid:0", etree.tostring(root))
    return etree.tostring(etree.fromstring(text), method="c14n", exclusive=True)


@pytest.mark.skipif(not FIRST_ANSWERS, reason="the recordings are not part of the repository")
@pytest.mark.parametrize("first", FIRST_ANSWERS, ids=lambda path: path.stem)
def test_recorded_rows_give_the_recorded_answers(first: Path) -> None:
    second = first.with_name(first.name.replace("_000", "_001"))
    recorded = [etree.parse(path).getroot() for path in (first, second) if path.exists()]
    name = re.sub(r"_(all|star)_000", "", first.stem)
    machine = _recorded_machine(name, recorded)
    columns = "*" if "_star_" in first.stem else ", ".join(prop.name for prop in machine.cim.properties)  # type: ignore[union-attr]
    service = Service(machine, ListenerOptions(), Journal())
    request = enumerate_request(f"SELECT {columns} FROM {name}")
    for expected in recorded:
        well, answer = service.answer(parse(request.encode()))
        assert well
        assert _canonical(answer) == _canonical(expected)
        request = pull_request(context_of(etree.fromstring(answer)))  # type: ignore[arg-type]


@pytest.mark.skipif(not FIRST_ANSWERS, reason="the recordings are not part of the repository")
def test_recorded_fault() -> None:
    # This recording was pretty-printed; the lab writes what Windows sent.
    parser = etree.XMLParser(remove_blank_text=True)
    expected = etree.parse(RECORDINGS / "fault_max_concurrent.xml", parser).getroot()
    for element in expected.iter():
        element.text = (element.text or "").strip() or None
    reason, message = (expected.findtext(f".//{{*}}{name}") for name in ("Reason/{*}Text", "WSManFault/{*}Message"))
    service = Service(ThingMachine("103040106"), ListenerOptions(), Journal())
    context = service.context(parse(enumerate_request("SELECT * FROM Test_Thing").encode()))
    answer = etree.fromstring(fault(context, WsmanFault(2150859174, reason or "")))
    answer.find(".//{*}WSManFault/{*}Message").text = message  # type: ignore[union-attr]
    # Windows says no language for this text.
    answer.find(".//{*}Reason/{*}Text").set("{http://www.w3.org/XML/1998/namespace}lang", "")  # type: ignore[union-attr]
    assert _canonical(etree.tostring(answer)) == _canonical(expected)


def test_cim_prefix_for_datetimes_in_class_elements() -> None:
    """What the recordings show, for a clone without them."""
    service = Service(ThingMachine(), ListenerOptions(first_page=None), Journal())
    _, answer = service.answer(parse(enumerate_request("SELECT * FROM Test_Thing WHERE Id = 1").encode()))
    assert b"<p:Made><cim:Datetime>2026-11-02T12:30:00.5Z</cim:Datetime></p:Made>" in answer
    assert b'<p:Missing xsi:nil="true"/>' in answer
    assert b"<n:EnumerationContext></n:EnumerationContext><w:Items>" in answer
    assert CIM.encode() in answer
    _, answer = service.answer(parse(enumerate_request("SELECT Made FROM Test_Thing WHERE Id = 1").encode()))
    assert (
        b"<Made><Datetime>2026-11-02T12:30:00.5Z</Datetime></Made></w:XmlFragment></w:Items><w:EndOfSequence/>"
        in answer
    )
