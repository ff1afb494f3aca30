# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many machines at once, in threads of one process. Private to this collection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

#: As many as a failover cluster can have nodes; one dead machine among them costs one timeout.
MOST_AT_ONCE = 64

#: Seconds after which whoever waits looks up. Python acts on a signal, as of Ctrl-C, when its main thread runs, and one that comes just
#: before the thread falls asleep does not wake it.
_LOOK_UP = 1.0

_Parameters = ParamSpec("_Parameters")
_Answer = TypeVar("_Answer")


def as_completed(futures: Collection[Future[_Answer]]) -> Iterator[Future[_Answer]]:
    """The same in the order in which they are done, as in ``concurrent.futures``, but open to signals while it waits."""
    done: SimpleQueue[Future[_Answer]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    for _future in futures:
        yield _next(done)


def _next(done: SimpleQueue[Future[_Answer]]) -> Future[_Answer]:
    while True:
        with suppress(Empty):
            return done.get(timeout=_LOOK_UP)


class Workers:
    """Threads that wait for machines; the block ends when it is left, and not when the last machine has answered.

    Daemon threads, as those of ``concurrent.futures`` hold the process until they are done: Ctrl-C and the time limit of a task would
    wait for every machine that does not answer.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads = 0
        self._ended = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for _thread in range(self._threads):
            self._jobs.put(None)

    def submit(
        self, function: Callable[_Parameters, _Answer], *arguments: _Parameters.args, **options: _Parameters.kwargs
    ) -> Future[_Answer]:
        """Have a function called in a thread, as soon as one is free."""
        future: Future[_Answer] = Future()
        self._jobs.put((future, lambda: function(*arguments, **options)))
        if self._threads < MOST_AT_ONCE:
            self._threads += 1
            # A new thread has a context of its own, which Ansible's templating must not share.
            threading.Thread(target=self._work, daemon=True).start()
        return future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if self._ended:
                future.cancel()
                continue
            try:
                answer = call()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(answer)
