# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which product key an answer file should carry, and what is wrong with the one it does. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence

from . import keys
from .answer_file import CarriedKey, Place
from .guests import Plan, Wish, describe, plan
from .problems import Problem, problem
from .releases import Edition, System
from .spelling import read_system

#: Values of ``processorArchitecture`` for which there is a Windows Server with AVMA keys.
ARCHITECTURES = ("amd64", "arm64")


def image_system(release: object, edition: object = None) -> System:
    """The Windows in an image, by what the user says of it.

    :param release: A release, a SAC version or a build number, and maybe the edition.
    :param edition: None if the release names it.
    :raises ValueError: They are not understood, or there is no edition in them.
    """
    named = read_system(release, edition)
    if named.edition is None or named.build is None:
        raise ValueError(
            f"edition is missing, or a release that names one, such as 'Windows Server 2022 {Edition.DATACENTER}'"
        )
    return System(named.release, named.edition, named.core or None, named.evaluation, named.build, None, named.name)


def choose_key(system: System, product_key: str | None, overrides: keys.Overrides) -> Plan:
    """The key for an image, or why there is none.

    :param product_key: To take in place of the one of the table.
    """
    return plan(system, None, Wish(product_key=product_key, key_overrides=overrides))


def assess(carried: Sequence[CarriedKey], system: System, overrides: keys.Overrides) -> list[Problem]:
    """What is wrong with the keys that an answer file carries for an image of its architecture."""
    right = choose_key(system, None, overrides)
    if right.problems:
        return list(right.problems)
    found = []
    if not any(key.place is Place.ACTIVATION for key in carried):
        found.append(problem("answer_file_without_key", place=Place.ACTIVATION))
    for key in carried:
        if not key.product_key:
            found.append(problem("answer_file_without_key", place=key.place))
        elif key.product_key != right.product_key:
            found += _assess_other(key, system, overrides)
    return found


def _assess_other(carried: CarriedKey, system: System, overrides: keys.Overrides) -> Sequence[Problem]:
    """What is wrong with a key that is not the AVMA key of the image."""
    known = identify(carried.product_key)
    last_five = keys.last_five(carried.product_key)
    if carried.place is Place.IMAGE:
        # Any key of the image's release and edition chooses it, and what an unknown key is cannot be told.
        if known is None or (known.release, known.edition) == (str(system.release), system.edition):
            return ()
        key = f"Windows Server {known.release} {known.edition}"
        return (problem("image_key_mismatch", last_five=last_five, key=key, system=describe(system)),)
    wrong = choose_key(system, keys.normalize_key(carried.product_key), overrides).problems if known else ()
    return wrong or (problem("answer_file_other_key", last_five=last_five, system=describe(system)),)


def identify(product_key: str) -> keys.KnownKey | None:
    """What a key, as it stands in an answer file, is known to be; None if it is not known, or no key at all."""
    try:
        return keys.identify_key(keys.normalize_key(product_key))
    except keys.InvalidKeyError:
        return None


def show(carried: CarriedKey) -> dict[str, object]:
    """A key as the modules return it (RV(keys))."""
    known = identify(carried.product_key)
    return {
        "pass": carried.place.pass_name,
        "component": carried.place.component,
        "setting": carried.place.setting,
        "architecture": carried.architecture,
        "partial_product_key": keys.last_five(carried.product_key),
        "release": known.release if known else None,
        "edition": str(known.edition) if known else None,
        "channel": known.channel if known else None,
    }
