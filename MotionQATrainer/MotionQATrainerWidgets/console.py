"""`train`, `compare` and `attach` for Slicer's Python console: the library's, and watched over."""

from __future__ import annotations

import time
from functools import wraps
from pathlib import Path

import slicer

from MotionQATrainerLib import api
from MotionQATrainerLib.runs.training_request import TrainingRequest
from MotionQATrainerLib.training.run_process import Run
from MotionQAWidgets import dependencies
from MotionQAWidgets.child import python_programs

from . import console_lines, trainings

REQUIREMENTS = (
    Path(__file__).resolve().parents[1] / "Resources" / "MotionQATrainer-requirements.txt"
)


@wraps(api.train)
def train(*arguments, **options):
    _ensure_packages()
    run = api.train(*arguments, **{"python": python_programs()[0], **options})
    return watched(run, replaces=bool(options.get("overwrite")))


def start(request: TrainingRequest, *, replaces: bool):
    """Start what the panel asks for; ``replaces``: the user agreed to lose what has its name."""
    _ensure_packages()
    return watched(api.start(request, python=python_programs()[0]), replaces=replaces)


@wraps(api.compare)
def compare(*arguments, **options):
    _ensure_packages()
    return watched(api.compare(*arguments, **{"python": python_programs()[0], **options}))


@wraps(api.attach)
def attach(folder):
    return watched(api.attach(folder))


def watched(run, *, replaces: bool = False):
    """A run whose lines are printed and which the panel lists; a table as it is."""
    if isinstance(run, Run):
        run.idle = _answer
        console_lines.follow(trainings.shared())
        trainings.shared().add(run, replaces)
    return run


def _answer() -> None:
    """Let Slicer's window answer while somebody waits for a run."""
    slicer.app.processEvents()
    time.sleep(0.01)


def _ensure_packages() -> None:
    """Ask once for what is missing; RuntimeError says what is not there in the end."""
    problem = dependencies.ensure(REQUIREMENTS)
    if problem is not None:
        raise RuntimeError(problem)
