# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both connection plugins share: they speak HTTP through requests. Private to this collection."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .._session.errors import InvalidAnswerError, TooLargeError, UnreachableError
from .session import MAX_ANSWER_BYTES

#: The code page that Ansible's own connections open their shells with.
UTF8_CODE_PAGE = 65001

# If they are missing, the connection plugin has said so before this is used.
with suppress(ImportError):
    import requests
    from spnego.exceptions import SpnegoError

# Ansible forks a process for every task and host, once this is imported. OpenSSL looks a cipher up when it is first used, in each
# of them again: for that of NTLM, about a tenth of what a task takes there.
with suppress(ImportError):
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    with suppress(UnsupportedAlgorithm):
        Cipher(ARC4(bytes(16)), mode=None).encryptor()


def limit_answers(session: requests.Session) -> None:
    """Have the session refuse an answer larger than ``MAX_ANSWER_BYTES`` without reading it to its end."""
    session.hooks["response"].append(_limit)


def _limit(response: requests.Response, **_kwargs: Any) -> None:
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


@contextmanager
def translated(endpoint: str) -> Iterator[None]:
    """Turn what requests and the authentication raise into this package's errors, in plain words."""
    try:
        yield
    except requests.exceptions.Timeout as error:
        raise UnreachableError(f"no answer from {endpoint} in time ({_cause(error)})") from error
    except requests.exceptions.RequestException as error:
        raise UnreachableError(f"no connection to {endpoint}, or it was cut ({_cause(error)})") from error
    except (SpnegoError, struct.error, LookupError, ValueError) as error:
        # What the client libraries raise on an answer that cannot be decrypted or decoded.
        raise undecryptable(error) from error


def undecryptable(error: Exception) -> InvalidAnswerError:
    """The error for an answer that the client library could not decrypt."""
    return InvalidAnswerError(f"the answer could not be decrypted ({error})")


def _cause(error: BaseException) -> str:
    """The innermost reason: what the operating system or TLS said, not the stack of libraries around it."""
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = error.__cause__ or error.__context__
        if not isinstance(inner, BaseException):
            inner = next((item for item in error.args if isinstance(item, BaseException)), None)
        if inner is None:
            break
        error = inner
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()
