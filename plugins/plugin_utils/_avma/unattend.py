# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which product key an answer file should carry, and what is wrong with the one it does. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from . import keys
from .answer_file import CarriedKey, Place
from .guests import Plan, Wish, describe, plan
from .problems import Problem, problem
from .releases import Edition, System
from .spelling import NotUnderstoodError, read_name, read_system

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
    return System(named.release, named.edition, named.core, named.evaluation, named.build, None, named.name)


def choose_key(system: System, product_key: str | None, overrides: keys.Overrides) -> Plan:
    """The key for an image, or why there is none.

    :param product_key: To take in place of the one of the table.
    """
    return plan(system, None, Wish(product_key=product_key, key_overrides=overrides))


def choose_image_key(system: System) -> str:
    """The key by which Setup chooses an image: the KMS client key, since Setup is known to refuse AVMA keys there (facts, section 2.3).

    :raises LookupError: None is documented.
    """
    key = keys.client_key_for(system)
    if key is None:
        raise LookupError(describe(system))
    return key


def assess(
    carried: Sequence[CarriedKey], system: System, overrides: keys.Overrides, image_names: Sequence[str] = ()
) -> list[Problem]:
    """What is wrong with an answer file for an image.

    :param carried: What it carries for the architecture of the image.
    :param image_names: Of the images that it installs.
    """
    right = choose_key(system, None, overrides)
    if right.problems:
        return list(right.problems)
    found = assess_image_names(image_names, system)
    if not any(key.place is Place.ACTIVATION for key in carried):
        found.append(problem("answer_file_without_key", place=Place.ACTIVATION))
    for key in carried:
        content = read_content(key)
        if key.misplaced:
            found.append(problem("answer_file_misplaced_key", place=key.place))
        elif content is Content.EMPTY:
            # An empty Key in windowsPE chooses nothing: then ImageInstall does, or whoever sits there.
            if key.place is Place.ACTIVATION:
                found.append(problem("answer_file_without_key", place=key.place))
        elif content is not Content.KEY:
            what = f"{content.words}{f', {key.product_key},' if content is Content.PLACEHOLDER else ''}"
            if key.place is Place.IMAGE:
                found.append(problem("image_key_not_a_key", place=key.place, what=what))
            else:
                found.append(problem("answer_file_not_a_key", place=key.place, what=what))
        elif key.place is Place.IMAGE:
            found += _assess_image_key(key, system)
        elif key.product_key != right.product_key:
            found += _assess_other(key, system, overrides)
    return found


def assess_image_names(names: Sequence[str], system: System) -> list[Problem]:
    """Which images plainly are others than the one that is meant; a name that is not understood says nothing."""
    found = []
    for name in names:
        try:
            named = read_name(name)
        except NotUnderstoodError:
            continue
        other = (
            named.build not in (None, system.build)
            or named.edition not in (None, system.edition)
            or (named.evaluation and not system.evaluation)
        )
        if other:
            words = (named.name, named.edition, "Evaluation" if named.evaluation else "")
            shown = " ".join(str(word) for word in words if word)
            found.append(problem("image_name_mismatch", image=name, named=shown, system=describe(system)))
    return found


def _assess_image_key(carried: CarriedKey, system: System) -> Sequence[Problem]:
    """The KMS client key of the image chooses it, or one that is not public, of which it cannot be told what it is."""
    known = identify(carried)
    last_five = keys.last_five(carried.product_key)
    if known is None or carried.product_key == keys.client_key_for(system):
        return ()
    if known.channel == keys.AVMA_CHANNEL and (known.release, known.edition) == (str(system.release), system.edition):
        return (problem("image_key_is_avma", last_five=last_five),)
    return (problem("image_key_mismatch", last_five=last_five, key=known.name, system=describe(system)),)


def _assess_other(carried: CarriedKey, system: System, overrides: keys.Overrides) -> Sequence[Problem]:
    """What is wrong with a key that is not the AVMA key of the image."""
    last_five = keys.last_five(carried.product_key)
    other = problem("answer_file_other_key", last_five=last_five, system=describe(system))
    wrong = choose_key(system, keys.normalize_key(carried.product_key), overrides).problems if identify(carried) else ()
    return [replace(item, remedy=other.remedy) for item in wrong] or [other]


class Content(Enum):
    """What stands where a product key belongs."""

    KEY = "key"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    MASKED = "masked"
    PLACEHOLDER = "placeholder"
    OTHER = "other"

    @property
    def words(self) -> str:
        """For a message."""
        return {
            Content.TRUNCATED: "a truncated product key",
            Content.MASKED: "a masked product key",
            Content.PLACEHOLDER: "a placeholder",
        }.get(self, "text that is no product key")


_MASKED = re.compile(
    rf"(?=.*(?:[*#?•.…]|X{{5}}))(?:[*#?•.…]|{keys.GROUP})(?:[- ]?(?:[*#?•.…]|{keys.GROUP}))*", re.IGNORECASE
)
_TRUNCATED = re.compile(rf"{keys.GROUP}(?:-{keys.GROUP}){{0,3}}(?:-{keys.CHARACTER}{{0,4}})?", re.IGNORECASE)
#: A name between marks, as programs that fill in templates know it. It may be shown: no key has such characters.
_PLACEHOLDER = re.compile(
    r"\$?\{+[^{}]{1,60}\}+|\$[A-Za-z_]\w{0,60}|%[^%\s]{1,60}%+|@+[^@\s]{1,60}@+|\[+[^\[\]]{1,60}\]+|<[^<>]{1,60}>|__\w{1,60}__|#+\w{1,60}#+"
)


def read_content(carried: CarriedKey) -> Content:
    """What stands where a product key belongs."""
    text = carried.product_key
    if not text:
        return Content.EMPTY
    if _MASKED.fullmatch(text):
        return Content.MASKED
    if _PLACEHOLDER.fullmatch(text):
        return Content.PLACEHOLDER
    if _TRUNCATED.fullmatch(text):
        return Content.TRUNCATED
    try:
        keys.normalize_key(text)
    except keys.InvalidKeyError:
        return Content.OTHER
    return Content.KEY


def identify(carried: CarriedKey) -> keys.KnownKey | None:
    """What a key in an answer file is known to be; None if it is not known, or no key at all."""
    return keys.identify_key(carried.product_key) if read_content(carried) is Content.KEY else None


def show(carried: CarriedKey) -> dict[str, object]:
    """A key as the modules return it (RV(keys))."""
    content, known = read_content(carried), identify(carried)
    return {
        "pass": carried.place.pass_name,
        "component": carried.place.component,
        "setting": carried.place.setting,
        "architecture": carried.architecture,
        "content": content.value,
        "partial_product_key": keys.last_five(carried.product_key) if content is Content.KEY else None,
        "release": known.release if known else None,
        "edition": str(known.edition) if known else None,
        "channel": known.channel if known else None,
    }
