# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request that a real server refuses is refused; one that is right is taken, in whatever order."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman import messages
from lxml import etree

from lab.counters import Journal
from lab.simulation import ListenerOptions
from lab.soap import IDENTITY, SOAP, parse
from lab.wsman import Service

from .wire_client import enumerate_request, fault_of, get_request, invoke_request, pull_request, release_request
from .wire_model import ThingMachine

ENUMERATE = enumerate_request("SELECT * FROM Test_Thing")
HEADER_REQUIRED, INVALID_HEADER, NOT_UNDERSTOOD = 2150858769, 2150858767, 2150858768
INVALID_TIMEOUT, SCHEMA, SMALL_ENVELOPE = 2150858881, 2150858817, 2150858878


def answer(text: str) -> tuple[bool, bytes]:
    return Service(ThingMachine(), ListenerOptions(), Journal()).answer(parse(text.encode()))


def without(name: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"<{name}[ >].*?</{name}>", "", text)


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def header(element: str) -> Callable[[str], str]:
    return replaced("<s:Header>", f"<s:Header>{element}")


#: What is wrong with a request, and the code of the fault that it gets.
WRONG: dict[str, tuple[Callable[[str], str], int]] = {
    "no To": (without("a:To"), HEADER_REQUIRED),
    "no Action": (without("a:Action"), HEADER_REQUIRED),
    "no MessageID": (without("a:MessageID"), HEADER_REQUIRED),
    "no ReplyTo": (without("a:ReplyTo"), HEADER_REQUIRED),
    "two Actions": (header("<a:Action>http://x/y</a:Action>"), INVALID_HEADER),
    "MessageID is no URI": (replaced("uuid:11111111-2222-4333-8444-555555555555", "first"), INVALID_HEADER),
    "ReplyTo is elsewhere": (replaced("/role/anonymous", "/role/somebody"), INVALID_HEADER),
    "unknown header to understand": (header('<x:Y xmlns:x="urn:x" s:mustUnderstand="true"/>'), NOT_UNDERSTOOD),
    "unknown header of a known namespace": (header('<w:Unknown s:mustUnderstand="1"/>'), NOT_UNDERSTOOD),
    "mustUnderstand is no boolean": (header('<w:Locale s:mustUnderstand="yes"/>'), SCHEMA),
    "timeout with a unit": (replaced("PT20S", "20 s"), INVALID_TIMEOUT),
    "timeout without a unit": (replaced("PT20S", "PT20"), INVALID_TIMEOUT),
    "timeout of nothing": (replaced("PT20S", "PT"), INVALID_TIMEOUT),
    "timeout of zero": (replaced("PT20S", "PT0S"), INVALID_TIMEOUT),
    "envelope size is no number": (replaced(">153600<", ">150K<"), SCHEMA),
    "envelope too small": (replaced(">153600<", ">4096<"), SMALL_ENVELOPE),
    "selector without a name": (replaced("<w:SelectorSet>", "<w:SelectorSet><w:Selector>1</w:Selector>"), SCHEMA),
    "two selectors of one name": (
        replaced(
            "<w:SelectorSet>", '<w:SelectorSet><w:Selector Name="Id">1</w:Selector><w:Selector Name="ID">2</w:Selector>'
        ),
        SCHEMA,
    ),
    "unknown element in the body": (replaced("<n:Enumerate>", "<n:Enumerate><w:Unknown/>"), SCHEMA),
    "element of another namespace": (replaced("w:MaxElements>", "n:MaxElements>"), SCHEMA),
    "no number of elements": (replaced(">32000<", ">many<"), SCHEMA),
    "no elements": (replaced(">32000<", ">0<"), SCHEMA),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_request_that_is_wrong_is_refused(case: str) -> None:
    change, code = WRONG[case]
    text = change(ENUMERATE)
    if case == "element of another namespace":
        text = text.replace("</w:MaxElements>", "</n:MaxElements>")
    well, data = answer(text)
    assert not well
    assert fault_of(data)[1] == str(code)


def test_the_fault_of_what_must_be_understood_is_that_of_soap() -> None:
    _, data = answer(WRONG["unknown header to understand"][0](ENUMERATE))
    assert re.search(rb"<(\w+):Value>\1:MustUnderstand</", data)


def test_a_pull_needs_its_context() -> None:
    text = re.sub("<n:EnumerationContext>.*?</n:EnumerationContext>", "", pull_request("uuid:1"))
    assert fault_of(answer(text)[1])[1] == str(SCHEMA)


def test_headers_that_need_not_be_understood_and_identify_are_taken() -> None:
    assert answer(header('<x:Y xmlns:x="urn:x"/><x:Z xmlns:x="urn:x" s:mustUnderstand="false"/>')(ENUMERATE))[0]
    identify = (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body><i:Identify xmlns:i="{IDENTITY}"/></s:Body></s:Envelope>'
    )
    assert answer(identify)[0]


def shuffled(text: str, seed: int) -> str:
    """The same headers, and elements of the body, in another order."""
    root = etree.fromstring(text.encode())
    for parent in (root[0], *(root[1] if root[1] is not None else ())):
        children = list(parent)
        random.Random(seed).shuffle(children)
        parent[:] = children
    return etree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "text", [ENUMERATE, get_request({"Id": "1"}), invoke_request("Echo", "<p:A>1</p:A>", {"Id": "1"})]
)
def test_order_does_not_matter(text: str, seed: int) -> None:
    assert answer(shuffled(text, seed))[0]


HEADER = messages.Header("http://hv01:5985/wsman", "uuid:11111111-2222-4333-8444-555555555555", 20)
OURS = {
    "enumerate": messages.enumerate_wql(HEADER, "root/cimv2", "SELECT * FROM Test_Thing"),
    "get": messages.get(HEADER, "root/cimv2", "Test_Thing", {"Id": "1"}),
    "invoke": messages.invoke(HEADER, "root/cimv2", "Test_Thing", "Echo", {"A": "1", "B": ["x", "y"]}, {"Id": "1"}),
    "release": messages.release(HEADER, "root/cimv2", "uuid:1"),
}


@pytest.mark.parametrize("name", OURS)
def test_the_collections_own_messages_are_right(name: str) -> None:
    well, data = answer(OURS[name].decode())
    assert well, data
    assert answer(release_request("uuid:1"))[0]
