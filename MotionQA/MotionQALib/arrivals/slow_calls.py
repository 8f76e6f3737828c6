"""Calls that may never return, as those that ask a share which hangs.

Each runs in a thread, and is waited for as long as is bearable; one that takes longer goes on, and
its answer is there for whoever asks again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Answer = TypeVar("Answer")

MOST = 8
"""Calls that wait at the same time; with so many, nothing more is asked until one has returned."""

SUSPICIOUS = 10
"""Of the patience, this part is left while another call waits: a share that hangs holds many files,
and others want to be asked."""


class StillWaiting(Exception):  # noqa: N818  it is no fault
    """There is no answer yet: ask again, later.

    Attributes
    ----------
    late : whether the whole patience has passed, so that it is to be said
    """

    def __init__(self, late: bool = False) -> None:
        super().__init__("There is no answer yet.")
        self.late = late


class SlowCalls:
    """Asks, by one thread at a time.

    Parameters
    ----------
    patience : seconds that a call is waited for, once; less while another one waits
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._waiting: dict[Hashable, tuple[Hashable, _Call]] = {}
        self._worker: queue.SimpleQueue[_Call | None] | None = None

    @property
    def unanswered(self) -> int:
        """Calls that were waited for in vain, and have not returned yet."""
        return sum(not call.done.is_set() for _, call in self._waiting.values())

    def get(self, key: Hashable, call: Callable[[], Answer], version: Hashable = None) -> Answer:
        """What the call returns, or raises.

        Parameters
        ----------
        key : of what is asked; asked again, the call that goes on is waited for no longer
        version : of what is asked; with another one the call is made anew

        Raises
        ------
        StillWaiting : it has not returned yet
        """
        known, waiting = self._waiting.pop(key, (None, None))
        seconds = 0.0
        if waiting is None or known != version:
            if self.unanswered >= MOST:
                raise StillWaiting
            seconds = self._patience / (SUSPICIOUS if self.unanswered else 1)
            waiting = _Call(call)
            if self._worker is None:
                self._worker = queue.SimpleQueue()
                threading.Thread(target=_work, args=(self._worker,), daemon=True).start()
            self._worker.put(waiting)
        if not waiting.done.wait(seconds):
            self._waiting[key] = version, waiting
            if seconds and self._worker is not None:  # its thread is left to it
                self._worker.put(None)
                self._worker = None
            raise StillWaiting(time.monotonic() - waiting.began >= self._patience)
        return waiting.answer()

    def close(self) -> None:
        """Ask nothing any more; the thread that is free ends."""
        if self._worker is not None:
            self._worker.put(None)
            self._worker = None


class _Call:
    def __init__(self, call: Callable[[], Any]) -> None:
        self._call: Callable[[], Any] | None = call
        self._answer: Any = None
        self._error: BaseException | None = None
        self.done, self.began = threading.Event(), time.monotonic()

    def run(self) -> None:
        try:
            self._answer = self._call()
        except BaseException as error:  # told to whoever asked
            self._error = error
        self._call = None
        self.done.set()

    def answer(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._answer


def _work(calls: queue.SimpleQueue) -> None:
    while (call := calls.get()) is not None:
        call.run()
        del call  # voxels, perhaps
