# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases and editions as people and programs write them. Private to this collection.

For what users type, and for names of images; what a machine runs is decided from its build number and SKU (releases.py).
Spellings are those of Ansible's facts, Win32_OperatingSystem, EditionID, SoftwareLicensingProduct, DISM, install.wim, Active
Directory (operatingSystemVersion), ver and systeminfo, container tags, images of Azure and AWS, and usual short forms.

A text is taken apart into words, and each must be known. So a product that only sounds like Windows Server (Storage Server,
Hyper-V Server, IoT) is refused rather than taken for it.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from .releases import VERSIONS, Edition, Release, WindowsVersion, edition_of_sku, find_version

_T = TypeVar("_T")


class NotUnderstoodError(ValueError):
    """A text does not name what it should. The message says why, which releases and editions there are, and the nearest one."""


@dataclass(frozen=True)
class Named:
    """What a text names of Windows Server; what it does not name is None.

    :ivar version: None also if only a build number is named.
    :ivar evaluation: Whether it is called an evaluation edition.
    :ivar core: Whether it is called Server Core or, with False, one with a desktop.
    """

    version: WindowsVersion | None = None
    build: int | None = None
    edition: Edition | None = None
    evaluation: bool = False
    core: bool | None = None

    @property
    def known_version(self) -> WindowsVersion | None:
        """The version, also if only its build number is named; None if that is not known here."""
        return self.version or (find_version(self.build) if self.build is not None else None)

    @property
    def exact_build(self) -> int | None:
        """The build; None if a release is named, which its SAC versions belong to as well."""
        whole = self.version and self.version.release and not self.version.sac
        return None if whole else self.build

    @property
    def release(self) -> Release | None:
        """Whose AVMA keys the named version takes; None if none are documented for it."""
        return self.known_version.release if self.known_version else None

    @property
    def name(self) -> str:
        """The version as Microsoft calls it; empty if no release is named."""
        if self.known_version:
            return self.known_version.name
        return "" if self.build is None else f"Windows build {self.build}"


def read_name(text: object) -> Named:
    """What a text names: a release, a SAC version or a build, an edition, or several of these.

    :param text: YAML makes a number of ``2022`` and of ``20348.169``; such a one is read as it was written.
    :raises NotUnderstoodError: A part of it is not understood, or two parts contradict each other, or it names nothing.
    """
    reading = _read(text)
    if reading.rest or not (reading.versions or reading.builds or reading.editions):
        raise NotUnderstoodError(
            f"{_quote(text)} is not a release, a SAC version or a build number of Windows Server{_suggestion(reading)}"
        )
    return _decide(text, reading)


def read_release(text: object) -> Named:
    """What is named by a text that must name a release, a SAC version or a build; it may name an edition too.

    :raises NotUnderstoodError: It is not understood, or names none of these.
    """
    named = read_name(text)
    if named.build is None:
        raise NotUnderstoodError(f"{_quote(text)} names an edition, and no release. {_choices()}")
    return named


def read_edition(text: object) -> Named:
    """What is named by a text that must name an edition: by its name, its EditionID or its SKU number; it may name a release too.

    :raises NotUnderstoodError: It is not understood, or names no edition.
    """
    plain = _normalize(text)
    by_sku = edition_of_sku(int(plain)) if re.fullmatch("[0-9]{1,3}", plain) else None
    if by_sku:
        return Named(edition=by_sku)
    reading = _read(text)
    if reading.rest or not reading.editions:
        nearest = _nearest(reading.rest, _EDITION_NAMES)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise NotUnderstoodError(f"{_quote(text)} is not one of {', '.join(Edition)}.{hint}")
    return _decide(text, reading)


def read_system(release: object, edition: object = None) -> Named:
    """What is named by a release and an edition together; the name of the release may hold the edition.

    :param edition: None if it is not given.
    :raises NotUnderstoodError: One of them is not understood, or they contradict each other.
    """
    named = read_release(release)
    if edition is None:
        return named
    other = read_edition(edition)
    if (named.edition or other.edition) != other.edition or (other.build or named.build) != named.build:
        raise NotUnderstoodError(f"release {_quote(release)} and edition {_quote(edition)} contradict each other")
    return Named(
        named.version,
        named.build,
        other.edition,
        evaluation=named.evaluation or other.evaluation,
        core=named.core if other.core is None else other.core,
    )


def read_wish(release: object, edition: object) -> Named:
    """What is named by a release and an edition of which either may be missing.

    :raises NotUnderstoodError: As for ``read_system``.
    """
    if release is None:
        return Named() if edition is None else read_edition(edition)
    return read_system(release, edition)


@dataclass
class _Reading:
    """What is read of a text.

    :ivar rest: The words that are not understood.
    """

    versions: list[WindowsVersion] = field(default_factory=list)
    builds: list[int] = field(default_factory=list)
    editions: list[Edition] = field(default_factory=list)
    evaluation: bool = False
    core: bool | None = None
    rest: list[str] = field(default_factory=list)


_BY_ALIAS: Mapping[str, WindowsVersion] = {alias: version for version in VERSIONS for alias in version.aliases}
_SAC = "|".join(alias for version in VERSIONS if version.sac for alias in version.aliases)
#: Release ids of versions that are called by their year. Source: release-info.
_RELEASE_IDS: Mapping[str, str] = {"1607": "2016", "21h2": "2022", "24h2": "2025"}
#: Product versions of one Windows Server only; 10.0 is that of all since 2016.
_PRODUCT_VERSIONS: Mapping[str, int] = {"6.2": 9200, "6.3": 9600}
_FIRST_BUILD = VERSIONS[0].build


def _note_year(reading: _Reading, match: re.Match[str]) -> None:
    reading.versions.append(_BY_ALIAS["2012 r2" if match["r2"] else f"20{match['year']}"])


def _note_alias(reading: _Reading, match: re.Match[str]) -> None:
    reading.versions.append(_BY_ALIAS[_RELEASE_IDS.get(match[0], match[0])])


def _note_build(reading: _Reading, match: re.Match[str]) -> None:
    build = int(match["build"])
    if build < _FIRST_BUILD:
        reading.rest.append(match[0])
    else:
        reading.builds.append(build)


def _note_product_version(reading: _Reading, match: re.Match[str]) -> None:
    if match[0] in _PRODUCT_VERSIONS:
        reading.builds.append(_PRODUCT_VERSIONS[match[0]])


def _note_edition(edition: Edition) -> Callable[[_Reading, re.Match[str]], None]:
    return lambda reading, match: reading.editions.append(edition)


def _note_evaluation(reading: _Reading, match: re.Match[str]) -> None:
    reading.evaluation = True


def _note_core(reading: _Reading, match: re.Match[str]) -> None:
    reading.core = True


def _note_desktop(reading: _Reading, match: re.Match[str]) -> None:
    reading.core = False


def _note_nothing(reading: _Reading, match: re.Match[str]) -> None:
    pass


_YEAR = r"(?:(?P<r2>12(?: ?r ?2| release 2)(?!\d))|(?P<year>12|16|19|22|25)(?!\d))"
#: With the revision, and with the branch that BuildLabEx appends.
_BUILD = r"(?P<build>\d{4,6})(?:\.\d+)*(?:\.[a-z]\w*fre \w+ release \d+ \d+)?(?![\d.])"

#: What says nothing of release or edition, the longer first where one begins another.
_FILLERS = (
    "windows|microsoft|майкрософт|winsrv|win|ws|ms|w(?=2)|server|srv|operating system|os|product",
    "long term servicing channel|semi annual channel|annual channel|ltsc|sac|version|ver|editions?|release|rtm|build",
    "installation|x64|x86 64|amd64|64 ?bit|n/a|english|en us",
    "gensecond|gen ?2|g2|smalldisk|hotpatch|base",
)

#: The words, as they stand in a normalized text, in the order in which they are tried; several may be joined into one.
_WORDS: tuple[tuple[re.Pattern[str], Callable[[_Reading, re.Match[str]], None]], ...] = tuple(
    (re.compile(pattern), note)
    for pattern, note in (
        (rf"(?<![\d.])(?:10\.0|6\.[23])\.{_BUILD}", _note_build),
        (r"(?<![\d.])(?:10\.0|6\.[23])(?![\d.])", _note_product_version),
        (rf"(?<!\d)(?:20|2k){_YEAR}", _note_year),
        # Two digits are a year only behind the product's name, or before R2.
        (rf"(?:ws|winsrv|server|srv) ?{_YEAR}", _note_year),
        (r"(?<!\d)(?P<r2>12 ?r2)(?!\d)", _note_year),
        (rf"(?<!\d)(?:{_SAC}|{'|'.join(_RELEASE_IDS)})(?!\d)", _note_alias),
        (rf"(?<![\d.]){_BUILD}", _note_build),
        ("data ?cent(?:er|re)|dc", _note_edition(Edition.DATACENTER)),
        ("standard|std", _note_edition(Edition.STANDARD)),
        ("essentials?|solution|ess", _note_edition(Edition.ESSENTIALS)),
        # Azure Core and ServerAzureCor are no editions of which there are AVMA keys.
        ("azure(?! ?cor)|turbine", _note_edition(Edition.AZURE)),
        ("evaluation|eval|trial", _note_evaluation),
        # The A stands in editions of the Semi-Annual Channel: ServerDatacenterACor, DATACENTER_A_SERVER_CORE.
        ("(?:a ?)?cor(?:e|(?![a-z]))|a(?= server core)", _note_core),
        ("desktop experience|desktop|full|gui", _note_desktop),
        (
            "|".join(_FILLERS),
            _note_nothing,
        ),
    )
)


def _read(text: object) -> _Reading:
    plain = _normalize(text)
    reading = _Reading()
    position = 0
    while position < len(plain):
        for pattern, note in _WORDS:
            if match := pattern.match(plain, position):
                note(reading, match)
                position = match.end()
                break
        else:
            # The whole word is told, also if its beginning looked like a known one.
            start, end = plain.rfind(" ", 0, position) + 1, (plain + " ").find(" ", position)
            reading.rest.append(plain[start:end])
            position = end
        position += plain[position : position + 1] == " "
    return reading


def _normalize(text: object) -> str:
    """In small letters, with single spaces for all that separates words."""
    if text is None:
        return ""
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    # Win32_OperatingSystem.Name goes on with the folder of Windows.
    written = re.sub(r"[®™©]|\((?:R|TM|C)\)", " ", str(text).partition("|")[0], flags=re.IGNORECASE)
    plain = unicodedata.normalize("NFKC", written).casefold()
    plain = re.sub(r"(?<!\d)\.|\.(?!\w)", " ", plain)
    return " ".join(re.sub(r"(?<!n)/|[^\w./]|_", " ", plain).split())


def _decide(text: object, reading: _Reading) -> Named:
    versions = reading.versions
    if {build for build in reading.builds if find_version(build) is None} == set(reading.builds) != set():
        # A preview is called by the last release, and is another build.
        versions = [version for version in versions if version.build > max(reading.builds)]
    builds = _distinct([*(version.build for version in versions), *reading.builds])
    editions = _distinct(reading.editions)
    if set(editions) == {Edition.DATACENTER, Edition.AZURE}:
        editions = [Edition.AZURE]
    if len(builds) > 1:
        names = [version.name for version in reading.versions] + [f"build {build}" for build in reading.builds]
        raise NotUnderstoodError(f"{_quote(text)} contradicts itself: it names {' and '.join(_distinct(names))}")
    if len(editions) > 1:
        raise NotUnderstoodError(f"{_quote(text)} contradicts itself: it names {' and '.join(editions)}")
    # Where a release and a SAC version have the same build, it is the release that goes by this version's name too.
    version = min(versions, key=lambda version: version.sac, default=None)
    return Named(
        version,
        builds[0] if builds else None,
        editions[0] if editions else None,
        evaluation=reading.evaluation,
        core=reading.core,
    )


def _distinct(items: Iterable[_T]) -> list[_T]:
    return list(dict.fromkeys(items))


_EDITION_NAMES: Mapping[str, str] = {
    "datacenter": str(Edition.DATACENTER),
    "standard": str(Edition.STANDARD),
    "essentials": str(Edition.ESSENTIALS),
    "azure": str(Edition.AZURE),
}
_RELEASE_NAMES: Mapping[str, str] = {alias: version.name for alias, version in _BY_ALIAS.items() if version.release}


def _suggestion(reading: _Reading) -> str:
    """What of a text is not understood, what may be meant, and what there is."""
    release = reading.versions[0].name if reading.versions else _nearest(reading.rest, _RELEASE_NAMES)
    edition = reading.editions[-1] if reading.editions else _nearest(reading.rest, _EDITION_NAMES)
    unknown = ", ".join(_quote(word) for word in _distinct(reading.rest))
    hint = " Did you mean " + (f"{release} {edition}?" if edition else f"{release}?") if release else ""
    return (f" (not understood: {unknown})" if unknown else "") + f".{hint} {_choices()}"


def _nearest(words: Iterable[str], names: Mapping[str, str]) -> str | None:
    found = (difflib.get_close_matches(word, names, 1, 0.7) for word in words)
    return next((names[matches[0]] for matches in found if matches), None)


def _choices() -> str:
    return (
        f"Releases are {', '.join(Release)}, SAC versions such as 1809 and build numbers such as 20348; "
        f"editions are {', '.join(Edition)}"
    )


def _quote(text: object) -> str:
    return repr(" ".join(str(text).split())[:80])
