"""A worker process of a test's own, as whoever starts one sees it."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from MotionQALib import protocol
from processes import LATE, SOON

FOLDER = Path(protocol.__file__).parents[1]


class Child:
    """A worker process and the events it has sent."""

    def __init__(self, program: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            program or [sys.executable, "-m", "MotionQALib.worker", "cpu"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=FOLDER,
        )
        self.events: queue.Queue[protocol.Message | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.events.put(protocol.decode(line))  # stdout holds nothing but events
        self.events.put(None)

    def send(self, *messages: protocol.Message | bytes) -> None:
        for message in messages:
            self.process.stdin.write(message if isinstance(message, bytes) else message.encode())
        self.process.stdin.flush()

    def next(self, *kinds: type, seconds: float = LATE) -> protocol.Message:
        """The next event of one of the kinds; others are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            assert event is not None, f"the worker ended before it sent {kinds}"
            if isinstance(event, kinds):
                return event

    def ended(self, seconds: float = SOON) -> int:
        return self.process.wait(timeout=seconds)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
