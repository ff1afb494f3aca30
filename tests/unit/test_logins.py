"""Many machines, few logins: what is tried where, and when."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hyperv.avma.plugins.plugin_utils._avma.problems import problem
from ansible_collections.hyperv.avma.plugins.plugin_utils._session import logins as module
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    GuestRejectedError,
    RejectedError,
    RouteError,
    RouteRejectedError,
    RouteUnreachableError,
    UnreachableError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.interpreter import Guest
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.logins import Logins
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.session import ProcessResult, Route

KINIT = """#!/bin/sh
# Stands in for kinit: a cache with the principal and the password in it, and a line for each call.
read password
echo "$KRB5CCNAME $* $password" >> "{log}"
[ "$password" = wrong ] && {{ echo "kinit: Password incorrect while getting initial credentials ($password)" >&2; exit 1; }}
echo "$1" > "${{KRB5CCNAME#FILE:}}"
"""


def ticket_cache() -> str | None:
    """The ticket cache that the environment names to the libraries of Kerberos, which are written in C."""
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    value: bytes | None = getenv(b"KRB5CCNAME")
    return value.decode() if value is not None else None


class Machines:
    """The machines of a network: each accepts one password, or does not answer."""

    def __init__(self, **passwords: str | None) -> None:
        self._passwords = passwords
        self.tried: list[str] = []
        self.caches: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def connection(self, name: str, user: str, password: str, **options: Any) -> Any:
        """A psrp connection that was not connected, or with ``kinit`` a winrm connection with Kerberos."""
        values = {
            "remote_user": user,
            "remote_password": password,
            "kinit_args": None,
            "kinit_env_vars": [],
            "_extras": {},
            "kerberos_command": options.get("kinit"),
        }
        winrm = "kinit" in options
        return SimpleNamespace(
            transport="winrm" if winrm else "psrp",
            protocol=SimpleNamespace(transport=SimpleNamespace(auth_method=options.get("way", "kerberos"))),
            get_option=values.get,
            name=name,
        )

    def make(self, connection: Any) -> Any:
        """What makes the transport; with Kerberos, it gets the ticket first, as the plugin does."""
        if connection.transport == "winrm" and connection.get_option("kerberos_command"):
            connection._kerb_auth(connection.get_option("remote_user"), connection.get_option("remote_password"))

        def send(_message: bytes) -> bytes:
            with self._lock:
                self.tried.append(connection.name)
                self.caches[connection.name] = ticket_cache()
                # Other threads go through it, which ends in an error if its keys change.
                assert os.environ["KRB5CCNAME"] == "FILE:/tmp/mine"
            password = self._passwords[connection.name]
            if password is None:
                raise UnreachableError("no connection")
            if password != connection.get_option("remote_password"):
                raise RejectedError("rejected the credentials")
            return b"answer"

        return SimpleNamespace(
            endpoint="http://x/wsman",
            operation_timeout=20,
            encrypted=True,
            send=send,
            run=lambda *_: ProcessResult(0, b"", b""),
        )


def ask(logins: Logins, machines: Machines, *connections: Any) -> dict[str, str]:
    """What comes of asking all at once."""

    def one(connection: Any) -> str:
        try:
            return logins.transport(connection, connection.name, machines.make).send(b"").decode()
        except (UnreachableError, AnsibleConnectionFailure) as error:
            return str(error)

    with ThreadPoolExecutor(len(connections)) as pool:
        answers = pool.map(one, connections)
        return {connection.name: answer for connection, answer in zip(connections, answers, strict=True)}


def test_a_login_that_is_rejected_is_tried_once_for_many_machines() -> None:
    names = [f"HV{number:02}" for number in range(32)]
    machines = Machines(**dict.fromkeys(names, "right"))
    answers = ask(Logins(), machines, *(machines.connection(name, "LAB\\admin", "stale") for name in names))
    assert len(machines.tried) == 1
    [tried] = machines.tried
    assert answers.pop(tried) == "rejected the credentials"
    assert all(text.startswith(f"not tried: {tried} rejected the same user and password") for text in answers.values())


def test_the_same_user_in_capitals_is_the_same_login() -> None:
    machines = Machines(HV01="right", HV02="right")
    connections = [machines.connection(f"HV0{number}", user, "stale") for number, user in ((1, "Admin"), (2, "ADMIN"))]
    ask(Logins(), machines, *connections)
    assert len(machines.tried) == 1


def test_another_login_is_tried() -> None:
    machines = Machines(HV01="right", HV02="right", HV03="other")
    answers = ask(
        Logins(),
        machines,
        machines.connection("HV01", "admin", "wrong"),
        machines.connection("HV02", "admin", "right"),
        machines.connection("HV03", "admin", "other"),
    )
    assert answers == {"HV01": "rejected the credentials", "HV02": "answer", "HV03": "answer"}


def test_a_login_that_worked_is_tried_everywhere_whatever_one_machine_says() -> None:
    machines = Machines(HV01="right", HV02="other", HV03="right")
    logins = Logins()
    for name, answer in (("HV01", "answer"), ("HV02", "rejected the credentials"), ("HV03", "answer")):
        assert ask(logins, machines, machines.connection(name, "admin", "right")) == {name: answer}


@pytest.mark.parametrize("user", [".\\Administrator", "{name}\\Administrator"])
def test_accounts_of_the_machines_own_are_tried_everywhere(user: str) -> None:
    machines = Machines(HV01="one", HV02="two")
    connections = [machines.connection(name, user.format(name=name), "two") for name in ("HV01", "HV02")]
    assert ask(Logins(), machines, *connections) == {"HV01": "rejected the credentials", "HV02": "answer"}


def test_over_ssh_a_password_that_is_rejected_is_tried_once() -> None:
    tried = []

    class Interpreter:
        route, encrypted = Route("ssh"), True

        def run(self, script: str, _data: Sequence[str], *, changes: bool) -> ProcessResult:
            tried.append((script, changes))
            raise RejectedError("Invalid/incorrect password")

    logins = Logins()
    connection = SimpleNamespace(get_option={"remote_user": "admin", "password": "stale"}.get)
    messages = []
    for name in ("WEB01", "WEB02"):
        with pytest.raises(RejectedError) as raised:
            logins.interpreter(connection, name, Interpreter()).run("", [], changes=False)
        messages.append(str(raised.value))
    assert len(tried) == 1
    assert messages[1].startswith("not tried: WEB01 rejected")


def through_hosts(logins: Logins, user: str, outcomes: dict[str, Exception | None]) -> dict[str, str]:
    """What comes of logging in to guests one after the other."""
    said = {}
    for name, outcome in outcomes.items():
        try:
            with logins.guest(Guest("HV01", None, name, user, "stale"), name)():
                if outcome:
                    raise outcome
            said[name] = "answer"
        except UnreachableError as error:
            said[name] = str(error).partition(":")[0]
        except RouteError as error:
            said[name] = error.problem.code
    return said


REFUSED = GuestRejectedError(problem("guest_credentials_refused", user="LAB\\svc", vm="A", host="HV01"))


@pytest.mark.parametrize(
    "before",
    [
        RouteError(problem("vm_not_on_host", vm="A", host="HV01")),
        RouteUnreachableError(problem("guest_not_ready", vm="A", host="HV01")),
        RouteRejectedError(problem("vm_host_unreachable", host="HV01", detail="rejected")),
    ],
)
def test_a_domain_account_that_one_guest_refuses_is_tried_in_no_other(before: Exception) -> None:
    # What kept the login from being tried says nothing of it.
    said = through_hosts(Logins(), "LAB\\svc", {"A": before, "B": REFUSED, "C": None, "D": None})
    assert "not tried" not in (said["A"], said["B"])
    assert said["C"] == said["D"] == "not tried"


def test_a_domain_account_that_one_guest_accepted_is_tried_in_all() -> None:
    said = through_hosts(Logins(), "LAB\\svc", {"A": None, "B": REFUSED, "C": None})
    assert said["C"] == "answer"


@pytest.mark.parametrize("user", ["Administrator", ".\\Administrator"])
def test_a_guests_own_account_is_tried_in_each(user: str) -> None:
    logins = Logins()
    assert through_hosts(logins, user, {"A": REFUSED, "B": None})["B"] == "answer"
    # Its setup may be over by now.
    assert through_hosts(logins, user, {"A": None}) == {"A": "answer"}


def test_a_machine_that_does_not_answer_stalls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    machines = Machines(DEAD=None, HV01="right")
    release = threading.Event()
    dead = machines.connection("DEAD", "admin", "right")

    def hang(connection: Any) -> Any:
        transport = machines.make(connection)
        transport.send = lambda _message: (release.wait(20), b"late")[1]
        return transport

    logins = Logins()
    hanging = threading.Thread(target=lambda: logins.transport(dead, "DEAD", hang).send(b""))
    hanging.start()
    try:
        assert ask(logins, machines, machines.connection("HV01", "admin", "right")) == {"HV01": "answer"}
    finally:
        release.set()
        hanging.join()


def test_what_was_rejected_stays_so_from_item_to_item_of_a_loop() -> None:
    machines = Machines(HV01="right", HV02="right")
    logins = Logins()
    for name in ("HV01", "HV02"):
        with logins:
            ask(logins, machines, machines.connection(name, "admin", "stale"))
    assert machines.tried == ["HV01"]


@pytest.fixture
def kinit(tmp_path: Path) -> Path:
    program = tmp_path / "kinit"
    program.write_text(KINIT.format(log=tmp_path / "log"))
    program.chmod(0o700)
    return program


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[list[str]]]:
    """The calls of kinit: the cache, the arguments, the password."""
    return lambda: [line.split() for line in (tmp_path / "log").read_text().splitlines()]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/tmp/mine")
    yield "FILE:/tmp/mine"
    assert ticket_cache() == "FILE:/tmp/mine"


def test_each_principal_gets_one_ticket_and_all_are_in_one_collection(kinit: Path, calls: Callable[[], Any]) -> None:
    names = [f"HV{number:02}" for number in range(16)]
    machines = Machines(**dict.fromkeys(names, "right"))
    with Logins() as logins:
        users = ["a@LAB", "b@LAB"]
        connections = [
            machines.connection(name, users[number % 2], "right", kinit=str(kinit)) for number, name in enumerate(names)
        ]
        assert set(ask(logins, machines, *connections).values()) == {"answer"}
        [folder] = {cache.removeprefix("DIR:") for cache in machines.caches.values() if cache}
        assert sorted(path.read_text().strip() for path in Path(folder).glob("tkt*")) == users
        assert Path(folder).stat().st_mode & 0o077 == 0
    assert sorted(call[1] for call in calls()) == users
    assert not Path(folder).exists()


def test_a_ticket_that_cannot_be_got_is_asked_for_once_and_costs_its_machines_only(
    kinit: Path, calls: Callable[[], Any]
) -> None:
    machines = Machines(HV01="right", HV02="right", HV03="right")
    with Logins() as logins:
        answers = ask(
            logins,
            machines,
            machines.connection("HV01", "a@LAB", "wrong", kinit=str(kinit)),
            machines.connection("HV02", "a@LAB", "wrong", kinit=str(kinit)),
            machines.connection("HV03", "b@LAB", "right", kinit=str(kinit)),
        )
    refused = "kinit: Password incorrect while getting initial credentials (<redacted>)"
    assert answers == {"HV01": refused, "HV02": refused, "HV03": "answer"}
    assert sorted(call[1] for call in calls()) == ["a@LAB", "b@LAB"]


def test_without_kinit_the_program_is_named(tmp_path: Path) -> None:
    machines = Machines(HV01="right")
    with Logins() as logins:
        answers = ask(logins, machines, machines.connection("HV01", "a@LAB", "right", kinit=str(tmp_path / "none")))
    assert answers["HV01"].startswith(f"calling kinit cmd '{tmp_path / 'none'}'")


def test_who_has_a_ticket_of_his_own_logs_in_with_that(kinit: Path, own_cache: str) -> None:
    names = [f"HV{number:02}" for number in range(16)]
    machines = Machines(**dict.fromkeys(names, "right"))
    mine = Machines(**{f"MY{number:02}": "" for number in range(16)})
    with Logins() as logins:
        managed = [machines.connection(name, "a@LAB", "right", kinit=str(kinit)) for name in names]
        own = [mine.connection(name, "me@LAB", "") for name in mine._passwords]
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(ask, logins, machines, *managed), pool.submit(ask, logins, mine, *own)]
            for asked in both:
                assert set(asked.result().values()) == {"answer"}
    assert set(mine.caches.values()) == {own_cache}
    assert all(str(cache).startswith("DIR:") for cache in machines.caches.values())


def test_a_guest_that_is_tried_again_is_not_told_to_differ_from_itself() -> None:
    logins = Logins()
    through_hosts(logins, "LAB\\svc", {"A": REFUSED})
    for name, words in {"A": "not tried again: it has rejected", "B": "not tried: A rejected"}.items():
        with (
            pytest.raises(RejectedError, match=words),
            logins.guest(Guest("HV01", None, name, "LAB\\svc", "stale"), name)(),
        ):
            pytest.fail("It was tried.")
