# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process that runs a topology: the machines, the control endpoint, the files that say where they are."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import resource
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from lab import inventory
from lab.control import STATE_FILE, Control, ControlError
from lab.guide import guide
from lab.listener import ADDRESS
from lab.server import Lab
from lab.topology import load


async def serve(
    topology: Path, directory: Path, port_base: int | None, stop_at_eof: bool, show_guide: bool = False
) -> None:
    """Run a topology until SIGTERM, SIGINT, ``down`` or, if so wished, the end of standard input; says "ready" when it is.

    :param show_guide: Whether to say which machines there are and what to type next.
    """
    # A socket a machine, and one a connection.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    state_file = directory / STATE_FILE
    _refuse_second(directory)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if stop_at_eof:
        loop.add_reader(sys.stdin, _stop_at_eof, stopping)
    world = load(topology)
    lab = Lab(world, directory, port_base)
    endpoint = Endpoint(lab, stopping)
    try:
        await lab.open()
        await endpoint.open()
        inventory.write(lab, directory / "inventory" / "hosts.yml")
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "url": endpoint.url,
            "token": endpoint.token,
            "machines": await lab.status(),
        }
        state_file.touch(mode=0o600)
        state_file.write_text(json.dumps(state, indent=2), encoding="utf-8")
        print("ready", flush=True)
        if show_guide:
            print(guide(world.spec, directory), flush=True)
        await stopping.wait()
    finally:
        await endpoint.close()
        await lab.close()
        state_file.unlink(missing_ok=True)


def _stop_at_eof(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        stopping.set()


def _refuse_second(directory: Path) -> None:
    """Two labs in one directory would overwrite each other's files; what a killed one left behind does not count."""
    try:
        Control(directory).call("status")
    except ControlError:
        return
    raise ControlError(f"a lab runs already in {directory}")


class Endpoint:
    """The server side of ``lab.control``."""

    def __init__(self, lab: Lab, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self.token = secrets.token_hex(16)
        self._verbs: dict[str, Callable[..., Awaitable[Any]]] = {
            verb.__name__: verb
            for verb in (
                lab.status,
                lab.state,
                lab.counters,
                lab.failed_logins,
                lab.set_password,
                lab.unlock,
                lab.reset_counters,
                lab.migrate,
                lab.stop,
                lab.start,
                lab.set,
                lab.fault,
                lab.random_faults,
                lab.clear_faults,
                lab.keystore,
                self.shutdown,
            )
        }
        self._server: asyncio.Server | None = None
        self._web = web.Server(self._handle, access_log=None)
        self.url = ""

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.get_running_loop().create_server(self._web, ADDRESS, 0)
        self.url = f"http://{ADDRESS}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._web.shutdown(timeout=1)

    async def shutdown(self) -> None:
        """End the lab."""
        self._stopping.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self.token}"):
            return _problem(HTTPStatus.FORBIDDEN, "wrong token")
        verb = self._verbs.get(request.path.removeprefix("/"))
        if verb is None:
            return _problem(HTTPStatus.NOT_FOUND, f"no verb {request.path}")
        try:
            return web.json_response(await verb(**json.loads(await request.read())))
        except KeyError as error:
            return _problem(HTTPStatus.NOT_FOUND, f"there is no {error}")
        except (TypeError, ValueError) as error:
            return _problem(HTTPStatus.BAD_REQUEST, str(error))


def _problem(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
