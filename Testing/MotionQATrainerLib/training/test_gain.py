import numpy as np
import pytest

from MotionQATrainerLib.training.gain import HeldOut, gain

N, SUBJECTS = 120, 20


def results(scores, probabilities):
    levels = np.eye(5, dtype=bool)[scores]
    subjects = np.array([f"s{index % SUBJECTS:02d}" for index in range(len(scores))])
    return HeldOut(levels, probabilities, subjects, {})


def of_opinion(centre, sureness, rng=None):
    """Probabilities about scores from 0, (n,), the surer the narrower."""
    wrong = 0 if rng is None else rng.normal(0, 1.2, len(centre))
    logits = -sureness * np.abs(np.arange(5) - (centre + wrong)[:, None])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.fixture
def scores(rng):
    return rng.choice(5, N, p=[0.25, 0.25, 0.2, 0.15, 0.15])


def test_seeing_more_is_better(scores, rng):
    found = gain(
        results(scores, of_opinion(scores, 1.5, rng)), results(scores, of_opinion(scores, 1.5))
    )
    assert found.is_better
    assert found.nll.high < 0 < found.accuracy.low
    assert "better than before" in found.sentence("old")
    assert "Keep using" not in found.sentence("old")


def test_being_less_sure_with_shuffled_labels_is_no_gain(scores, rng):
    """Likelihood alone calls it better: from a sure network to one that names frequencies."""
    better = likelier = 0
    for _ in range(20):
        shuffled = rng.permutation(scores)
        frequencies = np.bincount(scores, minlength=5) / N
        opinion = 0.9 * frequencies + 0.1 * rng.dirichlet(np.ones(5), N)
        found = gain(results(shuffled, of_opinion(scores, 3.0)), results(shuffled, opinion))
        better += found.is_better
        likelier += found.nll.high < 0
        assert "Keep using old" in found.sentence("old")
    assert (better, likelier) == (0, 20)
    assert any("guessing" in doubt for doubt in found.doubts)


def test_the_same_again_is_no_gain(scores, rng):
    same = results(scores, of_opinion(scores, 1.5, rng))
    found = gain(same, same)
    assert not found.is_better
    assert found.nll.value == found.accuracy.value == 0


def test_more_likely_but_graded_worse_is_no_gain(scores):
    """Sure and mostly right, against hardly sure and off by one."""
    rough = of_opinion(scores, 40.0)
    rough[:12] = of_opinion((scores[:12] + 2) % 5, 40.0)
    unsure = of_opinion(np.clip(scores + 1, 0, 4), 0.8)
    found = gain(results(scores, rough), results(scores, unsure))
    assert found.nll.high < 0
    assert found.accuracy.high < 0
    assert not found.is_better
    assert any("accuracy fell" in doubt for doubt in found.doubts)


def test_one_subject_proves_nothing(scores, rng):
    before, after = (results(scores, of_opinion(scores, 1.5, draw)) for draw in (rng, None))
    alone = [HeldOut(of.levels, of.probabilities, np.full(N, "s"), {}) for of in (before, after)]
    assert gain(before, after).is_better
    assert not gain(*alone).is_better


def test_what_nobody_can_tell_is_not_said_to_have_fallen():
    """One subject: the intervals are undefined, though the figures rose."""
    scores = np.array([0, 1, 3, 4] * 6)
    levels, nobody = np.eye(5, dtype=bool)[scores], np.full(len(scores), "one")
    wrong, right = of_opinion(4.0 - scores, 9.0), of_opinion(scores, 9.0)
    found = gain(HeldOut(levels, wrong, nobody, {}), HeldOut(levels, right, nobody, {}))
    assert found.kappa.value > 0 and not any("fell" in doubt for doubt in found.doubts)
