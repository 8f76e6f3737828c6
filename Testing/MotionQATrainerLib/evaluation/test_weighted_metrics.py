"""Weighted, all resamples at once, must equal the libraries on the images repeated."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score

from MotionQATrainerLib.evaluation import weighted_metrics


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    n = 60
    truth, reported = rng.integers(0, 3, n), rng.integers(0, 3, n)
    scores = np.round(rng.uniform(size=n) + 0.2 * truth, 1)  # with ties
    weights = weighted_metrics.subject_weights(np.arange(n) // 3, 20, rng)
    repeated = [np.repeat(np.arange(n), row.astype(int)) for row in weights]
    return truth, reported, scores, weights, repeated


def test_whole_subjects_are_drawn():
    subjects = np.array(["b", "a", "b", "c", "a"])
    weights = weighted_metrics.subject_weights(subjects, 200, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, 0].min() == 0 and weights[:, 0].max() == 3
    assert weights.mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("power", "name"), [(1, "linear"), (2, "quadratic")])
def test_kappa(drawn, power, name):
    truth, reported, _, weights, repeated = drawn
    found = weighted_metrics.kappa(weighted_metrics.confusion(truth, reported, weights, 3), power)
    expected = [cohen_kappa_score(truth[i], reported[i], weights=name) for i in repeated]
    assert np.allclose(found, expected)


def test_accuracies(drawn):
    truth, reported, _, weights, repeated = drawn
    matrices = weighted_metrics.confusion(truth, reported, weights, 3)
    expected = [balanced_accuracy_score(truth[i], reported[i]) for i in repeated]
    assert np.allclose(weighted_metrics.balanced_accuracy(matrices), expected)
    expected = [(truth[i] == reported[i]).mean() for i in repeated]
    assert np.allclose(weighted_metrics.accuracy(matrices), expected)


def test_auc(drawn):
    truth, _, scores, weights, repeated = drawn
    expected = [roc_auc_score(truth[i] == 2, scores[i]) for i in repeated]
    assert np.allclose(weighted_metrics.auc(truth == 2, scores, weights), expected)


def test_spearman(drawn):
    truth, _, scores, weights, repeated = drawn
    expected = [spearmanr(truth[i], scores[i])[0] for i in repeated]
    assert np.allclose(weighted_metrics.spearman(truth, scores, weights), expected)


def test_mean(drawn):
    _, _, scores, weights, repeated = drawn
    assert np.allclose(weighted_metrics.mean(scores, weights), [scores[i].mean() for i in repeated])


def test_calibration_error_worked_by_hand():
    right = np.array([True, False, True, True])
    confidence = np.array([0.9, 0.5, 0.6, 0.8])
    # Sorted: .5 wrong and .6 right (|.5 - .55| = .05); .8 and .9 right (1 - .85 = .15).
    found = weighted_metrics.calibration_error(right, confidence, np.ones((1, 4)), 2)
    assert found == pytest.approx([0.10])
    weights = np.array([[3.0, 1.0, 1.0, 1.0]])
    # Bins of three: .5 wrong, .6, .8 right (|2 - 1.9| = .1); .9 three times (.3); over six.
    assert weighted_metrics.calibration_error(right, confidence, weights, 2) == pytest.approx(
        [0.4 / 6]
    )


def test_undefined_is_nan():
    weights = np.ones((2, 3))
    same = np.zeros(3, int)
    matrices = weighted_metrics.confusion(same, same, weights, 3)
    assert np.isnan(weighted_metrics.kappa(matrices, 1)).all()
    assert np.isnan(weighted_metrics.auc(same > 0, np.arange(3.0), weights)).all()
    assert np.isnan(weighted_metrics.spearman(same, np.arange(3), weights)).all()
