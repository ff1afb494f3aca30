"""The activation events of the Application log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.events import decode_event, parse_since

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hr", "hresult", "symbol", "outcome"),
    [
        ("0x0", "0x00000000", "S_OK", "success"),
        ("0x00000000", "0x00000000", "S_OK", "success"),
        ("0", "0x00000000", "S_OK", "success"),
        ("0xC004FD01", "0xC004FD01", "SL_E_IA_INVALID_VIRTUALIZATION_PLATFORM", "invalid_host"),
        ("hr=0xc004fd02", "0xC004FD02", "SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED", "invalid_host"),
        ("-1073414909", "0xC004FD03", "SL_E_IA_ID_MISMATCH", "denied"),
        ("0x8007000D", "0x8007000D", "ERROR_INVALID_DATA", "invalid_data"),
        ("0xC004FD00", "0xC004FD00", "SL_E_IA_THROTTLE_LIMIT_EXCEEDED", "other"),
        ("0x80004005", "0x80004005", "E_FAIL", "other"),
        ("", None, None, "other"),
        ("{{ 7 * 7 }}", "0x00000007", None, "other"),
        ("010", "0x0000000A", None, "other"),
        ("9" * 5000, "0x540BE3FF", None, "other"),
    ],
)
def test_the_hresult_decides_what_came_of_a_request(
    hr: str, hresult: str | None, symbol: str | None, outcome: str
) -> None:
    event = decode_event(12310, 1, NOW, [hr, "more"]).to_dict()
    assert event == {
        "id": 12310,
        "record": 1,
        "time": "2026-11-22T12:00:00Z",
        "outcome": outcome,
        "hresult": hresult,
        "symbol": symbol,
        "strings": [hr, "more"],
    }


def test_an_event_without_strings_is_told_as_it_is() -> None:
    event = decode_event(12309, None, None, []).to_dict()
    assert (event["hresult"], event["outcome"], event["strings"], event["time"]) == (None, "other", [], None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T08:15:00Z", datetime(2026, 11, 22, 8, 15, tzinfo=UTC)),
        ("2026-11-22T08:15:00", datetime(2026, 11, 22, 8, 15, tzinfo=UTC)),
        ("2026-11-22 10:15:00+02:00", datetime(2026, 11, 22, 8, 15, tzinfo=UTC)),
        (" 2026-11-22 ", datetime(2026, 11, 22, tzinfo=UTC)),
        ("90s", datetime(2026, 11, 22, 11, 58, 30, tzinfo=UTC)),
        ("5m", datetime(2026, 11, 22, 11, 55, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 22, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 15, 12, 0, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 8, 12, 0, tzinfo=UTC)),
    ],
)
def test_since_is_a_moment_or_an_age(text: str, moment: datetime) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "7", "7 days", "-7d", "22.11.2026", "999999w", "", "1d2h"])
def test_since_refuses_what_is_neither(text: str) -> None:
    with pytest.raises(ValueError, match="no moment: write it as"):
        parse_since(text, NOW)
