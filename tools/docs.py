"""Build the documentation site: the guides and tables of docs/, and the reference made from the plugins' own documentation."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BUILD = ROOT / "build" / "docs"
SOURCES = BUILD / "source"

#: A link to the source of a plugin or role, which is where its documentation stands in a clone or tarball.
_PLUGIN = re.compile(r"\(\.\./plugins/(modules|filter|inventory|lookup|test|connection)/(\w+)\.py\)")
_ROLE = re.compile(r"\(\.\./roles/(\w+)/README\.md\)")
#: Any other link out of docs/ has no page in the site.
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")


def _site_links(text: str) -> str:
    text = _PLUGIN.sub(lambda match: f"(reference/{match[2]}_{match[1].replace('modules', 'module')})", text)
    text = _ROLE.sub(r"(reference/\1_role)", text)
    return _OUTSIDE.sub(r"\1", text)


def build() -> int:
    """Make the site; the exit status of Sphinx."""
    shutil.rmtree(SOURCES, ignore_errors=True)
    # antsibull-docs writes into no folder that others may write to.
    SOURCES.mkdir(parents=True, mode=0o755)
    for page in [*DOCS.glob("*.md"), DOCS / "docsite" / "index.md"]:
        (SOURCES / page.name).write_text(_site_links(page.read_text(encoding="utf-8")), encoding="utf-8")
    reference = SOURCES / "reference"
    reference.mkdir(mode=0o755)
    configuration = DOCS / "docsite"
    subprocess.run(
        [
            *("antsibull-docs", "--config-file", configuration / "antsibull-docs.cfg", "collection", "--use-current"),
            *("--squash-hierarchy", "--fail-on-error", "--dest-dir", reference, "hyperv.avma"),
        ],
        check=True,
    )
    return subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--builder", "html", "--conf-dir", configuration),
            *(
                "--doctree-dir",
                BUILD / "doctrees",
                "--fail-on-warning",
                "--keep-going",
                "--quiet",
                SOURCES,
                BUILD / "html",
            ),
        ],
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(build())
