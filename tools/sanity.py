"""Run `ansible-test sanity` on this clone without a container and without any host but the package index.

ansible-test follows no symlinks and wants to stand in `ansible_collections/NAMESPACE/NAME` of a git repository: it gets
a copy of the files that git would commit. It fetches pip's installer from a host of its own unless that lies in the
home folder's cache: it gets a home folder with an installer in it that uses the pip that comes with Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "sanity"
COPY = WORK / "ansible_collections" / "hyperv" / "avma"
HOME = WORK / "home"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

INSTALLER = """\
import ensurepip, pathlib, sysconfig, zipfile
[wheel] = (pathlib.Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
zipfile.ZipFile(wheel).extractall(sysconfig.get_path("purelib"))
"""


def git(*arguments: str, cwd: Path) -> str:
    """Run git and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def copy_clone() -> None:
    """Make COPY hold exactly the files of the clone that git does not ignore."""
    shutil.rmtree(COPY, ignore_errors=True)
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, COPY / name)
    # In a folder that a repository around it ignores, ansible-test sees no files at all.
    git("init", "--quiet", cwd=COPY)


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


def main() -> int:
    """Run the sanity tests with the given arguments; the exit status says whether they all ran and passed."""
    copy_clone()
    prepare_home()
    process = subprocess.Popen(
        # Of the interpreters on PATH some may be a version manager's stand-ins for ones that are not active.
        [sys.executable, "-m", "ansible", "test", "sanity", "--color", "no", "--python", PYTHON, *sys.argv[1:]],
        cwd=COPY,
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
    sys.exit(main())
