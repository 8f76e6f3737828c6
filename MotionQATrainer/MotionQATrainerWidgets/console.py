"""`train`, `compare` and `attach` for Slicer's Python console: the library's, and watched over."""

from __future__ import annotations

from functools import wraps

from MotionQATrainerLib import api
from MotionQATrainerLib.run import Run

from . import console_lines, trainings


@wraps(api.train)
def train(*arguments, **options):
    return _watched(api.train(*arguments, **options))


@wraps(api.compare)
def compare(*arguments, **options):
    return _watched(api.compare(*arguments, **options))


@wraps(api.attach)
def attach(folder):
    return _watched(api.attach(folder))


def _watched(run):
    """A run whose lines are printed and which the panel lists; a table as it is."""
    if isinstance(run, Run):
        console_lines.follow(trainings.shared())
        trainings.shared().add(run)
    return run
