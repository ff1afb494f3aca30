# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from ..plugin_utils import _fleet
from ..plugin_utils._action import CheckedAction, Failure, invalid
from ..plugin_utils._avma.licenses import format_time
from ..plugin_utils._avma.problems import problem
from ..plugin_utils._files import write_file
from ..plugin_utils._fleet.fleet import Reading, readings
from ..plugin_utils._fleet.report import InvalidReportError, build_report, merge, readings_of
from ..plugin_utils._fleet.report_formats import Page, to_csv, to_html, to_json, to_junit

_JSON = "avma-report.json"
_HTML = "avma-report.html"
_PAGE = Path(_fleet.__file__).parent / "report_page"


class ActionModule(CheckedAction):
    """Write a report on hosts, guests and their activation."""

    _requires_connection = False

    ARGUMENT_SPEC: ClassVar[dict[str, dict[str, Any]]] = {
        "results": {"type": "dict", "default": {}},
        "merge": {"type": "list", "elements": "path", "default": []},
        "dest": {"type": "path", "required": True},
        "title": {"type": "str", "default": "AVMA report"},
        "expected_hosts": {"type": "list", "elements": "str", "default": []},
    }

    def work(self, machine: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Build the report and write it in all its formats."""
        if not arguments["results"] and not arguments["merge"]:
            raise invalid("results", "there is nothing to report on: give it results, or earlier reports to merge")
        # Where the user is; the folder of a playbook may be that of an installed collection.
        dest = Path.cwd() / arguments["dest"]
        earlier = [_read(Path.cwd() / path) for path in arguments["merge"]]
        now = format_time(datetime.now(timezone.utc)) or ""
        report = _build(arguments, earlier, now)
        files = _render(report)
        try:
            # That time went by is no change: what is there is compared with this report as of then.
            then = _former_time(dest / _JSON)
            changed = not then or not _are_there(dest, _render(_build(arguments, earlier, then)))
            if not self._task.check_mode:
                dest.mkdir(parents=True, exist_ok=True)
                for name, content in files.items():
                    write_file(dest / name, content)
        except OSError as error:
            raise Failure([problem("report_not_written", path=dest, detail=error.strerror)]) from error
        verb = "would be" if self._task.check_mode else "is"
        return {
            "changed": changed,
            "files": [str(dest / name) for name in files],
            "msg": f"The report {verb} in {dest / _HTML}",
            "summary": report["summary"],
            "problems": [],
        }


def _read(path: Path) -> list[Reading]:
    """What an earlier report was made of."""
    try:
        return readings_of(json.loads(path.read_bytes()))
    except OSError as error:
        raise Failure([problem("invalid_report", path=path, detail=error.strerror)]) from error
    except InvalidReportError as error:
        raise Failure([problem("invalid_report", path=path, detail=error)]) from error
    except ValueError as error:
        raise Failure([problem("invalid_report", path=path, detail="it is not JSON")]) from error


def _build(arguments: Mapping[str, Any], earlier: Sequence[Sequence[Reading]], time: str) -> dict[str, Any]:
    try:
        read: Sequence[Reading] = readings(arguments["results"], time)
        if earlier:
            read = merge([*earlier, read])
        # What was expected of a guest when it was read is with what fleet_info read of it.
        own = {item.machine: item.parts.get("guest_info", {}).get("expected_hosts", ()) for item in read}
        return build_report(read, time, arguments["title"], expected_hosts=arguments["expected_hosts"] or own)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        detail = "give it what the modules returned, by the name of the machine and the name of the module"
        raise invalid("results", detail) from error


def _render(report: Mapping[str, Any]) -> dict[str, bytes]:
    page = Page(*((_PAGE / name).read_text(encoding="utf-8") for name in ("page.html", "style.css", "script.js")))
    return {
        _HTML: to_html(report, page),
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
