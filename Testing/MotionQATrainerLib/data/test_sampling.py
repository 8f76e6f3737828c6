import numpy as np
import pytest

from MotionQATrainerLib.data.sampling import balanced_weights, epoch_order


def levels_of(scores):
    return np.eye(5, dtype=bool)[np.asarray(scores) - 1]


@pytest.mark.parametrize(("balance", "ratio"), [(0.0, 9.0), (0.5, 3.0), (1.0, 1.0)])
def test_balance_tempers_the_counts(balance, ratio):
    weights = balanced_weights(levels_of([5] * 90 + [1] * 10), balance)
    assert weights.sum() == pytest.approx(1)
    assert weights[:90].sum() / weights[90:].sum() == pytest.approx(ratio)


def test_a_grade_counts_for_its_scores():
    mild = np.array([[False, False, False, True, True]])
    severe = np.array([[True, True, False, False, False]])
    weights = balanced_weights(np.repeat(np.concatenate([mild, severe]), [30, 10], axis=0), 1.0)
    assert weights[:30].sum() == pytest.approx(weights[30:].sum())


def test_an_epoch_draws_each_as_often_as_expected():
    weights = balanced_weights(levels_of([5] * 90 + [1] * 10), 1.0)
    counts = np.bincount(epoch_order(weights, 100, seed=0, epoch=0), minlength=100)
    assert set(counts[:90]) <= {0, 1}  # expected 0.56 each
    assert set(counts[90:]) == {5}  # expected 5 each
    assert counts.sum() == 100


def test_even_weights_show_everything_once():
    order = epoch_order(np.full(50, 0.02), 50, seed=1, epoch=3)
    assert sorted(order) == list(range(50))
    assert list(order) != list(range(50))


def test_the_order_depends_on_seed_and_epoch_alone():
    weights = np.full(50, 0.02)
    first = epoch_order(weights, 64, seed=1, epoch=0)
    assert np.array_equal(first, epoch_order(weights, 64, seed=1, epoch=0))
    assert not np.array_equal(first, epoch_order(weights, 64, seed=1, epoch=1))
    assert not np.array_equal(first, epoch_order(weights, 64, seed=2, epoch=0))
