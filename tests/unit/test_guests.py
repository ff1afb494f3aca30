"""What is decided about a guest, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma import guests, keys
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.guests import Plan, Step, Wish, assess, plan
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.hresults import HRESULTS
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.licenses import Activation, License, Status
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.releases import (
    Edition,
    Release,
    System,
    identify_system,
)
from hypothesis import given
from hypothesis import strategies as st

TIME = datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC)
ACTIVATION = Activation("HV01.lab.example", TIME, "iaid", "pid")
GUEST = identify_system(20348, 8)
KEY = "W3GNR-8DDXR-2TFRP-H8P33-DV9BG"
OTHER_KEY = "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"


def row(
    key: str | None = KEY,
    channel: str | None = keys.AVMA_CHANNEL,
    status: Status = Status.LICENSED,
    activation: Activation | None = ACTIVATION,
    description: str = "",
    reason: int | None = None,
) -> License:
    return License(
        name="Windows(R), ServerDatacenter edition",
        description=description,
        status=status,
        reason=reason,
        channel=channel,
        partial_product_key=key[-5:] if key else None,
        activation_id="id",
        grace_minutes=0,
        license_family="ServerDatacenter",
        activation=activation,
    )


RIGHT = row()
MAK = "RTX8M-DK4VB-NQ6GJ-HPW39-F2CY7"
KMS_CLIENT = "WX4NM-KYWYW-QJJR4-XV3QB-6VM33"
#: Name → licence row and what must be done about it.
ROWS: dict[str, tuple[License | None, Step]] = {
    "right": (RIGHT, Step.NOTHING),
    "right by description": (
        row(channel=None, description="Windows(R) Operating System, VIRTUAL_MACHINE_ACTIVATION channel"),
        Step.NOTHING,
    ),
    "no key": (None, Step.INSTALL),
    "KMS client": (row(KMS_CLIENT, keys.KMS_CHANNEL, activation=None), Step.INSTALL),
    "KMS client by description": (
        row(KMS_CLIENT, None, activation=None, description="Windows(R) Operating System, VOLUME_KMSCLIENT channel"),
        Step.INSTALL,
    ),
    "MAK in grace": (row(MAK, "Volume:MAK", Status.OUT_OF_BOX_GRACE, None), Step.INSTALL),
    "MAK that ran out": (row(MAK, "Volume:MAK", Status.NOTIFICATION, None), Step.INSTALL),
    "MAK never activated": (row(MAK, "Volume:MAK", Status.UNLICENSED, None), Step.INSTALL),
    "MAK that ends alike, not activated": (row(KEY, "Volume:MAK", Status.NOTIFICATION, None), Step.INSTALL),
    "AVMA key of 2025": (row(OTHER_KEY), Step.INSTALL),
    "not activated": (row(status=Status.NOTIFICATION, activation=None), Step.ACTIVATE),
    "lapsed": (row(status=Status.NOTIFICATION), Step.ACTIVATE),
    "grace": (row(status=Status.OUT_OF_BOX_GRACE), Step.ACTIVATE),
    "licensed without a host": (row(activation=None), Step.ACTIVATE),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_row_decides_what_is_done(name: str) -> None:
    license, step = ROWS[name]
    assert plan(GUEST, license, Wish()) == Plan(step, product_key=KEY)


#: Licence rows that are not given up without the user's word, or never, and why.
KEPT: dict[str, tuple[License, str]] = {
    "MAK": (row(MAK, "Volume:MAK", activation=None), "licensed_by_other_key"),
    "MAK that ends alike": (row(KEY, "Volume:MAK", activation=None), "licensed_by_other_key"),
    "retail": (row(MAK, "Retail", activation=None), "licensed_by_other_key"),
    "OEM": (row(MAK, "OEM:NONSLP", activation=None), "licensed_by_other_key"),
    "no channel": (row(MAK, None, activation=None), "licensed_by_other_key"),
    # A KMS client key that is in no table cannot be put back either.
    "KMS client with an unknown key": (row(MAK, keys.KMS_CHANNEL, activation=None), "licensed_by_other_key"),
    "KMS host": (row(MAK, "Volume:CSVLK", activation=None), "kms_host"),
    "KMS host that ran out": (row(MAK, "Volume:CSVLK", Status.NOTIFICATION, None), "kms_host"),
    "KMS host by description": (
        row(MAK, None, activation=None, description="Windows(R) Operating System, VOLUME_KMS_WS19 channel"),
        "kms_host",
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_works_is_kept(name: str) -> None:
    license, code = KEPT[name]
    decision = plan(GUEST, license, Wish())
    assert (decision.step, [problem.code for problem in decision.problems]) == (Step.NOTHING, [code])
    # With the user's word a key may go, a KMS host's never.
    told = plan(GUEST, license, Wish(replace=True))
    assert told == (decision if code == "kms_host" else Plan(Step.INSTALL, product_key=KEY))
    assert decision.product_key == told.product_key


@pytest.mark.parametrize(
    ("license", "code", "word"),
    [
        # What an unknown key is shows only when it is installed: not in the place of a licence that works.
        (RIGHT, "unknown_product_key", Step.INSTALL),
        (row(KMS_CLIENT, keys.KMS_CHANNEL, activation=None), "unknown_product_key", Step.INSTALL),
        (row(OTHER_KEY), "unknown_product_key", Step.INSTALL),
        (row("CVG3B-MPK6R-NXQ4D-8TYHW-2JF79", "Retail", activation=None), "licensed_by_other_key", Step.INSTALL),
        # It was installed before, and turned out to be none: never again.
        (row(MAK, "Volume:MAK", Status.NOTIFICATION, None), "not_an_avma_key", Step.NOTHING),
        (row(MAK, "Volume:MAK", activation=None), "not_an_avma_key", Step.NOTHING),
    ],
)
@pytest.mark.parametrize(
    "wish", [Wish(product_key=MAK), Wish(key_overrides={(Release.WS2022, Edition.DATACENTER): MAK})]
)
def test_a_key_that_is_not_known(license: License, code: str, word: Step, wish: Wish) -> None:
    refused = plan(GUEST, license, wish)
    assert [problem.code for problem in refused.problems] == [code]
    assert plan(GUEST, license, replace(wish, replace=True)).step is word
    assert MAK[-5:] in str(refused.problems[0]) or code == "licensed_by_other_key"
    assert plan(GUEST, None, wish) == Plan(Step.INSTALL, product_key=MAK)


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("Volume:MAK", "a Multiple Activation Key (MAK)"),
        ("Retail", "a retail key"),
        ("OEM:DM", "an OEM key"),
        ("Volume:GVLK", "a KMS client key"),
        ("Volume:CSVLK", "the key of a KMS host"),
        ("VT:IA", "an AVMA key"),
        ("Retail:TB:Sub", "a key of channel Retail:TB:Sub"),
        (None, "a key of channel unknown"),
    ],
)
def test_what_a_key_is_called(channel: str | None, name: str) -> None:
    assert row(MAK, channel).key_name == name


def test_the_end_of_a_public_key_tells_the_key() -> None:
    assert row(KEY).public_key == KEY
    assert row(KMS_CLIENT, keys.KMS_CHANNEL).public_key == KMS_CLIENT
    assert row(KEY, "Volume:MAK").public_key is None
    assert row(KMS_CLIENT).public_key is None
    every = [*keys.AVMA_KEYS.values(), *keys.KMS_CLIENT_KEYS]
    assert len({key[-5:] for key in every}) == len(every)


@pytest.mark.parametrize("name", ROWS)
def test_without_activation_only_the_key_counts(name: str) -> None:
    license, step = ROWS[name]
    lost = step is Step.INSTALL and license is not None and license.licensed
    expected = Step.INSTALL if step is Step.INSTALL and not lost else Step.NOTHING
    decision = plan(GUEST, license, Wish(activate=False))
    assert decision.step is expected
    assert [item.code for item in decision.problems] == (["activation_would_be_lost"] if lost else [])
    told = plan(GUEST, license, Wish(activate=False, replace=True))
    assert (told.step, told.problems) == (Step.INSTALL if step is Step.INSTALL else Step.NOTHING, ())


@pytest.mark.parametrize(
    ("system", "wish", "code"),
    [
        (identify_system(20348, 80), Wish(), "evaluation_edition"),
        (identify_system(20348, 80), Wish(product_key=KEY), "evaluation_edition"),
        (identify_system(9200, 8), Wish(), "no_avma_key_for_release"),
        (identify_system(25398, 147), Wish(), "no_avma_key_for_release"),
        (identify_system(19045, 48), Wish(), "no_avma_key_for_edition"),
        (identify_system(26100, 50), Wish(), "no_avma_key_for_edition"),
        (identify_system(26100, 406), Wish(), "no_avma_key_for_edition"),
        (GUEST, Wish(release=Release.WS2019), "system_mismatch"),
        (GUEST, Wish(edition=Edition.STANDARD), "system_mismatch"),
        (identify_system(17763, 8), Wish(release=Release.WS2019, build=18363), "system_mismatch"),
        (GUEST, Wish(product_key=OTHER_KEY), "key_release_mismatch"),
        (GUEST, Wish(product_key="YDFWN-MJ9JR-3DYRK-FXXRW-78VHK"), "key_release_mismatch"),
        (GUEST, Wish(product_key="WX4NM-KYWYW-QJJR4-XV3QB-6VM33"), "kms_client_key"),
    ],
)
@pytest.mark.parametrize("license", [None, RIGHT])
def test_what_is_refused(system: System, wish: Wish, code: str, license: License | None) -> None:
    decision = plan(system, license, wish)
    assert [problem.code for problem in decision.problems] == [code]
    assert decision.step is Step.NOTHING


@pytest.mark.parametrize(
    ("system", "wish", "key"),
    [
        (GUEST, Wish(product_key="RTX8M-DK4VB-NQ6GJ-HPW39-F2CY7"), "RTX8M-DK4VB-NQ6GJ-HPW39-F2CY7"),
        (GUEST, Wish(key_overrides=keys.read_overrides({"2022": {"Datacenter": OTHER_KEY}})), OTHER_KEY),
        (
            identify_system(29500, 8),
            Wish(key_overrides=keys.read_overrides({"29500": {"Datacenter": OTHER_KEY}})),
            OTHER_KEY,
        ),
        (identify_system(29500, 8), Wish(product_key=OTHER_KEY), OTHER_KEY),
        (identify_system(29500, 8), Wish(release=Release.WS2025), OTHER_KEY),
        (identify_system(26100, 9999), Wish(release=Release.WS2025, edition=Edition.DATACENTER), OTHER_KEY),
    ],
)
def test_which_key_is_taken(system: System, wish: Wish, key: str) -> None:
    assert plan(system, None, wish) == Plan(Step.INSTALL, product_key=key)


def test_a_guest_of_another_host_than_expected_is_activated_anew() -> None:
    assert plan(GUEST, RIGHT, Wish(expected_hosts=("HV02",))).step is Step.ACTIVATE
    assert plan(GUEST, RIGHT, Wish(expected_hosts=("HV02", "hv01"))).step is Step.NOTHING


systems = st.builds(
    identify_system,
    st.sampled_from([9200, 9600, 14393, 17763, 18363, 19042, 20348, 25398, 26100, 30000]),
    st.sampled_from([None, 4, 7, 8, 13, 48, 50, 79, 80, 145, 147, 160, 406, 407, 9999]),
    st.sampled_from([None, "ServerDatacenterCor", "Professional"]),
)
some_keys = st.sampled_from([*keys.AVMA_KEYS.values(), *keys.KMS_CLIENT_KEYS, "RTX8M-DK4VB-NQ6GJ-HPW39-F2CY7"])
licenses = st.none() | st.builds(
    row,
    st.none() | some_keys,
    st.sampled_from([None, "VT:IA", "Volume:GVLK", "Volume:MAK", "Volume:CSVLK", "Retail"]),
    st.sampled_from(Status),
    st.none() | st.just(ACTIVATION),
    st.sampled_from(["", "Windows(R) Operating System, VIRTUAL_MACHINE_ACTIVATION channel"]),
)
wishes = st.builds(
    Wish,
    st.none() | some_keys,
    st.none() | st.sampled_from(Release),
    st.none() | st.sampled_from(Edition),
    st.just({}) | st.just(keys.read_overrides({"2022": {"Datacenter": OTHER_KEY}})),
    st.booleans(),
    st.lists(st.sampled_from(["HV01", "HV02.lab.example"])).map(tuple),
    st.none() | st.sampled_from([17763, 18363, 20348]),
    replace=st.booleans(),
)


@given(systems, licenses, wishes)
def test_a_licence_that_cannot_be_put_back_goes_on_the_users_word_only(
    system: System, license: License | None, wish: Wish
) -> None:
    decision = plan(system, license, wish)
    if decision.step is Step.INSTALL and license and license.licensed:
        assert wish.replace or (license.public_key and decision.public)
    if license and license.kms_host:
        assert decision.step is Step.NOTHING


@given(systems, licenses, wishes)
def test_a_refused_guest_is_not_touched_and_any_other_has_a_key(
    system: System, license: License | None, wish: Wish
) -> None:
    decision = plan(system, license, wish)
    if decision.problems:
        assert decision.step is Step.NOTHING
    else:
        assert decision.product_key
        assert not system.evaluation
        assert decision.product_key not in keys.KMS_CLIENT_KEYS


@given(systems, licenses, wishes)
def test_nothing_to_do_means_that_nothing_is_wrong(system: System, license: License | None, wish: Wish) -> None:
    decision = plan(system, license, wish)
    if decision.step is Step.NOTHING and not decision.problems:
        assert license
        assert license.avma
        assert license.has_key(decision.product_key or "")
        if wish.activate:
            assert assess(license, decision.product_key, wish.expected_hosts) == []


@given(systems, licenses, wishes)
def test_what_the_plan_makes_leaves_nothing_to_do(system: System, license: License | None, wish: Wish) -> None:
    decision = plan(system, license, wish)
    if decision.problems:
        return
    host = wish.expected_hosts[0] if wish.expected_hosts else "HV01"
    done = row(decision.product_key, activation=replace(ACTIVATION, host=host))
    assert plan(system, done, wish).step is Step.NOTHING
    assert assess(done, decision.product_key, wish.expected_hosts) == []


@pytest.mark.parametrize(
    ("license", "expected", "code", "words"),
    [
        (None, (), "no_product_key", "No product key"),
        (row(channel="Volume:MAK", activation=None), (), "not_avma", "ending in DV9BG is of channel Volume:MAK"),
        (row(channel=None, key=None), (), "not_avma", "ending in unknown is of channel unknown"),
        (
            row(OTHER_KEY),
            (),
            "other_avma_key",
            "VCH67 is installed (that of Windows Server 2025 Datacenter, as after an upgrade in place), and the one of this release",
        ),
        (
            row(status=Status.NOTIFICATION, reason=0xC004FD02),
            (),
            "not_activated",
            "status: notification, 0xC004FD02 (SL_E_IA",
        ),
        (row(activation=None), (), "not_activated", "status: licensed)"),
        (RIGHT, ("HV02", "HV03"), "unexpected_host", "by HV01.lab.example, which is not one of HV02, HV03"),
    ],
)
def test_what_is_wrong(license: License | None, expected: tuple[str, ...], code: str, words: str) -> None:
    (problem,) = assess(license, KEY, expected)
    assert problem.code == code
    assert words in problem.message


@pytest.mark.parametrize(
    ("hresult", "code"),
    [
        (0xC004FD00, "activation_throttled"),
        (0xC004FD01, "not_a_hyper_v_guest"),
        (0xC004FD02, "host_not_licensed"),
        (0xC004FD03, "host_release_too_old"),
        (0xC004FD04, "activation_not_bound"),
        (0x80070005, "access_denied"),
        (0xC004F025, "access_denied"),
        (0xC004F074, "activation_failed"),
        (0xC004ABCD, "activation_failed"),
        (None, "activation_timed_out"),
    ],
)
def test_why_an_activation_failed(hresult: int | None, code: str) -> None:
    problem = guests.activation_problem(row(status=Status.NOTIFICATION), hresult, "HV01", 30)
    assert (problem.code, problem.hresult) == (code, hresult)
    if hresult:
        assert f"0x{hresult:08X}" in problem.message


def test_without_an_answer_the_row_tells_why() -> None:
    problem = guests.activation_problem(row(status=Status.NOTIFICATION, reason=0xC004FD02), None, "HV01", 30)
    assert problem.code == "host_not_licensed"
    # An information is no reason.
    problem = guests.activation_problem(row(status=Status.OUT_OF_BOX_GRACE, reason=0x4004F00C), None, None, 30)
    assert problem.code == "activation_timed_out"


@given(st.sampled_from(sorted(HRESULTS)) | st.integers(0, 2**32 - 1), some_keys)
def test_no_message_tells_more_of_a_key_than_its_end(hresult: int, key: str) -> None:
    problem = guests.rejected_key_problem(hresult, key)
    for text in (str(problem), repr(problem), str(guests.key_not_taken_problem(key))):
        assert key not in text
        assert key[:-6] not in text
