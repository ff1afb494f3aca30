# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation says of the code is so."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
CITATION = re.compile(r"facts, sections? ([\d.]*\d)|§([\d.]*\d)")


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    specification = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "pages.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def texts(*folders: str) -> Iterator[str]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".yml", ".md"):
                yield path.read_text(encoding="utf-8")


def test_every_guess_of_the_code_is_listed(pages: ModuleType) -> None:
    guesses = sum(text.count("UNVERIFIED") for text in texts("plugins", "roles", "playbooks", "tests/lab"))
    _introduction, _, listed = pages.unverified().partition("\n## ")
    assert listed.count("UNVERIFIED") == guesses > 0


def test_every_section_that_the_code_cites_is_there() -> None:
    facts = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
    sections = {number.rstrip(".") for number in re.findall(r"^#{2,3} ([\d.]+) ", facts, re.MULTILINE)}
    cited = {one or other for text in texts("plugins", "tests/lab") for one, other in CITATION.findall(text)}
    assert cited <= sections
    assert cited


def test_a_placeholder_after_a_word_stands_by_itself(pages: ModuleType) -> None:
    page = pages.problem_table()
    assert "The host *host* has no licence that activates guests" in page
    assert "{" not in page


def test_the_guide_names_only_problems_that_there_are(pages: ModuleType) -> None:
    guide = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", guide, re.MULTILINE)
    named = {code for cell in cells for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", cell)}
    assert named
    assert named <= set(pages.PROBLEMS)
