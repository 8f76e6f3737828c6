"""The check of images and labels, in a process of its own: Slicer answers meanwhile."""

from __future__ import annotations

import json

from slicer.i18n import tr as _

import MotionQALib
import MotionQATrainerLib
from MotionQALib.signals import Signal
from MotionQAWidgets.child import ChildProcess

START = "from MotionQATrainerLib.data import check_process; check_process.main(sys.argv[1:])"


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
        self._process: ChildProcess | None = None
        self._answer: dict | None = None

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, data: str, labels: str | None) -> None:
        self.stop()
        self._answer = None
        paths = [data] if labels is None else [data, labels]
        process = ChildProcess(START, *paths, packages=[MotionQALib, MotionQATrainerLib])
        self._process = process
        process.line.connect(self._on_line)
        process.ended.connect(self._on_end)

    def stop(self) -> None:
        """End it without an answer."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _on_line(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
        except ValueError:  # a package that prints
            return
        if "done" in answer:
            self.progress.emit(answer["done"], answer["total"])
        else:
            self._answer = answer

    def _on_end(self, log: list[str]) -> None:
        self._process, answer = None, self._answer
        if answer is None:
            text = _("The data could not be checked ({reason}).")
            answer = {"problem": text.format(reason=log[-1] if log else _("no reason given"))}
        self.finished.emit(answer)
