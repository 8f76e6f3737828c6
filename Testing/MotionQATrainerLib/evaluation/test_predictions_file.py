"""From the file of predictions, anyone gets the figures that `evaluate` prints."""

import csv
import json

import numpy as np
import pytest

from MotionQALib import checkpoints
from MotionQATrainerLib.cli import main
from MotionQATrainerLib.data.labels import Label, levels_of_grade
from MotionQATrainerLib.evaluation.labelled_predictions import GradedImages
from MotionQATrainerLib.evaluation.predictions_file import COLUMNS, write_predictions

GRADES = ("mild", "moderate", "severe")


@pytest.fixture(scope="module")
def evaluated(rated_set, tmp_path_factory):
    """Rows and figures of a starter that has seen this set, so that it grades all ways."""
    folder = tmp_path_factory.mktemp("evaluated")
    network, table, figures = (folder / name for name in ("a.safetensors", "a.csv", "a.json"))
    data = ["--data", str(rated_set.folder), "--labels", str(rated_set.scores)]
    assert main(["fit", "--from", checkpoints.STARTER, "--what", "head", *data,
                 "--output", str(network)]) == 0  # fmt: skip
    assert main(["evaluate", str(network), *data, "--part", "all", "--no-baselines",
                 "--predictions", str(table), "--json", str(figures)]) == 0  # fmt: skip
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads(figures.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("unit", "count"), [("volume", 32), ("slice", 96)])
def test_the_figures_can_be_had_from_the_rows_alone(evaluated, unit, count):
    from scipy.stats import spearmanr
    from sklearn.metrics import (
        accuracy_score,
        balanced_accuracy_score,
        cohen_kappa_score,
        mean_absolute_error,
        roc_auc_score,
    )

    rows, figures = evaluated
    rows = [row for row in rows if row["unit"] == unit]
    assert len(rows) == count
    truth = [GRADES.index(row["label_grade"]) for row in rows]
    grades = [GRADES.index(row["grade"]) for row in rows]
    assert set(grades) == {0, 1, 2}, "a network that always says the same proves nothing"
    scores, reported = ([int(row[name]) for row in rows] for name in ("label_score", "score"))
    probabilities = np.array([[float(row[f"p{s}"]) for s in range(1, 6)] for row in rows])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    expected = {
        "accuracy": accuracy_score(truth, grades),
        "linear_kappa": cohen_kappa_score(truth, grades, weights="linear"),
        "quadratic_kappa": cohen_kappa_score(truth, grades, weights="quadratic"),
        "balanced_accuracy": balanced_accuracy_score(truth, grades),
        "severe_auc": roc_auc_score(np.array(truth) == 2, probabilities[:, :2].sum(axis=1)),
        "score_mae": mean_absolute_error(scores, reported),
        "spearman": spearmanr(probabilities @ [1, 2, 3, 4, 5], scores)[0],
    }
    found = {name: figures[f"{unit}s"]["MotionQA"][name][0] for name in expected}
    assert found == pytest.approx(expected, abs=1e-9)


def test_what_is_unknown_is_empty_and_a_formula_is_text(tmp_path):
    graded = GradedImages()
    label = Label("=cmd()", None, None, levels_of_grade(1), "P001")
    graded.volumes.add(label, np.array([0, 0, 0.25, 0.25, 0.5]))
    write_predictions(tmp_path / "p.csv", graded)
    header, row = csv.reader((tmp_path / "p.csv").read_text().splitlines())
    assert tuple(header) == COLUMNS
    assert row[:9] == ["volume", "'=cmd()", "P001", "", "", "", "mild", "4", "mild"]
    assert [float(cell) for cell in row[9:]] == [0, 0, 0.25, 0.25, 0.5]
