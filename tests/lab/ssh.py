# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The OpenSSH server of one machine, as Windows has it (facts/powershell.md 49 to 58). asyncssh speaks the protocol.

Every command of a session runs under the default shell, cmd.exe or powershell.exe, and is ended with its session.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncssh

from lab.cim import ProcessResult
from lab.console import wants_stdin
from lab.faults import Effect
from lab.listener import ADDRESS, bound_socket
from lab.powershell.errors import ConnectionLost, Unsupported
from lab.simulation import SimulatedMachine

_KEY_TYPE = "ssh-ed25519"


class SshKeys:
    """The client's key, which every machine knows, and the file of the machines' own."""

    def __init__(self, directory: Path) -> None:
        """Make the client's key in a directory."""
        self.directory = directory / "ssh"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.client = self.directory / "id_ed25519"
        self.known_hosts = self.directory / "known_hosts"
        key = asyncssh.generate_private_key(_KEY_TYPE)
        self.client.touch(mode=0o600)
        self.client.write_bytes(key.export_private_key())
        self.public = key.convert_to_public()
        self.known_hosts.write_bytes(b"")

    def host_key(self, port: int, *, changed: bool = False) -> asyncssh.SSHKey:
        """A new key for the machine at a port; the client knows it, or the one before."""
        key = asyncssh.generate_private_key(_KEY_TYPE)
        known = asyncssh.generate_private_key(_KEY_TYPE) if changed else key
        with self.known_hosts.open("ab") as file:
            file.write(f"[{ADDRESS}]:{port} ".encode() + known.export_public_key())
        return key


class SshServer:
    """One machine on the network, behind ssh alone."""

    def __init__(
        self, machine: SimulatedMachine, port: int, keys: SshKeys, stop_machine: Callable[[str], None]
    ) -> None:
        self._machine = machine
        self._keys = keys
        self._stop_machine = stop_machine
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._server: asyncssh.SSHAcceptor | None = None
        self._socket = bound_socket(port)
        self.port: int = self._socket.getsockname()[1]
        self._host_key = keys.host_key(self.port, changed=machine.ssh.key_changed)

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None

    async def start(self) -> None:
        """Accept connections."""
        if self._server is not None:
            return
        self._server = await asyncssh.listen(
            sock=self._socket,
            server_host_keys=[self._host_key],
            server_factory=lambda: _Login(self._machine, self._keys, self._connections),
            process_factory=self._process,
            server_version=self._machine.ssh.version,
            encoding=None,
            line_editor=False,
            # Windows has neither.
            x11_forwarding=False,
            agent_forwarding=False,
        )

    def stop(self) -> None:
        """Refuse connections and cut those there are, at once, as a machine that loses power."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._connections):
            connection.abort()
        # Bound but not listening: the port refuses connections and stays ours.
        self._socket = bound_socket(self.port)

    async def close(self) -> None:
        """Give the port back."""
        self.stop()
        self._socket.close()

    def report(self) -> Mapping[str, int]:
        """What is open."""
        return {"open_enumerations": 0, "open_shells": len(self._connections)}

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        try:
            await self._run(process)
        except (asyncssh.Error, OSError):
            # The client is gone, and with it its processes (facts 55).
            return

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        options = self._machine.ssh
        journal = self._machine.traffic.journal
        line = options.force_command or process.command or ""
        journal.requests["Exec"] += 1
        journal.commanded(line)
        connection = process.get_extra_info("connection")
        delay = self._machine.listener.delay
        for rule in self._machine.traffic.faults_for("Exec", "", ""):
            if rule.effect is Effect.DROP:
                connection.abort()
                return
            if rule.effect is Effect.DELAY:
                delay += rule.value or 0
        stdin = await process.stdin.read() if wants_stdin(line) else b""
        journal.wire_received += len(line) + len(stdin)
        try:
            result = self._result(line, stdin)
        except ConnectionLost as lost:
            connection.abort()
            if lost.dies:
                self._stop_machine(self._machine.name)
            return
        elapsed = result.elapsed + delay
        if elapsed:
            closing = asyncio.ensure_future(process.wait_closed())
            await asyncio.wait([closing], timeout=None if elapsed == float("inf") else elapsed)
            closing.cancel()
        journal.wire_sent += len(result.stdout) + len(result.stderr)
        process.stdout.write(result.stdout)
        process.stderr.write(result.stderr)
        process.exit(result.exit_code & 0xFFFFFFFF)

    def _result(self, line: str, stdin: bytes) -> ProcessResult:
        console = self._machine.console(elevated=self._machine.ssh.elevated)
        if not line:
            return console.unsupported(Unsupported("an interactive session"))
        if self._machine.ssh.shell == "powershell":
            return console.powershell(line, stdin)
        return console.cmd(line, stdin)


class _Login(asyncssh.SSHServer):
    """One connection: who may come in, and how."""

    def __init__(
        self, machine: SimulatedMachine, keys: SshKeys, connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._machine = machine
        self._keys = keys
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._machine.traffic.journal.requests["Authentication"] += 1
        if self._machine.ssh.banner and self._connection is not None:
            self._connection.send_auth_banner(self._machine.ssh.banner)
        return True

    def public_key_auth_supported(self) -> bool:
        return "publickey" in self._machine.ssh.authentication

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._machine.account.is_named(username, self._machine.name) and key == self._keys.public

    def password_auth_supported(self) -> bool:
        return "password" in self._machine.ssh.authentication

    def validate_password(self, username: str, password: str) -> bool:
        account = self._machine.account
        right = hmac.compare_digest(password.encode(), account.password.encode())
        return account.is_named(username, self._machine.name) and right


class NoDoor:
    """A machine without a network: its host alone can reach it."""

    port = 0
    listening = False

    async def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        """Nothing to stop."""

    async def close(self) -> None:
        """Nothing to give back."""

    def report(self) -> Mapping[str, int]:
        """What is open."""
        return {"open_enumerations": 0, "open_shells": 0}
