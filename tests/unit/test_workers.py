"""Threads that wait for machines."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.workers import Workers, as_completed


@pytest.fixture
def answer() -> Iterator[threading.Event]:
    """What a machine waits for that does not answer; it does in the end, so that a test that fails does not hang."""
    event = threading.Event()
    timer = threading.Timer(20, event.set)
    timer.start()
    yield event
    event.set()
    timer.cancel()


def test_answers_come_in_the_order_in_which_they_are_there(answer: threading.Event) -> None:
    with Workers() as workers:
        late: Future[bool] = workers.submit(answer.wait)
        early = workers.submit(str)
        found = as_completed([late, early])
        assert next(found) is early
        answer.set()
        assert list(found) == [late]


def test_a_signal_is_acted_on_while_nothing_answers(answer: threading.Event) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def machine() -> None:
        asleep = 0
        while asleep < 100:
            state = Path(f"/proc/self/task/{threading.main_thread().native_id}/stat").read_text().rpartition(") ")[2]
            asleep = asleep + 1 if state.startswith("S") else 0
        # As a signal that comes just before the main thread falls asleep, one that another thread gets does not wake it.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        answer.wait()

    former = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with Workers() as workers, pytest.raises(KeyboardInterrupt):
            list(as_completed([workers.submit(machine)]))
        assert not answer.is_set()
    finally:
        signal.signal(signal.SIGUSR1, former)
