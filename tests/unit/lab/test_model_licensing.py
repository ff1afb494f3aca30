# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The simulated licensing does what facts/avma.md §2, §3 and §6 say of Windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lab.keys import AVMA, PUBLIC_KEYS, ProductKey
from lab.provider import NEVER
from lab.spec import TopologySpec
from lab.topology import load
from lab.world import World
from unit.lab.model_client import GUEST_AVMA_KEYS, Wmi, one_guest, refusal

DATACENTER_2022 = GUEST_AVMA_KEYS["2022"]


def test_an_avma_key_activates_by_itself() -> None:
    world = one_guest()
    guest, host = Wmi(world.machines["VM"]), Wmi(world.machines["HV"])

    assert guest.install(DATACENTER_2022).return_value == 0

    row = guest.primary()
    assert row["LicenseStatus"] == 1
    assert row["ProductKeyChannel"] == "VT:IA"
    assert row["PartialProductKey"] == "DV9BG"
    assert "VIRTUAL_MACHINE_ACTIVATION" in str(row["Description"])
    assert row["AutomaticVMActivationHostMachineName"] == "HV.lab.example"
    assert row["AutomaticVMActivationLastActivationTime"] != NEVER
    assert row["IAID"]
    assert row["GracePeriodRemaining"] == 10080
    assert guest.events(12309) == ["0x00000000"]
    assert host.events(12310) == ["0x00000000"]


def test_without_a_key_nothing_is_licensed() -> None:
    guest = Wmi(one_guest().machines["VM"])
    rows = [
        row
        for row in guest.rows("SoftwareLicensingProduct")
        if row["ApplicationID"] != "0ff1ce15-a989-479d-af46-f275c6370663"
    ]
    assert len(rows) > 12
    assert all(row["PartialProductKey"] is None and row["LicenseStatus"] == 0 for row in rows)


def test_rows_hold_what_is_not_windows_itself() -> None:
    """An activated Office, and on 2012 R2 a licensed add-on of Windows: traps for whoever takes the first row with a key."""
    rows = Wmi(one_guest(release="2012 R2").machines["VM"]).rows("SoftwareLicensingProduct")
    with_key = [row for row in rows if row["PartialProductKey"]]
    assert any(row["LicenseIsAddon"] for row in with_key)
    assert any(row["ApplicationID"] == "0ff1ce15-a989-479d-af46-f275c6370663" for row in with_key)


@pytest.mark.parametrize(
    "key", [item for item in PUBLIC_KEYS if item.channel == AVMA], ids=lambda key: f"{key.generation} {key.edition}"
)
@pytest.mark.parametrize("release", ["2012 R2", "2016", "2019", "2022", "2025", "1803", "1909"])
def test_a_key_is_for_one_edition_of_the_releases_that_share_it(key: ProductKey, release: str) -> None:
    shared = {"1803": "2016", "1909": "2019"}.get(release, release)
    guest = Wmi(one_guest(release=release).machines["VM"])
    if (key.generation, key.edition) == (shared, "datacenter"):
        guest.install(key.key)
        assert guest.primary()["LicenseStatus"] == 1
    else:
        expected = 0xC004F069 if key.generation == shared else 0xC004E016
        assert refusal(lambda: guest.install(key.key)) == expected


@pytest.mark.parametrize(
    ("key", "hresult"),
    [
        ("W3GNR-8DDXR-2TFRP-H8P33-DV9B", 0xC004F050),
        ("W3GNR–8DDXR–2TFRP–H8P33–DV9BG", 0xC004F050),
        ("BCDFG-HJKMN-PQRTV-WXY23-46789", 0xC004F050),
        ("", 0xC004F050),
    ],
)
def test_what_is_no_product_key_is_refused(key: str, hresult: int) -> None:
    guest = Wmi(one_guest(license="kms").machines["VM"])
    assert refusal(lambda: guest.install(key)) == hresult
    assert guest.primary()["ProductKeyChannel"] == "Volume:GVLK", "the former key still stands"


def test_an_evaluation_takes_no_key() -> None:
    guest = Wmi(one_guest(evaluation=True).machines["VM"])
    assert refusal(lambda: guest.install(DATACENTER_2022)) == 0xC004F069
    assert "TIMEBASED_EVAL" in str(guest.primary()["Description"])
    assert guest.primary()["EvaluationEndDate"] != NEVER


@pytest.mark.parametrize("kind", ["kms", "mak", "retail", "oem"])
def test_an_avma_key_replaces_any_other(kind: str) -> None:
    guest = Wmi(one_guest(license=kind).machines["VM"])
    assert guest.primary()["LicenseStatus"] == 1
    guest.install(DATACENTER_2022)
    assert (guest.primary()["ProductKeyChannel"], guest.primary()["LicenseStatus"]) == ("VT:IA", 1)


def test_a_key_left_from_before_an_upgrade() -> None:
    guest = Wmi(one_guest(license={"key": "avma", "release": "2016", "status": "notification"}).machines["VM"])
    assert guest.primary()["PartialProductKey"] == "CWG3J"
    guest.install(DATACENTER_2022)
    assert guest.primary()["PartialProductKey"] == "DV9BG"


@pytest.mark.parametrize(
    ("host", "guest", "hresult"),
    [
        ({"license": "none"}, {}, 0xC004FD02),
        ({"license": {"key": "mak", "status": "notification"}}, {}, 0xC004FD02),
        ({"edition": "standard"}, {}, 0xC004FD03),
        ({"evaluation": True, "license": "none"}, {}, 0xC004FD03),
        ({"release": "2019"}, {}, 0xC004FD03),
        ({}, {"release": "2022", "edition": "azure"}, 0xC004FD03),
        ({}, {"data_exchange": False}, 0xC004FD04),
        ({}, {"activation_component": False}, 0xC004FD01),
    ],
)
def test_what_the_host_cannot_activate(host: dict[str, object], guest: dict[str, object], hresult: int) -> None:
    vm = Wmi(one_guest(host, **guest).machines["VM"])
    azure = guest.get("edition") == "azure"
    vm.install("F7TB6-YKN8Y-FCC6R-KQ484-VMK3J" if azure else DATACENTER_2022)
    assert (vm.primary()["LicenseStatus"], vm.primary()["LicenseStatusReason"]) == (5, hresult)
    assert vm.primary()["AutomaticVMActivationHostMachineName"] == ""
    assert refusal(vm.activate) == hresult
    asked = hresult in (0xC004FD02, 0xC004FD03)
    assert vm.events(12309) == ([f"0x{hresult:08X}"] * 2 if asked else [])


def test_outside_hyper_v_there_is_no_host_to_ask() -> None:
    guest = Wmi(load({"guests": [{"name": "VM", "platform": "vmware"}]}).machines["VM"])
    guest.install(DATACENTER_2022)
    assert (guest.primary()["LicenseStatus"], guest.primary()["LicenseStatusReason"]) == (5, 0xC004FD01)


HOSTS = ["2012 R2", "2016", "2019", "2022", "2025"]


@pytest.mark.parametrize("guest", HOSTS)
@pytest.mark.parametrize("host", HOSTS)
def test_a_host_activates_its_own_release_and_older_ones(host: str, guest: str) -> None:
    world = one_guest({"release": host}, release=guest, license={"key": "avma", "status": "notification"})
    vm = Wmi(world.machines["VM"])
    if HOSTS.index(guest) <= HOSTS.index(host):
        vm.activate()
        assert vm.primary()["LicenseStatus"] == 1
    else:
        assert refusal(vm.activate) == 0xC004FD03


def test_activation_that_takes_its_time_shows_after_so_many_reads() -> None:
    guest = Wmi(one_guest(activation={"polls": 2}).machines["VM"])
    guest.install(DATACENTER_2022)
    assert [guest.primary()["LicenseStatus"] for _ in range(3)] == [5, 5, 1]


def test_a_throttled_guest_may_try_again() -> None:
    guest = Wmi(one_guest(activation={"automatic": False, "throttled": 2}).machines["VM"])
    guest.install(DATACENTER_2022)
    assert guest.primary()["LicenseStatus"] == 5
    assert [refusal(guest.activate), refusal(guest.activate)] == [0xC004FD00] * 2
    guest.activate()
    assert guest.primary()["LicenseStatus"] == 1
    assert guest.events(12309) == ["0x00000000", "0xC004FD00", "0xC004FD00"]


def test_an_activation_in_progress_is_left_to_finish() -> None:
    guest = Wmi(
        one_guest(license={"key": "avma", "status": "notification"}, activation={"in_progress": 1}).machines["VM"]
    )
    assert refusal(guest.activate) == 0xC004E028
    guest.activate()
    assert guest.primary()["LicenseStatus"] == 1


def test_the_row_keeps_the_former_host_until_the_next_activation() -> None:
    world = load(
        {
            "hosts": [
                {"name": "A", "license": "mak", "guests": [{"name": "VM", "license": "avma"}]},
                {"name": "B", "license": "mak"},
            ]
        }
    )
    guest = Wmi(world.machines["VM"])
    world.migrate("VM", "B")
    assert guest.primary()["AutomaticVMActivationHostMachineName"] == "A.lab.example"
    guest.activate()
    assert guest.primary()["AutomaticVMActivationHostMachineName"] == "B.lab.example"


def test_a_disabled_service_answers_nothing() -> None:
    world = one_guest(services={"sppsvc": "disabled"})
    guest = Wmi(world.machines["VM"])
    assert refusal(lambda: guest.rows("SoftwareLicensingProduct")) == 0x80070422
    assert refusal(lambda: guest.rows("SoftwareLicensingService")) == 0x80070422
    world.set("VM", "service.sppsvc", "stopped")
    assert guest.rows("SoftwareLicensingService"), "it starts when it is called"


def test_kms_needs_a_kms_host() -> None:
    guest = Wmi(
        load({"kms": False, "guests": [{"name": "VM", "license": {"key": "kms", "status": "notification"}}]}).machines[
            "VM"
        ]
    )
    assert refusal(guest.activate) == 0xC004F074


def test_an_uninstalled_key_is_gone() -> None:
    guest = Wmi(one_guest(license="mak").machines["VM"])
    row = guest.primary()
    guest.invoke("SoftwareLicensingProduct", "UninstallProductKey", {"ID": str(row["ID"])}, {})
    rows = guest.rows("SoftwareLicensingProduct")
    assert next(item for item in rows if item["ID"] == row["ID"])["PartialProductKey"] is None
    assert (
        refusal(lambda: guest.invoke("SoftwareLicensingProduct", "Activate", {"ID": str(row["ID"])}, {})) == 0xC004F014
    )


def test_avma_properties_came_with_2012_r2() -> None:
    columns = {
        release: {
            item.name
            for item in one_guest(release=release)
            .machines["VM"]
            .cim_class("root/cimv2", "SoftwareLicensingProduct")
            .properties
        }
        for release in ("2012", "2012 R2")
    }
    assert columns["2012 R2"] - columns["2012"] == {
        "IAID",
        "AutomaticVMActivationHostMachineName",
        "AutomaticVMActivationHostDigitalPid2",
        "AutomaticVMActivationLastActivationTime",
    }


def test_the_error_text_is_in_the_machines_language() -> None:
    texts = set()
    for language in ("en-US", "de-DE", "ja-JP"):
        guest = Wmi(one_guest(language=language).machines["VM"])
        with pytest.raises(Exception, match="0xC004F050") as caught:
            guest.install("nonsense")
        texts.add(str(caught.value))
    assert len(texts) == 3


class TestHostKeys:
    """Host keys are spent at the activation servers."""

    MAK = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"
    RETAIL = "9YDTR-C4PHW-KNM2J-XQ7VB-GF638"

    def world(self) -> World:
        return load(
            {
                "keys": [
                    {"key": self.MAK, "release": "2022", "channel": "mak", "activations": 2},
                    {"key": self.RETAIL, "release": "2022", "channel": "retail"},
                ],
                "hosts": [{"name": "A"}, {"name": "B"}],
            }
        )

    def test_a_mak_pays_for_every_activation(self) -> None:
        world = self.world()
        host = Wmi(world.machines["A"])
        host.install(self.MAK)
        assert host.primary()["LicenseStatus"] == 5, "a host key needs Activate"
        host.activate()
        assert host.primary()["LicenseStatus"] == 1
        assert world.keystore()["2JF79"]["spent"] == ["A"]
        host.install(self.MAK)
        host.activate()
        assert world.keystore()["2JF79"]["spent"] == ["A", "A"], "the same key written again burns another activation"
        other = Wmi(world.machines["B"])
        other.install(self.MAK)
        assert refusal(other.activate) == 0xC004C020

    def test_a_retail_key_is_for_one_machine(self) -> None:
        world = self.world()
        first, second = Wmi(world.machines["A"]), Wmi(world.machines["B"])
        first.install(self.RETAIL)
        first.activate()
        second.install(self.RETAIL)
        assert refusal(second.activate) == 0xC004C008
        assert second.primary()["LicenseStatus"] != 1

    def test_a_failed_key_leaves_a_host_unlicensed(self) -> None:
        world = self.world()
        host = Wmi(world.machines["A"])
        host.install(self.RETAIL)
        host.activate()
        assert refusal(lambda: host.install("BCDFG-HJKMP-QRTVW-XY234-67892")) == 0xC004F050
        assert host.primary()["LicenseStatus"] == 1, "a key that Windows rejects changes nothing"


def test_time_is_the_worlds() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    spec = {
        "hosts": [{"name": "HV", "release": "2025", "license": "mak", "guests": [{"name": "VM", "license": "avma"}]}]
    }
    world = World(TopologySpec.model_validate(spec), lambda: now)
    guest = Wmi(world.machines["VM"])
    assert guest.primary()["AutomaticVMActivationLastActivationTime"] == now - timedelta(days=1)
    guest.activate()
    assert guest.primary()["AutomaticVMActivationLastActivationTime"] == now


KMS_HOST_KEY = "CVG3B-MPK6R-NXQ4D-8TYHW-2JF79"


def test_a_kms_hosts_key_pays_for_every_activation() -> None:
    key = {"key": KMS_HOST_KEY, "release": "2022", "channel": "csvlk", "activations": 2}
    world = load({"keys": [key], "guests": [{"name": "KMS", "license": KMS_HOST_KEY}]})
    guest = Wmi(world.machines["KMS"])
    assert guest.primary()["ProductKeyChannel"] == "Volume:CSVLK"
    assert "VOLUME_KMS channel" in str(guest.primary()["Description"])
    assert guest.primary()["IsKeyManagementServiceMachine"] == 1
    guest.activate()
    assert refusal(guest.activate) == 0xC004C008
    assert world.keystore()["2JF79"]["spent"] == ["KMS", "KMS"]


@pytest.mark.parametrize(
    ("status", "number", "reason"),
    [
        ("out_of_box_grace", 2, 0x4004F00C),
        ("out_of_tolerance_grace", 3, 0x4004F00D),
        ("non_genuine_grace", 4, 0xC004F200),
        ("extended_grace", 6, 0),
    ],
)
def test_grace_periods(status: str, number: int, reason: int) -> None:
    row = Wmi(one_guest(license={"key": "mak", "status": status}).machines["VM"]).primary()
    assert (row["LicenseStatus"], row["LicenseStatusReason"]) == (number, reason)
    assert row["GracePeriodRemaining"]


def test_a_key_that_windows_takes_after_it_was_no_longer_waited_for() -> None:
    guest = Wmi(one_guest(license="kms", activation={"install_polls": 2}).machines["VM"])
    assert refusal(lambda: guest.install(DATACENTER_2022)) == 0x80338029
    channels = [guest.primary()["ProductKeyChannel"] for _ in range(3)]
    assert channels == ["Volume:GVLK", "Volume:GVLK", "VT:IA"]
    assert guest.primary()["LicenseStatus"] == 1


def test_without_data_exchange_a_guest_has_neither_its_device_nor_its_service() -> None:
    world = one_guest()
    guest = Wmi(world.machines["VM"])

    def seen() -> tuple[bool, str]:
        devices = [str(row["HardwareID"]).lower() for row in guest.rows("Win32_PnPEntity")]
        (service,) = [row for row in guest.rows("Win32_Service") if row["Name"] == "vmickvpexchange"]
        return any("a9a0f4e7-5a45-4d96-b827-8a841e8c03e6" in device for device in devices), str(service["State"])

    assert seen() == (True, "Running")
    world.set("VM", "data_exchange", "false")
    assert seen() == (False, "Stopped")
    world.set("VM", "data_exchange", "true")
    assert seen() == (True, "Running")
