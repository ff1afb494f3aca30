# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with a guest, and what is wrong with it. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from . import hresults, keys
from .evidence import implausible_activation
from .licenses import License, format_time
from .names import matches_any
from .problems import Problem, problem
from .releases import Edition, Release, System
from .words import say

#: How a guest's own words for "on what do I run" go into a problem, by HRESULT.
_CODES: Mapping[int, str] = {
    hresults.IA_THROTTLE_LIMIT_EXCEEDED: "activation_throttled",
    hresults.IA_INVALID_VIRTUALIZATION_PLATFORM: "not_a_hyper_v_guest",
    hresults.IA_PARENT_PARTITION_NOT_ACTIVATED: "host_not_licensed",
    hresults.IA_ID_MISMATCH: "host_release_too_old",
    hresults.IA_MACHINE_NOT_BOUND: "activation_not_bound",
    **dict.fromkeys(hresults.DENIED, "access_denied"),
}


@dataclass(frozen=True)
class Wish:
    """What the user wants of a guest.

    :ivar product_key: A key to install in place of the one of the table.
    :ivar release: What the guest is said to be; None to detect it.
    :ivar edition: The same of its edition.
    :ivar key_overrides: Additions to the key table.
    :ivar activate: Whether to activate, not only to install the key.
    :ivar expected_hosts: Hosts of which one must have activated the guest; none means any.
    :ivar build: The build that the guest is said to be, if more than its release is said.
    :ivar replace: Whether a key that works, and that cannot be put back, may be replaced.
    :ivar channel: Which public key it shall have, as a ProductKeyChannel: the AVMA key, or the KMS client key.
    """

    product_key: str | None = None
    release: Release | None = None
    edition: Edition | None = None
    key_overrides: keys.Overrides = field(default_factory=dict)
    activate: bool = True
    expected_hosts: tuple[str, ...] = ()
    build: int | None = None
    replace: bool = False
    channel: str = keys.AVMA_CHANNEL


class Step(Enum):
    """What a guest needs, from least to most."""

    NOTHING = "nothing"
    ACTIVATE = "activate"
    INSTALL = "install"


@dataclass(frozen=True)
class Plan:
    """What to do with a guest.

    :ivar problems: Why it is refused; then nothing may be written.
    :ivar product_key: The key that it must have; None if there is none for it.
    """

    step: Step
    problems: tuple[Problem, ...] = ()
    product_key: str | None = None

    @property
    def public(self) -> bool:
        """Whether the key is a documented AVMA key or KMS client key, which are no secret, and known to be what they are."""
        return self.product_key in keys.PUBLIC_KEYS


def plan(system: System, license: License | None, wish: Wish) -> Plan:
    """What to do with a guest, from what it is and what it has."""
    if wish.channel == keys.KMS_CHANNEL:
        return _plan_client(system, license, wish)
    refusal, key = _choose_key(system, wish)
    if refusal or not key:
        return Plan(Step.NOTHING, (refusal,) if refusal else ())
    if license is None or not license.avma or not license.has_key(key):
        return _plan_replacement(license, key, wish)
    if not wish.activate:
        return Plan(Step.NOTHING, product_key=key)
    # The row names the former host until Windows activates again, as after a live migration: activate, then look.
    if not license.proved or unexpected_host(license, wish.expected_hosts):
        return Plan(Step.ACTIVATE, product_key=key)
    return Plan(Step.NOTHING, product_key=key)


def _plan_client(system: System, license: License | None, wish: Wish) -> Plan:
    """What makes a KMS client of a guest, which a KMS host or Active Directory activates."""
    refusal = _refuse(system, wish)
    key = keys.client_key_for(system)
    if refusal is None and key is None:
        refusal = problem("no_kms_client_key", name=describe(system))
    if refusal or key is None:
        return Plan(Step.NOTHING, (refusal,) if refusal else ())
    if license is None or not license.kms_client or not license.has_key(key):
        return _plan_replacement(license, key, wish)
    return Plan(Step.ACTIVATE if wish.activate and not license.licensed else Step.NOTHING, product_key=key)


def _plan_replacement(license: License | None, key: str, wish: Wish) -> Plan:
    """What works stays until its successor is known to work, or the user said so."""
    if license is not None and license.kms_host:
        return Plan(Step.NOTHING, (problem("kms_host", last_five=license.partial_product_key),))
    known = key in keys.PUBLIC_KEYS
    if license is not None and not known and license.has_key(key):
        return Plan(Step.NOTHING, (not_an_avma_key_problem(license),))
    if license is None or not license.licensed or wish.replace:
        return Plan(Step.INSTALL, product_key=key)
    if license.public_key is None:
        objection = problem("licensed_by_other_key", last_five=license.partial_product_key, kind=license.key_name)
    elif not known:
        objection = problem("unknown_product_key", last_five=keys.last_five(key), current=license.partial_product_key)
    elif not wish.activate and wish.channel == keys.AVMA_CHANNEL:
        # An AVMA key binds the guest to this platform, and is of no use where it goes as a KMS client.
        objection = problem("activation_would_be_lost", last_five=license.partial_product_key, kind=license.key_name)
    else:
        return Plan(Step.INSTALL, product_key=key)
    return Plan(Step.NOTHING, (objection,), product_key=key)


def not_an_avma_key_problem(license: License) -> Problem:
    """The key that was asked for is installed, and is none that a host activates."""
    return problem("not_an_avma_key", last_five=license.partial_product_key, kind=license.key_name)


def not_renewable_problem(license: License, why: Problem) -> Problem:
    """An AVMA activation that works, and that a host does not give again, must not be given up for one by KMS that may not come."""
    facts = {"last_five": license.partial_product_key, "kind": license.key_name}
    return problem("activation_not_renewable", why.hresult, reason=why.message.rstrip("."), **facts)


def key_to_put_back(former: License, system: System) -> str | None:
    """The public key by which a machine gets back the licence that it had; None if there is none.

    It is the former one, or where that is of another release, as after an upgrade in place, which Windows does not take again, the one of
    the same channel that is of its own.
    """
    known = keys.identify_key(former.public_key) if former.public_key else None
    if known is None or keys.is_of_build(known, system.build):
        return former.public_key
    return (keys.key_for(system) if former.avma else keys.client_key_for(system)) or former.public_key


def former_key_problem(
    code: str, former: License, detail: object = "", remedy: str = "", put_back: str | None = None
) -> Problem:
    """What became of the key that was there before.

    :param code: ``former_key_put_back``, ``former_key_not_put_back`` or ``former_key_gone``.
    :param put_back: The key that is in its place.
    """
    other = put_back is not None and not former.has_key(put_back)
    as_which = f" as the one of this release, ending in {keys.last_five(put_back)}" if put_back and other else ""
    facts = {"detail": detail, "remedy": remedy, "as_which": as_which}
    return problem(code, None, last_five=former.partial_product_key, kind=former.key_name, **facts)


def _refuse(system: System, wish: Wish) -> Problem | None:
    return evaluation_problem(system) if system.evaluation else mismatch_problem(system, wish)


def mismatch_problem(system: System, wish: Wish) -> Problem | None:
    """Whether a machine is another than it is said to be, as when the wrong one is reached."""
    mismatch = (
        (wish.release and system.release and wish.release != system.release)
        or (wish.build and wish.build != system.build)
        or (wish.edition and system.edition and wish.edition != system.edition)
    )
    if mismatch:
        build = f"build {wish.build}" if wish.build else None
        expected = " ".join(str(part) for part in (build or wish.release, wish.edition) if part)
        return problem("system_mismatch", system=describe(system), expected=expected)
    return None


def _choose_key(system: System, wish: Wish) -> tuple[Problem | None, str | None]:
    refusal = _refuse(system, wish)
    if refusal:
        return refusal, None
    release, edition = system.release or wish.release, system.edition or wish.edition
    if wish.product_key:
        return _check_key(wish.product_key, system, release, edition), wish.product_key
    if edition is None:
        return _no_edition(system), None
    key = keys.avma_key(release, edition, system.build, wish.key_overrides)
    if key is None and release is None:
        documented = ", ".join(keys.documented_versions())
        return problem("no_avma_key_for_release", name=system.name, documented=documented), None
    if key is None:
        return _no_edition(system), None
    return None, key


def _check_key(key: str, system: System, release: Release | None, edition: Edition | None) -> Problem | None:
    known = keys.identify_key(key)
    if known is None:
        return None
    if known.channel != keys.AVMA_CHANNEL:
        return problem("kms_client_key", last_five=keys.last_five(key), key=known.name)
    if (release and known.release != str(release)) or (edition and known.edition != edition):
        last_five = keys.last_five(key)
        mismatch = f"the key ending in {last_five} is the AVMA key of {known.name}, and this is {describe(system)}"
        return problem("key_release_mismatch", mismatch=mismatch)
    return None


def _no_edition(system: System) -> Problem:
    return problem(
        "no_avma_key_for_edition",
        name=system.name,
        edition=f" {system.edition}" if system.edition else "",
        sku=system.sku,
        documented=", ".join(Edition),
    )


def evaluation_problem(system: System, host: bool = False) -> Problem:
    """What an evaluation edition must be converted to.

    :param host: Whether it is to activate guests, which takes Datacenter.
    """
    targets = system.target_editions or ("<edition>",)
    return problem("evaluation_edition", name=describe(system), target=targets[-1 if host else 0])


def describe(system: System) -> str:
    """A machine's Windows in words."""
    parts = [system.name, str(system.edition) if system.edition else "", "Evaluation" if system.evaluation else ""]
    return " ".join(part for part in parts if part)


def unexpected_host(license: License, expected_hosts: Sequence[str]) -> bool:
    """Whether the guest was activated by a host other than the expected ones."""
    if not expected_hosts or license.activation is None:
        return False
    return not matches_any(license.activation.host, expected_hosts)


def assess(
    license: License | None,
    product_key: str | None,
    expected_hosts: Sequence[str] = (),
    activated_since: datetime | None = None,
) -> list[Problem]:
    """What is wrong with the activation of a guest, as its licence shows it.

    :param product_key: The key that it must have; None to take any AVMA key.
    :param activated_since: An activation before that, in UTC, is too old.
    """
    if license is None:
        return [problem("no_product_key")]
    last_five = license.partial_product_key or "unknown"
    if not license.avma:
        found = problem("not_avma", last_five=last_five, channel=license.channel or "unknown", status=license.status)
        works = license.licensed and license.public_key is None
        return [replace(found, remedy=say(_WITH_A_WORD)) if works else found]
    if product_key and not license.has_key(product_key):
        owner = _owner_of(license)
        return [problem("other_avma_key", last_five=last_five, owner=owner, expected=keys.last_five(product_key))]
    if not license.proved:
        explanation = f", {hresults.explain(license.reason)}" if license.reason else ""
        return [problem("not_activated", status=license.status, explanation=explanation)]
    implausible = implausible_activation(license)
    if implausible:
        return [implausible]
    if unexpected_host(license, expected_hosts):
        return [_unexpected(license, expected_hosts)]
    activation = license.activation
    if activated_since and activation and (activation.time is None or activation.time < activated_since):
        time, since = format_time(activation.time) or "an unknown time", format_time(activated_since)
        return [problem("activation_too_old", host=activation.host, time=time, since=since)]
    return []


def _owner_of(license: License) -> str:
    """Of which release and edition an installed AVMA key is, in a message."""
    known = keys.identify_key(license.public_key) if license.public_key else None
    return f" (that of {known.name}, as after an upgrade in place)" if known else ""


#: The remedy for a key that is replaced on the user's word only.
_WITH_A_WORD = (
    "It works, and is not replaced without your word. {run_guest_key} with {guest_replace} to install the AVMA key, or leave this "
    "machine out."
)


#: Problems of the key that is installed, or of none: guest_key puts them right, unless something else is in the way.
OF_THE_KEY = frozenset({"no_product_key", "not_activated", "not_avma", "other_avma_key"})
#: The remedy for what something else keeps from being put right.
AFTERWARDS = "Put the other problem right first."


def join(first: Sequence[Problem], then: Sequence[Problem]) -> list[Problem]:
    """Problems of which the first keep the others from being put right: guest_key would refuse the guest.

    On a machine that AVMA is not for, only the first count.
    """
    if any(item.code == "not_a_hyper_v_guest" for item in first):
        return list(first)
    return [*first, *(replace(item, remedy=AFTERWARDS) for item in then)]


def _unexpected(license: License, expected_hosts: Sequence[str]) -> Problem:
    host = license.activation.host if license.activation else None
    return problem("unexpected_host", host=host, expected=", ".join(expected_hosts), anew="")


def activation_problem(license: License | None, hresult: int | None, host: str | None, timeout: int) -> Problem:
    """Why a guest is not activated after all was done.

    :param hresult: What Windows answered to the last attempt; None if it accepted it.
    :param host: The host as the guest sees it.
    :param timeout: For how long it was tried, in seconds.
    """
    if hresult is None and license and not license.licensed and license.reason and license.reason & 0x80000000:
        hresult = license.reason
    if hresult is None:
        status = license.status if license else "no product key"
        return problem("activation_timed_out", status=status, timeout=timeout)
    return problem(
        _CODES.get(hresult, "activation_failed"),
        hresult,
        host=f" {host}" if host else "",
        timeout=timeout,
        detail=f": {hresults.explain(hresult)}",
        wrong_group="",
    )


def client_problem(license: License | None, hresult: int | None, timeout: int) -> Problem:
    """Why a KMS client is not activated.

    :param hresult: What Windows answered to the last attempt; None if it accepted it.
    :param timeout: For how long it was tried, in seconds.
    """
    if hresult in hresults.DENIED:
        return problem("access_denied", hresult)
    explained = (
        str(hresults.explain(hresult)) if hresult else f"status: {license.status if license else 'no product key'}"
    )
    return problem("kms_not_activated", detail=explained, timeout=timeout)


def key_problem(
    license: License | None, hresult: int | None, answered: bool, product_key: str, timeout: int
) -> Problem:
    """Why Windows does not hold a key that it was given.

    :param license: What it holds.
    :param hresult: What it answered; None if that was no error.
    :param answered: Whether it answered in time.
    :param timeout: For how long it was waited, in seconds.
    """
    if hresult is not None:
        return rejected_key_problem(hresult, product_key)
    if answered:
        return key_not_taken_problem(product_key)
    held = f"the key ending in {license.partial_product_key}" if license else "no key"
    return problem("key_install_timed_out", last_five=keys.last_five(product_key), timeout=timeout, held=held)


def rejected_key_problem(hresult: int, product_key: str) -> Problem:
    """Why Windows did not take a key."""
    if _CODES.get(hresult) == "access_denied":
        return problem("access_denied", hresult)
    return problem("key_rejected", hresult, last_five=keys.last_five(product_key))


def key_not_taken_problem(product_key: str) -> Problem:
    """Windows took a key without an error, and yet does not hold it."""
    return problem("key_not_taken", last_five=keys.last_five(product_key))
