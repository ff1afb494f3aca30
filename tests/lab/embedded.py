# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Embedded instances: the CIM-XML (DTD 2.0) text in which WMI's Hyper-V classes hold and take instances (facts/avma.md §5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from lxml import etree

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def kvp_item(name: str, data: str, source: int) -> str:
    """A ``Msvm_KvpExchangeDataItem`` as Microsoft documents it: properties in alphabetical order, text escaped."""
    properties = (
        ("Caption", "string", None),
        ("Data", "string", data),
        ("Description", "string", None),
        ("ElementName", "string", None),
        ("Name", "string", name),
        ("Source", "uint16", str(source)),
    )
    return (
        '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">'
        + "".join(
            f'<PROPERTY NAME="{item}" PROPAGATED="true" TYPE="{kind}"></PROPERTY>'
            if value is None
            else f'<PROPERTY NAME="{item}" TYPE="{kind}"><VALUE>{escape(value)}</VALUE></PROPERTY>'
            for item, kind, value in properties
        )
        + "</INSTANCE>"
    )


def parse(text: str) -> tuple[str, Mapping[str, str]]:
    """Class name and the single-valued properties of an instance. Raises ValueError for anything else."""
    try:
        root = etree.fromstring(text.encode(), _PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"no CIM-XML: {error}") from error
    if root.tag != "INSTANCE":
        raise ValueError(f"no INSTANCE but {root.tag!r}")
    values = {str(item.get("NAME")): item.findtext("VALUE") for item in root.iterfind("PROPERTY")}
    return str(root.get("CLASSNAME")), {name: value for name, value in values.items() if value is not None}
