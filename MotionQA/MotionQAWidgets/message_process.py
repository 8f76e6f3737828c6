"""A child process that says messages a line each, as Qt sees it."""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path

import qt

from MotionQALib import protocol
from MotionQALib.signals import Signal

from .child import python_programs

START = (
    "import importlib, sys; sys.path[0] = sys.argv[1]; importlib.import_module(sys.argv[2]).main()"
)
"""What the child runs; its folder stands for the current one, whose files could be anything."""

AT_ONCE = 200
"""Messages that are told in one turn of Qt's event loop: an earlier run's come by thousands."""

DYING = 1000
"""Milliseconds that closing waits for the end that it forces."""


class MessageProcess:
    """Runs a module's `main` and tells what it says, from the event loop.

    Parameters
    ----------
    module : dotted, of MotionQALib

    Signals
    -------
    received(Message)
    ended(log) : the last signal; the last lines of its error stream, empty where it ended well
    """

    def __init__(self, module: str) -> None:
        self.received, self.ended = Signal(), Signal()
        self._log: deque[str] = deque(maxlen=30)
        self._rest = b""
        self._untold: deque[protocol.Message] = deque()
        self._over = False
        self._telling = qt.QTimer()
        self._telling.interval = 0
        self._telling.timeout.connect(self._tell)
        process = self._process = qt.QProcess()
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_finished)
        library = str(Path(protocol.__file__).parents[1])
        process.start(python_programs()[0], ["-c", START, library, module])

    def send(self, message: protocol.Message) -> None:
        if self._process is not None:
            self._process.write(message.encode())

    def kill(self) -> None:
        """End it; no signal follows."""
        process, self._process = self._process, None
        self._telling.stop()
        self.received.disconnect()
        self.ended.disconnect()
        if process is not None:
            process.kill()
            process.waitForFinished(DYING)

    def _on_output(self, *_args) -> None:
        if self._process is None:
            return
        said = self._rest + self._process.readAllStandardOutput().data()
        *lines, self._rest = said.split(b"\n")
        for line in lines:
            try:
                self._untold.append(protocol.decode(line))
            except protocol.ProtocolError as error:
                logging.warning("MotionQA: %s", error)
        self._telling.start()

    def _on_log(self, *_args) -> None:
        if self._process is not None:
            text = self._process.readAllStandardError().data().decode("utf-8", "replace")
            self._log += [line for line in text.splitlines() if line.strip()]

    def _on_error(self, error, *_args) -> None:
        """All errors but this one are followed by the process's end."""
        if self._process is not None and error == qt.QProcess.FailedToStart:
            self._log.append(self._process.errorString())
            self._over = True
            self._telling.start()

    def _on_finished(self, *_args) -> None:
        if self._process is not None:
            self._on_output()  # what it said last
            self._on_log()
            self._over = True

    def _tell(self, *_args) -> None:
        for _number in range(min(AT_ONCE, len(self._untold))):
            self.received.emit(self._untold.popleft())
            if self._process is None:  # it was ended by whoever heard it
                return
        if self._untold:
            return
        self._telling.stop()
        if self._over:
            self._process = None
            if self._log:
                logging.info("MotionQA's process said:\n%s", "\n".join(self._log))
            self.ended.emit(list(self._log))
