"""The grading process as Qt sees it: one life of it, from start to end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path

import qt

from MotionQALib import protocol
from MotionQALib.signals import Signal

START = (
    "import sys; sys.path[0] = sys.argv[1]; "
    "from MotionQALib import worker; worker.main(sys.argv[2])"
)
"""What the child runs; its folder stands for the current one, whose files could be anything."""

FAREWELL, DYING = 30, 10
"""Milliseconds that closing waits for the end it asks for, and then for the one it forces."""

_leaving: list = []
"""QProcesses told to end: Qt would wait for each, were it let go before it has ended."""


def python_programs() -> list[str]:
    """Pythons to try, the best first.

    Slicer's PythonSlicer only launches python-real, for which the environment here is right too.
    Started directly it dies when it is killed, and when Slicer does.
    """
    python = Path(sys.executable)
    real = python.with_name(f"python-real{python.suffix if python.suffix == '.exe' else ''}")
    return [str(real), str(python)] if real.is_file() else [str(python)]


class Child:
    """Starts a worker and passes its messages on.

    What happens is told from the event loop, never from inside a signal of the QProcess: whoever
    hears it may open a dialog, or end the process.

    Signals
    -------
    received(Message)
    died() : it ended though nobody asked it to, or never started; the last signal

    Attributes
    ----------
    ready, up : it reads requests; it has imported torch
    log : the last lines of its error stream
    """

    def __init__(self, program: str, device: str) -> None:
        self.received = Signal()
        self.died = Signal()
        self.ready = self.up = False
        self.log: deque[str] = deque(maxlen=30)
        self._pid = 0
        self._rest = b""
        self._untold: deque[protocol.Message | None] = deque()
        process = self._process = qt.QProcess()
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_finished)
        process.start(program, ["-c", START, str(Path(protocol.__file__).parents[1]), device])

    def send(self, message: protocol.Message) -> None:
        if self._process is not None:
            self._process.write(message.encode())

    def kill(self) -> None:
        """End it whatever it does, without waiting; no signal follows."""
        process = self._leave()
        if process is not None:
            self._kill(process)

    def close(self) -> None:
        """Ask it to end, and make it if it does not at once; no signal follows."""
        process = self._leave()
        if process is None:
            return
        process.write(protocol.Quit().encode())
        process.closeWriteChannel()
        if not process.waitForFinished(FAREWELL):
            self._kill(process)
            process.waitForFinished(DYING)

    def _leave(self):
        """Hear nothing more of the QProcess, which is kept until it has ended; None if it has."""
        process, self._process = self._process, None
        self._untold.clear()
        if process is not None:
            _leaving.append(process)
            process.finished.connect(_forget_later)
            _forget_later()
        return process

    def _kill(self, process) -> None:
        if self._pid and self._pid != process.processId():  # there is a launcher between
            with suppress(OSError):
                os.kill(self._pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.kill()

    def _tell(self, news: protocol.Message | None) -> None:
        self._untold.append(news)
        qt.QTimer.singleShot(0, self._tell_next)

    def _tell_next(self) -> None:
        if not self._untold:  # it was left meanwhile
            return
        message = self._untold.popleft()
        if message is None:
            self._leave()
            self.died.emit()
        else:
            self.received.emit(message)

    def _on_output(self, *_) -> None:
        if self._process is None:
            return
        said = self._rest + self._process.readAllStandardOutput().data()
        *lines, self._rest = said.split(b"\n")
        for line in lines:
            try:
                message = protocol.decode(line)
            except protocol.ProtocolError as error:
                logging.warning("MotionQA's grading process: %s", error)
                continue
            if isinstance(message, protocol.Ready):
                self.ready, self._pid = True, message.pid
            self.up = self.up or isinstance(message, protocol.Device)
            self._tell(message)

    def _on_log(self, *_) -> None:
        if self._process is not None:
            lines = self._process.readAllStandardError().data().decode("utf-8", "replace")
            self.log += [line for line in lines.splitlines() if line.strip()]

    def _on_error(self, error, *_) -> None:
        """All errors but this one are followed by the process's end."""
        if self._process is not None and error == qt.QProcess.FailedToStart:
            self.log.append(self._process.errorString())
            self._tell(None)

    def _on_finished(self, *_) -> None:
        if self._process is not None:
            self._on_output()  # what it said last
            self._on_log()
            self._tell(None)


def wait_for_ends(milliseconds: int) -> None:
    """Wait for what was told to end, so that Qt need not when the application has gone."""
    for process in _leaving:
        process.waitForFinished(milliseconds)
    _forget_ended()


def _forget_later(*_) -> None:
    qt.QTimer.singleShot(0, _forget_ended)


def _forget_ended() -> None:
    _leaving[:] = [process for process in _leaving if process.state() != qt.QProcess.NotRunning]
