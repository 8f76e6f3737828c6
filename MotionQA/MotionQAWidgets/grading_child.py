"""The grading process as Qt sees it: one life of it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from MotionQALib import protocol

from .message_process import MessageProcess


class GradingChild(MessageProcess):
    """Starts a worker and passes its messages on.

    Attributes
    ----------
    ready, up : it reads requests; it has imported torch
    pid : its own number, 0 until it is ready; a launcher may stand between
    """

    def __init__(self, program: str, device: str) -> None:
        self.ready = self.up = False
        self.pid = 0
        super().__init__("MotionQALib.worker", device, program=program)

    @property
    def launched(self) -> int:
        """The number of the process that was started here."""
        return self._process.processId()

    def leave(self) -> None:
        """Ask it to end, and make it if it does not at once; no signal follows."""
        self.close(protocol.Quit().encode())

    def _kill(self, process) -> None:
        if self.pid and self.pid != process.processId():  # there is a launcher between
            with suppress(OSError):
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.kill()

    def _tell_message(self, message: protocol.Message) -> None:
        if isinstance(message, protocol.Ready):
            self.ready, self.pid = True, message.pid
        self.up = self.up or isinstance(message, protocol.Device)
        super()._tell_message(message)
