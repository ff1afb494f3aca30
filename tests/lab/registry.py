# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of a machine behind StdRegProv (facts/avma.md §5.5). Only HKEY_LOCAL_MACHINE is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lab.cim import MethodResult, Value
from lab.errors import WBEM_E_INVALID_PARAMETER, failure
from lab.provider import Provider, cim_class, text

CURRENT_VERSION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
VIRTUAL_MACHINE = r"SOFTWARE\Microsoft\Virtual Machine"
GUEST = rf"{VIRTUAL_MACHINE}\Guest"
PARAMETERS = rf"{VIRTUAL_MACHINE}\Guest\Parameters"

_HKEY_LOCAL_MACHINE = 0x80000002
_REG_SZ, _REG_DWORD, _REG_MULTI_SZ = 1, 4, 7

_ERROR_FILE_NOT_FOUND = 2
#: What StdRegProv returns for a value of another type; UNVERIFIED.
_WBEM_E_TYPE_MISMATCH = 0x80041005

RegistryValue = str | int | list[str]


class Registry:
    """Keys by path, their values by name; both compare without case.

    ``before_access`` is called before every access, for the values that others keep up to date.
    """

    def __init__(self, language: str, before_access: Callable[[], None]) -> None:
        self._language = language
        self._before_access = before_access
        self._keys: dict[str, dict[str, RegistryValue]] = {}

    def write(self, path: str, values: Mapping[str, RegistryValue]) -> None:
        """Set values, making the key and those above it."""
        parts = path.split("\\")
        for depth in range(1, len(parts) + 1):
            self._key("\\".join(parts[:depth]), make=True)
        key = self._keys[self._spelled(path)]
        for name, value in values.items():
            known = next((item for item in key if item.lower() == name.lower()), name)
            key[known] = value

    def has(self, path: str) -> bool:
        """Whether there is the key."""
        return self._key(path) is not None

    def remove(self, path: str) -> None:
        """Remove a key, if it is there."""
        self._keys.pop(self._spelled(path), None)

    def read(self, path: str) -> Mapping[str, RegistryValue]:
        """The values of a key; of one that is not there, none."""
        return self._key(path) or {}

    def providers(self) -> list[Provider]:
        """StdRegProv in both of its namespaces."""
        methods = {
            "getstringvalue": lambda _, arguments: self._get(arguments, str, "sValue"),
            "getdwordvalue": lambda _, arguments: self._get(arguments, int, "uValue"),
            "getmultistringvalue": lambda _, arguments: self._get(arguments, list, "sValue"),
            "enumvalues": lambda _, arguments: self._enumerate_values(arguments),
            "enumkey": lambda _, arguments: self._enumerate_keys(arguments),
            "createkey": lambda _, arguments: self._create(arguments),
            "setstringvalue": lambda _, arguments: self._set(arguments, text(arguments, "svalue")),
            "setdwordvalue": lambda _, arguments: self._set(arguments, int(text(arguments, "uvalue") or 3)),
            "deletevalue": lambda _, arguments: self._delete(arguments),
        }
        return [
            Provider(cim_class(namespace, "StdRegProv"), methods=methods)
            for namespace in ("root/default", "root/cimv2")
        ]

    def _get(self, arguments: Mapping[str, Value], kind: type, out: str) -> MethodResult:
        key = self._named(arguments)
        value = None if key is None else _find(key, text(arguments, "svaluename"))
        if value is None:
            return MethodResult(_ERROR_FILE_NOT_FOUND, {out: None})
        if not isinstance(value, kind):
            return MethodResult(_WBEM_E_TYPE_MISMATCH, {out: None})
        return MethodResult(0, {out: value})

    def _create(self, arguments: Mapping[str, Value]) -> MethodResult:
        """Makes the keys above it too; that it is there already is no error."""
        self._named(arguments)
        self.write(text(arguments, "ssubkeyname"), {})
        return MethodResult()

    def _set(self, arguments: Mapping[str, Value], value: RegistryValue) -> MethodResult:
        if self._named(arguments) is None:
            return MethodResult(_ERROR_FILE_NOT_FOUND)
        self.write(text(arguments, "ssubkeyname"), {text(arguments, "svaluename"): value})
        return MethodResult()

    def _delete(self, arguments: Mapping[str, Value]) -> MethodResult:
        key = self._named(arguments)
        wanted = text(arguments, "svaluename").lower()
        name = next((item for item in key if item.lower() == wanted), None) if key is not None else None
        if key is None or name is None:
            return MethodResult(_ERROR_FILE_NOT_FOUND)
        del key[name]
        return MethodResult()

    def _enumerate_values(self, arguments: Mapping[str, Value]) -> MethodResult:
        key = self._named(arguments)
        if key is None:
            return MethodResult(_ERROR_FILE_NOT_FOUND, {"sNames": None, "Types": None})
        if not key:
            return MethodResult(0, {"sNames": None, "Types": None})
        return MethodResult(0, {"sNames": list(key), "Types": [_type(value) for value in key.values()]})

    def _enumerate_keys(self, arguments: Mapping[str, Value]) -> MethodResult:
        if self._named(arguments) is None:
            return MethodResult(_ERROR_FILE_NOT_FOUND, {"sNames": None})
        above = text(arguments, "ssubkeyname").lower() + "\\"
        names = [path[len(above) :] for path in self._keys if path.lower().startswith(above)]
        below = [name for name in names if "\\" not in name]
        return MethodResult(0, {"sNames": below or None})

    def _named(self, arguments: Mapping[str, Value]) -> dict[str, RegistryValue] | None:
        """The key that the arguments name. hDefKey may be left out."""
        if int(text(arguments, "hdefkey") or _HKEY_LOCAL_MACHINE) != _HKEY_LOCAL_MACHINE:
            return None
        if not text(arguments, "ssubkeyname"):
            raise failure(WBEM_E_INVALID_PARAMETER, self._language)
        self._before_access()
        return self._key(text(arguments, "ssubkeyname"))

    def _key(self, path: str, make: bool = False) -> dict[str, RegistryValue] | None:
        found = self._keys.get(self._spelled(path))
        if found is None and make:
            found = self._keys[path] = {}
        return found

    def _spelled(self, path: str) -> str:
        """The path as the registry has it."""
        return next((item for item in self._keys if item.lower() == path.lower()), path)


def _find(key: Mapping[str, RegistryValue], name: str) -> RegistryValue | None:
    return next((value for item, value in key.items() if item.lower() == name.lower()), None)


def _type(value: RegistryValue) -> int:
    return {str: _REG_SZ, int: _REG_DWORD, list: _REG_MULTI_SZ}[type(value)]
