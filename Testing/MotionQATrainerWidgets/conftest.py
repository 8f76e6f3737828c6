"""Tests of the trainer's window: they run in the host that stands in for Slicer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from host.fixtures import *  # noqa: F403

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def rated_set(tmp_path_factory) -> Path:
    """Folder of a small rated set with its IQA.csv; read only."""
    from rated import write_set

    return write_set(tmp_path_factory.mktemp("rated"))


@pytest.fixture
def console(host, monkeypatch):
    """The module as the console imports it, in a Slicer that was just started."""
    import slicer

    host.load_module("MotionQATrainer")
    from real_trainings import restart

    from MotionQATrainerWidgets import training_outcome, trainings

    # An epoch on a few tiny images may teach nothing; here that is not to count.
    monkeypatch.setattr(training_outcome, "validation_kappa", lambda _training: 0.5)
    restart(host)
    yield sys.modules["MotionQATrainer"]
    for training in trainings.shared().running:
        training.run.kill()
    restart(host)  # first: while it winds up, it may record that they ended
    slicer.app.settings().remove(trainings.SETTING)
