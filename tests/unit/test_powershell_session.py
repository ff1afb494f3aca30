"""Sessions by PowerShell: what the scripts are given, and what their answers become."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell import requests, scripts, ssh
from ansible_collections.hyperv.avma.plugins.plugin_utils._powershell.session import PowerShellSession
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    FaultError,
    InvalidAnswerError,
    ProcessError,
    RouteError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.instance import Reference
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import (
    Get,
    Invoke,
    ProcessResult,
    Query,
    Route,
)
from hypothesis import given
from hypothesis import strategies as st

from .fakes import FakeTime

ROW = {"class": "Win32_Thing", "namespace": "root/cimv2", "values": {"Name": "a", "Size": "18446744073709551615"}}
ERROR = {"id": "HRESULT 0xc004f069,Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand"}
FOUND = {"rows": [ROW]}


def unescape(text: str) -> str:
    """As ``[regex]::Unescape`` does it."""
    units = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


def fields(line: str) -> list[str]:
    return [unescape(field) for field in line.split(" ")]


class FakeInterpreter:
    """An interpreter that answers each line of data, and notes what it was given."""

    route = Route("ssh")
    encrypted = True

    def __init__(self, answer: Callable[[list[str]], Any], **header: Any) -> None:
        self.answer = answer
        self.header = header
        #: For each PowerShell, the fields of its requests.
        self.starts: list[list[list[str]]] = []
        self.changes: list[bool] = []
        self.wrap: Callable[[str], bytes] = str.encode

    def run(self, script: str, data: Sequence[str], *, changes: bool) -> ProcessResult:
        assert script == scripts.REQUESTS
        marker, *lines = data
        self.starts.append([fields(line) for line in lines])
        self.changes.append(changes)
        document = {
            "mode": "FullLanguage",
            "wow64": "",
            "answers": list(map(self.answer, self.starts[-1])),
            **self.header,
        }
        return ProcessResult(1, self.wrap(f"{marker}{json.dumps(document)}{marker}"), b"#< CLIXML")


def session(answer: Callable[[list[str]], Any], **header: Any) -> tuple[PowerShellSession, FakeInterpreter]:
    interpreter = FakeInterpreter(answer, **header)
    return PowerShellSession(interpreter, "WEB01"), interpreter


@given(st.text())
def test_a_field_is_ascii_without_blanks_and_comes_back(text: str) -> None:
    field = scripts.field(text)
    assert re.fullmatch(r"[!-~]*", field)
    assert unescape(field) == text


@given(st.lists(st.text(), min_size=1))
def test_a_line_comes_back_whatever_its_fields_hold(texts: list[str]) -> None:
    assert fields(scripts.line(texts)) == texts


def test_standard_input_says_where_the_data_begins() -> None:
    lines = scripts.stdin(scripts.REQUESTS, ["marker", "query"]).decode("ascii").splitlines()
    first = int(lines[0])
    assert "\n".join(lines[1:first]) == scripts.REQUESTS.strip()
    assert lines[first:] == ["marker", "query"]


@pytest.mark.parametrize("script", [scripts.BOOTSTRAP, scripts.REQUESTS, scripts.THROUGH_HOST])
def test_scripts_are_ascii_and_keep_to_constrained_language_mode(script: str) -> None:
    assert script.isascii()
    # What it refuses (facts, items 4 to 6): other types, their methods, casts of hashtables, property sets, cmdlets that take secrets.
    types = set(re.findall(r"\[([A-Za-z][\w.]*)(?:\[\])?\]", script)) - {"regex", "string", "int", "char", "uint32"}
    assert types <= {"array", "bool", "datetime", "timespan", "ciminstance"}
    methods = set(re.findall(r"\.(\w+)\(", script))
    assert methods <= {"Replace", "Split", "ToUniversalTime", "ToString", "ToCharArray", "AppendChar"}
    assert set(re.findall(r"::(\w+)", script)) <= {"Matches", "Unescape"}
    assert not re.search(r"\$\w+\.\w+\s*=[^=]", script)
    assert not re.search(r"ConvertTo-SecureString|ConvertFrom-Json|Add-Type|-ComputerName", script)


def test_input_is_read_outside_of_every_block() -> None:
    assert "@($input)" in scripts.BOOTSTRAP
    assert "{" not in scripts.BOOTSTRAP


def test_the_command_line_is_short_enough_for_two_shells() -> None:
    assert len(" ".join(scripts.COMMAND)) < 2000
    assert base64.b64decode(scripts.COMMAND[-1]).decode("utf-16-le") == scripts.BOOTSTRAP


STEPS: dict[str, tuple[Any, list[str]]] = {
    "query": (
        Query("SELECT ID, Name FROM Thing WHERE Name = 'x y'"),
        ["query", "root/cimv2", "SELECT ID, Name FROM Thing WHERE Name = 'x y'", "0", "ID,Name"],
    ),
    "query of all columns": (
        Query("SELECT * FROM Thing", "root/x", 3),
        ["query", "root/x", "SELECT * FROM Thing", "3", ""],
    ),
    "get": (
        Get("Thing", {"Name": "o'b\\r", "Id": "1"}),
        ["query", "root/cimv2", "SELECT * FROM Thing WHERE Name = 'o\\'b\\\\r' AND Id = '1'", "0", ""],
    ),
    "static method": (
        Invoke("StdRegProv", "GetDWORDValue", {"hDefKey": 0x80000002, "sSubKeyName": "A B"}, namespace="root/default"),
        [
            "read",
            "root/default",
            "StdRegProv",
            "GetDWORDValue",
            "",
            "hDefKey",
            "integer",
            "2147483650",
            "sSubKeyName",
            "text",
            "A B",
        ],
    ),
    "method of an instance": (
        Invoke("Service", "Set", {"Force": True, "Names": ["a b", "c"]}, {"Version": "10"}),
        [
            "change",
            "root/cimv2",
            "Service",
            "Set",
            "SELECT Version FROM Service WHERE Version = '10'",
            "Force",
            "boolean",
            "true",
            "Names",
            "list",
            "a\\u0020b c",
        ],
    ),
    "program": (requests.Run("dism.exe", ("/Online", "/x"), "KEY"), ["run", "dism.exe", "KEY", "/Online", "/x"]),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_request_is_a_line(name: str) -> None:
    step, expected = STEPS[name]
    assert fields(requests.line(step)) == expected


def test_values_come_as_text_null_arrays_references_and_dates() -> None:
    job = {
        "class": "Msvm_ConcreteJob",
        "namespace": "root\\virtualization\\v2",
        "values": {"InstanceID": "7", "Other": None},
    }
    values = {
        "Null": None,
        "Flag": "true",
        "When": "2026-11-25T10:00:00.1234567Z",
        "Names": ["ä", None, "b"],
        "Job": job,
    }
    talk, _ = session(lambda _fields: {"rows": [{**ROW, "values": {**ROW["values"], **values}}]})
    row = talk.query("SELECT * FROM Win32_Thing")[0]
    assert row.class_name == "Win32_Thing"
    assert row.integer("size") == 18446744073709551615
    assert row.text("Null") is None
    assert "Null" in list(row) or "null" in list(row)
    assert row.boolean("Flag") is True
    assert row.datetime("When") == datetime(2026, 11, 25, 10, 0, 0, 123456, UTC)
    assert row.texts("Names") == ["ä", "b"]
    reference = row.reference("Job")
    assert reference == Reference(
        "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ConcreteJob", {"InstanceID": "7"}
    )


def test_output_of_a_method_and_result_of_a_program() -> None:
    talk, interpreter = session(
        lambda step: {"exit_code": "5", "stdout": "line\nä"} if step[0] == "run" else {"output": {"ReturnValue": "0"}}
    )
    assert talk.invoke("Thing", "Do").integer("ReturnValue") == 0
    assert talk.run("prog", ["/a"], b"secret\r\n") == ProcessResult(5, "line\nä".encode(), b"")
    assert interpreter.starts[1] == [["run", "prog", "secret", "/a"]]
    assert interpreter.changes == [True, True]


ERRORS: dict[str, tuple[dict[str, str], tuple[int, ...]]] = {
    "id": (ERROR, (0xC004F069,)),
    "message id": ({"id": "x", "message_id": "HRESULT 0x8004100E"}, (0x8004100E,)),
    "error code in decimal": ({"id": "MI RESULT 1,x", "error_code": "2147944127"}, (0x800706BF,)),
    "hresult, negative": ({"hresult": "-2147217405"}, (0x80041003,)),
    "status code": ({"status_code": "2147749890"}, (0x80041002,)),
    "inner exception": ({"hresult": "-2146233088", "inner_hresult": "-1073418231"}, (0xC004F009,)),
    "only in the text": (
        {"hresult": "-2146233087", "status_code": "1", "message": "Fehler 0xC004F074."},
        (0xC004F074,),
    ),
    "the provider's before WMI's": (
        {"id": "HRESULT 0x80041001,x", "error_code": "3221549172"},
        (0xC004F074, 0x80041001),
    ),
    "no code": ({"id": "CimCmdlet_x", "message": "kaputt"}, ()),
}


@pytest.mark.parametrize("name", ERRORS)
def test_codes_of_an_error_come_from_wherever_they_are(name: str) -> None:
    error, expected = ERRORS[name]
    talk, _ = session(lambda _fields: {"error": error})
    with pytest.raises(FaultError) as caught:
        talk.invoke("Thing", "Do")
    assert caught.value.hresults == expected


def test_an_error_without_text_still_says_something() -> None:
    talk, _ = session(lambda _fields: {"error": ERROR})
    with pytest.raises(FaultError, match="HRESULT 0xc004f069"):
        talk.query("SELECT * FROM Thing")


def test_no_such_instance_is_wmis_not_found() -> None:
    talk, _ = session(lambda step: {"rows": []} if step[0] == "query" else {"missing": True})
    for ask in (lambda: talk.get("Thing", {"Id": "1"}), lambda: talk.invoke("Thing", "Do", selectors={"Id": "1"})):
        with pytest.raises(FaultError, match="no Thing with Id=1") as caught:
            ask()
        assert caught.value.hresults == (0x80041002,)


def test_a_program_that_is_not_there_is_no_fault() -> None:
    talk, _ = session(lambda _fields: {"error": {"id": "CommandNotFoundException", "message": "nicht gefunden"}})
    with pytest.raises(ProcessError, match="prog could not be run: nicht gefunden"):
        talk.run("prog")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda frame: f"Active code page: 65001\r\n{frame}\r\nbye".encode(),
        lambda frame: re.sub(r"(?<=answers)", "\r\n", frame).encode(),
        lambda frame: b"\xff\xfe\x84" + frame.encode() + b"\x00",
    ],
)
def test_what_is_around_an_answer_does_not_matter(wrap: Callable[[str], bytes]) -> None:
    talk, interpreter = session(lambda _fields: FOUND)
    interpreter.wrap = wrap
    assert talk.query("SELECT * FROM Thing")[0].text("Name") == "a"


@pytest.mark.parametrize("output", [b"", b"'powershell.exe' is not recognized", b"sh: powershell.exe: not found"])
def test_no_answer_says_so_without_showing_what_was_printed(output: bytes) -> None:
    talk, interpreter = session(lambda _fields: FOUND)
    interpreter.wrap = lambda _frame: output
    with pytest.raises(RouteError) as caught:
        talk.query("SELECT * FROM Thing")
    assert caught.value.problem.code == "powershell_silent"
    assert "recognized" not in str(caught.value)


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        "{}",
        '{"answers": [1, 2]}',
        '{"answers": [1]}',
        '{"answers": [{"rows": 1}]}',
        '{"answers": [{"rows": [{"values": 1}]}]}',
        '{"answers": [{"rows": [{"values": {"a": 1}}]}]}',
        '{"answers": [{"rows": [{"values": {"a": [["b"]]}}]}]}',
        '{"answers": [{"error": 7}]}',
        "[" * 100000,
    ],
)
def test_garbage_is_an_invalid_answer(frame: str) -> None:
    talk, interpreter = session(lambda _fields: FOUND)
    interpreter.wrap = lambda real: (real[:36] + frame + real[:36]).encode()
    with pytest.raises(InvalidAnswerError):
        talk.query("SELECT * FROM Thing")


def test_what_constrained_language_mode_refuses_is_no_fault_of_wmi() -> None:
    refused = {"id": "DotSourceNotSupported,Microsoft.PowerShell.Commands.GetCimInstanceCommand", "message": "nein"}
    talk, _ = session(lambda _fields: {"error": refused}, mode="ConstrainedLanguage")
    with pytest.raises(RouteError) as caught:
        talk.query("SELECT * FROM Thing")
    assert caught.value.problem.code == "powershell_refuses"
    assert "ConstrainedLanguage" in str(caught.value)


def test_a_32_bit_process_is_refused() -> None:
    talk, _ = session(lambda _fields: FOUND, wow64="AMD64")
    with pytest.raises(RouteError) as caught:
        talk.query("SELECT * FROM Thing")
    assert caught.value.problem.code == "powershell_is_32_bit"


READ, WRITE, REREAD = Query("SELECT A FROM Thing"), Invoke("Thing", "Do"), Query("SELECT B FROM Thing")


def test_expected_requests_share_one_start_and_are_given_out_once() -> None:
    talk, interpreter = session(lambda _fields: FOUND)
    talk.expect(READ, REREAD)
    assert interpreter.starts == []
    for _ in range(2):
        talk.query(READ.wql)
        talk.query(REREAD.wql)
    assert [len(start) for start in interpreter.starts] == [2, 1, 1]
    assert interpreter.changes == [False, False, False]


def kinds(interpreter: FakeInterpreter) -> list[str]:
    """What each PowerShell did: a letter a request, C for a change."""
    return ["".join("C" if step[0] == "change" else step[2][7] for step in start) for start in interpreter.starts]


def changing(step: list[str]) -> Any:
    return {"output": {}} if step[0] == "change" else FOUND


def test_a_change_runs_only_when_it_is_asked_for() -> None:
    talk, interpreter = session(changing)
    talk.expect(READ, WRITE, REREAD)
    talk.query(REREAD.wql)
    talk.query(READ.wql)
    assert kinds(interpreter) == ["B", "A"]
    talk.invoke(WRITE.class_name, WRITE.method)
    talk.query(REREAD.wql)
    assert kinds(interpreter) == ["B", "A", "CB"]


def test_reads_that_were_not_asked_for_are_not_made_with_a_change() -> None:
    talk, interpreter = session(changing)
    talk.expect(READ, WRITE)
    talk.invoke(WRITE.class_name, WRITE.method)
    assert kinds(interpreter) == ["C"]


def test_what_is_expected_adds_up_and_nothing_is_asked_twice() -> None:
    talk, interpreter = session(changing)
    talk.expect(READ)
    talk.expect(READ, REREAD)
    talk.query(REREAD.wql)
    talk.expect(READ)
    talk.query(READ.wql)
    assert kinds(interpreter) == ["BA"]


def test_a_change_that_was_not_expected_makes_what_was_read_before_worthless() -> None:
    talk, interpreter = session(changing)
    talk.expect(READ, REREAD)
    talk.query(READ.wql)
    talk.invoke("Thing", "Do")
    talk.query(REREAD.wql)
    assert kinds(interpreter) == ["AB", "C", "B"]


def test_an_answer_does_not_stay_good_for_long() -> None:
    time, interpreter = FakeTime(), FakeInterpreter(changing)
    talk = PowerShellSession(interpreter, "WEB01", time.clock)
    talk.expect(READ, REREAD)
    talk.query(READ.wql)
    time.now = 60
    talk.query(REREAD.wql)
    assert kinds(interpreter) == ["AB", "B"]


def test_that_a_change_was_made_is_never_forgotten() -> None:
    time, interpreter = FakeTime(), FakeInterpreter(changing)
    talk = PowerShellSession(interpreter, "WEB01", time.clock)
    talk.expect(WRITE, Invoke("Thing", "Activate"))
    talk.invoke("Thing", "Do")
    time.now = 60
    talk.invoke("Thing", "Activate")
    assert kinds(interpreter) == ["CC"]


def test_a_skipped_request_is_made_again_when_it_is_asked_for() -> None:
    first = iter([True])
    talk, interpreter = session(
        lambda step: {"error": ERROR} if step[0] == "change" else {"skipped": True} if next(first, False) else FOUND
    )
    talk.expect(WRITE, REREAD)
    with pytest.raises(FaultError):
        talk.invoke("Thing", "Do")
    assert talk.query(REREAD.wql)[0].text("Name") == "a"
    assert kinds(interpreter) == ["CB", "B"]


SLOW = {"id": "HRESULT 0x80041069,x", "message": "Zeit"}


def test_a_slow_machine_is_asked_again_for_what_is_read_and_not_for_a_change() -> None:
    answers = iter([{"error": SLOW}, FOUND, {"error": SLOW}])
    time, interpreter = FakeTime(), FakeInterpreter(lambda _fields: next(answers))
    talk = PowerShellSession(interpreter, "WEB01", time.clock)
    assert talk.query(READ.wql)[0].text("Name") == "a"
    with pytest.raises(FaultError) as caught:
        talk.invoke("Thing", "Do")
    assert caught.value.timed_out
    assert kinds(interpreter) == ["A", "A", "C"]


class FakeConnection:
    """Ansible's ssh connection, as far as it is used."""

    transport = "ssh"

    class _shell:  # noqa: N801
        _IS_WINDOWS = True

    def __init__(self) -> None:
        self.options: dict[str, Any] = {"reconnection_retries": 3}
        self.calls: list[tuple[str, bytes, int]] = []

    def set_option(self, name: str, value: Any) -> None:
        self.options[name] = value

    def exec_command(self, command: str, in_data: bytes, sudoable: bool) -> tuple[int, bytes, bytes]:
        assert not sudoable
        self.calls.append((command, in_data, self.options["reconnection_retries"]))
        return 0, b"out", b"err"


@pytest.mark.parametrize("wraps", [False, True])
def test_ssh_gets_a_command_line_or_where_ansible_makes_one_the_script(
    monkeypatch: pytest.MonkeyPatch, wraps: bool
) -> None:
    monkeypatch.setattr(ssh, "_WRAPS", wraps)
    connection = FakeConnection()
    interpreter = ssh.SshInterpreter(connection)
    assert interpreter.run("script", ["data"], changes=False) == ProcessResult(0, b"out", b"err")
    assert connection.calls == [(scripts.BOOTSTRAP if wraps else " ".join(scripts.COMMAND), b"2\nscript\ndata\n", 3)]


def test_ssh_tries_a_change_once_only() -> None:
    connection = FakeConnection()
    ssh.SshInterpreter(connection).run("script", ["data"], changes=True)
    assert connection.calls[0][2] == 0
