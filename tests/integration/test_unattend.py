"""The role unattend, as a user runs it: a new answer file, the user's own, again, in check mode, and the check."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.conftest import RunPlaybook

KEY = "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"
SECRET = "F2K7M-QXW9C-VB4TN-HJ8RD-6YPG3"
OWN = (
    '<?xml version="1.0" encoding="utf-16"?>\r\n<!-- Größe -->\r\n<unattend xmlns="urn:schemas-microsoft-com:unattend">\r\n'
    '  <settings pass="specialize">\r\n    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64">\r\n'
    f"      <ProductKey>{SECRET}</ProductKey>\r\n    </component>\r\n  </settings>\r\n</unattend>\r\n"
)


def play(path: Path, tasks_from: str = "main", **variables: str) -> str:
    role = {"unattend_path": str(path), "unattend_release": '"2025"', "unattend_edition": "Datacenter", **variables}
    indented = "\n        ".join(f"{name}: {value}" for name, value in role.items())
    return f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Role
      ansible.builtin.include_role:
        name: hyperv.avma.unattend
        tasks_from: {tasks_from}
      vars:
        {indented}
"""


def test_new_file(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    path = tmp_path / "autounattend.xml"
    playbook = play(path, unattend_select_image="true")

    checked = run_playbook(None, playbook, "--check")
    assert (checked.rc, checked.changed(), path.exists()) == (0, 1, False), checked.stdout

    done = run_playbook(None, playbook)
    assert (done.rc, done.changed()) == (0, 1), done.stdout
    content = path.read_bytes()
    assert content.count(KEY.encode()) == 2

    again = run_playbook(None, playbook)
    assert (again.rc, again.changed(), path.read_bytes()) == (0, 0, content), again.stdout
    assert [key["partial_product_key"] for key in again.of("localhost")["keys"]] == ["VCH67", "VCH67"]


def test_own_file(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    path, link = tmp_path / "unattend.xml", tmp_path / "link.xml"
    path.write_bytes(OWN.encode("utf-16"))
    path.chmod(0o640)
    link.symlink_to(path)

    refused = run_playbook(None, play(path, "check"))
    assert refused.rc == 2
    assert "The key ending in 6YPG3 in the answer file is not the AVMA key of Windows Server 2025" in refused.stdout

    done = run_playbook(None, play(link, unattend_backup="true"), "--diff", "-vvv")
    assert (done.rc, done.changed()) == (0, 1), done.stdout
    assert path.read_bytes() == OWN.replace(SECRET, KEY).encode("utf-16")
    assert (path.stat().st_mode & 0o777, link.is_symlink()) == (0o640, True)
    assert Path(done.of("localhost")["backup_file"]).read_bytes() == OWN.encode("utf-16")
    assert "6YPG3" in done.stdout
    assert SECRET not in done.stdout + refused.stdout

    assert run_playbook(None, play(path)).changed() == 0
    assert run_playbook(None, play(path, "check")).rc == 0
    assert {file.name.split(".")[0] for file in tmp_path.iterdir()} == {"unattend", "link"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"unattend_release": "23H2"}, "No AVMA key is documented for Windows Server, version 23H2."),
        ({"unattend_release": "Vista"}, "'Vista' is not a release, a SAC version or a build number"),
        ({"unattend_product_key": "NTBV8-9K7Q8-V27C6-M2BTV-KHMXV"}, "is the KMS client key of Windows Server 2022"),
        ({"unattend_product_key": SECRET[:-1]}, "product_key: a product key is five groups of five"),
        ({"unattend_path": "/"}, "The answer file / cannot be used: Is a directory."),
    ],
)
def test_refusals(run_playbook: RunPlaybook, tmp_path: Path, variables: dict[str, str], message: str) -> None:
    path = tmp_path / "unattend.xml"
    run = run_playbook(None, play(path, **variables))
    assert run.rc == 2
    assert message in run.of("localhost")["msg"]
    assert "Traceback" not in run.stdout
    assert not path.exists()
