# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The WS-Management service of one machine: a request in, an envelope out. It knows no HTTP and no Windows.

Sources: DSP0226 8 (enumeration), DSP0227 (CIM binding), [MS-WSMV]; fault codes from wsmerror.h of the Windows SDK; behaviour recorded
from Windows Server 2012 and Hyper-V hosts (``recordings``). Most texts are English whatever the machine's language.

UNVERIFIED: the fault of an unknown namespace or class (the HRESULT of WMI is sent as any other), of a method with a malformed body, and
the provider's ``Operation`` in a fault.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from lab import schema, wql
from lab.cim import CimClass, CimError, Instance, Reference, Value
from lab.cimxml import WMI, Renderer, class_uri
from lab.counters import Journal
from lab.shell import RESOURCE_URI as SHELL_RESOURCE
from lab.shell import Shells
from lab.simulation import ListenerOptions, SimulatedMachine
from lab.soap import (
    ADDRESSING,
    CIM,
    ENUMERATION,
    IDENTITY,
    SHELL,
    TRANSFER,
    WSMAN,
    XSI,
    Context,
    Prefixes,
    Request,
    WmiFault,
    WsmanFault,
    envelope,
    fault,
    local_name,
    new_id,
    text_of,
    unexpected_selectors,
)

WQL_DIALECT = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
#: MaxEnvelopeSizekb of a default server.
SERVER_ENVELOPE = 500 * 1024
WBEM_E_NOT_FOUND = 0x80041002
ACCESS_DENIED = WsmanFault(5, "Access is denied. ", "w:AccessDenied", sender=True)
_ENUMERATION_KINDS = {f"{ENUMERATION}/{name}": name for name in ("Enumerate", "Pull", "Release")}
_TRANSFER_KINDS = {f"{TRANSFER}/{name}": name for name in ("Get", "Create", "Delete")}
_SHELL_KINDS = {f"{SHELL}/{name}": name for name in ("Command", "Send", "Receive", "Signal")}
_KINDS = _ENUMERATION_KINDS | _TRANSFER_KINDS | _SHELL_KINDS


@dataclass(frozen=True)
class Operation:
    """What a request asks for: its kind as the journal counts it, and the class and method it is about, if any."""

    kind: str
    class_name: str = ""
    method: str = ""


@dataclass
class _Enumeration:
    """Results not sent yet; ``render`` makes an instance's element."""

    class_name: str
    items: Iterator[Instance]
    render: Callable[[Renderer, Instance], etree._Element]
    #: The next item, taken early to know whether there is one.
    following: Instance | None = None

    def advance(self) -> None:
        self.following = next(self.items, None)


class Service:
    """The WS-Management service of a machine."""

    def __init__(self, machine: SimulatedMachine, options: ListenerOptions, journal: Journal) -> None:
        self._machine = machine
        self._options = options
        self._journal = journal
        self._shells = Shells(machine, journal)
        self._enumerations: dict[str, _Enumeration] = {}
        self._random = random.Random(machine.name)

    @property
    def open_enumerations(self) -> int:
        """Enumerations that no client read to the end or released."""
        return len(self._enumerations)

    @property
    def open_shells(self) -> int:
        """Shells that no client closed."""
        return len(self._shells)

    def forget(self) -> None:
        """Drop enumerations and shells, as a restart does."""
        self._enumerations.clear()
        self._shells = Shells(self._machine, self._journal)

    def classify(self, request: Request) -> Operation:
        """What the request asks for, as the journal and the fault rules name it."""
        if request.body is not None and request.body.tag == f"{{{IDENTITY}}}Identify":
            return Operation("Identify")
        kind = _KINDS.get(request.action, "Invoke")
        class_name = request.resource_uri.rpartition("/")[2]
        if kind == "Enumerate" and class_name == "*":
            class_name = self._queried_class(request)
        elif kind in {"Pull", "Release"}:
            enumeration = self._enumerations.get(_context_id(request))
            class_name = enumeration.class_name if enumeration else ""
        elif kind in _SHELL_KINDS.values() or request.resource_uri == SHELL_RESOURCE:
            class_name = ""
        return Operation(kind, class_name, request.action.rpartition("/")[2] if kind == "Invoke" else "")

    def context(self, request: Request) -> Context:
        """What an answer to the request carries."""
        shuffle = self._random if self._options.prefixes == "shuffled" else None
        return Context(self._machine.name, self._machine.language, request.message_id, Prefixes(shuffle))

    def answer(self, request: Request) -> tuple[bool, bytes]:
        """Whether it went well, and the envelope."""
        context = self.context(request)
        try:
            schema.check(request)
            return True, self._run(request, context)
        except CimError as error:
            return False, fault(context, self.fault_of(error))
        except WsmanFault as error:
            return False, fault(context, error)

    def fault_of(self, error: CimError) -> WsmanFault | WmiFault:
        """The fault by which an error of the model travels."""
        if error.hresult in {5, 0x80070005, 0x80041003}:
            return ACCESS_DENIED
        if error.hresult == WBEM_E_NOT_FOUND:
            return _not_found()
        if not error.wmi:
            return WsmanFault(error.hresult, error.message)
        return WmiFault(error.hresult, error.message, nested=self._options.fault_form == "wsman")

    def _run(self, request: Request, context: Context) -> bytes:
        operation = self.classify(request)
        match operation.kind:
            case "Identify":
                content: list[etree._Element] = [_identity(context.prefixes)]
            case "Enumerate":
                content = [self._enumerate(request, context)]
            case "Pull":
                content = [self._pull(request, context)]
            case "Release":
                self._enumerations.pop(_context_id(request), None)
                content = []
            case "Get":
                content = [self._get(request, context)]
            case "Invoke":
                content = [self._invoke(request, context, operation)]
            case _:
                content = self._shell(request, context, operation)
        action = request.action + "Response"
        data = envelope(context, action, *content)
        limit = min(request.max_envelope_size or SERVER_ENVELOPE, SERVER_ENVELOPE)
        if len(data) > limit:
            raise WsmanFault(
                2150858824,  # ERROR_WSMAN_MAX_ENVELOPE_SIZE_EXCEEDED
                "The response that the WS-Management service computed exceeds the maximum envelope size in the request. ",
                "w:EncodingLimit",
                sender=True,
                detail="MaxEnvelopeSizeExceeded",
            )
        return data

    # Enumeration

    def _enumerate(self, request: Request, context: Context) -> etree._Element:
        body = _body(request, ENUMERATION, "Enumerate")
        namespace, class_name = _wmi_resource(request)
        filters = body.find(f"{{{WSMAN}}}Filter")
        if filters is None:
            filters = body.find(f"{{{ENUMERATION}}}Filter")
        if filters is None:
            enumeration = self._whole_class(namespace, class_name)
        else:
            enumeration = self._query(namespace, class_name, filters)
        enumeration.advance()
        optimized = body.find(f"{{{WSMAN}}}OptimizeEnumeration") is not None and self._options.optimize_enumeration
        response = etree.Element(f"{{{ENUMERATION}}}EnumerateResponse", nsmap=context.prefixes.map(ENUMERATION, WSMAN))
        identifier = etree.SubElement(response, f"{{{ENUMERATION}}}EnumerationContext")
        if not optimized:
            identifier.text = self._keep(enumeration)
            return response
        wanted = _max_elements(body, WSMAN)
        limit = wanted if self._options.first_page is None else min(wanted, self._options.first_page)
        items = etree.SubElement(response, f"{{{WSMAN}}}Items")
        self._fill(items, enumeration, limit, request, context)
        if enumeration.following is None:
            identifier.text = ""
            etree.SubElement(response, f"{{{WSMAN}}}EndOfSequence")
        else:
            identifier.text = self._keep(enumeration)
        return response

    def _pull(self, request: Request, context: Context) -> etree._Element:
        body = _body(request, ENUMERATION, "Pull")
        enumeration = self._enumerations.pop(_context_id(request), None)
        if enumeration is None:
            raise WsmanFault(
                2150858779,  # ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT
                "The supplied enumeration context is invalid. ",
                "n:InvalidEnumerationContext",
            )
        wanted = _max_elements(body, ENUMERATION)
        limit = wanted if self._options.page_size is None else min(wanted, self._options.page_size)
        response = etree.Element(f"{{{ENUMERATION}}}PullResponse", nsmap=context.prefixes.map(ENUMERATION))
        items = etree.Element(f"{{{ENUMERATION}}}Items", nsmap=context.prefixes.map(ENUMERATION))
        self._fill(items, enumeration, limit, request, context)
        if enumeration.following is not None:
            etree.SubElement(response, f"{{{ENUMERATION}}}EnumerationContext").text = self._keep(enumeration)
        response.append(items)
        if enumeration.following is None:
            etree.SubElement(response, f"{{{ENUMERATION}}}EndOfSequence")
        return response

    def _fill(
        self, items: etree._Element, enumeration: _Enumeration, limit: int, request: Request, context: Context
    ) -> None:
        """Move up to ``limit`` results into an answer, but no more than the client's envelope holds."""
        # What the envelope takes around the items.
        room = min(request.max_envelope_size or SERVER_ENVELOPE, SERVER_ENVELOPE) - 2048
        renderer = self._renderer(context)
        for count in range(limit):
            if enumeration.following is None:
                return
            element = enumeration.render(renderer, enumeration.following)
            room -= len(etree.tostring(element, encoding="utf-8", xml_declaration=False))
            if room < 0 and count:
                return
            if self._options.item_wrapping:
                etree.SubElement(items, f"{{{WSMAN}}}Item", nsmap=context.prefixes.map(WSMAN)).append(element)
            else:
                items.append(element)
            enumeration.advance()

    def _keep(self, enumeration: _Enumeration) -> str:
        identifier = new_id()
        self._enumerations[identifier] = enumeration
        return identifier

    def _whole_class(self, namespace: str, class_name: str) -> _Enumeration:
        if class_name == "*":
            raise _invalid_resource_uri()
        cim_class = self._machine.cim_class(namespace, class_name)
        return _Enumeration(
            cim_class.name,
            iter(self._machine.instances(cim_class)),
            lambda renderer, instance: renderer.instance(instance, cim_class.properties),
        )

    def _query(self, namespace: str, class_name: str, filters: etree._Element) -> _Enumeration:
        if filters.get("Dialect") != WQL_DIALECT:
            raise WsmanFault(
                2150858777,  # ERROR_WSMAN_ENUMERATE_FILTER_DIALECT_REQUESTED_UNAVAILABLE
                "The requested filter dialect is not supported. ",
                "n:FilterDialectRequestedUnavailable",
                sender=True,
            )
        if class_name != "*":
            raise WsmanFault(
                2150858778,  # ERROR_WSMAN_ENUMERATE_CANNOT_PROCESS_FILTER
                "The WS-Management service cannot process the request. The class name in the resource URI must be '*' with a WQL filter. ",
                "n:CannotProcessFilter",
                sender=True,
            )
        text = text_of(filters)
        self._journal.queried(text)
        query = wql.parse(text)
        cim_class = self._machine.cim_class(namespace, query.class_name)
        chosen, accepts = query.bind(cim_class)
        if query.properties is None:
            render = lambda renderer, instance: renderer.instance(instance, chosen)  # noqa: E731
        else:
            render = lambda renderer, instance: renderer.fragment(instance, chosen)  # noqa: E731
        return _Enumeration(cim_class.name, filter(accepts, self._machine.instances(cim_class)), render)

    def _queried_class(self, request: Request) -> str:
        found = "" if request.body is None else text_of(request.body.find(f"{{{WSMAN}}}Filter"))
        try:
            return wql.parse(found).class_name
        except CimError:
            return ""

    # Instances

    def _get(self, request: Request, context: Context) -> etree._Element:
        namespace, class_name = _wmi_resource(request)
        cim_class = self._machine.cim_class(namespace, class_name)
        instance = self._find(cim_class, dict(request.selectors))
        return self._renderer(context).instance(instance, cim_class.properties)

    def _find(self, cim_class: CimClass, selectors: dict[str, str]) -> Instance:
        keys = {prop.name.lower(): prop.name for prop in cim_class.properties if prop.key}
        wanted = {name.lower(): value.lower() for name, value in selectors.items()}
        if set(wanted) - set(keys):
            raise unexpected_selectors()
        found = [
            instance
            for instance in self._machine.instances(cim_class)
            if all(str(instance.values.get(keys[name])).lower() == value for name, value in wanted.items())
        ]
        if not found:
            raise _not_found()
        if len(found) > 1:
            raise WsmanFault(
                2150859002,
                "The resource URI is not valid: it does not contain keys, but the class selected is not a singleton. ",
                "w:InvalidSelectors",
                sender=True,
                detail="InsufficientSelectors",
            )
        return found[0]

    def _invoke(self, request: Request, context: Context, operation: Operation) -> etree._Element:
        namespace, class_name = _wmi_resource(request)
        cim_class = self._machine.cim_class(namespace, class_name)
        if request.action.lower() != f"{request.resource_uri}/{operation.method}".lower():
            raise WsmanFault(
                2150858771,  # ERROR_WSMAN_ACTION_NOT_SUPPORTED
                "The action is not supported by the service. ",
                "a:ActionNotSupported",
                sender=True,
            )
        body = request.body
        if body is None or str(body.tag).lower() != f"{{{request.resource_uri}}}{operation.method}_INPUT".lower():
            raise schema.schema_error()
        arguments = _arguments(body)
        self._journal.invoked(cim_class.name, operation.method, request.selectors, arguments)
        result = self._machine.invoke(cim_class, request.selectors, operation.method, arguments)
        values: dict[str, Value] = {**result.out, "ReturnValue": result.return_value}
        return self._renderer(context).output(class_uri(cim_class.namespace, cim_class.name), operation.method, values)

    def _renderer(self, context: Context) -> Renderer:
        return Renderer(context.prefixes, self._random if self._options.property_order == "shuffled" else None)

    # Shells

    def _shell(self, request: Request, context: Context, operation: Operation) -> list[etree._Element]:
        if request.resource_uri != SHELL_RESOURCE:
            raise _invalid_resource_uri()
        prefixes = context.prefixes
        match operation.kind:
            case "Create":
                scheme = "https" if self._options.tls else "http"
                return self._shells.create(prefixes, f"{scheme}://{self._machine.name}/wsman")
            case "Delete":
                self._shells.delete(request)
                return []
            case "Command":
                return [self._shells.command(request, prefixes)]
            case "Send":
                return [self._shells.send(request, prefixes)]
            case "Receive":
                return [self._shells.receive(request, prefixes)]
            case _:
                return [self._shells.signal(request, prefixes)]


def _identity(prefixes: Prefixes) -> etree._Element:
    response = etree.Element(f"{{{IDENTITY}}}IdentifyResponse", nsmap=prefixes.map(IDENTITY))
    etree.SubElement(response, f"{{{IDENTITY}}}ProtocolVersion").text = WSMAN
    etree.SubElement(response, f"{{{IDENTITY}}}ProductVendor").text = "Microsoft Corporation"
    etree.SubElement(response, f"{{{IDENTITY}}}ProductVersion").text = "OS: 0.0.0 SP: 0.0 Stack: 3.0"
    return response


def _wmi_resource(request: Request) -> tuple[str, str]:
    """Namespace and class of a WMI resource URI."""
    if not request.resource_uri.lower().startswith(WMI):
        raise _invalid_resource_uri()
    namespace, _, class_name = request.resource_uri[len(WMI) :].rpartition("/")
    if not namespace or not class_name:
        raise _invalid_resource_uri()
    return namespace, class_name


def _body(request: Request, namespace: str, name: str) -> etree._Element:
    if request.body is None or request.body.tag != f"{{{namespace}}}{name}":
        raise schema.schema_error()
    return request.body


def _context_id(request: Request) -> str:
    if request.body is None:
        return ""
    return text_of(request.body.find(f"{{{ENUMERATION}}}EnumerationContext"))


def _max_elements(body: etree._Element, namespace: str) -> int:
    """MaxElements; one when not given (DSP0226 8.2.3, and as recorded from Hyper-V hosts)."""
    text = text_of(body.find(f"{{{namespace}}}MaxElements"))
    return int(text) if text.isdigit() and int(text) > 0 else 1


def _arguments(body: etree._Element) -> dict[str, Value]:
    """The parameters of a method: text, a list of text for a repeated element, None for xsi:nil, a reference for an EPR."""
    found: dict[str, list[Value]] = {}
    for child in body:
        found.setdefault(local_name(child), []).append(_argument(child))
    arguments: dict[str, Value] = {}
    for name, values in found.items():
        arguments[name] = values[0] if len(values) == 1 else [str(value) for value in values]
    return arguments


def _argument(element: etree._Element) -> Value:
    if element.get(f"{{{XSI}}}nil") in {"true", "1"}:
        return None
    datetime_element = element.find(f"{{{CIM}}}Datetime")
    if datetime_element is not None:
        return text_of(datetime_element)
    parameters = element.find(f"{{{ADDRESSING}}}ReferenceParameters")
    if parameters is None:
        parameters = element.find(f"{{{ADDRESSING}}}EndpointReference/{{{ADDRESSING}}}ReferenceParameters")
    if parameters is None:
        return element.text or ""
    namespace, _, name = text_of(parameters.find(f"{{{WSMAN}}}ResourceURI")).removeprefix(WMI).rpartition("/")
    selectors = parameters.findall(f"{{{WSMAN}}}SelectorSet/{{{WSMAN}}}Selector")
    return Reference(namespace, name, {item.get("Name", ""): text_of(item) for item in selectors})


def _not_found() -> WsmanFault:
    return WsmanFault(
        2150858752,  # ERROR_WSMAN_RESOURCE_NOT_FOUND
        "The WS-Management service cannot process the request. The service cannot find the resource identified by the resource URI and "
        "selectors. ",
        "a:DestinationUnreachable",
        sender=True,
        detail="InvalidResourceURI",
    )


def _invalid_resource_uri() -> WsmanFault:
    return WsmanFault(
        2150858811,  # ERROR_WSMAN_INVALID_RESOURCE_URI
        "The WS-Management service cannot process the request. The resource URI is missing or it has an incorrect format. ",
        "a:DestinationUnreachable",
        sender=True,
        detail="InvalidResourceURI",
    )
