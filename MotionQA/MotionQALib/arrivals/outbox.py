"""Reports on their way to a peer, in a thread of its own: a peer that stalls delays no grade."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
"""Seconds before a report that was not taken is sent again; doubled each time."""


class Outbox:
    """Sends until it is taken.

    Parameters
    ----------
    send : sends one file; raises RuntimeError with a sentence where it was not taken
    say : called in the outbox's thread, with that sentence, once a run of failures
    """

    def __init__(self, send: Callable[[Path], None], say: Callable[[str], None]) -> None:
        self._send, self._say = send, say
        self._waiting: queue.Queue[tuple[str, Path] | None] = queue.Queue()
        self._taken: queue.Queue[str] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def offer(self, key: str, file: Path) -> None:
        """Send a file some time; ``key`` comes back from `taken` then."""
        self._waiting.put((key, file))

    def taken(self) -> list[str]:
        """Keys of files that were taken since it was asked last."""
        return list(iter(self._next_taken, None))

    def stop(self, seconds: float = 5.0) -> None:
        """End; what was not taken stays unsent."""
        self._stop.set()
        self._waiting.put(None)
        self._thread.join(seconds)

    def _next_taken(self) -> str | None:
        try:
            return self._taken.get_nowait()
        except queue.Empty:
            return None

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None and not self._stop.is_set():
            key, file = job
            pause = FIRST_PAUSE
            while not self._stop.is_set():
                try:
                    self._send(file)
                except FileNotFoundError:
                    self._say("A report is not there any more; it was not sent.")
                    break
                except Exception as error:  # whatever it is, the next report may be taken
                    if pause == FIRST_PAUSE:
                        self._say(str(error))
                    self._stop.wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                else:
                    self._taken.put(key)
                    break
