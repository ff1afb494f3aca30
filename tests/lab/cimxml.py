# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CIM values as WinRM writes them in XML, in the two shapes that were recorded from real servers.

``SELECT *`` and Get give elements in the class's namespace, a projection gives ``w:XmlFragment`` with children in no namespace.
Sources: DSP0230 (WS-CIM mapping), ``recordings/server_2012``.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from lxml import etree

from lab.cim import Instance, Property, Reference, Value
from lab.soap import ADDRESSING, ANONYMOUS, CIM, WSMAN, XSI, Prefixes

#: Resource URIs of WMI classes: this, the namespace with slashes, the class.
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"


def class_uri(namespace: str, name: str) -> str:
    """The resource URI of a class, which is also the namespace of its elements."""
    return f"{WMI}{namespace}/{name}"


class Renderer:
    """Writes instances for one answer."""

    def __init__(self, prefixes: Prefixes, order: random.Random | None) -> None:
        self._prefixes = prefixes
        self._order = order

    def instance(self, instance: Instance, wanted: Iterable[Property]) -> etree._Element:
        """``p:Class`` with all its properties."""
        cim_class = instance.cim_class
        uri = class_uri(cim_class.namespace, cim_class.name)
        element = etree.Element(f"{{{uri}}}{cim_class.name}", nsmap=self._prefixes.map(XSI, uri, CIM))
        element.set(f"{{{XSI}}}type", f"{self._prefixes.of(uri)}:{cim_class.name}_Type")
        for prop in self._ordered(wanted):
            self._property(element, f"{{{uri}}}{prop.name}", instance.values.get(prop.name), CIM)
        return element

    def fragment(self, instance: Instance, wanted: Iterable[Property]) -> etree._Element:
        """``w:XmlFragment`` with the properties of a projection."""
        element = etree.Element(f"{{{WSMAN}}}XmlFragment", nsmap=self._prefixes.map(XSI, WSMAN))
        for prop in self._ordered(wanted):
            self._property(element, prop.name, instance.values.get(prop.name), None)
        return element

    def output(self, uri: str, method: str, values: Mapping[str, Value]) -> etree._Element:
        """``p:Method_OUTPUT`` with out parameters and ReturnValue."""
        element = etree.Element(f"{{{uri}}}{method}_OUTPUT", nsmap=self._prefixes.map(XSI, uri, CIM))
        for name, value in values.items():
            self._property(element, f"{{{uri}}}{name}", value, CIM)
        return element

    def _ordered(self, wanted: Iterable[Property]) -> list[Property]:
        properties = list(wanted)
        if self._order is not None:
            self._order.shuffle(properties)
        return properties

    def _property(self, parent: etree._Element, tag: str, value: Value, datetime_namespace: str | None) -> None:
        if isinstance(value, list):
            for item in value:
                etree.SubElement(parent, tag).text = _text(item)
            if value:
                return
            value = None
        element = etree.SubElement(parent, tag)
        if value is None:
            element.set(f"{{{XSI}}}nil", "true")
        elif isinstance(value, datetime):
            name = f"{{{datetime_namespace}}}Datetime" if datetime_namespace else "Datetime"
            etree.SubElement(element, name).text = _datetime(value)
        elif isinstance(value, Reference):
            self._reference(element, value)
        else:
            element.text = _text(value)

    def _reference(self, element: etree._Element, reference: Reference) -> None:
        etree.SubElement(element, f"{{{ADDRESSING}}}Address", nsmap=self._prefixes.map(ADDRESSING)).text = ANONYMOUS
        parameters = etree.SubElement(
            element, f"{{{ADDRESSING}}}ReferenceParameters", nsmap=self._prefixes.map(ADDRESSING, WSMAN)
        )
        uri = class_uri(reference.namespace, reference.class_name)
        etree.SubElement(parameters, f"{{{WSMAN}}}ResourceURI").text = uri
        selectors = etree.SubElement(parameters, f"{{{WSMAN}}}SelectorSet")
        for name, key in reference.keys.items():
            etree.SubElement(selectors, f"{{{WSMAN}}}Selector", Name=name).text = key


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _datetime(value: datetime) -> str:
    """``2013-04-15T20:28:21.085Z``: in UTC, with no more digits of the fraction than it takes."""
    if value.tzinfo is None:
        raise ValueError("a CIM datetime needs a time zone")
    utc = value.astimezone(UTC)
    fraction = f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"
