"""Whether every link of the Markdown files leads somewhere, in the clone and in the tarball: `make links`.

Addresses of other hosts are not asked. Addresses of this repository are refused everywhere but in galaxy.yml: there is none yet.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import yaml

ROOT = Path(__file__).resolve().parent.parent
_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    text = re.sub(r"^(```|~~~).*?^\1", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    slugs: dict[str, int] = {}
    found = set(re.findall(r'<a id="([^"]+)"', text))
    for heading in _HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{slug}-{slugs[slug]}" if slug in slugs else slug)
        slugs[slug] = slugs.get(slug, 0) + 1
    return found


def pages(root: Path) -> list[Path]:
    """The Markdown files of a clone or of an unpacked tarball."""
    if not (root / ".git").exists():
        return sorted(root.rglob("*.md"))
    # docs/docsite/index.md is the front page of the site that `make docs` builds, where the other pages stand beside it.
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md", ":!docs/docsite"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
    return [root / name for name in names if (root / name).exists()]


def dead_links(path: Path, root: Path, repository: str) -> Iterator[str]:
    """What is wrong with the links of a page."""
    text = path.read_text(encoding="utf-8")
    if repository in text:
        yield f"{repository} is no address that exists: use a relative path, or install from the clone"
    for link in _LINK.findall(_CODE.sub("", text)):
        if re.match("[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.is_relative_to(root) or not target.exists():
            yield f"{link} is not there"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{link}: {target.name} has no such heading"


def main(*roots: str) -> int:
    """Print the dead links of the pages of these folders, a clone or an unpacked tarball; the exit status."""
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    dead: list[str] = []
    for root in map(Path, roots):
        for page in pages(root.resolve()):
            dead += (f"{page}: {problem}" for problem in dead_links(page, root.resolve(), repository))
    print("\n".join(dead) or "Every link of every page leads somewhere.")
    return bool(dead)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
