"""Which host activates which guest."""

from __future__ import annotations

from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.matrix import AZURE_LOCAL, WINDOWS_SERVER, Subscription

#: Microsoft's tables (facts/avma.md, section 2.2); the row of 2025 is UNVERIFIED.
WINDOWS_SERVER_TABLE = {
    "2012 R2": {"2012 R2"},
    "2016": {"2012 R2", "2016"},
    "2019": {"2012 R2", "2016", "2019"},
    "2022": {"2012 R2", "2016", "2019", "2022"},
    "2025": {"2012 R2", "2016", "2019", "2022", "2025"},
}
AZURE_LOCAL_TABLE = {
    "2019": {"2016", "2019"},
    "2022": {"2016", "2019", "2022"},
    "2025": {"2016", "2019", "2022", "2025"},
    "subscription": {"2016", "2019", "2022", "2025"},
}


def test_windows_server_hosts() -> None:
    assert {str(host): set(map(str, guests)) for host, guests in WINDOWS_SERVER.items()} == WINDOWS_SERVER_TABLE


def test_azure_local_hosts_by_the_release_of_their_key() -> None:
    table = {
        "subscription" if isinstance(key, Subscription) else str(key): set(map(str, guests))
        for key, guests in AZURE_LOCAL.items()
    }
    assert table == AZURE_LOCAL_TABLE
