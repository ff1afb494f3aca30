"""The role unattend, as a user runs it: a new answer file, the user's own, again, in check mode, and the check."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from integration.conftest import RunPlaybook

KEY = "YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67"
KMS_KEY = "D764K-2NDRG-47T6Q-P8T8W-YP6DF"
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
    assert (content.count(KEY.encode()), content.count(KMS_KEY.encode())) == (1, 1)

    again = run_playbook(None, playbook)
    assert (again.rc, again.changed(), path.read_bytes()) == (0, 0, content), again.stdout
    assert [key["partial_product_key"] for key in again.of("localhost")["keys"]] == ["VCH67", "YP6DF"]
    assert run_playbook(None, play(path, "check")).rc == 0


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


COMPONENT = 'publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"'


def real_file(image: str, image_key: str, key: str, architecture: str = "amd64") -> str:
    """As most files in the field are built: the image by its name, a key in both passes."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
  <settings pass="windowsPE">
    <component name="Microsoft-Windows-Setup" processorArchitecture="{architecture}" {COMPONENT}>
      <ImageInstall>
        <OSImage>
          <InstallFrom>
            <MetaData wcm:action="add">
              <Key>/IMAGE/NAME</Key>
              <Value>{image}</Value>
            </MetaData>
          </InstallFrom>
        </OSImage>
      </ImageInstall>
      <UserData>
        <ProductKey>
          {image_key}
          <WillShowUI>OnError</WillShowUI>
        </ProductKey>
        <AcceptEula>true</AcceptEula>
      </UserData>
    </component>
  </settings>
  <settings pass="specialize">
    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="{architecture}" {COMPONENT}>
      <ComputerName>*</ComputerName>
      <ProductKey>{key}</ProductKey>
    </component>
  </settings>
</unattend>
"""


DATACENTER = "Windows Server 2025 SERVERDATACENTER"
FOUR_GROUPS = "YQB4H-NKHHJ-Q6K4R-4VMY6"
#: Name → the file as it was, whether a key shall choose the image, and the file afterwards, or why it is refused.
FILES: dict[str, tuple[str, bool, str]] = {
    "right": (real_file(DATACENTER, "<Key></Key>", KEY), False, real_file(DATACENTER, "<Key></Key>", KEY)),
    "empty": (real_file(DATACENTER, "<Key></Key>", ""), False, real_file(DATACENTER, "<Key></Key>", KEY)),
    "empty_selected": (real_file(DATACENTER, "<Key/>", ""), True, real_file(DATACENTER, f"<Key>{KMS_KEY}</Key>", KEY)),
    "four_groups": (
        real_file(DATACENTER, f"<Key>{FOUR_GROUPS}</Key>", FOUR_GROUPS),
        True,
        real_file(DATACENTER, f"<Key>{KMS_KEY}</Key>", KEY),
    ),
    "placeholders": (
        real_file(DATACENTER, "<Key>${product_key}</Key>", "{{ key }}"),
        True,
        real_file(DATACENTER, f"<Key>{KMS_KEY}</Key>", KEY),
    ),
    "avma_selects": (
        real_file(DATACENTER, f"<Key>{KEY}</Key>", KEY),
        True,
        real_file(DATACENTER, f"<Key>{KMS_KEY}</Key>", KEY),
    ),
    "template": (
        real_file(DATACENTER, "<Key></Key>", "", "${architecture}"),
        False,
        real_file(DATACENTER, "<Key></Key>", KEY, "${architecture}"),
    ),
    "mixed": (
        real_file(DATACENTER, KMS_KEY, KEY),
        True,
        "ProductKey holds text where only elements belong, such as Key",
    ),
}
FILES_PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Before
      hyperv.avma.unattend_info: &file
        path: "{{ folder }}/{{ item.key }}.xml"
        release: Windows Server 2025 Datacenter
      loop: "{{ files | dict2items }}"
    - name: Put
      hyperv.avma.unattend_key: &put
        <<: *file
        select_image: "{{ item.value }}"
      loop: "{{ files | dict2items }}"
      ignore_errors: true
    - name: Again
      hyperv.avma.unattend_key: *put
      loop: "{{ files | dict2items }}"
      ignore_errors: true
    - name: After
      hyperv.avma.unattend_info: *file
      loop: "{{ files | dict2items }}"
"""
#: What unattend_info says of each before, and afterwards.
CODES: dict[str, tuple[list[str], list[str]]] = {
    "right": ([], []),
    "empty": (["answer_file_without_key"], []),
    "empty_selected": (["answer_file_without_key"], []),
    "four_groups": (["answer_file_not_a_key", "image_key_not_a_key"], []),
    "placeholders": (["answer_file_not_a_key", "image_key_not_a_key"], []),
    "avma_selects": (["image_key_is_avma"], []),
    "template": (["answer_file_without_key"], []),
    "mixed": (["answer_file_misplaced_key"], ["answer_file_misplaced_key"]),
}


def test_files_of_the_field(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    for name, (before, _select, _after) in FILES.items():
        (tmp_path / f"{name}.xml").write_text(before)
    variables = {"folder": str(tmp_path), "files": {name: select for name, (_before, select, _after) in FILES.items()}}
    run = run_playbook(None, FILES_PLAY, "-e", json.dumps(variables))
    results = {
        task: dict(zip(FILES, run.of("localhost", task)["results"], strict=True))
        for task in ("Before", "Put", "Again", "After")
    }
    for name, (before, _select, after) in FILES.items():
        found = [
            sorted(problem["code"] for problem in results[task][name]["answer_file"]["problems"])
            for task in ("Before", "After")
        ]
        assert found == list(CODES[name]), name
        put, again = results["Put"][name], results["Again"][name]
        content = (tmp_path / f"{name}.xml").read_text()
        if after.startswith("<?xml"):
            assert content == after, name
            assert (put["changed"], again["changed"]) == (before != after, False)
        else:
            assert content == before, name
            assert after in put["msg"]


def test_an_image_of_another_name_is_told(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    path = tmp_path / "unattend.xml"
    path.write_text(real_file("Windows Server 2019 SERVERSTANDARD", "<Key></Key>", ""))
    words = "installs the image 'Windows Server 2019 SERVERSTANDARD', which is Windows Server 2019 Standard"
    run = run_playbook(None, play(path))
    assert (run.rc, run.changed()) == (0, 1)
    assert words in " ".join(run.stdout.split())
    assert [problem["code"] for problem in run.of("localhost")["problems"]] == ["image_name_mismatch"]

    checked = run_playbook(None, play(path, "check"))
    assert checked.rc == 2
    assert words in checked.stdout
    assert "or unattend_release and unattend_edition" in checked.stdout


def test_nobody_else_reads_a_file_that_is_written(run_playbook: RunPlaybook, tmp_path: Path) -> None:
    path = tmp_path / "unattend.xml"
    path.write_text(OWN.replace("utf-16", "utf-8"))
    path.chmod(0o600)
    os.umask(0o022)
    run = run_playbook(None, play(path, unattend_backup="true"))
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert run.of("localhost")["backup_file"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"unattend_release": "23H2"}, "No AVMA key is documented for Windows Server, version 23H2."),
        ({"unattend_release": "Vista"}, "'Vista' is not a release, a SAC version or a build number"),
        ({"unattend_product_key": "NTBV8-9K7Q8-V27C6-M2BTV-KHMXV"}, "is the KMS client key of Windows Server 2022"),
        (
            {"unattend_product_key": SECRET[:-1]},
            "unattend_product_key cannot be used: a product key is five groups of five",
        ),
        ({"unattend_release": "Windows Server 2025 Standard"}, "contradict each other"),
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
