"""HRESULTs: what is said of them, and how they are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import hresults
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hresult_table import ROWS
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import FaultError, ordered_hresults
from hypothesis import given
from hypothesis import strategies as st

FACTS = (Path(__file__).resolve().parents[2] / "docs" / "facts.md").read_text(encoding="utf-8")
#: Code → symbol, of the codes that activation by a host gives (slerror.h; facts/avma.md, section 6).
SYMBOLS = """
| C004FD00 | SL_E_IA_THROTTLE_LIMIT_EXCEEDED |
| C004FD01 | SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM |
| C004FD02 | SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED |
| C004FD03 | SL_E_IA_ID_MISMATCH |
| C004FD04 | SL_E_IA_MACHINE_NOT_BOUND |
| C004F069 | SL_E_MISMATCHED_PRODUCT_SKU |
| C004E016 | SL_E_PKEY_INVALID_CONFIG |
| C004F050 | SL_E_INVALID_PRODUCT_KEY |
| C004F074 | SL_E_VL_BINDING_SERVICE_UNAVAILABLE |
| C004E028 | SL_E_ACTIVATION_IN_PROGRESS |
"""
SOURCES = {"transcribed": SYMBOLS, "facts": FACTS}
codes = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("text", SOURCES.values(), ids=SOURCES)
def test_symbols_are_those_of_the_sdk(text: str) -> None:
    rows = re.findall(r"^\| ([C8][0-9A-F]{7}) \| (SL_E_\w+|E_\w+) \|", text, re.MULTILINE)
    assert len(rows) >= 10
    assert {code: hresults.explain(int(code, 16)).symbol for code, _symbol in rows} == dict(rows)


#: Microsoft's activation error page (err-doc), the texts of slmgr.vbs (facts, section 3.9), and what else was met in the field.
MET = """
8004FE21 80070005 8007007B 80070490 800706BA 8007232A 8007232B 8007251D 80092328 C004B100 C004C001 C004C003 C004C008 C004C020
C004C021 C004F009
C004F00F C004F014 C004F02C C004F035 C004F038 C004F039 C004F041 C004F042 C004F050 C004F051 C004F064 C004F065 C004F06C C004F074
C004C017 C004D307 C004F025 C004F066 C004F06B C004F075 C004F304 80070057
80041001 80041002 80041003 8004100E 80041010 80041013 80041017 C0000022 80070422 80070426 80338000 8033801A 80338029 803381A5 803381A6
"""


@pytest.mark.parametrize("code", MET.split())
def test_what_is_met_in_the_field_is_known(code: str) -> None:
    explained = hresults.explain(int(code, 16))
    assert "not known" not in explained.meaning
    assert explained.symbol or code == "8004FE21"
    assert "slui" not in explained.remedy


def test_what_wmi_says_is_what_the_facts_say() -> None:
    rows = re.findall(r"\b(80041[0-9A-F]{3}) \(([a-z ]+)\)", FACTS)
    assert len(rows) >= 6
    symbols = {code: f"WBEM_E_{words.upper().replace(' ', '_')}" for code, words in rows}
    assert {code: hresults.explain(int(code, 16)).symbol for code in symbols} == symbols


#: Code, symbol and a word of the meaning, of what was met in the field: slerror.h, winerror.h, wsmerror.h and ntstatus.h of the SDK, with
#: the words of facts, section 12, and of Microsoft's activation error page (err-doc). No header has a symbol for 8004FE21 and 80092328.
FIELD = """
| 8004FE21 | | genuine |
| 8007007B | ERROR_INVALID_NAME | name |
| 8007232B | DNS_ERROR_RCODE_NAME_ERROR | DNS |
| 8007251D | DNS_INFO_NO_RECORDS | DNS |
| 80092328 | | DNS |
| C004B100 | SL_E_SRV_GENERAL_ERROR | could not be activated |
| C004C001 | SL_E_CHPA_PRODUCT_KEY_OUT_OF_RANGE | invalid |
| C004C003 | SL_E_CHPA_PRODUCT_KEY_BLOCKED | blocked |
| C004F00F | SL_E_OUT_OF_TOLERANCE | hardware |
| C004F039 | SL_E_VL_BINDING_SERVICE_NOT_ENABLED | not enabled |
| C004F041 | SL_E_VL_KEY_MANAGEMENT_SERVICE_NOT_ACTIVATED | not activated |
| C004F042 | SL_E_VL_KEY_MANAGEMENT_SERVICE_ID_MISMATCH | Key Management Service |
| C004F051 | SL_E_BLOCKED_PRODUCT_KEY | blocked |
| C004F064 | SL_E_NONGENUINE_GRACE_TIME_EXPIRED | expired |
| C004F065 | SL_I_NONGENUINE_GRACE_PERIOD | grace period |
| 80041003 | WBEM_E_ACCESS_DENIED | no right |
| 8004100E | WBEM_E_INVALID_NAMESPACE | namespace |
| 80041010 | WBEM_E_INVALID_CLASS | class |
| 80041013 | WBEM_E_PROVIDER_LOAD_FAILURE | could not be loaded |
| 80041017 | WBEM_E_INVALID_QUERY | query |
| C0000022 | STATUS_ACCESS_DENIED | denied |
| 80070422 | ERROR_SERVICE_DISABLED | disabled |
| 80070426 | ERROR_SERVICE_NOT_ACTIVE | not been started |
| 80338029 | ERROR_WSMAN_OPERATION_TIMEDOUT | did not finish in the time |
| 803381A5 | ERROR_WSMAN_QUOTA_MAX_SHELLS | shells |
"""


@pytest.mark.parametrize("row", FIELD.split("\n")[1:-1])
def test_codes_of_the_field_say_what_microsoft_says(row: str) -> None:
    code, symbol, word = (cell.strip() for cell in row.strip("|").split("|"))
    explained = hresults.explain(int(code, 16))
    assert not symbol or explained.symbol == symbol
    assert word in explained.meaning


def test_each_code_is_said_once() -> None:
    assert len(ROWS) == len(hresults.HRESULTS)


def test_only_these_may_be_tried_again() -> None:
    retryable = {code for code, entry in hresults.HRESULTS.items() if entry.retryable}
    assert retryable == {0xC004FD00, 0xC004E028, 0xC004F075, 0xC004F07B, *FaultError.TOO_MANY_OPERATIONS}


def test_a_refusal_by_a_licensed_host_is_explained() -> None:
    remedy = hresults.explain(0xC004FD02).remedy
    assert "pay-as-you-go" in remedy
    assert "Azure" in remedy
    assert "needs its key" in remedy


@pytest.mark.parametrize("code", sorted(FaultError.BUSY | FaultError.TIMED_OUT | FaultError.ENUMERATION_LOST))
def test_what_a_session_waits_for_is_known(code: int) -> None:
    assert code in hresults.HRESULTS


@pytest.mark.parametrize(
    ("code", "family", "where"),
    [
        (0xC004FFFF, "licensing", "slui.exe 0x2a 0xC004FFFF"),
        (0x8004EFFF, "licensing", "slui.exe"),
        (0x80041FFF, "WMI", "WMI Error Constants"),
        (0x80044001, "WMI", "WMI Error Constants"),
        (0x8033FFFF, "WinRM", "winrm helpmsg 0x8033FFFF"),
        (0x8007070F, "RPC", "certutil -error 0x8007070F"),
        (0x80010FFF, "RPC", "certutil"),
        (0x80072333, "DNS", "net helpmsg 9011"),
        (0x80070539, "Win32", "net helpmsg 1337"),
        (1337, "Win32", "net helpmsg 1337"),
        (0x80090999, "security", "certutil"),
        (0x80040155, "COM", "certutil"),
        (0xC0000999, "NTSTATUS", "certutil"),
        (0x8BADF00D, None, "certutil"),
    ],
)
def test_an_unknown_code_says_of_which_family_it_is_and_where_to_look(
    code: int, family: str | None, where: str
) -> None:
    explained = hresults.explain(code)
    assert "not known to hyperv.avma" in explained.meaning
    assert family is None or family in explained.meaning
    assert where in explained.remedy
    assert ("slui" in explained.remedy) == (family == "licensing")


def test_a_plain_win32_code_is_what_its_hresult_is() -> None:
    assert hresults.explain(5) == hresults.explain(0x80070005)


@pytest.mark.parametrize(
    "codes",
    [
        [0xC004F050, 0x80041001],
        [0xC004F050, 0x8007054F],
        [0xC004C003, 0x80070005, 0x80041003],
        [0x80070422, 0x80041013, 0x8033801A],
        [0x80041010, 0x8033801A],
        [0x80041003, 0x80338029],
        [0x80338029, 0x80041001],
        [0x800706BA, 0x80041001, 0x80338003],
        # Of two of a kind, the inner one.
        [0x80041010, 0x80041002],
    ],
)
def test_the_code_that_says_most_comes_first(codes: list[int]) -> None:
    assert ordered_hresults(codes[:1], codes[1:])[0] == codes[0]
    if hresults.vagueness(codes[0]) < hresults.vagueness(codes[-1]):
        assert ordered_hresults(codes[1:], codes[:1])[0] == codes[0]


@pytest.mark.parametrize("entry", hresults.HRESULTS.values(), ids=lambda entry: entry.text)
def test_each_says_what_it_means_and_what_to_do(entry: hresults.Hresult) -> None:
    assert entry.meaning[0].islower() or entry.meaning.startswith(
        ("Windows", "RPC", "WinRM", "WMI", "DNS", "Microsoft")
    )
    assert not entry.meaning.endswith(".")
    assert entry.remedy.endswith(".")
    assert str(entry) == f"{entry.text} ({entry.symbol}): {entry.meaning}" or entry.symbol is None


@given(codes)
def test_every_spelling_of_a_code_is_read(code: int) -> None:
    signed = code - 2**32 if code >= 2**31 else code
    spellings: list[int | str] = [code, signed, f"0x{code:08X}", f"0x{code:08x}", f"{code:08X}", f" 0x{code:X} "]
    # Eight digits are taken for hexadecimal, as Windows writes codes.
    spellings += [text for text in (str(code), str(signed)) if len(text) != 8]
    assert {hresults.parse_hresult(spelling) for spelling in spellings} == {code}
    assert hresults.format_hresult(signed) == f"0x{code:08X}"


@pytest.mark.parametrize("value", ["", "nonsense", "0x1C004FD02", 2**32, -(2**31) - 1, "4294967296"])
def test_what_is_no_code(value: int | str) -> None:
    with pytest.raises(ValueError, match=r"holds no HRESULT|does not fit"):
        hresults.parse_hresult(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "Error: 0xC004F069 On a computer running Microsoft Windows non-core edition, run 'slui.exe 0x2a 0xC004F069'",
            0xC004F069,
        ),
        ("Error Code: 0xC004F074", 0xC004F074),
        ("run 'slui.exe 0x2a 0xC004FD02' to display the error text", 0xC004FD02),
        (
            "The host is not activated: 0xC004FD02 (SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED): Windows is not activated.",
            0xC004FD02,
        ),
        ("SL_E_IA_MACHINE_NOT_BOUND", 0xC004FD04),
        ("hr=0xC004F050", 0xC004F050),
        ("Returned hr=0x00000000", 0),
        ("(HRESULT: 0x80070005)", 0x80070005),
        ("Activation failed with -1073414912.", 0xC004FD00),
        ("exit code 3221552386", 0xC004FD02),
        ("-2147217405", 0x80041003),
        ("Notification Reason: 0xC004FD01.", 0xC004FD01),
        ("[0xc004f034]", 0xC004F034),
        ("0xFFFFFFFFC004F074", 0xC004F074),
        ("error 80070490 on 20261125 at 10:41:01", 0x80070490),
        ("LicenseStatusReason 0x4004FC04 of 00091344-1ea4-4f37-b789-01750ba6988c", 0x4004FC04),
        ("HRESULT 0x4004F999", 0x4004F999),
        ("C004F025: Access denied: the requested action requires elevated privileges", 0xC004F025),
    ],
)
def test_a_code_is_found_in_what_is_pasted(text: str, code: int) -> None:
    assert hresults.parse_hresult(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "Windows Server 2022 Datacenter",
        "2026-11-25 10:41:01",
        "55c92734-d682-4d71-983e-d6ec3f16059f",
        "run 'slui.exe 0x2a'",
        "it has 9600 minutes left",
        "SL_E_NO_SUCH_SYMBOL",
    ],
)
def test_a_number_in_a_sentence_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="holds no HRESULT"):
        hresults.parse_hresult(text)


@pytest.mark.parametrize("entry", hresults.HRESULTS.values(), ids=lambda entry: entry.text)
def test_what_is_printed_is_understood(entry: hresults.Hresult) -> None:
    assert hresults.parse_hresult(str(entry)) == entry.code
    assert hresults.parse_hresult(f"It failed: {entry}.") == entry.code


@given(codes.filter(lambda code: code not in hresults.HRESULTS and code > 0xFFFF))
def test_what_is_not_known_is_said_to_be_not_known(code: int) -> None:
    explained = hresults.explain(code)
    assert explained.symbol is None
    assert not explained.retryable
    assert "not known" in explained.meaning
    assert f"0x{code:08X}" in explained.remedy
