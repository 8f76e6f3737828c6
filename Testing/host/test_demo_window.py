"""The end of `make demo`: the module in its window, graded and pictured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from MotionQALib.palette import GRADE_COLOURS, rgb

SCRIPT = Path(__file__).resolve().parents[1] / "demo" / "window.py"


def test_the_demo_grades_a_volume_in_the_window_and_pictures_it(phantom_file, tmp_path):
    command = [sys.executable, SCRIPT, phantom_file, "--screenshots", tmp_path / "pictures"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr
    assert "The module in its window: Volume: " in result.stdout
    assert str(tmp_path / "pictures") in result.stdout
    grades, maps = (
        np.asarray(Image.open(tmp_path / "pictures" / name).convert("RGB"), int)
        for name in ("assess.png", "relevance.png")
    )
    assert grades.shape == maps.shape == (1000, 1600, 3)
    frames = [(np.abs(grades - rgb(c.on_dark)) <= 3).all(2).sum() for c in GRADE_COLOURS.values()]
    assert sum(frames) > 5000  # around three slice views
    panel = grades[:, :440]
    assert len(np.unique(panel.reshape(-1, 3), axis=0)) > 50  # words and widgets are drawn
    assert (grades != maps).any()
