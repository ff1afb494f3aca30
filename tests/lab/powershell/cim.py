# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cmdlets of CimCmdlets, on a local session (facts/powershell.md 27 to 36, 75 to 79)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab import methods
from lab.cim import CimError, Property, Value
from lab.local_wmi import LocalWmi
from lab.powershell.binding import MISSING, Bound, Cmdlet, Definition, Emit, Parameter, binding_error
from lab.powershell.cim_values import CimInstance, CimProperty, from_model, untyped
from lab.powershell.errors import PowerShellError, Unsupported
from lab.powershell.interpreter import Session
from lab.powershell.types import as_array, is_instance, text, type_of
from lab.powershell.values import Array, DateTime, EnumValue, Hashtable, Int64, PSObject, UInt32

_CMDLETS = "Microsoft.Management.Infrastructure.CimCmdlets"
_CIM_EXCEPTION = "Microsoft.Management.Infrastructure.CimException"
WBEM_E_TYPE_MISMATCH = 0x80041005
WBEM_E_INVALID_METHOD_PARAMETERS = 0x8004102F

#: MI_Result and ErrorCategory of the WMI errors that MI names; all others are Failed (1) and NotSpecified.
_RESULTS = {
    0x80041003: ("AccessDenied", 2, "PermissionDenied"),
    0x80070005: ("AccessDenied", 2, "PermissionDenied"),
    0x8004100E: ("InvalidNamespace", 3, "MetadataError"),
    0x80041008: ("InvalidParameter", 4, "InvalidArgument"),
    0x80041010: ("InvalidClass", 5, "MetadataError"),
    0x80041002: ("NotFound", 6, "ObjectNotFound"),
    0x80041055: ("NotSupported", 7, "NotImplemented"),
    0x80041017: ("InvalidQuery", 15, "InvalidArgument"),
    0x8004102E: ("MethodNotFound", 17, "MetadataError"),
}


def failure(error: CimError, places: Sequence[str], target: str) -> PowerShellError:
    """The ErrorRecord for an error of WMI.

    ``places``: in which members the HRESULT stands, besides the text. What 5.1 fills for SoftwareLicensing's errors is UNVERIFIED (facts
    29, 31), so a topology chooses.
    """
    name, number, category = _RESULTS.get(error.hresult, ("Failed", 1, "NotSpecified"))
    shown = f"HRESULT 0x{error.hresult:08x}" if "id" in places else f"MI RESULT {number}"
    signed = error.hresult - (1 << 32) if error.hresult >> 31 else error.hresult
    data: dict[str, Any] = {
        "CIMStatusCode": UInt32(number),
        "error_Category": UInt32(0),
        "error_Code": UInt32(error.hresult) if "error_data" in places else None,
        "error_Type": "HRESULT",
        "error_WindowsErrorMessage": error.message,
        "Message": error.message,
        "MessageID": shown,
    }
    message = error.message.strip() or f"HRESULT 0x{error.hresult:08x}"
    if "message" in places:
        message = f"The WMI service or the WMI provider returned an unknown error: HRESULT 0x{error.hresult:08x} "
    inner = None
    if "inner" in places:
        inner = PSObject(
            "System.Runtime.InteropServices.COMException", {"HResult": signed, "Message": message}, message
        )
    members: dict[str, Any] = {
        "NativeErrorCode": EnumValue(name, number, "Microsoft.Management.Infrastructure.NativeErrorCode"),
        "MessageId": shown,
        "ErrorData": PSObject("Microsoft.Management.Infrastructure.CimInstance#MSFT_WmiError", data, "MSFT_WmiError"),
        "ErrorSource": "",
        "ErrorType": UInt32(0),
        "StatusCode": UInt32(error.hresult if "status_code" in places else number),
        # MI's public source sets no HResult: COR_E_EXCEPTION.
        "HResult": signed if "hresult" in places else -2146233088,
        "InnerException": inner,
    }
    return PowerShellError(
        message, shown, category, "continue", exception_type=_CIM_EXCEPTION, members=members, target=target
    )


class _CimCmdlet(Cmdlet):
    """What the cmdlets share. ``wmi`` and ``places`` are the machine's."""

    wmi: LocalWmi
    places: Sequence[str]

    def _namespace(self) -> str:
        return (text(self.bound["Namespace"]) or "root/cimv2").replace("\\", "/")

    def _fail(self, error: CimError, target: str) -> None:
        self.write_error(failure(error, self.places, target))

    def _query(self, query: str, namespace: str) -> Iterator[CimInstance]:
        environment = self.session.environment
        selected, found = self.wmi.query(namespace, query)
        for instance in found:
            yield from_model(instance, selected, environment.computer, environment.zone)
        self._spend()

    def _spend(self) -> None:
        self.session.outcome.elapsed += self.wmi.elapsed
        self.wmi.elapsed = 0


_SESSION = (Parameter("Namespace", "string"), Parameter("OperationTimeoutSec", "uint32", aliases=("ot",)))


class GetCimInstance(_CimCmdlet):
    """Get-CimInstance."""

    name, command_type = "Get-CimInstance", f"{_CMDLETS}.GetCimInstanceCommand"
    parameters = (
        Parameter("ClassName", "string", 0),
        Parameter("Query", "string"),
        Parameter("Filter", "string"),
        Parameter("Property", "string[]", aliases=("selectproperties",)),
        Parameter("InputObject", pipeline=True, aliases=("ciminstance",)),
        Parameter("KeyOnly", "switch"),
        *_SESSION,
    )

    def process(self, item: Any) -> None:
        instance = self.bound["InputObject"] if item is MISSING else item
        try:
            if instance is not None:
                self._by_keys(instance)
                return
            query = self._text()
            for found in self._query(query, self._namespace()):
                self.write(found)
        except CimError as error:
            self._fail(error, text(self.bound["ClassName"]) or text(self.bound["Query"]))

    def _text(self) -> str:
        if "Query" in self.bound:
            if self.bound.names() & {"classname", "filter", "property"}:
                raise binding_error(
                    "Parameter set cannot be resolved using the specified named parameters.",
                    f"AmbiguousParameterSet,{self.command_type}",
                )
            return text(self.bound["Query"])
        if "ClassName" not in self.bound:
            raise Unsupported("Get-CimInstance without class, query or instance")
        columns = ", ".join(text(name) for name in as_array(self.bound["Property"])) or "*"
        if self.bound.is_set("KeyOnly"):
            cim_class = self.wmi.cim_class(self._namespace(), self.bound["ClassName"])
            columns = ", ".join(item.name for item in cim_class.properties if item.key)
        condition = f" WHERE {self.bound['Filter']}" if self.bound["Filter"] else ""
        return f"SELECT {columns} FROM {self.bound['ClassName']}{condition}"

    def _by_keys(self, instance: Any) -> None:
        if not isinstance(instance, CimInstance):
            raise binding_error(
                "Cannot bind parameter 'InputObject'. Cannot convert the value to type"
                ' "Microsoft.Management.Infrastructure.CimInstance".',
                f"CannotConvertArgumentNoMessage,{self.command_type}",
            )
        found = self.wmi.get(instance.namespace, instance.class_name, instance.keys)
        self._spend()
        environment = self.session.environment
        self.write(from_model(found, None, environment.computer, environment.zone))


class InvokeCimMethod(_CimCmdlet):
    """Invoke-CimMethod."""

    name, command_type = "Invoke-CimMethod", f"{_CMDLETS}.InvokeCimMethodCommand"
    parameters = (
        Parameter("MethodName", "string", 1, aliases=("name",)),
        Parameter("Arguments", position=2),
        Parameter("ClassName", "string", aliases=("class",)),
        Parameter("Query", "string"),
        Parameter("InputObject", position=0, pipeline=True, aliases=("ciminstance",)),
        Parameter("Confirm", "switch"),
        Parameter("WhatIf", "switch"),
        *_SESSION,
    )

    def process(self, item: Any) -> None:
        if self.bound.is_set("WhatIf"):
            raise Unsupported("Invoke-CimMethod -WhatIf")
        instance = self.bound["InputObject"] if item is MISSING else item
        target = text(self.bound["ClassName"]) or text(self.bound["Query"]) or text(instance)
        try:
            if instance is not None:
                if not isinstance(instance, CimInstance):
                    raise Unsupported(f"Invoke-CimMethod -InputObject of {type_of(instance)}")
                self._invoke(instance, declared=True)
            elif "Query" in self.bound:
                # Without hits there is no output and no error (facts 35).
                for found in list(self._query(text(self.bound["Query"]), self._namespace())):
                    self._invoke(found, declared=False)
            elif "ClassName" in self.bound:
                name = self.bound["ClassName"]
                self.wmi.cim_class(self._namespace(), name)
                self._invoke(CimInstance(self._namespace(), name, "", ()), declared=False)
            else:
                raise Unsupported("Invoke-CimMethod without class, query or instance")
        except CimError as error:
            self._fail(error, target)

    def _invoke(self, instance: CimInstance, declared: bool) -> None:
        method = text(self.bound["MethodName"])
        given = self.bound["Arguments"]
        if given is not None and not isinstance(given, Hashtable):
            raise Unsupported("-Arguments that are no hashtable")
        arguments = self._arguments(instance.class_name, method, given or Hashtable(), declared)
        result = self.wmi.invoke(instance.namespace, instance.class_name, self._keys(instance), method, arguments)
        self._spend()
        environment = self.session.environment
        values = {name: untyped(value, environment.computer, environment.zone) for name, value in result.out.items()}
        values["ReturnValue"] = UInt32(result.return_value)
        # A note property each, and PSComputerName (facts 34).
        values["PSComputerName"] = None
        self.write(PSObject("Microsoft.Management.Infrastructure.CimMethodResult", values, "CimMethodResult"))

    def _keys(self, instance: CimInstance) -> dict[str, str]:
        """The keys of an instance. UNVERIFIED: how it fails when the query did not ask for them; a provider cannot find it, at any rate."""
        keys = [item for item in instance.properties if item.key]
        if any(item.value is None for item in keys):
            raise CimError(0x80041008, "Invalid parameter ")
        return {item.name: str(item.value) for item in keys}

    def _arguments(self, class_name: str, method: str, given: Hashtable, declared: bool) -> dict[str, Value]:
        parameters = methods.declaration(class_name, method)
        if parameters is None:
            raise Unsupported(f"the parameters of {class_name}.{method}: add them to lab/methods.py")
        arguments: dict[str, Value] = {}
        for key, value in given.items():
            name = text(key)
            parameter = next((item for item in parameters if item.name.lower() == name.lower()), None)
            if parameter is None and declared:
                raise PowerShellError(
                    f'Unable to find parameter "{name}" in the method "{method}" of "{class_name}".', "CimCmdlet_ArgumentException",
                    "InvalidArgument", "continue", exception_type="System.ArgumentException",
                )  # fmt: skip
            if parameter is None:
                raise CimError(WBEM_E_INVALID_METHOD_PARAMETERS, "Invalid method Parameter(s) ")
            if value is None:
                # With the declaration it is NULL; else it goes as a string, which is NULL too (facts 36).
                continue
            if not declared and not _inferred(value, parameter):
                raise CimError(WBEM_E_TYPE_MISMATCH, "Type mismatch ")
            arguments[name] = _sent(value)
        return arguments


def _inferred(value: Any, parameter: Property) -> bool:
    """Whether the type that is inferred from a .NET value is one that WMI takes for the parameter (facts 36)."""
    kind = {"uint8": "byte", "sint8": "sbyte"}.get(parameter.type, parameter.type.replace("sint", "int"))
    if parameter.array:
        return isinstance(value, Array) and value.element in (kind, "string" if parameter.type == "instance" else kind)
    # UNVERIFIED: WMI widens an Int32 that is not negative; an Int64 does not become a uint32.
    if kind in ("uint32", "uint16") and type_of(value) == "int32":
        return bool(value >= 0)
    return is_instance(value, kind) and not isinstance(value, Int64 if kind != "int64" else ())


def _sent(value: Any) -> Value:
    """As the model takes it."""
    if isinstance(value, Array):
        return [text(item) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, DateTime):
        return value.as_utc()
    return text(value)


class NewCimInstance(_CimCmdlet):
    """New-CimInstance -ClientOnly."""

    name, command_type = "New-CimInstance", f"{_CMDLETS}.NewCimInstanceCommand"
    parameters = (
        Parameter("ClassName", "string", 0, mandatory=True),
        Parameter("Property", position=1),
        Parameter("Key", "string[]", aliases=("keyproperties",)),
        Parameter("ClientOnly", "switch", aliases=("local",)),
        *_SESSION,
    )

    def end(self) -> None:
        if not self.bound.is_set("ClientOnly"):
            raise Unsupported("New-CimInstance without -ClientOnly")
        keys = [text(name).lower() for name in as_array(self.bound["Key"])]
        given = self.bound["Property"]
        properties = tuple(
            CimProperty(text(name), value, "string", isinstance(value, Array), text(name).lower() in keys)
            for name, value in (given.items() if isinstance(given, Hashtable) else ())
        )
        self.write(
            CimInstance(self._namespace(), self.bound["ClassName"], self.session.environment.computer, properties)
        )


def definitions(wmi: LocalWmi, places: Sequence[str], blocked: bool) -> Mapping[str, Definition]:
    """The cmdlets on a machine's WMI. ``blocked``: the module cannot be imported in Constrained Language Mode (facts 10)."""

    def definition(kind: type[_CimCmdlet]) -> Definition:
        def make(session: Session, bound: Bound, emit: Emit) -> Cmdlet:
            if blocked and session.environment.constrained:
                raise PowerShellError(
                    f"The '{kind.name}' command was found in the module 'CimCmdlets', but the module could not be loaded.",
                    "DotSourceNotSupported",
                    "InvalidOperation",
                )
            cmdlet = kind(session, bound, emit)
            cmdlet.wmi, cmdlet.places = wmi, places
            return cmdlet

        return Definition(kind.name, kind.parameters, make, command_type=kind.command_type)

    return {kind.name.lower(): definition(kind) for kind in (GetCimInstance, InvokeCimMethod, NewCimInstance)}
