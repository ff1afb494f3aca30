# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control endpoint: ``POST /VERB`` with arguments as a JSON object and the token of ``lab.json``; both ends of it."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from lab.listener import ADDRESS
from lab.server import Lab

#: Where a running lab says how to reach it, in its directory.
STATE_FILE = "lab.json"


class Endpoint:
    """The server side, in the lab's loop."""

    def __init__(self, lab: Lab, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self.token = secrets.token_hex(16)
        self._verbs: dict[str, Callable[..., Awaitable[Any]]] = {
            verb.__name__: verb
            for verb in (
                lab.status,
                lab.state,
                lab.counters,
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


class ControlError(Exception):
    """The lab refused a verb, or there is no lab."""


class Control:
    """The client side, for a lab running in a directory."""

    def __init__(self, directory: Path) -> None:
        """Raises ``ControlError`` when no lab runs there."""
        try:
            state = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ControlError(f"no lab runs in {directory}") from error
        self._url = state["url"]
        self._token = state["token"]
        # Never through a proxy of the environment.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, verb: str, **arguments: Any) -> Any:
        """Run a verb. Raises ``ControlError``."""
        request = urllib.request.Request(
            f"{self._url}/{verb}",
            data=json.dumps(arguments).encode(),
            headers={"Authorization": f"Bearer {self._token}"},
        )
        try:
            with self._opener.open(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ControlError(json.load(error)["error"]) from error
        except OSError as error:
            raise ControlError(f"the lab does not answer: {error}") from error
