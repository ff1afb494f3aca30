# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks for secrets wherever a run could leave them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path


def forms(key: str) -> list[bytes]:
    """A key as it might stand somewhere: as it is, in other letters, without hyphens, or encoded."""
    texts = [key, key.lower(), key.replace("-", "")]
    plain = [text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16-le")]
    # In base64 three bytes become four letters: what comes before the key may shift it.
    encoded = [base64.b64encode(bytes(shift) + text)[4:-4] for text in plain for shift in range(3)]
    return [*plain, *encoded]


def leaks(secrets: Mapping[str, list[bytes]], data: bytes) -> list[str]:
    """The names of the secrets that are in data."""
    return [name for name, texts in secrets.items() if any(text in data for text in texts)]


class Watch:
    """Looks at all processes, and at a folder of temporary files, for as long as a run takes."""

    def __init__(self, folder: Path, secrets: Mapping[str, list[bytes]]) -> None:
        self._folder = folder
        self._secrets = secrets
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.looks = 0
        self.found: set[str] = set()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self.looks += 1
            for pattern in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{pattern}"):
                    self._look(path)
            for path in self._folder.rglob("*"):
                if path.is_file():
                    self._look(path)

    def _look(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError:
            return  # It has ended, or has been removed.
        self.found |= {f"{name} in {path}" for name in leaks(self._secrets, data)}


def talkative(folder: Path, temporary: Path) -> dict[str, str]:
    """Settings with which Ansible and its libraries tell all that they can tell, into a folder."""
    logging = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(folder / "pypsrp.log")}},
        "loggers": {"pypsrp": {"level": "DEBUG", "handlers": ["file"]}},
    }
    (folder / "logging.json").write_text(json.dumps(logging), encoding="utf-8")
    return {
        # pypsrp logs whole messages, if it is let.
        "PYPSRP_LOG_CFG": str(folder / "logging.json"),
        "ANSIBLE_DEBUG": "1",
        "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "cache"),
        "ANSIBLE_LOCAL_TEMP": str(temporary),
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "1",
    }


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The names and contents of all files of a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
