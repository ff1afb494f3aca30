"""HRESULTs: what is said of them, and how they are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import hresults
from hypothesis import given
from hypothesis import strategies as st

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "avma.md"
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
SOURCES = [SYMBOLS, *([FACTS.read_text(encoding="utf-8")] if FACTS.exists() else [])]
codes = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("text", SOURCES)
def test_symbols_are_those_of_the_sdk(text: str) -> None:
    rows = re.findall(r"^\| ([C8][0-9A-F]{7}) \| (SL_E_\w+|E_\w+) \|", text, re.MULTILINE)
    assert len(rows) >= 10
    assert {code: hresults.explain(int(code, 16)).symbol for code, _symbol in rows} == dict(rows)


def test_only_these_may_be_tried_again() -> None:
    retryable = {code for code, entry in hresults.HRESULTS.items() if entry.retryable}
    assert retryable == {0xC004FD00, 0xC004E028, 0xC004F075, 0xC004F07B}


@pytest.mark.parametrize("entry", hresults.HRESULTS.values(), ids=lambda entry: entry.text)
def test_each_says_what_it_means_and_what_to_do(entry: hresults.Hresult) -> None:
    assert entry.meaning[0].islower() or entry.meaning.startswith(("Windows", "RPC"))
    assert not entry.meaning.endswith(".")
    assert entry.remedy.endswith(".")
    assert str(entry) == f"{entry.text} ({entry.symbol}): {entry.meaning}"


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


@given(codes.filter(lambda code: code not in hresults.HRESULTS))
def test_what_is_not_known_is_said_to_be_not_known(code: int) -> None:
    explained = hresults.explain(code)
    assert explained.symbol is None
    assert not explained.retryable
    assert "not known" in explained.meaning
    assert f"0x{code:08X}" in explained.remedy
