import numpy as np
import pytest

from MotionQATrainerLib.evaluation.calibration import (
    TEMPERATURES,
    fit_offsets,
    fit_temperature,
    fit_uncertain_above,
    fit_uncertainty_rule,
    softmax,
    uncertainty,
)


def drawn(temperature, n=6000, seed=0):
    """Logits, and one-hot labels drawn from what they mean at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, size=(n, 5))
    p = softmax(logits, temperature)
    scores = (p.cumsum(axis=1) < rng.uniform(size=(n, 1))).sum(axis=1)
    return logits, np.eye(5, dtype=bool)[scores]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_temperature_is_recovered(temperature):
    logits, levels = drawn(temperature)
    assert fit_temperature(logits, levels) == pytest.approx(temperature, rel=0.06)


def test_temperature_from_grades():
    logits, levels = drawn(2.0, n=20000)
    levels[:, :2] = levels[:, :2].any(axis=1, keepdims=True)
    levels[:, 3:] = levels[:, 3:].any(axis=1, keepdims=True)
    assert fit_temperature(logits, levels) == pytest.approx(2.0, rel=0.08)


def test_few_labels_do_not_ask_for_boundless_certainty():
    logits = np.array([[0, 0, 0, 0, 9.0]])
    assert 0.3 < fit_temperature(logits, logits > 1) < 1.0
    assert 1.0 < fit_temperature(logits, logits < 1) <= TEMPERATURES[1]


def test_weights_choose_the_labels():
    sharp, blunt = drawn(0.4, seed=1), drawn(2.5, seed=2)
    logits, levels = (np.concatenate(pair) for pair in zip(sharp, blunt, strict=True))
    weights = np.repeat([1.0, 0.0], len(sharp[0]))
    assert fit_temperature(logits, levels, weights) == pytest.approx(0.4, rel=0.06)


def test_temperature_refuses_nothing_to_fit():
    with pytest.raises(ValueError, match="no validation"):
        fit_temperature(np.zeros((0, 5)), np.zeros((0, 5)))
    with pytest.raises(ValueError, match="must both"):
        fit_temperature(np.zeros((3, 5)), np.zeros((2, 5)))


def test_softmax_of_huge_logits():
    assert np.allclose(softmax(np.array([1e5, 0, 0, 0, 1e5])), [0.5, 0, 0, 0, 0.5])


def test_uncertainty_is_that_of_the_reported_grade():
    p = np.array([[0.05, 0.05, 0.1, 0.4, 0.4], [0.3, 0.15, 0.15, 0.2, 0.2]])
    # Mild with .8; moderate, the median's, with .15 although severe has .45.
    assert np.allclose(uncertainty(p), [0.2, 0.85])
    assert np.allclose(uncertainty(p.reshape(1, 2, 5)), [[0.2, 0.85]])


def with_doubts(doubts, right):
    """Results reported mild with the given uncertainties, right or wrong."""
    doubts = np.asarray(doubts)
    p = np.stack([doubts, *[0 * doubts] * 3, 1 - doubts], axis=1)
    levels = np.zeros((len(doubts), 5), bool)
    levels[np.arange(len(doubts)), np.where(right, 4, 0)] = True
    return p, levels


def test_threshold_worked_by_hand():
    doubts = [0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40]
    right = [1, 1, 1, 0, 1, 0, 0, 1]
    # Right among the first n: 1, 1, 1, 3/4, 4/5, 4/6, 4/7, 5/8.
    result = fit_uncertain_above(*with_doubts(doubts, right), target=0.8)
    assert result.uncertain_above == pytest.approx(0.275)
    assert (result.coverage, result.accuracy, result.reached) == (5 / 8, 0.8, True)
    stricter = fit_uncertain_above(*with_doubts(doubts, right), target=0.9)
    assert stricter.coverage == 3 / 8
    assert "38%" in str(stricter)


def test_all_right_still_calls_the_improbable_uncertain():
    p, levels = with_doubts([0.1, 0.2, 0.3, 0.4], [1, 1, 1, 1])
    p = np.concatenate([p, [[0.3, 0.15, 0.15, 0.2, 0.2]]])
    levels = np.concatenate([levels, [[0, 0, 1, 0, 0]]]).astype(bool)
    result = fit_uncertain_above(p, levels)
    assert result.uncertain_above == 0.5 and result.coverage == 0.8


def test_target_out_of_reach_is_said():
    result = fit_uncertain_above(*with_doubts([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]))
    assert not result.reached and result.accuracy == 0.5
    assert "less than asked" in str(result)


def test_equal_uncertainties_stay_together():
    result = fit_uncertain_above(*with_doubts([0.1, 0.2, 0.2, 0.2], [1, 1, 0, 1]))
    assert result.coverage == 0.25 and 0.1 < result.uncertain_above < 0.2


def test_nothing_certain():
    p = np.tile([[0.3, 0.15, 0.15, 0.2, 0.2]], (4, 1))
    result = fit_uncertain_above(p, np.ones((4, 5), bool))
    assert result.uncertain_above == 0.5 and result.coverage == 0 and not result.reached
    assert str(result) == "None of the validation images is certain."
    with pytest.raises(ValueError, match="no validation"):
        fit_uncertain_above(np.zeros((0, 5)), np.zeros((0, 5)))


def test_calibrated_results_keep_the_target_on_others():
    logits, levels = drawn(1.0)
    others, other_levels = drawn(1.0, seed=9)
    found = fit_uncertain_above(softmax(logits), levels, target=0.9)
    p = softmax(others)
    certain = uncertainty(p) <= found.uncertain_above
    again = fit_uncertain_above(p[certain], other_levels[certain], target=0.0)
    assert certain.mean() == pytest.approx(found.coverage, abs=0.03)
    assert again.accuracy == pytest.approx(0.9, abs=0.02)


def test_offsets_bring_the_scores_out_as_often_as_they_are_labelled():
    logits, levels = drawn(1.0)
    lopsided = logits - np.array([1.0, 0.0, 0.0, 0.0, -0.6])
    found = fit_offsets(lopsided, levels, 1.0)
    assert found - found[1] == pytest.approx([1.0, 0, 0, 0, -0.6], abs=0.15)


def test_doubt_flags_the_severe_that_are_missed_and_few_others():
    """A network that calls a tenth of the severe moderate, at a P(severe) of 0.3."""
    sure = {1: [0.8, 0.15, 0.05, 0, 0], 3: [0, 0.05, 0.8, 0.1, 0.05], 5: [0, 0, 0.05, 0.15, 0.8]}
    missed = [0.1, 0.2, 0.6, 0.1, 0.0]
    p = np.array([sure[1]] * 90 + [missed] * 10 + [sure[3]] * 200 + [sure[5]] * 300)
    scores = np.array([1] * 100 + [3] * 200 + [5] * 300)
    doubt = fit_uncertainty_rule(p, np.eye(5, dtype=bool)[scores - 1])
    assert doubt.missed == 0 and doubt.accuracy == 1
    assert doubt.flagged == pytest.approx(10 / 600)
    assert 0.05 <= doubt.severe_above < 0.3 or doubt.uncertain_above < 0.4


def test_doubt_without_labels_is_refused():
    with pytest.raises(ValueError, match="no validation"):
        fit_uncertainty_rule(np.zeros((0, 5)), np.zeros((0, 5)))
