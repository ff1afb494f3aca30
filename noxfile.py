"""The tests on every supported ansible-core, each on a Python that it supports: `make matrix`."""

from __future__ import annotations

import os
from pathlib import Path

import nox

# pyenv's own stand-ins on PATH answer for inactive versions with an error.
_PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
os.environ["PATH"] = os.pathsep.join([*map(str, _PYENV.glob("*/bin")), os.environ["PATH"]])

nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
# What is not there is reported as skipped.
nox.options.download_python = "never"

# The tests need Python 3.11, so the oldest cores are not on their own oldest; that is what `floor` is for.
# CI runs the two ends of the range.
CORES = [
    nox.param("3.11", "2.16", id="2.16", tags=["promised", "ends"]),
    nox.param("3.11", "2.17", id="2.17", tags=["promised"]),
    nox.param("3.11", "2.18", id="2.18", tags=["promised"]),
    nox.param("3.12", "2.19", id="2.19", tags=["promised"]),
    nox.param("3.12", "2.20", id="2.20", tags=["promised"]),
    nox.param("3.13", "2.21", id="2.21", tags=["promised", "ends"]),
    # What is coming; `make matrix` leaves it out, the forge runs it every night.
    nox.param("3.13", "devel", id="devel"),
]
_DEVEL = "https://github.com/ansible/ansible/archive/devel.tar.gz"


@nox.session
@nox.parametrize(("python", "core"), CORES)
def tests(session: nox.Session, core: str) -> None:
    """All tests on one ansible-core."""
    session.install("-r", "requirements-test.txt", _DEVEL if core == "devel" else f"ansible-core~={core}.0")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python="3.10", tags=["promised", "ends"])
def floor(session: nox.Session) -> None:
    """The plugins compile and import on the oldest Python of the oldest ansible-core."""
    session.install("ansible-core~=2.16.0")
    [tarball] = Path("dist").glob("*.tar.gz")
    session.run("python", "tools/sanity.py", str(tarball), "--test", "compile", "--test", "import")
