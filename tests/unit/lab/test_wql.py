# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WQL as WMI understands it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import wql
from lab.cim import CimClass, CimError, Instance, Property

CLASS = CimClass(
    "root/cimv2",
    "Thing",
    (
        Property("Id", "uint32", key=True),
        Property("Name"),
        Property("Enabled", "boolean"),
        Property("Made", "datetime"),
        Property("Tags", array=True),
        Property("Owner", "reference"),
    ),
)
ROWS = [
    Instance(CLASS, {"Id": 1, "Name": "Alpha", "Enabled": True, "Made": datetime(2026, 1, 1, tzinfo=UTC)}),
    Instance(CLASS, {"Id": 2, "Name": "beta", "Enabled": False, "Made": datetime(2026, 6, 1, 12, tzinfo=UTC)}),
    Instance(CLASS, {"Id": 3, "Name": None, "Enabled": True}),
    Instance(CLASS, {"Id": 10, "Name": r"O'Brien\x_%", "Made": datetime(2027, 1, 1, tzinfo=UTC)}),
]


def ids(condition: str) -> list[object]:
    """The Ids of the rows that a condition selects."""
    _, accepts = wql.parse(f"SELECT * FROM Thing WHERE {condition}").bind(CLASS)
    return [row.values["Id"] for row in ROWS if accepts(row)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Id = 2", [2]),
        ("id <> 2", [1, 3, 10]),
        ("Id != 2", [1, 3, 10]),
        ("Id >= 2 AND Id < 10", [2, 3]),
        ("2 < Id", [3, 10]),
        ("Id = '2'", [2]),
        ("Id = 0xA", [10]),
        ("Id > 2.5", [3, 10]),
        ("Name = 'ALPHA'", [1]),
        ('Name = "alpha"', [1]),
        ("Name > 'b'", [2, 10]),
        (r"Name = 'O\'Brien\\x_%'", [10]),
        ("Enabled = TRUE", [1, 3]),
        ("Enabled = 'false'", [2]),
        ("Enabled = 1", [1, 3]),
        ("Name IS NULL", [3]),
        ("Name = NULL", [3]),
        ("Name IS NOT NULL", [1, 2, 10]),
        ("Name <> null", [1, 2, 10]),
        ("Name LIKE 'a%'", [1]),
        ("Name LIKE '_eta'", [2]),
        ("Name LIKE '[a-c]%'", [1, 2]),
        ("Name LIKE '[^a-c]%'", [10]),
        ("Name LIKE '%[_][%]'", [10]),
        ("Name NOT LIKE 'a%'", [2, 10]),
        ("Id = 1 OR Id = 2 AND Name = 'x'", [1]),
        ("(Id = 1 OR Id = 2) AND Name = 'beta'", [2]),
        ("NOT Id = 1 AND NOT (Id = 2 OR Id = 3)", [10]),
        ("Made > '20260101000000.000000+000'", [2, 10]),
        ("Made = '20260601140000.000000+120'", [2]),
        ("Made < '20260601120000.000001+000'", [1, 2]),
        # A comparison with NULL is unknown, and so is its negation.
        ("Name <> 'Alpha'", [2, 10]),
        ("NOT Name = 'Alpha'", [2, 10]),
        ("Name = 'Alpha' OR Id = 3", [1, 3]),
        ("NOT (Name = 'Alpha' AND Id = 1)", [2, 3, 10]),
    ],
)
def test_conditions(condition: str, expected: list[int]) -> None:
    assert ids(condition) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT * Thing",
        "SELECT * FROM",
        "SELECT *, Id FROM Thing",
        "SELECT Id, FROM Thing",
        "SELECT * FROM Thing WHERE",
        "SELECT * FROM Thing WHERE Id",
        "SELECT * FROM Thing WHERE Id = ",
        "SELECT * FROM Thing WHERE Id = 1 Id = 2",
        "SELECT * FROM Thing WHERE (Id = 1",
        "SELECT * FROM Thing WHERE Name = 'open",
        r"SELECT * FROM Thing WHERE Name = 'C:\Windows'",
        "SELECT * FROM Thing WHERE Name LIKE 5",
        "SELECT * FROM Thing WHERE Name LIKE '[a'",
        "SELECT * FROM Thing WHERE Name < NULL",
        "SELECT * FROM Thing WHERE Nam = 'x'",
        "SELECT Nam FROM Thing",
        "SELECT * FROM Thing WHERE Tags = 'a'",
        "SELECT * FROM Thing WHERE Owner = 'a'",
        "SELECT * FROM Thing WHERE Id LIKE '1%'",
        "SELECT * FROM Thing WHERE Id = 'one'",
        "SELECT * FROM Thing WHERE Id = 1x",
        "SELECT * FROM Thing WHERE Enabled = 'maybe'",
        "SELECT * FROM Thing WHERE Made > '2026-01-01'",
        "SELECT * FROM Thing ORDER BY Id",
        "SELECT COUNT(*) FROM Thing",
        "SELECT Id FROM Thing; SELECT Id FROM Thing",
        "ASSOCIATORS OF {Thing.Id=1}",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(CimError) as caught:
        wql.parse(text).bind(CLASS)
    assert caught.value.hresult == wql.WBEM_E_INVALID_QUERY


def test_projection_in_the_order_of_the_query() -> None:
    chosen, _ = wql.parse("select  name ,ID\nfrom thing").bind(CLASS)
    assert [prop.name for prop in chosen] == ["Name", "Id"]


def test_star_is_every_property() -> None:
    chosen, _ = wql.parse("SELECT * FROM Thing").bind(CLASS)
    assert chosen == CLASS.properties


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(st.text(), st.text())
def test_any_text_can_be_compared(stored: str, asked: str) -> None:
    _, accepts = wql.parse(f"SELECT * FROM Thing WHERE Name = {_quoted(asked)}").bind(CLASS)
    assert accepts(Instance(CLASS, {"Name": stored})) == (stored.lower() == asked.lower())


@given(st.text())
def test_like_with_every_character_in_brackets_is_equality(text: str) -> None:
    special = {"%": "[%]", "_": "[_]", "[": "[[]"}
    pattern = wql.like_pattern("".join(special.get(character, character) for character in text))
    assert pattern.fullmatch(text)
    assert not pattern.fullmatch(text + "x")


@given(st.text(alphabet="SELECTFROMWHERE idname'\"\\=<>()%[]1.,* \n", max_size=60))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    with suppress(CimError):
        wql.parse(f"SELECT * FROM Thing WHERE {text}").bind(CLASS)


_CONDITIONS = st.recursive(
    st.one_of(
        st.builds("Id = {}".format, st.integers(0, 3)),
        st.builds("Id < {}".format, st.integers(0, 3)),
        st.sampled_from(["Name = 'a'", "Name <> 'a'", "Name IS NULL"]),
    ),
    lambda inner: st.one_of(
        st.builds("NOT ({})".format, inner),
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) OR ({})".format, inner, inner),
    ),
)


@given(_CONDITIONS, _CONDITIONS, st.integers(0, 3), st.sampled_from([None, "a", "b"]))
def test_de_morgan_holds_with_null(one: str, other: str, number: int, name: str | None) -> None:
    row = Instance(CLASS, {"Id": number, "Name": name})

    def selects(condition: str) -> bool:
        return wql.parse(f"SELECT * FROM Thing WHERE {condition}").bind(CLASS)[1](row)

    assert selects(f"NOT (({one}) AND ({other}))") == selects(f"NOT ({one}) OR NOT ({other})")
    assert not (selects(one) and selects(f"NOT ({one})"))
