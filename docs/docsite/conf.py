"""Sphinx on what tools/docs.py puts together from docs/ and from the collection."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

project = "hyperv.avma"
html_title = project
copyright = "2026 The hyperv.avma authors"  # noqa: A001 - the name that Sphinx reads

extensions = ["myst_parser", "sphinx_antsibull_ext"]
myst_enable_extensions = ["deflist"]
# Headings can be linked to as on GitHub.
myst_heading_anchors = 3

# benchmarks is there once `make bench` has written it. A misspelt name shows all the same: its page is in no table of contents.
suppress_warnings = ["toc.not_readable"]

html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
# Code in the pages of the reference that names no language is a task or a playbook.
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
default_role = "any"
# It makes long dashes of the two hyphens of command line options.
smartquotes = False

# Intersphinx would have to fetch this from the network; the reference needs only these, and the plugins of ansible.builtin.
_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
_ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
_BUILTIN = "ansible_collections.ansible.builtin."


def _ansible_reference(_app: Sphinx, _env: Any, node: Any, text: nodes.Element) -> nodes.Node | None:
    """Link to Ansible's own documentation."""
    label: str = node["reftarget"]
    page = _ANSIBLE_PAGES.get(label)
    if label.startswith(_BUILTIN):
        page = f"collections/ansible/builtin/{label.removeprefix(_BUILTIN)}.html"
    return nodes.reference("", "", text, refuri=_ANSIBLE + page, internal=False) if page else None


def _without_contents(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Leave out the contents that antsibull-docs puts into pages: the theme has its own, and shows an error for two."""
    source[0] = re.sub(r"^\.\. contents::\n(   .*\n)*", "", source[0], flags=re.MULTILINE)


def setup(app: Sphinx) -> None:
    """Add to Sphinx what the extensions do not have."""
    app.connect("missing-reference", _ansible_reference)
    app.connect("source-read", _without_contents)
