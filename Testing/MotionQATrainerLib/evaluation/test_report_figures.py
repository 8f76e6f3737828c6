"""The numbers of a report's pictures, counted by hand."""

from __future__ import annotations

import json

import numpy as np

from MotionQATrainerLib.evaluation.report_figures import (
    confusion_matrix,
    reliability_points,
    write_figures,
)

LEVELS = np.eye(5, dtype=bool)[[4, 3, 2, 0, 1]]
"""Labelled 5, 4, 3, 1 and 2."""

PROBABILITIES = np.array(
    [
        [0.0, 0.0, 0.1, 0.2, 0.7],  # mild, right
        [0.0, 0.3, 0.6, 0.1, 0.0],  # moderate where it was mild
        [0.0, 0.1, 0.8, 0.1, 0.0],  # moderate, right
        [0.9, 0.1, 0.0, 0.0, 0.0],  # severe, right
        [0.2, 0.2, 0.2, 0.2, 0.2],  # moderate where it was severe
    ]
)


def test_rows_are_labels_and_columns_what_was_graded():
    matrix = confusion_matrix(LEVELS, PROBABILITIES)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 1]]


def test_bins_hold_about_equally_many_slices_the_least_sure_first():
    points = reliability_points(LEVELS, PROBABILITIES, n_bins=2)
    assert [point["count"] for point in points] == [3, 2]
    assert [round(point["right"], 3) for point in points] == [0.333, 1.0]
    np.testing.assert_allclose(points[0]["confidence"], (0.2 + 0.6 + 0.8) / 3)
    np.testing.assert_allclose(points[1]["confidence"], (0.9 + 1.0) / 2)


def test_they_are_written_for_others(tmp_path):
    write_figures(tmp_path / "figures.json", "test", LEVELS, PROBABILITIES)
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content["part"] == "test" and sum(map(sum, content["confusion"])) == 5
    assert sum(point["count"] for point in content["reliability"]) == 5
