import importlib.util

import pytest

from MotionQATrainerLib.runs.progress import Event
from MotionQATrainerLib.runs.tensorboard import with_tensorboard


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="not installed")
def test_figures_reach_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    progress = with_tensorboard(tmp_path, lambda event: None)
    progress(Event("validate", "", 1, 2, {"step": 7.0, "valid_kappa": 0.5, "epoch": 1.0}))
    found = EventAccumulator(str(tmp_path))
    found.Reload()
    assert found.Tags()["scalars"] == ["valid/kappa"]
    assert [(s.step, s.value) for s in found.Scalars("valid/kappa")] == [(7, 0.5)]


def test_without_it_progress_is_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert with_tensorboard(tmp_path, print) is print
