# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from ..plugin_utils import _fleet
from ..plugin_utils._action import CheckedAction, Failure
from ..plugin_utils._avma.licenses import format_time
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._files import write_file
from ..plugin_utils._fleet.fleet import readings
from ..plugin_utils._fleet.report import build_report
from ..plugin_utils._fleet.report_formats import Page, to_csv, to_html, to_json, to_junit

_JSON = "avma-report.json"
_PAGE = Path(_fleet.__file__).parent / "report_page"


class ActionModule(CheckedAction):
    """Write a report on hosts, guests and their activation."""

    _requires_connection = False

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "results": {"type": "dict", "required": True},
        "dest": {"type": "path", "required": True},
        "title": {"type": "str", "default": "AVMA report"},
    }

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Build the report and write it in all its formats."""
        dest = Path(self._loader.path_dwim(arguments["dest"]))
        now = format_time(datetime.now(timezone.utc)) or ""
        try:
            report = build_report(readings(arguments["results"], now), now, arguments["title"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            detail = "results: give it what the modules returned, by the name of the machine and the name of the module"
            raise Failure([problem("invalid_argument", detail=detail)]) from error
        files = _render(report)
        try:
            # That time went by is no change: what is there is compared with this report as of then.
            then = _former_time(dest / _JSON)
            changed = not _are_there(dest, _render({**report, "generated": then}) if then else files)
            if not self._task.check_mode:
                dest.mkdir(parents=True, exist_ok=True)
                for name, content in files.items():
                    write_file(dest / name, content)
        except OSError as error:
            raise Failure([problem("report_not_written", path=dest, detail=error.strerror)]) from error
        return {
            "changed": changed,
            "files": [str(dest / name) for name in files],
            "summary": report["summary"],
            "problems": [],
        }


def _render(report: Mapping[str, Any]) -> dict[str, bytes]:
    page = Page(*((_PAGE / name).read_text(encoding="utf-8") for name in ("page.html", "style.css", "script.js")))
    return {
        "avma-report.html": to_html(report, page),
        _JSON: to_json(report),
        "avma-report.csv": to_csv(report),
        "avma-report.xml": to_junit(report),
    }


def _former_time(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_bytes())["generated"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _are_there(dest: Path, files: Mapping[str, bytes]) -> bool:
    return all((dest / name).is_file() and (dest / name).read_bytes() == content for name, content in files.items())
