"""The trainings that this Slicer knows of: watched while they run, found again after a restart.

Each is a process of its own (`MotionQATrainerLib.training.run_process`) that goes on without
Slicer. All that is kept here is where its folder is; what it does is read there.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import cache
from pathlib import Path

import qt
import slicer

from MotionQALib.signals import Signal
from MotionQATrainerLib.runs import training_log
from MotionQATrainerLib.runs.run_folder import COMMAND, LOG, STATE
from MotionQATrainerLib.runs.training_request import TrainingRequest
from MotionQATrainerLib.training.run_process import Run
from MotionQAWidgets.child import python_programs

from . import training_outcome
from .closing import ClosingQuestion
from .publishing import publish, withhold

SETTING = "MotionQATrainer/Runs"
"""In Slicer's settings, as JSON: the runs' folders, the latest first, and which ran."""

KEPT = 20
INTERVAL = 500
"""Milliseconds between two looks at the running ones."""


class Training:
    """One training: its run, and what was read of it so far.

    Attributes
    ----------
    run : MotionQATrainerLib.training.run_process.Run
    status : MotionQATrainerLib.runs.journal.Status at the last look
    state : "starting", "running", "finished", "stopped", "failed" or "killed" at the last look
    rows : the log's figures, a dictionary an epoch; what an epoch lacks is None
    replaces : whether the user agreed that a checkpoint of its name is replaced
    """

    def __init__(self, run: Run, replaces: bool = False) -> None:
        self.run, self.replaces = run, replaces
        self.status, self.state = run.progress, run.state
        self.rows: list[dict[str, float | None]] = training_log.read(self.folder / LOG)

    @property
    def folder(self) -> Path:
        return Path(self.run.folder)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def running(self) -> bool:
        return self.state in ("starting", "running")

    @property
    def resumable(self) -> bool:
        """Whether it ended before its end, and can go on."""
        ended = self.state in ("stopped", "failed", "killed")
        return ended and all((self.folder / name).is_file() for name in (STATE, COMMAND))

    def cancel(self) -> None:
        self.run.cancel()

    def resume(self) -> Run:
        """Go on, by the command that the run's folder keeps. Raises OSError or ValueError."""
        request = TrainingRequest.from_command((self.folder / COMMAND).read_text("utf-8"))
        request = replace(request, resume=True)
        return Run.start(request, self.folder, python=python_programs()[0])

    def look(self) -> list[str]:
        """Read what is new; returns the lines that it said for people."""
        self.state = self.run.state  # before the lines: its last are read when it has ended
        lines = self.run.new_lines()
        self.status = self.run.progress
        self.rows = training_log.read(self.folder / LOG)
        return lines


class Trainings:
    """Starts, watches and finds trainings.

    Signals
    -------
    added(Training)
    said(Training, line) : only of those that were started or resumed by this Slicer
    moved(Training) : there may be something new to show
    ended(Training)
    """

    def __init__(self) -> None:
        self.added, self.said = Signal(), Signal()
        self.moved, self.ended = Signal(), Signal()
        self.known: list[Training] = []
        self._own: list[Training] = []
        self._closing: ClosingQuestion | None = None
        self._timer = qt.QTimer()
        self._timer.interval = INTERVAL
        self._timer.timeout.connect(self._on_tick)

    @property
    def running(self) -> list[Training]:
        return [training for training in self.known if training.running]

    @property
    def watching(self) -> bool:
        """Whether it looks at trainings now and then."""
        return self._timer.active

    def add(self, run: Run, replaces: bool = False) -> Training:
        """Watch a run that was just started."""
        training = Training(run, replaces)
        self._own.append(training)
        self._enter(training)
        return training

    def find_again(self) -> None:
        """Attach to the recorded runs that are not known yet; those that are gone are left out."""
        for folder, ran in _recorded().items():
            if self.of_folder(folder) is not None or not folder.is_dir():
                continue
            try:
                training = Training(Run.attach(folder))
            except OSError as error:
                logging.info("MotionQA: the training in %s cannot be read: %s", folder, error)
                continue
            self.known.append(training)
            if ran and not training.running:  # it ended while Slicer was closed
                self._publish(training)
            self._watch()
        _record(self.known)

    def forget(self, training: Training) -> None:
        """Know nothing of it any more, also after a restart; its folder stays."""
        self.known = [other for other in self.known if other is not training]
        _record(self.known, but=training.folder)

    def of_folder(self, folder: Path) -> Training | None:
        return next((t for t in self.known if t.folder == Path(folder)), None)

    def _enter(self, training: Training) -> None:
        self.known = [training, *(t for t in self.known if t.folder != training.folder)]
        _record(self.known)
        self.added.emit(training)
        self._watch()

    def _watch(self) -> None:
        if self.running:
            self._timer.start()
            if self._closing is None:
                self._closing = ClosingQuestion(lambda: self.running)

    def _on_tick(self, *_args) -> None:
        for training in self.running:
            lines = training.look()
            if training in self._own:
                for line in lines:
                    self.said.emit(training, line)
            self.moved.emit(training)
            if not training.running:
                self._publish(training)
                _record(self.known)
                self.ended.emit(training)
        if not self.running:
            self.rest()

    def _publish(self, training: Training) -> None:
        if training.state != "finished":
            return
        if training_outcome.learned_nothing(training):
            withhold(training.run.checkpoint)
        else:
            publish(training.run.checkpoint, replace=training.replaces)

    def rest(self) -> None:
        """Watch no more; what trains goes on."""
        self._timer.stop()
        if self._closing is not None:
            self._closing.remove()
            self._closing = None


@cache
def shared() -> Trainings:
    """The one that console and panel share."""
    return Trainings()


def _recorded() -> dict[Path, bool]:
    """Folders, and whether a training ran there when that was last written."""
    try:
        found = json.loads(slicer.app.settings().value(SETTING, "{}"))
        return {Path(folder): bool(ran) for folder, ran in found.items()}
    except (TypeError, ValueError, AttributeError):
        return {}


def _record(trainings: list[Training], but: Path | None = None) -> None:
    """Remember these before those that are recorded already, but for one folder."""
    found = {training.folder: training.running for training in trainings}
    kept = [*found.items(), *((f, ran) for f, ran in _recorded().items() if f not in found)]
    kept = [(folder, ran) for folder, ran in kept if folder != but]
    text = json.dumps({str(folder): ran for folder, ran in kept[:KEPT]})
    slicer.app.settings().setValue(SETTING, text)
