# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product keys in an answer file of Windows Setup. Private to this collection.

An answer file is edited in place: expat tells where in the bytes each element stands, and only the bytes of a key are exchanged or
inserted. What is around them, encoding and line endings included, is not touched.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Literal, NamedTuple
from xml.parsers import expat

#: Of the elements of an answer file (Microsoft, "Unattended Windows Setup Reference").
NAMESPACE = "urn:schemas-microsoft-com:unattend"

_NEW = f'<?xml version="1.0" encoding="utf-8"?>\n<unattend xmlns="{NAMESPACE}">\n</unattend>\n'.encode()
# As Windows System Image Manager indents.
_INDENTATION = "    "
# White space of XML, which is less than that of Python.
_BLANKS = " \t\r\n"
#: Values of processorArchitecture; what is none of them is to be filled in, by whatever makes an answer file of a template.
_ARCHITECTURES = frozenset({"amd64", "arm", "arm64", "ia64", "msil", "neutral", "wow64", "x86"})
# No character of XML, so that it separates the parts of an expanded name.
_SEPARATOR = "\f"


class InvalidAnswerFileError(Exception):
    """The document is not an answer file."""


@dataclass(frozen=True)
class _Step:
    """An element on the way to a key.

    :ivar identity: Attributes that tell it from its like.
    :ivar attributes: Other attributes of one that is made.
    """

    name: str
    identity: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


#: How many steps lead to a component.
_COMPONENT_DEPTH = 2


class Place(Enum):
    """Where an answer file has product keys (facts, section 8): the configuration pass, the component, and the setting in it."""

    #: The key with which Windows is activated.
    ACTIVATION = ("specialize", "Microsoft-Windows-Shell-Setup", "ProductKey")
    #: The key that chooses the image to install.
    IMAGE = ("windowsPE", "Microsoft-Windows-Setup", "UserData/ProductKey/Key")

    def __init__(self, pass_name: str, component: str, setting: str) -> None:
        self.pass_name = pass_name
        self.component = component
        self.setting = setting

    def __str__(self) -> str:
        return f"{self.component}/{self.setting} in pass {self.pass_name}"

    def steps(self, architecture: str | None) -> Iterator[_Step]:
        """The elements from the root to the key, without the root.

        :param architecture: Of the component; None for any.
        """
        yield _Step("settings", {"pass": self.pass_name})
        identity = {"name": self.component, **({"processorArchitecture": architecture} if architecture else {})}
        # The same in every component that Microsoft ships.
        rest = {"publicKeyToken": "31bf3856ad364e35", "language": "neutral", "versionScope": "nonSxS"}
        yield _Step("component", identity, rest)
        for name in self.setting.split("/"):
            yield _Step(name)


@dataclass(frozen=True)
class CarriedKey:
    """What stands in the place of a product key in an answer file; the text is empty if its element is.

    :ivar architecture: ``processorArchitecture`` of the component.
    :ivar misplaced: Whether it is text where an element belongs, or an element where text does.
    """

    place: Place
    architecture: str
    product_key: str = field(repr=False)
    misplaced: bool = False


def read_keys(document: bytes, architecture: str | None = None) -> list[CarriedKey]:
    """The product keys that an answer file carries.

    :param architecture: Of the components to look at; None for all.
    :raises InvalidAnswerFileError: It is not an answer file.
    """
    root = _AnswerFile(document).root
    carried = []
    for place in Place:
        steps = list(place.steps(architecture))
        for length in range(_COMPONENT_DEPTH + 1, len(steps) + 1):
            elements, missing = _find(root, steps[:length])
            if missing:
                break
            whole = length == len(steps)
            carried += [
                CarriedKey(place, element.architecture, element.value_text, bool(element.children) or not whole)
                for element in elements
                if whole or element.value_text
            ]
    return carried


def read_image_names(document: bytes, architecture: str) -> list[str]:
    """The names of the images that an answer file has Setup install (``/IMAGE/NAME``).

    :raises InvalidAnswerFileError: It is not an answer file.
    """
    component = list(Place.IMAGE.steps(architecture))[:_COMPONENT_DEPTH]
    metadata = [_Step(name) for name in ("ImageInstall", "OSImage", "InstallFrom", "MetaData")]
    elements, missing = _find(_AnswerFile(document).root, [*component, *metadata])
    texts = [] if missing else [{child.name: child.value_text for child in element.children} for element in elements]
    return [text["Value"] for text in texts if text.get("Key", "").upper() == "/IMAGE/NAME" and text.get("Value")]


def set_key(document: bytes | None, place: Place, architecture: str, product_key: str) -> bytes:
    """An answer file with a product key; the very same bytes if it already carries it.

    :param document: The answer file; None for a new one.
    :param architecture: ``processorArchitecture`` of the component.
    :raises InvalidAnswerFileError: It is not an answer file, or the key would stand beside what does not belong there.
    """
    document = _NEW if document is None else document
    answers = _AnswerFile(document)
    elements, missing = _find(answers.root, place.steps(architecture))
    if missing:
        edits = [answers.insert(elements[0], missing, product_key)]
    else:
        edits = [answers.fill(element, product_key) for element in elements if element.value_text != product_key]
    for where, replacement in reversed(edits):
        document = document[: where.start] + replacement + document[where.stop :]
    return document


class _Span(NamedTuple):
    """Some bytes of a document."""

    start: int
    stop: int


#: What to put in the place of which bytes.
_Edit = tuple[_Span, bytes]


@dataclass
class _Element:
    """An element and where it stands, in bytes.

    :ivar name: Without its prefix; empty if it is not of the namespace of answer files.
    :ivar tag: Its start tag.
    :ivar content: From its start tag to its end tag.
    :ivar value: Its text, without what is blank around it; None if all is blank.
    """

    name: str
    prefix: str
    attributes: Mapping[str, str]
    parent: _Element | None
    tag: _Span
    content: _Span
    value: _Span | None = None
    text: str = ""
    children: list[_Element] = field(default_factory=list)

    def matches(self, step: _Step) -> bool:
        """Whether it is the element of a step; values without case, since answer files hold both amd64 and AMD64."""
        return self.name == step.name and all(
            self.attributes.get(name, "").lower() == value.lower()
            or (name == "processorArchitecture" and self.is_template)
            for name, value in step.identity.items()
        )

    @property
    def is_template(self) -> bool:
        """Whether its architecture is yet to be filled in, as in ``%arch%``."""
        return self.attributes.get("processorArchitecture", "neutral").lower() not in _ARCHITECTURES

    @property
    def value_text(self) -> str:
        """Its own text, without what is blank around it."""
        return self.text.strip(_BLANKS)

    @property
    def architecture(self) -> str:
        """Of the component that it is in."""
        own = self.attributes.get("processorArchitecture", "")
        return own or (self.parent.architecture if self.parent else "")


def _find(root: _Element, steps: Iterable[_Step]) -> tuple[list[_Element], list[_Step]]:
    """Follow the steps as far as there are elements: these, and the steps that are missing."""
    elements, missing = [root], list(steps)
    while missing:
        found = [child for element in elements for child in element.children if child.matches(missing[0])]
        if not found:
            break
        # A component of the very architecture goes before one that may become it.
        elements = [element for element in found if not element.is_template] or found
        missing.pop(0)
    return elements, missing


class _AnswerFile:
    """A document, and where everything stands in it."""

    def __init__(self, document: bytes) -> None:
        self._document = document
        # What is read and written by position is ASCII: any encoding that holds it will do for all that have it as single bytes.
        self._encoding = _wide_encoding(document) or "latin-1"
        self._newline = "\r\n" if "\r\n".encode(self._encoding) in document else "\n"
        self.root = _build(document)
        if self.root.name != "unattend":
            raise InvalidAnswerFileError(f"its root is not the element unattend of the namespace {NAMESPACE}")

    def fill(self, element: _Element, text: str) -> _Edit:
        """Exchange the text of an element, and leave comments and blank lines beside it."""
        if element.children:
            raise InvalidAnswerFileError(f"{element.name} holds elements where only a product key belongs")
        if self._is_single_tag(element):
            return self._open(element, text)
        where = element.value or _Span(element.content.stop, element.content.stop)
        if any(mark in self._text(where) for mark in "<>"):
            # The text is interrupted by markup, or is partly a CDATA section.
            where = element.content
        return where, text.encode(self._encoding)

    def insert(self, parent: _Element, steps: Sequence[_Step], text: str) -> _Edit:
        """Add elements, one in the other, as the last of a parent, indented as the document is."""
        if parent.value_text:
            raise InvalidAnswerFileError(
                f"{parent.name} holds text where only elements belong, such as {steps[0].name}"
            )
        outer = self._indentation(parent)
        if parent.children:
            inner = self._indentation(parent.children[-1])
        else:
            inner = None if outer is None else outer + self._unit()
        content = self._text(parent.content)
        kept = content.rstrip(_BLANKS)
        added = self._render(parent.prefix, steps, text, inner)
        if inner is not None and "\n" not in content[len(kept) :]:
            added += self._newline + (outer or "")
        if self._is_single_tag(parent):
            return self._open(parent, added)
        position = parent.content.start + len(kept.encode(self._encoding))
        return _Span(position, position), added.encode(self._encoding)

    def _render(self, prefix: str, steps: Sequence[_Step], text: str, indentation: str | None) -> str:
        step, *inner = steps
        name = f"{prefix}:{step.name}" if prefix else step.name
        attributes = "".join(f' {key}="{value}"' for key, value in {**step.identity, **step.attributes}.items())
        line = "" if indentation is None else self._newline + indentation
        if inner:
            text = self._render(prefix, inner, text, None if indentation is None else indentation + self._unit()) + line
        return f"{line}<{name}{attributes}>{text}</{name}>"

    def _open(self, element: _Element, content: str) -> _Edit:
        """Make two tags, with this between them, of a single tag."""
        slash = _Span(element.tag.stop - len("/>".encode(self._encoding)), element.tag.stop)
        name = f"{element.prefix}:{element.name}" if element.prefix else element.name
        return slash, f">{content}</{name}>".encode(self._encoding)

    def _is_single_tag(self, element: _Element) -> bool:
        return self._text(element.tag).endswith("/>")

    def _indentation(self, element: _Element) -> str | None:
        """What stands before an element on its line; None if that is not blank."""
        line = self._text(_Span(0, element.tag.start)).rpartition("\n")[2]
        return None if line.strip(_BLANKS) else line

    def _unit(self) -> str:
        """By how much the document indents from one level to the next."""
        inner = self._indentation(self.root.children[0]) if self.root.children else None
        return (inner or "").removeprefix(self._indentation(self.root) or "") or _INDENTATION

    def _text(self, where: _Span) -> str:
        return self._document[where.start : where.stop].decode(self._encoding)


def _wide_encoding(document: bytes) -> str | None:
    """The encoding of a document in UTF-16; it begins with a byte order mark or with ``<`` (XML 1.0, appendix F)."""
    if document.startswith((codecs.BOM_UTF16_LE, b"<\0")):
        return "utf-16-le"
    if document.startswith((codecs.BOM_UTF16_BE, b"\0<")):
        return "utf-16-be"
    return None


@dataclass(frozen=True)
class _Event:
    kind: Literal["start", "end", "text", "other"]
    position: int
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def _build(document: bytes) -> _Element:
    """The root of a document, with all below it.

    :raises InvalidAnswerFileError: The document is not well-formed XML, or has a document type declaration.
    """
    nowhere = _Span(0, 0)
    element = outside = _Element("", "", {}, None, nowhere, nowhere)
    events = _events(document)
    for event, following in pairwise([*events, _Event("other", len(document))]):
        here = _Span(event.position, following.position)
        if event.kind == "start":
            name, prefix = _split(event.text)
            child = _Element(name, prefix, event.attributes, element, here, here)
            element.children.append(child)
            element = child
        elif event.kind == "end":
            element.content = _Span(element.tag.stop, event.position)
            element = element.parent or outside
        elif event.kind == "text":
            element.text += event.text
            if event.text.strip(_BLANKS):
                element.value = _Span(element.value.start if element.value else here.start, here.stop)
    return outside.children[0]


def _split(expanded: str) -> tuple[str, str]:
    """Name and prefix, from what expat gives: namespace, name and prefix, as far as there are; empty in another namespace."""
    namespace, __, qualified = expanded.partition(_SEPARATOR)
    name, __, prefix = qualified.partition(_SEPARATOR)
    return (name, prefix) if namespace == NAMESPACE else ("", "")


def _events(document: bytes) -> list[_Event]:
    """What a document consists of, in order."""
    events: list[_Event] = []
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)

    def note(
        kind: Literal["start", "end", "text", "other"], text: str = "", attributes: Mapping[str, str] | None = None
    ) -> None:
        events.append(_Event(kind, parser.CurrentByteIndex, text, attributes or {}))

    def refuse(*declaration: object) -> None:
        # No answer file needs one, and its entities are how XML does harm.
        raise InvalidAnswerFileError("it has a document type declaration")

    parser.namespace_prefixes = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: note("start", name, attributes)
    parser.EndElementHandler = lambda name: note("end")
    parser.CharacterDataHandler = lambda text: note("text", text)
    parser.DefaultHandler = lambda text: note("other")
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise InvalidAnswerFileError(f"it is not well-formed XML: {error}") from error
    return events
