# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as files for people and programs. Private to this collection.

All names in it come from the network, and none is trusted: each format is written so that it stays text.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

_Report = Mapping[str, Any]

# What XML 1.0 cannot hold (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_json(report: _Report) -> bytes:
    """The report itself: a line for each row, which is quick to write, and small."""
    parts = [f"{json.dumps(name)}: {_rows(value)}" for name, value in report.items()]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _rows(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def to_csv(report: _Report) -> bytes:
    """The guests as a table, for spreadsheets."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(_CSV_COLUMNS))
    writer.writeheader()
    gaps = {(row["host"], row["id"]): _gaps(row) for row in report["failover"]}
    for guest in report["guests"]:
        row = {name: _value(guest, path) for name, path in _CSV_COLUMNS.items()}
        row["problems"] = " ".join(item["code"] for item in guest["problems"])
        row["messages"] = " ".join(item["message"] for item in guest["problems"])
        row["failover_gaps"] = " ".join(node["name"] for node in gaps.get((guest["host"], guest["id"]), []))
        writer.writerow({name: _no_formula(value) for name, value in row.items()})
    # With a byte order mark, or Excel takes it for the code page of the user.
    return text.getvalue().encode("utf-8-sig")


#: Where the value of a column stands in a guest.
_CSV_COLUMNS: Mapping[str, str] = {
    "name": "name",
    "machine": "machine",
    "cluster": "cluster",
    "host": "host",
    "state": "state",
    "reached_by": "connection.plugin",
    "reached_through": "connection.host",
    "windows": "system.name",
    "edition": "system.edition",
    "verdict": "verdict",
    "activated_by": "activation.host",
    "activated_at": "activation.time",
    "license_status": "license.status",
    "channel": "license.channel",
    "partial_product_key": "license.partial_product_key",
    "grace_minutes": "license.grace_minutes",
    "data_exchange": "data_exchange",
    "eligible": "eligible",
    "problems": "",
    "messages": "",
    "failover_gaps": "",
}


def _value(item: Mapping[str, Any], path: str) -> object:
    value: Any = item
    for name in path.split("."):
        value = value.get(name) if value else None
    return str(value).lower() if isinstance(value, bool) else value


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _gaps(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in row["nodes"] if node["status"] == "gap"]


@dataclass(frozen=True)
class _Case:
    """A test case: what it is about, and what is wrong with that."""

    name: str
    group: str
    problems: Sequence[Mapping[str, Any]]
    skipped: str = ""


def to_junit(report: _Report) -> bytes:
    """The report as test results, for pipelines: a case for each host, for each guest, and for the failover of each guest."""
    suites = {
        "clusters": [_Case("all hosts", "clusters", report["cluster_problems"])],
        "hosts": [_Case(host["name"], host["cluster"] or "hosts", host["problems"]) for host in report["hosts"]],
        "guests": [
            _Case(guest["name"], guest["host"] or "guests", guest["problems"], _not_judged(guest))
            for guest in report["guests"]
        ],
        "failover": [
            _Case(row["name"], row["cluster"], [node["problem"] for node in _gaps(row)]) for row in report["failover"]
        ],
    }
    root = ElementTree.Element("testsuites", {"name": _xml(report["title"])})
    for name, cases in suites.items():
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            {
                "name": f"avma.{name}",
                "timestamp": report["generated"],
                "tests": str(len(cases)),
                "failures": str(sum(bool(case.problems) and not case.skipped for case in cases)),
                "errors": "0",
                "skipped": str(sum(bool(case.skipped) for case in cases)),
            },
        )
        for case in cases:
            _add_case(suite, name, case)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _not_judged(guest: Mapping[str, Any]) -> str:
    if guest["verdict"] == "not_applicable":
        return "AVMA does not apply to this guest."
    # One that is in the inventory and could not be read is a failure.
    if guest["verdict"] == "not_read" and not guest["machine"]:
        return "The guest itself was not read."
    return ""


def _add_case(suite: ElementTree.Element, name: str, case: _Case) -> None:
    attributes = {"classname": f"avma.{name}.{_xml(case.group)}", "name": _xml(case.name), "time": "0"}
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if case.skipped:
        ElementTree.SubElement(element, "skipped", {"message": case.skipped})
    elif case.problems:
        codes = ", ".join(sorted({item["code"] for item in case.problems}))
        failure = ElementTree.SubElement(
            element, "failure", {"type": codes, "message": _xml(case.problems[0]["message"])}
        )
        failure.text = "\n".join(_xml(f"{item['code']}: {item['message']} {item['remedy']}") for item in case.problems)


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


@dataclass(frozen=True)
class Page:
    """The parts of the page that do not depend on the report: ``@…@`` in ``html`` is where the others go."""

    html: str
    style: str
    script: str


def to_html(report: _Report, page: Page) -> bytes:
    """The report as one page that loads nothing and runs no script but its own."""
    policy = f"default-src 'none'; style-src {_hash(page.style)}; script-src {_hash(page.script)}; base-uri 'none'; form-action 'none'"
    parts = {
        "@POLICY@": html.escape(policy),
        "@TITLE@": html.escape(report["title"]),
        "@STYLE@": page.style,
        "@SCRIPT@": page.script,
        "@REPORT@": _json_for_script(report),
    }
    # In one pass, so that no name in the report is taken for a mark.
    return re.sub("|".join(parts), lambda mark: parts[mark[0]], page.html).encode()


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _json_for_script(report: _Report) -> str:
    """JSON in which nothing ends a script element or begins a comment (HTML Standard, "Restrictions for contents of script elements")."""
    return json.dumps(_compact(report), separators=(",", ":")).replace("<", "\\u003c")


def _compact(report: _Report) -> dict[str, Any]:
    """The report as the page takes it: what many rows have in common is in ``shared`` once, and stands in them by its place there."""
    places: dict[str, int] = {}
    shared: list[Any] = []
    seen: dict[int, int] = {}

    def place(value: Any) -> int | None:
        if value is None:
            return None
        # Rows often share the very object, which is quicker to see than an equal one.
        if id(value) not in seen:
            key = json.dumps(value, sort_keys=True)
            if key not in places:
                places[key] = len(shared)
                shared.append(value)
            seen[id(value)] = places[key]
        return seen[id(value)]

    def row(shown: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **shown,
            "system": place(shown["system"]),
            "license": place(shown["license"]),
            "problems": [place(item) for item in shown["problems"]],
        }

    return {
        **{name: report[name] for name in ("title", "generated", "summary", "clusters", "cluster_problems")},
        "hosts": [{**row(host), "nodes": []} for host in report["hosts"]],
        "guests": [row(guest) for guest in report["guests"]],
        "failover": [{**shown, "nodes": place(shown["nodes"])} for shown in report["failover"]],
        "shared": shared,
    }
