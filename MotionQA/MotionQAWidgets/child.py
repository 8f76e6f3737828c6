"""A child process as Qt sees it: one life of it, from start to end.

All of this module's processes are one of these, so that none keeps Slicer's main thread waiting
and none is let go of before it has ended, for which Qt would wait.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from pathlib import Path

import qt

from MotionQALib.signals import Signal

PREPARE = "import json, sys; sys.path[:1] = json.loads(sys.argv.pop(1)); "
"""What every child does first; its folder stood for the current one, whose files could be
anything."""

AT_ONCE = 200
"""Lines that are told in one turn of Qt's event loop: an earlier run's come by thousands."""

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


class ChildProcess:
    """Runs Python code and tells what it says, a line each.

    What happens is told from the event loop, never from inside a signal of the QProcess: whoever
    hears it may open a dialog, end the process, or begin another one.

    Parameters
    ----------
    code : what it runs
    arguments : its ``sys.argv[1:]``
    packages : packages of ours that it imports; the folders that they are in go with it
    program : the Python; by default the best one

    Signals
    -------
    line(bytes) : of its output, without the line's end
    ended(log) : it ended though nobody asked it to, or never started; the last signal

    Attributes
    ----------
    log : the last lines of its error stream
    status : how it ended; None while it runs, and where it crashed or never started
    """

    def __init__(self, code: str, *arguments: str, packages, program: str | None = None) -> None:
        self.line, self.ended = Signal(), Signal()
        self.log: deque[str] = deque(maxlen=30)
        self.status: int | None = None
        self._rest = b""
        self._untold: deque[bytes] = deque()
        self._over = False
        self._telling = qt.QTimer()
        self._telling.interval = 0
        self._telling.timeout.connect(self._tell)
        process = self._process = qt.QProcess()
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_log)
        process.errorOccurred.connect(self._on_error)
        process.finished.connect(self._on_finished)
        folders = json.dumps(sorted({str(Path(p.__file__).parents[1]) for p in packages}))
        program = program or python_programs()[0]
        process.start(program, ["-c", PREPARE + code, folders, *arguments])

    @property
    def running(self) -> bool:
        """Whether its end has not been told yet."""
        return self._process is not None

    def write(self, data: bytes) -> None:
        """Write to its input."""
        if self._process is not None:
            self._process.write(data)

    def end_input(self) -> None:
        """It will read nothing more."""
        if self._process is not None:
            self._process.closeWriteChannel()

    def kill(self) -> None:
        """End it whatever it does, without waiting; no signal follows."""
        process = self._leave()
        if process is not None:
            self._kill(process)

    def close(self, farewell: bytes = b"") -> None:
        """Ask it to end, and make it if it does not at once; no signal follows."""
        process = self._leave()
        if process is None:
            return
        process.write(farewell)
        process.closeWriteChannel()
        if not process.waitForFinished(FAREWELL):
            self._kill(process)
            process.waitForFinished(DYING)

    def _leave(self):
        """Hear nothing more of the QProcess, which is kept until it has ended; None if it has."""
        process, self._process = self._process, None
        self._telling.stop()
        self._untold.clear()
        if process is not None:
            _leaving.append(process)
            process.finished.connect(_forget_later)
            _forget_later()
        return process

    def _kill(self, process) -> None:
        process.kill()

    def _on_output(self, *_args) -> None:
        if self._process is not None:
            said = self._rest + self._process.readAllStandardOutput().data()
            *lines, self._rest = said.split(b"\n")
            self._untold += lines
            self._telling.start()

    def _on_log(self, *_args) -> None:
        if self._process is not None:
            text = self._process.readAllStandardError().data().decode("utf-8", "replace")
            self.log += [line for line in text.splitlines() if line.strip()]

    def _on_error(self, error, *_args) -> None:
        """All errors but this one are followed by the process's end."""
        if self._process is not None and error == qt.QProcess.FailedToStart:
            self.log.append(self._process.errorString())
            self._over = True
            self._telling.start()

    def _on_finished(self, *_args) -> None:
        if self._process is not None:
            self._on_output()  # what it said last
            self._on_log()
            if self._process.exitStatus() == qt.QProcess.NormalExit:
                self.status = self._process.exitCode()
            self._over = True

    def _tell(self, *_args) -> None:
        for _number in range(AT_ONCE):
            if not self._untold:  # whoever heard one may have let the event loop tell the rest
                break
            self._tell_line(self._untold.popleft())
            if self._process is None:  # it was ended by whoever heard it
                return
        if self._untold:
            return
        self._telling.stop()
        if self._over:
            self._leave()
            if self.log:
                logging.info("MotionQA's process, last lines:\n%s", "\n".join(self.log))
            self.ended.emit(list(self.log))

    def _tell_line(self, line: bytes) -> None:
        self.line.emit(line)


def wait_for_ends(milliseconds: int) -> None:
    """Wait for what was told to end, so that Qt need not when the application has gone."""
    for process in _leaving:
        process.waitForFinished(milliseconds)
    _forget_ended()


def _forget_later(*_) -> None:
    qt.QTimer.singleShot(0, _forget_ended)


def _forget_ended() -> None:
    _leaving[:] = [process for process in _leaving if process.state() != qt.QProcess.NotRunning]
