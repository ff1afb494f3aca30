"""Write the guides of docs/ as reStructuredText into docs/docsite/rst/, which is what docs.ansible.com takes: `make rst`.

What it writes is not committed; `make build` puts it into the tarball.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pypandoc
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
TARGET = DOCS / "docsite" / "rst"
_LABEL = "ansible_collections.hyperv.avma.docsite."
_KINDS = {"modules": "module"}
_PAGE = re.compile(r"\[([^\]]+)\]\(([\w-]+)\.md(?:#[^)]*)?\)")
_ANCHOR = re.compile(r"\[([^\]]+)\]\(#[^)]*\)")
_PLUGIN = re.compile(r"\[[^\]]+\]\(\.\./plugins/(\w+)/(\w+)\.py\)")
_ROLE = re.compile(r"\[[^\]]+\]\(\.\./roles/(\w+)/README\.md\)")
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./|schemas/|images/)[^)]+\)")


def pages() -> Iterator[str]:
    """The names of the pages that the index of the site lists."""
    for section in yaml.safe_load((DOCS / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]:
        yield from section["toctree"]


def convert(name: str) -> str:
    """A page as reStructuredText, with links that the site knows."""
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    text = _PAGE.sub(lambda match: _raw(f":ref:`{_plain(match[1])} <{_LABEL}{match[2]}>`"), text)
    text = _PLUGIN.sub(
        lambda match: _raw(f":ansplugin:`hyperv.avma.{match[2]}#{_KINDS.get(match[1], match[1])}`"), text
    )
    text = _ROLE.sub(lambda match: _raw(f":ansplugin:`hyperv.avma.{match[1]}#role`"), text)
    text = _OUTSIDE.sub(r"\1", _ANCHOR.sub(r"\1", text))
    body = pypandoc.convert_text(text, "rst", format="gfm+raw_attribute", extra_args=["--wrap=none"])
    # Pandoc labels headings whose name is no identifier; the site wants the collection's prefix before each label, and none is used.
    body = re.sub(r"^\.\. _[^:]+:\n\n", "", body, flags=re.MULTILINE)
    # The lexer of Ansible's own documentation, which knows templates and tags such as !vault.
    body = re.sub(r"^( *)\.\. code:: yaml$", r"\1.. code-block:: yaml+jinja", body, flags=re.MULTILINE)
    return f".. _{_LABEL}{name}:\n\n{body}"


def _raw(role: str) -> str:
    return f"`` {role} ``{{=rst}}"


def _plain(text: str) -> str:
    return text.replace("`", "")


def main() -> None:
    """Write all pages."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    for name in pages():
        (TARGET / f"{name}.rst").write_text(convert(name), encoding="utf-8")


if __name__ == "__main__":
    main()
