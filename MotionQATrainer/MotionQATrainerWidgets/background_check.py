"""The check of images and labels, in a process of its own: Slicer answers meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import qt
from slicer.i18n import tr as _

import MotionQALib
import MotionQATrainerLib
from MotionQALib.signals import Signal
from MotionQAWidgets.child import python_programs

START = (
    "import sys; sys.path[0] = sys.argv[1]; sys.path.insert(1, sys.argv[2]); "
    "from MotionQATrainerLib.data import check_process; check_process.main(sys.argv[3:])"
)


class BackgroundCheck:
    """One check at a time; beginning another one ends the one before.

    Signals
    -------
    progress(done, total) : images read, images to read
    finished(answer) : what `MotionQATrainerLib.data.check_process` answers: a dictionary with
        ``found``, ``clean`` or ``problem``
    """

    def __init__(self) -> None:
        self.progress, self.finished = Signal(), Signal()
        self._process = None
        self._rest = b""
        self._answer: dict | None = None

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, data: str, labels: str | None) -> None:
        self.stop()
        self._rest, self._answer = b"", None
        packages = [str(Path(p.__file__).parents[1]) for p in (MotionQALib, MotionQATrainerLib)]
        process = self._process = qt.QProcess()
        process.readyReadStandardOutput.connect(self._on_output)
        process.finished.connect(self._on_end)
        process.errorOccurred.connect(self._on_error)
        paths = [data] if labels is None else [data, labels]
        process.start(python_programs()[0], ["-c", START, *packages, *paths])

    def stop(self) -> None:
        """End it without an answer."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(1000)

    def _on_output(self, *_args) -> None:
        if self._process is None:
            return
        said = self._rest + self._process.readAllStandardOutput().data()
        *lines, self._rest = said.split(b"\n")
        for line in lines:
            try:
                answer = json.loads(line)
            except ValueError:  # a package that prints
                continue
            if "done" in answer:
                self.progress.emit(answer["done"], answer["total"])
            else:
                self._answer = answer

    def _on_error(self, error, *_args) -> None:
        if error == qt.QProcess.FailedToStart:
            self._on_end()

    def _on_end(self, *_args) -> None:
        """From the event loop: whoever hears it may begin another check, and Qt is still inside
        this signal of the process, which must not lose its last reference here."""
        if self._process is not None:
            process = self._process
            qt.QTimer.singleShot(0, lambda: self._tell(process))

    def _tell(self, process) -> None:
        if process is not self._process:  # it was stopped meanwhile
            return
        self._on_output()
        self._process, answer = None, self._answer
        if answer is None:
            said = process.readAllStandardError().data().decode("utf-8", "replace").split("\n")
            reason = ([line for line in said if line.strip()] or [process.errorString()])[-1]
            text = _("The data could not be checked ({reason}).")
            answer = {"problem": text.format(reason=reason)}
        self.finished.emit(answer)
