"""Run `ansible-test sanity` on the built tarball without a container and without any host but the package index.

ansible-test wants to stand in `ansible_collections/NAMESPACE/NAME` of a git repository: it gets the unpacked tarball,
which is what users and reviewers get. It fetches pip's installer from a host of its own unless that lies in the home
folder's cache: it gets a home folder with an installer in it that uses the pip that comes with Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "sanity"
COLLECTION = WORK / "ansible_collections" / "hyperv" / "avma"
HOME = WORK / "home"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

INSTALLER = """\
import ensurepip, pathlib, sysconfig, zipfile
[wheel] = (pathlib.Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
zipfile.ZipFile(wheel).extractall(sysconfig.get_path("purelib"))
"""


def unpack(tarball: Path) -> None:
    """Make COLLECTION hold the tarball's files."""
    shutil.rmtree(COLLECTION, ignore_errors=True)
    with tarfile.open(tarball) as archive:
        archive.extractall(COLLECTION, filter="data")
    # In a folder that a repository around it ignores, ansible-test sees no files at all.
    subprocess.run(["git", "init", "--quiet"], cwd=COLLECTION, check=True)


def prepare_home() -> None:
    """Make HOME, with the installer where ansible-test looks for it."""
    pip = get_venv_packages(SimpleNamespace(version=PYTHON))["pip"]
    installer = HOME / ".ansible" / "test" / "cache" / f"get_pip_{pip.replace('.', '_')}.py"
    installer.parent.mkdir(parents=True, exist_ok=True)
    installer.write_text(INSTALLER)
    # pip's own configuration, such as a company's package index, still counts.
    configuration = Path.home() / ".config"
    if configuration.is_dir() and not (HOME / ".config").exists():
        (HOME / ".config").symlink_to(configuration)


def main(tarball: str, *arguments: str) -> int:
    """Run the sanity tests on a tarball; the exit status says whether they all ran and passed."""
    unpack(ROOT / tarball)
    prepare_home()
    process = subprocess.Popen(
        # Of the interpreters on PATH some may be a version manager's stand-ins for ones that are not active.
        [sys.executable, "-m", "ansible", "test", "sanity", "--color", "no", "--python", PYTHON, *arguments],
        cwd=COLLECTION,
        env={**os.environ, "HOME": str(HOME)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    skipped_all = False
    for line in process.stdout:
        print(line, end="", flush=True)
        # It says this and exits 0.
        skipped_all |= "All targets skipped" in line
    return process.wait() or int(skipped_all)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
