import numpy as np
import pytest

from MotionQATrainerLib.evaluation.prediction import figures, spread


def test_figures_worked_by_hand():
    levels = np.eye(5, dtype=bool)[[4, 4, 2, 0]]
    logits = np.log(np.array([[0.1, 0.1, 0.1, 0.1, 0.6]] * 2 + [[0.6, 0.1, 0.1, 0.1, 0.1]] * 2))
    found = figures(logits, levels)
    assert found.nll == pytest.approx(-np.mean(np.log([0.6, 0.6, 0.1, 0.6])))
    assert found.accuracy == 0.75  # the moderate slice is called severe
    assert 0 < found.kappa < 1


def test_an_undefined_kappa_is_zero():
    levels = np.eye(5, dtype=bool)[[4, 4]]
    assert figures(np.log(np.full((2, 5), 0.2) + levels), levels).kappa == 0


def test_spread_is_even_and_bounded():
    indices = np.arange(100, 200)
    assert spread(indices, 0) is indices
    assert spread(indices, 100) is indices
    chosen = spread(indices, 12)
    assert len(set(chosen)) == 12
    assert (chosen[0], chosen[-1]) == (100, 199)
    assert np.ptp(np.diff(chosen)) <= 1
