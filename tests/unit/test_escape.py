"""Text into XML and into WQL, and back through the parsers of others."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.escape import wql_literal, xml_text
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from lab import wql
from lab.cim import CimClass, Instance, Property

xml_characters = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda c: c >= " " or c in "\t\n\r"
    )
)


@given(xml_characters)
@example('O\'Brien\\s "test" <VM> & Söhne]]> \r\n\t &amp; 日本')
def test_xml_text_survives_a_parser_in_an_element_and_in_an_attribute(text: str) -> None:
    document = f'<a b="{xml_text(text)}">{xml_text(text)}</a>'.encode()
    for root in (ET.fromstring(document), etree.fromstring(document, etree.XMLParser(huge_tree=True))):
        assert (root.text or "") == text
    # An attribute's white space is made spaces by the parser (XML 1.0, section 3.3.3).
    assert (ET.fromstring(document).get("b") or "").split() == text.split()


@given(st.text(), st.sampled_from("\0\x01\x08\x0b\x1f\ud800\udfff\ufffe\uffff"), st.text())
def test_what_xml_cannot_carry_is_refused(before: str, bad: str, after: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        xml_text(before + bad + after)


THING = CimClass("root/test", "Thing", (Property("Name"), Property("Number", "uint32"), Property("Flag", "boolean")))


def selects(condition: str, **values: str | int | bool) -> bool:
    _properties, matches = wql.parse(f"SELECT Name FROM Thing WHERE {condition}").bind(THING)
    return matches(Instance(THING, dict(values)))


@given(st.text())
@example('O\'Brien\\s "test" <VM>')
@example("\\' OR Name LIKE '%")
def test_a_wql_literal_selects_the_text_and_nothing_else(text: str) -> None:
    condition = f"Name = {wql_literal(text)}"
    assert selects(condition, Name=text)
    assert not selects(condition, Name=text + "x")
    assert not selects(condition, Name=f"x{text}")


@given(st.integers(0, 2**32 - 1))
def test_a_number_is_a_number(number: int) -> None:
    assert selects(f"Number = {wql_literal(number)}", Number=number)


def test_a_boolean_is_a_boolean() -> None:
    assert selects(f"Flag = {wql_literal(True)}", Flag=True)
    assert selects(f"Flag = {wql_literal(False)}", Flag=False)
    assert not selects(f"Flag = {wql_literal(True)}", Flag=False)
