"""Files on the controller: what may be read by whom, at every moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._files import back_up, write_file


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The modes that files beside it have when the content is written and when it takes its name."""
    found: list[int] = []
    replace, fdopen = Path.replace, os.fdopen

    def noting_replace(self: Path, target: Path) -> Path:
        found.append(self.stat().st_mode & 0o777)
        return replace(self, target)

    def noting_fdopen(descriptor: int, mode: str) -> object:
        found.append(os.fstat(descriptor).st_mode & 0o777)
        return fdopen(descriptor, mode)

    monkeypatch.setattr(Path, "replace", noting_replace)
    monkeypatch.setattr(os, "fdopen", noting_fdopen)
    former = os.umask(0o022)
    yield found
    os.umask(former)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_it_is_never_open_to_more_than_the_former_one(tmp_path: Path, modes: list[int], mode: int) -> None:
    path = tmp_path / "unattend.xml"
    path.write_bytes(b"secret")
    path.chmod(mode)
    copy = back_up(path)
    write_file(path, b"other")
    assert modes == [0o600, mode, 0o600, mode]
    assert (path.read_bytes(), copy.read_bytes()) == (b"other", b"secret")
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {mode}
    assert copy.name.startswith("unattend.xml.")
    assert copy.name.endswith("~")


def test_a_new_one_has_what_the_umask_leaves(tmp_path: Path, modes: list[int]) -> None:
    write_file(tmp_path / "new.xml", b"key")
    assert modes == [0o644, 0o644]


def test_a_group_that_cannot_be_kept_gets_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "unattend.xml"
    path.write_bytes(b"secret")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 0, 12345)

    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    write_file(path, b"other")
    assert path.stat().st_mode & 0o777 == (0o600 if os.geteuid() == 0 else 0o640)


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_file(tmp_path / "folder", b"")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
