"""Reading with the panel: keys, buttons, what is shown, what is hidden, and what is saved."""

from __future__ import annotations

import pytest

from host import pythonqt
from MotionQALib.reading.scores import read_scores

from .room import make_study

pythonqt(__name__)


def log_of(study, reader: str = "anna"):
    return read_scores(study.scores_folder / f"{reader}.jsonl")


def scores_of(study, reader: str = "anna") -> list[int]:
    return [entry.score for entry in log_of(study, reader).entries.values()]


def test_keys_score_and_lead_on(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    assert room.open(study)
    assert room.ui.caseLabel.text == "Case 1"
    room.press("4")
    assert scores_of(study) == [4]
    assert room.saved.startswith("Saved: 4 · good")
    assert room.panel.reading.buttons._buttons[4].checked
    room.press("Space", "2", "Space", "5")
    assert scores_of(study) == [4, 2, 5]
    assert "All 3 scored" in room.ui.progressBar.format
    room.press("Space")
    assert "All cases are scored" in room.message
    room.press("Z", control=True)
    assert scores_of(study) == [4, 2] and room.ui.caseLabel.text == "Case 3"
    room.press("1")
    assert scores_of(study) == [4, 2, 1]
