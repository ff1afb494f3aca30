# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both connection plugins share: they speak HTTP through requests. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from .._session.errors import TooLargeError, UnreachableError
from .session import MAX_ANSWER_BYTES

#: The code page that Ansible's own connections open their shells with.
UTF8_CODE_PAGE = 65001

# If they are missing, the connection plugin has said so before this is used.
with suppress(ImportError):
    import requests
    from requests.utils import select_proxy

# Ansible forks a process for every task and host, once this is imported. OpenSSL looks a cipher up when it is first used, in each
# of them again: for that of NTLM, about a tenth of what a task takes there.
with suppress(ImportError):
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    with suppress(UnsupportedAlgorithm):
        Cipher(ARC4(bytes(16)), mode=None).encryptor()

_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
#: Characters of a text that is not ours, in a message.
_MOST_SHOWN = 300
#: A challenge that answers a token with a token.
_TOKEN = re.compile(r"\b(negotiate|kerberos|credssp|ntlm) +[a-z0-9+/]{8}", re.I)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Watch:
    """What was seen of the HTTP exchange with a listener, and what is not let through: redirects, answers that are too large.

    :ivar heard: There was an answer.
    :ivar answered: There was an answer that is no demand to authenticate: from then on, the login is known to work.
    :ivar offers: The schemes of the last WWW-Authenticate, but for answers to a token.
    :ivar spoke: The listener has answered a token with one of its own: what goes wrong from then on is of this machine.
    :ivar proxy: The proxy that the last request went through, without its credentials.
    """

    def __init__(self) -> None:
        self.heard = False
        self.answered = False
        self.offers: tuple[str, ...] = ()
        self.spoke = False
        self.proxy: str | None = None

    def over(self, session: requests.Session) -> None:
        """Watch all that a session sends, what it sends to authenticate included."""
        # The libraries have taken the proxy from the environment when they made the session. Requests would search all of it again for
        # each request, which is most of what its own code takes.
        session.trust_env = False
        for prefix, adapter in list(session.adapters.items()):
            if not isinstance(adapter, _Adapter):
                session.mount(prefix, _Adapter(adapter, self))  # type: ignore[arg-type]

    def before(self, request: requests.PreparedRequest, proxies: Any) -> None:
        """Note how a request goes out."""
        proxy = select_proxy(request.url or "", proxies)
        self.proxy = re.sub("//[^/@]*@", "//", proxy) if proxy else None

    def after(self, response: requests.Response) -> None:
        """Note how it was answered.

        :raises UnreachableError: By a redirect, or by a proxy that demands a login.
        :raises TooLargeError: By more than ``MAX_ANSWER_BYTES``; raised while it is read, if it does not say so at the start.
        """
        self.heard = True
        if 300 <= response.status_code < 400:
            response.close()
            target = shown(response.headers.get("Location", "another place"))
            raise UnreachableError(
                f"{response.url} answered{self.through} with a redirect to {target} (HTTP {response.status_code}). None is followed, "
                "since secrets would go with it: have ansible_host, the port and the scheme name the WinRM listener itself."
            )
        if response.status_code == 407:
            # The libraries that authenticate would give it the machine's own credentials.
            response.close()
            raise UnreachableError(
                f"{response.url} answered{self.through} HTTP 407: the proxy demands a login of its own. Give it in the proxy's URL, or go "
                "around the proxy: name the machine in NO_PROXY."
            )
        _limit(response)
        if response.status_code == 401:
            challenges = response.headers.get("WWW-Authenticate", "")[:65536]
            if _TOKEN.search(challenges):
                self.spoke = True
                # All that it offers stood in the answer before it, if there was one.
                self.offers = self.offers or _schemes(challenges)
            else:
                self.offers = _schemes(challenges)
        else:
            self.answered = True

    @property
    def through(self) -> str:
        """`` through the proxy …``, or nothing if there was none."""
        return f" through the proxy {self.proxy}" if self.proxy else ""


class _Adapter:
    """What requests takes for the way out, and the way out behind it."""

    def __init__(self, adapter: Any, watch: Watch) -> None:
        self._adapter = adapter
        self._watch = watch

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self._watch.before(request, options.get("proxies"))
        response: requests.Response = self._adapter.send(request, **options)
        self._watch.after(response)
        # The libraries that authenticate send their further requests by this.
        response.connection = self  # type: ignore[assignment]
        return response

    def close(self) -> None:
        self._adapter.close()


def shown(text: str) -> str:
    """What a machine or a library said, for a message: one line of bounded length."""
    line = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return line if len(line) <= _MOST_SHOWN else line[:_MOST_SHOWN] + "..."


def _schemes(challenges: str) -> tuple[str, ...]:
    """The schemes of a WWW-Authenticate header (RFC 9110, 11.6.1), without their parameters."""
    found = []
    for part in challenges.split(","):
        word = part.strip().partition(" ")[0]
        if word == _MUTUAL:
            found.append("client certificates")
        elif re.fullmatch("[A-Za-z][A-Za-z0-9-]{0,30}", word):
            found.append(word)
    return tuple(dict.fromkeys(found))[:8]


def _limit(response: requests.Response) -> None:
    def too_large() -> TooLargeError:
        response.close()
        return TooLargeError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")

    declared = response.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > MAX_ANSWER_BYTES:
        raise too_large()

    stream = response.raw.stream

    def limited(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        size = 0
        for chunk in stream(*args, **kwargs):
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise too_large()
            yield chunk

    response.raw.stream = limited  # type: ignore[method-assign]
