# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is fuzzed: code that reads what others wrote. Each target takes any bytes, and raises only if the code is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import keys
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.answer_file import (
    InvalidAnswerFileError,
    Place,
    read_keys,
    set_key,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.events import decode_event
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError, InvalidAnswerError
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.escape import wql_literal, xml_text
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Instance, parse_datetime
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.xml import parse
from ansible_collections.hyperv.avma.plugins.plugin_utils._windows.hyperv import read_vms
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman import messages

from lab import wql
from lab.cim import CimClass, CimError, Property
from lab.cim import Instance as Row

_SAMPLES = Path(__file__).resolve().parent.parent / "unit" / "samples"
_KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
_VM = "8D0C9A7E-0895-5924-B8F2-05668FACAF07"
_THING = CimClass("root/test", "Thing", (Property("Name"), Property("Size", "uint32"), Property("On", "boolean")))


def answer(data: bytes) -> None:
    """An answer of a machine is read, or refused as a fault or as invalid; so is each of its values."""
    try:
        content = messages.read(data)
    except (FaultError, InvalidAnswerError):
        return
    instances = [messages.read_instance(content)]
    with suppress(InvalidAnswerError):
        instances += messages.read_page(content).items
    with suppress(InvalidAnswerError):
        instances.append(messages.read_output(content, "InstallProductKey"))
    for instance in instances:
        for name in instance:
            assert all(isinstance(text, str) for text in instance.texts(name))
            instance.reference(name)
            for read in (instance.integers, instance.boolean, instance.datetime):
                with suppress(InvalidAnswerError):
                    read(name)


def datetime(data: bytes) -> None:
    """A text is a moment in UTC, "never", or refused."""
    with suppress(ValueError):
        moment = parse_datetime(data.decode("utf-8", "replace"))
        assert moment is None or moment.utcoffset() is not None


class _Host:
    """A session with a host of one VM, whose guest wrote this."""

    def __init__(self, item: str) -> None:
        self._rows: Mapping[str, dict[str, Any]] = {
            "Msvm_ComputerSystem": {"Name": _VM, "ElementName": "VM", "EnabledState": "2"},
            "Msvm_KvpExchangeComponentSettingData": {"InstanceID": f"Microsoft:{_VM}\\X", "EnabledState": "2"},
            "Msvm_KvpExchangeComponent": {"SystemName": _VM, "GuestIntrinsicExchangeItems": item},
        }

    def query(self, text: str, _namespace: str) -> list[Instance]:
        class_name = text.partition(" FROM ")[2].partition(" ")[0]
        return [Instance(class_name, self._rows[class_name])]


def kvp_item(data: bytes) -> None:
    """Whatever a guest writes into its KVP items, the host's VMs are read."""
    session: Any = _Host(data.decode("utf-8", "replace"))
    (vm,) = read_vms(session)
    assert all(isinstance(text, str) for item in vm.kvp.items() for text in item)


def answer_file(data: bytes) -> None:
    """An answer file is refused, or takes the key and carries it then."""
    try:
        read_keys(data)
        changed = set_key(data, Place.ACTIVATION, "amd64", _KEY)
    except InvalidAnswerFileError:
        return
    carried = [key for key in read_keys(changed) if key.place is Place.ACTIVATION and key.architecture == "amd64"]
    assert [key.product_key for key in carried] == [_KEY] * len(carried) != []
    assert set_key(changed, Place.ACTIVATION, "amd64", _KEY) == changed


def wql_text(data: bytes) -> None:
    """A text in a query is that text and nothing else."""
    text = data.decode("utf-8", "replace")
    query = wql.parse(f"SELECT Name FROM Thing WHERE Size = 1 AND Name = {wql_literal(text)}")
    _properties, matches = query.bind(_THING)
    assert matches(Row(_THING, {"Name": text, "Size": 1}))
    assert not matches(Row(_THING, {"Name": text, "Size": 2}))
    assert not matches(Row(_THING, {"Name": text + "x", "Size": 1}))


def wql_query(data: bytes) -> None:
    """The lab reads a query, or refuses it as WMI does."""
    with suppress(CimError):
        _properties, matches = wql.parse(data.decode("utf-8", "replace")).bind(_THING)
        assert matches(Row(_THING, {"Name": "a", "Size": 1, "On": True})) in (True, False)


def escaped(data: bytes) -> None:
    """A text in a message is that text and nothing else, or cannot be sent."""
    text = data.decode("utf-8", "replace")
    try:
        document = f'<a b="{xml_text(text)}">{xml_text(text)}</a>'
    except ValueError:
        return
    root = parse(document)
    assert len(root) == 0
    assert (root.text or "") == text


def product_key(data: bytes) -> None:
    """A key is made regular or refused, and none is left in a text that may be shown."""
    text = data.decode("utf-8", "replace")
    with suppress(keys.InvalidKeyError):
        key = keys.normalize_key(text)
        assert keys.normalize_key(key) == key
        assert key not in keys.mask(f"{text} {key}")
    assert _KEY not in keys.mask(f"{text}{_KEY}")
    decode_event(12309, None, None, [text]).to_dict()


_ANSWERS = [path.read_bytes() for path in sorted(_SAMPLES.glob("*.xml"))]
_KVP_ITEM = (
    '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>'
    '<PROPERTY NAME="Data" TYPE="string"><VALUE>20348</VALUE></PROPERTY>'
    '<PROPERTY NAME="Name" TYPE="string"><VALUE>OSBuildNumber</VALUE></PROPERTY></INSTANCE>'
)
_ANSWER_FILE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<unattend xmlns="urn:schemas-microsoft-com:unattend">\n'
    '  <settings pass="specialize">\n    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">\n'
    f"      <ProductKey>{_KEY}</ProductKey>\n    </component>\n  </settings>\n</unattend>\n"
)
_QUERY = "SELECT Name, Size FROM Thing WHERE (Size >= 0x1 AND NOT Name LIKE 'a[^b]_%') OR On = TRUE OR Name IS NOT NULL"

#: Each target, and what to begin with.
TARGETS: dict[Callable[[bytes], None], list[bytes]] = {
    answer: _ANSWERS,
    datetime: [b"2026-07-29T14:10:59.467886+02:00", b"20260729161059.467886+120", b"9999-12-31T23:59:59-12:00"],
    kvp_item: [_KVP_ITEM.encode()],
    answer_file: [_ANSWER_FILE.encode(), _ANSWER_FILE.encode("utf-16")],
    wql_text: [b'O\'Brien\\s "test" <VM>'],
    wql_query: [_QUERY.encode()],
    escaped: ['O\'Brien\\s "test" <VM> & Söhne]]>\r\n\t'.encode()],
    product_key: [_KEY.encode(), f" {_KEY.lower()} ".replace("-", "\N{EN DASH}").encode(), b"hr=0xC004FD02"],
}
